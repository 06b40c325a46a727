<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Crmeb;

use RoutineTemplate;
use RoutineTemplate\Crmeb\Account;
use RoutineTemplate\Crmeb\NoticeKey;
use RoutineTemplate\Crmeb\Outbox;
use RoutineTemplate\Tests\CrmebTestCase;
use RoutineTemplate\Tests\Shop;

/** Seams S5 and S6: what CRMEB gave to TemplateJob is stored and sent, once, or left to the shop's own code. */
final class OutboxTest extends CrmebTestCase
{
    private const LINK = '/pages/goods/order_details/index?order_id=wx202611210001';

    public function testANoticeOfTheMiniProgramIsStoredAndSent(): void
    {
        self::assertTrue(Outbox::queue('subscribe', $this->shop->openid, $this->shop->orderPaid, Shop::order(), self::LINK));

        $this->assertArrived(1);
        self::assertSame([], $this->official->messages());
        self::assertSame([], BackOffice::$log);
    }

    public function testANoticeOfTheOfficialAccountOpensTheShopsOwnAddress(): void
    {
        self::assertTrue(Outbox::queue('wechat', $this->official->openid, $this->official->orderPaid, Shop::order(), '/pages/order?id=1'));

        self::assertSame(0, RoutineTemplate::app($this->official->appid)->flush(20000));
        $messages = $this->official->messages();
        self::assertCount(1, $messages);
        self::assertSame('https://shop.example.com/pages/order?id=1', $messages[0]['body']['url']);
    }

    public function testANoticeWithoutALinkIsSent(): void
    {
        self::assertTrue(Outbox::queue('subscribe', $this->shop->openid, $this->shop->orderPaid, Shop::order()));

        $this->assertArrived(1);
    }

    public function testAPaymentThatIsNotifiedTwiceGivesOneNotice(): void
    {
        foreach (['2026-11-21 10:30:00', '2026-11-21 10:30:07'] as $time) {
            $data = Shop::order(['time3' => $time]);
            self::assertTrue(
                Outbox::queue('subscribe', $this->shop->openid, $this->shop->orderPaid, $data, self::LINK, 'order_pay_success')
            );
        }

        $this->assertArrived(1);
        $deliveries = RoutineTemplate::app($this->shop->appid)->deliveries(['key' => 'order_pay_success:wx202611210001']);
        self::assertCount(1, $deliveries, 'what became of an order is found by its number');
    }

    public function testASecondParcelOfAnOrderIsAnotherNotice(): void
    {
        foreach (['SF1', 'SF1', 'SF2'] as $parcel) {
            $data = Shop::order(['character_string1' => $parcel]);
            Outbox::queue('subscribe', $this->shop->openid, $this->shop->orderPaid, $data, self::LINK, 'order_postage_success');
        }

        $this->assertArrived(2);
    }

    public function testARefundThatIsRefusedTwiceInTheSameWordsIsTwoNotices(): void
    {
        for ($i = 0; $i < 2; $i++) {
            Outbox::queue('subscribe', $this->shop->openid, $this->shop->orderPaid, Shop::order(), self::LINK, 'send_order_refund_no_status');
        }

        $this->assertArrived(2);
    }

    public function testTheSameOrderNumberForAnotherReceiverIsAnotherNotice(): void
    {
        $other = Shop::newOpenid();
        $this->shop->addUser($other);
        $this->shop->grant($this->shop->orderPaid, 1, $other);
        foreach ([$this->shop->openid, $other] as $openid) {
            self::assertTrue(Outbox::queue('subscribe', $openid, $this->shop->orderPaid, Shop::order(), self::LINK, 'order_pay_success'));
        }

        $this->assertArrived(2);
    }

    public function testWhatWeChatCertainlyRefusesIsInTheLogAndNotTriedAgain(): void
    {
        $data = Shop::order(['character_string1' => str_repeat('9', 40)]);

        self::assertTrue(
            Outbox::queue('subscribe', $this->shop->openid, $this->shop->orderPaid, $data),
            'true, so that BaseJobs does not try it three times'
        );
        self::assertCount(1, BackOffice::$log);
        self::assertStringContainsString('character_string1', BackOffice::$log[0]);
        self::assertSame(0, $this->sandbox->requests(self::SEND));
    }

    public function testABuyerWhoHasNotAllowedItIsAskedAboutOnceAndNotThreeTimes(): void
    {
        $template = $this->shop->addTemplate(Shop::ORDER_PAID, 0);

        self::assertTrue(Outbox::queue('subscribe', $this->shop->openid, $template, Shop::order()));
        $app = RoutineTemplate::app($this->shop->appid);
        self::assertSame(0, $app->flush(20000));
        self::assertSame(1, $this->sandbox->requests(self::SEND));
        self::assertSame([43101, 'refused'], [$app->deliveries()[0]['errcode'], $app->deliveries()[0]['state']]);
    }

