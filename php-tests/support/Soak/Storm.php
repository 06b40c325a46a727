<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Soak;

use RoutineTemplate\Tests\Daemon;
use RoutineTemplate\Tests\Environment;
use RoutineTemplate\Tests\FpmServer;

/** What happens to a shop's processes: in the first minutes of every five workers are killed and php-fpm is reloaded; cron's job runs always. */
final class Storm
{
    private const PERIOD = 300;
    private const STORMY = 120;
    private const KILL_EVERY = 8;
    private const RELOAD_EVERY = 40;
    private const CRON_EVERY = 20;

    private FpmServer $server;
    private string $store;
    private string $log;
    private float $start;
    private ?Daemon $cron = null;
    private float $nextKill;
    private float $nextReload;
    private float $nextCron;

    /** @var list<int> the workers before the last reload */
    private array $former = [];

    /** @var array<int, true> */
    private array $killed = [];

    public int $reloads = 0;
    public int $cronJobs = 0;
    public int $cronJobsKilled = 0;

    public function __construct(FpmServer $server, string $store, string $log)
    {
        $this->server = $server;
        $this->store = $store;
        $this->log = $log;
        $this->start = microtime(true);
        $this->nextKill = $this->start + self::KILL_EVERY;
        $this->nextReload = $this->start + self::RELOAD_EVERY;
        $this->nextCron = $this->start + 2;
    }

    /** Whether the workers are left in peace. */
    public function isCalm(): bool
    {
        return fmod(microtime(true) - $this->start, self::PERIOD) > self::STORMY;
    }

    /** Does what is due. */
    public function pass(): void
    {
        $now = microtime(true);
        if ($now >= $this->nextCron) {
            $this->nextCron = $now + self::CRON_EVERY;
            $this->runCron();
        }
        if ($this->isCalm()) {
            return;
        }
        if ($now >= $this->nextKill) {
            $this->nextKill = $now + self::KILL_EVERY;
            $this->kill();
        }
        if ($now >= $this->nextReload && array_intersect($this->former, $this->server->workers()) === []) {
            $this->nextReload = $now + self::RELOAD_EVERY;
            $this->former = $this->server->workers();
            $this->server->beginReload();
            $this->reloads++;
        }
    }

    public function kills(): int
    {
        return count($this->killed);
    }

    /** @return list<string> what php-fpm says of workers that ended otherwise than we or its reload ended them */
    public function crashes(): array
    {
        return array_values(array_filter($this->server->badExits(), function (string $line): bool {
            return !preg_match('/child (\d+) exited on signal (9|15) /', $line, $match)
                || $match[2] === '9' && !isset($this->killed[(int) $match[1]]);
        }));
    }

    /** Waits for cron's last job. */
    public function end(): void
    {
        if ($this->cron !== null) {
            $this->cron->stop();
        }
    }

    private function kill(): void
    {
        $workers = $this->server->workers();
        if ($workers !== []) {
            $pid = $workers[mt_rand(0, count($workers) - 1)];
            $this->killed[$pid] = true;
            posix_kill($pid, SIGKILL);
        }
    }

    /** As a crontab does it; now and then the job before is still there, and is killed. */
    private function runCron(): void
    {
        if ($this->cron !== null && $this->cron->isRunning()) {
            if (mt_rand(0, 1) === 0) {
                return;
            }
            $this->cron->stop(SIGKILL);
            $this->cronJobsKilled++;
        }
        $this->cronJobs++;
        $this->cron = new Daemon(
            [Environment::command(), 'work', '--store', $this->store, '--drain', '--quiet'],
            $this->log,
            ['LANG' => 'C']
        );
    }
}
