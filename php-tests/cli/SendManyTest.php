<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use ArrayIterator;
use IteratorAggregate;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\Attributes\Group;
use RoutineTemplate;
use RoutineTemplate\Tests\Environment;
use RoutineTemplate\Tests\Face;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\RunningPhp;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;
use RoutineTemplate\Tests\Wait;

/** Many messages at once. */
final class SendManyTest extends SandboxTestCase
{
    /** Buyers `oBuyer0`, `oBuyer1` … have accepted without end. */
    private const EVERYBODY = "\$many = static function (int \$count) use (\$shop) {\n"
        . "    for (\$i = 0; \$i < \$count; \$i++) { yield ['oBuyer' . \$i, \$shop->orderPaid, \$shop->order]; }\n};\n";

    protected function setUp(): void
    {
        parent::setUp();
        $this->shop->account(['any_openid' => true]);
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testTheAnswersAreInTheOrderOfTheMessagesWithTheirKeys(): void
    {
        $this->slow(5);
        $messages = ['order-7' => $this->to('oA'), 12 => $this->to('oB'), "\xff" => $this->to('oA'), 'refused' => $this->to('')];
        $answers = RoutineTemplate::sendMany($messages);
        self::assertSame(array_keys($messages), array_keys($answers));
        foreach (['order-7', 12, "\xff"] as $key) {
            $this->assertBulkDelivered($answers[$key]);
        }
        self::assertSame(40003, $answers['refused']['errcode']);
        self::assertSame([], RoutineTemplate::sendMany([]));
        $answers = RoutineTemplate::sendMany(array_map([$this, 'to'], ['oA', 'oB', 'oC']));
        self::assertSame([0, 1, 2], array_keys($answers));
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testMessagesHaveNamesOrTheOrderOfSendAndMayBeObjects(): void
    {
        $answers = RoutineTemplate::app($this->shop->appid)->sendMany([
            ['openid' => 'oA', 'template_id' => $this->shop->orderPaid, 'data' => Shop::order(), 'page' => 'pages/a'],
            ['touser' => 'oB', 'templateId' => $this->shop->orderPaid, 'data' => json_encode(Shop::order()), 'page' => 'pages/b'],
            ['oC', $this->shop->orderPaid, ['thing4' => ['value' => '茶', 'color' => '#f00']] + Shop::order(), 'pages/c', ['state' => 'trial']],
            (object) ['openid' => 'oD', 'template_id' => $this->shop->orderPaid, 'data' => (object) Shop::order()],
        ], ['state' => 'developer', 'lang' => 'en_US']);
        foreach ($answers as $answer) {
            $this->assertBulkDelivered($answer);
        }
        $sent = array_column($this->shop->messages(), null, 'openid');
        self::assertSame(['pages/a', 'pages/b', 'pages/c'], [$sent['oA']['page'], $sent['oB']['page'], $sent['oC']['page']]);
        self::assertSame(['developer', 'trial'], [$sent['oB']['miniprogram_state'], $sent['oC']['miniprogram_state']]);
        self::assertSame('en_US', $sent['oC']['lang']);
        self::assertSame('茶', self::values($sent['oC'])['thing4']);
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testAnythingThatForeachTakesIsRead(): void
    {
        $generator = function (): \Generator {
            yield 'same' => $this->to('oA');
            yield 'same' => $this->to('oB');
            yield [1.5] => $this->to('oC');
        };
        $aggregate = new class ($generator) implements IteratorAggregate {
            private \Closure $generator;

            public function __construct(\Closure $generator)
            {
                $this->generator = $generator;
            }

            public function getIterator(): \Traversable
            {
                return ($this->generator)();
            }
        };
        foreach ([$generator(), $aggregate, new ArrayIterator(array_map([$this, 'to'], ['oA', 'oB', 'oC']))] as $messages) {
            $keys = [];
            $answers = RoutineTemplate::sendMany($messages);
            self::assertSame([0, 1, 2], array_keys($answers));
            self::assertSame([0, 0, 0], array_column($answers, 'errcode'));
        }
        $keys = [];
        RoutineTemplate::sendMany($generator(), ['each' => function (array $answer, $key) use (&$keys): void {
            $keys[] = $key;
        }]);
        sort($keys, SORT_STRING);
        self::assertSame([2, 'same', 'same'], $keys, 'a key that is neither int nor string is its position');
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testEachTakesTheAnswersAndLeavesASummary(): void
    {
        $this->sandbox->fault(self::SEND, 'drop_after', ['times' => 1]);
        $answers = [];
        $summary = RoutineTemplate::sendMany(
            ['a' => $this->to('oA'), 'b' => $this->to(''), 'c' => 'nonsense', 'd' => $this->to('oD')],
            ['concurrency' => 1, 'each' => function (array $answer, $key) use (&$answers): void {
                $answers[$key] = $answer;
            }]
        );
        self::assertSame(['total' => 4, 'delivered' => 1, 'refused' => 1, 'unknown' => 1, 'not_sent' => 1], $summary);
        ksort($answers);
        self::assertSame(['unknown', 'misconfigured', 'not_sent', 'delivered'], array_map(
            static fn (array $answer): string => str_replace('refused_user', 'misconfigured', $answer['outcome']),
            array_values($answers)
        ));
    }

    public function testACallableWithOtherTypesGetsItsArgumentsConvertedAsFromPhpItself(): void
    {
        $seen = [];
        RoutineTemplate::sendMany(array_map([$this, 'to'], ['oA', 'oB']), [
            'concurrency' => 1,
            'each' => function (array $answer, string $key) use (&$seen): void {
                $seen[] = $key;
            },
            'progress' => function (string $done, float $total) use (&$seen): void {
                $seen[] = [$done, $total];
            },
        ]);
        self::assertContains('0', $seen);
        self::assertContains(['2', 2.0], $seen);
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testProgressSaysHowManyOfHowMany(): void
    {
        $seen = [];
        $progress = function (int $done, ?int $total) use (&$seen): void {
            $seen[] = [$done, $total];
        };
        RoutineTemplate::sendMany(array_map([$this, 'to'], ['oA', 'oB', 'oC', 'oD']), ['progress' => $progress, 'concurrency' => 2]);
        self::assertSame([4, 4], end($seen));
        self::assertSame($seen, array_unique($seen, SORT_REGULAR));
        $seen = [];
        RoutineTemplate::sendMany($this->generate(3), ['progress' => $progress]);
        self::assertSame([3, null], end($seen));
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testWhatHasNoVerdictIsAnAnswerWithTheException(): void
    {
        $this->sandbox->fault(self::SEND, 'drop_after', ['times' => 1]);
        $answer = RoutineTemplate::sendMany([$this->to('oA')])[0];
        self::assertNull($answer['errcode']);
        self::assertSame('unknown', $answer['outcome']);
        self::assertInstanceOf(RoutineTemplate\TransportException::class, $answer['exception']);
        self::assertTrue($answer['exception']->isAmbiguous());
        self::assertSame($answer['errmsg'], $answer['exception']->getMessage());
        self::assertSame(__FILE__, $answer['exception']->getFile());
        self::assertSame('unknown', RoutineTemplate::status($answer['id'])['state']);

        RoutineTemplate::configure(['base_url' => 'https://127.0.0.1:9']);
        $answer = RoutineTemplate::sendMany([$this->to('oA')])[0];
        self::assertFalse($answer['exception']->isAmbiguous());
        self::assertSame('not_sent', $answer['outcome']);
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testAWrongMessageSaysWhichOneItIs(): void
    {
        RoutineTemplate::configure(['hint_lang' => 'en']);
        $key = ['key' => 'order-1'];
        $messages = [
            'text' => 'oA', 'nobody' => ['template_id' => 't', 'data' => []], 'number' => ['oA', 't', 7], 'options' => $this->to('oA', ['timeout' => 1]),
            'object' => ['oA', new ArrayIterator([]), []], 'first' => $this->to('oA', $key), 'second' => $this->to('oB', $key),
        ];
        $answers = RoutineTemplate::sendMany($messages, ['concurrency' => 1]);
        $classes = array_map(static fn (array $answer): ?string => $answer['exception'] === null ? null : get_class($answer['exception']), $answers);
        self::assertSame([
            'text' => \TypeError::class, 'nobody' => \ValueError::class, 'number' => \TypeError::class, 'options' => \ValueError::class,
            'object' => \TypeError::class, 'first' => null, 'second' => \ValueError::class,
        ], $classes);
        foreach (array_keys(array_filter($classes)) as $name) {
            self::assertStringContainsString("message “{$name}”: ", $answers[$name]['errmsg']);
            self::assertNull($answers[$name]['errcode']);
        }
        self::assertCount(1, $this->shop->messages());
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testWrongArgumentsSendNothing(): void
    {
        $messages = [$this->to('oA')];
        $wrong = [
            [fn () => RoutineTemplate::sendMany('oA'), \TypeError::class], [fn () => RoutineTemplate::sendMany(new \stdClass()), \TypeError::class],
            [fn () => RoutineTemplate::sendMany($messages, ['concurrency' => 0]), \ValueError::class],
            [fn () => RoutineTemplate::sendMany($messages, ['key' => 'k']), \ValueError::class],
            [fn () => RoutineTemplate::sendMany($messages, ['each' => 'strlen']), \TypeError::class],
            [fn () => RoutineTemplate::sendMany($messages, ['progress' => 5]), \TypeError::class],
            [fn () => RoutineTemplate::sendMany($messages, ['unknown' => 5]), \ValueError::class],
            [fn () => RoutineTemplate::app('wxNobody')->sendMany($messages), RoutineTemplate\ConfigException::class],
        ];
        foreach ($wrong as [$call, $class]) {
            self::thrownBy($call, $class);
        }
        self::assertSame([], $this->shop->messages());
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testAnExceptionOfTheApplicationEndsTheBulkAndIsSeen(): void
    {
        $this->slow(30);
        $stop = static function (): void {
            throw new \DomainException('enough');
        };
        $generator = function () use ($stop): \Generator {
            yield from array_map([$this, 'to'], ['oA', 'oB', 'oC']);
            $stop();
        };
        $iterator = new class extends ArrayIterator {
            #[\ReturnTypeWillChange]
            public function current()
            {
                throw new \DomainException('enough');
            }
        };
        $many = iterator_to_array($this->generate(60));
        $iterator[] = 1;
        foreach ([
            fn () => RoutineTemplate::sendMany($many, ['each' => $stop, 'concurrency' => 4]),
            fn () => RoutineTemplate::sendMany($many, ['progress' => $stop, 'concurrency' => 4]),
            fn () => RoutineTemplate::sendMany($generator()),
            fn () => RoutineTemplate::sendMany($iterator),
        ] as $call) {
            self::assertSame('enough', self::thrownBy($call, \DomainException::class)->getMessage());
        }
        self::assertLessThan(30, count($this->shop->messages()));
        self::assertSame([], RoutineTemplate::deliveries(['state' => 'sending']));
        self::assertCount(count($this->shop->messages()), RoutineTemplate::deliveries(['state' => 'delivered']));
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testAGeneratorThatWasNotReadToItsEndIsClosed(): void
    {
        $closed = false;
        $generator = (function () use (&$closed): \Generator {
            try {
                yield from $this->generate(1000);
            } finally {
                $closed = true;
            }
        })();
        self::thrownBy(function () use (&$generator): void {
            $messages = $generator;
            $generator = null;
            RoutineTemplate::sendMany($messages, ['each' => static function (): void {
                throw new \DomainException('enough');
            }]);
        }, \DomainException::class);
        gc_collect_cycles();
        self::assertTrue($closed);
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testTheApplicationMaySendAndConfigureWhileItIsAsked(): void
    {
        $inner = 0;
        $summary = RoutineTemplate::sendMany($this->generate(20), ['concurrency' => 4, 'each' => function () use (&$inner): void {
            RoutineTemplate::configure(['timeout_ms' => 2000]);
            $inner += RoutineTemplate::send('oInner', $this->shop->orderPaid, Shop::order())['errcode'] === 0 ? 1 : 0;
            $inner += RoutineTemplate::sendMany([$this->to('oA'), $this->to('oA')], ['each' => static fn () => null])['delivered'];
        }]);
        self::assertSame([20, 60], [$summary['delivered'], $inner]);
    }

    public function testMessagesOfOneBuyerGoOneAfterAnotherInTheirOrder(): void
    {
        $this->slow(10);
        $messages = [];
        for ($i = 0; $i < 40; $i++) {
            $messages[] = ['oBuyer' . $i % 3, $this->shop->orderPaid, Shop::order(['character_string1' => "n$i"])];
        }
        $answers = RoutineTemplate::sendMany($messages);
        self::assertSame([0], array_values(array_unique(array_column($answers, 'errcode'))));
        $numbers = [];
        foreach ($this->shop->messages() as $message) {
            $numbers[$message['openid']][] = (int) substr(self::values($message)['character_string1'], 1);
        }
        foreach ($numbers as $ofOne) {
            $sorted = $ofOne;
            sort($sorted);
            self::assertSame($sorted, $ofOne);
        }
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testATokenSupplierIsAskedOnceAndItsExceptionIsSeen(): void
    {
        $good = RoutineTemplate::accessToken();
        $asked = [];
        RoutineTemplate::configure(['token_mode' => 'external', 'token' => static function (bool $refresh) use (&$asked, $good): string {
            $asked[] = $refresh;
            return $refresh ? $good : 'dead';
        }]);
        $summary = RoutineTemplate::sendMany($this->generate(40), ['each' => static fn () => null]);
        self::assertSame([40, [false, true]], [$summary['delivered'], $asked]);

        RoutineTemplate::configure(['token' => static function (bool $refresh): string {
            if ($refresh) {
                throw new \DomainException('no token');
            }
            return 'dead';
        }]);
        self::thrownBy(fn () => RoutineTemplate::sendMany($this->generate(40)), \DomainException::class);
        self::assertSame([], RoutineTemplate::deliveries(['state' => 'sending']));
    }

    public function testAMessageCountsAsOneThatWasSentAlone(): void
    {
        $before = RoutineTemplate::stats();
        RoutineTemplate::sendMany([$this->to('oA'), $this->to('oB', ['key' => 'k']), $this->to('oB', ['key' => 'k']), $this->to(''), 'nonsense']);
        $after = RoutineTemplate::stats();
        $grown = fn (string $name): int => $after[$name] - $before[$name];
        self::assertSame([4, 2, 1, 1], array_map($grown, ['sends', 'delivered', 'duplicates', 'refused_local']));
    }

    public function testExitInACallbackEndsTheScriptAfterWhatIsInFlight(): void
    {
        $this->slow(50);
        foreach (['exit(7);' => 7, 'ini_set("memory_limit", "8M"); str_repeat("x", 1 << 28);' => 255] as $end => $code) {
            $store = Environment::newStore();
            $result = $this->script(
                "register_shutdown_function(static function () { echo 'shut down'; });\n"
                . "RoutineTemplate::sendMany(\$many(500), ['concurrency' => 8, 'each' => static function () { $end }]);\necho 'not reached';",
                ['store' => $store]
            )->wait();
            self::assertSame($code, $result->exitCode, $result->errors);
            self::assertSame('shut down', $result->output);
            RoutineTemplate::configure(['store' => $store]);
            self::assertSame([], RoutineTemplate::deliveries(['state' => 'sending']));
            self::assertNotSame([], RoutineTemplate::deliveries(['state' => 'delivered']));
        }
    }

    /**
     * What is let go of between two messages may end everything: an answer of a callback, a key, a message, a callable.
     *
     * @dataProvider ends
     */
    #[DataProvider('ends')]
    public function testADestructorMayEndTheBulkAfterWhatIsInFlight(string $end, int $code, string $output): void
    {
        $bomb = "final class Bomb { public function __destruct() { $end } }\n"
            . "final class Bombs extends ArrayIterator { public string \$where = '';\n"
            . "    public function bomb(string \$where): ?Bomb { return \$where === \$this->where && parent::key() === 12 ? new Bomb() : null; }\n"
            . "    #[ReturnTypeWillChange]\n    public function key() { return \$this->bomb('key') ?? parent::key(); }\n"
            . "    #[ReturnTypeWillChange]\n    public function current() { return parent::current() + [5 => \$this->bomb('message')]; } }\n"
            . "\$bombs = static function (string \$where) use (\$many): Bombs { \$bombs = new Bombs(iterator_to_array(\$many(40))); \$bombs->where = \$where; return \$bombs; };\n"
            . "register_shutdown_function(static function () { echo 'shut down'; });\n";
        $calls = [
            'each' => '$many(500), ["each" => static fn () => new Bomb(), "concurrency" => 8]',
            'progress' => '$many(500), ["progress" => static fn () => new Bomb(), "concurrency" => 8]',
            'key' => '$bombs("key"), ["each" => static fn () => null, "concurrency" => 8]',
            'message' => '$bombs("message"), ["each" => static fn () => null, "concurrency" => 8]',
        ];
        foreach ($calls as $name => $call) {
            // The first four are under way when the next ones have their answers.
            $this->sandbox->clearFaults();
            $this->sandbox->fault(self::SEND, 'latency', ['ms' => 700, 'times' => 4]);
            $store = Environment::newStore();
            $result = $this->script(
                $bomb . "try { RoutineTemplate::sendMany($call); echo 'not reached'; } catch (DomainException \$exception) { echo 'caught '; }",
                ['store' => $store]
            )->wait();
            self::assertSame([$code, $output], [$result->exitCode, $result->output], "$name: $result->errors");
            RoutineTemplate::configure(['store' => $store]);
            self::assertSame([], RoutineTemplate::deliveries(['state' => 'sending']), $name);
            self::assertNotSame([], RoutineTemplate::deliveries(['state' => 'delivered']), $name);
        }
    }

    public static function ends(): array
    {
        return [
            'exit' => ['exit(7);', 7, 'shut down'],
            'a fatal error' => ['eval("class Bomb {}");', 255, 'shut down'],
            'an exception' => ['throw new DomainException("enough");', 0, 'caught shut down'],
        ];
    }

    public function testAnswersThatDoNotFitIntoMemoryEndTheScriptAsAnyArrayWould(): void
    {
        $result = $this->script("ini_set('memory_limit', '4M'); RoutineTemplate::sendMany(\$many(20000));")->wait();
        self::assertStringContainsString('Allowed memory size', $result->errors);
        self::assertSame(255, $result->exitCode, $result->errors);
    }

    public function testCtrlCSettlesWhatIsInFlightAndThenEndsTheProcess(): void
    {
        foreach ([SIGINT, SIGTERM] as $signal) {
            $this->slow(400);
            $store = Environment::newStore();
            $running = $this->script('RoutineTemplate::sendMany($many(5000), ["concurrency" => 8]);', ['store' => $store, 'timeout_ms' => 20000]);
            $this->awaitMessages();
            posix_kill($running->pid, $signal);
            $result = $running->wait();
            self::assertSame($signal, $result->signal, $result->errors);
            RoutineTemplate::configure($this->shop->config(['store' => $store]));
            self::assertSame([], RoutineTemplate::deliveries(['state' => 'sending', 'limit' => 1000]));
            $delivered = RoutineTemplate::deliveries(['state' => 'delivered', 'limit' => 1000]);
            self::assertSame(count($this->shop->messages()), count($delivered), "signal $signal");
            self::assertLessThan(1000, count($delivered));
            $this->sandbox->clearFaults();
            $this->sandbox->reset();
            $this->shop = new Shop($this->sandbox, ['any_openid' => true]);
        }
    }

    public function testASecondCtrlCEndsTheProcessAtOnce(): void
    {
        $this->sandbox->fault(self::SEND, 'hang', ['times' => null]);
        $running = $this->script('RoutineTemplate::sendMany($many(50));', ['timeout_ms' => 60000], 50.0);
        Wait::until(fn (): bool => $this->sandbox->requests(self::SEND) > 0, 'a request');
        posix_kill($running->pid, SIGINT);
        usleep(300_000);
        self::assertTrue(posix_kill($running->pid, 0), 'the first one waits');
        // Two that come too close are one.
        Wait::until(static function () use ($running): bool {
            posix_kill($running->pid, SIGINT);
            usleep(100_000);
            return str_contains((string) @file_get_contents("/proc/$running->pid/stat"), ') Z ');
        }, 'the end of the process', 30.0);
        $result = $running->wait();
        self::assertSame([SIGINT, false], [$result->signal, $result->timedOut]);
    }

    public function testASignalHandlerOfTheApplicationRunsBetweenTheStepsAndMayThrow(): void
    {
        $modules = Environment::modules('pcntl', 'posix');
        if ($modules === null) {
            self::markTestSkipped('This PHP has no pcntl.');
        }
        Face::needsSignalHandlersThatThrow($modules);
        $this->slow(20);
        $running = $this->script(<<<'PHP'
            pcntl_async_signals(true);
            pcntl_signal(SIGTERM, static function () { throw new DomainException('stop'); });
            try {
                RoutineTemplate::sendMany($many(100000), ['each' => static fn () => null]);
            } catch (DomainException $exception) {
                echo $exception->getMessage(), count(RoutineTemplate::deliveries(['state' => 'sending']));
            }
            PHP, [], 60.0, $modules);
        $this->awaitMessages();
        posix_kill($running->pid, SIGTERM);
        $result = $running->wait();
        self::assertSame(['stop0', 0], [$result->output, $result->exitCode], $result->errors);
    }

    public function testTheTimeLimitOfPhpEndsABulkThatUsesItUp(): void
    {
        $result = $this->script(
            'set_time_limit(1); RoutineTemplate::sendMany($many(10000000), ["each" => static function () { for ($i = 0; $i < 20000; $i++) { md5("x"); } }]);',
            [],
            120.0
        )->wait();
        self::assertStringContainsString('Maximum execution time', $result->errors);
        self::assertSame(255, $result->exitCode, $result->errors);
    }

    public function testAChildOfAForkInACallbackLeavesTheBulkToItsParent(): void
    {
        $modules = Environment::modules('pcntl', 'posix');
        if ($modules === null) {
            self::markTestSkipped('This PHP has no pcntl.');
        }
        $result = $this->script(<<<'PHP'
            $children = [];
            $summary = RoutineTemplate::sendMany($many(40), ['concurrency' => 4, 'each' => static function (array $answer, int $key) use (&$children, $shop) {
                if ($key !== 20) {
                    return;
                }
                $pid = pcntl_fork();
                if ($pid === 0) {
                    exit(RoutineTemplate::send('oChild', $shop->orderPaid, $shop->order)['errcode']);
                }
                pcntl_waitpid($pid, $status);
                $children[] = pcntl_wexitstatus($status);
            }]);
            echo json_encode([$summary['delivered'], $children]);
            PHP, [], 30.0, $modules)->wait();
        self::assertSame('[40,[0]]', $result->output, $result->errors);
        self::assertCount(41, $this->shop->messages());
    }

    public function testManyMessagesTakeNoMoreMemoryThanFew(): void
    {
        $result = $this->script(<<<'PHP'
            $grown = static function (int $count) use ($many): array {
                $before = (int) explode(' ', file_get_contents('/proc/self/statm'))[1];
                RoutineTemplate::sendMany($many($count), ['each' => static fn () => null, 'validate' => 'strict']);
                return [memory_get_usage(), ((int) explode(' ', file_get_contents('/proc/self/statm'))[1] - $before) * 4096];
            };
            $few = $grown(2000);
            $lots = $grown(30000);
            echo json_encode([$lots[0] - $few[0], $lots[1]]);
            PHP, ['store' => 'off'], 180.0)->wait();
        [$php, $process] = json_decode($result->output, true) ?? self::fail($result->errors);
        self::assertLessThan(100_000, $php);
        self::assertLessThan(4_000_000, $process);
    }

    private function to(string $openid, array $options = []): array
    {
        return [$openid, $this->shop->orderPaid, Shop::order(), null, $options];
    }

    private function generate(int $count): \Generator
    {
        for ($i = 0; $i < $count; $i++) {
            yield $this->to("oBuyer$i");
        }
    }

    /** Every send takes at least so long. */
    private function slow(int $milliseconds): void
    {
        $this->sandbox->fault(self::SEND, 'latency', ['ms' => $milliseconds, 'times' => null]);
    }

    private function awaitMessages(): void
    {
        Wait::until(fn (): bool => count($this->shop->messages()) > 0, 'a message');
    }

    private function script(string $code, array $config = [], float $seconds = 30.0, array $ini = []): RunningPhp
    {
        return PhpProcess::start($this->shop->script(self::EVERYBODY . $code, $config), $ini, $seconds);
    }

    private function assertBulkDelivered(array $answer): void
    {
        self::assertArrayHasKey('exception', $answer);
        self::assertNull($answer['exception']);
        unset($answer['exception']);
        $this->assertDelivered($answer);
    }
}
