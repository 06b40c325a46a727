<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Crmeb;

use PHPUnit\Framework\TestCase;

require_once __DIR__ . '/stand-ins/load.php';

/** The patches for CRMEB 4.x and 5.x call what there is, and the pages say of them what they are. */
final class PatchesTest extends TestCase
{
    private const FOLDERS = ['4.x', '5.x'];

    /** @dataProvider patches */
    #[\PHPUnit\Framework\Attributes\DataProvider('patches')]
    public function testALineThatIsAddedCallsAnAdapterThatExists(string $patch): void
    {
        $calls = 0;
        foreach (self::lines($patch, '+') as $line) {
            preg_match_all('/\\\\RoutineTemplate\\\\Crmeb\\\\(\w+)(::|@)(\w+)/', $line, $found, PREG_SET_ORDER);
            foreach ($found as [, $class, $operator, $method]) {
                $method = new \ReflectionMethod("RoutineTemplate\\Crmeb\\$class", $method);
                self::assertTrue($method->isPublic() && $method->isStatic() === ($operator === '::'), $line);
                $calls++;
            }
            preg_match_all('/new \\\\RoutineTemplate\\\\Crmeb\\\\(\w+)\(/', $line, $found);
            foreach ($found[1] as $class) {
                self::assertTrue((new \ReflectionClass("RoutineTemplate\\Crmeb\\$class"))->isInstantiable(), $line);
            }
        }
        self::assertGreaterThan(8, $calls);
    }

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
    public function testAPageCountsTheLinesOfItsPatches(string $folder, string $page): void
    {
        $table = (string)file_get_contents(self::folder() . "/$folder/$page");
        foreach (glob(self::folder() . "/$folder/*.patch") as $file) {
            $name = basename($file);
            $changed = count(self::lines("$folder/$name", '-'));
            $added = count(self::lines("$folder/$name", '+')) - $changed;
            self::assertStringContainsString("`$name` | $added | $changed |", $table);
        }
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
