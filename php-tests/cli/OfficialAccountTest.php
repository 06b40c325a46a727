<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use PHPUnit\Framework\Attributes\Group;
use RoutineTemplate;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;

/**
 * What an official account (公众号) sends, and the calls that WeChat has withdrawn.
 *
 * @group smoke
 */
#[Group('smoke')]
final class OfficialAccountTest extends SandboxTestCase
{
    private const CONTENT = "订单编号{{character_string1.DATA}}\n数量{{number2.DATA}}\n金额{{amount3.DATA}}";
    private const ORDER = ['character_string1' => 'cp1', 'number2' => '3', 'amount3' => '¥128.50'];
    private const ONE_TIME = '/cgi-bin/message/template/subscribe';

    private string $templateId;

    protected function setUp(): void
    {
        parent::setUp();
        $this->shop = new Shop($this->sandbox, ['kind' => 'official']);
        RoutineTemplate::configure($this->shop->config());
        $this->templateId = $this->shop->addTemplate(self::CONTENT);
    }

    public function testATemplateMessageWithAKeyIsOneMessageAtWeChatToo(): void
    {
        RoutineTemplate::configure(['store' => 'off']);
        for ($i = 0; $i < 2; $i++) {
            $this->assertDelivered($this->notify(['channel' => 'template', 'key' => 'order-1-shipped']));
        }
        self::assertCount(1, $this->shop->messages());
        self::assertSame('order-1-shipped', $this->lastBody()['client_msg_id']);

        $this->assertDelivered($this->notify(['channel' => 'template']));
        self::assertArrayNotHasKey('client_msg_id', $this->lastBody());
    }

    public function testBizsendGetsItsNumbersAsJsonNumbers(): void
    {
        $this->assertDelivered($this->notify(['channel' => 'bizsend']));
        self::assertSame(['value' => 3], $this->lastBody()['data']['number2']);
        self::assertSame(['value' => '¥128.50'], $this->lastBody()['data']['amount3']);
    }

    public function testATapOpensAWebPageOrAMiniProgram(): void
    {
        $target = ['appid' => 'wx00000000000000aa', 'pagepath' => 'pages/order?id=1'];
        $options = ['channel' => 'template', 'miniprogram' => $target];
        $answer = RoutineTemplate::send($this->shop->openid, $this->templateId, self::ORDER, 'https://shop.test/1', $options);
        $this->assertDelivered($answer);
        self::assertSame('https://shop.test/1', $this->lastBody()['url']);
        self::assertSame($target, $this->lastBody()['miniprogram']);
    }

    public function testAOneTimeMessageIsSent(): void
    {
        $answer = RoutineTemplate::sendOneTime($this->shop->openid, $this->templateId, 1000, '发货提醒', '您的订单已发货', [
            'url' => 'https://shop.test/1', 'color' => '#173177',
        ]);
        self::assertSame([0, 'ok', 'wechat', 'delivered'], [
            $answer['errcode'], $answer['errmsg'], $answer['source'], $answer['outcome'],
        ]);
        self::assertSame('1000', $this->lastBody()['scene']);
        self::assertSame(['content' => ['value' => '您的订单已发货', 'color' => '#173177']], $this->lastBody()['data']);
    }

    public function testAOneTimeMessageThatCannotBeSentSaysWhyWithoutARequest(): void
    {
        foreach ([[10001, '标题', '内容', 40097], [1, str_repeat('长', 16), '内容', 40062], [1, '标题', '', 47003]] as $case) {
            [$scene, $title, $content, $errcode] = $case;
            $answer = RoutineTemplate::sendOneTime($this->shop->openid, $this->templateId, $scene, $title, $content);
            self::assertSame([$errcode, 'local'], [$answer['errcode'], $answer['source']]);
            self::assertNotSame('', $answer['hint']);
        }
        self::assertSame(0, $this->sandbox->requests(self::ONE_TIME));
        $thrown = self::thrownBy(fn () => RoutineTemplate::sendOneTime(
            $this->shop->openid,
            $this->templateId,
            1,
            '标题',
            '内容',
            ['page' => 'pages/a']
        ), \ValueError::class);
        self::assertStringContainsString('page', $thrown->getMessage());
    }

    public function testAOneTimeMessageWithoutAnAnswerIsAmbiguousAndNotSentAgain(): void
    {
        RoutineTemplate::accessToken();
        $this->sandbox->fault(self::ONE_TIME, 'drop_after', ['times' => null]);
        $thrown = self::thrownBy(
            fn () => RoutineTemplate::sendOneTime($this->shop->openid, $this->templateId, 1, '标题', '内容'),
            RoutineTemplate\TransportException::class
        );
        self::assertTrue($thrown->isAmbiguous());
        self::assertSame(1, $this->sandbox->requests(self::ONE_TIME));
    }

    public function testWithdrawnCallsSayWhatReplacedThem(): void
    {
        $uniform = RoutineTemplate::uniformSend(['touser' => $this->shop->openid, 'weapp_template_msg' => []]);
        $formId = RoutineTemplate::app($this->shop->appid)->wxopenTemplateSend();
        foreach ([[$uniform, 45109, '2023-09-20'], [$formId, 45103, '2020']] as [$answer, $errcode, $since]) {
            self::assertSame([$errcode, 'local', 'gone'], [$answer['errcode'], $answer['source'], $answer['outcome']]);
            self::assertStringContainsString($since, $answer['hint']);
            self::assertStringContainsString('send()', $answer['hint']);
        }
    }

    private function notify(array $options): array
    {
        return RoutineTemplate::send($this->shop->openid, $this->templateId, self::ORDER, null, $options);
    }

    private function lastBody(): array
    {
        $messages = $this->shop->messages();
        return end($messages)['body'];
    }
}
