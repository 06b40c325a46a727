<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Fpm;

use RoutineTemplate;
use RoutineTemplate\Tests\Environment;
use RoutineTemplate\Tests\Face;
use RoutineTemplate\Tests\FpmServer;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;

/** The extension in a real php-fpm behind a real nginx, through what happens to workers in real life. */
final class FpmTest extends SandboxTestCase
{
    private ?FpmServer $server = null;

    protected function setUp(): void
    {
        foreach (['posix_geteuid', 'proc_open'] as $function) {
            if (!function_exists($function)) {
                self::markTestSkipped("This PHP has no $function().");
            }
        }
        parent::setUp();
    }

    protected function tearDown(): void
    {
        if ($this->server !== null) {
            $server = $this->server;
            $this->server = null;
            $bad = $server->badExits();
            $alive = $server->isRunning();
            $exit = $alive ? $server->quit() : null;
            $logs = $server->logs();
            $server->stop();
            self::assertSame([], $bad, "a worker crashed\n$logs");
            self::assertTrue(!$alive || $exit === 0, "php-fpm ended with exit code $exit\n$logs");
        }
    }

    public function testOneWorkerKeepsItsConnectionAndItsTokenAcrossRequests(): void
    {
        $this->start();
        $before = $this->sandbox->httpsConnections();
        $answers = [];
        for ($i = 0; $i < 10; $i++) {
            $answers[] = $this->server->json('send.php');
        }

        self::assertSame([0], array_values(array_unique(array_column($answers, 'errcode'))));
        self::assertCount(1, array_unique(array_column($answers, 'pid')), 'all by one worker');
        self::assertSame(1, $this->sandbox->httpsConnections() - $before);
        self::assertSame(1, $this->shop->tokenFetches());
        $messages = $this->shop->messages();
        self::assertCount(10, $messages);
        self::assertCount(1, array_unique(array_column($messages, 'connection')));
    }

