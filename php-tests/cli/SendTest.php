<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\Attributes\Group;
use RoutineTemplate;
use RoutineTemplate\Tests\Face;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;

/**
 * What send() and sendTemplate() do with a healthy WeChat.
 *
 * @group smoke
 */
#[Group('smoke')]
final class SendTest extends SandboxTestCase
{
    public function testAnOrderPaidMessageGoesOutOverHttps(): void
    {
        $answer = RoutineTemplate::send(
            $this->shop->openid,
            $this->shop->orderPaid,
            Shop::order(),
            'pages/goods/order_details/index?order_id=10086'
        );

        $this->assertDelivered($answer);
        self::assertSame('ok', $answer['errmsg']);
        self::assertSame(1, $answer['attempts']);
        self::assertFalse($answer['duplicate']);
        $messages = $this->shop->messages();
        self::assertCount(1, $messages);
        self::assertSame($this->shop->openid, $messages[0]['openid']);
        self::assertSame($this->shop->orderPaid, $messages[0]['template_id']);
        self::assertSame('pages/goods/order_details/index?order_id=10086', $messages[0]['page']);
        self::assertSent(Shop::order(), $messages[0]);
        self::assertStringStartsWith('https://', $this->shop->config()['base_url']);
    }

    public function testTheMessageIdIsExactAboveTwoToThe53(): void
    {
        $answer = $this->sendOrder();

        self::assertGreaterThan(2 ** 53, $answer['msgid']);
        self::assertSame((string) $this->shop->messages()[0]['msgid'], (string) $answer['msgid']);
    }

    public function testARefusalOfWeChatCarriesItsRidAndAHint(): void
    {
        $answer = RoutineTemplate::send('oNobodyKnowsThisOpenid00000', $this->shop->orderPaid, Shop::order());

        $this->assertIsAnswer($answer);
        self::assertSame(40003, $answer['errcode']);
        self::assertSame('wechat', $answer['source']);
        self::assertMatchesRegularExpression('/^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$/', (string) $answer['rid']);
        self::assertNotSame('', $answer['hint']);
        self::assertNull($answer['msgid']);
    }

    public function testAWrongTemplateIdIsMisconfigured(): void
    {
        $answer = RoutineTemplate::send($this->shop->openid, str_repeat('x', 43), Shop::order());

        $this->assertIsAnswer($answer);
        self::assertSame(40037, $answer['errcode']);
        self::assertSame('misconfigured', $answer['outcome']);
    }

    public function testABuyerWhoseGrantsAreUsedUpIsRefusedWith43101AndNotTriedAgain(): void
    {
        $template = $this->shop->addTemplate(Shop::ORDER_PAID, 1);

        $first = RoutineTemplate::send($this->shop->openid, $template, Shop::order());
        $second = RoutineTemplate::send($this->shop->openid, $template, Shop::order());

        $this->assertDelivered($first);
        $this->assertIsAnswer($second);
        self::assertSame(43101, $second['errcode']);
        self::assertSame('refused_user', $second['outcome']);
        self::assertSame(1, $second['attempts']);
        self::assertCount(1, $this->shop->messages());
    }

    public function testAMissingFieldIsRefusedHereAndNothingLeaves(): void
    {
        RoutineTemplate::registerTemplate('order_pay_success', $this->shop->orderPaid, Shop::ORDER_PAID);
        $this->assertDelivered($this->sendOrder());
        $before = $this->sandbox->requests(self::SEND);

        $data = Shop::order();
        unset($data['amount2'], $data['thing4']);
        $answer = RoutineTemplate::send($this->shop->openid, $this->shop->orderPaid, $data);

        $this->assertIsAnswer($answer);
        self::assertSame(47003, $answer['errcode']);
        self::assertStringStartsWith('argument invalid! data.amount2.value is empty', $answer['errmsg']);
        self::assertSame('local', $answer['source']);
        self::assertSame('refused_payload', $answer['outcome']);
        self::assertSame(0, $answer['attempts']);
        self::assertNull($answer['msgid']);
        self::assertNotSame('', $answer['hint']);
        self::assertSame(['amount2', 'thing4'], array_column($answer['violations'], 'field'));
        self::assertSame($before, $this->sandbox->requests(self::SEND));
    }

    public function testStrictModeRefusesATooLongTitleAndSaysWhatWouldFit(): void
    {
        $answer = $this->sendOrder(['thing4' => str_repeat('果', 21)], ['validate' => 'strict']);

        $this->assertIsAnswer($answer);
        self::assertSame(47003, $answer['errcode']);
        self::assertSame('local', $answer['source']);
        self::assertSame('thing4', $answer['violations'][0]['field']);
        self::assertSame(str_repeat('果', 20), $answer['violations'][0]['fits']);
        self::assertSame(0, $this->sandbox->requests(self::SEND));
    }

