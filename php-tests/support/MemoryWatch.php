<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

use RuntimeException;

/** Runs a script that says how far it is and how much memory it has, and looks each time at the memory of the fake WeChat. */
final class MemoryWatch
{
    /** How many of the first readings are warm-up: connections, caches and the allocator's own books. */
    private const WARM_UP = 3;

    /** What the highest reading after the warm-up may be above the first one, in KiB. Of a million messages, a leak of three bytes each is more. */
    private const TOLERANCE = 2048;

    /** @var list<string> */
    private array $command;

    private TemporaryDirectory $directory;
    private int $sandboxPid;

    /** @var list<array{int, int, int}> messages, KiB of the process, KiB of the fake WeChat */
    private array $readings = [];

    private string $said = '';
    private float $seconds = 0.0;

    public function __construct(string $code, int $sandboxPid)
    {
        $this->directory = TemporaryDirectory::create();
        $this->command = [...PhpProcess::command(), '-f', $this->directory->write('script.php', $code)];
        $this->sandboxPid = $sandboxPid;
    }

    /** Throws where the script ends otherwise than by its last line. */
    public function run(): void
    {
        $start = microtime(true);
        $log = $this->directory->path . '/errors.log';
        $process = proc_open($this->command, [['file', '/dev/null', 'r'], ['pipe', 'w'], ['file', $log, 'a']], $pipes);
        if (!is_resource($process)) {
            throw new RuntimeException('PHP does not start.');
        }
        while (($line = fgets($pipes[1])) !== false) {
            if (sscanf($line, '%d %d', $messages, $memory) === 2) {
                $this->readings[] = [$messages, $memory, Processes::memory($this->sandboxPid)];
            } else {
                $this->said .= $line;
            }
        }
        fclose($pipes[1]);
        $code = proc_close($process);
        $this->said .= file_get_contents($log);
        $this->directory->remove();
        $this->seconds = microtime(true) - $start;
        if ($code !== 0 || $this->said !== '' || count($this->readings) <= self::WARM_UP) {
            throw new RuntimeException("The script ended with exit code $code: {$this->said}");
        }
    }

    public function said(): string
    {
        return $this->said;
    }

    public function seconds(): float
    {
        return $this->seconds;
    }

    public function isFlat(): bool
    {
        return $this->growth(1) <= self::TOLERANCE && $this->growth(2) <= self::TOLERANCE;
    }

    /** First, last and highest reading of the process after the warm-up. */
    public function own(): string
    {
        return $this->summary(1);
    }

    public function sandbox(): string
    {
        return $this->summary(2);
    }

    /** Every reading, for whoever wants to see the curve. */
    public function curve(): string
    {
        return '    ' . implode(' ', array_map(static fn (array $reading): string => "$reading[1]/$reading[2]", $this->readings)) . "\n";
    }

    private function growth(int $column): int
    {
        $warm = $this->warm($column);
        return max($warm) - $warm[0];
    }

    private function summary(int $column): string
    {
        $warm = $this->warm($column);
        return sprintf('%d … %d, %d', $warm[0], $warm[count($warm) - 1], max($warm));
    }

    /** @return list<int> */
    private function warm(int $column): array
    {
        return array_column(array_slice($this->readings, self::WARM_UP), $column);
    }
}
