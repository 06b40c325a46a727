<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

/** A contender in a process of its own (sender.php), with the settings and modules that it needs and no others. */
final class SenderProcess
{
    public int $pid;
    /** @var resource */
    private $process;
    /** @var array<int, resource> */
    private array $pipes = [];

    /**
     * @param string $file under this directory
     * @param string $face `extension`, `ffi`, or `none` for the ways without RoutineTemplate
     * @param array<string, mixed> $settings what the contender is told
     * @param array<string, string> $ini settings of RoutineTemplate
     */
    public function __construct(Fixture $fixture, string $file, string $face, array $settings, array $ini)
    {
        $modules = Environment::modules('curl', 'ffi') ?? throw new \RuntimeException('This PHP has no curl or no ffi.');
        if ($face === 'extension') {
            $modules['extension'][] = Environment::extension();
        }
        if ($face === 'ffi') {
            $ini['library'] = Environment::library();
            $settings['ffi'] = Environment::ffi();
        }
        $command = [PHP_BINARY, '-n', '-d', 'memory_limit=1G', '-d', 'ffi.enable=1', '-d', 'display_errors=stderr'];
        foreach ($modules['extension'] as $module) {
            array_push($command, '-d', "extension=$module");
        }
        foreach ($fixture->trust() as $name => $value) {
            array_push($command, '-d', "$name=$value");
        }
        foreach ($face === 'none' ? [] : $ini as $name => $value) {
            // Quoted: php.ini takes the word off for nothing.
            array_push($command, '-d', "routine_template.$name=\"$value\"");
        }
        array_push($command, __DIR__ . '/sender.php', __DIR__ . "/$file", json_encode($settings, JSON_THROW_ON_ERROR));
        $process = proc_open($command, [['pipe', 'r'], ['pipe', 'w']], $this->pipes);
        if ($process === false) {
            throw new \RuntimeException("Cannot start $file");
        }
        $this->process = $process;
        $this->pid = proc_get_status($process)['pid'];
        register_shutdown_function([$this, 'stop']);
    }

    /** @return array{float, float} seconds, and microseconds of CPU, that so many messages took */
    public function send(int $count): array
    {
        fwrite($this->pipes[0], "$count\n");
        $answer = json_decode((string) fgets($this->pipes[1]), true);
        if (!is_array($answer)) {
            throw new \RuntimeException('A contender has failed; what it says stands above.');
        }
        return [$answer[0] / 1e9, $answer[1]];
    }

    public function stop(): void
    {
        if (is_resource($this->process)) {
            array_map('fclose', $this->pipes);
            proc_close($this->process);
        }
    }
}
