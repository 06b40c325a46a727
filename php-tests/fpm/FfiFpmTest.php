<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Fpm;

use PHPUnit\Framework\Attributes\DataProvider;
use RoutineTemplate;
use RoutineTemplate\Tests\Environment;
use RoutineTemplate\Tests\Face;
use RoutineTemplate\Tests\FpmServer;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Wait;

/** The FFI face in php-fpm as shops set it up: each way that its page of installation names, and each that is refused. */
final class FfiFpmTest extends SandboxTestCase
{
    private const SEND_PAGE = '
        $answer = RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order);
        echo json_encode(["pid" => getmypid(), "threads" => count(glob("/proc/self/task/*"))] + $answer);';

    private const QUEUE_PAGE = '
        $id = RoutineTemplate::queue($shop->openid, $shop->orderPaid, $shop->order);
        $isDelivering = static function (string $task): bool { return trim(file_get_contents("$task/comm")) === "routine-deliver"; };
        $threads = array_values(array_filter(glob("/proc/self/task/*"), $isDelivering));
        echo json_encode(["pid" => getmypid(), "id" => $id, "threads" => array_map("basename", $threads)]);';

    private ?FpmServer $server = null;

    protected function setUp(): void
    {
        Face::onlyFfi();
        if (!function_exists('posix_geteuid')) {
            self::markTestSkipped('This PHP has no posix.');
        }
        parent::setUp();
    }

    protected function tearDown(): void
    {
        if ($this->server === null) {
            return;
        }
        $bad = $this->server->badExits();
        $exit = $this->server->quit();
        $logs = $this->server->logs();
        $this->server->stop();
        $this->server = null;
        self::assertSame([[], 0], [$bad, $exit], $logs);
    }

    /**
     * @dataProvider ways
     */
    #[DataProvider('ways')]
    public function testTheLibraryItsConnectionAndItsTokenOutliveTheRequest(bool $isPreloaded, bool $isPrepended): void
    {
        $this->start($isPreloaded, $isPrepended);
        $before = $this->sandbox->httpsConnections();
        $answers = [];
        for ($i = 0; $i < 8; $i++) {
            $answers[] = $this->server->json('send.php');
        }

        self::assertSame([0], array_values(array_unique(array_column($answers, 'errcode'))), json_encode($answers) . $this->server->logs());
        self::assertCount(1, array_unique(array_column($answers, 'pid')), 'all by one worker');
        self::assertCount(1, array_unique(array_column(array_slice($answers, 1), 'threads')), 'no request adds a thread');
        self::assertSame(1, $this->sandbox->httpsConnections() - $before);
        self::assertSame(1, $this->shop->tokenFetches());
        self::assertSame(['threads' => 1, 'tcp' => 0], $this->server->resources($this->server->masterPid()), 'nothing lives in the master');
    }

    /**
     * @dataProvider ways
     */
    #[DataProvider('ways')]
    public function testTheThreadThatDeliversOutlivesTheRequest(bool $isPreloaded, bool $isPrepended): void
    {
        $this->start($isPreloaded, $isPrepended);
        $pids = $threads = [];
        for ($i = 1; $i <= 3; $i++) {
            $queued = $this->server->json('queue.php');
            $pids[] = $queued['pid'];
            $threads[] = $queued['threads'];
            $this->awaitDelivered($i);
            self::assertSame('delivered', RoutineTemplate::status($queued['id'])['state']);
        }
        self::assertCount(1, array_unique($pids));
        self::assertCount(3, array_unique(array_column($this->shop->messages(), 'msgid')));
        // In the first request it may not have its name yet.
        self::assertCount(1, $threads[1]);
        self::assertSame($threads[1], $threads[2]);
    }

    public static function ways(): array
    {
        return [
            'ffi.enable=preload and the preload file' => [true, false],
            'both, in a shop that requires the file all the same' => [true, true],
            'ffi.enable=true' => [false, true],
        ];
    }

    public function testAWorkerThatEndsAfterOneRequestDeliversWhatWasQueuedFirst(): void
    {
        $this->start(true, false, ['pm.max_requests' => 1]);
        $pids = [];
        for ($i = 0; $i < 4; $i++) {
            $pids[] = $this->server->json('queue.php')['pid'];
        }
        self::assertCount(4, array_unique($pids));
        $this->awaitDelivered(4);
        Wait::until(fn (): bool => $this->server->goodExits() >= 4, 'the workers to end', 30);
        self::assertCount(4, $this->shop->messages());
        self::assertSame(4, $this->sandbox->requests(self::SEND));
    }

    /**
     * @dataProvider refusals
     */
    #[DataProvider('refusals')]
    public function testWhereFfiIsNotAllowedEveryCallSaysWhatToDo(string $enable, array $words): void
    {
        $this->server = new FpmServer(
            ['send.php' => 'try { RoutineTemplate::send("o1", "t1", ["thing1" => "x"]); }
                catch (RoutineTemplate\Exception $e) { echo json_encode([get_class($e), $e->getMessage(), RoutineTemplate\Ffi\Library::problem()]); }'],
            ['ffi.enable' => $enable, 'auto_prepend_file' => Environment::ffi()]
        );
        $thrown = $this->server->json('send.php');
        foreach (array_merge(['ffi.enable', 'opcache.preload', 'preload.php'], $words) as $word) {
            self::assertStringContainsString($word, $thrown[1]);
        }
        self::assertSame([RoutineTemplate\ConfigException::class, $thrown[1], $thrown[1]], $thrown);
        self::assertSame($thrown, $this->server->json('send.php'), 'and so does the next request');
    }

    public static function refusals(): array
    {
        return ['the default, and nothing is preloaded' => ['preload', []], 'switched off' => ['0', []]];
    }

    private function start(bool $isPreloaded, bool $isPrepended, array $pool = []): void
    {
        $ini = ['ffi.enable' => $isPreloaded ? 'preload' : '1', 'auto_prepend_file' => $isPrepended ? Environment::ffi() : ''];
        if ($isPreloaded) {
            $preload = Environment::preload(dirname(Environment::ffi()) . '/preload.php');
            $ini += $preload ?? self::markTestSkipped('This PHP has no OPcache.');
        }
        $this->server = new FpmServer(['send.php' => $this->shop->script(self::SEND_PAGE), 'queue.php' => $this->shop->script(self::QUEUE_PAGE)], $ini, $pool);
    }

    private function awaitDelivered(int $count): void
    {
        Wait::until(static fn (): bool => count(RoutineTemplate::deliveries(['state' => 'delivered'])) >= $count, "$count messages to be delivered", 60);
    }
}
