<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

use RoutineTemplate;
use RoutineTemplate\App;
use RuntimeException;

/** A shop whose requests queue messages all the time, while one process after the other is killed. */
final class QueueHunt
{
    private const SEND = '/cgi-bin/message/subscribe/send';
    private const WORKERS = 4;
    /** How many requests are under way when something is killed. */
    private const REQUESTS = 12;
    private const PAGE = <<<'PHP'
        $ids = [];
        usleep(random_int(0, 20000));
        try {
            foreach (explode(',', $_GET['names']) as $name) {
                $options = ['d' => ['delay' => 0.3], 'e' => ['expires' => 2]][substr($name, -1)] ?? [];
                $ids[$name] = RoutineTemplate::queue(
                    str_pad('o' . $_GET['u'], 28, '_'),
                    $shop->orderPaid,
                    ['character_string1' => $name] + $shop->order,
                    null,
                    $options + ['key' => $name]
                );
            }
        } catch (RoutineTemplate\StoreException $e) {
            http_response_code(503);
            exit;
        }
        usleep(random_int(0, 20000));
        echo json_encode($ids);
        PHP;

    private Shop $shop;
    private string $store;
    private string $delivery;
    private ?Redis $redis;

    private TemporaryDirectory $directory;
    private FpmServer $server;
    private ?Daemon $worker = null;
    private ?Daemon $last = null;

    /** @var list<int> the workers before the last reload */
    private array $former = [];

    private int $requests = 0;
    public int $kills = 0;

    /** @var array<string, string> receiver of every message that a request has asked for, by its name */
    public array $asked = [];

    /** @var array<string, string> id of every message that a request was answered for, by its name */
    public array $accepted = [];

    /** @var list<list<string>> the names of each request that was not answered; it comes again, as a payment's notice does */
    private array $unanswered = [];

    public App $app;

    /** @param Redis|null $redis the server whose connections are cut, if the store is there */
    public function __construct(Shop $shop, string $store, string $delivery, ?Redis $redis = null)
    {
        $this->shop = $shop;
        $this->store = $store;
        $this->delivery = $delivery;
        $this->redis = $redis;
        $this->directory = TemporaryDirectory::create();
        $shop->account(['any_openid' => true]);
        $config = ['store' => $store, 'delivery' => $delivery, 'timeout_ms' => 1000];
        $this->directory->write('last.php', $shop->script('RoutineTemplate::flush(60000);', $config));
        $this->server = new FpmServer(
            ['queue.php' => $shop->script(self::PAGE, $config)],
            [],
            ['pm.max_children' => self::WORKERS, 'process_control_timeout' => 2]
        );
        if ($delivery === 'worker') {
            $this->worker = $this->work();
        }
        // The process that runs the test only looks.
        $this->app = RoutineTemplate::app($shop->appid);
        $this->app->configure($shop->config(['delivery' => 'worker'] + $config));
    }

    public function name(): string
    {
        return sprintf('%-6s %s', $this->redis === null ? 'SQLite' : 'Redis', $this->delivery);
    }

    /** Requests come in, and so many times something is killed; in the end everything is. */
    public function run(int $kills): void
    {
        $strikes = [];
        while ($this->kills < $kills - 1) {
            if ($strikes === []) {
                $strikes = $this->strikes();
                shuffle($strikes);
            }
            $this->trouble();
            $this->request(array_pop($strikes));
            $this->kills++;
        }
        $this->trouble();
        $this->request(function (): void {
            $this->server->kill();
            if ($this->worker !== null) {
                $this->worker->stop(SIGKILL);
            }
        });
        $this->kills++;
        $this->shop->sandbox->clearFaults();
    }

    /** Whether nothing is left to deliver; as long as something is, there is a process that delivers. */
    public function isOver(): bool
    {
        if ($this->last !== null && $this->last->isRunning()) {
            return false;
        }
        if ($this->last !== null && $this->last->exitCode() !== 0) {
            throw new RuntimeException("The last process ended with exit code {$this->last->exitCode()}: {$this->last->log()}");
        }
        if ($this->app->flush(0) === 0) {
            return true;
        }
        $this->last = $this->delivery === 'worker' ? $this->work('--drain') : new Daemon(
            [...PhpProcess::command(), '-f', $this->directory->path . '/last.php'],
            $this->directory->path . '/last.log'
        );
        return false;
    }

    /** @return list<string> the names of the messages that WeChat has delivered, in the order in which they came */
    public function record(): array
    {
        return array_map(static fn (array $message): string => $message['data']['character_string1']['value'], $this->shop->messages());
    }

