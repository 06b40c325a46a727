<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Crmeb;

use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;

/** The adapter for 知识付费: service\RoutineTemplateService as the shop's code calls it. */
final class ZzffTest extends SandboxTestCase
{
    private const BIZSEND = '/cgi-bin/message/subscribe/bizsend';
    private const CONTENT = "订单编号{{character_string1.DATA}}\n订单金额{{amount3.DATA}}\n支付时间{{time2.DATA}}\n备注{{thing6.DATA}}";
    private const ORDER = [
        'character_string1' => ['value' => 'wx202611210001'],
        'amount3' => ['value' => '99.00'],
        'time2' => ['value' => '2026-11-21 10:30:00'],
        'thing6' => ['value' => '您购买的专题已支付成功！'],
    ];

    /** @var string */
    private $templateId;

    protected function setUp(): void
    {
        parent::setUp();
        $this->shop = new Shop($this->sandbox, ['kind' => 'official']);
        $this->templateId = $this->shop->addTemplate(self::CONTENT);
    }

    public function testTheOrderPaidMessageOfTheShopArrivesAsASubscriptionNotice(): void
    {
        [$answer] = $this->inShop('
            $id = S::setTemplateId(S::ORDER_PAY_SUCCESS);
            return [S::sendTemplate(OPENID, $id, "https://shop.test/wap/special/grade_list", ORDER)];
        ');

        self::assertSame([0, 'ok'], [$answer['errcode'], $answer['errmsg']]);
        self::assertSame(1, $this->sandbox->requests(self::BIZSEND));
        [$message] = $this->shop->messages();
        self::assertSame('https://shop.test/wap/special/grade_list', $message['body']['page']);
        self::assertSent([
            'character_string1' => 'wx202611210001', 'amount3' => '99.00', 'time2' => '2026-11-21 10:30:00', 'thing6' => '您购买的专题已支付成功！',
        ], $message);
    }

    public function testTheConstantsAndTheParametersAreTheShopsOwn(): void
    {
        [$constants, $methods] = $this->inShop('
            $class = new ReflectionClass(S::class);
            $methods = [];
            foreach (["setTemplateId", "sendTemplate", "addTemplate", "getCategory", "getPubTemplateKeyWordsById",
                "getPubTemplateTitleList", "getTemplateList", "delTemplate"] as $name) {
                $method = $class->getMethod($name);
                $methods[$name] = [$method->isStatic(), $method->hasReturnType()];
                foreach ($method->getParameters() as $parameter) {
                    $methods[$name][] = [$parameter->getName(), $parameter->hasType(),
                        $parameter->isOptional() ? $parameter->getDefaultValue() : "required"];
                }
            }
            return [$class->getConstants(), $methods];
        ');

        self::assertSame([
            'ORDER_PAY_SUCCESS' => '6271', 'ORDER_POSTAGE_SUCCESS' => '3637', 'LIVE_BROADCAST' => '16172', 'PINK_ORDER_REMIND' => '5275',
            'ORDER_USER_GROUPS_SUCCESS' => '3098', 'ORDER_USER_GROUPS_LOSE' => '4534', 'ORDER_USER_PINGT_SUCCESS' => '4533',
            'USER_BALANCE_CHANGE' => '4148', 'ORDER_REFUND_STATUS' => '1451', 'ORDER_TAKE_SUCCESS' => '3510',
            'ORDER_USER_SIGN_UP_SUCCESS' => '13684', 'EXAMINE_RESULT' => '5545',
        ], $constants);
        self::assertSame([
            'setTemplateId' => [true, false, ['tempKey', false, '']],
            'sendTemplate' => [true, false, ['openId', false, ''], ['templateId', false, ''], ['link', false, ''], ['dataKey', false, []]],
            'addTemplate' => [true, false, ['tid', false, 'required'], ['kidList', false, []], ['sceneDesc', false, '']],
            'getCategory' => [true, false],
            'getPubTemplateKeyWordsById' => [true, false, ['tid', false, 'required']],
            'getPubTemplateTitleList' => [true, false, ['ids', false, 'required'], ['start', false, 0], ['limit', false, 10]],
            'getTemplateList' => [true, false],
            'delTemplate' => [true, false, ['priTmplId', false, '']],
        ], $methods);
    }

    public function testWithoutAnOpenidOrATemplateItIsFalseAsInTheShop(): void
    {
        self::assertSame([false, false, false, false, '', null], $this->inShop('
            return [S::sendTemplate(), S::sendTemplate(null, "t"), S::sendTemplate("o", null), S::delTemplate(), S::setTemplateId(),
                S::setTemplateId("no such number")];
        '));
        self::assertSame([], $this->shop->messages());
    }

    public function testATemplateThatIsSwitchedOffHasNoIdAndNothingIsSent(): void
    {
        self::assertSame([null, false], $this->inShop('
            $id = S::setTemplateId(S::ORDER_REFUND_STATUS);
            return [$id, S::sendTemplate(OPENID, $id, "", ORDER)];
        '));
    }

    public function testARefusalHasWeChatsErrcodeAndIsInTheShopsLog(): void
    {
        $stranger = Shop::newOpenid();
        $this->shop->addUser($stranger);
        [$answer, $errors] = $this->inShop('return [S::sendTemplate("' . $stranger . '", TEMPLATE, "", ORDER), think\Log::$errors];');

        self::assertSame(43101, $answer['errcode']);
        self::assertCount(1, $errors);
        self::assertStringContainsString('43101', $errors[0]);
    }

    public function testAMessageThatCouldNotBeSentIsQueuedAndArrivesLater(): void
    {
        [$answer, $state, $left] = $this->inShop('
            $app = RoutineTemplate::app(APPID);
            $app->configure(["base_url" => "https://127.0.0.1:9"]);
            $answer = S::sendTemplate(OPENID, TEMPLATE, "", ORDER);
            $state = $app->status($answer["queued"])["state"];
            $app->configure(["base_url" => $shop->config["base_url"]]);
            return [$answer, $state, $app->flush(30000)];
        ');

        self::assertSame([0, 'ok', null], [$answer['errcode'], $answer['errmsg'], $answer['msgid']]);
        self::assertContains($state, ['queued', 'sending']);
        self::assertSame(0, $left);
        self::assertCount(1, $this->shop->messages());
    }

    public function testWithTheSettingQueueTheMessageIsOnlyStoredAndSentInTheBackground(): void
    {
        [$answer, $left] = $this->inShop('
            think\Config::$values["routine_template"] = ["queue" => true];
            $answer = S::sendTemplate(OPENID, TEMPLATE, "", ORDER);
            return [$answer, RoutineTemplate::app(APPID)->flush(20000)];
        ');

        self::assertSame(0, $answer['errcode']);
        self::assertSame(0, $left);
        self::assertCount(1, $this->shop->messages());
    }

    public function testTheMiniProgramGetsItsOwnOpenidAndPage(): void
    {
        $miniProgram = new Shop($this->sandbox);
        $templateId = $miniProgram->addTemplate(self::CONTENT);
        $answers = $this->inShop('
            think\Config::$values["routine_template"] = ["channel" => "subscribe", "pages" => ["6271" => "pages/order/index"]];
            service\SystemConfigService::$values["routine_appId"] = "' . $miniProgram->appid . '";
            service\SystemConfigService::$values["routine_appsecret"] = "' . $miniProgram->secret . '";
            think\Db::$tables["RoutineTemplate"][0]["tempid"] = "' . $templateId . '";
            think\Db::$tables["WechatUser"] = [
                ["openid" => OPENID, "routine_openid" => "' . $miniProgram->openid . '"],
                ["openid" => "oNeverOpenedTheMiniProgram", "routine_openid" => ""],
            ];
            return [S::sendTemplate(OPENID, S::setTemplateId("6271"), "https://shop.test/wap/special/grade_list", ORDER),
                S::sendTemplate("oNeverOpenedTheMiniProgram", S::setTemplateId("6271"), "", ORDER)];
        ');

        self::assertSame(0, $answers[0]['errcode'], $answers[0]['errmsg']);
        [$message] = $miniProgram->messages();
        self::assertSame([$miniProgram->openid, 'pages/order/index'], [$message['body']['touser'], $message['body']['page']]);
        self::assertSame(40003, $answers[1]['errcode']);
    }

    public function testAnUnknownChannelIsNamedInTheAnswerAndNothingIsSent(): void
    {
        [$answer] = $this->inShop('
            think\Config::$values["routine_template"] = ["channel" => "sms"];
            return [S::sendTemplate(OPENID, TEMPLATE, "", ORDER)];
        ');

        self::assertSame(-1, $answer['errcode']);
        self::assertStringContainsString('channel', $answer['errmsg']);
        self::assertSame([], $this->shop->messages());
    }

    public function testDataThatNoMessageCanBeMadeOfIsAnsweredAndLoggedNotThrown(): void
    {
        [$answers, $errors] = $this->inShop('
            $answers = [S::sendTemplate(OPENID, TEMPLATE, "", null), S::sendTemplate(OPENID, TEMPLATE, "", "text"),
                S::sendTemplate(OPENID, TEMPLATE, "", ["thing6" => new DateTime()])];
            return [$answers, think\Log::$errors];
        ');

        foreach ($answers as $answer) {
            self::assertIsInt($answer['errcode']);
            self::assertNotSame(0, $answer['errcode']);
        }
        self::assertCount(3, $errors);
        self::assertSame([], $this->shop->messages());
    }

    public function testTheTemplatesOfTheAccountAreManagedInTheShapeOfWeChatsAnswers(): void
    {
        [$list, $removed, $left, $refused] = $this->inShop('
            return [S::getTemplateList(), S::delTemplate(TEMPLATE), S::getTemplateList(), S::delTemplate("no such template")];
        ');

        self::assertSame([0, 'ok'], [$list['errcode'], $list['errmsg']]);
        self::assertContains($this->templateId, array_column($list['data'], 'priTmplId'));
        self::assertSame(['errcode' => 0, 'errmsg' => 'ok'], $removed);
        self::assertNotContains($this->templateId, array_column($left['data'], 'priTmplId'));
        self::assertNotSame(0, $refused['errcode']);
        self::assertNotSame('', $refused['errmsg']);
    }

    public function testATemplateOfThePublicLibraryIsFoundAndAdded(): void
    {
        [$categories, $titles, $keywords, $added] = $this->inShop('
            $categories = S::getCategory();
            $titles = S::getPubTemplateTitleList(implode(",", array_column($categories["data"], "id")), 0, 5);
            $tid = $titles["data"][0]["tid"];
            $keywords = S::getPubTemplateKeyWordsById($tid);
            $kids = array_slice(array_column($keywords["data"], "kid"), 0, 2);
            return [$categories, $titles, $keywords, S::addTemplate($tid, $kids, "订单提醒")];
        ');

        foreach ([$categories, $titles, $keywords, $added] as $answer) {
            self::assertSame([0, 'ok'], [$answer['errcode'], $answer['errmsg']]);
        }
        self::assertSame(count($keywords['data']), $keywords['count']);
        self::assertGreaterThanOrEqual(count($titles['data']), $titles['count']);
        self::assertNotSame('', $added['priTmplId']);
    }

    public function testATemplateMessageAnswersACollectionAndARefusalThrowsItsErrcode(): void
    {
        [$sent, $refused] = $this->inShop('
            $send = [RoutineTemplate\Crmeb\Zzff\TemplateNotice::class, "send"];
            try {
                $send("oNobody000000000000000000001", TEMPLATE, ORDER);
            } catch (EasyWeChat\Core\Exceptions\HttpException $refusal) {
            }
            return [$send(OPENID, TEMPLATE, ORDER, "https://shop.test/1")->all(), $refusal->getCode()];
        ');

        self::assertSame([0, 'ok'], [$sent['errcode'], $sent['errmsg']]);
        self::assertSame(40003, $refused);
        self::assertSame('https://shop.test/1', $this->shop->messages()[0]['body']['url']);
    }

    public function testWithTheSettingQueueATemplateMessageIsStoredAndArrives(): void
    {
        [$queued, $left] = $this->inShop('
            think\Config::$values["routine_template"] = ["queue" => true];
            $queued = RoutineTemplate\Crmeb\Zzff\TemplateNotice::send(OPENID, TEMPLATE, ORDER, "");
            return [$queued["errcode"], RoutineTemplate::app(APPID)->flush(20000)];
        ');

        self::assertSame([0, 0], [$queued, $left]);
        self::assertSame(1, $this->sandbox->requests('/cgi-bin/message/template/send'));
    }

    public function testTheShopsOtherCodeGetsTheSameTokenOrFetchesItsOwn(): void
    {
        [$isOurs, $none] = $this->inShop('
            $token = [RoutineTemplate\Crmeb\Zzff\ServerToken::class, "officialAccount"];
            $isOurs = $token() === RoutineTemplate::app(APPID)->accessToken();
            service\SystemConfigService::$values["wechat_appsecret"] = "wrong";
            RoutineTemplate::app(APPID)->configure(["secret" => "wrong"]);
            RoutineTemplate::app(APPID)->configure(["store" => "off"]);
            return [$isOurs, $token()];
        ');

        self::assertTrue($isOurs);
        self::assertNull($none);
    }

    public function testWhatTheSubscribeButtonAnsweredIsRecordedForTheUserWhoIsLoggedIn(): void
    {
        $details = [$this->templateId => '{"status":"accept"}', 'another shop\'s template' => '{"status":"accept"}'];
        $detail = json_encode(['errMsg' => 'subscribe:ok', 'subscribeDetails' => json_encode($details)]);
        [$recorded, $nobody, $nonsense, $grants] = $this->inShop('
            think\Db::$tables["WechatUser"] = [["uid" => 7, "openid" => OPENID]];
            $record = [RoutineTemplate\Crmeb\Zzff\SubscribeReport::class, "record"];
            return [$record(7, ' . var_export($detail, true) . '), $record(0, "{}"), $record(7, "no JSON"),
                RoutineTemplate::app(APPID)->grants(OPENID)];
        ');

        self::assertSame([$this->templateId], $recorded);
        self::assertSame([[], []], [$nobody, $nonsense]);
        self::assertSame([$this->templateId], array_keys($grants));
        self::assertSame(1, $grants[$this->templateId]['available']);
    }

    public function testWithoutAnAccountInTheShopItsOwnClassIsCalled(): void
    {
        self::assertSame([['shop' => ['o', 't', '', ['a' => 1]]], false, ['shop' => [3, 20]]], $this->inShop('
            service\SystemConfigService::$values = [];
            return [S::sendTemplate("o", "t", "", ["a" => 1]), S::getCategory(), S::getTemplateListAll(3)];
        '));
    }

    /** Runs the code in a process that has the shop's classes, and answers what it returns. */
    private function inShop(string $code): array
    {
        $tables = ['RoutineTemplate' => [
            ['tempkey' => '6271', 'tempid' => $this->templateId, 'content' => self::CONTENT, 'status' => 1],
            ['tempkey' => '1451', 'tempid' => $this->shop->orderPaid, 'content' => Shop::ORDER_PAID, 'status' => 0],
        ]];
        $account = ['wechat_appid' => $this->shop->appid, 'wechat_appsecret' => $this->shop->secret];
        $script = '
            require ' . var_export(__DIR__ . '/stand-ins/easywechat.php', true) . ';
            require ' . var_export(__DIR__ . '/stand-ins/zzff.php', true) . ';
            class_alias(service\RoutineTemplateService::class, "S");
            think\Db::$tables = ' . var_export($tables, true) . ';
            service\SystemConfigService::$values = ' . var_export($account, true) . ';
            define("APPID", $shop->appid);
            define("OPENID", $shop->openid);
            define("TEMPLATE", ' . var_export($this->templateId, true) . ');
            define("ORDER", ' . var_export(self::ORDER, true) . ');
            $run = static function () use ($shop) {' . $code . '};
            echo json_encode($run());
        ';
        return PhpProcess::run($this->shop->script($script))->json();
    }
}
