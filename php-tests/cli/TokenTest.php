<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use PHPUnit\Framework\Attributes\DataProvider;
use RoutineTemplate;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;

/** One token for all, renewed once when it must be, and never hammered for when it cannot be had. */
final class TokenTest extends SandboxTestCase
{
    public function testManyMessagesNeedOneTokenFetch(): void
    {
        for ($i = 0; $i < 10; $i++) {
            $this->assertDelivered($this->sendOrder());
        }
        self::assertSame(1, $this->shop->tokenFetches());
        self::assertSame(0, $this->sandbox->requests(self::CLASSIC_TOKEN), 'the default kind is the stable token');
    }

    /**
     * @dataProvider deaths
     */
    #[DataProvider('deaths')]
    public function testATokenThatDiesMidWayIsRenewedOnceAndTheMessageStillGoesOut(string $how): void
    {
        $this->assertDelivered($this->sendOrder());
        $this->sandbox->post('expire_tokens', ['appid' => $this->shop->appid, 'kind' => 'all', 'how' => $how]);

        $answer = $this->sendOrder();

        $this->assertDelivered($answer);
        self::assertSame(2, $answer['attempts']);
        self::assertSame(2, $this->shop->tokenFetches());
        self::assertCount(2, $this->shop->messages());
        $this->assertDelivered($this->sendOrder());
        self::assertSame(2, $this->shop->tokenFetches());
    }

    public static function deaths(): array
    {
        return ['expired (42001)' => ['expired'], 'revoked (40001)' => ['revoked']];
    }

    public function testATokenThatStaysBadIsRenewedOnceAndNotForEver(): void
    {
        $this->sandbox->fault(self::SEND, 'errcode', ['errcode' => 40001, 'errmsg' => 'invalid credential', 'times' => null]);

        $answer = $this->sendOrder();

        $this->assertIsAnswer($answer);
        self::assertSame(40001, $answer['errcode']);
        self::assertSame('token_stale', $answer['outcome']);
        self::assertLessThanOrEqual(2, $this->sandbox->requests(self::SEND));
        self::assertLessThanOrEqual(2, $this->shop->tokenFetches());
    }

    public function testTwoProcessesShareTheStableTokenAndDoNotInvalidateEachOthers(): void
    {
        $code = $this->shop->script('
            $answers = [];
            for ($i = 0; $i < 3; $i++) {
                $answers[] = RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order);
                usleep(50000);
            }
            echo json_encode(["token" => RoutineTemplate::accessToken(), "codes" => array_column($answers, "errcode"),
                "attempts" => array_column($answers, "attempts")]);');
        $first = PhpProcess::start($code);
        $second = PhpProcess::start($code);
        $results = [$first->wait()->json(), $second->wait()->json()];

        self::assertSame($results[0]['token'], $results[1]['token']);
        foreach ($results as $result) {
            self::assertSame([0, 0, 0], $result['codes']);
            self::assertSame([1, 1, 1], $result['attempts']);
        }
        self::assertSame(1, (int) $this->sandbox->counters()['tokens'][$this->shop->appid]['stable_issued']);
        self::assertCount(6, $this->shop->messages());
    }

    public function testClassicModeFetchesTheClassicToken(): void
    {
        RoutineTemplate::configure(['token_mode' => 'classic']);
        $this->assertDelivered($this->sendOrder());
        $this->assertDelivered($this->sendOrder());
        $tokens = $this->sandbox->counters()['tokens'][$this->shop->appid];
        self::assertSame(1, (int) $tokens['classic_fetches']);
        self::assertSame(0, (int) $tokens['stable_fetches']);
    }

    public function testExternalModeSendsTheTokenThatTheApplicationGaveAndFetchesNone(): void
    {
        $token = RoutineTemplate::accessToken();
        $fetches = $this->shop->tokenFetches();
        RoutineTemplate::configure(['token_mode' => 'external', 'token' => $token]);

        $this->assertDelivered($this->sendOrder());
        self::assertSame($token, RoutineTemplate::accessToken());

        RoutineTemplate::configure(['token' => 'a_token_that_wechat_does_not_know']);
        $answer = $this->sendOrder();
        $this->assertIsAnswer($answer);
        self::assertSame(40001, $answer['errcode']);
        self::assertSame('token_stale', $answer['outcome']);
        self::assertSame($fetches, $this->shop->tokenFetches());
    }

