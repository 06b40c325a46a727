<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Fpm;

use PHPUnit\Framework\Attributes\DataProvider;
use RoutineTemplate;
use RoutineTemplate\Tests\Daemon;
use RoutineTemplate\Tests\Environment;
use RoutineTemplate\Tests\Face;
use RoutineTemplate\Tests\FpmServer;
use RoutineTemplate\Tests\Processes;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\TemporaryDirectory;
use RoutineTemplate\Tests\Wait;

/** queue() in php-fpm: whatever becomes of the worker that accepted a message, somebody delivers it, once. */
final class QueueFpmTest extends SandboxTestCase
{
    private ?FpmServer $server = null;

    private ?Daemon $worker = null;

    private TemporaryDirectory $directory;

    private string $store;

    protected function setUp(): void
    {
        foreach (['posix_geteuid', 'posix_kill', 'proc_open'] as $function) {
            if (!function_exists($function)) {
                self::markTestSkipped("This PHP has no $function().");
            }
        }
        parent::setUp();
        $this->directory = TemporaryDirectory::create();
        $this->shop->account(['any_openid' => true]);
        // This process only looks: what it does not flush it does not deliver.
        RoutineTemplate::configure(['store' => $this->store = Environment::newStore()]);
    }

    protected function tearDown(): void
    {
        foreach (array_filter([$this->worker, $this->server]) as $started) {
            $started->stop();
        }
        $this->worker = $this->server = null;
        $this->directory->remove();
    }

    public function testEightWorkersQueueAtOnceAndEachDeliversItsOwn(): void
    {
        $this->start(['pm.max_children' => 8]);
        self::assertSame(['threads' => 1, 'tcp' => 0], $this->server->resources($this->server->workers()[0]), 'before the first message');
        $pids = array_column($this->queueAll('slow.php', 48), 'pid');
        $this->awaitDelivered(48);

        self::assertGreaterThan(4, count(array_unique($pids)), 'by several workers');
        foreach (array_unique($pids) as $pid) {
            self::assertSame(2, $this->server->resources($pid)['threads']);
        }
        self::assertSame(['threads' => 1, 'tcp' => 0], $this->server->resources($this->server->masterPid()));
        $this->assertEachArrivedOnce(48);
        self::assertSame(1, $this->shop->tokenFetches());
        self::assertSame([], $this->server->badExits());
    }

    public function testThreadsAndDescriptorsOfAWorkerStayFlat(): void
    {
        $this->start();
        $worker = null;
        foreach ([40, 260] as $round => $requests) {
            for ($i = 0; $i < $requests; $i++) {
                $answer = $this->server->json("queue.php?u=r$round-$i");
                self::assertSame($worker ??= $answer['pid'], $answer['pid']);
            }
            $this->awaitDelivered($round === 0 ? 40 : 300);
            $held[] = [$this->server->resources($worker)['threads'], $this->server->descriptors($worker)];
        }
        self::assertSame(2, $held[1][0]);
        self::assertSame($held[0][0], $held[1][0]);
        // More connections to WeChat than before may be in flight at once.
        self::assertLessThanOrEqual($held[0][1] + 32, $held[1][1]);
        $this->assertEachArrivedOnce(300);
        self::assertSame(['threads' => 1, 'tcp' => 0], $this->server->resources($this->server->masterPid()));
    }

    public function testADynamicPoolDeliversWhateverItsWorkersDo(): void
    {
        $this->start([
            'pm' => 'dynamic', 'pm.max_children' => 6, 'pm.start_servers' => 1, 'pm.min_spare_servers' => 1, 'pm.max_spare_servers' => 1,
        ]);
        $this->queueAll('slow.php', 24);
        $this->awaitDelivered(24);
        $this->assertEachArrivedOnce(24);
        self::assertSame([], $this->server->badExits());
    }

