<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

/** Processes that a test knows by their ids. */
final class Processes
{
    /**
     * Sends the signal and waits until they have ended.
     *
     * @param list<int> $pids
     */
    public static function end(array $pids, int $signal = SIGKILL): void
    {
        foreach ($pids as $pid) {
            posix_kill($pid, $signal);
        }
        Wait::until(static function () use ($pids): bool {
            return array_filter($pids, static fn (int $pid): bool => !in_array(self::state($pid), ['', 'Z', 'X'], true)) === [];
        }, 'the killed processes to end', 60);
    }

    /** KiB of memory that are this process's own, whatever its shared pages do. */
    public static function memory(int $pid): int
    {
        return preg_match('/^RssAnon:\s+(\d+) kB/m', (string) @file_get_contents("/proc/$pid/status"), $match) ? (int) $match[1] : 0;
    }

    /** The letter that the system has for what a process does; empty where there is none of this id. */
    public static function state(int $pid): string
    {
        return preg_match('/\) (\w) /', (string) @file_get_contents("/proc/$pid/stat"), $match) ? $match[1] : '';
    }
}
