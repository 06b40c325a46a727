<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

use RuntimeException;

/** Waiting, always within a bound. */
final class Wait
{
    /**
     * Waits until the condition holds; says what it waited for where it does not come true in time.
     *
     * @param callable():bool $condition
     */
    public static function until(callable $condition, string $what, float $seconds = 10.0): void
    {
        $seconds *= Environment::patience();
        $end = microtime(true) + $seconds;
        while (!$condition()) {
            if (microtime(true) > $end) {
                throw new RuntimeException("Waited $seconds seconds in vain for: $what");
            }
            usleep(10_000);
        }
    }
}
