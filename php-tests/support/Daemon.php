<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

use RuntimeException;

/** A server that a test starts: its output goes to a file, and it never outlives the test run. */
final class Daemon
{
    /** @var resource|null */
    private $process;

    public int $pid;

    public string $logFile;

    private ?int $exitCode = null;

    /**
     * @param list<string> $command
     * @param array<string, string>|null $environment
     */
    public function __construct(array $command, string $logFile, ?array $environment = null)
    {
        $this->logFile = $logFile;
        $process = proc_open(
            $command,
            [['file', '/dev/null', 'r'], ['file', $logFile, 'a'], ['file', $logFile, 'a']],
            $pipes,
            null,
            $environment
        );
        if (!is_resource($process)) {
            throw new RuntimeException('Cannot start ' . implode(' ', $command));
        }
        $this->process = $process;
        $this->pid = proc_get_status($process)['pid'];
        register_shutdown_function([$this, 'stop']);
    }

    public function isRunning(): bool
    {
        if ($this->process === null) {
            return false;
        }
        $status = proc_get_status($this->process);
        // PHP 8.2 and older give the exit code only once.
        if (!$status['running'] && $this->exitCode === null) {
            $this->exitCode = $status['signaled'] ? 128 + $status['termsig'] : $status['exitcode'];
        }
        return $status['running'];
    }

    /** The exit code of a server that has ended; 128 and the signal where one ended it. */
    public function exitCode(): ?int
    {
        $this->isRunning();
        return $this->exitCode;
    }

    public function signal(int $signal): void
    {
        if ($this->isRunning()) {
            proc_terminate($this->process, $signal);
        }
    }

    public function log(): string
    {
        return (string) @file_get_contents($this->logFile);
    }

    /** Waits until the server is ready, and says in its own words why it did not get there. */
    public function awaitReady(callable $isReady, string $what, float $seconds = 10.0): void
    {
        try {
            Wait::until(function () use ($isReady): bool {
                if (!$this->isRunning()) {
                    throw new RuntimeException('it ended with exit code ' . $this->exitCode());
                }
                return $isReady();
            }, $what, $seconds);
        } catch (RuntimeException $reason) {
            $this->stop();
            throw new RuntimeException("$what: {$reason->getMessage()}\n{$this->log()}");
        }
    }

    /** Ends the server: first by asking, after five seconds without. */
    public function stop(int $signal = 15): void
    {
        if ($this->process === null) {
            return;
        }
        foreach ([$signal, 9] as $next) {
            if (!$this->isRunning()) {
                break;
            }
            proc_terminate($this->process, $next);
            $end = microtime(true) + 5;
            while ($this->isRunning() && microtime(true) < $end) {
                usleep(10_000);
            }
        }
        proc_close($this->process);
        $this->process = null;
    }
}
