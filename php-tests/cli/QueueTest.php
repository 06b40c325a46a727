<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\Attributes\Group;
use RoutineTemplate;
use RoutineTemplate\Tests\Environment;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;

/** queue(): what is accepted now, delivered in the background, and told by status(). */
final class QueueTest extends SandboxTestCase
{
    /** What is queued here meets no message of another test. */
    private static ?string $store = null;

    protected function setUp(): void
    {
        parent::setUp();
        self::$store ??= Environment::newStore();
        RoutineTemplate::configure(['store' => self::$store]);
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testAQueuedMessageArrivesAndItsStatusSaysSo(): void
    {
        $before = microtime(true);
        $id = $this->queueOrder(['thing4' => str_repeat('苹果', 30)], ['key' => 'order-1']);
        self::assertMatchesRegularExpression('/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/', $id);
        self::assertContains(RoutineTemplate::status($id)['state'], ['queued', 'sending', 'delivered']);

        self::assertSame(0, RoutineTemplate::flush(self::patience()));

        [$message] = $this->shop->messages();
        self::assertSent(Shop::order(['thing4' => str_repeat('苹果', 10)]), $message);
        $row = RoutineTemplate::status($id);
        self::assertSame([$id, $this->shop->openid, $this->shop->orderPaid, 'subscribe', 'order-1', null, null], [
            $row['id'], $row['openid'], $row['template_id'], $row['channel'], $row['key'], $row['payload'], $row['due'],
        ]);
        self::assertSame(['delivered', 0, 'wechat', 1, 'thing4'], [
            $row['state'], $row['errcode'], $row['source'], $row['attempts'], $row['changed'][0]['field'],
        ]);
        self::assertSame((string) $message['msgid'], (string) $row['msgid']);
        self::assertGreaterThanOrEqual(floor($before * 1000) / 1000, $row['begun']);
        self::assertGreaterThanOrEqual($row['begun'], $row['finished']);
        self::assertSame([$row], RoutineTemplate::deliveries(['key' => 'order-1', 'state' => 'delivered']));
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testDataPageAndOptionsAreThoseOfSend(): void
    {
        RoutineTemplate::registerTemplate('ORDER_PAID', $this->shop->orderPaid, Shop::ORDER_PAID);
        RoutineTemplate::queue($this->shop->openid, 'ORDER_PAID', json_encode(Shop::order()), 'pages/a?b=1', [
            'state' => 'trial', 'lang' => 'en_US', 'timeout_ms' => '2500', 'validate' => 'strict', 'grants' => 'off', 'key' => 10086,
        ]);
        RoutineTemplate::queue(
            $this->shop->openid,
            $this->shop->orderPaid,
            (object) (['thing4.DATA' => iconv('UTF-8', 'GBK', '云南高原红富士苹果')] + array_diff_key(Shop::order(), ['thing4' => 1])),
            null,
            ['state' => null]
        );
        self::assertSame(0, RoutineTemplate::flush((string) self::patience()));

        [$first, $second] = $this->shop->messages();
        self::assertSame(['trial', 'en_US', 'pages/a?b=1'], [$first['miniprogram_state'], $first['lang'], $first['page']]);
        self::assertSame('云南高原红富士苹果', self::values($second)['thing4']);
        self::assertSame('delivered', RoutineTemplate::deliveries(['key' => '10086'])[0]['state']);
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testWhatWeChatWouldCertainlyRefuseIsRefusedAtOnce(): void
    {
        RoutineTemplate::configure(['hint_lang' => 'en']);
        RoutineTemplate::registerTemplate('ORDER_PAID', $this->shop->orderPaid, Shop::ORDER_PAID);
        foreach (
            [
                [47003, 'amount2', $this->shop->openid, 'ORDER_PAID', array_diff_key(Shop::order(), ['amount2' => 1])],
                [47003, 'character_string1', $this->shop->openid, 'ORDER_PAID', Shop::order(['character_string1' => '订单号'])],
                [40003, 'openid', '', $this->shop->orderPaid, Shop::order()],
                [40037, 'template', $this->shop->openid, '', Shop::order()],
            ] as [$code, $word, $openid, $template, $data]
        ) {
            $refused = self::thrownBy(
                static fn () => RoutineTemplate::queue($openid, $template, $data, null, ['key' => $word]),
                RoutineTemplate\RefusedException::class
            );
            self::assertSame($code, $refused->getCode());
            self::assertStringContainsString($word, $refused->getMessage());
        }
        self::assertSame(0, RoutineTemplate::flush(0));
        self::assertSame(0, $this->sandbox->requests(self::SEND));
        $row = RoutineTemplate::deliveries(['key' => 'amount2'])[0];
        self::assertSame(['refused', 47003, 'local'], [$row['state'], $row['errcode'], $row['source']], 'it has its row all the same');

        self::assertSame($row['id'], $this->queueOrder([], ['key' => 'amount2']));
        self::assertSame(0, RoutineTemplate::flush(self::patience()));
        self::assertCount(1, $this->shop->messages(), 'the same key serves once the data are right');
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testARefusalOfWeChatIsToldByTheStatusAndNotTriedAgain(): void
    {
        $id = RoutineTemplate::queue('oNobody', $this->shop->orderPaid, Shop::order());
        self::assertSame(0, RoutineTemplate::flush(self::patience()));
        $row = RoutineTemplate::status($id);
        self::assertSame(['refused', 40003, 'wechat', 1], [$row['state'], $row['errcode'], $row['source'], $row['attempts']]);
        self::assertSame(1, $this->sandbox->requests(self::SEND));
    }

    public function testAGrantIsTakenWhenAMessageIsSentAndWithoutOneItIsRefusedThen(): void
    {
        $grants = fn (): array => RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid);
        $this->accept();
        $first = $this->queueOrder([], ['delay' => 1, 'grants' => 'strict']);
        $second = $this->queueOrder([], ['delay' => 1, 'grants' => 'strict']);
        self::assertLedger(['available' => 1, 'reserved' => 0], $grants());

        self::assertSame(0, RoutineTemplate::flush(self::patience()));

        self::assertLedger(['available' => 0, 'delivered' => 1, 'accepted' => 1], $grants());
        self::assertSame(['delivered', 'refused'], [RoutineTemplate::status($first)['state'], RoutineTemplate::status($second)['state']]);
        self::assertSame([43101, 'local', 0], [
            RoutineTemplate::status($second)['errcode'], RoutineTemplate::status($second)['source'], RoutineTemplate::status($second)['attempts'],
        ]);
        self::assertCount(1, $this->shop->messages());
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testTheSameKeyIsTheSameMessageHoweverItWasHandedIn(): void
    {
        $id = $this->queueOrder([], ['key' => 'order-1']);
        self::assertSame($id, $this->queueOrder([], ['key' => 'order-1']));
        self::assertSame(0, RoutineTemplate::flush(self::patience()));
        self::assertSame($id, $this->queueOrder([], ['key' => 'order-1']), 'after it was delivered');
        $answer = $this->sendOrder([], ['key' => 'order-1']);
        self::assertSame([0, true, $id], [$answer['errcode'], $answer['duplicate'], $answer['id']]);

        $sent = $this->sendOrder([], ['key' => 'order-2']);
        self::assertSame($sent['id'], $this->queueOrder([], ['key' => 'order-2']), 'sent before');
        self::assertSame(0, RoutineTemplate::flush(self::patience()));
        self::assertCount(2, $this->shop->messages());
    }

    public function testTheKeyOfAnotherMessageIsAnErrorAndSwallowsNothing(): void
    {
        RoutineTemplate::configure(['hint_lang' => 'en']);
        $this->queueOrder([], ['key' => 'order-1']);
        $error = self::thrownBy(
            fn () => RoutineTemplate::queue(Shop::newOpenid(), $this->shop->orderPaid, Shop::order(), null, ['key' => 'order-1']),
            \ValueError::class
        );
        self::assertStringContainsString('"order-1" belongs to a message to another user', $error->getMessage());
        self::assertSame(0, RoutineTemplate::flush(self::patience()));
    }

    public function testAKeyIsFreeAgainAfterARefusalThatWasNotAboutThisMessage(): void
    {
        $this->sandbox->fault(self::SEND, 'errcode', ['errcode' => 48001, 'times' => 1]);
        $id = $this->queueOrder([], ['key' => 'order-1']);
        self::assertSame(0, RoutineTemplate::flush(self::patience()));
        self::assertSame(['refused', 48001], [RoutineTemplate::status($id)['state'], RoutineTemplate::status($id)['errcode']]);

        self::assertSame($id, $this->queueOrder([], ['key' => 'order-1']));
        self::assertSame(0, RoutineTemplate::flush(self::patience()));
        self::assertSame('delivered', RoutineTemplate::status($id)['state']);
        self::assertCount(1, $this->shop->messages());
    }

    public function testMessagesToOneUserArriveInTheirOrder(): void
    {
        foreach (range(1, 8) as $number) {
            $this->queueOrder(['thing4' => "第{$number}条"]);
        }
        self::assertSame(0, RoutineTemplate::flush(self::patience()));
        self::assertSame(
            array_map(static fn (int $number): string => "第{$number}条", range(1, 8)),
            array_map(static fn (array $message): string => self::values($message)['thing4'], $this->shop->messages())
        );
        self::assertSame(8, $this->sandbox->requests(self::SEND));
    }

    public function testADelayedMessageWaitsAndFlushDoesNotWaitForIt(): void
    {
        // In a process of its own, with a store of its own: what is left there is nobody's.
        [$left, $row, $took, $stored] = PhpProcess::run($this->shop->script('
            $before = microtime(true);
            $id = RoutineTemplate::queue($shop->openid, $shop->orderPaid, $shop->order, null, ["delay" => 3600, "expires" => 60]);
            $left = RoutineTemplate::flush(600000);
            $row = RoutineTemplate::status($id);
            echo json_encode([$left, $row, microtime(true) - $before, RoutineTemplate::deliveries(["state" => "queued"]) === [$row]]);',
            ['store' => Environment::newStore()]))->json();
        self::assertSame(1, $left);
        self::assertLessThan(60, $took);
        self::assertSame(['queued', null, 0, true], [$row['state'], $row['errcode'], $row['attempts'], $stored]);
        self::assertEqualsWithDelta($row['begun'] + 3600, $row['due'], 1);
        self::assertSame([], $this->shop->messages());

        $at = microtime(true);
        $id = $this->queueOrder([], ['delay' => '0.8']);
        self::assertSame(0, RoutineTemplate::flush(self::patience()));
        self::assertGreaterThanOrEqual($at + 0.79, RoutineTemplate::status($id)['finished'], 'what comes up in time is waited for');
        self::assertCount(1, $this->shop->messages());
    }

    public function testAMessageThatCouldNotBeSentInTimeIsExpiredAndNeverSent(): void
    {
        $this->sandbox->fault(self::SEND, 'errcode', ['errcode' => -1, 'times' => null]);
        $ids = [$this->queueOrder([], ['expires' => 2])];
        RoutineTemplate::configure(['queue_expires' => 2]);
        $ids[] = $this->queueOrder();
        self::assertSame(0, RoutineTemplate::flush(self::patience()));
        $this->sandbox->clearFaults();
        $rows = array_map([RoutineTemplate::class, 'status'], $ids);
        self::assertSame(['expired', 'expired'], array_column($rows, 'state'));
        self::assertSame(0, RoutineTemplate::flush(0));
        self::assertSame([], $this->shop->messages());
    }

    public function testAPassingFaultIsTriedAgainAndCostsNothing(): void
    {
        $this->accept();
        $this->sandbox->fault(self::SEND, 'errcode', ['errcode' => -1, 'times' => 1]);
        $before = RoutineTemplate::stats();
        $id = $this->queueOrder();
        self::assertSame(0, RoutineTemplate::flush(self::patience()));
        $after = RoutineTemplate::stats();

        $row = RoutineTemplate::status($id);
        self::assertSame(['delivered', 0, 2], [$row['state'], $row['errcode'], $row['attempts']]);
        self::assertCount(1, $this->shop->messages());
        self::assertLedger(['delivered' => 1, 'available' => 0], RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid));
        $grown = static fn (string $name): int => $after[$name] - $before[$name];
        self::assertSame(
            ['queued' => 1, 'claimed' => 2, 'retried' => 1, 'delivered' => 1, 'requests' => 2, 'sends' => 0, 'expired' => 0, 'thread_failures' => 0],
            array_combine($names = ['queued', 'claimed', 'retried', 'delivered', 'requests', 'sends', 'expired', 'thread_failures'], array_map($grown, $names))
        );
    }

    public function testWhatMayHaveArrivedIsSentAgainOnlyWhereThatWasAskedFor(): void
    {
        $this->accept(null, 2);
        $this->sandbox->fault(self::SEND, 'drop_after', ['times' => 1]);
        $once = $this->queueOrder();
        self::assertSame(0, RoutineTemplate::flush(self::patience()));
        self::assertSame(['unknown', null], [RoutineTemplate::status($once)['state'], RoutineTemplate::status($once)['errcode']]);
        self::assertSame(1, $this->sandbox->requests(self::SEND));
        self::assertLedger(['reserved' => 1, 'available' => 1], RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid));

        foreach ([['option' => true, 'setting' => false], ['option' => null, 'setting' => true]] as $asked) {
            RoutineTemplate::configure(['resend_unknown' => $asked['setting']]);
            $this->sandbox->fault(self::SEND, 'drop_before', ['times' => 1]);
            $again = $this->queueOrder([], ['resend_unknown' => $asked['option']]);
            self::assertSame(0, RoutineTemplate::flush(self::patience()));
            self::assertSame('delivered', RoutineTemplate::status($again)['state']);
        }
        self::assertCount(3, $this->shop->messages());
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testWithoutAStoreItIsRefusedOrSentAtOnceAndNeverPretended(): void
    {
        RoutineTemplate::configure(['store' => 'off', 'hint_lang' => 'en']);
        $error = self::thrownBy(fn () => $this->queueOrder(), RoutineTemplate\ConfigException::class);
        self::assertStringContainsString('the setting store is off', $error->getMessage());
        self::assertStringContainsString('or_send', $error->getMessage());
        self::thrownBy(static fn () => RoutineTemplate::flush(), RoutineTemplate\ConfigException::class);
        self::assertSame([], $this->shop->messages());

        self::assertNotSame('', $this->queueOrder([], ['or_send' => true]));
        self::assertCount(1, $this->shop->messages());
        $refused = self::thrownBy(
            fn () => RoutineTemplate::queue('oNobody', $this->shop->orderPaid, Shop::order(), null, ['or_send' => true]),
            RoutineTemplate\RefusedException::class
        );
        self::assertSame(40003, $refused->getCode());
        $this->sandbox->fault(self::SEND, 'drop_after', ['times' => 1]);
        $unknown = self::thrownBy(fn () => $this->queueOrder([], ['or_send' => true]), RoutineTemplate\TransportException::class);
        self::assertTrue($unknown->isAmbiguous());
    }

    public function testAStoreThatCannotBeWrittenIsAStoreExceptionOrSentAtOnce(): void
    {
        RoutineTemplate::configure(['store' => '/proc/no/such/store', 'hint_lang' => 'en']);
        $error = self::thrownBy(fn () => $this->queueOrder(), RoutineTemplate\StoreException::class);
        self::assertStringContainsString('/proc/no/such/store', $error->getMessage());
        self::assertSame([], $this->shop->messages());
        $this->queueOrder([], ['or_send' => true]);
        self::assertCount(1, $this->shop->messages());
    }

    public function testWithoutAnAccountNothingIsAccepted(): void
    {
        [$class, $message] = PhpProcess::run('
            try { RoutineTemplate::queue("o1", "t1", ["thing1" => "x"]); } catch (Exception $e) { echo json_encode([get_class($e), $e->getMessage()]); }',
            ['hint_lang' => 'en'])->json();
        self::assertSame('RoutineTemplate\ConfigException', $class);
        self::assertStringContainsString('appid', $message);
    }

    /**
     * @dataProvider wrongOptions
     * @group smoke
     */
    #[DataProvider('wrongOptions')]
    #[Group('smoke')]
    public function testAWrongOptionSaysWhatIsAllowed(array $options, string $class, string $words): void
    {
        RoutineTemplate::configure(['hint_lang' => 'en']);
        $error = self::thrownBy(fn () => $this->queueOrder([], $options), $class);
        self::assertStringContainsString($words, $error->getMessage());
        self::assertSame(0, RoutineTemplate::flush(0));
    }

    public static function wrongOptions(): array
    {
        return [
            'a delay before now' => [['delay' => -1], \ValueError::class, 'option delay is 0 … 31536000 (s), "-1" given'],
            'a delay in words' => [['delay' => '5 minutes'], \ValueError::class, 'option delay is 0 … 31536000 (s)'],
            'a delay that is no number' => [['delay' => NAN], \ValueError::class, 'option delay'],
            'a delay of more than a year' => [['delay' => 31_536_001], \ValueError::class, 'option delay'],
            'an array as delay' => [['delay' => []], \TypeError::class, 'option delay must be of type string, array given'],
            'a moment as expires' => [['expires' => 1_795_226_400], \ValueError::class, 'option expires is 1 … 2592000 (s)'],
            'no time at all' => [['expires' => 0], \ValueError::class, 'option expires'],
            'a text as flag' => [['resend_unknown' => 'yes'], \ValueError::class, 'option resend_unknown is true | false, "yes" given'],
            'a number as flag' => [['or_send' => 2], \ValueError::class, 'option or_send is true | false'],
            'an empty key' => [['key' => ''], \ValueError::class, 'option key'],
            'an unknown option' => [['ttl' => 1], \ValueError::class, 'queue(): delay, expires, resend_unknown, or_send'],
            'an option of sendMany' => [['progress' => 1], \ValueError::class, 'there is no option "progress"'],
        ];
    }

    public function testOptionsOfTheQueueAreNoneOfSend(): void
    {
        RoutineTemplate::configure(['hint_lang' => 'en']);
        foreach (['delay' => 1, 'expires' => 60, 'resend_unknown' => true, 'or_send' => true] as $name => $value) {
            $error = self::thrownBy(fn () => $this->sendOrder([], [$name => $value]), \ValueError::class);
            self::assertStringContainsString("option $name belongs to queue()", $error->getMessage());
        }
        self::assertSame([], $this->shop->messages());
    }

    public function testFlushTakesMillisecondsUpToAnHour(): void
    {
        RoutineTemplate::configure(['hint_lang' => 'en']);
        foreach ([-1, 3_600_001, '-1', PHP_INT_MAX] as $wrong) {
            $error = self::thrownBy(static fn () => RoutineTemplate::flush($wrong), \ValueError::class);
            self::assertStringContainsString('0 … 3600000', $error->getMessage());
        }
        self::assertSame(0, RoutineTemplate::flush('0'));
        self::assertSame(0, RoutineTemplate::flush(3_600_000), 'with nothing to wait for');
    }

    public function testEachAccountHasItsOwnQueue(): void
    {
        $other = new Shop($this->sandbox);
        $app = RoutineTemplate::app($other->appid);
        $app->configure($other->config(['store' => self::$store]));
        $this->sandbox->fault(self::SEND, 'latency', ['ms' => 1000, 'times' => 1]);
        $first = $this->queueOrder([], ['key' => 'order-1']);
        $second = $app->queue($other->openid, $other->orderPaid, Shop::order(), null, ['key' => 'order-1']);

        self::assertNotSame($first, $second);
        self::assertSame(0, $app->flush(self::patience()));
        self::assertSame('delivered', $app->status($second)['state']);
        self::assertNull(RoutineTemplate::status($second));
        self::assertSame(0, RoutineTemplate::flush(self::patience()));
        self::assertSame('delivered', RoutineTemplate::status($first)['state']);
        self::assertCount(1, $this->shop->messages());
        self::assertCount(1, $other->messages());
    }

    public function testTheCallableIsAskedWhereTheMessageIsQueuedAndItsTokenServes(): void
    {
        $token = RoutineTemplate::accessToken();
        // Code of the application that ran on another thread would end the process.
        [$asked, $row, $left] = PhpProcess::run($this->shop->script('
            $asked = [];
            RoutineTemplate::configure(["token" => function (bool $refresh) use (&$asked) { $asked[] = $refresh; return "' . $token . '"; }]);
            $id = RoutineTemplate::queue($shop->openid, $shop->orderPaid, $shop->order);
            $left = RoutineTemplate::flush(40000);
            echo json_encode([$asked, RoutineTemplate::status($id), $left]);', ['store' => Environment::newStore()]), [], 60.0)->json();
        self::assertSame([[false], 'delivered', 0], [$asked, $row['state'], $left]);
        self::assertCount(1, $this->shop->messages());
    }

    public function testANewTokenServesMessagesThatWaitedForOne(): void
    {
        $good = RoutineTemplate::accessToken();
        $script = fn (string $token, string $patience): string => $this->shop->script('
            $asked = 0;
            RoutineTemplate::configure(["token" => function () use (&$asked) { $asked++; return "' . $token . '"; }]);
            $id = RoutineTemplate::queue($shop->openid, $shop->orderPaid, $shop->order);
            for ($end = microtime(true) + 30; microtime(true) < $end && RoutineTemplate::status($id)["attempts"] < 1;) { usleep(10000); }
            $left = RoutineTemplate::flush(' . $patience . ');
            echo json_encode([$asked, RoutineTemplate::status($id)["state"], $left]);', ['store' => self::$store]);
        self::assertSame([1, 'queued', 1], PhpProcess::run($script('a_token_that_is_none', '0'), [], 60.0)->json());
        self::assertSame([1, 'delivered', 0], PhpProcess::run($script($good, '40000'), [], 60.0)->json());
        self::assertCount(2, $this->shop->messages());
    }

    public function testACallableThatThrowsQueuesNothing(): void
    {
        RoutineTemplate::app($this->shop->appid)->configure(['token' => static function (): string {
            throw new \DomainException('the application\'s own');
        }]);
        $error = self::thrownBy(fn () => $this->queueOrder(), \DomainException::class);
        self::assertSame("the application's own", $error->getMessage());
        RoutineTemplate::configure(['token' => '', 'token_mode' => 'stable']);
        self::assertSame(0, RoutineTemplate::flush(0));
    }

    public function testTheOpenidIsHiddenInTheRowsWhereTheSettingAsksForIt(): void
    {
        RoutineTemplate::configure(['hash_openid' => true, 'keep_payload' => true]);
        $id = $this->queueOrder([], ['key' => 'order-1', 'delay' => 0.5]);
        foreach ([false, true] as $delivered) {
            if ($delivered) {
                self::assertSame(0, RoutineTemplate::flush(self::patience()));
            }
            $row = RoutineTemplate::status($id);
            self::assertSame($delivered ? 'delivered' : 'queued', $row['state']);
            self::assertStringNotContainsString($this->shop->openid, json_encode([$row, RoutineTemplate::deliveries()]));
            self::assertSame(Shop::order()['thing4'], $row['payload']['data']['thing4']['value']);
            self::assertSame([$id], array_column(RoutineTemplate::deliveries(['openid' => $this->shop->openid]), 'id'));
        }
        self::assertSame($id, $this->queueOrder([], ['key' => 'order-1']));
        self::assertCount(1, $this->shop->messages());
    }

    public function testNoSecretShowsInRowsCountersExceptionsOrTheLog(): void
    {
        $log = dirname(Environment::newStore()) . '/queue.log';
        $token = RoutineTemplate::accessToken();
        RoutineTemplate::configure(['log_file' => $log]);
        $this->sandbox->fault(self::SEND, 'errcode', ['errcode' => 48001, 'times' => 1]);
        $this->queueOrder();
        self::assertSame(0, RoutineTemplate::flush(self::patience()));
        $this->sandbox->fault(self::SEND, 'drop_after', ['times' => 1]);
        $this->queueOrder();
        self::assertSame(0, RoutineTemplate::flush(self::patience()));
        RoutineTemplate::configure(['store' => '/proc/no/such/store']);
        $exception = self::thrownBy(fn () => $this->queueOrder(), RoutineTemplate\StoreException::class);
        RoutineTemplate::configure(['store' => self::$store]);

        $written = (string) file_get_contents($log);
        self::assertStringContainsString('"event":"queue_refused"', $written);
        self::assertStringContainsString('48001', $written);
        $shown = $written . $exception . json_encode([RoutineTemplate::deliveries(), RoutineTemplate::stats()]);
        ob_start();
        var_dump(RoutineTemplate::app($this->shop->appid));
        $shown .= ob_get_clean();
        self::assertStringNotContainsString($this->shop->secret, $shown);
        self::assertStringNotContainsString($token, $shown);
        self::assertStringNotContainsString($this->shop->openid, $written);
        unlink($log);
    }

    private function queueOrder(array $fields = [], array $options = []): string
    {
        return RoutineTemplate::queue($this->shop->openid, $this->shop->orderPaid, Shop::order($fields), null, $options);
    }

    /** Milliseconds; enough for retries after one and five seconds on a busy machine. */
    private static function patience(): int
    {
        return 40_000 * Environment::patience();
    }
}
