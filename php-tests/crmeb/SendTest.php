<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Crmeb;

use EasyWeChat\Core\Exceptions\HttpException;
use EasyWeChat\Core\Exceptions\InvalidArgumentException;
use EasyWeChat\Support\Collection;
use RoutineTemplate\Crmeb\Refusal;
use RoutineTemplate\Crmeb\SubscribeMessage;
use RoutineTemplate\Crmeb\TemplateMessage;
use RoutineTemplate\Tests\CrmebTestCase;
use RoutineTemplate\Tests\Shop;
use RoutineTemplate\TransportException;

/** Seams S1 and S8: what the callers of CRMEB's own methods get stays as it was. */
final class SendTest extends CrmebTestCase
{
    public function testAMessageIsAnsweredWithEasyWeChatsCollection(): void
    {
        self::assertTrue(SubscribeMessage::isReady());
        $answer = SubscribeMessage::send($this->shop->openid, $this->shop->orderPaid, Shop::order(), 'pages/index/index');

        self::assertInstanceOf(Collection::class, $answer);
        self::assertTrue((bool)$answer, 'BaseJobs deletes a job whose result is truthy');
        self::assertSame([0, 'ok'], [$answer['errcode'], $answer->errmsg]);
        self::assertNotNull($answer['msgid']);
        self::assertArrayHasKey('hint', $answer->all());
        self::assertSame('pages/index/index', $this->shop->messages()[0]['page']);
    }

    /** @dataProvider noLink */
    #[\PHPUnit\Framework\Attributes\DataProvider('noLink')]
    public function testAMessageWithoutALinkIsSent(?string $link): void
    {
        $answer = SubscribeMessage::send($this->shop->openid, $this->shop->orderPaid, Shop::order(), $link);

        self::assertSame(0, $answer['errcode']);
        self::assertArrayNotHasKey('page', array_filter($this->shop->messages()[0]));
    }

    public static function noLink(): iterable
    {
        yield 'null, as TemplateJob leaves it' => [null];
        yield 'empty, the default' => [''];
    }

    public function testEveryShapeOfDataThatCrmebKnowsIsSent(): void
    {
        $data = ['character_string1' => ['value' => 'wx1'], 'amount2' => ['99.00', '#173177'], 'time3' => '2026-11-21 10:30:00', 'thing4' => ['苹果']];
        SubscribeMessage::send($this->shop->openid, $this->shop->orderPaid, $data);

        self::assertSent(
            ['character_string1' => 'wx1', 'amount2' => '99.00', 'time3' => '2026-11-21 10:30:00', 'thing4' => '苹果'],
            $this->shop->messages()[0]
        );
    }

    public function testARefusalIsAnHttpExceptionWithWeChatsErrcode(): void
    {
        $template = $this->shop->addTemplate(Shop::ORDER_PAID, 0);
        $refusal = self::thrownBy(function () use ($template): void {
            SubscribeMessage::send($this->shop->openid, $template, Shop::order());
        }, Refusal::class);

        self::assertInstanceOf(HttpException::class, $refusal);
        self::assertSame(43101, $refusal->getCode());
        self::assertStringStartsWith('user refuse to accept the msg', $refusal->getMessage());
        self::assertSame('refused_user', $refusal->answer()['outcome']);
    }

    public function testARefusalForWhichWeChatIsNotAskedLooksTheSame(): void
    {
        $refusal = self::thrownBy(function (): void {
            SubscribeMessage::send($this->shop->openid, $this->shop->orderPaid, Shop::order(['character_string1' => str_repeat('9', 40)]));
        }, Refusal::class);

        self::assertSame(47003, $refusal->getCode());
        self::assertStringContainsString('character_string1', $refusal->getMessage());
        self::assertSame(0, $this->sandbox->requests(self::SEND));
    }

