<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Fpm;

use RoutineTemplate;
use RoutineTemplate\Tests\Environment;
use RoutineTemplate\Tests\Face;
use RoutineTemplate\Tests\FpmServer;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Wait;

/** php-fpm's workers and pools with one store: one token, one ledger, one pause, whoever is killed. */
final class SharedStoreTest extends SandboxTestCase
{
    /** @var list<FpmServer> */
    private array $servers = [];

    protected function setUp(): void
    {
        foreach (['posix_geteuid', 'posix_kill', 'proc_open'] as $function) {
            if (!function_exists($function)) {
                self::markTestSkipped("This PHP has no $function().");
            }
        }
        parent::setUp();
        // WeChat answers 43108 to messages for one user at the same time, so these tests use many.
        $this->shop->account(['any_openid' => true]);
    }

    protected function tearDown(): void
    {
        foreach ($this->servers as $server) {
            $server->stop();
        }
        $this->servers = [];
    }

    public function testEightColdWorkersNeedOneToken(): void
    {
        $server = $this->start(8);
        $this->sandbox->fault(self::STABLE_TOKEN, 'latency', ['ms' => 300]);
        $answers = $this->answers($server->requestAll(array_map(static fn (int $i): string => "send.php?u=cold$i", range(1, 8))));
        self::assertSame(array_fill(0, 8, 0), array_column($answers, 'errcode'));
        self::assertGreaterThan(4, count(array_unique(array_column($answers, 'pid'))), 'by several workers');
        self::assertSame(1, $this->shop->tokenFetches());
        self::assertSame([], $server->badExits());
    }

    public function testPoolsAndTheCommandLineShareTokenLedgerAndKeys(): void
    {
        [$one, $other] = [$this->start(2), $this->start(2)];
        $one->json('report.php?u=pool');
        $other->json('report.php?u=pool');
        $first = $one->json('send.php?u=pool&k=order-1');
        $second = $other->json('send.php?u=pool&k=order-1');

        self::assertSame([0, 0, false, true], [$first['errcode'], $second['errcode'], $first['duplicate'], $second['duplicate']]);
        self::assertSame($first['msgid'], $second['msgid']);
        self::assertLedger(['accepted' => 2, 'delivered' => 1, 'available' => 1], RoutineTemplate::grants(self::user('pool'), $this->shop->orderPaid));
        self::assertSame('delivered', RoutineTemplate::status($first['id'])['state']);
        $this->assertDelivered($this->sendOrder());
        self::assertSame(1, $this->shop->tokenFetches());
    }

    public function testAPoolMayHaveAStoreOfItsOwn(): void
    {
        Face::onlyExtension("a pool's php_admin_value sets what a module has declared, and FFI brings no module.");
        $store = Environment::newStore();
        $server = new FpmServer(['report.php' => $report = '
            RoutineTemplate::configure(["appid" => "wxpool"]);
            RoutineTemplate::recordGrants("oPool", [str_repeat("t", 43) => "accept"]);
            echo json_encode([RoutineTemplate::stats()["store"], RoutineTemplate::grants("oPool", str_repeat("t", 43))["accepted"]]);'], [], [
            'php_admin_value[routine_template.store]' => $store,
        ]);
        $this->servers[] = $server;
        self::assertSame(["sqlite:$store", 1], $server->json('report.php'));
        self::assertSame(["sqlite:$store", 2], PhpProcess::run($report, ['store' => $store])->json());
        self::assertSame(["sqlite:$store", 3], $server->json('report.php'), 'the worker uses what root has written');
    }

    public function testALimitThatOneWorkerMetPausesAllUntilItIsCleared(): void
    {
        $server = $this->start(4);
        $this->sandbox->post('quota', ['appid' => $this->shop->appid, 'path' => self::SEND, 'daily_limit' => 1]);
        self::assertSame(0, $server->json('send.php?u=a')['errcode']);
        self::assertSame(['wechat', 45009], $this->sourceAndCode($server->json('send.php?u=b')));
        $answers = $this->answers($server->requestAll(array_map(static fn (int $i): string => "slow.php?u=$i", range(1, 12))));
        self::assertSame([['local', 45009]], array_values(array_unique(array_map([$this, 'sourceAndCode'], $answers), SORT_REGULAR)));
        self::assertGreaterThan(1, count(array_unique(array_column($answers, 'pid'))));
        self::assertSame(2, $this->sandbox->requests(self::SEND));

        self::assertSame(0, $server->json('clear.php')['errcode']);
        self::assertSame(0, $server->json('send.php?u=c')['errcode']);
    }

    public function testTheCallableOfOneRequestNeverServesTheNext(): void
    {
        $token = RoutineTemplate::accessToken();
        $server = $this->start(1);
        for ($i = 0; $i < 3; $i++) {
            $with = $server->json("callable.php?u=a&t=$token");
            self::assertSame([0, 1], [$with['errcode'], $with['asked']]);
            $without = $server->json('external.php?u=a');
            self::assertSame('RoutineTemplate\ConfigException', $without['exception']);
            self::assertSame($with['pid'], $without['pid'], 'the same worker');
            self::assertSame(0, $server->json('send.php?u=a')['errcode']);
        }
        // Each way in which a callable may end its request.
        foreach (['exit', 'fatal', 'memory', 'throw'] as $end) {
            $server->request("ends.php?u=a&e=$end");
            self::assertSame('RoutineTemplate\ConfigException', $server->json('external.php?u=a')['exception'], $end);
            self::assertSame($with['pid'], $server->json('send.php?u=a')['pid'], "$end: the worker lives on");
        }
        self::assertSame([], RoutineTemplate::deliveries(['state' => 'sending']));
        self::assertSame([], $server->badExits());
    }