    public function testAccessTokenIsTheTokenThatMessagesAreSentWith(): void
    {
        $token = RoutineTemplate::accessToken();
        self::assertNotSame('', $token);
        $this->assertDelivered($this->sendOrder());
        self::assertSame($token, RoutineTemplate::accessToken());
        self::assertSame(1, $this->shop->tokenFetches());
    }

    public function testARefreshedAccessTokenWorks(): void
    {
        RoutineTemplate::accessToken();
        // A refresh takes over what somebody fetched within the last half second.
        usleep(600_000);
        $token = RoutineTemplate::accessToken(true);
        self::assertNotSame('', $token);
        self::assertSame(2, $this->shop->tokenFetches());
        $this->assertDelivered($this->sendOrder());
        self::assertSame($token, RoutineTemplate::accessToken());
    }

    /**
     * @dataProvider refusals
     */
    #[DataProvider('refusals')]
    public function testAnAccountThatWeChatRefusesIsSaidAndNotHammered(array $account, array $config, int $errcode): void
    {
        $this->shop->account($account);
        RoutineTemplate::configure($config);
        $seen = [];
        for ($i = 0; $i < 3; $i++) {
            try {
                $answer = $this->sendOrder();
                $this->assertIsAnswer($answer);
                self::assertSame('misconfigured', $answer['outcome']);
                self::assertNotSame('', $answer['hint']);
                $seen[] = $answer['errcode'];
            } catch (RoutineTemplate\ConfigException $exception) {
                self::assertStringContainsString((string) $errcode, $exception->getMessage());
                $seen[] = $exception->getCode() ?: $errcode;
            }
        }
        self::assertSame([$errcode, $errcode, $errcode], $seen);
        self::assertSame(1, $this->sandbox->requests(self::STABLE_TOKEN), 'the refusal is remembered for some seconds');
        self::assertSame(0, $this->sandbox->requests(self::SEND));
    }

    public static function refusals(): array
    {
        return [
            'a wrong secret' => [[], ['secret' => str_repeat('0', 32)], 40125],
            'an address outside the whitelist' => [['ip_refused' => true], [], 40164],
            'a frozen secret' => [['secret_frozen' => true], [], 40243],
        ];
    }

    public function testTheRightSecretWorksAtOnceAfterAWrongOne(): void
    {
        RoutineTemplate::configure(['secret' => str_repeat('0', 32)]);
        try {
            self::assertNotSame(0, $this->sendOrder()['errcode']);
        } catch (RoutineTemplate\Exception $exception) {
            self::assertNotSame('', $exception->getMessage());
        }
        RoutineTemplate::configure(['secret' => $this->shop->secret]);
        $this->assertDelivered($this->sendOrder());
    }

    public function testAShortLivedTokenIsRenewedBeforeItEnds(): void
    {
        $this->shop->account(['token_expires_in' => 2]);
        $this->assertDelivered($this->sendOrder());
        sleep(3);
        $this->assertDelivered($this->sendOrder());
        self::assertCount(2, $this->shop->messages());
        self::assertGreaterThanOrEqual(2, $this->shop->tokenFetches());
    }

    public function testTwoShopsInOneProcessHaveTokensOfTheirOwn(): void
    {
        $other = new Shop($this->sandbox);
        $first = RoutineTemplate::accessToken();
        RoutineTemplate::configure($other->config());
        $second = RoutineTemplate::accessToken();
        RoutineTemplate::configure($this->shop->config());

        self::assertNotSame($first, $second);
        self::assertSame($first, RoutineTemplate::accessToken());
        self::assertSame(1, $this->shop->tokenFetches());
        self::assertSame(1, $other->tokenFetches());
    }
}
