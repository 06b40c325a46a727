<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use RoutineTemplate;
use RoutineTemplate\Tests\Environment;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;
use RoutineTemplate\Tests\Wait;

/** queue() in processes that end, are killed, fork, and get signals: what was accepted arrives, once. */
final class QueueProcessTest extends SandboxTestCase
{
    private const QUEUE = '
        $queue = fn (string $user, array $options = []) => RoutineTemplate::queue(str_pad("o$user", 28, "0"), $shop->orderPaid, $shop->order, null, $options);
        ';

    /** Of this test alone: nobody but its own processes delivers from it. */
    private string $store;

    /** @var array<string, list<string>> what gives a script signals */
    private array $signals;

    protected function setUp(): void
    {
        $this->signals = Environment::modules('posix', 'pcntl') ?? self::markTestSkipped('This PHP has no posix or no pcntl.');
        parent::setUp();
        $this->shop->account(['any_openid' => true]);
        RoutineTemplate::configure(['store' => $this->store = Environment::newStore()]);
    }

    public function testAJobThatQueuesOneMessageAndEndsDeliversItHoweverItEnds(): void
    {
        $ends = [
            'return' => '', 'exit' => 'exit(3);', 'exception' => 'throw new DomainException("nobody catches it");',
            'fatal' => 'undefined_function();', 'memory' => 'ini_set("memory_limit", "8M"); str_repeat("x", 64 << 20);',
            'destructor' => '$last = new class { public function __destruct() { exit; } };',
            'shutdown' => 'register_shutdown_function(fn () => $queue("late"));',
        ];
        $running = [];
        foreach ($ends as $name => $end) {
            $running[$name] = PhpProcess::start($this->script('$queue("' . $name . '");' . $end), [], 60.0);
        }
        foreach ($running as $name => $process) {
            $result = $process->wait();
            self::assertSame([null, false], [$result->signal, $result->timedOut], "$name: " . $result->describe());
            self::assertSame($name === 'exit' ? 3 : (in_array($name, ['exception', 'fatal', 'memory'], true) ? 255 : 0), $result->exitCode, $name);
        }
        self::assertSame(self::sorted([...array_keys($ends), 'late']), $this->receivers());
        self::assertSame(['delivered'], array_values(array_unique(array_column(RoutineTemplate::deliveries(), 'state'))));
    }

    public function testAMessageWhoseProcessWasKilledBeforeItWasSentIsDeliveredOnceByWhoeverQueuesOrFlushesNext(): void
    {
        foreach (['RoutineTemplate::flush(60000);' => ['killed'], '$queue("next"); RoutineTemplate::flush(60000);' => ['killed', 'next']] as $next => $arrive) {
            // Of a shop of which no process has a token: without one, nothing is taken from the outbox.
            $this->shop = new Shop($this->sandbox, ['any_openid' => true]);
            RoutineTemplate::configure($this->shop->config(['store' => $this->store]));
            $this->sandbox->fault(self::STABLE_TOKEN, 'hang', ['times' => null]);
            $killed = PhpProcess::start($this->script('$queue("killed"); posix_kill(getmypid(), SIGKILL);'), $this->signals);
            self::assertSame(9, $killed->wait()->signal);
            $this->sandbox->clearFaults();
            self::assertSame(['queued'], array_column(RoutineTemplate::deliveries(), 'state'));

            self::assertSame('', PhpProcess::run($this->script($next), [], 90.0)->output);

            self::assertSame($arrive, $this->receivers());
        }
        self::assertSame(3, $this->sandbox->requests(self::SEND));
    }