    public function testFitModeCutsATooLongTitleAndSaysSo(): void
    {
        $answer = $this->sendOrder(['thing4' => str_repeat('果', 25)]);

        $this->assertDelivered($answer);
        self::assertSame(['thing4'], array_column($answer['changed'], 'field'));
        self::assertSame(str_repeat('果', 20), $answer['changed'][0]['to']);
        self::assertSame(str_repeat('果', 20), self::values($this->shop->messages()[0])['thing4']);
    }

    public function testOffModeLetsWeChatJudge(): void
    {
        $answer = $this->sendOrder(['thing4' => str_repeat('果', 25)], ['validate' => 'off']);

        $this->assertIsAnswer($answer);
        self::assertSame(47003, $answer['errcode']);
        self::assertSame('wechat', $answer['source']);
        self::assertSame('refused_payload', $answer['outcome']);
        self::assertSame(1, $this->sandbox->requests(self::SEND));
    }

    /**
     * @dataProvider shapesOfData
     */
    #[DataProvider('shapesOfData')]
    public function testEveryShapeOfDataThatPhpCodeUsesArrivesAsWeChatWantsIt(callable $data, array $expected): void
    {
        $answer = RoutineTemplate::send($this->shop->openid, $this->shop->orderPaid, $data());

        $this->assertDelivered($answer);
        $message = $this->shop->messages()[0];
        self::assertSent($expected, $message);
        // The sandbox judges strictly; this says in so many words what the body must be.
        $raw = $this->sandbox->counters()['last_request'][self::SEND]['body'];
        $body = json_decode($raw, true, 512, JSON_THROW_ON_ERROR);
        foreach ($expected as $key => $value) {
            self::assertSame($value, $body['data'][$key]['value'], 'values leave as strings');
        }
        self::assertStringNotContainsString('\\u', $raw, 'text leaves as raw UTF-8');
    }

    public static function shapesOfData(): array
    {
        $order = Shop::order();
        $with = static fn (array $fields): array => array_merge($order, $fields);
        return [
            'flat' => [static fn () => $order, $order],
            'with value' => [static fn () => array_map(static fn ($v) => ['value' => $v], $order), $order],
            'with value and color' => [static fn () => array_map(static fn ($v) => ['value' => $v, 'color' => '#173177'], $order), $order],
            'value and color as a list' => [static fn () => array_map(static fn ($v) => [$v, '#173177'], $order), $order],
            'objects' => [static fn () => array_map(static fn ($v) => (object) ['value' => $v], $order), $order],
            'a JSON string' => [static fn () => json_encode($order), $order],
            'a JSON string with raw UTF-8' => [static fn () => json_encode($order, JSON_UNESCAPED_UNICODE), $order],
            'a JSON string with value' => [static fn () => json_encode(array_map(static fn ($v) => ['value' => $v], $order)), $order],
            'keys with .DATA' => [
                static fn () => array_combine(array_map(static fn ($k) => "$k.DATA", array_keys($order)), $order), $order,
            ],
            'an integer' => [static fn () => $with(['thing4' => 12]), $with(['thing4' => '12'])],
            'a float amount' => [static fn () => $with(['amount2' => 128.5]), $with(['amount2' => '128.5'])],
            'a whole float' => [static fn () => $with(['amount2' => 128.0]), $with(['amount2' => '128'])],
            'GBK bytes' => [
                static fn () => $with(['thing4' => iconv('UTF-8', 'GBK', '云南高原红富士苹果')]), $with(['thing4' => '云南高原红富士苹果']),
            ],
        ];
    }

    public function testIdsMayBeIntegers(): void
    {
        $this->sandbox->post('user', ['appid' => $this->shop->appid, 'openid' => '10086']);
        RoutineTemplate::registerTemplate(1927, $this->shop->orderPaid, Shop::ORDER_PAID);

        self::assertSame($this->shop->orderPaid, RoutineTemplate::templateId('1927'));
        self::assertSame($this->shop->orderPaid, RoutineTemplate::templateId(1927));
        $this->assertIsAnswer(RoutineTemplate::send(10086, $this->shop->orderPaid, Shop::order()));
        $this->assertIsAnswer(RoutineTemplate::send($this->shop->openid, 1927, Shop::order()));
        self::assertIsArray(RoutineTemplate::validate(1927, Shop::order()));
    }

