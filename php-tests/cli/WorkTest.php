<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use PHPUnit\Framework\Attributes\DataProvider;
use RoutineTemplate;
use RoutineTemplate\Tests\Daemon;
use RoutineTemplate\Tests\Environment;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;
use RoutineTemplate\Tests\TemporaryDirectory;
use RoutineTemplate\Tests\Wait;

/** `routine-template work`: delivers what PHP has queued, as a service and from cron. */
final class WorkTest extends SandboxTestCase
{
    private const ROOT = __DIR__ . '/../..';

    private string $store;

    private TemporaryDirectory $directory;

    /** @var list<Daemon> */
    private array $workers = [];

    protected function setUp(): void
    {
        parent::setUp();
        $this->directory = TemporaryDirectory::create();
        $this->shop->account(['any_openid' => true]);
        RoutineTemplate::configure(['store' => $this->store = Environment::newStore(), 'delivery' => 'worker']);
    }

    protected function tearDown(): void
    {
        foreach ($this->workers as $worker) {
            $worker->stop();
        }
        $this->directory->remove();
    }

    public function testPhpOnlyQueuesAndTheWorkerDelivers(): void
    {
        $result = PhpProcess::run($this->shop->script('
            for ($i = 0; $i < 20; $i++) { RoutineTemplate::queue("oUser$i", $shop->orderPaid, $shop->order); }
            echo json_encode([RoutineTemplate::flush(0), count(glob("/proc/self/task/*")), RoutineTemplate::stats()["requests"]]);',
            ['store' => $this->store, 'delivery' => 'worker']));
        self::assertSame('[20,1,0]', $result->output, $result->describe());
        self::assertSame([], $this->shop->messages());

        $worker = $this->work('--quiet');
        self::assertSame(0, RoutineTemplate::flush(60_000), 'flush waits for the worker');
        RoutineTemplate::queue('oLater', $this->shop->orderPaid, Shop::order());
        self::assertSame(0, RoutineTemplate::flush(60_000), 'which is still there');

        $worker->signal(SIGTERM);
        self::assertSame(0, $this->exitCode($worker), $worker->log());
        self::assertSame('', $worker->log());
        self::assertCount(21, array_unique(array_column($this->shop->messages(), 'openid')));
        self::assertSame(21, $this->sandbox->requests(self::SEND));
    }

    public function testAWorkerThatIsAskedToEndFinishesWhatIsUnderWayAndLeavesTheRest(): void
    {
        RoutineTemplate::accessToken();
        $this->sandbox->fault(self::SEND, 'latency', ['ms' => 1500, 'times' => null]);
        $this->queue(40);
        $worker = $this->work('--concurrency', '4');
        Wait::until(fn (): bool => $this->sandbox->requests(self::SEND) > 0, 'messages to be under way', 30);
        $worker->signal(SIGTERM);
        self::assertSame(0, $this->exitCode($worker), $worker->log());

        $this->sandbox->clearFaults();
        $rows = array_count_values(array_column(RoutineTemplate::deliveries(), 'state'));
        self::assertSame($this->sandbox->requests(self::SEND), $rows['delivered'], 'no answer was lost');
        self::assertSame(40 - $rows['delivered'], $rows['queued']);
        self::assertLessThanOrEqual(8, $rows['delivered']);

        $drain = $this->work('--drain');
        self::assertSame(0, $this->exitCode($drain), $drain->log());
        self::assertSame(0, RoutineTemplate::flush(0));
        self::assertCount(40, array_unique(array_column($this->shop->messages(), 'openid')));
        self::assertSame(40, $this->sandbox->requests(self::SEND));
    }

    public function testDrainEndsWhenNothingIsDueAndLeavesWhatIsDelayed(): void
    {
        $empty = $this->work('--drain');
        self::assertSame(0, $this->exitCode($empty), $empty->log());
        $this->queue(3, ['delay' => 3600]);
        $this->queue(3);
        $drain = $this->work('--drain', '--quiet');
        self::assertSame(0, $this->exitCode($drain), $drain->log());
        self::assertSame(3, RoutineTemplate::flush(0));
        self::assertCount(3, $this->shop->messages());
    }

    public function testDrainDoesNotWaitForTheEndOfAnOutage(): void
    {
        RoutineTemplate::configure(['base_url' => 'https://127.0.0.1:9']);
        $this->queue(3);
        $drain = $this->work('--drain');
        self::assertSame(1, $this->exitCode($drain), $drain->log());
        self::assertStringContainsString('messages wait that cannot be sent', $drain->log());
        self::assertSame(['queued'], array_values(array_unique(array_column(RoutineTemplate::deliveries(), 'state'))));
    }

