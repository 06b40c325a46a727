<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\SandboxTestCase;

/** Workerman, think-queue and everyone else who forks: the children send, and so does the parent. */
final class ForkTest extends SandboxTestCase
{
    private const FORK = <<<'PHP'
        $send = fn () => RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order)['errcode'];
        // Runs the task in children at the same time; returns their exit codes: 0 where all went well.
        $fork = function (int $children, callable $task): array {
            $pids = [];
            for ($i = 0; $i < $children; $i++) {
                $pid = pcntl_fork();
                if ($pid === 0) {
                    try { $code = $task($i) ? 0 : 1; } catch (Throwable $error) { fwrite(STDERR, $error); $code = 2; }
                    exit($code);
                }
                $pids[] = $pid;
            }
            return array_map(function (int $pid): int {
                $end = microtime(true) + 20;
                while (pcntl_waitpid($pid, $status, WNOHANG) === 0) {
                    if (microtime(true) > $end) { exec("kill -9 $pid"); pcntl_waitpid($pid, $status); return 99; }
                    usleep(5000);
                }
                return pcntl_wifexited($status) ? pcntl_wexitstatus($status) : 128 + pcntl_wtermsig($status);
            }, $pids);
        };

        PHP;

    protected function setUp(): void
    {
        if (!function_exists('pcntl_fork')) {
            self::markTestSkipped('This PHP has no pcntl.');
        }
        parent::setUp();
    }

    public function testChildrenSendWhenTheParentHasNotSentYet(): void
    {
        $result = PhpProcess::run($this->shop->script(self::FORK . '
            $codes = $fork(4, function () use ($send) { return [$send(), $send(), $send()] === [0, 0, 0]; });
            echo json_encode([$codes, $send()]);'), [], 60.0)->json();
        self::assertSame([[0, 0, 0, 0], 0], $result);
        self::assertCount(13, $this->shop->messages());
    }

    public function testChildrenSendAfterTheParentHasSentAndTheParentGoesOn(): void
    {
        $result = PhpProcess::run($this->shop->script(self::FORK . '
            $first = [$send(), $send()];
            $codes = $fork(4, function () use ($send) { for ($i = 0; $i < 10; $i++) { if ($send() !== 0) { return false; } } return true; });
            echo json_encode([$first, $codes, [$send(), $send()]]);'), [], 60.0)->json();
        self::assertSame([[0, 0], [0, 0, 0, 0], [0, 0]], $result);
        $messages = $this->shop->messages();
        self::assertCount(44, $messages);
        // The parent's connection stays the parent's: no child wrote into it.
        self::assertGreaterThanOrEqual(5, count(array_unique(array_column($messages, 'connection'))));
        self::assertSame(1, (int) $this->sandbox->counters()['tokens'][$this->shop->appid]['stable_issued']);
    }

    public function testParentAndChildrenSendAtTheSameTime(): void
    {
        $result = PhpProcess::run($this->shop->script(self::FORK . '
            $send();
            $pid = pcntl_fork();
            $good = 0;
            for ($i = 0; $i < 30; $i++) { $good += $send() === 0 ? 1 : 0; }
            if ($pid === 0) { exit($good === 30 ? 0 : 1); }
            pcntl_waitpid($pid, $status);
            echo json_encode([$good, pcntl_wexitstatus($status)]);'), [], 60.0)->json();
        self::assertSame([30, 0], $result);
        self::assertCount(61, $this->shop->messages());
    }

    public function testATokenSupplierMayFork(): void
    {
        // The child has nothing of its parent's: not the connection, and not the counters.
        $result = PhpProcess::run($this->shop->script(self::FORK . '
            $token = RoutineTemplate::accessToken();
            $send();
            $forks = null;
            RoutineTemplate::configure(["token_mode" => "external", "token" => function (bool $refresh) use (&$forks, $token) {
                $forks = $forks === null ? null : $forks();
                return $token;
            }]);
            $inChild = false;
            $codes = [];
            $forking = function () use (&$inChild, &$codes): void {
                $pid = pcntl_fork();
                $inChild = $pid === 0;
                if (!$inChild) {
                    pcntl_waitpid($pid, $status);
                    $codes[] = pcntl_wifexited($status) ? pcntl_wexitstatus($status) : 99;
                }
            };
            $calls = [
                "sends" => $send,
                "queued" => fn () => RoutineTemplate::queue($shop->openid, $shop->orderPaid, $shop->order) === "" ? 1 : 0,
            ];
            foreach ($calls as $counter => $call) {
                $forks = $forking;
                $code = $call();
                if ($inChild) {
                    exit($code === 0 && RoutineTemplate::stats()[$counter] === 1 && RoutineTemplate::flush() === 0 ? 0 : 1);
                }
                $codes[] = $code;
            }
            echo json_encode([$codes, $send(), RoutineTemplate::flush()]);'), [], 60.0)->json();
        self::assertSame([[0, 0, 0, 0], 0, 0], $result);
        self::assertCount(6, $this->shop->messages());
    }

    public function testAChildLeavesAMessageThatIsUnderWayToItsParent(): void
    {
        $result = PhpProcess::run($this->shop->script(self::FORK . '
            $token = RoutineTemplate::accessToken();
            $codes = [];
            RoutineTemplate::configure(["token_mode" => "external", "token" => function (bool $refresh) use (&$codes, $token) {
                if ($refresh && ($pid = pcntl_fork()) !== 0) {
                    pcntl_waitpid($pid, $status);
                    $codes[] = pcntl_wifexited($status) ? pcntl_wexitstatus($status) : 99;
                }
                return $refresh ? $token : "dead";
            }]);
            $parent = getmypid();
            try {
                $codes[] = $send();
            } catch (RoutineTemplate\TransportException $exception) {
                exit($parent !== getmypid() && $exception->isAmbiguous() ? 7 : 1);
            }
            echo json_encode([$codes, array_column(RoutineTemplate::deliveries(), "state")]);'), [], 60.0)->json();
        self::assertSame([[7, 0], ['delivered']], $result);
        self::assertCount(1, $this->shop->messages());
    }

    public function testAChildLeavesACallThatIsUnderWayToItsParent(): void
    {
        $result = PhpProcess::run($this->shop->script(self::FORK . '
            $token = RoutineTemplate::accessToken();
            RoutineTemplate::quota("subscribe/send");
            $codes = [];
            RoutineTemplate::configure(["token_mode" => "external", "token" => function (bool $refresh) use (&$codes, $token) {
                if (($pid = pcntl_fork()) !== 0) {
                    pcntl_waitpid($pid, $status);
                    $codes[] = pcntl_wifexited($status) ? pcntl_wexitstatus($status) : 99;
                }
                return $token;
            }]);
            $parent = getmypid();
            try {
                $codes[] = RoutineTemplate::quota("subscribe/send")["errcode"];
            } catch (RoutineTemplate\TransportException $exception) {
                exit($parent !== getmypid() ? 7 : 1);
            }
            if ($parent !== getmypid()) {
                exit(8);
            }
            echo json_encode($codes);'), [], 60.0)->json();
        // It would write into the connection of its parent.
        self::assertSame([7, 0], $result);
        self::assertSame(2, $this->sandbox->requests('/cgi-bin/openapi/quota/get'));
    }

    public function testAGrandchildSendsToo(): void
    {
        $result = PhpProcess::run($this->shop->script(self::FORK . '
            $send();
            $codes = $fork(2, function () use ($send, $fork) { return $send() === 0 && $fork(2, fn () => $send() === 0) === [0, 0] && $send() === 0; });
            echo json_encode($codes);'), [], 60.0)->json();
        self::assertSame([0, 0], $result);
        self::assertCount(9, $this->shop->messages());
    }

    public function testAChildThatEndsWithoutSendingDoesNotHarmTheParentsConnection(): void
    {
        $result = PhpProcess::run($this->shop->script(self::FORK . '
            $send();
            $codes = $fork(3, fn () => true);
            echo json_encode([$codes, $send(), RoutineTemplate::stats()["pid"] === getmypid()]);'), [], 60.0)->json();
        self::assertSame([[0, 0, 0], 0, true], $result);
        self::assertCount(1, array_unique(array_column($this->shop->messages(), 'connection')));
    }

    public function testAChildHasTheParentsConfigurationAndItsOwnCounters(): void
    {
        $result = PhpProcess::run($this->shop->script(self::FORK . '
            $send();
            $codes = $fork(1, function () use ($send) {
                $before = RoutineTemplate::stats();
                return $send() === 0 && RoutineTemplate::stats()["sends"] - $before["sends"] === 1 && RoutineTemplate::stats()["pid"] === getmypid();
            });
            echo json_encode($codes);'), [], 60.0)->json();
        self::assertSame([0], $result);
    }

    public function testAChildKeepsNothingThatItsParentLocksTheStoreWith(): void
    {
        // A lock belongs to every copy of its descriptor: the child's would outlive a parent that is killed while it holds it.
        $result = PhpProcess::run($this->shop->script('
            $gates = static function (): int {
                $open = array_map(static fn (string $link): string => (string) @readlink($link), glob("/proc/self/fd/*"));
                return count(array_filter($open, static fn (string $file): bool => basename($file) === "gate"));
            };
            RoutineTemplate::grants($shop->openid);
            $before = $gates();
            if (pcntl_fork() === 0) {
                $inherited = $gates();
                RoutineTemplate::grants($shop->openid);
                echo json_encode([$before, $inherited, $gates()]);
                exit(0);
            }
            pcntl_wait($status);
            RoutineTemplate::grants($shop->openid);'));

        self::assertSame('[1,0,1]', $result->output, $result->describe());
    }
}
