<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

/** The number in the middle, or between the two in the middle. */
function median(array $numbers): float
{
    sort($numbers);
    $half = intdiv(count($numbers), 2);
    return count($numbers) % 2 === 1 ? (float) $numbers[$half] : ($numbers[$half - 1] + $numbers[$half]) / 2;
}

/** The number below which so large a part of all numbers is. */
function quantile(array $numbers, float $part): float
{
    sort($numbers);
    return (float) $numbers[min(count($numbers) - 1, (int) (count($numbers) * $part))];
}

/** Median, and in brackets the least and the greatest. */
function spread(array $numbers, string $format = '%.1f'): string
{
    return sprintf("$format [$format … $format]", median($numbers), min($numbers), max($numbers));
}

/** Median, and in brackets the two quarters: for many single times, whose extremes say nothing. */
function quarters(array $numbers, string $format = '%.2f'): string
{
    return sprintf("$format [$format … $format]", median($numbers), quantile($numbers, 0.25), quantile($numbers, 0.75));
}

/** Microseconds of CPU that this process has used; with 1, that its children have used which have ended. */
function cpu(int $whose = 0): float
{
    $usage = getrusage($whose);
    return ($usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec']) * 1e6 + $usage['ru_utime.tv_usec'] + $usage['ru_stime.tv_usec'];
}

/** Microseconds of CPU that other processes have used, to the nanosecond. */
function cpuOf(array $pids): float
{
    $total = 0;
    foreach ($pids as $pid) {
        foreach (glob("/proc/$pid/task/*/schedstat") ?: [] as $file) {
            $total += (int) strtok((string) file_get_contents($file), ' ');
        }
    }
    return $total / 1000;
}
