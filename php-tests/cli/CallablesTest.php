<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use PHPUnit\Framework\Attributes\Group;
use RoutineTemplate;
use RoutineTemplate\Tests\Environment;
use RoutineTemplate\Tests\Face;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;

/** The application's own functions: which ones may be handed over, how they are called, and what they may do meanwhile. */
final class CallablesTest extends SandboxTestCase
{
    private const WRONG = ['openid' => '', 'template_id' => 'x', 'data' => []];

    /** @var list<string> */
    private array $heard = [];

    /** @group smoke */
    #[Group('smoke')]
    public function testAMethodThatIsPrivateToTheCallerMayBeHandedOver(): void
    {
        $app = RoutineTemplate::app($this->shop->appid);
        RoutineTemplate::sendMany(['a' => self::WRONG], ['each' => [$this, 'hearAnswer'], 'progress' => [$this, 'hearProgress']]);
        $app->sendMany(['b' => self::WRONG], ['each' => [$this, 'hearAnswer']]);
        (function () use ($app): void {
            $app->sendMany(['c' => self::WRONG], ['each' => [self::class, 'hearNothing'], 'progress' => [$this, 'hearProgress']]);
        })();
        self::assertSame(['answer a', 'progress 1 of 1', 'answer b', 'progress 1 of 1'], $this->heard);
        RoutineTemplate::configure(['token' => [$this, 'supply']]);
        self::assertSame('a token', RoutineTemplate::accessToken());
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testAMethodThatTheCallerMayNotCallIsNone(): void
    {
        $other = new class () {
            private function take(): void
            {
            }
        };
        $call = static function () use ($other): void {
            RoutineTemplate::sendMany([], ['each' => [$other, 'take']]);
        };
        self::assertStringContainsString('each', self::thrownBy($call, \TypeError::class)->getMessage());
        self::thrownBy(static function () use ($other): void {
            RoutineTemplate::configure(['token' => [$other, 'take']]);
        }, RoutineTemplate\ConfigException::class);
    }

    public function testTheirParametersConvertAsForAnyFunctionThatPhpItselfCalls(): void
    {
        RoutineTemplate::sendMany([7 => self::WRONG], [
            'each' => function (array $answer, string $key): void {
                $this->heard[] = gettype($key) . " $key";
            },
            'progress' => function (string $done, float $total): void {
                $this->heard[] = gettype($done) . " $done, " . gettype($total) . " $total";
            },
        ]);
        self::assertSame(['string 7', 'string 1, double 1'], $this->heard);
        RoutineTemplate::configure(['token' => static function (int $refresh): string {
            return "token $refresh";
        }]);
        self::assertSame('token 1', RoutineTemplate::accessToken(true));
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testTheFirstWrongArgumentIsTheOneThatIsNamed(): void
    {
        $error = self::thrownBy(static function (): void {
            RoutineTemplate::sendMany('all', ['each' => static function (): void {
            }]);
        }, \TypeError::class);
        self::assertStringContainsString('$messages', $error->getMessage());
    }

    public function testASignalHandlerMayCallWhileACallIsUnderWay(): void
    {
        $modules = Environment::modules('pcntl', 'posix');
        if ($modules === null) {
            self::markTestSkipped('This PHP has no pcntl.');
        }
        $this->sandbox->fault(self::SEND, 'latency', ['ms' => 800, 'times' => 1]);
        $result = PhpProcess::run($this->shop->script(<<<'PHP'
            $heard = null;
            pcntl_async_signals(true);
            pcntl_signal(SIGUSR1, static function () use (&$heard, $shop) {
                // Longer than the answer that it may come before, and more than one.
                for ($i = 0; $i < 5; $i++) { $heard = RoutineTemplate::validate($shop->orderPaid, ["thing4" => str_repeat("长", 3000)]); }
            });
            RoutineTemplate::accessToken();
            $parent = getmypid();
            if (pcntl_fork() === 0) { usleep(300000); posix_kill($parent, SIGUSR1); posix_kill(getmypid(), SIGKILL); }
            $answer = RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order);
            pcntl_wait($status);
            echo json_encode([$answer["errcode"], $answer["outcome"], $answer["source"], $heard[0]["field"]]);
            PHP, ['timeout_ms' => 20000]), $modules, 60.0);
        self::assertSame([0, 'delivered', 'wechat', 'thing4'], $result->json(), $result->describe());
    }

    public function testWhatASignalHandlerThrowsShowsNoSecret(): void
    {
        $modules = Environment::modules('pcntl', 'posix');
        if ($modules === null || PHP_VERSION_ID < 80200) {
            self::markTestSkipped('This PHP has no pcntl, or no parameters that traces leave out.');
        }
        Face::needsSignalHandlersThatThrow($modules);
        $result = PhpProcess::run($this->shop->script(<<<'PHP'
            final class Secret { public static $is = "kept-out-of-traces"; }
            function configure() { RoutineTemplate::configure(["secret" => Secret::$is]); }
            $isReady = false;
            pcntl_async_signals(true);
            pcntl_signal(SIGUSR1, static function () use (&$isReady) {
                if ($isReady) { $isReady = false; throw new DomainException("stop"); }
            });
            $parent = getmypid();
            $child = pcntl_fork();
            while ($child === 0 && posix_getppid() === $parent) { usleep(300); posix_kill($parent, SIGUSR1); }
            if ($child === 0) { posix_kill(getmypid(), SIGKILL); }
            $shown = $thrown = 0;
            $end = microtime(true) + 30;
            while ($thrown < 300 && microtime(true) < $end) {
                try {
                    $isReady = true;
                    configure();
                    $isReady = false;
                } catch (DomainException $exception) {
                    $thrown++;
                    $shown += (int) (strpos(print_r($exception->getTrace(), true), Secret::$is) !== false);
                }
            }
            posix_kill($child, SIGKILL);
            echo json_encode([$thrown > 0, $shown]);
            PHP), $modules + ['zend.exception_ignore_args' => '0'], 60.0);
        self::assertSame([true, 0], $result->json(), $result->describe());
    }

    public function testAFloatKeepsItsDigitsWhateverPhpIsToldToPrint(): void
    {
        $former = ini_get('serialize_precision');
        foreach (['-1', '5', '17', '3'] as $precision) {
            ini_set('serialize_precision', $precision);
            $answer = RoutineTemplate::send($this->shop->openid, $this->shop->orderPaid, self::amount(12345.67));
            ini_set('serialize_precision', (string) $former);
            $this->assertDelivered($answer);
        }
        $amounts = array_map(static function (array $message): string {
            return self::values($message)['amount2'];
        }, $this->shop->messages());
        self::assertSame(['12345.67'], array_values(array_unique($amounts)));
    }

    private static function amount(float $amount): array
    {
        return Shop::order(['amount2' => $amount]);
    }

    private function hearAnswer(array $answer, string $key): void
    {
        $this->heard[] = "answer $key";
    }

    private static function hearNothing(): void
    {
    }

    private function hearProgress(int $done, ?int $total): void
    {
        $this->heard[] = "progress $done of $total";
    }

    private function supply(): string
    {
        return 'a token';
    }
}
