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

/** What became of every message: status() and deliveries(). */
final class RecordsTest extends SandboxTestCase
{
    private const ROW = [
        'id', 'state', 'openid', 'template_id', 'channel', 'key', 'errcode', 'errmsg', 'msgid', 'rid', 'source', 'attempts',
        'changed', 'payload', 'begun', 'finished', 'due', 'receipt',
    ];

    /** @group smoke */
    #[Group('smoke')]
    public function testEveryMessageHasItsRow(): void
    {
        $before = microtime(true);
        $answer = $this->sendOrder(['thing4' => str_repeat('苹果', 30)], ['key' => 'order-1']);
        $this->assertDelivered($answer);

        $row = RoutineTemplate::status($answer['id']);

        self::assertSame(self::ROW, array_keys($row));
        $same = ['id', 'errcode', 'errmsg', 'msgid', 'rid', 'source', 'attempts', 'changed'];
        foreach ($same as $member) {
            self::assertSame($answer[$member], $row[$member], $member);
        }
        self::assertSame(['delivered', $this->shop->openid, $this->shop->orderPaid, 'subscribe', 'order-1', null], [
            $row['state'], $row['openid'], $row['template_id'], $row['channel'], $row['key'], $row['payload'],
        ]);
        self::assertNull($row['receipt'], 'no push has told of its arrival');
        self::assertIsFloat($row['begun']);
        self::assertGreaterThanOrEqual(floor($before * 1000) / 1000, $row['begun']);
        self::assertGreaterThanOrEqual($row['begun'], $row['finished']);
        self::assertLessThanOrEqual(microtime(true) + 0.001, $row['finished']);
        self::assertSame($row, RoutineTemplate::status(' ' . strtoupper($answer['id']) . ' '));
    }

    public function testARefusalByPayloadHasARowToo(): void
    {
        RoutineTemplate::registerTemplate('order_pay_success', $this->shop->orderPaid, Shop::ORDER_PAID);
        $answer = RoutineTemplate::send($this->shop->openid, 'order_pay_success', ['thing4' => '苹果']);
        self::assertSame([47003, 'local'], [$answer['errcode'], $answer['source']]);
        $row = RoutineTemplate::status($answer['id']);
        self::assertSame(['refused', 47003, 'local', 0], [$row['state'], $row['errcode'], $row['source'], $row['attempts']]);
        self::assertSame($this->shop->orderPaid, $row['template_id']);
    }

    public function testAMessageOfWhichNobodyKnowsAndOneThatWasNotSentAreTold(): void
    {
        RoutineTemplate::accessToken();
        $this->sandbox->fault(self::SEND, 'drop_after');
        self::thrownBy(fn () => $this->sendOrder([], ['key' => 'unknown']), RoutineTemplate\TransportException::class);
        RoutineTemplate::configure(['base_url' => 'https://127.0.0.1:9']);
        self::thrownBy(fn () => $this->sendOrder([], ['key' => 'not sent']), RoutineTemplate\TransportException::class);

        $rows = array_column(RoutineTemplate::deliveries(), null, 'key');
        self::assertSame(['not sent', 'unknown'], array_keys($rows));
        self::assertSame(['not_sent', 'unknown'], array_column($rows, 'state'));
        foreach ($rows as $row) {
            self::assertNull($row['errcode']);
            self::assertNull($row['source']);
            self::assertNotSame('', $row['errmsg']);
        }
        self::assertSame([0, 1], array_column($rows, 'attempts'));
    }