    public function testOptionsReachWeChat(): void
    {
        $this->assertDelivered(RoutineTemplate::send(
            $this->shop->openid,
            $this->shop->orderPaid,
            Shop::order(),
            'pages/index?from=notice',
            ['state' => 'trial', 'lang' => 'en_US']
        ));
        $message = $this->shop->messages()[0];
        self::assertSame('trial', $message['miniprogram_state']);
        self::assertSame('en_US', $message['lang']);
        self::assertSame('pages/index?from=notice', $message['page']);
    }

    public function testStateAndLanguageComeFromTheSettingsWhereNoOptionSaysOtherwise(): void
    {
        RoutineTemplate::configure(['state' => 'developer', 'lang' => 'zh_TW']);
        $this->assertDelivered($this->sendOrder());
        $message = $this->shop->messages()[0];
        self::assertSame('developer', $message['miniprogram_state']);
        self::assertSame('zh_TW', $message['lang']);
    }

    public function testOneLeadingSlashOfThePageIsStripped(): void
    {
        $this->assertDelivered(RoutineTemplate::send(
            $this->shop->openid,
            $this->shop->orderPaid,
            Shop::order(),
            '/pages/goods/order_details/index?order_id=1'
        ));
        self::assertSame('pages/goods/order_details/index?order_id=1', $this->shop->messages()[0]['page']);
    }

    public function testAMessageWithoutAPageHasNone(): void
    {
        $this->assertDelivered($this->sendOrder());
        $body = json_decode($this->sandbox->counters()['last_request'][self::SEND]['body'], true);
        self::assertArrayNotHasKey('page', $body);
    }

    public function testTheRequestIsPlainJsonInUtf8(): void
    {
        $this->assertDelivered($this->sendOrder());
        $headers = array_change_key_case($this->sandbox->counters()['last_request'][self::SEND]['headers']);
        self::assertStringStartsWith('application/json', $headers['content-type']);
    }

    public function testARegisteredTemplatesSurplusKeysAreDroppedAndNamed(): void
    {
        RoutineTemplate::registerTemplate('order_pay_success', $this->shop->orderPaid, Shop::ORDER_PAID);
        $answer = $this->sendOrder(['thing9' => '多余的字段']);

        $this->assertDelivered($answer);
        self::assertContains(
            ['field' => 'thing9', 'rule' => 'surplus', 'from' => '多余的字段', 'to' => null],
            $answer['changed']
        );
        self::assertArrayNotHasKey('thing9', $this->shop->messages()[0]['data']);
    }

    public function testARegisteredKeyIsForgottenByNobodyButTheUnknownOneIsNull(): void
    {
        RoutineTemplate::registerTemplate('order_pay_success', $this->shop->orderPaid);
        self::assertSame($this->shop->orderPaid, RoutineTemplate::templateId('order_pay_success'));
        self::assertNull(RoutineTemplate::templateId('nobody_registered_this'));
    }

    public function testSendTemplateTakesCrmebsArgumentsAndAnswersAsWeChatDoes(): void
    {
        $answer = RoutineTemplate::sendTemplate(
            $this->shop->openid,
            $this->shop->orderPaid,
            '/pages/goods/order_details/index?order_id=1',
            Shop::order()
        );
        $this->assertDelivered($answer);
        self::assertSame('pages/goods/order_details/index?order_id=1', $this->shop->messages()[0]['page']);
    }

    public function testSendTemplateTakesNoLinkAndANullLink(): void
    {
        $this->assertDelivered(RoutineTemplate::sendTemplate($this->shop->openid, $this->shop->orderPaid, null, Shop::order()));
        $this->assertDelivered(RoutineTemplate::sendTemplate($this->shop->openid, $this->shop->orderPaid, '', Shop::order()));
        self::assertCount(2, $this->shop->messages());
    }

    public function testSendTemplateIsFalseWithoutAnOpenidOrATemplateAsInCrmeb(): void
    {
        self::assertFalse(RoutineTemplate::sendTemplate('', $this->shop->orderPaid, '', Shop::order()));
        self::assertFalse(RoutineTemplate::sendTemplate($this->shop->openid, '', '', Shop::order()));
        self::assertFalse(RoutineTemplate::sendTemplate(null, $this->shop->orderPaid, '', Shop::order()));
        self::assertFalse(RoutineTemplate::sendTemplate($this->shop->openid, null, '', Shop::order()));
        self::assertSame(0, $this->sandbox->requests(self::SEND));
    }

