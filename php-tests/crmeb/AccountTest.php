<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Crmeb;

use RoutineTemplate\Crmeb\Account;
use RoutineTemplate\Crmeb\SubscribeMessage;
use RoutineTemplate\Tests\CrmebTestCase;
use RoutineTemplate\Tests\Shop;

/** The accounts are those of the shop's back office, whatever php.ini says, and neither is mistaken for the other. */
final class AccountTest extends CrmebTestCase
{
    public function testTheMiniProgramAndTheOfficialAccountAreTwoAccounts(): void
    {
        $mini = Account::miniProgram()->accessToken();
        $official = Account::officialAccount()->accessToken();

        self::assertNotSame($mini, $official);
        self::assertSame([1, 1], [$this->shop->tokenFetches(), $this->official->tokenFetches()]);
    }

    public function testAnAccountIsFoundByItsAppid(): void
    {
        BackOffice::$settings += ['wechat_app_appid' => 'wxoftheapp', 'wechat_app_appsecret' => 'secret'];

        self::assertNotNull(Account::ofAppid($this->shop->appid));
        self::assertNotNull(Account::ofAppid('wxoftheapp'));
        self::assertNull(Account::ofAppid('wxofsomebodyelse'));
        self::assertNull(Account::ofAppid(''));
    }

    public function testSpacesAroundAValueOfTheBackOfficeDoNoHarm(): void
    {
        BackOffice::$settings['routine_appId'] = ' ' . $this->shop->appid . "\n";
        BackOffice::$settings['routine_appsecret'] .= ' ';

        self::assertSame(0, SubscribeMessage::send($this->shop->openid, $this->shop->orderPaid, Shop::order())['errcode']);
    }

    public function testAnAppidThatIsNoneLeavesTheWorkToTheShopAndIsInItsLog(): void
    {
        BackOffice::$settings['routine_appId'] = 'wx 1234 5678';

        self::assertNull(Account::miniProgram());
        self::assertFalse(SubscribeMessage::isReady());
        self::assertNotSame([], BackOffice::$log);
        self::assertStringNotContainsString($this->shop->secret, implode('', BackOffice::$log));
    }

    public function testASettingThatTheShopDoesNotHaveIsEmpty(): void
    {
        BackOffice::$settings['an array'] = ['a'];

        self::assertSame(['', ''], [Account::setting('no such setting'), Account::setting('an array')]);
    }
}
