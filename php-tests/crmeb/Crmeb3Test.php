<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Crmeb;

use RoutineTemplate;
use RoutineTemplate\Crmeb\GrantReport;
use RoutineTemplate\Crmeb\Outbox;
use RoutineTemplate\Tests\CrmebTestCase;
use RoutineTemplate\Tests\Shop;
use think\facade\Db;
use think\Request;

/** CRMEB 3.2.8: templates by code, no table of notices, users with both openids in one row, links that are whole addresses. */
final class Crmeb3Test extends CrmebTestCase
{
    private const LINK = '/pages/order_details/index?order_id=wx202611210001';

    protected function setUp(): void
    {
        parent::setUp();
        Db::database()->exec('CREATE TABLE eb_template_message (id INTEGER PRIMARY KEY, type INT, tempkey TEXT, name TEXT, content TEXT,
            tempid TEXT, add_time TEXT, status INT)');
        $this->insert('template_message', [
            'type' => 0, 'tempkey' => '1927', 'name' => '付款成功通知', 'content' => Shop::ORDER_PAID, 'tempid' => $this->shop->orderPaid, 'status' => 1,
        ]);
        BackOffice::$config['template.stores.subscribe.template_id.ORDER_PAY_SUCCESS'] = 1927;
        BackOffice::$config['template.stores.subscribe.template_id.ORDER_REFUND'] = 1451;
    }

    public function testTheOrderPaidNoticeIsFoundByItsCodeAndSentOnce(): void
    {
        for ($i = 0; $i < 2; $i++) {
            self::assertTrue(Outbox::queueByCode('subscribe', $this->shop->openid, 'ORDER_PAY_SUCCESS', Shop::order(), self::LINK));
        }

        self::assertSame(0, RoutineTemplate::app($this->shop->appid)->flush(20000));
        self::assertCount(1, $this->shop->messages());
        self::assertSame([], BackOffice::$log);
    }

    public function testATemplateThatTheShopDoesNotHaveIsLeftToItsOwnCode(): void
    {
        self::assertFalse(Outbox::queueByCode('subscribe', $this->shop->openid, 'ORDER_REFUND', Shop::order(), self::LINK));
        self::assertFalse(Outbox::queueByCode('subscribe', $this->shop->openid, 'NO_SUCH_CODE', Shop::order(), self::LINK));
        self::assertFalse(Outbox::queueByCode('subscribe', null, 'ORDER_PAY_SUCCESS', Shop::order(), self::LINK));
    }

    public function testAnAddressThatTheShopHasMadeWholeIsNotMadeTwice(): void
    {
        $link = 'https://shop.example.com/order/detail/wx202611210001';
        self::assertTrue(Outbox::queue('wechat', $this->official->openid, $this->official->orderPaid, Shop::order(), $link));

        self::assertSame(0, RoutineTemplate::app($this->official->appid)->flush(20000));
        self::assertSame($link, $this->official->messages()[0]['body']['url']);
    }

    public function testTheFrontEndsResultCountsForTheMiniProgramsOpenidOfTheUser(): void
    {
        Db::database()->exec('CREATE TABLE eb_wechat_user (uid INT, openid TEXT, routine_openid TEXT, user_type TEXT)');
        $this->insert('wechat_user', [
            'uid' => 7, 'openid' => 'oOfTheOfficialAccount', 'routine_openid' => $this->shop->openid, 'user_type' => 'wechat',
        ]);
        $answer = (new GrantReport())->record(new Request(7, ['result' => [$this->shop->orderPaid => 'accept', 'another' => 'accept']]));

        self::assertSame(['status' => 200, 'data' => ['recorded' => [$this->shop->orderPaid]]], $answer->data);
        $grants = RoutineTemplate::app($this->shop->appid)->grants($this->shop->openid, $this->shop->orderPaid);
        self::assertSame(1, $grants['accepted']);
    }
}
