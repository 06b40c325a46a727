<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Soak;

use RoutineTemplate;
use RoutineTemplate\App;
use RoutineTemplate\Tests\Daemon;
use RoutineTemplate\Tests\Environment;
use RoutineTemplate\Tests\FpmServer;
use RoutineTemplate\Tests\Processes;
use RoutineTemplate\Tests\PushSender;
use RoutineTemplate\Tests\Redis;
use RoutineTemplate\Tests\Sandbox;
use RoutineTemplate\Tests\Shop;
use RoutineTemplate\Tests\TemporaryDirectory;
use RoutineTemplate\Tests\Wait;

/** A shop in php-fpm that is used without a pause, while WeChat fails at random and processes are killed. */
final class Soak
{
    /** Of a thousand requests to WeChat. Errcodes that pause an API or void a grant are not among them: they would stop the test. */
    private const FAULTS = [
        ['fault' => 'latency', 'ms' => 300, 'per_thousand' => 40],
        ['fault' => 'latency', 'ms' => 2500, 'per_thousand' => 5],
        ['fault' => 'drop_before', 'per_thousand' => 5],
        ['fault' => 'drop_after', 'per_thousand' => 5],
        ['fault' => 'reset_before', 'per_thousand' => 5],
        ['fault' => 'reset_after', 'per_thousand' => 5],
        ['fault' => 'half_answer', 'per_thousand' => 5],
        ['fault' => 'http_status', 'status' => 502, 'per_thousand' => 10],
        ['fault' => 'garbage', 'per_thousand' => 3],
        ['fault' => 'slow_bytes', 'ms_per_byte' => 2, 'per_thousand' => 5],
        ['fault' => 'hang', 'per_thousand' => 3],
        ['fault' => 'errcode', 'errcode' => -1, 'per_thousand' => 10],
        ['fault' => 'errcode', 'errcode' => 42001, 'path' => '/cgi-bin/message/subscribe/send', 'per_thousand' => 5],
        ['fault' => 'huge_answer', 'bytes' => 2_000_000, 'per_thousand' => 2],
    ];
    private const WORKERS = 4;
    private const TEMPLATES = 5;
    /** Requests of visitors that may be under way at once. */
    private const CROWD = 48;
    private const READ_EVERY = 15;
    /** The last retries, what expires, and the leases of the dead. */
    private const PATIENCE = 600;

    /** The most that a worker may have; a connection to WeChat for each message that is in flight among it. */
    private const LIMITS = ['threads' => 3, 'descriptors' => 100];
    /** KiB that a worker may gain after its warm-up. */
    private const GROWTH = 4096;

    private int $seed;
    private float $rate;
    private Sandbox $sandbox;
    private Shop $shop;
    private TemporaryDirectory $directory;
    private FpmServer $server;
    private Visitors $visitors;
    private Books $books;
    private Traffic $traffic;
    private Storm $storm;
    private ProcessReadings $readings;
    private App $app;
    private string $store;
    private ?string $redisPassword;
    private int $tokensEnded = 0;

    /** @param float $rate requests a second */
    public function __construct(string $store, ?string $redisPassword, float $rate, int $seed)
    {
        mt_srand($this->seed = $seed);
        $this->rate = $rate;
        $this->store = $store;
        $this->redisPassword = $redisPassword;
        $this->directory = TemporaryDirectory::create();
        register_shutdown_function([$this->directory, 'remove']);
        $this->sandbox = Sandbox::start();
        $this->shop = new Shop($this->sandbox);
        $templates = [];
        for ($i = 0; $i < self::TEMPLATES; $i++) {
            $templates[] = $this->shop->addTemplate(Shop::ORDER_PAID, 0);
        }
        $this->start();
        $this->visitors = new Visitors($this->server->socket());
        $this->books = new Books($this->shop, $this->sandbox);
        $this->traffic = new Traffic($this->shop, $this->sandbox, $this->visitors, $this->books, $templates);
        $this->readings = new ProcessReadings($this->server);
        $this->storm = new Storm($this->server, $store, $this->directory->path . '/work.log');
    }

