<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

/** The number in the middle. */
function median(array $numbers): float
{
    return quantile($numbers, 0.5);
}

/** The number below which so large a part of all numbers is. */
function quantile(array $numbers, float $part): float
{
    sort($numbers);
    return (float) $numbers[min(count($numbers) - 1, (int) (count($numbers) * $part))];
}

/** Microseconds of CPU that this process has used. */
function cpu(): float
{
    $usage = getrusage();
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

function row(string $label, array $cells): void
{
    printf("| %-34s | %s |\n", $label, implode(' | ', array_map(static fn ($cell) => str_pad((string) $cell, 12, ' ', STR_PAD_LEFT), $cells)));
}

function head(string $title, array $cells): void
{
    echo "\n### $title\n\n";
    row('', $cells);
    echo '|---|', str_repeat('---:|', count($cells)), "\n";
}
