<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Abuse;

use RoutineTemplate\Tests\Environment;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\PushSender;
use RoutineTemplate\Tests\Sandbox;
use RoutineTemplate\Tests\Shop;
use RoutineTemplate\Tests\TemporaryDirectory;

/** All cases of one class, run in processes of their own: as many as are ended by a value that ends its process. */
final class Matrix
{
    private const PROCESSES = 400;
    private const SECONDS = 900.0;

    /** @var array<string, array<string, string>> what became of each case: what, message, fault */
    public array $outcomes = [];

    /** How many processes it took. */
    public int $processes = 0;

    private TemporaryDirectory $directory;
    private string $script;
    private int $made = 0;

    private function __construct()
    {
        $this->directory = TemporaryDirectory::create();
    }

    /** Runs them all. */
    public static function of(string $class): self
    {
        $matrix = new self();
        $stores = var_export($matrix->directory->privateTo('stores', null), true);
        $matrix->script = $matrix->script("\$shop->stores = $stores; \$cases->run(" . var_export($class, true) . ');', []);
        try {
            do {
                $done = $matrix->runUntilAProcessEnds();
            } while (!$done && ++$matrix->processes < self::PROCESSES);
        } finally {
            $matrix->directory->remove();
        }
        return $matrix;
    }

    /**
     * Calls all that is small again and again in one process, which has no network and no store.
     *
     * @return list<array{calls: int, memory: int, resident: int}> after each round
     */
    public static function repeated(string $class, int $rounds): array
    {
        $matrix = new self();
        try {
            $code = 'echo json_encode($cases->repeat(' . var_export($class, true) . ", $rounds));";
            $script = $matrix->script($code, [
                'base_url' => 'https://127.0.0.1:9', 'token_mode' => 'external', 'token' => 'a token',
            ]);
            return PhpProcess::run(str_replace('SKIP', '0', $script), ['zend.exception_ignore_args' => '0'], self::SECONDS)->json();
        } finally {
            $matrix->directory->remove();
        }
    }

    /** @return array<string, string> the cases that did not end as they may */
    public function faults(): array
    {
        return array_filter(array_map(static function (array $outcome): ?string {
            return isset($outcome['fault']) ? $outcome['fault'] . ': ' . ($outcome['what'] ?? '') . ' ' . ($outcome['message'] ?? '') : null;
        }, $this->outcomes));
    }

    /**
     * The cases that two faces answer in different words. PHP's own words for wrong numbers of arguments depend on whether a method is
     * written in PHP.
     *
     * @return array<string, array{0: ?array, 1: ?array}>
     */
    public function differences(self $other): array
    {
        $differences = [];
        foreach ($this->outcomes as $name => $outcome) {
            $found = $other->outcomes[$name] ?? null;
            if ($outcome !== $found && [$outcome['what'], $found['what'] ?? ''] !== ['ArgumentCountError', 'ArgumentCountError']) {
                $differences[$name] = [$outcome, $found];
            }
        }
        return $differences;
    }

    private function runUntilAProcessEnds(): bool
    {
        $record = $this->directory->path . '/record';
        file_put_contents($record, '');
        $run = PhpProcess::start(
            str_replace('SKIP', (string) $this->made, $this->script),
            (Environment::modules('simplexml') ?? []) + ['zend.exception_ignore_args' => '0', 'memory_limit' => '512M'],
            self::SECONDS
        )->wait();
        $name = null;
        $done = false;
        foreach (file($record, FILE_IGNORE_NEW_LINES) as $line) {
            [$kind, $text] = explode("\t", $line, 2);
            if ($kind === 'B') {
                ['name' => $name, 'number' => $this->made] = json_decode($text, true);
            } elseif ($kind === 'E') {
                $this->outcomes[$name] = json_decode($text, true) + ($this->outcomes[$name] ?? []);
            }
            $done = $kind === 'D';
        }
        if (!$done && ($name === null || isset($this->outcomes[$name]))) {
            $this->outcomes['between two cases, after ' . $name] = ['fault' => $run->describe()];
            return true;
        }
        if (!$done) {
            $mayExit = strpos($name, 'exits') !== false && $run->exitCode === 0 && $run->signal === null && $run->errors === '';
            $this->outcomes[$name] = ['what' => 'the process ended'] + ($mayExit ? [] : ['fault' => $run->describe()]);
        } elseif ($run->exitCode !== 0 || $run->output . $run->errors !== '') {
            $this->outcomes['at the end of the process'] = ['fault' => $run->describe()];
        }
        return $done;
    }

    /** A script with the cases of a shop in `$cases`; a child of PHPUnit's has no autoloader. */
    private function script(string $code, array $config): string
    {
        return (new Shop(Sandbox::shared()))->script('
            chdir(' . var_export($this->directory->privateTo('work', null), true) . ');
            foreach (["DocumentedShape", "Verdict", "Places", "Ways", "Cases"] as $file) { require ' . var_export(__DIR__, true) . ' . "/$file.php"; }
            $shop->query = (static function () {
                $time = (string) time();
                $signed = [' . var_export(PushSender::TOKEN, true) . ', $time, "nonce"];
                sort($signed, SORT_STRING);
                return ["signature" => sha1(implode("", $signed)), "timestamp" => $time, "nonce" => "nonce"];
            })();
            $shop->secrets = [$shop->secret, ' . var_export(PushSender::TOKEN, true) . ', ' . var_export(PushSender::KEY, true) . '];
            $cases = new RoutineTemplate\Tests\Abuse\Cases($shop, ' . var_export(dirname(__DIR__, 3) . '/stubs/routine_template.stub.php', true) . ',
                ' . var_export($this->directory->path . '/record', true) . ', SKIP);' . $code, $config + [
                'durability' => 'process', 'delivery' => 'worker', 'push_token' => PushSender::TOKEN, 'push_aes_key' => PushSender::KEY,
                'connect_timeout_ms' => 20_000, 'timeout_ms' => 30_000,
            ]);
    }
}
