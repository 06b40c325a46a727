<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use RoutineTemplate;
use RoutineTemplate\StoreException;
use RoutineTemplate\Tests\Environment;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\Redis;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;
use RoutineTemplate\Tests\TemporaryDirectory;

/** The store as PHP users meet it: shared by processes and users, and never in the way of a message. */
final class StoreTest extends SandboxTestCase
{
    /** One message and one report; prints what came of each, and how the store does. */
    private const USE = '
        $try = function (callable $call) { try { return $call(); } catch (RoutineTemplate\Exception $e) { return [get_class($e), $e->getMessage()]; } };
        $report = fn () => $try(fn () => RoutineTemplate::recordGrants($shop->openid, [$shop->orderPaid => "accept"])["recorded"][$shop->orderPaid]);
        $send = fn () => $try(fn () => RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order));
        $use = fn () => ["report" => $report(), "send" => $send(), "stats" => RoutineTemplate::stats()];
        ';

    private ?string $mounted = null;

    protected function tearDown(): void
    {
        if ($this->mounted !== null) {
            exec('umount -l ' . escapeshellarg($this->mounted));
            $this->mounted = null;
        }
        parent::tearDown();
    }

    public function testProcessesSeeEachOthersBooks(): void
    {
        $code = $this->shop->script(self::USE . 'echo json_encode($use());');
        for ($i = 1; $i <= 3; $i++) {
            $used = PhpProcess::run($code)->json();
            self::assertLedger(['available' => 1, 'accepted' => $i, 'delivered' => $i - 1], $used['report']);
            self::assertSame(0, $used['send']['errcode']);
        }
        self::assertLedger(['available' => 0, 'delivered' => 3], RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid));
        self::assertCount(3, RoutineTemplate::deliveries());
        self::assertSame(1, $this->shop->tokenFetches());
    }

    public function testManyProcessesAtOnceLoseNoReportAndNoMessage(): void
    {
        $this->shop->account(['any_openid' => true]);
        $code = $this->shop->script('
            $shop->openid = "oWriter" . getmypid() . str_repeat("0", 14);
            $recorded = 0;
            for ($i = 0; $i < 25; $i++) {
                RoutineTemplate::recordGrants($shop->openid, [$shop->orderPaid => "accept"]);
                RoutineTemplate::recordGrants("oShared00000000000000000000000", [$shop->orderPaid => "accept"]);
                $answer = RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order);
                if ($answer["errcode"] !== 0) { exit(1); }
                $recorded += $answer["id"] === null ? 0 : 1;
            }
            echo json_encode([$recorded, RoutineTemplate::grants($shop->openid, $shop->orderPaid), RoutineTemplate::stats()]);', [
            // No transaction shall meet its deadline on a busy machine: a message would go out without its row.
            'durability' => 'process', 'timeout_ms' => 20000,
        ]);
        $running = array_map(static fn () => PhpProcess::start($code, [], 60.0), range(1, 6));
        foreach ($running as $process) {
            [$recorded, $row, $stats] = $process->wait()->json();
            self::assertSame(25, $recorded, json_encode($stats));
            self::assertLedger(['available' => 0, 'accepted' => 25, 'delivered' => 25], $row);
        }
        self::assertLedger(['available' => 150, 'accepted' => 150], RoutineTemplate::grants('oShared00000000000000000000000', $this->shop->orderPaid));
        self::assertCount(150, RoutineTemplate::deliveries(['limit' => 1000, 'state' => 'delivered']));
        self::assertSame(1, $this->shop->tokenFetches());
    }

    public function testItSaysWhereItIsAndHowItDoes(): void
    {
        $result = PhpProcess::run($this->shop->script('
            $before = RoutineTemplate::stats(); RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order);
            echo json_encode([$before, RoutineTemplate::stats()]);'))->json();
        [$before, $after] = $result;
        self::assertSame(['unused', null, null], [$before['store_state'], $before['store'], $before['store_error']]);
        self::assertSame(['up', 'sqlite:' . Environment::store(), null], [$after['store_state'], $after['store'], $after['store_error']]);
        self::assertSame([0, 0, 0], [$after['store_failures'], $after['store_skipped'], $after['log_failures']]);
    }

    public function testRootAndTheWorkersUseOneDirectoryWhoeverMadeItsFiles(): void
    {
        $worker = $this->workerOrSkip();
        $asWorker = "posix_setgid({$worker['gid']}) && posix_setuid({$worker['uid']}) || exit(9);";
        foreach ([['', $asWorker], [$asWorker, '']] as $users) {
            $store = Environment::newStore();
            foreach (array_merge($users, $users) as $round => $user) {
                // A umask that lets everybody read is no reason to let everybody read.
                $used = PhpProcess::run($this->shop->script('umask(0);' . $user . self::USE . 'echo json_encode($use());', ['store' => $store]), Environment::modules('posix'))->json();
                self::assertSame(0, $used['send']['errcode']);
                self::assertLedger(['accepted' => $round + 1], $used['report']);
                self::assertSame('up', $used['stats']['store_state']);
            }
            $files = array_diff(scandir($store), ['.', '..']);
            self::assertGreaterThanOrEqual(2, count($files));
            clearstatcache();
            foreach ($files as $file) {
                self::assertSame([$worker['uid'], $worker['gid']], [fileowner("$store/$file"), filegroup("$store/$file")], $file);
                self::assertSame('600', decoct(fileperms("$store/$file") & 0777), $file);
            }
        }
    }

    public function testADirectoryThatCannotBeWrittenStopsNoMessage(): void
    {
        $worker = $this->workerOrSkip();
        $directory = TemporaryDirectory::create();
        try {
            $this->assertGoesOnWithout($directory->path, 'read_only', "posix_setuid({$worker['uid']}) || exit(9);");
            $this->assertGoesOnWithout($directory->path . '/below', 'unreachable', "posix_setuid({$worker['uid']}) || exit(9);");
            chmod($directory->path, 0777);
            $this->assertGoesOnWithout($directory->path, 'unreachable');
            $this->assertGoesOnWithout($directory->write('file', 'x'), 'unreachable');
        } finally {
            $directory->remove();
        }
    }

    private function assertGoesOnWithout(string $store, string $fault, string $user = ''): void
    {
        $log = TemporaryDirectory::create();
        chmod($log->path, 0777);
        $result = PhpProcess::run($this->shop->script(
            $user . self::USE . 'echo json_encode([$use(), $send(), $send(), RoutineTemplate::stats()]);',
            ['store' => $store, 'log_file' => $log->path . '/log', 'hint_lang' => 'en']
        ), Environment::modules('posix'));
        self::assertSame([0, ''], [$result->exitCode, $result->errors], $result->describe());
        $lines = array_map(static fn (string $line): array => json_decode($line, true), file($log->path . '/log'));
        $log->remove();
        [$used, $second, $third, $stats] = $result->json();
        self::assertSame(StoreException::class, $used['report'][0]);
        self::assertStringContainsString("sqlite:$store", $used['report'][1]);
        foreach ([$used['send'], $second, $third] as $answer) {
            $this->assertIsAnswer($answer);
            self::assertSame([0, null], [$answer['errcode'], $answer['id']]);
        }
        self::assertSame('down', $stats['store_state']);
        self::assertStringStartsWith($fault . ':', $stats['store_error']);
        self::assertGreaterThan(0, $stats['store_skipped'], 'it is given a rest');
        self::assertSame(['store_down'], array_column($lines, 'event'), 'and said once');
        self::assertSame($fault, $lines[0]['fault']);
    }

    public function testAFullDiskStopsNoMessageAndIsOvercome(): void
    {
        $directory = $this->tinyDisk();
        $config = ['store' => "$directory/store"];
        RoutineTemplate::configure($config);
        RoutineTemplate::recordGrants($this->shop->openid, [$this->shop->orderPaid => 'accept']);
        $acknowledged = 1;
        $filler = "$directory/filler";
        while (@file_put_contents($filler, str_repeat('x', 4096), FILE_APPEND) === 4096) {
            continue;
        }
        $exception = null;
        for ($i = 0; $i < 200 && $exception === null; $i++) {
            try {
                RoutineTemplate::recordGrants($this->shop->openid, [$this->shop->orderPaid => 'accept']);
                $acknowledged++;
            } catch (StoreException $exception) {
                self::assertStringContainsString('已满', $exception->getMessage());
            }
        }
        self::assertNotNull($exception, 'the disk is full');
        self::assertSame(0, $this->sendOrder()['errcode']);
        self::assertSame('down', RoutineTemplate::stats()['store_state']);

        unlink($filler);
        RoutineTemplate::recordGrants($this->shop->openid, [$this->shop->orderPaid => 'accept']);
        self::assertSame('up', RoutineTemplate::stats()['store_state']);
        self::assertIsString($this->sendOrder()['id']);
        self::assertSame($acknowledged + 1, RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid)['accepted']);
    }

    public function testADirectoryThatIsDeletedUnderUsIsBegunAnew(): void
    {
        RoutineTemplate::configure(['store' => $store = Environment::newStore()]);
        $this->accept();
        array_map('unlink', glob("$store/*"));
        rmdir($store);
        $this->assertDelivered($this->sendOrder());
        $this->accept();
        self::assertSame('up', RoutineTemplate::stats()['store_state']);
        $id = $this->sendOrder()['id'];
        self::assertSame('delivered', RoutineTemplate::status($id)['state']);
        self::assertSame(1, RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid)['accepted']);
    }

    public function testSwitchedOffItKeepsNothingAndSaysSoWhereAskedForIt(): void
    {
        $file = Environment::newStore();
        RoutineTemplate::configure(['store' => 'off']);
        $answer = $this->sendOrder([], ['key' => 'order-1']);
        $this->assertDelivered($answer);
        self::assertNull($answer['id']);
        $calls = [
            fn () => RoutineTemplate::recordGrants($this->shop->openid, [$this->shop->orderPaid => 'accept']),
            fn () => RoutineTemplate::grants($this->shop->openid), fn () => RoutineTemplate::audience($this->shop->orderPaid),
            static fn () => RoutineTemplate::deliveries(),
            static fn () => RoutineTemplate::status('01a1fe2b-d972-774b-aa83-79583af7395a'),
        ];
        foreach ($calls as $call) {
            self::assertStringContainsString('store', self::thrownBy($call, RoutineTemplate\ConfigException::class)->getMessage());
        }
        $stats = RoutineTemplate::stats();
        self::assertSame(['off', null, null], [$stats['store_state'], $stats['store'], $stats['store_error']]);
        self::assertNull(RoutineTemplate::quota(self::SEND)['local']['calls_today']);
        self::assertSame([], glob("$file/*"));
    }

    public function testTheStoreOfADurabilityThatSurvivesProcessesOnlyIsTheSameStore(): void
    {
        RoutineTemplate::configure(['durability' => 'process']);
        $this->accept();
        RoutineTemplate::configure(['durability' => 'power']);
        $this->assertDelivered($this->sendOrder());
        self::assertLedger(['accepted' => 1, 'delivered' => 1], RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid));
    }

    public function testRedisServesAsTheStoreIsMissedByNoMessageAndComesBack(): void
    {
        if (Redis::program() === null) {
            self::markTestSkipped('There is no redis-server on this machine.');
        }
        $redis = new Redis();
        $log = TemporaryDirectory::create();
        RoutineTemplate::configure(['store' => $redis->url(), 'log_file' => $log->path . '/log']);
        try {
            $this->accept(null, 2);
            $first = $this->sendOrder([], ['key' => 'order-1']);
            $this->assertDelivered($first);
            self::assertSame('up', RoutineTemplate::stats()['store_state']);

            $redis->kill();
            for ($i = 0; $i < 3; $i++) {
                $answer = $this->sendOrder();
                $this->assertDelivered($answer);
                self::assertNull($answer['id']);
            }
            $exception = self::thrownBy(
                fn () => RoutineTemplate::recordGrants($this->shop->openid, [$this->shop->orderPaid => 'accept']),
                StoreException::class
            );
            self::assertStringContainsString('redis://127.0.0.1', $exception->getMessage());
            $down = RoutineTemplate::stats();
            self::assertSame('down', $down['store_state']);

            $redis->start();
            RoutineTemplate::recordGrants($this->shop->openid, [$this->shop->orderPaid => 'accept']);
            self::assertTrue($this->sendOrder([], ['key' => 'order-1'])['duplicate'], 'it kept what it had acknowledged');
            self::assertIsString($this->sendOrder()['id']);
            self::assertLedger(['accepted' => 3, 'delivered' => 2], RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid));

            $lines = (string) file_get_contents($log->path . '/log');
            self::assertSame(['store_down', 'store_up'], array_map(
                static fn (string $line): string => json_decode($line, true)['event'],
                explode("\n", trim($lines))
            ));
            self::assertSame('600', decoct(fileperms($log->path . '/log') & 0777));
            $shown = $lines . $exception . json_encode($down) . json_encode(RoutineTemplate::stats());
            foreach ([Redis::PASSWORD, $this->shop->secret, $this->shop->openid] as $secret) {
                self::assertStringNotContainsString($secret, $shown);
            }
        } finally {
            $redis->remove();
            $log->remove();
        }
    }

    public function testAChildOfAForkUsesTheStoreByAConnectionOfItsOwn(): void
    {
        $redis = Redis::program() === null ? null : new Redis();
        foreach (array_merge([Environment::newStore()], $redis === null ? [] : [$redis->url()]) as $store) {
            $result = PhpProcess::run($this->shop->script('
                $report = fn () => RoutineTemplate::recordGrants($shop->openid, [$shop->orderPaid => "accept"]);
                $report();
                $children = [];
                for ($i = 0; $i < 4; $i++) {
                    $pid = pcntl_fork();
                    if ($pid === 0) { for ($j = 0; $j < 20; $j++) { $report(); } posix_kill(getmypid(), $i % 2 ? 9 : 15); }
                    $children[] = $pid;
                }
                for ($j = 0; $j < 20; $j++) { $report(); }
                foreach ($children as $pid) { pcntl_waitpid($pid, $status); }
                $report();
                $answer = RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order);
                echo json_encode([RoutineTemplate::grants($shop->openid, $shop->orderPaid), RoutineTemplate::status($answer["id"])["state"],
                    RoutineTemplate::stats()["store_failures"]]);', ['store' => $store]), [], 60.0)->json();
            self::assertLedger(['accepted' => 102, 'delivered' => 1, 'reserved' => 0], $result[0]);
            self::assertSame(['delivered', 0], [$result[1], $result[2]]);
        }
        if ($redis !== null) {
            $redis->remove();
        }
    }

    /** A descriptor of the store's files that any code of the process closes takes SQLite's locks away. */
    public function testNothingAcknowledgedIsLostWhereTheShopsOwnCodeReadsTheFiles(): void
    {
        $this->shop->account(['any_openid' => true]);
        $store = Environment::newStore();
        $config = ['store' => $store, 'durability' => 'process'];
        $code = $this->shop->script('
            $store = ' . var_export($store, true) . '; $reports = 0; $ids = []; $failures = [];
            $openid = "oWriter" . getmypid() . str_repeat("0", 14);
            $end = microtime(true) + 4;
            for ($i = 0; $i < 150 && microtime(true) < $end; $i++) {
                try { RoutineTemplate::recordGrants("oShared00000000000000000000000", [$shop->orderPaid => "accept"]); $reports++; }
                catch (RoutineTemplate\StoreException $e) { $failures[] = $e->getMessage(); }
                $answer = RoutineTemplate::send($openid, $shop->orderPaid, $shop->order);
                if ($answer["id"] !== null) { $ids[] = $answer["id"]; }
                $name = ["state", "state-shm", "state-wal", "gate"][(getmypid() + $i) % 4];
                if (md5_file("$store/$name") === false) { exit(2); }
            }
            echo json_encode([$reports, $ids, $failures]);', $config);
        $running = array_map(static fn () => PhpProcess::start($code, [], 60.0), range(1, 4));
        $reports = 0;
        $ids = $failures = [];
        foreach ($running as $process) {
            [$of, $sent, $failed] = $process->wait()->json();
            $reports += $of;
            $ids = array_merge($ids, $sent);
            $failures = array_merge($failures, $failed);
        }
        self::assertGreaterThan(40, $reports);
        RoutineTemplate::configure($config);
        self::assertSame($reports, RoutineTemplate::grants('oShared00000000000000000000000', $this->shop->orderPaid)['accepted'], implode("\n", $failures));
        foreach ($ids as $id) {
            self::assertSame('delivered', RoutineTemplate::status($id)['state'] ?? 'lost');
        }
        self::assertSame([], glob("$store/state.corrupt-*"), implode("\n", $failures));
    }

    /** @return array<string, mixed> the user of php-fpm's workers; who is no root cannot become it */
    private function workerOrSkip(): array
    {
        $user = Environment::workerUser();
        if ($user === null) {
            self::markTestSkipped('Only root can act as root and as a worker.');
        }
        return posix_getpwnam($user);
    }

    /** A file system with half a megabyte. */
    private function tinyDisk(): string
    {
        if (posix_geteuid() !== 0) {
            self::markTestSkipped('Only root can mount a small file system.');
        }
        $directory = Environment::newStore();
        exec('mount -t tmpfs -o size=512k,mode=0700 tmpfs ' . escapeshellarg($directory) . ' 2>&1', $words, $code);
        if ($code !== 0) {
            self::markTestSkipped('No file system can be mounted here: ' . implode(' ', $words));
        }
        return $this->mounted = $directory;
    }
}