    /** @group smoke */
    #[Group('smoke')]
    public function testRowsAreFoundByEveryFilter(): void
    {
        $shipped = $this->shop->addTemplate(Shop::ORDER_PAID);
        $user = Shop::newOpenid();
        $ids = [];
        $ids[] = $this->sendOrder([], ['key' => 'order-1'])['id'];
        $ids[] = RoutineTemplate::send($this->shop->openid, $shipped, Shop::order(), null, ['key' => 2])['id'];
        $ids[] = RoutineTemplate::send($user, $this->shop->orderPaid, Shop::order())['id'];
        RoutineTemplate::registerTemplate('SHIPPED', $shipped);
        $find = static fn (array $filter): array => array_column(RoutineTemplate::deliveries($filter), 'id');

        self::assertSame(array_reverse($ids), $find([]), 'newest first');
        self::assertSame([$ids[1], $ids[0]], $find(['openid' => $this->shop->openid]));
        self::assertSame([$ids[1]], $find(['openid' => $this->shop->openid, 'template_id' => $shipped]));
        self::assertSame([$ids[1]], $find(['template_id' => 'SHIPPED']), 'a name stands for its id');
        self::assertSame([$ids[1]], $find(['key' => 2]));
        self::assertSame([$ids[1]], $find(['key' => '2']));
        self::assertSame([$ids[2]], $find(['state' => 'refused']));
        self::assertSame([$ids[1], $ids[0]], $find(['state' => 'delivered']));
        self::assertSame([], $find(['state' => 'sending']));
        self::assertSame(array_reverse($ids), $find(['since' => time() - 60]));
        self::assertSame(array_reverse($ids), $find(['since' => (string) (time() - 60), 'state' => null]));
        self::assertSame([], $find(['since' => time() + 60]));
        // A row is found by when its message was accepted, which may be a token's fetch before it was begun.
        $begun = RoutineTemplate::status($ids[2])['begun'];
        self::assertSame([$ids[2]], $find(['since' => $begun - 30, 'limit' => 1]), 'a float, as status() tells it');
        self::assertSame([$ids[2]], $find(['limit' => 1]));
        self::assertSame([$ids[1]], $find(['limit' => '1', 'before' => $ids[2]]));
        self::assertSame([], $find(['before' => $ids[0]]));
        self::assertSame([], $find(['openid' => 'oNobody']));
        self::assertSame([], $find(['key' => 'nothing']));
    }

    public function testAllRowsAreReadPageByPage(): void
    {
        $ids = [];
        for ($i = 0; $i < 23; $i++) {
            $ids[] = $this->sendOrder()['id'];
        }
        $seen = [];
        $filter = ['limit' => 5];
        while ($page = RoutineTemplate::deliveries($filter)) {
            array_push($seen, ...array_column($page, 'id'));
            $filter['before'] = end($page)['id'];
            self::assertLessThanOrEqual(23, count($seen));
        }
        self::assertSame(array_reverse($ids), $seen);
    }

    /**
     * @dataProvider wrongFilters
     * @group smoke
     */
    #[DataProvider('wrongFilters')]
    #[Group('smoke')]
    public function testAWrongFilterSaysWhatIsAllowed(array $filter, string $class, string $words): void
    {
        RoutineTemplate::configure(['hint_lang' => 'en']);
        $error = self::thrownBy(static fn () => RoutineTemplate::deliveries($filter), $class);
        self::assertStringContainsString($words, $error->getMessage());
    }

    public static function wrongFilters(): array
    {
        return [
            'an unknown condition' => [['user' => 'o'], \ValueError::class, 'conditions: openid, template_id, key, state, since, before, limit'],
            'a list' => [['x'], \ValueError::class, 'no condition "0"'],
            'an unknown state' => [['state' => 'sent'], \ValueError::class, 'queued | sending | delivered | refused | not_sent | unknown | expired'],
            'an array as openid' => [['openid' => []], \TypeError::class, 'openid must be of type string, array given'],
            'GBK' => [['key' => "\xd4\xc6"], \ValueError::class, 'key is not UTF-8'],
            'a date as since' => [['since' => '2026-11-21'], \ValueError::class, 'unix time'],
            'a past before all time' => [['since' => -1], \ValueError::class, 'unix time'],
            'no number at all' => [['since' => NAN], \ValueError::class, 'unix time'],
            'no id' => [['before' => 'yesterday'], \ValueError::class, 'before is id'],
            'a limit of none' => [['limit' => 0], \ValueError::class, '1 … 1000'],
            'a limit without end' => [['limit' => 1001], \ValueError::class, '1 … 1000'],
        ];
    }

    public function testWhatIsNoIdOfOursIsTheIdOfNoMessage(): void
    {
        foreach (['', '0', 'nothing', str_repeat('x', 100000), '00000000-0000-0000-0000-000000000000', "\xff"] as $id) {
            try {
                self::assertNull(RoutineTemplate::status($id));
            } catch (\ValueError $error) {
                self::assertSame("\xff", $id, $error->getMessage());
            }
        }
    }

