<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use RoutineTemplate;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;

/** The option `key`: however often and wherever a message is sent, the buyer gets it once. */
final class KeyTest extends SandboxTestCase
{
    private const SEND_WITH_KEY = '
        try { $answer = RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order, null, ["key" => "order-1-paid"]); }
        catch (RoutineTemplate\TransportException $e) { $answer = ["exception" => $e->getMessage(), "ambiguous" => $e->isAmbiguous()]; }
        echo json_encode($answer + ["requests" => RoutineTemplate::stats()["requests"], "duplicates" => RoutineTemplate::stats()["duplicates"]]);';

    public function testTheSecondProcessGetsTheAnswerOfTheFirst(): void
    {
        $code = $this->shop->script(self::SEND_WITH_KEY);
        $first = PhpProcess::run($code)->json();
        $second = PhpProcess::run($code)->json();

        self::assertSame([0, false, 1, 0], [$first['errcode'], $first['duplicate'], $first['requests'], $first['duplicates']]);
        self::assertSame([0, true, 0, 1], [$second['errcode'], $second['duplicate'], $second['requests'], $second['duplicates']]);
        self::assertSame($first['msgid'], $second['msgid']);
        self::assertSame($first['id'], $second['id']);
        self::assertCount(1, $this->shop->messages());
    }

    public function testASecondProcessWaitsForOneThatIsStillSending(): void
    {
        RoutineTemplate::accessToken();
        $this->sandbox->fault(self::SEND, 'latency', ['ms' => 800]);
        $code = $this->shop->script(self::SEND_WITH_KEY);
        $running = [];
        for ($i = 0; $i < 3; $i++) {
            $running[] = PhpProcess::start($code);
        }
        $answers = array_map(static fn ($process) => $process->wait()->json(), $running);

        self::assertSame([0, 0, 0], array_column($answers, 'errcode'));
        self::assertCount(1, array_unique(array_column($answers, 'msgid')));
        self::assertEqualsCanonicalizing([false, true, true], array_column($answers, 'duplicate'));
        self::assertCount(1, $this->shop->messages());
        self::assertSame(1, $this->sandbox->requests(self::SEND));
    }

    public function testACallWhoseTimeEndsBeforeThatOfTheOtherSaysThatNobodyKnowsYet(): void
    {
        RoutineTemplate::accessToken();
        $this->sandbox->fault(self::SEND, 'latency', ['ms' => 1500]);
        $first = PhpProcess::start($this->shop->script(self::SEND_WITH_KEY));
        \RoutineTemplate\Tests\Wait::until(fn (): bool => $this->sandbox->requests(self::SEND) === 1, 'the first message to be under way');
        $exception = self::thrownBy(
            fn () => $this->sendOrder([], ['key' => 'order-1-paid', 'timeout_ms' => 200]),
            RoutineTemplate\TransportException::class
        );
        self::assertTrue($exception->isAmbiguous());
        self::assertStringContainsString('order-1-paid', $exception->getMessage());
        self::assertSame(0, $first->wait()->json()['errcode']);
        self::assertTrue($this->sendOrder([], ['key' => 'order-1-paid'])['duplicate']);
        self::assertCount(1, $this->shop->messages());
    }

    public function testAMessageWhoseProcessWasKilledIsNotSentAgain(): void
    {
        RoutineTemplate::accessToken();
        $this->accept();
        $this->sandbox->fault(self::SEND, 'latency', ['ms' => 1500]);
        $first = PhpProcess::start($this->shop->script(self::SEND_WITH_KEY));
        \RoutineTemplate\Tests\Wait::until(fn (): bool => $this->sandbox->requests(self::SEND) === 1, 'the message to be under way');
        posix_kill($first->pid, 9);
        $first->wait();

        $exception = self::thrownBy(fn () => $this->sendOrder([], ['key' => 'order-1-paid']), RoutineTemplate\TransportException::class);
        self::assertTrue($exception->isAmbiguous());
        self::assertSame(1, $this->sandbox->requests(self::SEND));
        self::assertSame('unknown', RoutineTemplate::deliveries(['key' => 'order-1-paid'])[0]['state']);
        self::assertLedger(['reserved' => 1, 'available' => 0], RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid));
    }

    public function testAKeyOfAnotherMessageIsAnErrorAndSwallowsNothing(): void
    {
        RoutineTemplate::configure(['hint_lang' => 'en']);
        $this->assertDelivered($this->sendOrder([], ['key' => 'order-1']));
        $other = $this->shop->addTemplate(Shop::ORDER_PAID);
        $user = Shop::newOpenid();
        foreach ([[$this->shop->openid, $other], [$user, $this->shop->orderPaid]] as [$openid, $template]) {
            $error = self::thrownBy(
                static fn () => RoutineTemplate::send($openid, $template, Shop::order(), null, ['key' => 'order-1']),
                \ValueError::class
            );
            self::assertStringContainsString('"order-1" belongs to a message to another user or with another template', $error->getMessage());
            self::assertStringNotContainsString($openid, $error->getMessage());
        }
        self::assertCount(1, $this->shop->messages());
    }

    public function testAnIntIsAKeyAndTheSameAsItsDigits(): void
    {
        $first = $this->sendOrder([], ['key' => 10086]);
        $second = $this->sendOrder([], ['key' => '10086']);
        self::assertSame([false, true], [$first['duplicate'], $second['duplicate']]);
        self::assertSame('10086', RoutineTemplate::status($first['id'])['key']);
    }

    public function testWhatWeChatDidNotTakeIsSentUnderTheSameKeyAgain(): void
    {
        $this->sandbox->fault(self::SEND, 'errcode', ['errcode' => -1, 'times' => 1]);
        $first = $this->sendOrder([], ['key' => 'order-1']);
        self::assertSame(-1, $first['errcode']);
        $second = $this->sendOrder([], ['key' => 'order-1']);
        $this->assertDelivered($second);
        self::assertFalse($second['duplicate']);
        self::assertSame($first['id'], $second['id'], 'one message, one row');
        self::assertTrue($this->sendOrder([], ['key' => 'order-1'])['duplicate']);
        self::assertCount(1, RoutineTemplate::deliveries());
    }

    public function testARefusalOfThisMessageIsTheAnswerToItsKey(): void
    {
        $first = RoutineTemplate::send('oNobody', $this->shop->orderPaid, Shop::order(), null, ['key' => 'order-1']);
        $second = RoutineTemplate::send('oNobody', $this->shop->orderPaid, Shop::order(), null, ['key' => 'order-1']);
        self::assertSame([$first['errcode'], false], [40003, $first['duplicate']]);
        $this->assertIsAnswer($second);
        self::assertSame([40003, true], [$second['errcode'], $second['duplicate']]);
        self::assertSame(1, $this->sandbox->requests(self::SEND));
    }

    public function testTheSameKeyOfTwoAccountsIsTwoMessages(): void
    {
        $other = new Shop($this->sandbox);
        $app = RoutineTemplate::app($other->appid);
        $app->configure($other->config());
        $this->assertDelivered($this->sendOrder([], ['key' => 'order-1']));
        self::assertFalse($app->send($other->openid, $other->orderPaid, Shop::order(), null, ['key' => 'order-1'])['duplicate']);
    }
}
