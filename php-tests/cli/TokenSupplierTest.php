<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\Attributes\Group;
use RoutineTemplate;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;

/** A token that the application supplies by a callable, as EasyWeChat users and third-party platforms do. */
final class TokenSupplierTest extends SandboxTestCase
{
    /** A token of this shop that WeChat knows. */
    private string $good;

    protected function setUp(): void
    {
        parent::setUp();
        $this->good = $this->tokenOf($this->shop);
    }

    /** For `[object, method]`. */
    public function supply(bool $refresh): string
    {
        return $this->good;
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testAnyCallableThatIsNoStringSuppliesTheToken(): void
    {
        $invokable = new class ($this->good) {
            private string $token;

            public function __construct(string $token)
            {
                $this->token = $token;
            }

            public function __invoke(bool $refresh): string
            {
                return $this->token;
            }
        };
        $reference = fn (): string => $this->good;
        $callables = [
            'a closure' => fn (bool $refresh): string => $this->good, 'an invokable object' => $invokable,
            'object and method' => [$this, 'supply'], 'a first-class callable' => \Closure::fromCallable([$this, 'supply']),
        ];
        foreach ($callables as $name => $callable) {
            $this->supplyBy($callable);
            $this->assertDelivered($this->sendOrder());
            self::assertSame($this->good, RoutineTemplate::accessToken(), $name);
        }
        RoutineTemplate::configure(['token' => &$reference]);
        $this->assertDelivered($this->sendOrder());
        self::assertSame(1, $this->shop->tokenFetches(), 'only the one that this test made');
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testATextThatNamesAFunctionIsAToken(): void
    {
        RoutineTemplate::configure(['token_mode' => 'external', 'token' => 'strtoupper']);
        self::assertSame('strtoupper', RoutineTemplate::accessToken());
        self::assertSame('token_stale', $this->sendOrder()['outcome']);
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testATokenGivenLaterTakesThePlaceOfTheCallable(): void
    {
        $asked = 0;
        $this->supplyBy(function () use (&$asked): string {
            $asked++;
            return $this->good;
        });
        RoutineTemplate::configure(['token' => $this->good]);
        $this->assertDelivered($this->sendOrder());
        RoutineTemplate::configure(['timeout_ms' => 2000]);
        self::assertSame(0, $asked);
        RoutineTemplate::configure(['token_mode' => 'stable', 'token' => '']);
        $this->assertDelivered($this->sendOrder());
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testAWrongSettingBesideTheCallableChangesNothing(): void
    {
        $this->supplyBy(fn (): string => $this->good);
        self::thrownBy(
            static fn () => RoutineTemplate::configure(['token' => static fn (): string => 'other', 'state' => 'beta']),
            RoutineTemplate\ConfigException::class
        );
        self::assertSame($this->good, RoutineTemplate::accessToken());
        self::thrownBy(static fn () => RoutineTemplate::configure(['token' => [new \stdClass(), 'x']]), RoutineTemplate\ConfigException::class);
        self::assertSame($this->good, RoutineTemplate::accessToken());
    }

    /**
     * @dataProvider deaths
     * @group smoke
     */
    #[DataProvider('deaths')]
    #[Group('smoke')]
    public function testItIsAskedOnceMoreAfterWeChatRefusedAToken(string $how): void
    {
        $asked = [];
        $this->supplyBy(function (bool $refresh) use (&$asked): string {
            $asked[] = $refresh;
            return $refresh ? $this->tokenOf($this->shop) : $this->good;
        });
        $this->sandbox->post('expire_tokens', ['appid' => $this->shop->appid, 'kind' => 'all', 'how' => $how]);
        $answer = $this->sendOrder();
        $this->assertDelivered($answer);
        self::assertSame(2, $answer['attempts']);
        self::assertSame([false, true], $asked);
        self::assertSame(2, RoutineTemplate::status($answer['id'])['attempts']);
    }

    public static function deaths(): array
    {
        return ['expired (42001)' => ['expired'], 'revoked (40001)' => ['revoked']];
    }

    public function testATokenThatStaysBadIsAskedForTwiceAndNotForEver(): void
    {
        $asked = [];
        $this->supplyBy(function (bool $refresh) use (&$asked): string {
            $asked[] = $refresh;
            return 'bad' . count($asked);
        });
        self::assertSame('token_stale', $this->sendOrder()['outcome']);
        self::assertSame([false, true], $asked);
        self::assertSame(2, $this->sandbox->requests(self::SEND));
    }

    /**
     * @dataProvider nothings
     *
     * @param mixed $nothing
     * @group smoke
     */
    #[DataProvider('nothings')]
    #[Group('smoke')]
    public function testWhatIsNoTokenIsAnErrorThatNamesTheSetting($nothing): void
    {
        $this->accept();
        $this->supplyBy(static fn () => $nothing);
        $exception = self::thrownBy(fn () => $this->sendOrder(), RoutineTemplate\ConfigException::class);
        self::assertStringContainsString('token', $exception->getMessage());
        self::thrownBy(static fn () => RoutineTemplate::accessToken(), RoutineTemplate\ConfigException::class);
        $this->assertNothingIsLeftOver();
    }

    public static function nothings(): array
    {
        return [
            'null' => [null], 'empty' => [''], 'blank' => ['  '], 'false' => [false], 'an int' => [42], 'an array' => [['access_token' => 'x']],
            'an object' => [new \ArrayObject()], 'bytes' => ["\xff\xfe"], 'two lines' => ["a\nb"], 'NUL' => ["a\0b"],
            'endless' => [str_repeat('x', 5000)],
        ];
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testItsOwnExceptionReachesTheCallerUnchanged(): void
    {
        $this->accept();
        foreach ([false, true] as $refused) {
            $thrown = new \DomainException('the token server is away', 7);
            $this->supplyBy(function (bool $refresh) use ($thrown, $refused): string {
                if ($refresh === $refused) {
                    throw $thrown;
                }
                return 'bad';
            });
            self::assertSame($thrown, self::thrownBy(fn () => $this->sendOrder(), \DomainException::class));
            self::assertNull($thrown->getPrevious());
            $this->assertNothingIsLeftOver();
        }
        $this->supplyBy(fn (): string => $this->good);
        $this->assertDelivered($this->sendOrder());
        self::assertLedger(['delivered' => 1, 'available' => 0], RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid));
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testAnErrorInItReachesTheCallerToo(): void
    {
        $this->supplyBy(static fn (): string => no_such_function());
        self::assertStringContainsString('no_such_function', self::thrownBy(fn () => $this->sendOrder(), \Error::class)->getMessage());
        $this->supplyBy(static fn (int $a, int $b): string => 'x');
        self::thrownBy(fn () => $this->sendOrder(), \ArgumentCountError::class);
        $this->supplyBy(static fn (array $refresh): string => 'x');
        self::thrownBy(fn () => $this->sendOrder(), \TypeError::class);
        $this->supplyBy(fn (): string => $this->good);
        $this->assertDelivered($this->sendOrder());
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testItMaySendAndConfigureByItself(): void
    {
        $depth = 0;
        $codes = [];
        $this->supplyBy(function (bool $refresh) use (&$depth, &$codes): string {
            if ($depth++ < 3) {
                $codes[] = $this->sendOrder([], ['key' => "inner-$depth"])['errcode'];
            }
            return $this->good;
        });
        $this->assertDelivered($this->sendOrder([], ['key' => 'outer']));
        self::assertSame([0, 0, 0], $codes);
        self::assertCount(4, $this->shop->messages());

        $this->supplyBy(function (): string {
            // The callable that is running is replaced, and with it the last reference to it.
            RoutineTemplate::configure(['token' => fn (): string => $this->good, 'state' => 'trial']);
            gc_collect_cycles();
            return $this->good;
        });
        $this->assertDelivered($this->sendOrder());
        $this->assertDelivered($this->sendOrder());
        self::assertSame(['formal', 'trial'], array_column(array_slice($this->shop->messages(), 4), 'miniprogram_state'));

        $other = new Shop($this->sandbox);
        $this->supplyBy(function () use ($other): string {
            RoutineTemplate::configure($other->config());
            return $this->good;
        });
        $this->assertDelivered($this->sendOrder());
        $this->assertDelivered(RoutineTemplate::send($other->openid, $other->orderPaid, Shop::order()));
    }

    public function testEachAccountOfAThirdPartyPlatformHasItsOwn(): void
    {
        $shops = [$this->shop, new Shop($this->sandbox), new Shop($this->sandbox)];
        $asked = [];
        foreach ($shops as $shop) {
            $token = $this->tokenOf($shop);
            RoutineTemplate::app($shop->appid)->configure([
                'base_url' => $this->sandbox->https, 'ca_file' => $this->sandbox->caFile, 'secret' => '',
                'token' => static function (bool $refresh) use ($shop, $token, &$asked): string {
                    $asked[] = $shop->appid;
                    return $token;
                },
            ]);
        }
        foreach (array_reverse($shops) as $shop) {
            $app = RoutineTemplate::app($shop->appid);
            $this->assertDelivered($app->send($shop->openid, $shop->orderPaid, Shop::order()));
            self::assertCount(1, $shop->messages());
        }
        self::assertSame(array_reverse(array_column($shops, 'appid')), $asked);
    }

    public function testItIsAskedOnceForAMessageThatIsRefusedHere(): void
    {
        $asked = 0;
        $this->supplyBy(function () use (&$asked): string {
            $asked++;
            return $this->good;
        });
        RoutineTemplate::registerTemplate('order_pay_success', $this->shop->orderPaid, Shop::ORDER_PAID);
        self::assertSame(47003, RoutineTemplate::send($this->shop->openid, 'order_pay_success', [])['errcode']);
        self::assertSame(0, $asked, 'no token is needed where nothing can be sent');
    }

    public function testTheTokenIsNotShown(): void
    {
        $this->supplyBy(static fn (): string => 'a_token_that_must_not_show');
        $this->sandbox->fault(self::SEND, 'drop_after');
        $exception = self::thrownBy(fn () => $this->sendOrder(), RoutineTemplate\TransportException::class);
        $shown = $exception . print_r(RoutineTemplate::app($this->shop->appid), true) . json_encode(RoutineTemplate::deliveries());
        self::assertStringNotContainsString('a_token_that_must_not_show', $shown);
    }

    /**
     * @dataProvider ends
     */
    #[DataProvider('ends')]
    public function testOneThatEndsTheScriptLeavesNothingHalfDone(string $end, bool $refresh, int $exitCode, string $errors): void
    {
        $this->accept();
        $result = PhpProcess::run($this->shop->script('
            register_shutdown_function(function () use ($shop) {
                RoutineTemplate::configure(["token" => ' . var_export($this->good, true) . ']);
                echo json_encode([RoutineTemplate::grants($shop->openid, $shop->orderPaid)["reserved"],
                    RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order)["errcode"]]);
            });
            RoutineTemplate::configure(["token" => function (bool $refresh) {
                if ($refresh === ' . var_export($refresh, true) . ') { ' . $end . ' }
                return "bad";
            }]);
            try { RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order); echo "went on"; }
            catch (Throwable $e) { echo "caught ", get_class($e); } finally { echo ""; }
            echo "went on";'), ['memory_limit' => '32M']);

        self::assertNull($result->signal, $result->describe());
        self::assertFalse($result->timedOut, $result->describe());
        self::assertSame([$exitCode, '[0,0]'], [$result->exitCode, $result->output], $result->describe());
        if ($errors === '') {
            self::assertSame('', $result->errors);
        } else {
            self::assertStringContainsString($errors, $result->errors);
            self::assertSame(1, substr_count($result->errors, 'Fatal error'), "nothing is said beside it\n" . $result->errors);
        }
        self::assertLedger(
            ['available' => 0, 'reserved' => 0, 'delivered' => 1],
            RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid)
        );
        self::assertSame([], RoutineTemplate::deliveries(['state' => 'sending']));
    }

    public static function ends(): array
    {
        $ends = [];
        foreach (['at once' => false, 'when asked again' => true] as $when => $refresh) {
            $ends["exit $when"] = ['exit(7);', $refresh, 7, ''];
            $ends["die $when"] = ['die();', $refresh, 0, ''];
            $ends["memory limit $when"] = ['$a = str_repeat("x", 64 * 1024 * 1024);', $refresh, 255, 'Allowed memory size'];
            $ends["user error $when"] = ['trigger_error("the end", E_USER_ERROR);', $refresh, 255, 'the end'];
            $ends["time limit $when"] = ['set_time_limit(1); while (true) { }', $refresh, 255, 'Maximum execution time'];
            $ends["a fatal error of the compiler $when"] = ['eval("class A { } class A { }");', $refresh, 255, 'declare class A'];
            $ends["a fatal error below a call of ours $when"] = ['RoutineTemplate::configure(["token" => function () {
                $a = str_repeat("x", 64 * 1024 * 1024); return "x"; }]); RoutineTemplate::accessToken();', $refresh, 255, 'Allowed memory size'];
        }
        return $ends;
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testItMaySuspendTheFiberThatSends(): void
    {
        if (PHP_VERSION_ID < 80100) {
            self::markTestSkipped('Fibers came with PHP 8.1.');
        }
        $this->accept(null, 2);
        foreach ([false, true] as $refreshed) {
            $this->supplyBy(function (bool $refresh) use ($refreshed): string {
                if ($refresh === $refreshed && \Fiber::getCurrent() !== null) {
                    return \Fiber::suspend('waits for a token');
                }
                return $refreshed && !$refresh && \Fiber::getCurrent() !== null ? 'bad' : $this->good;
            });
            $fiber = new \Fiber(fn (): array => $this->sendOrder());
            self::assertSame('waits for a token', $fiber->start());
            $this->assertDelivered($this->sendOrder());
            $fiber->resume($this->good);
            $this->assertDelivered($fiber->getReturn());

            $never = new \Fiber(fn (): array => $this->sendOrder());
            $never->start();
            unset($never);
            gc_collect_cycles();
            self::assertSame([], RoutineTemplate::deliveries(['state' => 'sending']));
        }
        self::assertLedger(['reserved' => 0, 'delivered' => 4], RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid));
    }

    public function testItsObjectsEndWithTheRequest(): void
    {
        $result = PhpProcess::run($this->shop->script('
            final class Supplier {
                public array $itself;
                private string $name;
                private string $token;
                public function __construct(string $name, string $token) { [$this->name, $this->token, $this->itself] = [$name, $token, [$this, "token"]]; }
                public function token(bool $refresh): string { return $this->token; }
                public function __destruct() { echo $this->name, " ends\n"; if ($this->name === "second") {
                    echo RoutineTemplate::accessToken() !== "" ? "and still works\n" : ""; } }
            }
            RoutineTemplate::configure(["token" => [new Supplier("first", "x"), "token"]]);
            RoutineTemplate::configure(["token" => (new Supplier("second", ' . var_export($this->good, true) . '))->itself]);
            gc_collect_cycles();
            echo RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order)["errcode"], "\n";
            echo "end of the script\n";'));
        self::assertSame("first ends\n0\nend of the script\nsecond ends\nand still works\n", $result->output, $result->describe());
        self::assertSame([0, ''], [$result->exitCode, $result->errors]);
    }

    public function testTwoThousandMessagesDoNotGrowTheRequest(): void
    {
        $result = PhpProcess::run($this->shop->script('
            $token = ' . var_export($this->good, true) . ';
            RoutineTemplate::configure(["durability" => "process", "token" => function (bool $refresh) use ($token) { return $token . ""; }]);
            $send = function (int $times) use ($shop) {
                for ($i = 0; $i < $times; $i++) { RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order); }
            };
            $send(200); gc_collect_cycles(); $before = memory_get_usage(); $send(2000); gc_collect_cycles();
            echo json_encode(memory_get_usage() - $before);'), [], 60.0);
        self::assertLessThan(1024, $result->json(), 'bytes');
    }

    /** A token of a shop from WeChat, past everything that the extension knows. */
    private function tokenOf(Shop $shop): string
    {
        $context = stream_context_create(['http' => [
            'method' => 'POST', 'header' => 'Content-Type: application/json', 'timeout' => 10,
            'content' => json_encode(['grant_type' => 'client_credential', 'appid' => $shop->appid, 'secret' => $shop->secret]),
        ]]);
        $answer = json_decode((string) file_get_contents($this->sandbox->http . self::STABLE_TOKEN, false, $context), true);
        self::assertIsString($answer['access_token'] ?? null);
        return $answer['access_token'];
    }

    private function supplyBy(callable $callable): void
    {
        RoutineTemplate::configure($this->shop->config(['token' => $callable, 'token_mode' => 'external']));
    }

    private function assertNothingIsLeftOver(): void
    {
        self::assertLedger(['available' => 1, 'reserved' => 0], RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid));
        self::assertSame([], RoutineTemplate::deliveries(['state' => 'sending']));
        self::assertSame([], RoutineTemplate::deliveries(['state' => 'unknown']));
    }

    public function testACallableThatIsGivenBeforeTheAccountIsNamedBelongsToIt(): void
    {
        $token = RoutineTemplate::accessToken();
        $config = $this->shop->config(['token_mode' => 'external']);
        unset($config['appid'], $config['secret'], $config['token']);
        $result = PhpProcess::run('<?php
            RoutineTemplate::configure(["token" => fn (): string => ' . var_export($token, true) . '] + ' . var_export($config, true) . ');
            RoutineTemplate::configure(["appid" => ' . var_export($this->shop->appid, true) . ']);
            echo RoutineTemplate::send(' . var_export($this->shop->openid, true) . ', ' . var_export($this->shop->orderPaid, true) . ', '
            . var_export(Shop::order(), true) . ')["errcode"];');

        self::assertSame('0', $result->output, $result->describe());
    }
}
