<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

/** What criterion has left under target/criterion. */
final class Criterion
{
    /** @return array<string, array{float, float, float}> nanoseconds by the name of the benchmark: median and its confidence interval */
    public static function medians(): array
    {
        $medians = [];
        $target = getenv('CARGO_TARGET_DIR') ?: dirname(__DIR__, 2) . '/target';
        foreach (array_merge(glob("$target/criterion/*/new") ?: [], glob("$target/criterion/*/*/*/new") ?: []) as $directory) {
            $read = static fn (string $file): array
                => json_decode((string) file_get_contents("$directory/$file"), true, 16, JSON_THROW_ON_ERROR);
            $median = $read('estimates.json')['median'];
            $interval = $median['confidence_interval'];
            $medians[$read('benchmark.json')['full_id']] = [
                $median['point_estimate'], $interval['lower_bound'], $interval['upper_bound'],
            ];
        }
        return $medians;
    }
}
