<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use RoutineTemplate;
use RoutineTemplate\Tests\Environment;
use RoutineTemplate\Tests\PhpProcess;
use RoutineTemplate\Tests\Sandbox;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;
use RoutineTemplate\Tests\Wait;

/** WeChat is down, in part or as a whole: orders must not wait for it, and it must be found again when it is back. */
final class OutageTest extends SandboxTestCase
{
    /** @var resource accepts connections and never says a word */
    private $blackHole;

    private string $dead;

    protected function setUp(): void
    {
        parent::setUp();
        $this->blackHole = stream_socket_server('tcp://127.0.0.1:0');
        $this->dead = 'https://' . stream_socket_get_name($this->blackHole, false);
        RoutineTemplate::configure(['base_url' => $this->dead, 'timeout_ms' => 1000, 'hint_lang' => 'en']);
    }

    protected function tearDown(): void
    {
        // Children of later tests would inherit it.
        fclose($this->blackHole);
        parent::tearDown();
    }

    public function testOneSendFindsOutThatWeChatIsDeadAndTheOthersFailAtOnce(): void
    {
        self::assertFalse($this->sendMustThrow()->isAmbiguous());
        self::assertSame(1, $this->newConnections());
        $before = RoutineTemplate::stats();
        $start = microtime(true);
        for ($i = 0; $i < 50; $i++) {
            $exception = $this->sendMustThrow();
            self::assertFalse($exception->isAmbiguous(), 'nothing was written');
        }
        $seconds = microtime(true) - $start;
        $after = RoutineTemplate::stats();

        self::assertLessThan(5.0, $seconds, 'each of them waited its second');
        // Beside one that tries again, if the fifty took longer than the rest.
        self::assertLessThanOrEqual(1, $this->newConnections());
        self::assertGreaterThanOrEqual(49, $after['circuit_refusals'] - $before['circuit_refusals']);
        self::assertSame(50, $after['transport_not_sent'] - $before['transport_not_sent']);
        self::assertContains($after['circuit'], ['open', 'half_open']);
        self::assertNull($after['host']);
        self::assertMatchesRegularExpression('/127\.0\.0\.1:\d+ since 20\d\d-\d\d-\d\d [\d:]{8}: /', $exception->getMessage());
    }

    public function testAnotherProcessKnowsItWithoutTrying(): void
    {
        $this->sendMustThrow();
        $this->newConnections();
        $script = $this->shop->script('
            try { RoutineTemplate::send($shop->openid, $shop->orderPaid, $shop->order); $what = "sent"; }
            catch (RoutineTemplate\TransportException $exception) { $what = $exception->isAmbiguous() ? "unknown" : "not sent"; }
            $stats = RoutineTemplate::stats();
            echo json_encode([$what, $stats["token_fetches"], $stats["circuit_refusals"]]);
        ', ['base_url' => $this->dead, 'timeout_ms' => 1000]);
        // A process may come just when the rest is over; of three in a row not all do.
        $results = array_map(static fn (int $i): array => PhpProcess::run($script)->json(), range(1, 3));
        self::assertContains(['not sent', 0, 1], $results);
        self::assertLessThan(3, $this->newConnections());
    }

    public function testTheMessageGoesToAHostThatCanBeConnected(): void
    {
        RoutineTemplate::configure(['fallback_urls' => $this->sandbox->https, 'timeout_ms' => 3000]);
        $before = RoutineTemplate::stats();
        $this->assertDelivered($this->sendOrder());
        $after = RoutineTemplate::stats();

        self::assertGreaterThanOrEqual(1, $after['failovers'] - $before['failovers']);
        self::assertSame('closed', $after['circuit']);
        self::assertSame(substr($this->sandbox->https, strlen('https://')), $after['host']);
        self::assertCount(1, $this->shop->messages());
    }

    public function testAWeChatThatAnswersNothingIsLeftAloneAndFoundAgain(): void
    {
        $wechat = Sandbox::start();
        $shop = new Shop($wechat);
        RoutineTemplate::configure($shop->config(['store' => Environment::newStore()]));
        $send = static fn (): array => RoutineTemplate::send($shop->openid, $shop->orderPaid, Shop::order());
        $this->assertDelivered($send());
        $wechat->fault(self::SEND, 'drop_before', ['times' => null]);
        $ambiguous = 0;
        for ($i = 0; $i < 20; $i++) {
            try {
                $send();
                self::fail('nobody answers');
            } catch (RoutineTemplate\TransportException $exception) {
                $ambiguous += $exception->isAmbiguous() ? 1 : 0;
            }
        }
        self::assertLessThan(10, $ambiguous, 'no message is thrown after the others once it is plain that nobody answers');
        self::assertSame(1 + $ambiguous, $wechat->requests(self::SEND));

        $wechat->clearFaults();
        Wait::until(static function () use ($send): bool {
            try {
                return $send()['errcode'] === 0;
            } catch (RoutineTemplate\TransportException $exception) {
                return false;
            }
        }, 'WeChat to be found again', 20.0);
        self::assertSame('closed', RoutineTemplate::stats()['circuit']);
        self::assertCount(2, $shop->messages());
        $wechat->stop();
    }

    public function testAnAddressOfTheShopsOwnHasNoFallbackUnlessItNamesOne(): void
    {
        $message = $this->sendMustThrow()->getMessage() . $this->sendMustThrow()->getMessage();
        self::assertStringContainsString(substr($this->dead, strlen('https://')), $message);
        self::assertStringNotContainsString('weixin.qq.com', $message);
    }

    private function sendMustThrow(): RoutineTemplate\TransportException
    {
        try {
            $answer = $this->sendOrder();
        } catch (RoutineTemplate\TransportException $exception) {
            return $exception;
        }
        self::fail('send() answered: ' . json_encode($answer, JSON_UNESCAPED_UNICODE));
    }

    /** How many connections came to the black hole since the last look. */
    private function newConnections(): int
    {
        $count = 0;
        while (@stream_socket_accept($this->blackHole, 0) !== false) {
            $count++;
        }
        return $count;
    }
}