    public function testAWorkerThatEndsBecauseItIsIdleDeliversFirstAndTheNextOneAdoptsWhatWasDelayed(): void
    {
        $this->start(['pm' => 'ondemand', 'pm.max_children' => 4, 'pm.process_idle_timeout' => '1s']);
        RoutineTemplate::accessToken();
        $this->sandbox->fault(self::SEND, 'latency', ['ms' => 1500, 'times' => 1]);
        $this->server->json('queue.php?u=slow');
        $this->server->json('queue.php?u=delayed&delay=4');
        Wait::until(fn (): bool => $this->server->workers() === [], 'the idle worker to end', 30);
        self::assertSame(['slow' => 'delivered', 'delayed' => 'queued'], $this->states());
        self::assertSame([], $this->server->badExits());

        $this->server->json('queue.php?u=next');
        // It is there for a second only; a shop has requests all the time.
        Wait::until(function (): bool {
            $this->server->json('look.php');
            return $this->states()['delayed'] === 'delivered';
        }, 'the delayed message to be adopted', 40);
        $this->assertEachArrivedOnce(3);
    }

    /**
     * @dataProvider reloads
     */
    #[DataProvider('reloads')]
    public function testAReloadLosesAndDoublesNothing(int $patience): void
    {
        $this->start(['pm.max_children' => 4, 'process_control_timeout' => $patience]);
        RoutineTemplate::accessToken();
        $this->sandbox->fault(self::SEND, 'latency', ['ms' => 300, 'times' => null]);
        $former = $this->server->workers();
        $paths = array_map(static fn (int $i): string => "slow.php?u=user$i", range(1, 16));
        $accepted = [];
        foreach ($this->server->requestAll($paths, 20.0, [$this->server, 'beginReload']) as [$status, $body]) {
            if ($status === 200 && isset(json_decode($body, true)['id'])) {
                $accepted[] = json_decode($body, true)['id'];
            }
        }
        $this->server->awaitNewWorkers($former);
        $this->sandbox->clearFaults();
        if ($patience > 0) {
            self::assertCount(16, $accepted);
        }
        $this->server->json('queue.php?u=next');

        // What was under way in a worker that was killed stays so until its lease is over.
        $ends = $patience > 0 ? ['delivered'] : ['delivered', 'sending', 'unknown'];
        Wait::until(
            fn (): bool => array_diff($this->states(), $ends) === [] && $this->states()['next'] === 'delivered',
            'every message to have its end',
            40
        );
        self::assertSame([], array_diff($accepted, array_column(RoutineTemplate::deliveries(['limit' => 1000]), 'id')));
        self::assertSame($this->sandbox->requests(self::SEND), count($this->receivers()));
        self::assertSame($this->receivers(), array_unique($this->receivers()), 'none arrived twice');
    }

    public static function reloads(): array
    {
        return ['that does not wait' => [0], 'that waits for its workers' => [10]];
    }

    public function testWorkersThatEndAfterTheirMaximumOfRequestsDeliverFirst(): void
    {
        foreach ([1, 3] as $maximum) {
            $this->start(['pm.max_children' => 2, 'pm.max_requests' => $maximum]);
            $pids = [];
            foreach (range(1, 9) as $i) {
                $pids[] = $this->server->json("queue.php?u=m$maximum-$i")['pid'];
            }
            self::assertGreaterThanOrEqual(9 / $maximum, count(array_unique($pids)));
            $this->awaitDelivered($maximum === 1 ? 9 : 18);
            self::assertSame([], $this->server->badExits());
            $this->server->stop();
        }
        $this->assertEachArrivedOnce(18);
    }

    public function testARequestThatIsTerminatedHasItsMessageDeliveredByAnother(): void
    {
        $this->start(['pm.max_children' => 2, 'request_terminate_timeout' => '1s']);
        // While there is no token nothing is taken from the outbox.
        $this->sandbox->fault(self::STABLE_TOKEN, 'hang', ['times' => null]);
        [$status] = $this->server->request('sleep.php?u=terminated', 30.0);
        self::assertNotSame(200, $status);
        self::assertSame(['terminated' => 'queued'], $this->states());
        $this->sandbox->clearFaults();

        $this->server->json('queue.php?u=next');
        $this->awaitDelivered(2);
        $this->assertEachArrivedOnce(2);
    }

