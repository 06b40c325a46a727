<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Crmeb;

use PHPUnit\Framework\TestCase;

/** The patches for CRMEB 4.x and 5.x take nothing from the shop, and their pages show the lines that they add. */
final class PatchPagesTest extends TestCase
{
    private const FOLDERS = ['4.x', '5.x'];

    /** @dataProvider patches */
    #[\PHPUnit\Framework\Attributes\DataProvider('patches')]
    public function testAPatchTakesNothingAwayFromTheShopBesideOneSignature(string $patch): void
    {
        $removed = self::lines($patch, '-');

        self::assertCount(1, $removed);
        self::assertStringContainsString("sendSubscribeTemlate(string \$touser, string \$templateId, array \$data, string \$link = '')", $removed[0]);
    }

    /** @dataProvider patches */
    #[\PHPUnit\Framework\Attributes\DataProvider('patches')]
    public function testTheShopsOwnLinesAreNoMoreThanAPatchNeeds(string $patch): void
    {
        $hunks = 0;
        foreach (explode("\n", self::read($patch)) as $line) {
            $hunks += strncmp($line, '@@', 2) === 0 ? 1 : 0;
        }
        self::assertLessThanOrEqual(4 * $hunks + 2, count(self::lines($patch, ' ')));
    }

    /** @dataProvider pages */
    #[\PHPUnit\Framework\Attributes\DataProvider('pages')]
    public function testEveryLineThatAPageShowsIsInAPatch(string $folder, string $page): void
    {
        $patches = '';
        foreach (glob(self::folder() . "/$folder/*.patch") as $file) {
            $patches .= preg_replace('/\s+/', '', implode('', self::lines("$folder/" . basename($file), '+')));
        }
        preg_match_all('/^```(?:php|js)\n(.*?)^```$/ms', (string)file_get_contents(self::folder() . "/$folder/$page"), $blocks);
        self::assertGreaterThan(6, count($blocks[1]));
        foreach (explode("\n", implode('', $blocks[1])) as $line) {
            $code = preg_replace(['~(^|;\s+|\)\s{2,}|;\s*)// .*~', '/\s+/'], ['$1', ''], $line);
            $code = trim((string)$code, ';');
            if ($code !== '' && $code !== '{') {
                self::assertStringContainsString($code, $patches, "$folder/$page: $line");
            }
        }
    }

    public static function patches(): iterable
    {
        foreach (self::FOLDERS as $folder) {
            foreach (glob(self::folder() . "/$folder/crmeb-*.patch") as $file) {
                yield "$folder/" . basename($file) => ["$folder/" . basename($file)];
            }
        }
    }

    public static function pages(): iterable
    {
        foreach (self::FOLDERS as $folder) {
            yield "$folder, Chinese" => [$folder, 'README.zh-CN.md'];
            yield "$folder, English" => [$folder, 'README.md'];
        }
    }

    private static function folder(): string
    {
        return dirname(__DIR__, 2) . '/crmeb';
    }

    private static function read(string $patch): string
    {
        return (string)file_get_contents(self::folder() . '/' . $patch);
    }

    /** @return list<string> the lines of this kind, without their sign */
    private static function lines(string $patch, string $sign): array
    {
        $lines = [];
        foreach (explode("\n", self::read($patch)) as $line) {
            if (strncmp($line, $sign, 1) === 0 && preg_match('/^(\+\+\+|---) /', $line) !== 1) {
                $lines[] = rtrim(substr($line, 1), "\r");
            }
        }
        return $lines;
    }
}
