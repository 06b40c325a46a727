<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Crmeb;

use EasyWeChat\Support\Collection;
use RoutineTemplate;
use RoutineTemplate\Crmeb\GrantReport;
use RoutineTemplate\Crmeb\PushEvents;
use RoutineTemplate\Tests\CrmebTestCase;
use RoutineTemplate\Tests\Shop;
use think\facade\Db;
use think\Request;

/** Seams S7 and S11: what buyers allow reaches the ledger, by WeChat's push or by the front end. */
final class GrantsTest extends CrmebTestCase
{
    private const AES_KEY = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG';

    /** @dataProvider shapes */
    #[\PHPUnit\Framework\Attributes\DataProvider('shapes')]
    public function testAPushedAnswerIsCountedInEveryShapeThatEasyWeChatMakesOfIt(callable $members): void
    {
        $item = ['TemplateId' => $this->shop->orderPaid, 'SubscribeStatusString' => 'accept', 'PopupScene' => '0'];
        $other = ['TemplateId' => $this->shop->addTemplate(Shop::ORDER_PAID), 'SubscribeStatusString' => 'reject', 'PopupScene' => '0'];
        PushEvents::record(new Collection($members($item, $other) + $this->event()));

        self::assertSame([], BackOffice::$log);
        self::assertLedger(['accepted' => 1, 'state' => 'accept'], $this->grants());
    }

    public static function shapes(): iterable
    {
        yield 'XML, one item' => [static function (array $item): array {
            return ['SubscribeMsgPopupEvent' => ['List' => $item]];
        }];
        yield 'XML, several' => [static function (array $item, array $other): array {
            return ['SubscribeMsgPopupEvent' => ['List' => [$item, $other]]];
        }];
        yield 'JSON, an object' => [static function (array $item): array {
            return ['List' => $item];
        }];
        yield 'JSON, an array of one' => [static function (array $item): array {
            return ['List' => ['item' => ['id' => '0'] + $item]];
        }];
        yield 'JSON, an array of several' => [static function (array $item, array $other): array {
            return ['List' => ['item' => [['id' => '0'] + $item, ['id' => '1'] + $other]]];
        }];
    }

    public function testOtherMessagesAreLeftToTheShop(): void
    {
        PushEvents::record(new Collection(['MsgType' => 'event', 'Event' => 'trade_manage_order_settlement'] + $this->event()));
        PushEvents::record(new Collection(['MsgType' => 'text', 'Content' => 'hello'] + $this->event()));

        self::assertSame([], BackOffice::$log);
    }

    public function testAnEventThatCannotBeReadStopsNothingOfTheShop(): void
    {
        PushEvents::record(new Collection(['MsgType' => 'event', 'Event' => 'subscribe_msg_popup_event']));

        self::assertCount(1, BackOffice::$log);
    }

    public function testAPushOfTheOfficialAccountIsItsOwn(): void
    {
        $template = $this->official->orderPaid;
        $item = ['TemplateId' => $template, 'SubscribeStatusString' => 'accept', 'PopupScene' => '1'];
        PushEvents::recordOfficial(new Collection(['List' => $item] + $this->event()));

        self::assertSame(1, RoutineTemplate::app($this->official->appid)->grants($this->shop->openid, $template)['accepted']);
        self::assertSame(0, RoutineTemplate::app($this->shop->appid)->grants($this->shop->openid, $template)['accepted']);
    }

    public function testARouteOfItsOwnChecksTheAddressAndCountsASignedPush(): void
    {
        BackOffice::$settings += ['routine_token' => 'shoptoken', 'routine_encodingaeskey' => ''];
        $query = $this->signed('shoptoken');
        $check = (new PushEvents())->serve(new Request(0, [], $query + ['echostr' => '4711']));
        self::assertSame([200, '4711'], [$check->code, $check->data]);

        $item = ['TemplateId' => $this->shop->orderPaid, 'SubscribeStatusString' => 'accept', 'PopupScene' => '0'];
        $body = json_encode(['List' => $item] + $this->event());
        $push = (new PushEvents())->serve(new Request(0, [], $query, $body));
        self::assertSame([200, 'success'], [$push->code, $push->data]);
        self::assertLedger(['accepted' => 1], $this->grants());
    }

