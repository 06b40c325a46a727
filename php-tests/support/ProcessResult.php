<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

use RuntimeException;

/** What became of a PHP script that ran in a process of its own. */
final class ProcessResult
{
    public string $output;
    public string $errors;
    public int $exitCode;
    public ?int $signal;
    public bool $timedOut;

    public function __construct(string $output, string $errors, int $exitCode, ?int $signal, bool $timedOut)
    {
        $this->output = $output;
        $this->errors = $errors;
        $this->exitCode = $exitCode;
        $this->signal = $signal;
        $this->timedOut = $timedOut;
    }

    /**
     * What the script printed, as JSON; a script that crashed, hung or printed something else fails the test.
     *
     * @return mixed
     */
    public function json()
    {
        if ($this->exitCode !== 0 || $this->signal !== null || $this->timedOut) {
            throw new RuntimeException('The script did not end well: ' . $this->describe());
        }
        $value = json_decode($this->output, true, 512, JSON_BIGINT_AS_STRING);
        if ($value === null && trim($this->output) !== 'null') {
            throw new RuntimeException('The script printed no JSON: ' . $this->describe());
        }
        return $value;
    }

    public function describe(): string
    {
        return sprintf(
            "exit code %d, signal %s%s\n--- output\n%s\n--- errors\n%s",
            $this->exitCode,
            $this->signal ?? 'none',
            $this->timedOut ? ', killed because its time was over' : '',
            substr($this->output, -8000),
            substr($this->errors, -8000)
        );
    }
}
