<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use RoutineTemplate;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;

/** WeChat's limits: counted, respected by every process, and ended. */
final class QuotaTest extends SandboxTestCase
{
    public function testWeChatsCountersComeBackAsTheyAreWithOurs(): void
    {
        $this->assertDelivered($this->sendOrder());
        $this->assertDelivered($this->sendOrder());

        $answer = RoutineTemplate::quota(self::SEND);

        self::assertSame([0, 'ok'], [$answer['errcode'], $answer['errmsg']]);
        self::assertIsArray($answer['quota']);
        self::assertSame(2, $answer['quota']['used']);
        self::assertSame(10_000_000, $answer['quota']['daily_limit']);
        self::assertSame(
            ['path' => self::SEND, 'calls_today' => 2, 'paused_until' => null, 'paused_by' => null, 'documented' => null],
            $answer['local']
        );
        self::assertStringContainsString('10,000,000', $answer['hint']);
        self::assertStringContainsString('9,999,998', $answer['hint']);
    }

    public function testADailyLimitThatOneProcessMetsKeepsTheOthersFromAsking(): void
    {
        $this->limit(1);
        $this->assertDelivered($this->sendOrder());
        $met = $this->sendOrder();
        self::assertSame([45009, 'wechat', 'throttled_day'], [$met['errcode'], $met['source'], $met['outcome']]);
        $requests = $this->sandbox->requests(self::SEND);

        $other = PhpProcess::run($this->shop->script(
            'echo json_encode(RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order));'
        ))->json();

        self::assertSame([45009, 'local', 'throttled_day'], [$other['errcode'], $other['source'], $other['outcome']]);
        self::assertStringContainsString('clearQuota()', $other['hint']);
        self::assertSame($requests, $this->sandbox->requests(self::SEND));
        $local = RoutineTemplate::quota(self::SEND)['local'];
        self::assertSame(45009, $local['paused_by']);
        $midnight = (new \DateTimeImmutable('tomorrow', new \DateTimeZone('Asia/Shanghai')))->getTimestamp();
        self::assertSame($midnight, $local['paused_until']);
    }

    public function testClearQuotaEndsThePauseForEveryProcess(): void
    {
        $this->limit(1);
        $this->sendOrder();
        self::assertSame(45009, $this->sendOrder()['errcode']);

        $cleared = RoutineTemplate::clearQuota();

        self::assertSame([0, 'wechat', false], [$cleared['errcode'], $cleared['source'], $cleared['duplicate']]);
        self::assertSame(['used_this_month' => 1, 'left_this_month' => 9, 'pauses_ended' => true], $cleared['local']);
        $code = PhpProcess::run($this->shop->script(
            'echo json_encode(RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order)["errcode"]);'
        ))->json();
        self::assertSame(0, $code);
        self::assertNull(RoutineTemplate::quota(self::SEND)['local']['paused_until']);
    }

    public function testAWorkerThatClearsJustAfterAnotherTakesItsAnswer(): void
    {
        self::assertSame(0, RoutineTemplate::clearQuota()['errcode']);

        $second = PhpProcess::run($this->shop->script('echo json_encode(RoutineTemplate::clearQuota());'))->json();

        self::assertSame([0, 'local', true], [$second['errcode'], $second['source'], $second['duplicate']]);
        self::assertSame(9, $second['local']['left_this_month']);
        self::assertSame(1, $this->sandbox->requests('/cgi-bin/clear_quota'));
    }

    public function testOneApiIsClearedByItsPath(): void
    {
        $this->limit(0);
        self::assertSame(45009, $this->sendOrder()['errcode']);

        $cleared = RoutineTemplate::clearQuota('subscribe/send');

        self::assertSame([0, 49], [$cleared['errcode'], $cleared['local']['left_this_month']]);
        self::assertNull(RoutineTemplate::quota('send')['local']['paused_until']);
        self::assertSame(1, $this->sandbox->requests('/cgi-bin/openapi/quota/clear'));
    }

    public function testARefusedMessageIsLookedUpByItsErrmsg(): void
    {
        $this->sandbox->fault(self::SEND, 'errcode', ['errcode' => 47003, 'times' => 1]);
        $refused = $this->sendOrder();

        foreach ([$refused['rid'], $refused['errmsg']] as $given) {
            $answer = RoutineTemplate::rid($given);
            self::assertSame([0, 'ok'], [$answer['errcode'], $answer['errmsg']]);
            self::assertStringEndsWith(self::SEND . '?access_token=***', $answer['request']['request_url']);
            self::assertStringContainsString('47003', $answer['request']['response_body']);
        }
        self::thrownBy(static fn () => RoutineTemplate::rid('47003'), \ValueError::class);
        $unknown = RoutineTemplate::rid('00000000-00000000-00000000');
        self::assertSame(76001, $unknown['errcode']);
        self::assertNotSame('', $unknown['hint']);
    }

    public function testAPauseOfOneAccountDoesNotConcernAnother(): void
    {
        $this->limit(0);
        self::assertSame(45009, $this->sendOrder()['errcode']);
        $other = new Shop($this->sandbox);
        RoutineTemplate::configure($other->config());
        $this->assertDelivered(RoutineTemplate::send($other->openid, $other->orderPaid, Shop::order()));
    }

    public function testAPausedMessageKeepsItsGrant(): void
    {
        $this->accept();
        $this->limit(0);
        $this->sendOrder();
        $this->sendOrder();
        self::assertLedger(['available' => 1, 'reserved' => 0], RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid));
        self::assertSame(['local', 'wechat'], array_column(RoutineTemplate::deliveries(['state' => 'refused']), 'source'));
    }

    public function testAWrongPathIsSaidAndAnUnknownOneIsWeChatsAnswer(): void
    {
        self::thrownBy(static fn () => RoutineTemplate::quota('cgi-bin'), \ValueError::class);
        $answer = RoutineTemplate::quota('/cgi-bin/nothing');
        self::assertNotSame(0, $answer['errcode']);
        self::assertNotSame('', $answer['hint']);
    }

    private function limit(int $calls): void
    {
        $this->sandbox->post('quota', ['appid' => $this->shop->appid, 'path' => self::SEND, 'daily_limit' => $calls]);
    }
}