    public function testARouteOfItsOwnRefusesWhatIsNotWeChats(): void
    {
        BackOffice::$settings += ['routine_token' => 'shoptoken', 'routine_encodingaeskey' => self::AES_KEY];
        $answer = (new PushEvents())->serve(new Request(0, [], $this->signed('another'), '{}'));

        self::assertSame(403, $answer->code);
        self::assertLedger(['accepted' => 0], $this->grants());
    }

    public function testARouteWithoutATokenIsStatus500SoThatWeChatPushesAgain(): void
    {
        $answer = (new PushEvents())->serve(new Request(0, [], $this->signed('shoptoken'), '{}'));

        self::assertSame(500, $answer->code);
        self::assertStringContainsString('push_token', BackOffice::$log[0]);
    }

    public function testTheFrontEndsResultIsCountedForTheUserWhoIsLoggedIn(): void
    {
        $this->createNotificationTable();
        $this->createUsers();
        $result = ['errMsg' => 'requestSubscribeMessage:ok', $this->shop->orderPaid => 'accept'];
        $answer = (new GrantReport())->record(new Request(7, ['result' => $result]));

        self::assertSame(['status' => 200, 'data' => ['recorded' => [$this->shop->orderPaid]]], $answer->data);
        self::assertLedger(['accepted' => 1], $this->grants());
    }

    public function testTemplatesThatAreNotTheShopsDoNotCount(): void
    {
        $this->createTemplateTable();
        $this->createUsers();
        $foreign = str_repeat('f', 43);
        $answer = (new GrantReport())->record(new Request(7, ['result' => [$foreign => 'accept', $this->shop->orderPaid => 'reject']]));

        self::assertSame([$this->shop->orderPaid], $answer->data['data']['recorded']);
        self::assertSame(0, RoutineTemplate::app($this->shop->appid)->grants($this->shop->openid, $foreign)['accepted']);
    }

    public function testNobodyCanReportForSomebodyElse(): void
    {
        $this->createNotificationTable();
        $this->createUsers();
        foreach ([0, 8] as $uid) {
            $answer = (new GrantReport())->record(new Request($uid, ['result' => [$this->shop->orderPaid => 'accept']]));
            self::assertSame(['status' => 200, 'data' => ['recorded' => []]], $answer->data);
        }
        self::assertLedger(['accepted' => 0], $this->grants());
    }

    public function testAResultThatIsNoneIsAnsweredWithWhatIsWrong(): void
    {
        $this->createNotificationTable();
        $this->createUsers();
        $answer = (new GrantReport())->record(new Request(7, ['result' => 'accept']));

        self::assertSame(400, $answer->data['status']);
        self::assertNotSame('', $answer->data['msg']);
    }

    private function createUsers(): void
    {
        Db::database()->exec('CREATE TABLE eb_wechat_user (uid INT, openid TEXT, user_type TEXT)');
        $this->insert('wechat_user', ['uid' => 7, 'openid' => 'oOfTheOfficialAccount', 'user_type' => 'wechat']);
        $this->insert('wechat_user', ['uid' => 7, 'openid' => $this->shop->openid, 'user_type' => 'routine']);
    }

    private function grants(): array
    {
        return RoutineTemplate::app($this->shop->appid)->grants($this->shop->openid, $this->shop->orderPaid);
    }

    private function event(): array
    {
        return [
            'ToUserName' => 'gh_0123456789ab', 'FromUserName' => $this->shop->openid, 'CreateTime' => (string)time(),
            'MsgType' => 'event', 'Event' => 'subscribe_msg_popup_event',
        ];
    }

    private function signed(string $token): array
    {
        $parts = [$token, (string)time(), 'nonce'];
        $query = ['timestamp' => $parts[1], 'nonce' => $parts[2]];
        sort($parts, SORT_STRING);
        return $query + ['signature' => sha1(implode('', $parts))];
    }
}