    public function testAStoreThatIsOutOfOrderLosesNoNotice(): void
    {
        RoutineTemplate::app($this->shop->appid)->configure(['secret' => $this->shop->secret, 'store' => '/proc/no-such-directory']);

        self::assertTrue(Outbox::queue('subscribe', $this->shop->openid, $this->shop->orderPaid, Shop::order()));
        self::assertCount(1, $this->shop->messages(), 'sent at once');
    }

    public function testWhereNeitherStoreNorWeChatIsThereTheShopsOwnCodeGoesOn(): void
    {
        RoutineTemplate::app($this->shop->appid)->configure([
            'secret' => $this->shop->secret, 'store' => '/proc/no-such-directory', 'base_url' => 'https://127.0.0.1:9',
        ]);

        self::assertFalse(Outbox::queue('subscribe', $this->shop->openid, $this->shop->orderPaid, Shop::order()));
        self::assertCount(1, BackOffice::$log);
        self::assertStringNotContainsString($this->shop->secret, implode('', BackOffice::$log));
    }

    public function testAnAnswerThatNeverCameIsNotSentAgain(): void
    {
        $app = RoutineTemplate::app($this->shop->appid);
        $app->configure(['secret' => $this->shop->secret, 'store' => '/proc/no-such-directory', 'timeout_ms' => 1000]);
        $app->accessToken();
        $this->sandbox->fault(self::SEND, 'latency', ['ms' => 4000]);

        self::assertTrue(Outbox::queue('subscribe', $this->shop->openid, $this->shop->orderPaid, Shop::order()));
        self::assertSame(1, $this->sandbox->requests(self::SEND));
        self::assertCount(1, BackOffice::$log);
    }

    public function testWithoutReceiverTemplateOrAccountTheShopsOwnCodeGoesOn(): void
    {
        self::assertFalse(Outbox::queue('subscribe', null, $this->shop->orderPaid, Shop::order()));
        self::assertFalse(Outbox::queue('subscribe', $this->shop->openid, '', Shop::order()));
        BackOffice::$settings['routine_appId'] = '';
        Account::forgetSettings();
        self::assertFalse(Outbox::queue('subscribe', $this->shop->openid, $this->shop->orderPaid, Shop::order()));
        self::assertSame([], $this->shop->messages());
    }

    public function testACrmebThatKnowsTheMarkAloneFindsItsTemplate(): void
    {
        $this->createTemplateTable();

        self::assertTrue(Outbox::queueByMark('subscribe', $this->shop->openid, 'order_pay_success', Shop::order(), self::LINK));
        self::assertTrue(Outbox::queueByMark('wechat', $this->official->openid, 'order_pay_success', Shop::order(), '/pages/order'));
        self::assertFalse(Outbox::queueByMark('subscribe', $this->shop->openid, 'no_such_notice', Shop::order()));
        $this->assertArrived(1);
        self::assertSame(0, RoutineTemplate::app($this->official->appid)->flush(20000));
        self::assertCount(1, $this->official->messages());
    }

    public function testACrmebThatKnowsTheCodeAloneFindsItsTemplate(): void
    {
        $this->createTemplateTable();
        BackOffice::$config['template.stores.subscribe.template_id.ORDER_PAY_SUCCESS'] = 1927;

        self::assertTrue(Outbox::queueByCode('subscribe', $this->shop->openid, 'ORDER_PAY_SUCCESS', Shop::order(), self::LINK));
        self::assertFalse(Outbox::queueByCode('subscribe', $this->shop->openid, 'NO_SUCH_CODE', Shop::order()));
        $this->assertArrived(1);
    }

    public function testAKeyIsNeverLongerThanAKeyMayBe(): void
    {
        $order = str_repeat('w', 64);
        $key = NoticeKey::of('order_user_groups_success', 'o', 't', ['character_string1' => $order], null);

        self::assertLessThanOrEqual(128, strlen((string)$key));
        self::assertNull(NoticeKey::of('order_pay_success', 'o', 't', ['thing1' => 'no number'], null));
        self::assertNull(NoticeKey::of(null, 'o', 't', ['character_string1' => $order], null));
    }

    private function assertArrived(int $messages): void
    {
        self::assertSame(0, RoutineTemplate::app($this->shop->appid)->flush(20000));
        self::assertCount($messages, $this->shop->messages());
    }
}