    /** Everything for so many minutes; says each minute how it goes. */
    public function run(float $minutes): void
    {
        $this->sandbox->randomFaults($this->seed, self::FAULTS);
        $start = microtime(true);
        [$next, $nextReading, $nextMinute] = [$start, $start, $start + 60];
        $end = $start + $minutes * 60;
        printf("\n| %6s | %8s | %7s | %10s | %7s | %7s | %11s | %10s | %13s |\n", 'minute', 'requests', 'WeChat', 'kills', 'reloads', 'threads', 'descriptors', 'worker KiB', 'fake WeChat KiB');
        echo "|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n";
        while (($now = microtime(true)) < $end) {
            if ($now >= $next && $this->visitors->underway() < self::CROWD) {
                // After a jam not everything at once.
                $next = max($next, $now - 1) + 1 / $this->rate;
                $this->traffic->request();
            }
            $this->visitors->attend(max(0.0, min(0.05, $next - microtime(true))));
            $this->storm->pass();
            if ($now >= $nextReading) {
                $nextReading += self::READ_EVERY;
                $this->readings->read();
                $this->traffic->repeat();
                $this->books->readJournal();
            }
            if ($now >= $nextMinute) {
                $this->minute((int) round(($nextMinute - $start) / 60));
                $nextMinute += 60;
            }
        }
    }

    /** Lets everything come to its end, and compares. @return array<string, int|string> */
    public function close(): array
    {
        // Before the faults are forgotten.
        $met = $this->sandbox->counters()['faults_met'];
        $this->sandbox->clearFaults();
        Wait::until(function (): bool {
            $this->visitors->attend(0.2);
            $this->traffic->repeat();
            return $this->visitors->underway() === 0;
        }, 'every visitor to be answered', self::PATIENCE);
        Wait::until(function (): bool {
            $this->storm->pass();
            usleep(500_000);
            return Books::patiently(fn (): int => $this->app->flush(0)) === 0;
        }, 'the outbox to be empty', self::PATIENCE);
        $this->storm->end();
        $counted = [
            'requests of visitors, asked again' => "{$this->traffic->requests}, {$this->traffic->repeated}",
            'workers killed, reloads' => "{$this->storm->kills()}, {$this->storm->reloads}",
            "cron's jobs, killed" => "{$this->storm->cronJobs}, {$this->storm->cronJobsKilled}",
            'requests to WeChat that met a fault' => array_sum($met),
            '…' => implode(', ', array_map(static fn (string $name, int $count): string => "$name $count", array_keys($met), $met)),
        ] + $this->books->close($this->app) + [
            'tokens ended at once, fetched' => "$this->tokensEnded, {$this->shop->tokenFetches()}",
            'calls that the store refused' => $this->traffic->storeExceptions,
        ];
        return $counted + $this->judgeProcesses();
    }

    /** @return list<string> what must not be */
    public function faults(): array
    {
        return $this->books->faults();
    }

    /** @return array<string, int> */
    public function remarks(): array
    {
        return $this->books->remarks();
    }

    public function stop(): void
    {
        $this->storm->end();
        $this->server->stop();
        $this->sandbox->stop();
    }

    private function start(): void
    {
        $push = ['push_token' => PushSender::TOKEN, 'push_aes_key' => PushSender::KEY];
        $log = $this->directory->privateTo('log', Environment::workerUser()) . '/events.log';
        $config = [
            'store' => $this->store, 'timeout_ms' => 2000, 'grants' => 'strict', 'queue_expires' => 300, 'log_file' => $log,
        ] + $push;
        $page = static fn (string $name): string => (string) file_get_contents(dirname(__DIR__, 2) . "/endurance/$name-page.php");
        $this->server = new FpmServer(
            ['shop.php' => $this->shop->script($page('shop'), $config), 'push.php' => $this->shop->script($page('push'), $config)],
            [],
            ['pm.max_children' => self::WORKERS, 'process_control_timeout' => 5],
            true
        );
        $this->shop->account($push + ['push_url' => $this->server->url('push.php'), 'push_mode' => 'safe', 'push_format' => 'json']);
        // The process that runs the soak only looks.
        $this->app = RoutineTemplate::app($this->shop->appid);
        $this->app->configure($this->shop->config(['delivery' => 'worker'] + $config));
    }

