<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\Attributes\Group;
use RoutineTemplate;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;

/** Settings: from php.ini, from configure(), and what is said about wrong ones. */
final class ConfigTest extends SandboxTestCase
{
    /** @group smoke */
    #[Group('smoke')]
    public function testAnUnknownSettingIsRefusedWithTheListOfKnownOnes(): void
    {
        try {
            RoutineTemplate::configure(['app_id' => $this->shop->appid]);
            self::fail('an unknown setting was accepted');
        } catch (RoutineTemplate\ConfigException $exception) {
            self::assertStringContainsString('app_id', $exception->getMessage());
            foreach (['appid', 'secret', 'base_url', 'timeout_ms', 'validate'] as $name) {
                self::assertStringContainsString($name, $exception->getMessage());
            }
        }
    }

    /**
     * @dataProvider wrongValues
     * @group smoke
     */
    #[DataProvider('wrongValues')]
    #[Group('smoke')]
    public function testAWrongValueIsRefusedAndSaysWhatIsAllowed(array $config, string $named): void
    {
        try {
            RoutineTemplate::configure($config);
            self::fail('a wrong value was accepted');
        } catch (RoutineTemplate\ConfigException $exception) {
            self::assertStringContainsString(array_key_first($config), $exception->getMessage());
            self::assertStringContainsString($named, $exception->getMessage());
        }
        // What was right stays in force.
        $this->assertDelivered($this->sendOrder());
    }

    public static function wrongValues(): array
    {
        return [
            'validate' => [['validate' => 'sometimes'], 'strict'],
            'token_mode' => [['token_mode' => 'magic'], 'external'],
            'state' => [['state' => 'released'], 'formal'],
            'lang' => [['lang' => 'de_DE'], 'zh_CN'],
            'hint_lang' => [['hint_lang' => 'fr'], 'zh'],
            'durability' => [['durability' => 'always'], 'power'],
            'grants' => [['grants' => 'all'], 'certain'],
            'store' => [['store' => 'var/lib/shop'], 'redis://'],
            'a store of another kind' => [['store' => 'mysql://localhost'], 'redis://'],
            'retention_days' => [['retention_days' => 0], '3650'],
            'keep_payload' => [['keep_payload' => 'perhaps'], '0 | 1'],
            'hash_openid' => [['hash_openid' => []], 'hash_openid'],
            'log_file' => [['log_file' => 'shop.log'], '/'],
            'a text as timeout' => [['timeout_ms' => 'soon'], 'timeout_ms'],
            'a negative timeout' => [['timeout_ms' => -1], 'timeout_ms'],
            'no timeout at all' => [['timeout_ms' => 0], 'timeout_ms'],
            'no URL' => [['base_url' => 'api.weixin.qq.com'], 'https'],
            'another scheme' => [['base_url' => 'ftp://api.weixin.qq.com'], 'https'],
            'a list where a text belongs' => [['appid' => ['wx']], 'appid'],
        ];
    }

    public function testOneWrongSettingLeavesTheRightOnesOfTheSameCallAloneToo(): void
    {
        try {
            RoutineTemplate::configure(['state' => 'trial', 'lang' => 'de_DE']);
            self::fail('a wrong value was accepted');
        } catch (RoutineTemplate\ConfigException $exception) {
            self::assertStringContainsString('lang', $exception->getMessage());
        }
        $this->assertDelivered($this->sendOrder());
        self::assertSame('formal', $this->shop->messages()[0]['miniprogram_state']);
    }

    public function testNumbersMayBeTextsAndTextsMayBeNumbersAsFromADatabase(): void
    {
        RoutineTemplate::configure(['timeout_ms' => '2500', 'connect_timeout_ms' => 500, 'allow_plain_http' => '0']);
        $this->assertDelivered($this->sendOrder());
    }

    public function testWithoutAnAccountASendSaysThatOneIsMissing(): void
    {
        $result = PhpProcess::run(
            'try { RoutineTemplate::send("o1", "t1", ["thing1" => "x"]); echo json_encode("sent"); }
             catch (RoutineTemplate\ConfigException $e) { echo json_encode($e->getMessage()); }'
        );
        self::assertStringContainsString('appid', $result->json());
    }

    public function testTheIniSettingsAloneAreEnough(): void
    {
        $result = PhpProcess::run(
            'echo json_encode(RoutineTemplate::send($_SERVER["OPENID"], $_SERVER["TEMPLATE"], json_decode($_SERVER["DATA"], true)));',
            [
                'appid' => $this->shop->appid, 'secret' => $this->shop->secret, 'base_url' => $this->sandbox->https,
                'ca_file' => $this->sandbox->caFile, 'state' => 'trial',
            ],
            30.0,
            ['OPENID' => $this->shop->openid, 'TEMPLATE' => $this->shop->orderPaid, 'DATA' => json_encode(Shop::order())]
        );
        self::assertSame(0, $result->json()['errcode']);
        self::assertSame('trial', $this->shop->messages()[0]['miniprogram_state']);
    }

    public function testConfigureWinsOverTheIniSettings(): void
    {
        $result = PhpProcess::run(
            $this->shop->script('echo json_encode(RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order)["errcode"]);'),
            ['appid' => 'wx0000000000000000', 'secret' => 'wrong', 'base_url' => 'https://127.0.0.1:9', 'state' => 'trial']
        );
        self::assertSame(0, $result->json());
        self::assertSame('formal', $this->shop->messages()[0]['miniprogram_state']);
    }

    public function testAScriptCannotChangeTheIniSettings(): void
    {
        self::assertFalse(@ini_set('routine_template.secret', 'stolen'));
        self::assertFalse(@ini_set('routine_template.base_url', 'https://evil.test'));
    }

    public function testAWrongIniValueIsSaidAtTheFirstUseAndNotByACrash(): void
    {
        $result = PhpProcess::run(
            'try { RoutineTemplate::send("o1", "t1", ["thing1" => "x"]); echo json_encode("sent"); }
             catch (RoutineTemplate\ConfigException $e) { echo json_encode($e->getMessage()); }',
            ['appid' => 'wx0000000000000000', 'secret' => 'x', 'validate' => 'sometimes']
        );
        self::assertStringContainsString('validate', $result->json());
    }

    public function testAnUnreadableAuthorityFileIsSaid(): void
    {
        try {
            RoutineTemplate::configure(['ca_file' => '/nowhere/ca.pem']);
            $this->sendOrder();
            self::fail('an unreadable ca_file was accepted');
        } catch (RoutineTemplate\ConfigException $exception) {
            self::assertStringContainsString('/nowhere/ca.pem', $exception->getMessage());
        }
    }

    public function testAnUnknownOptionOfSendIsRefused(): void
    {
        $this->expectException(\ValueError::class);
        $this->expectExceptionMessage('colour');
        $this->sendOrder([], ['colour' => 'red']);
    }

    public function testAnUnknownValueOfAnOptionIsRefused(): void
    {
        $this->expectException(\ValueError::class);
        $this->expectExceptionMessage('formal | trial | developer');
        $this->sendOrder([], ['state' => 'released']);
    }
}