    public function testThePayloadIsKeptWhereTheSettingAsksForIt(): void
    {
        RoutineTemplate::configure(['keep_payload' => true]);
        $row = RoutineTemplate::status($this->sendOrder()['id']);
        self::assertSame($this->shop->openid, $row['payload']['touser']);
        self::assertSame(Shop::order()['thing4'], $row['payload']['data']['thing4']['value']);
        RoutineTemplate::configure(['keep_payload' => false]);
        self::assertNull(RoutineTemplate::status($this->sendOrder()['id'])['payload']);
    }

    public function testTheOpenidIsHiddenWhereTheSettingAsksForItAndStillFindsItsRows(): void
    {
        RoutineTemplate::configure(['hash_openid' => '1', 'store' => $store = Environment::newStore()]);
        $this->accept();
        $id = $this->sendOrder([], ['key' => 'order-1'])['id'];
        $row = RoutineTemplate::status($id);
        self::assertMatchesRegularExpression('/^[0-9a-f]{32}$/', $row['openid']);
        self::assertSame([$id], array_column(RoutineTemplate::deliveries(['openid' => $this->shop->openid]), 'id'));
        self::assertTrue($this->sendOrder([], ['key' => 'order-1'])['duplicate']);
        self::assertSame(1, RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid)['delivered'], 'the ledger knows the user');

        $other = new Shop($this->sandbox);
        $app = RoutineTemplate::app($other->appid);
        $app->configure($other->config(['hash_openid' => true, 'store' => $store]));
        $app->send($this->shop->openid, $other->orderPaid, Shop::order());
        self::assertNotSame($row['openid'], $app->deliveries()[0]['openid'], 'two accounts cannot be joined by it');
    }

    public function testAKeyHoldsWhenTheSettingChanges(): void
    {
        foreach ([false, true] as $before) {
            RoutineTemplate::configure(['hash_openid' => $before]);
            $this->assertDelivered($this->sendOrder([], ['key' => "order-$before"]));
            RoutineTemplate::configure(['hash_openid' => !$before]);
            self::assertTrue($this->sendOrder([], ['key' => "order-$before"])['duplicate']);
            self::thrownBy(
                fn () => RoutineTemplate::send(Shop::newOpenid(), $this->shop->orderPaid, Shop::order(), null, ['key' => "order-$before"]),
                \ValueError::class
            );
        }
    }

    public function testKeepPayloadBesideHashOpenidDoesNotGiveTheOpenidAway(): void
    {
        RoutineTemplate::configure(['hash_openid' => true, 'keep_payload' => true]);
        $row = RoutineTemplate::status($this->sendOrder()['id']);
        self::assertStringNotContainsString($this->shop->openid, json_encode($row));
        self::assertSame(Shop::order()['thing4'], $row['payload']['data']['thing4']['value']);
    }

    public function testRowsAndKeysEndWithTheirRetentionAndTheLedgerDoesNot(): void
    {
        $sqlite = Environment::modules('sqlite3');
        if ($sqlite === null) {
            self::markTestSkipped('This PHP has no sqlite3, with which the test makes time pass.');
        }
        $config = ['store' => $store = Environment::newStore(), 'retention_days' => 1];
        $send = '$answer = RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order, null, ["key" => "order-1"]);';
        RoutineTemplate::configure($config);
        $this->accept();
        $first = PhpProcess::run($this->shop->script($send . 'echo json_encode($answer);', $config))->json();

        // Not through our own process: SQLite's locks are at stake.
        $aged = PhpProcess::run(
            '$db = new SQLite3("' . $store . '/state"); $db->busyTimeout(5000);
            $left = $db->querySingle("SELECT expires FROM delivery") / 1000 - time();
            $db->exec("UPDATE delivery SET expires = expires - 90000000"); echo json_encode($left);',
            $sqlite
        );
        self::assertEqualsWithDelta(86_400, $aged->json(), 60, 'a day');

        self::assertNull(RoutineTemplate::status($first['id']));
        self::assertSame([], RoutineTemplate::deliveries());
        $again = $this->sendOrder([], ['key' => 'order-1']);
        $this->assertDelivered($again);
        self::assertFalse($again['duplicate']);
        self::assertSame(2, RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid)['delivered']);
    }
}