    private function minute(int $number): void
    {
        $now = $this->readings->now();
        printf(
            "| %6d | %8d | %7d | %10d | %7d | %7d | %11d | %10d | %13d |\n",
            $number,
            $this->traffic->requests,
            $this->books->delivered(),
            $this->storm->kills(),
            $this->storm->reloads,
            $now['threads'],
            $now['descriptors'],
            $now['memory'],
            Processes::memory($this->sandbox->pid())
        );
        $this->sandbox->post('expire_tokens', ['appid' => $this->shop->appid, 'how' => $number % 2 ? 'revoked' : 'expired']);
        $this->tokensEnded++;
    }

    /** @return array<string, int|string> */
    private function judgeProcesses(): array
    {
        [$highest, $growth] = [$this->readings->highest(), $this->readings->growth()];
        foreach (self::LIMITS as $name => $limit) {
            if ($highest[$name] > $limit) {
                $this->books->fault("a worker had $highest[$name] $name, $limit at most is right");
            }
        }
        if ($growth['memory'] > self::GROWTH) {
            $this->books->fault("a worker has grown by {$growth['memory']} KiB");
        }
        foreach ($crashes = $this->storm->crashes() as $crash) {
            $this->books->fault($crash);
        }
        $errors = $this->phpErrors();
        foreach (array_slice($errors, 0, 20) as $error) {
            $this->books->fault("PHP says: $error");
        }
        $leaks = $this->leaks();
        $this->server->quit();
        $left = array_filter($this->readings->pids(), static fn (int $pid): bool => strpos((string) @file_get_contents("/proc/$pid/cmdline"), 'php-fpm') === 0);
        foreach ($left as $pid) {
            $this->books->fault("worker $pid outlives php-fpm");
        }
        return [
            'highest of a worker: threads, descriptors, KiB' => implode(', ', $highest),
            'growth of a worker after its warm-up, at most' => "{$growth['threads']} threads, {$growth['descriptors']} descriptors, {$growth['memory']} KiB in {$growth['seconds']} s",
            'workers that crashed' => count($crashes),
            "PHP warnings and errors" => count($errors),
            'secrets and tokens in logs' => $leaks,
            'workers that outlived php-fpm' => count($left),
        ];
    }

    /**
     * What PHP has logged. An arrival of which there is no row is right where the answer was lost, and with it the msgid.
     *
     * @return list<string>
     */
    private function phpErrors(): array
    {
        $lines = array_filter(explode("\n", $this->server->phpErrors()));
        $withoutRow = [];
        foreach (preg_grep('/a receipt without a row: \d+$/', $lines) as $place => $line) {
            $withoutRow[] = substr((string) strrchr($line, ' '), 1);
            unset($lines[$place]);
        }
        $this->books->receiptsWithoutRow(array_unique($withoutRow));
        return array_values($lines);
    }

    /** How often a secret stands in any log. */
    private function leaks(): int
    {
        $secrets = array_merge(
            [$this->shop->secret, PushSender::TOKEN, PushSender::KEY],
            array_filter([$this->redisPassword]),
            $this->books->tokens()
        );
        $files = array_merge($this->server->logFiles(), glob($this->directory->path . '/*.log') ?: [], glob($this->directory->path . '/log/*') ?: []);
        $leaks = 0;
        foreach ($files as $file) {
            $text = (string) file_get_contents($file);
            foreach ($secrets as $secret) {
                if (strpos($text, $secret) !== false) {
                    $leaks++;
                    $this->books->fault("$file has a secret that begins with " . substr($secret, 0, 4));
                }
            }
        }
        return $leaks;
    }
}