    /**
     * @dataProvider adopters
     */
    #[DataProvider('adopters')]
    public function testWhatKilledWorkersHadNotBegunIsDeliveredByWhoeverIsThere(string $adopter): void
    {
        $this->start(['pm.max_children' => 3]);
        $this->sandbox->fault(self::STABLE_TOKEN, 'hang', ['times' => null]);
        $this->queueAll('queue.php', 6);
        Processes::end($this->server->workers());
        $this->sandbox->clearFaults();
        self::assertSame(['queued'], array_values(array_unique($this->states())));

        if ($adopter === 'worker') {
            $this->work();
            $this->awaitDelivered(6);
        } else {
            $this->server->json('queue.php?u=next');
            $this->awaitDelivered(7);
        }
        $this->assertEachArrivedOnce($adopter === 'worker' ? 6 : 7);
    }

    public static function adopters(): array
    {
        return ['another worker of php-fpm' => ['fpm'], 'routine-template work' => ['worker']];
    }

    public function testWhatWasUnderWayWhenItsWorkerWasKilledIsUnknownAndNeverSentAgain(): void
    {
        $this->start(['pm.max_children' => 2], ['timeout_ms' => 1000]);
        RoutineTemplate::accessToken();
        $this->sandbox->fault(self::SEND, 'hang', ['times' => null]);
        $this->server->json('queue.php?u=killed&timeout_ms=1000');
        Wait::until(fn (): bool => $this->sandbox->requests(self::SEND) === 1, 'the message to be under way', 30);
        Processes::end($this->server->workers());
        $this->sandbox->clearFaults();
        // The same user's next message waits for its turn, which comes when the first is given up.
        $this->server->json('queue.php?u=killed&k=second');
        $this->server->json('queue.php?u=other');

        $this->awaitDelivered(2);
        self::assertSame('unknown', RoutineTemplate::deliveries(['key' => 'killed'])[0]['state']);
        self::assertSame('delivered', RoutineTemplate::deliveries(['key' => 'second'])[0]['state']);
        self::assertSame(3, $this->sandbox->requests(self::SEND));
        self::assertSame(['killed', 'other'], $this->receivers());
    }

    public function testWorkersWhoseMasterWasKilledGoOnDelivering(): void
    {
        $this->start(['pm.max_children' => 2]);
        RoutineTemplate::accessToken();
        $this->sandbox->fault(self::SEND, 'latency', ['ms' => 1000, 'times' => 1]);
        $this->server->json('queue.php?u=first');
        $workers = $this->server->workers();
        Processes::end([$this->server->masterPid()]);
        $this->server->json('queue.php?u=second');
        try {
            $this->awaitDelivered(2);
        } finally {
            Processes::end($workers);
        }
        $this->assertEachArrivedOnce(2);
    }

    public function testAMessageThatIsQueuedAfterTheResponseIsFinishedArrives(): void
    {
        $this->start();
        self::assertSame('paid', $this->server->get('finish.php?u=a'));
        $this->awaitDelivered(1);
        $this->assertEachArrivedOnce(1);
    }

    public function testAPreloadScriptThatQueuesHarmsNoWorker(): void
    {
        $preload = Environment::preload('preload.php') ?? self::markTestSkipped('This PHP has no OPcache.');
        $this->start(['pm.max_children' => 3], [], $preload);
        $this->queueAll('queue.php', 9);
        $this->awaitDelivered(10);
        $this->assertEachArrivedOnce(10);
        self::assertSame([], $this->server->badExits());
    }

