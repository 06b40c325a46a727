<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\Attributes\Group;
use RoutineTemplate;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;

/**
 * The ledger: what users accepted, what each message takes from it, and who can still be reached.
 *
 * @group smoke
 */
#[Group('smoke')]
final class GrantsTest extends SandboxTestCase
{
    /** A second template of the shop, for which WeChat knows no grant. */
    private string $shipped;

    protected function setUp(): void
    {
        parent::setUp();
        $this->shipped = $this->shop->addTemplate(Shop::ORDER_PAID, 0);
    }

    /**
     * @dataProvider shapes
     */
    #[DataProvider('shapes')]
    public function testWhatTheFrontEndPostsIsTakenAsItComes(callable $shape): void
    {
        $result = $shape($this->shop->orderPaid, $this->shipped);

        $recorded = RoutineTemplate::recordGrants($this->shop->openid, $result);

        self::assertSame(['recorded', 'unknown', 'duplicate', 'errMsg'], array_keys($recorded));
        self::assertFalse($recorded['duplicate']);
        self::assertSame([], $recorded['unknown']);
        self::assertSame(['accept', 'reject'], [
            $recorded['recorded'][$this->shop->orderPaid]['state'], $recorded['recorded'][$this->shipped]['state'],
        ]);
        $rows = RoutineTemplate::grants($this->shop->openid);
        self::assertEqualsCanonicalizing([$this->shop->orderPaid, $this->shipped], array_keys($rows));
        self::assertSame($recorded['recorded'][$this->shop->orderPaid], RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid));
        self::assertLedger(['available' => 1, 'accepted' => 1], $rows[$this->shop->orderPaid]);
        self::assertLedger(['available' => 0, 'accepted' => 0], $rows[$this->shipped]);
    }

    public static function shapes(): array
    {
        $plain = static fn (string $yes, string $no): array => ['errMsg' => 'requestSubscribeMessage:ok', $yes => 'accept', $no => 'reject'];
        // wx-open-subscribe: a JSON text whose values are JSON texts again.
        $details = static fn (string $yes, string $no): string => json_encode([
            $yes => json_encode(['status' => 'accept']), $no => json_encode(['status' => 'cancel']),
        ]);
        return [
            'an array' => [$plain],
            'an object' => [static fn (string $yes, string $no): object => (object) $plain($yes, $no)],
            'a JSON text' => [static fn (string $yes, string $no): string => json_encode($plain($yes, $no))],
            'json_decode of it' => [static fn (string $yes, string $no): object => json_decode(json_encode($plain($yes, $no)))],
            'an array of references' => [static function (string $yes, string $no): array {
                $accept = 'accept';
                $reject = 'reject';
                return [$yes => &$accept, $no => &$reject];
            }],
            'wx-open-subscribe, twice encoded' => [static fn (string $yes, string $no): array
                => ['errMsg' => 'subscribe:ok', 'subscribeDetails' => $details($yes, $no)]],
            'the whole event of wx-open-subscribe' => [static fn (string $yes, string $no): string
                => json_encode(['type' => 'success', 'detail' => ['errMsg' => 'subscribe:ok', 'subscribeDetails' => $details($yes, $no)]])],
            'decoded all the way down' => [static fn (string $yes, string $no): array
                => ['detail' => ['subscribeDetails' => [$yes => ['status' => 'accept'], $no => (object) ['status' => 'cancel']]]]],
        ];
    }

    public function testWhatCannotBeCountedIsNamedWithItsReason(): void
    {
        $answer = RoutineTemplate::recordGrants($this->shop->openid, [
            'TEMPLATE' => 'accept', $this->shop->orderPaid => 'yes', $this->shipped => 'accept', 7 => 'accept', "\xd4\xc6" => 'accept',
        ]);
        self::assertSame([$this->shipped], array_keys($answer['recorded']));
        self::assertSame('not_a_template_id', $answer['unknown']['TEMPLATE']);
        self::assertSame('not_an_answer', $answer['unknown'][$this->shop->orderPaid]);
        self::assertSame('not_a_template_id', $answer['unknown'][7]);
        self::assertCount(4, $answer['unknown']);
        self::assertMatchesRegularExpression('//u', implode(array_keys($answer['unknown'])));
    }

    public function testOnlyTheShopsOwnTemplatesCountWhereItHasSaidWhichTheyAre(): void
    {
        RoutineTemplate::registerTemplate('order_pay_success', $this->shop->orderPaid);
        $posted = [$this->shop->orderPaid => 'accept', $this->shipped => 'accept'];

        $registered = RoutineTemplate::recordGrants($this->shop->openid, $posted);
        self::assertSame([$this->shop->orderPaid], array_keys($registered['recorded']));
        self::assertSame([$this->shipped => 'not_a_template_of_this_account'], $registered['unknown']);

        $named = RoutineTemplate::recordGrants($this->shop->openid, $posted, ['templates' => ['order_pay_success', $this->shipped]]);
        self::assertSame([], $named['unknown']);
        $none = RoutineTemplate::recordGrants($this->shop->openid, $posted, ['templates' => []]);
        self::assertSame([], $none['recorded']);
        self::assertSame(2, RoutineTemplate::grants($this->shop->openid, 'order_pay_success')['accepted'], 'a name stands for its id');
    }

    public function testReportsWithTheSameKeyAreOne(): void
    {
        $posted = [$this->shop->orderPaid => 'accept'];
        $first = RoutineTemplate::recordGrants($this->shop->openid, $posted, ['key' => 'pay-1']);
        $second = RoutineTemplate::recordGrants($this->shop->openid, $posted, ['key' => 'pay-1']);
        $other = RoutineTemplate::recordGrants($this->shop->openid, $posted, ['key' => 2]);

        self::assertSame([false, true, false], [$first['duplicate'], $second['duplicate'], $other['duplicate']]);
        self::assertSame([1, 1, 2], array_map(
            fn (array $answer): int => $answer['recorded'][$this->shop->orderPaid]['available'],
            [$first, $second, $other]
        ));
        self::assertTrue(RoutineTemplate::recordGrants($this->shop->openid, $posted, ['key' => '2'])['duplicate'], 'an int is its digits');
    }

    public function testALongTermAcceptIsNotUsedUp(): void
    {
        $template = $this->shop->addTemplate(Shop::ORDER_PAID, 1, ['type' => 3]);
        RoutineTemplate::recordGrants($this->shop->openid, [$template => 'accept'], ['long_term' => true]);
        for ($i = 0; $i < 3; $i++) {
            $this->assertDelivered(RoutineTemplate::send($this->shop->openid, $template, Shop::order(), null, ['grants' => 'strict']));
        }
        $row = RoutineTemplate::grants($this->shop->openid, $template);
        self::assertTrue($row['long_term']);
        self::assertSame(3, $row['delivered']);
        self::assertSame([$this->shop->openid], array_column(RoutineTemplate::audience($template)['users'], 'openid'));
    }

    /**
     * @dataProvider wrongCalls
     */
    #[DataProvider('wrongCalls')]
    public function testAWrongCallIsAnErrorThatSaysWhatIsWanted(callable $call, string $class, string $words): void
    {
        RoutineTemplate::configure(['hint_lang' => 'en']);
        $error = self::thrownBy(fn () => $call($this->shop), $class);
        self::assertStringContainsString($words, $error->getMessage());
        self::assertSame([], RoutineTemplate::grants($this->shop->openid));
    }

    public static function wrongCalls(): array
    {
        $record = static fn (...$more): callable
            => static fn (Shop $shop) => RoutineTemplate::recordGrants($shop->openid, ...($more ?: [[$shop->orderPaid => 'accept']]));
        $options = static fn (array $options): callable
            => static fn (Shop $shop) => RoutineTemplate::recordGrants($shop->openid, [$shop->orderPaid => 'accept'], $options);
        return [
            'a text that is no JSON' => [$record('accept'), \ValueError::class, 'wx.requestSubscribeMessage'],
            'a JSON list' => [$record('[]'), \ValueError::class, 'wx.requestSubscribeMessage'],
            'an int' => [$record(1), \TypeError::class, 'must be of type array|object|string, int given'],
            'null' => [$record(null), \TypeError::class, 'must be of type array|object|string, null given'],
            'an object of a class' => [$record(new \ArrayObject()), \TypeError::class, 'array|object|string, ArrayObject given'],
            'hundreds of members' => [$record(array_fill_keys(array_map(static fn ($i) => str_pad("$i", 43, 'x'), range(1, 99)), 'accept')),
                \ValueError::class, '64'],
            'no user' => [static fn (Shop $shop) => RoutineTemplate::recordGrants(' ', [$shop->orderPaid => 'accept']), \ValueError::class, '$openid'],
            'an endless user' => [static fn (Shop $shop) => RoutineTemplate::grants(str_repeat('o', 129)), \ValueError::class, '$openid'],
            'an unknown option' => [$options(['longTerm' => true]), \ValueError::class, 'options: key (string), long_term (bool), templates'],
            'a wrong long_term' => [$options(['long_term' => 'perhaps']), \ValueError::class, '"long_term" (string)'],
            'wrong templates' => [$options(['templates' => 'x']), \ValueError::class, '"templates" (string)'],
            'an empty key' => [$options(['key' => '']), \ValueError::class, '1 to 128 bytes'],
            'a list as key' => [$options(['key' => []]), \TypeError::class, 'key must be of type string, array given'],
            'no template' => [static fn () => RoutineTemplate::audience(''), \ValueError::class, '$templateId'],
            'a page of none' => [static fn (Shop $shop) => RoutineTemplate::audience($shop->orderPaid, null, 0), \ValueError::class, '1 to 10000'],
            'a page without end' => [static fn (Shop $shop) => RoutineTemplate::audience($shop->orderPaid, null, '10001'), \ValueError::class, '1 to 10000'],
            'a page of a text' => [static fn (Shop $shop) => RoutineTemplate::audience($shop->orderPaid, null, 'many'), \ValueError::class, '($limit) must be a whole number'],
            'a page of an array' => [static fn (Shop $shop) => RoutineTemplate::audience($shop->orderPaid, null, []), \TypeError::class, 'string|int, array given'],
        ];
    }

    public function testEachAcceptIsWorthOneMessage(): void
    {
        $this->accept($this->shipped, 2);
        for ($sent = 1; $sent <= 2; $sent++) {
            $this->assertDelivered(RoutineTemplate::send($this->shop->openid, $this->shipped, Shop::order()));
            self::assertLedger(
                ['available' => 2 - $sent, 'reserved' => 0, 'accepted' => 2, 'delivered' => $sent],
                RoutineTemplate::grants($this->shop->openid, $this->shipped)
            );
        }
    }

    public function testA43101IsRememberedUntilTheUserAcceptsAgain(): void
    {
        RoutineTemplate::recordGrants($this->shop->openid, [$this->shipped => 'accept']);
        $send = fn (array $options = []): array => RoutineTemplate::send($this->shop->openid, $this->shipped, Shop::order(), null, $options);

        $first = $send();
        self::assertSame([43101, 'wechat'], [$first['errcode'], $first['source']]);
        self::assertLedger(
            ['available' => 0, 'certain' => true, 'accepted' => 1, 'lost' => 1],
            RoutineTemplate::grants($this->shop->openid, $this->shipped)
        );
        $requests = $this->sandbox->requests(self::SEND);
        $second = $send();
        self::assertSame([43101, 'local', 'refused_user'], [$second['errcode'], $second['source'], $second['outcome']]);
        self::assertStringContainsString('recordGrants()', $second['hint']);
        self::assertIsString($second['id']);
        self::assertSame($requests, $this->sandbox->requests(self::SEND), 'without a request');
        self::assertSame('wechat', $send(['grants' => 'off'])['source'], 'off asks WeChat all the same');

        $this->accept($this->shipped);
        $this->assertDelivered($send());
        self::assertFalse(RoutineTemplate::grants($this->shop->openid, $this->shipped)['certain']);
    }

    public function testTheStrictPolicyRefusesAtZeroAndTheOthersDoNot(): void
    {
        // WeChat has a hundred grants for this template, the ledger none.
        $strict = $this->sendOrder([], ['grants' => 'strict']);
        self::assertSame([43101, 'local'], [$strict['errcode'], $strict['source']]);
        self::assertStringContainsString('strict', $strict['hint']);
        RoutineTemplate::configure(['grants' => 'strict']);
        self::assertSame(43101, $this->sendOrder()['errcode'], 'as a setting');
        $this->assertDelivered($this->sendOrder([], ['grants' => 'certain']));
        $this->assertDelivered($this->sendOrder([], ['grants' => 'off']));
        $this->accept();
        $this->assertDelivered($this->sendOrder());
        self::assertSame(43101, $this->sendOrder()['errcode']);
    }

    public function testAnUnknownOutcomeKeepsTheGrantAndSaysSo(): void
    {
        $this->accept();
        foreach (['zh' => '授权保持占用', 'en' => 'its grant stays reserved'] as $language => $words) {
            RoutineTemplate::configure(['hint_lang' => $language]);
            $this->accept();
            $this->sandbox->fault(self::SEND, 'drop_after');
            $exception = self::thrownBy(fn () => $this->sendOrder(), RoutineTemplate\TransportException::class);
            self::assertTrue($exception->isAmbiguous());
            self::assertStringContainsString($words, $exception->getMessage());
        }
        self::assertLedger(
            ['available' => 1, 'reserved' => 2, 'accepted' => 3],
            RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid)
        );
    }

    public function testWhatWasCertainlyNotSentGivesTheGrantBack(): void
    {
        $this->accept();
        RoutineTemplate::accessToken();
        RoutineTemplate::configure(['base_url' => 'https://127.0.0.1:9']);
        $exception = self::thrownBy(fn () => $this->sendOrder(), RoutineTemplate\TransportException::class);
        self::assertFalse($exception->isAmbiguous());
        self::assertStringNotContainsString('授权保持占用', $exception->getMessage());
        self::assertLedger(['available' => 1, 'reserved' => 0], RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid));
    }

    public function testAnAudienceIsEveryUserOncePageByPage(): void
    {
        $users = [];
        for ($i = 0; $i < 57; $i++) {
            $openid = Shop::newOpenid();
            $users[$openid] = $i % 3 + 1;
            for ($accepts = 0; $accepts < $users[$openid]; $accepts++) {
                RoutineTemplate::recordGrants($openid, [$this->shipped => 'accept']);
            }
        }
        RoutineTemplate::recordGrants(Shop::newOpenid(), [$this->shipped => 'reject']);

        foreach ([1000, '10', 7, 57] as $limit) {
            $seen = [];
            $cursor = null;
            $pages = 0;
            do {
                $page = RoutineTemplate::audience($this->shipped, $cursor, $limit);
                self::assertLessThanOrEqual((int) $limit, count($page['users']));
                foreach ($page['users'] as $user) {
                    self::assertArrayNotHasKey($user['openid'], $seen, 'nobody twice');
                    $seen[$user['openid']] = $user['available'];
                }
                $cursor = $page['cursor'];
            } while ($cursor !== null && ++$pages < 100);
            self::assertEquals($users, $seen, "limit $limit");
        }
        self::assertSame(['users' => [], 'cursor' => null], RoutineTemplate::audience(str_repeat('n', 43)));
    }

    public function testAccountsKeepTheirBooksApart(): void
    {
        $other = new Shop($this->sandbox);
        $app = RoutineTemplate::app($other->appid);
        $app->configure($other->config());
        $app->recordGrants($this->shop->openid, [$this->shop->orderPaid => 'accept'], ['key' => 'same']);
        self::assertFalse(RoutineTemplate::recordGrants($this->shop->openid, [$this->shipped => 'accept'], ['key' => 'same'])['duplicate']);

        self::assertSame([$this->shop->orderPaid], array_keys($app->grants($this->shop->openid)));
        self::assertSame([$this->shipped], array_keys(RoutineTemplate::grants($this->shop->openid)));
        self::assertSame([], $app->audience($this->shipped)['users']);
        $this->assertDelivered($app->send($other->openid, $other->orderPaid, Shop::order()));
        self::assertSame([], RoutineTemplate::deliveries());
        self::assertCount(1, $app->deliveries());
    }
}