    public function testValidateSaysWhatIsWrongWithoutTouchingTheNetwork(): void
    {
        RoutineTemplate::registerTemplate('order_pay_success', $this->shop->orderPaid, Shop::ORDER_PAID);
        $data = Shop::order(['thing4' => str_repeat('果', 21), 'amount2' => '100万元']);
        unset($data['character_string1']);

        $violations = RoutineTemplate::validate($this->shop->orderPaid, $data);

        self::assertContains('character_string1', array_column($violations, 'field'));
        self::assertContains('amount2', array_column($violations, 'field'));
        array_map([self::class, 'assertIsViolation'], $violations);
        self::assertSame([], RoutineTemplate::validate($this->shop->orderPaid, Shop::order()));
        self::assertSame([], RoutineTemplate::validate($this->shop->orderPaid, json_encode(Shop::order())));
        self::assertSame(0, $this->sandbox->requests(self::STABLE_TOKEN) + $this->sandbox->requests(self::SEND));
    }

    public function testHintsComeInTheLanguageThatTheSettingSays(): void
    {
        $send = fn (): string => RoutineTemplate::send('oNobodyKnowsThisOpenid00000', $this->shop->orderPaid, Shop::order())['hint'];
        RoutineTemplate::configure(['hint_lang' => 'zh']);
        self::assertMatchesRegularExpression('/\p{Han}/u', $send());
        RoutineTemplate::configure(['hint_lang' => 'en']);
        self::assertDoesNotMatchRegularExpression('/\p{Han}/u', $send());
    }

    public function testAppSendsForAnotherAccountThanTheDefaultOne(): void
    {
        $other = new Shop($this->sandbox);
        $app = RoutineTemplate::app($other->appid);
        self::assertInstanceOf(RoutineTemplate\App::class, $app);
        $app->configure(['secret' => $other->secret]);

        $this->assertDelivered($app->send($other->openid, $other->orderPaid, Shop::order()));
        $this->assertDelivered($this->sendOrder());

        self::assertCount(1, $other->messages());
        self::assertCount(1, $this->shop->messages());
    }

    public function testOneConnectionCarriesManyMessages(): void
    {
        $this->assertDelivered($this->sendOrder());
        $before = $this->sandbox->httpsConnections();
        for ($i = 0; $i < 20; $i++) {
            $this->assertDelivered($this->sendOrder());
        }
        self::assertSame($before, $this->sandbox->httpsConnections());
        self::assertCount(21, $this->shop->messages());
    }

    public function testStatsCountWhatHappened(): void
    {
        $before = RoutineTemplate::stats();
        $this->sendOrder();
        $this->sendOrder();
        RoutineTemplate::send('oNobodyKnowsThisOpenid00000', $this->shop->orderPaid, Shop::order());
        $after = RoutineTemplate::stats();

        self::assertSame(getmypid(), $after['pid']);
        self::assertSame(3, $after['sends'] - $before['sends']);
        self::assertSame(2, $after['delivered'] - $before['delivered']);
        self::assertSame(1, $after['token_fetches'] - $before['token_fetches']);
    }

    public function testVersionIsAVersion(): void
    {
        self::assertMatchesRegularExpression('/^\d+\.\d+\.\d+/', RoutineTemplate::version());
        if (!Face::isFfi()) {
            self::assertSame(RoutineTemplate::version(), phpversion('routine_template'));
        }
    }

    public function testTheCallersArrayIsNotChanged(): void
    {
        $data = Shop::order(['thing4' => str_repeat('果', 25), 'character_string1.DATA' => 12]);
        $copy = unserialize(serialize($data));
        RoutineTemplate::send($this->shop->openid, $this->shop->orderPaid, $data);
        self::assertSame($copy, $data);
    }

    public function testTheOutcomesThatWeChatThrottlesWith(): void
    {
        foreach ([45009 => 'throttled_day', 45011 => 'throttled_minute', 43108 => 'throttled_user', -1 => 'retry_later'] as $code => $outcome) {
            $this->sandbox->clearFaults();
            // Another account each time: a limit pauses the one that met it.
            RoutineTemplate::configure(($this->shop = new Shop($this->sandbox))->config());
            $this->sandbox->fault(self::SEND, 'errcode', ['errcode' => $code, 'errmsg' => 'as the test says', 'times' => 1]);
            $answer = (new \ReflectionMethod(RoutineTemplate::class, 'send'))
                ->invoke(null, $this->shop->openid, $this->shop->orderPaid, Shop::order());
            $this->assertIsAnswer($answer);
            if ($answer['errcode'] === 0) {
                self::assertContains($code, [-1, 43108], 'only a refusal that passes at once may be tried again');
                continue;
            }
            self::assertSame($code, $answer['errcode']);
            self::assertSame($outcome, $answer['outcome']);
        }
    }
}