    public function testSeveralWorkersAndProcessesThatDeliverThemselvesShareTheWork(): void
    {
        $this->queue(60);
        $workers = [$this->work(), $this->work()];
        $threads = [];
        for ($i = 0; $i < 2; $i++) {
            $threads[] = PhpProcess::start($this->shop->script('
                for ($i = 0; $i < 20; $i++) { RoutineTemplate::queue("oThread" . getmypid() . "n$i", $shop->orderPaid, $shop->order); }
                RoutineTemplate::flush(60000);', ['store' => $this->store]), [], 90.0);
        }
        foreach ($threads as $thread) {
            self::assertSame(0, $thread->wait()->exitCode);
        }
        self::assertSame(0, RoutineTemplate::flush(60_000));
        foreach ($workers as $worker) {
            $worker->signal(SIGTERM);
            self::assertSame(0, $this->exitCode($worker), $worker->log());
        }
        self::assertCount(100, array_unique(array_column($this->shop->messages(), 'openid')));
        self::assertSame(100, $this->sandbox->requests(self::SEND));
        self::assertSame(['delivered'], array_values(array_unique(array_column(RoutineTemplate::deliveries(['limit' => 1000]), 'state'))));
    }

    public function testAWorkerThatWasKilledLosesNothingThatItHadNotBegun(): void
    {
        // While there is no token nothing is taken from the outbox.
        $this->sandbox->fault(self::STABLE_TOKEN, 'hang', ['times' => null]);
        $this->queue(5);
        $worker = $this->work();
        Wait::until(fn (): bool => $this->shop->sandbox->requests(self::STABLE_TOKEN) > 0, 'the worker to ask for a token', 30);
        $worker->signal(SIGKILL);
        self::assertSame(128 + SIGKILL, $this->exitCode($worker));
        $this->sandbox->clearFaults();

        $this->work();
        self::assertSame(0, RoutineTemplate::flush(60_000));
        self::assertCount(5, array_unique(array_column($this->shop->messages(), 'openid')));
        self::assertSame(5, $this->sandbox->requests(self::SEND));
    }

    public function testItSaysWhatIsWrongAndEndsWithAnErrorCode(): void
    {
        foreach ([[['--store', 'off'], 'a store is needed'], [['--store', 'relative'], 'store'], [['--concurrency', '0'], 'concurrency'], [['--nonsense'], '--nonsense']] as [$arguments, $words]) {
            $worker = $this->start([Environment::command(), 'work', ...$arguments], ['ROUTINE_TEMPLATE_STORE' => $this->store]);
            self::assertNotSame(0, $this->exitCode($worker));
            self::assertStringContainsString($words, $worker->log());
        }
    }

    public function testTheStoreMayBeNamedByTheEnvironment(): void
    {
        $this->queue(1);
        $worker = $this->start([Environment::command(), 'work', '--drain'], ['ROUTINE_TEMPLATE_STORE' => $this->store]);
        self::assertSame(0, $this->exitCode($worker), $worker->log());
        self::assertCount(1, $this->shop->messages());
    }

    /**
     * @dataProvider services
     */
    #[DataProvider('services')]
    public function testTheCommandLinesOfExamplesAndReadmeDeliver(string $file, string $pattern): void
    {
        self::assertSame(1, preg_match($pattern, (string) file_get_contents(self::ROOT . "/$file"), $match));
        $arguments = preg_split('/\s+/', $match[1]);
        self::assertSame(['routine-template', 'work'], [basename($arguments[0]), $arguments[1]]);
        $place = array_search('--store', $arguments, true);
        self::assertIsInt($place);
        self::assertStringStartsWith('/var/lib/', $arguments[$place + 1]);
        $arguments[0] = Environment::command();
        $arguments[$place + 1] = $this->store;

        $this->queue(2);
        $worker = $this->start($arguments, []);
        self::assertSame(0, RoutineTemplate::flush(60_000), $worker->log());
        $worker->signal(SIGTERM);
        self::assertSame(0, $this->exitCode($worker), $worker->log());
        self::assertCount(2, $this->shop->messages());
    }

    public static function services(): array
    {
        return [
            'systemd' => ['examples/routine-template.service', '/^ExecStart=(.+)$/m'],
            'supervisor' => ['examples/routine-template.supervisor.conf', '/^command=(.+)$/m'],
            'crontab' => ['docs/queue.md', '/^\* \* \* \* \* www-data (.+?) +#/m'],
        ];
    }

    public function testTheExamplesGiveTheWorkerMoreTimeToEndThanItTakes(): void
    {
        foreach (array_slice(self::services(), 0, 2) as [$file, $pattern]) {
            $text = (string) file_get_contents(self::ROOT . "/$file");
            preg_match($pattern, $text, $command);
            self::assertSame(1, preg_match('/--grace (\d+)/', $command[1], $grace));
            self::assertSame(1, preg_match('/^(?:TimeoutStopSec|stopwaitsecs)=(\d+)$/m', $text, $stop));
            self::assertGreaterThan((int) $grace[1] + 1, (int) $stop[1], $file);
        }
    }

    private function queue(int $count, array $options = []): void
    {
        static $user = 0;
        for ($i = 0; $i < $count; $i++) {
            RoutineTemplate::queue('oUser' . ++$user, $this->shop->orderPaid, Shop::order(), null, $options);
        }
    }

    private function work(string ...$arguments): Daemon
    {
        return $this->start([Environment::command(), 'work', '--store', $this->store, ...$arguments], []);
    }

    /** @param array<string, string> $environment */
    private function start(array $command, array $environment): Daemon
    {
        $log = $this->directory->path . '/work-' . count($this->workers) . '.log';
        return $this->workers[] = new Daemon($command, $log, $environment + ['LANG' => 'C', 'PATH' => (string) getenv('PATH')]);
    }

    private function exitCode(Daemon $worker): ?int
    {
        Wait::until(static fn (): bool => !$worker->isRunning(), 'the worker to end', 60);
        return $worker->exitCode();
    }
}