    /** @return array<string, list<string>> names by state, of all rows */
    public function rows(): array
    {
        $states = [];
        $filter = ['limit' => 1000];
        while (($page = $this->app->deliveries($filter)) !== []) {
            foreach ($page as $row) {
                $states[$row['state']][] = $row['key'];
            }
            $filter['before'] = $row['id'];
        }
        return $states;
    }

    /** @return list<string> lines of php-fpm's log about workers that ended by something else than the signals they were sent */
    public function crashes(): array
    {
        return array_values(preg_grep('/on signal (9|15) /', $this->server->badExits(), PREG_GREP_INVERT));
    }

    public function stop(): void
    {
        $this->server->stop();
        foreach (array_filter([$this->worker, $this->last]) as $daemon) {
            $daemon->stop();
        }
        $this->directory->remove();
    }

    /** @return list<callable():void> everything that can be done to them, the most usual more than once */
    private function strikes(): array
    {
        $endOne = function (int $signal): void {
            Wait::until(fn (): bool => $this->server->workers() !== [], 'a worker to be there', 30);
            $workers = $this->server->workers();
            Processes::end([$workers[mt_rand(0, count($workers) - 1)]], $signal);
        };
        $strikes = [
            static fn () => $endOne(SIGKILL),
            static fn () => $endOne(SIGTERM),
            [$this, 'killFpm'],
            [$this, 'reload'],
        ];
        if ($this->worker !== null) {
            array_push($strikes, [$this, 'killWorker'], [$this, 'killWorker']);
        } else {
            array_push($strikes, static fn () => $endOne(SIGKILL), static fn () => $endOne(SIGKILL));
        }
        if ($this->redis !== null) {
            array_push($strikes, [$this->redis, 'cutConnections']);
        }
        return $strikes;
    }

    private function killFpm(): void
    {
        $this->server->kill(mt_rand(0, 1) * mt_rand(0, 50_000));
        $this->server->startAgain();
    }

    private function reload(): void
    {
        if ($this->former !== []) {
            $this->server->awaitNewWorkers($this->former);
        }
        $this->former = $this->server->workers();
        $this->server->beginReload();
    }

    private function killWorker(): void
    {
        if (!$this->worker->isRunning()) {
            throw new RuntimeException("routine-template work ended by itself: {$this->worker->log()}");
        }
        $this->worker->stop(SIGKILL);
        $this->worker = $this->work();
    }

    private function work(string ...$arguments): Daemon
    {
        return new Daemon(
            [Environment::command(), 'work', '--store', $this->store, '--quiet', ...$arguments],
            $this->directory->path . '/work.log',
            ['LANG' => 'C']
        );
    }

    /** Some messages are under way for a while, some are tried again, of some nobody knows. */
    private function trouble(): void
    {
        $sandbox = $this->shop->sandbox;
        $sandbox->fault(self::SEND, 'latency', ['ms' => 60, 'times' => 6]);
        if (mt_rand(0, 2) === 0) {
            $sandbox->fault(self::SEND, 'errcode', ['errcode' => -1]);
        }
        if (mt_rand(0, 5) === 0) {
            $sandbox->fault(self::SEND, 'drop_after');
        }
    }

    /** Asks for several messages at once, does this meanwhile, and writes down what was accepted. */
    private function request(callable $meanwhile): void
    {
        $all = array_splice($this->unanswered, 0, intdiv(self::REQUESTS, 2));
        while (count($all) < self::REQUESTS) {
            $all[] = $this->newNames();
        }
        $paths = array_map(
            fn (array $names): string => 'queue.php?u=' . $this->asked[$names[0]] . '&names=' . implode(',', $names),
            $all
        );
        $answers = $this->server->requestAll($paths, 60.0, static function () use ($meanwhile): void {
            usleep(mt_rand(0, 80_000));
            $meanwhile();
        });
        foreach ($answers as $number => [$status, $body]) {
            if (!in_array($status, [200, 502, 503], true)) {
                throw new RuntimeException("Status $status: $body\n" . $this->server->logs());
            }
            $ids = $status === 200 ? json_decode($body, true) : null;
            if (is_array($ids)) {
                $this->accepted += $ids;
            } else {
                $this->unanswered[] = $all[$number];
            }
        }
    }

    /** @return list<string> names of the next request's messages: one, or two for the same user */
    private function newNames(): array
    {
        $number = $this->requests++;
        $user = $number % 2 === 0 ? 'busy' . $number % 10 : "user$number";
        $name = sprintf('%06d', $number);
        // One of eight waits, one expires, two go to the same user in one request.
        $both = ["{$name}a-p", "{$name}b-p"];
        $names = [["{$name}a-d"], ["{$name}a-e"], $both, $both][mt_rand(0, 7)] ?? ["{$name}a-p"];
        foreach ($names as $one) {
            $this->asked[$one] = $user;
        }
        return $names;
    }
}
