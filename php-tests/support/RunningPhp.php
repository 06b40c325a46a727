<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

use RuntimeException;

/** A PHP script that is running. */
final class RunningPhp
{
    /** @var resource|null */
    private $process;

    /** @var array<int, resource> */
    private array $pipes = [];

    private ?TemporaryDirectory $directory;
    private float $end;

    public int $pid;

    /**
     * @param list<string> $command
     * @param array<string, string> $environment
     */
    public function __construct(array $command, ?TemporaryDirectory $directory, float $seconds, array $environment)
    {
        $this->directory = $directory;
        $process = proc_open(
            $command,
            [['file', '/dev/null', 'r'], ['pipe', 'w'], ['pipe', 'w']],
            $this->pipes,
            null,
            $environment + getenv()
        );
        if (!is_resource($process)) {
            throw new RuntimeException('Cannot start ' . implode(' ', $command));
        }
        $this->process = $process;
        $this->pid = proc_get_status($process)['pid'];
        $this->end = microtime(true) + $seconds * Environment::patience();
    }

    /** Waits for the end of the script, at most as long as it was given when it started. */
    public function wait(): ProcessResult
    {
        $texts = [1 => '', 2 => ''];
        $timedOut = false;
        foreach ($this->pipes as $pipe) {
            stream_set_blocking($pipe, false);
        }
        while ($this->pipes !== []) {
            $left = $this->end - microtime(true);
            if ($left <= 0) {
                $timedOut = true;
                break;
            }
            $read = $this->pipes;
            $write = $except = null;
            if (stream_select($read, $write, $except, 0, (int) min(200_000, $left * 1e6)) === false) {
                break;
            }
            foreach ($read as $pipe) {
                $number = array_search($pipe, $this->pipes, true);
                $texts[$number] .= (string) fread($pipe, 65536);
                if (feof($pipe)) {
                    fclose($pipe);
                    unset($this->pipes[$number]);
                }
            }
        }
        $status = proc_get_status($this->process);
        while ($status['running']) {
            if ($timedOut || microtime(true) > $this->end) {
                $timedOut = true;
                proc_terminate($this->process, 9);
            }
            usleep(2_000);
            $status = proc_get_status($this->process);
        }
        array_map('fclose', $this->pipes);
        $this->pipes = [];
        proc_close($this->process);
        $this->process = null;
        if ($this->directory !== null) {
            $this->directory->remove();
        }
        return new ProcessResult(
            $texts[1],
            $texts[2],
            $status['signaled'] ? 128 + $status['termsig'] : $status['exitcode'],
            $status['signaled'] ? $status['termsig'] : null,
            $timedOut
        );
    }
}