    public function testChildrenOfAForkDeliverTheirOwnAndTheParentGoesOn(): void
    {
        $result = PhpProcess::run($this->script('
            $queue("before");
            $pids = [];
            foreach (range(1, 4) as $child) {
                if (($pid = pcntl_fork()) === 0) {
                    $mine = [];
                    for ($i = 0; $i < 5; $i++) { $mine[] = $queue("child$child-$i"); }
                    // The first two leave it to their end.
                    exit($child > 2 || RoutineTemplate::flush(40000) >= 0 ? 0 : 1);
                }
                $pids[] = $pid;
                $queue("parent$child");
            }
            $codes = array_map(function ($pid) { pcntl_waitpid($pid, $status); return pcntl_wifexited($status) ? pcntl_wexitstatus($status) : 99; }, $pids);
            $queue("after");
            echo json_encode([$codes, RoutineTemplate::flush(40000), RoutineTemplate::stats()["queued"]]);'), $this->signals, 90.0)->json();
        self::assertSame([[0, 0, 0, 0], 0, 6], $result);
        $receivers = $this->receivers();
        self::assertCount(26, $receivers);
        self::assertCount(26, array_unique($receivers));
        self::assertSame(26, $this->sandbox->requests(self::SEND));
    }

    public function testAScriptMayQueueHundredsAndEnd(): void
    {
        $result = PhpProcess::run($this->script('
            for ($i = 0; $i < 200; $i++) { $queue((string) $i, ["key" => "campaign-$i"]); }
            echo json_encode([RoutineTemplate::stats()["queued"], RoutineTemplate::stats()["thread_failures"], count(glob("/proc/self/task/*"))]);'), [], 120.0);
        self::assertSame('[200,0,2]', $result->output, $result->describe());
        // What it had no time for when it ended is somebody else's.
        RoutineTemplate::flush(60000);
        self::assertCount(200, $this->shop->messages());
        self::assertSame(200, $this->sandbox->requests(self::SEND));
        self::assertSame(1, $this->shop->tokenFetches());
        self::assertCount(200, RoutineTemplate::deliveries(['state' => 'delivered', 'limit' => 1000]));
    }

    public function testAHangingWeChatDelaysNeitherTheRequestNorItsEnd(): void
    {
        RoutineTemplate::accessToken();
        $this->sandbox->fault(self::SEND, 'hang', ['times' => null]);
        $before = microtime(true);
        $took = PhpProcess::run($this->script('
            $before = microtime(true);
            for ($i = 0; $i < 20; $i++) { $queue((string) $i); }
            echo json_encode(microtime(true) - $before);', ['timeout_ms' => 60000]), [], 60.0)->json();
        self::assertLessThan(15, $took, 'far below the sixty seconds that each message would wait');
        self::assertLessThan(30, microtime(true) - $before, 'and so is the end of the process');
        self::assertLessThanOrEqual(4, $this->sandbox->requests(self::SEND), 'one that does not answer is met by few');
    }

    public function testTheThreadTakesNoSignalAndNoTimeLimit(): void
    {
        RoutineTemplate::accessToken();
        $this->sandbox->fault(self::SEND, 'latency', ['ms' => 1500, 'times' => 1]);
        $result = PhpProcess::run($this->script('
            set_time_limit(1);
            pcntl_async_signals(true);
            $seen = 0;
            foreach ([SIGUSR1, SIGALRM, SIGTERM, SIGHUP, SIGINT] as $signal) { pcntl_signal($signal, function () use (&$seen) { $seen++; }); }
            $id = $queue("a");
            for ($end = microtime(true) + 20; microtime(true) < $end && RoutineTemplate::status($id)["state"] !== "sending";) { usleep(5000); }
            $rounds = 0;
            do {
                foreach ([SIGUSR1, SIGALRM, SIGTERM, SIGHUP, SIGINT] as $signal) { posix_kill(getmypid(), $signal); usleep(1000); }
                $rounds++;
            } while (RoutineTemplate::status($id)["state"] === "sending");
            $blocked = [];
            foreach (glob("/proc/self/task/*") as $task) {
                if ((int) basename($task) !== getmypid()) {
                    preg_match("/^SigBlk:\s*(\w+)/m", file_get_contents("$task/status"), $match);
                    $blocked[] = trim(file_get_contents("$task/comm")) . " " . $match[1];
                }
            }
            echo json_encode([$seen === 5 * $rounds, RoutineTemplate::flush(30000), RoutineTemplate::status($id)["state"], $blocked]);'), $this->signals, 60.0);
        [$allSeen, $left, $state, $threads] = $result->json();
        self::assertSame([true, 0, 'delivered'], [$allSeen, $left, $state], $result->describe());
        self::assertCount(1, $threads);
        // All but SIGKILL, SIGSTOP and the two that belong to the C library.
        self::assertMatchesRegularExpression('/^routine-deliver f{7}[ef][37]ffbfeff$/', $threads[0]);
    }

    public function testAProcessThatIsAskedToEndByASignalLosesNothing(): void
    {
        $this->sandbox->fault(self::STABLE_TOKEN, 'hang', ['times' => null]);
        $process = PhpProcess::start($this->script('$queue("a"); $queue("b"); while (true) { usleep(100000); }'));
        Wait::until(fn (): bool => count(RoutineTemplate::deliveries()) === 2, 'both messages to be queued', 20);
        posix_kill($process->pid, SIGTERM);
        self::assertSame(SIGTERM, $process->wait()->signal);
        $this->sandbox->clearFaults();

        PhpProcess::run($this->script('RoutineTemplate::flush(60000);'), [], 90.0);
        self::assertSame(['a', 'b'], $this->receivers());
        self::assertSame(['delivered', 'delivered'], array_column(RoutineTemplate::deliveries(), 'state'));
    }

    private function script(string $code, array $config = []): string
    {
        return $this->shop->script(self::QUEUE . $code, $config + ['store' => $this->store]);
    }

    /** @return list<string> to whom WeChat delivered, sorted */
    private function receivers(): array
    {
        return self::sorted(array_map(
            static fn (array $message): string => rtrim(substr($message['openid'], 1), '0'),
            $this->shop->messages()
        ));
    }

    private static function sorted(array $names): array
    {
        sort($names);
        return $names;
    }
}
