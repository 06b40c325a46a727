<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

/** How much is measured: BENCH_ROUNDS (5) interleaved rounds, and BENCH_SCALE (1) times the usual number of sends in each. */
final class Effort
{
    public static function rounds(): int
    {
        return max(1, (int) (getenv('BENCH_ROUNDS') ?: 5));
    }

    public static function count(int $usual, int $least = 8): int
    {
        return max($least, (int) ($usual * self::scale()));
    }

    public static function seconds(float $usual): float
    {
        return max(0.5, $usual * self::scale());
    }

    private static function scale(): float
    {
        return (float) (getenv('BENCH_SCALE') ?: 1);
    }
}
