<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Soak;

use RoutineTemplate\Tests\FpmServer;
use RoutineTemplate\Tests\Processes;

/** Threads, descriptors and memory of php-fpm's workers, read again and again. */
final class ProcessReadings
{
    /** Seconds of a worker's life in which its connections, caches and memory pools come into being. */
    private const WARM_UP = 30.0;

    private FpmServer $server;

    /** @var array<int, list<array{float, int, int, int}>> by worker: when, threads, descriptors, KiB of memory */
    private array $workers = [];

    public function __construct(FpmServer $server)
    {
        $this->server = $server;
    }

    public function read(): void
    {
        foreach ($this->server->workers() as $pid) {
            $threads = $this->server->resources($pid)['threads'];
            $reading = [microtime(true), $threads, $this->server->descriptors($pid), Processes::memory($pid)];
            // One that ends meanwhile has nothing any more.
            if ($threads > 0 && $reading[3] > 0) {
                $this->workers[$pid][] = $reading;
            }
        }
    }

    /** @return array{threads: int, descriptors: int, memory: int} the highest of the workers that are there now */
    public function now(): array
    {
        $last = [];
        foreach (array_intersect_key($this->workers, array_flip($this->server->workers())) as $readings) {
            $last[] = $readings[count($readings) - 1];
        }
        return [
            'threads' => max([0, ...array_column($last, 1)]),
            'descriptors' => max([0, ...array_column($last, 2)]),
            'memory' => max([0, ...array_column($last, 3)]),
        ];
    }

    /** @return array{threads: int, descriptors: int, memory: int} the highest of all */
    public function highest(): array
    {
        $all = array_merge([], ...array_values($this->workers));
        return [
            'threads' => max([0, ...array_column($all, 1)]),
            'descriptors' => max([0, ...array_column($all, 2)]),
            'memory' => max([0, ...array_column($all, 3)]),
        ];
    }

    /** @return array{seconds: int, threads: int, descriptors: int, memory: int} how much of each the workers that lived longest gained after their warm-up */
    public function growth(): array
    {
        $growth = ['seconds' => 0, 'threads' => 0, 'descriptors' => 0, 'memory' => 0];
        foreach ($this->workers as $readings) {
            $born = $readings[0][0];
            $warm = array_values(array_filter($readings, static fn (array $reading): bool => $reading[0] >= $born + self::WARM_UP));
            if (count($warm) < 3) {
                continue;
            }
            $last = $warm[count($warm) - 1];
            $growth['seconds'] = max($growth['seconds'], (int) ($last[0] - $warm[0][0]));
            foreach (['threads', 'descriptors', 'memory'] as $place => $name) {
                $growth[$name] = max($growth[$name], $last[$place + 1] - $warm[0][$place + 1]);
            }
        }
        return $growth;
    }

    /** @return list<int> every worker that was ever seen */
    public function pids(): array
    {
        return array_keys($this->workers);
    }
}
