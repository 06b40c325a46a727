<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Crmeb;

use Doctrine\Common\Cache\Cache;
use Doctrine\Common\Cache\FilesystemCache;
use EasyWeChat\Core\Exceptions\HttpException;
use EasyWeChat\MiniProgram\AccessToken;
use EasyWeChat\Support\Collection;
use Pimple\Container;
use RoutineTemplate;
use RoutineTemplate\Crmeb\SharedAccessToken;
use RoutineTemplate\Crmeb\SharedTokenCache;
use RoutineTemplate\Tests\CrmebTestCase;

/** Seams S2 and S3: EasyWeChat's other calls use the token that RoutineTemplate uses. */
final class SharedTokenTest extends CrmebTestCase
{
    public function testEasyWeChatUsesOneTokenWithUsForEachAccount(): void
    {
        $container = $this->container();
        SharedAccessToken::install($container);

        self::assertInstanceOf(AccessToken::class, $container['mini_program.access_token']);
        $token = $container['mini_program.access_token']->getToken();
        self::assertSame(RoutineTemplate::app($this->shop->appid)->accessToken(), $token);
        foreach (['access_token', 'wechat.access_token'] as $name) {
            $token = $container[$name]->getToken();
            self::assertSame(RoutineTemplate::app($this->official->appid)->accessToken(), $token);
        }
        self::assertSame([1, 1], [$this->shop->tokenFetches(), $this->official->tokenFetches()]);
        self::assertSame(0, $this->sandbox->requests(self::CLASSIC_TOKEN), 'a classic token would end the one of somebody else');
    }

    public function testWhatTheContainerDidNotHaveItDoesNotGet(): void
    {
        $container = $this->container();
        unset($container['wechat.access_token']);
        SharedAccessToken::install($container);

        self::assertFalse(isset($container['wechat.access_token']));
    }

    public function testAForcedRefreshAsksWeChatAnewAndBothGoOnWithOneToken(): void
    {
        $container = $this->container();
        SharedAccessToken::install($container);
        $token = $container['mini_program.access_token'];
        $token->getToken();
        self::awaitAnotherToken();
        $forced = $token->getToken(true);

        self::assertSame(2, $this->shop->tokenFetches());
        self::assertSame(RoutineTemplate::app($this->shop->appid)->accessToken(), $forced);
        self::assertSame(0, $this->sandbox->requests(self::CLASSIC_TOKEN));
    }

    public function testAWrongSecretIsAnErrorThatCrmebCanRead(): void
    {
        $container = $this->container(['app_id' => $this->shop->appid, 'secret' => 'wrong']);
        SharedAccessToken::install($container);
        $error = self::thrownBy(static function () use ($container): void {
            $container['mini_program.access_token']->getToken();
        }, HttpException::class);

        self::assertStringStartsWith('Request AccessToken fail. response:', $error->getMessage());
        $answer = json_decode(str_replace('Request AccessToken fail. response:', '', $error->getMessage()), true);
        self::assertContains($answer['errcode'], [40001, 40125]);
        self::assertSame($answer['errcode'], $error->getCode());
    }

    public function testAnAccountThatIsNotTheShopsIsLeftToEasyWeChat(): void
    {
        $container = $this->container(['app_id' => '', 'secret' => '']);
        SharedAccessToken::install($container);

        self::assertStringStartsWith('fetched by EasyWeChat for easywechat.common.mini', $container['mini_program.access_token']->getToken());
    }

    public function testTheCacheAnswersTheSharedTokensAndKeepsEverythingElseWhereItWas(): void
    {
        $others = new FilesystemCache('');
        $cache = new SharedTokenCache($others);
        self::assertInstanceOf(Cache::class, $cache);

        $token = $cache->fetch($this->miniProgramKey());
        self::assertSame(RoutineTemplate::app($this->shop->appid)->accessToken(), $token);
        self::assertTrue($cache->contains($this->miniProgramKey()));
        $token = $cache->fetch('easywechat.common.access_token.' . $this->official->appid);
        self::assertSame(RoutineTemplate::app($this->official->appid)->accessToken(), $token);
        self::assertFalse($others->contains($this->miniProgramKey()), 'no token lies in a file of the shop');

        self::assertTrue($cache->save('easywechat.jsapi_ticket.wx1', 'ticket', 7000));
        self::assertSame(['ticket', true], [$others->fetch('easywechat.jsapi_ticket.wx1'), $cache->contains('easywechat.jsapi_ticket.wx1')]);
        self::assertTrue($cache->delete('easywechat.jsapi_ticket.wx1'));
        self::assertFalse($cache->fetch('easywechat.jsapi_ticket.wx1'));
    }

    public function testATokenThatEasyWeChatHasFetchedItselfMakesUsRenewOurs(): void
    {
        $cache = new SharedTokenCache(new FilesystemCache(''));
        $cache->fetch($this->miniProgramKey());
        self::awaitAnotherToken();
        self::assertTrue($cache->save($this->miniProgramKey(), 'a classic token', 5700));

        self::assertSame(2, $this->shop->tokenFetches());
        self::assertNotSame('a classic token', $cache->fetch($this->miniProgramKey()));
    }

    public function testADeletedTokenIsRenewed(): void
    {
        $cache = new SharedTokenCache(new FilesystemCache(''));
        $cache->fetch($this->miniProgramKey());
        self::awaitAnotherToken();
        $cache->delete($this->miniProgramKey());
        $cache->fetch($this->miniProgramKey());
        $cache->fetch($this->miniProgramKey());

        self::assertSame(2, $this->shop->tokenFetches());
    }

    public function testWhileWeChatCannotBeReachedEasyWeChatHasWhatItHadBefore(): void
    {
        RoutineTemplate::app($this->shop->appid)->configure(['secret' => $this->shop->secret, 'base_url' => 'https://127.0.0.1:9']);
        $cache = new SharedTokenCache(new FilesystemCache(''));

        self::assertFalse($cache->fetch($this->miniProgramKey()));
        self::assertTrue($cache->save($this->miniProgramKey(), 'fetched by EasyWeChat', 5700));
        self::assertSame('fetched by EasyWeChat', $cache->fetch($this->miniProgramKey()));
    }

    public function testAnAppidThatTheShopDoesNotHaveStaysInTheOtherCache(): void
    {
        $cache = new SharedTokenCache(new FilesystemCache(''));
        $cache->save('easywechat.common.access_token.wxsomebodyelse', 'theirs');

        self::assertSame('theirs', $cache->fetch('easywechat.common.access_token.wxsomebodyelse'));
    }

    /** A refresh takes over what somebody fetched within the last half second. */
    private static function awaitAnotherToken(): void
    {
        usleep(600000);
    }

    private function miniProgramKey(): string
    {
        return 'easywechat.common.mini.program.access_token.' . $this->shop->appid;
    }

    private function container(?array $miniProgram = null): Container
    {
        $container = new Container();
        $container['config'] = new Collection([
            'app_id' => $this->official->appid, 'secret' => $this->official->secret,
            'mini_program' => $miniProgram ?? ['app_id' => $this->shop->appid, 'secret' => $this->shop->secret],
        ]);
        $container['cache'] = new FilesystemCache('');
        foreach (['access_token', 'wechat.access_token', 'mini_program.access_token'] as $name) {
            $container[$name] = 'what EasyWeChat put there';
        }
        return $container;
    }
}