    public function testAHangingWeChatHoldsUpNoRequest(): void
    {
        $this->start(['pm.max_children' => 1]);
        RoutineTemplate::accessToken();
        $this->sandbox->fault(self::SEND, 'hang', ['times' => null]);
        $before = microtime(true);
        for ($i = 0; $i < 20; $i++) {
            $this->server->json("queue.php?u=u$i&timeout_ms=60000");
        }
        self::assertLessThan(30, microtime(true) - $before, 'far below the sixty seconds that each message waits');
        self::assertSame([], $this->shop->messages());
    }

    public function testInModeWorkerPhpStartsNoThreadAndSendsNothing(): void
    {
        $this->start(['pm.max_children' => 2], ['delivery' => 'worker']);
        $pids = array_column($this->queueAll('queue.php', 6), 'pid');
        foreach ($pids as $pid) {
            self::assertSame(['threads' => 1, 'tcp' => 0], $this->server->resources($pid));
        }
        self::assertSame(['queued'], array_values(array_unique($this->states())));
        $this->work();
        $this->awaitDelivered(6);
        $this->assertEachArrivedOnce(6);
    }

    /**
     * @param array<string, string|int> $pool
     * @param array<string, mixed> $config
     * @param array<string, string> $ini
     */
    private function start(array $pool = [], array $config = [], array $ini = []): void
    {
        $queue = '
            $options = array_filter(["key" => $_GET["k"] ?? $_GET["u"], "delay" => $_GET["delay"] ?? null, "timeout_ms" => $_GET["timeout_ms"] ?? null]);
            $id = RoutineTemplate::queue(str_pad("o" . $_GET["u"], 28, "_"), $shop->orderPaid, $shop->order, null, $options);
            echo json_encode(["pid" => getmypid(), "id" => $id]);';
        $script = fn (string $code): string => $this->shop->script($code, $config + ['store' => $this->store]);
        $this->server = new FpmServer([
            'queue.php' => $script($queue),
            'slow.php' => $script('usleep(50000);' . $queue),
            'sleep.php' => $script($queue . 'for ($i = 0; $i < 300; $i++) { usleep(100000); }'),
            'finish.php' => $script('echo "paid"; fastcgi_finish_request();' . $queue),
            'look.php' => $script('echo json_encode(RoutineTemplate::stats()["pid"]); RoutineTemplate::flush(0);'),
            'preload.php' => Face::code() . $script('RoutineTemplate::queue(str_pad("opreload", 28, "_"), $shop->orderPaid, $shop->order);'),
        ], $ini, $pool);
    }

    private function work(): void
    {
        $this->worker = new Daemon(
            [Environment::command(), 'work', '--store', $this->store, '--quiet'],
            $this->directory->path . '/work.log',
            ['LANG' => 'C']
        );
    }

    /** @return list<array{pid: int, id: string}> */
    private function queueAll(string $path, int $count): array
    {
        $paths = array_map(static fn (int $i): string => "$path?u=user$i", range(1, $count));
        return array_map(function (array $response): array {
            self::assertSame(200, $response[0], $response[1] . $this->server->logs());
            return json_decode($response[1], true);
        }, $this->server->requestAll($paths));
    }

    private function awaitDelivered(int $count): void
    {
        Wait::until(
            static fn (): bool => count(RoutineTemplate::deliveries(['state' => 'delivered', 'limit' => 1000])) >= $count,
            "$count messages to be delivered",
            60
        );
    }

    private function assertEachArrivedOnce(int $count): void
    {
        self::assertCount($count, $this->receivers());
        self::assertCount($count, array_unique($this->receivers()));
        self::assertSame($count, $this->sandbox->requests(self::SEND));
    }

    /** @return list<string> to whom WeChat delivered, sorted */
    private function receivers(): array
    {
        $receivers = array_map(
            static fn (array $message): string => rtrim(substr($message['openid'], 1), '_'),
            $this->shop->messages()
        );
        sort($receivers);
        return $receivers;
    }

    /** @return array<string, string> key => state */
    private function states(): array
    {
        return array_column(array_reverse(RoutineTemplate::deliveries(['limit' => 1000])), 'state', 'key');
    }
}
