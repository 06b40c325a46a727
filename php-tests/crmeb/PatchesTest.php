<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Crmeb;

use PHPUnit\Framework\TestCase;

/** The patches for CRMEB: whole, and calling only what the adapters have. */
final class PatchesTest extends TestCase
{
    /** @dataProvider patches */
    #[\PHPUnit\Framework\Attributes\DataProvider('patches')]
    public function testTheHunksHoldAsManyLinesAsTheySay(string $file): void
    {
        $hunks = preg_split('/^(?=@@ )/m', preg_replace('/^(diff |--- |\+\+\+ |index ).*\n/m', '', file_get_contents($file)));
        self::assertGreaterThan(1, count($hunks));
        foreach (array_slice($hunks, 1) as $hunk) {
            [$head, $body] = explode("\n", $hunk, 2);
            self::assertSame(1, preg_match('/^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/', $head, $counts), $head);
            $marks = array_count_values(array_map(static function (string $line): string {
                return $line[0];
            }, array_filter(explode("\n", $body), 'strlen'))) + ['-' => 0, '+' => 0, ' ' => 0];
            $found = [$marks[' '] + $marks['-'], $marks[' '] + $marks['+']];
            self::assertSame([(int) ($counts[1] ?? 1), (int) ($counts[2] ?? 1)], $found, "$file: $head");
        }
    }

    /** @dataProvider patches */
    #[\PHPUnit\Framework\Attributes\DataProvider('patches')]
    public function testTheyCallOnlyWhatTheAdaptersHave(string $file): void
    {
        $added = implode("\n", preg_grep('/^\+(?!\+\+ )/', explode("\n", file_get_contents($file))));
        preg_match_all('/\\\\RoutineTemplate\\\\Crmeb\\\\([\w\\\\]+)(?:(?:::|@)(\w+))?/', $added, $calls, PREG_SET_ORDER);
        foreach ($calls as $call) {
            $path = dirname(__DIR__, 2) . '/crmeb/' . (strncmp($call[1], 'Zzff\\', 5) === 0 ? 'zzff/' . substr($call[1], 5) : "common/$call[1]") . '.php';
            self::assertFileExists($path, $call[0]);
            if (isset($call[2])) {
                $declared = preg_match("/^    public (static )?function $call[2]\\(/m", file_get_contents($path));
                self::assertSame(1, $declared, "$call[0] is no public method");
            }
        }
        $isOfPhpOrFrontEnd = preg_match('/(php-7\.4|uni-app)\.patch$/', $file) === 1;
        self::assertSame(!$isOfPhpOrFrontEnd, $calls !== [], 'a patch without a call of the adapters');
    }

    /** @dataProvider pages */
    #[\PHPUnit\Framework\Attributes\DataProvider('pages')]
    public function testThePagesSayHowManyLinesEachPatchChanges(string $page): void
    {
        preg_match_all('/^\|.*?`([\w.-]+\.patch)`.*\| (\d+) \| (\d+) \|$/m', file_get_contents($page), $rows, PREG_SET_ORDER);
        self::assertNotSame([], $rows);
        foreach ($rows as [, $patch, $added, $changed]) {
            $lines = explode("\n", file_get_contents(dirname($page) . '/' . $patch));
            $plus = count(preg_grep('/^\+(?!\+\+ )/', $lines));
            $minus = count(preg_grep('/^-(?!-- )/', $lines));
            self::assertSame([$plus - $minus, $minus], [(int) $added, (int) $changed], "$patch: lines added, lines changed");
        }
    }

    public static function pages(): iterable
    {
        foreach (glob(dirname(__DIR__, 2) . '/crmeb/*/README*.md') as $file) {
            yield basename(dirname($file)) . '/' . basename($file) => [$file];
        }
    }

    public static function patches(): iterable
    {
        foreach (glob(dirname(__DIR__, 2) . '/crmeb/*/*.patch') as $file) {
            yield basename(dirname($file)) . '/' . basename($file) => [$file];
        }
    }
}