    public function testACallableThatSuppliesTheTokenBelongsToTheRequestThatGaveIt(): void
    {
        // The first call of each request is the one that gives it.
        $this->server = new FpmServer(['token.php' => '
            RoutineTemplate::configure(["appid" => "wx1", "token" => static function () { return "of " . $_GET["buyer"]; }]);
            echo json_encode([getmypid(), RoutineTemplate::accessToken()]);']);
        $answers = [];
        foreach (['a', 'b', 'c'] as $buyer) {
            $answers[] = $this->server->json("token.php?buyer=$buyer");
        }
        self::assertSame(['of a', 'of b', 'of c'], array_column($answers, 1), $this->server->logs());
        self::assertCount(1, array_unique(array_column($answers, 0)), 'all by one worker');
    }

    public function testAConnectionThatWasClosedWhileTheWorkerIdledLosesNoMessage(): void
    {
        $this->start();
        $this->sandbox->post('settings', ['idle_close_ms' => 60]);
        for ($i = 1; $i <= 20; $i++) {
            self::assertSame(0, $this->server->json('send.php')['errcode']);
            usleep(120_000);
        }
        $this->sandbox->post('settings', ['idle_close_ms' => null]);
        self::assertCount(20, $this->shop->messages());
        self::assertSame(20, $this->sandbox->requests(self::SEND), 'and none was sent twice');
    }

    public function testAReloadUnderLoadLosesAndDoublesNothing(): void
    {
        $this->start(['pm.max_children' => 4]);
        $sent = 0;
        for ($round = 0; $round < 3; $round++) {
            $former = $this->server->workers();
            $answers = $this->server->requestAll(array_fill(0, 12, 'slow.php'), 20.0, [$this->server, 'beginReload']);
            foreach ($answers as [$status, $body]) {
                self::assertSame(200, $status, $body . $this->server->logs());
                self::assertSame(0, json_decode($body, true)['errcode'], $body);
                $sent++;
            }
            $this->server->awaitNewWorkers($former);
            self::assertSame(0, $this->server->json('send.php')['errcode'], 'after the reload');
            $sent++;
        }
        self::assertSame(39, $sent);
        self::assertCount(39, $this->shop->messages());
        self::assertSame(39, $this->sandbox->requests(self::SEND));
        self::assertGreaterThanOrEqual(12, $this->server->goodExits());
    }

    public function testWorkersThatEndAfterTheirMaximumOfRequestsLoseAndDoubleNothing(): void
    {
        $this->start(['pm.max_children' => 2, 'pm.max_requests' => 3]);
        $pids = [];
        for ($i = 0; $i < 30; $i++) {
            $answer = $this->server->json('send.php');
            self::assertSame(0, $answer['errcode']);
            $pids[] = $answer['pid'];
        }
        self::assertGreaterThanOrEqual(9, count(array_unique($pids)));
        self::assertGreaterThanOrEqual(8, $this->server->goodExits());
        self::assertCount(30, $this->shop->messages());
        self::assertSame(30, $this->sandbox->requests(self::SEND));
    }

    public function testNothingLivesInTheMaster(): void
    {
        $this->start(['pm.max_children' => 2]);
        self::assertSame(['threads' => 1, 'tcp' => 0], $this->server->resources($this->server->masterPid()), 'before the first message');
        $idle = $this->server->workers()[0];
        self::assertSame(['threads' => 1, 'tcp' => 0], $this->server->resources($idle), 'a worker that has sent nothing');

        $worker = $this->server->json('send.php')['pid'];

        self::assertSame(['threads' => 1, 'tcp' => 0], $this->server->resources($this->server->masterPid()), 'after it');
        self::assertSame(1, $this->server->resources($worker)['tcp'], 'the connection is the worker\'s');
    }

    public function testWhatOneRequestConfiguresTheNextOneDoesNotSee(): void
    {
        $other = new Shop($this->sandbox);
        $this->start([], ['other.php' => $other->script($this->send())]);

        self::assertSame(0, $this->server->json('send.php')['errcode']);
        $bare = $this->server->json('bare.php');
        self::assertSame('RoutineTemplate\ConfigException', $bare['exception']);
        self::assertNull($bare['template']);
        self::assertSame(0, $this->server->json('other.php')['errcode']);
        self::assertSame(0, $this->server->json('send.php')['errcode']);
        self::assertSame(0, $this->server->json('other.php')['errcode']);

        self::assertCount(2, $this->shop->messages());
        self::assertCount(2, $other->messages());
        self::assertSame(1, $this->shop->tokenFetches(), 'the token lives on in the worker, by account');
        self::assertSame(1, $other->tokenFetches());
    }

    public function testARequestThatEndsInAFatalErrorHarmsNoLaterOne(): void
    {
        $this->start();
        self::assertSame(0, $this->server->json('send.php')['errcode']);
        foreach (['fatal.php', 'exit.php', 'memory.php'] as $path) {
            $this->server->request($path);
            self::assertSame('RoutineTemplate\ConfigException', $this->server->json('bare.php')['exception'], $path);
            self::assertSame(0, $this->server->json('send.php')['errcode'], $path);
        }
    }

    public function testFourWorkersShareOneStableToken(): void
    {
        $this->start(['pm.max_children' => 4]);
        $answers = $this->server->requestAll(array_fill(0, 40, 'slow.php'));
        $pids = [];
        foreach ($answers as [$status, $body]) {
            self::assertSame(200, $status, $body);
            $answer = json_decode($body, true);
            self::assertSame(0, $answer['errcode'], $body);
            self::assertSame(1, $answer['attempts'], 'nobody invalidated anybody else\'s token');
            $pids[] = $answer['pid'];
        }
        self::assertGreaterThan(1, count(array_unique($pids)));
        $tokens = $this->sandbox->counters()['tokens'][$this->shop->appid];
        self::assertSame(1, (int) $tokens['stable_issued']);
        self::assertSame(1, (int) $tokens['stable_fetches']);
        self::assertCount(40, $this->shop->messages());
    }

    public function testAMessageThatIsSentAfterTheResponseIsFinishedArrives(): void
    {
        $this->start();
        self::assertSame('paid', $this->server->get('finish.php'));
        $end = microtime(true) + 10;
        while ($this->shop->messages() === [] && microtime(true) < $end) {
            usleep(20_000);
        }
        self::assertCount(1, $this->shop->messages());
    }

    public function testWithOpcacheAndAPreloadScriptEverythingIsTheSame(): void
    {
        $this->start(['pm.max_children' => 2], ['preload.php' => Face::code() . '<?php class Preloaded { public static function version(): string
            { return RoutineTemplate::version(); } } Preloaded::version();'], 'preload.php');

        self::assertSame(['threads' => 1, 'tcp' => 0], $this->server->resources($this->server->masterPid()));
        for ($i = 0; $i < 6; $i++) {
            self::assertSame(0, $this->server->json('preloaded.php')['errcode']);
        }
        self::assertCount(6, $this->shop->messages());
    }

    public function testAPreloadScriptThatSendsHarmsNoWorker(): void
    {
        $this->start(['pm.max_children' => 3], ['preload.php' => Face::code() . $this->shop->script(
            'RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order); class Preloaded {
                public static function version(): string { return RoutineTemplate::version(); } }'
        )], 'preload.php');

        foreach ($this->server->requestAll(array_fill(0, 12, 'preloaded.php')) as [$status, $body]) {
            self::assertSame(200, $status, $body);
            self::assertSame(0, json_decode($body, true)['errcode'], $body);
        }
        self::assertCount(13, $this->shop->messages());
        self::assertCount(13, RoutineTemplate::deliveries(['state' => 'delivered']), 'each with its row');
    }

    public function testTheIniSettingsOfThePoolAreEnough(): void
    {
        Face::onlyExtension("a pool's php_admin_value sets what a module has declared, and FFI brings no module.");
        $settings = [];
        foreach (['appid', 'secret', 'base_url', 'ca_file'] as $name) {
            $settings["php_admin_value[routine_template.$name]"] = $this->shop->config()[$name];
        }
        $this->start($settings, ['pool.php' => '$d = json_decode(base64_decode("' . base64_encode(json_encode([
            $this->shop->openid, $this->shop->orderPaid, Shop::order(),
        ])) . '"), true); echo json_encode(RoutineTemplate::send(...$d));']);

        self::assertSame(0, $this->server->json('pool.php')['errcode']);
    }

    private function send(): string
    {
        return '$answer = RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order);
            echo json_encode(["pid" => getmypid()] + $answer);';
    }

    /**
     * @param array<string, string|int> $pool
     * @param array<string, string> $scripts
     */
    private function start(array $pool = [], array $scripts = [], ?string $preload = null): void
    {
        $ini = [];
        if ($preload !== null) {
            $ini = Environment::preload($preload) ?? self::markTestSkipped('This PHP has no OPcache.');
        }
        $this->server = new FpmServer($scripts + [
            'send.php' => $this->shop->script($this->send()),
            'slow.php' => $this->shop->script('usleep(100000); ' . $this->send()),
            'preloaded.php' => $this->shop->script('Preloaded::version(); ' . $this->send()),
            'finish.php' => $this->shop->script('echo "paid"; fastcgi_finish_request(); ' . str_replace('echo', 'return', $this->send())),
            'bare.php' => 'try { RoutineTemplate::send("o1", "t1", ["thing1" => "x"]); $class = null; }
                catch (Throwable $e) { $class = get_class($e); }
                echo json_encode(["exception" => $class, "template" => RoutineTemplate::templateId("order_pay_success")]);',
            'fatal.php' => $this->shop->script('RoutineTemplate::registerTemplate("order_pay_success", "x"); undefined_function();'),
            'exit.php' => $this->shop->script('RoutineTemplate::registerTemplate("order_pay_success", "x"); exit(1);'),
            'memory.php' => $this->shop->script('ini_set("memory_limit", "8M"); $a = []; while (true) { $a[] = str_repeat("x", 100000); }'),
        ], $ini, $pool);
    }
}