    public function testWorkersThatAreKilledWhileTheySendLeaveBooksThatAddUp(): void
    {
        RoutineTemplate::accessToken();
        $server = $this->start(4);
        $users = ['k1', 'k2', 'k3', 'k4'];
        foreach ($users as $user) {
            $server->json("report.php?u=$user");
        }
        $this->sandbox->fault(self::SEND, 'latency', ['ms' => 2000, 'times' => 4]);
        $server->requestAll(array_map(static fn (string $user): string => "send.php?u=$user&k=$user", $users), 10.0, function () use ($server): void {
            Wait::until(fn (): bool => $this->sandbox->requests(self::SEND) === 4, 'all four messages to be under way');
            foreach ($server->workers() as $pid) {
                posix_kill($pid, 9);
            }
        });

        // WeChat has them all, and nobody here knows: none goes out again, and each keeps its grant.
        foreach ($users as $user) {
            $again = $server->json("send.php?u=$user&k=$user");
            self::assertSame(['RoutineTemplate\TransportException', true], [$again['exception'], $again['ambiguous']]);
            self::assertLedger(['accepted' => 1, 'reserved' => 1, 'available' => 0], RoutineTemplate::grants(self::user($user), $this->shop->orderPaid));
        }
        self::assertSame(4, $this->sandbox->requests(self::SEND));
        self::assertSame(array_fill(0, 4, 'unknown'), array_column(RoutineTemplate::deliveries(), 'state'));
        foreach ($users as $user) {
            $server->json("report.php?u=$user");
            self::assertSame(0, $server->json("send.php?u=$user")['errcode']);
            self::assertLedger(
                ['accepted' => 2, 'reserved' => 1, 'delivered' => 1, 'available' => 0],
                RoutineTemplate::grants(self::user($user), $this->shop->orderPaid)
            );
        }
    }

    public function testReloadsAndWorkersThatEndLoseNothingThatWasAcknowledged(): void
    {
        $server = $this->start(3, ['pm.max_requests' => 4]);
        $sent = 0;
        for ($round = 0; $round < 3; $round++) {
            $former = $server->workers();
            $paths = array_map(static fn (int $i): string => "both.php?u=r$round-$i", range(1, 9));
            foreach ($this->answers($server->requestAll($paths, 20.0, [$server, 'beginReload'])) as $answer) {
                self::assertSame(0, $answer['errcode']);
                self::assertIsString($answer['id']);
                $sent++;
            }
            $server->awaitNewWorkers($former);
        }
        self::assertSame(27, $sent);
        self::assertCount(27, RoutineTemplate::deliveries(['state' => 'delivered']));
        self::assertLedger(['accepted' => 27], RoutineTemplate::grants(self::user('all'), $this->shop->orderPaid));
        self::assertSame([], $server->badExits());
    }

    /** @param array<string, string|int> $pool */
    private function start(int $workers, array $pool = []): FpmServer
    {
        $user = '$user = fn (string $name) => str_pad("o" . $name, 28, "0"); $openid = $user($_GET["u"] ?? "");';
        $send = 'try { $answer = RoutineTemplate::send($openid, $shop->orderPaid, $shop->order, null, array_filter(["key" => $_GET["k"] ?? null])); }
            catch (RoutineTemplate\TransportException $e) { $answer = ["exception" => get_class($e), "ambiguous" => $e->isAmbiguous()]; }
            catch (Exception $e) { $answer = ["exception" => get_class($e)]; }
            echo json_encode(["pid" => getmypid()] + $answer);';
        $report = 'RoutineTemplate::recordGrants($openid, [$shop->orderPaid => "accept"]);';
        return $this->servers[] = new FpmServer([
            'send.php' => $this->shop->script($user . $send),
            'slow.php' => $this->shop->script('usleep(100000);' . $user . $send),
            'report.php' => $this->shop->script($user . $report . 'echo json_encode(getmypid());'),
            'both.php' => $this->shop->script($user . 'usleep(50000); RoutineTemplate::recordGrants($user("all"), [$shop->orderPaid => "accept"]);' . $send),
            'clear.php' => $this->shop->script('echo json_encode(RoutineTemplate::clearQuota());'),
            'external.php' => $this->shop->script($user . 'RoutineTemplate::configure(["token_mode" => "external"]);' . $send),
            'callable.php' => $this->shop->script($user . '
                $asked = 0; $token = $_GET["t"];
                RoutineTemplate::configure(["token" => function (bool $refresh) use (&$asked, $token) { $asked++; return $token; }]);
                $answer = RoutineTemplate::send($openid, $shop->orderPaid, $shop->order);
                echo json_encode(["pid" => getmypid(), "asked" => $asked] + $answer);'),
            'ends.php' => $this->shop->script($user . '
                RoutineTemplate::configure(["token" => function (bool $refresh) {
                    switch ($_GET["e"]) {
                        case "exit": exit("x");
                        case "fatal": trigger_error("the end", E_USER_ERROR);
                        case "memory": ini_set("memory_limit", "8M"); return str_repeat("x", 64 << 20);
                    }
                    throw new DomainException("the end");
                }]);
                RoutineTemplate::send($openid, $shop->orderPaid, $shop->order);'),
        ], [], ['pm.max_children' => $workers] + $pool);
    }

    private static function user(string $name): string
    {
        return str_pad('o' . $name, 28, '0');
    }

    /** @param list<array{int, string}> $responses */
    private function answers(array $responses): array
    {
        return array_map(static function (array $response): array {
            self::assertSame(200, $response[0], $response[1]);
            return json_decode($response[1], true);
        }, $responses);
    }

    /** @return array{string, int} */
    private function sourceAndCode(array $answer): array
    {
        return [$answer['source'], $answer['errcode']];
    }
}