    public function testAMissingReceiverOrTemplateIsEasyWeChatsArgumentError(): void
    {
        foreach (['touser' => ['', 'x'], 'template_id' => ['x', '']] as $name => [$openid, $template]) {
            $error = self::thrownBy(static function () use ($openid, $template): void {
                SubscribeMessage::send($openid, $template, []);
            }, InvalidArgumentException::class);
            self::assertSame("Attribute '$name' can not be empty!", $error->getMessage());
        }
    }

    public function testAMessageThatMayHaveArrivedIsNotSentAgainByCrmebsQueue(): void
    {
        \RoutineTemplate::app($this->shop->appid)->configure(['secret' => $this->shop->secret, 'timeout_ms' => 1000]);
        SubscribeMessage::send($this->shop->openid, $this->shop->orderPaid, Shop::order());
        $this->sandbox->fault(self::SEND, 'latency', ['ms' => 4000]);
        $answer = SubscribeMessage::send($this->shop->openid, $this->shop->orderPaid, Shop::order());

        // BaseJobs deletes a job that gave something truthy, and tries it again after an exception.
        self::assertInstanceOf(Collection::class, $answer);
        self::assertSame(-1, $answer['errcode']);
        self::assertNotSame('', $answer['errmsg']);
    }

    public function testAMessageThatWasCertainlyNotSentIsAnException(): void
    {
        // A token request is repeated once by itself.
        $this->sandbox->fault(self::STABLE_TOKEN, 'drop_after', ['times' => 2]);
        $exception = self::thrownBy(function (): void {
            SubscribeMessage::send($this->shop->openid, $this->shop->orderPaid, Shop::order());
        }, TransportException::class);

        self::assertFalse($exception->isAmbiguous());
        self::assertSame(0, SubscribeMessage::send($this->shop->openid, $this->shop->orderPaid, Shop::order())['errcode']);
        self::assertCount(1, $this->shop->messages());
    }

    public function testAnOfficialAccountSendsItsTemplateMessage(): void
    {
        self::assertTrue(TemplateMessage::isReady());
        $answer = TemplateMessage::send(
            $this->official->openid,
            $this->official->orderPaid,
            ['character_string1' => ['wx1', '#173177']] + Shop::order(),
            'https://shop.example.com/pages/order?id=1'
        );

        self::assertInstanceOf(Collection::class, $answer);
        self::assertSame(0, $answer['errcode']);
        self::assertCount(1, $this->official->messages());
        self::assertSame('https://shop.example.com/pages/order?id=1', $this->lastBody()['url']);
        self::assertSame([], $this->shop->messages());
    }

    public function testATapOnAnOfficialAccountsMessageMayOpenTheMiniProgram(): void
    {
        TemplateMessage::send(
            $this->official->openid,
            $this->official->orderPaid,
            Shop::order(),
            'https://shop.example.com/pages/order?id=1',
            1
        );

        $target = ['appid' => $this->shop->appid, 'pagepath' => 'pages/order?id=1'];
        self::assertSame($target, $this->lastBody()['miniprogram']);
    }

    public function testARefusedTemplateMessageIsAnHttpException(): void
    {
        $refusal = self::thrownBy(function (): void {
            TemplateMessage::send(Shop::newOpenid(), $this->official->orderPaid, Shop::order());
        }, Refusal::class);

        self::assertInstanceOf(HttpException::class, $refusal);
        self::assertSame(40003, $refusal->getCode());
    }

    public function testASecretThatIsChangedInTheBackOfficeCountsASecondLater(): void
    {
        SubscribeMessage::send($this->shop->openid, $this->shop->orderPaid, Shop::order());
        $this->shop->account(['secret' => str_repeat('5', 32)]);
        BackOffice::$settings['routine_appsecret'] = str_repeat('5', 32);
        usleep(1100000);

        self::assertSame(0, SubscribeMessage::send($this->shop->openid, $this->shop->orderPaid, Shop::order())['errcode']);
        self::assertSame(2, $this->shop->tokenFetches());
    }

    private function lastBody(): array
    {
        $messages = $this->official->messages();
        return end($messages)['body'];
    }
}
