<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use PHPUnit\Framework\Attributes\DataProvider;
use RoutineTemplate;
use RoutineTemplate\Tests\Sandbox;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;
use RoutineTemplate\Tests\Wait;

/** A WeChat that is away, hangs, breaks off or is somebody else: never a message twice, never longer than was allowed. */
final class TransportTest extends SandboxTestCase
{
    /** What the machine may add to a deadline of ours before a test calls it broken. */
    private const SLACK = 1.5;

    public function testAConnectionThatIsRefusedIsATransportExceptionThatIsNotAmbiguous(): void
    {
        RoutineTemplate::configure(['base_url' => 'https://127.0.0.1:' . self::closedPort()]);

        $exception = $this->sendMustThrow();

        self::assertFalse($exception->isAmbiguous(), 'nothing was written, so nothing can have been delivered');
        self::assertCount(0, $this->shop->messages());
    }

    public function testARefusedTokenFetchIsNotAmbiguousBecauseNoMessageWasSent(): void
    {
        $this->sandbox->fault(self::STABLE_TOKEN, 'drop_after', ['times' => null]);

        $exception = $this->sendMustThrow();

        self::assertFalse($exception->isAmbiguous());
        self::assertSame(0, $this->sandbox->requests(self::SEND));
    }

    /**
     * @dataProvider faultsAfterWhichTheMessageIsThere
     */
    #[DataProvider('faultsAfterWhichTheMessageIsThere')]
    public function testAMessageWhoseAnswerIsLostIsAmbiguousAndNeverSentTwice(string $fault, array $details): void
    {
        $this->assertDelivered($this->sendOrder());
        $this->sandbox->fault(self::SEND, $fault, $details + ['times' => 1]);

        $outcome = $this->sendOrThrow();

        self::assertTrue($outcome instanceof RoutineTemplate\TransportException && $outcome->isAmbiguous()
            || is_array($outcome) && $outcome['outcome'] === 'unknown', 'whether it was delivered is not known');
        // The fault was for one request: a second one would have been accepted, and would be seen here.
        self::assertCount(2, $this->shop->messages());
        self::assertSame(2, $this->sandbox->requests(self::SEND));
        $this->sandbox->clearFaults();
        $this->assertDelivered($this->sendOrder());
    }

    public static function faultsAfterWhichTheMessageIsThere(): array
    {
        return [
            'the connection is closed' => ['drop_after', []],
            'the connection is reset' => ['reset_after', []],
            'half an answer comes' => ['half_answer', []],
            'garbage is answered' => ['garbage', []],
        ];
    }

    /**
     * @dataProvider faultsBeforeTheMessageIsThere
     */
    #[DataProvider('faultsBeforeTheMessageIsThere')]
    public function testAMessageThatWasWrittenButNotAnsweredIsNeverSentTwice(string $fault, array $details): void
    {
        $this->assertDelivered($this->sendOrder());
        $this->sandbox->fault(self::SEND, $fault, $details + ['times' => 1]);

        $outcome = $this->sendOrThrow();

        // Written to a connection that then broke: the sender cannot know, so it must say so and must not write again.
        self::assertFalse(is_array($outcome) && $outcome['errcode'] === 0, 'nobody accepted this message');
        self::assertCount(1, $this->shop->messages());
        self::assertSame(2, $this->sandbox->requests(self::SEND));
        $this->sandbox->clearFaults();
        $this->assertDelivered($this->sendOrder());
        self::assertCount(2, $this->shop->messages());
    }

    public static function faultsBeforeTheMessageIsThere(): array
    {
        return [
            'the connection is closed' => ['drop_before', []],
            'the connection is reset' => ['reset_before', []],
            'HTTP 500' => ['http_status', ['status' => 500]],
            'HTTP 502' => ['http_status', ['status' => 502]],
        ];
    }

    public function testAWeChatThatHangsCostsTheTimeoutAndNoMore(): void
    {
        RoutineTemplate::configure(['timeout_ms' => 1000]);
        $this->assertDelivered($this->sendOrder());
        $this->sandbox->fault(self::SEND, 'hang', ['times' => 1]);

        $start = microtime(true);
        $exception = $this->sendMustThrow();

        self::assertLessThan(1.0 + self::SLACK, microtime(true) - $start);
        self::assertTrue($exception->isAmbiguous());
        self::assertSame(2, $this->sandbox->requests(self::SEND));
        $this->sandbox->clearFaults();
        $this->assertDelivered($this->sendOrder());
    }

    public function testOneDeadlineCoversTheTokenAndTheMessageTogether(): void
    {
        RoutineTemplate::configure(['timeout_ms' => 1500]);
        $this->sandbox->fault(self::STABLE_TOKEN, 'latency', ['ms' => 1000, 'times' => null]);
        $this->sandbox->fault(self::SEND, 'hang', ['times' => null]);

        $start = microtime(true);
        $exception = $this->sendMustThrow();

        self::assertLessThan(1.5 + self::SLACK, microtime(true) - $start);
        self::assertTrue($exception->isAmbiguous());
    }

    public function testATokenFetchThatHangsCostsTheTimeoutAndNoMore(): void
    {
        RoutineTemplate::configure(['timeout_ms' => 1000]);
        $this->sandbox->fault(self::STABLE_TOKEN, 'hang', ['times' => null]);

        $start = microtime(true);
        $exception = $this->sendMustThrow();

        self::assertLessThan(1.0 + self::SLACK, microtime(true) - $start);
        self::assertFalse($exception->isAmbiguous());
        self::assertSame(0, $this->sandbox->requests(self::SEND));
    }

    public function testTheTimeoutOfOneCallIsAnOption(): void
    {
        $this->assertDelivered($this->sendOrder());
        $this->sandbox->fault(self::SEND, 'hang', ['times' => 1]);

        $start = microtime(true);
        $this->sendMustThrow(['timeout_ms' => 300]);

        self::assertLessThan(0.3 + self::SLACK, microtime(true) - $start);
    }

    public function testAnAnswerThatTricklesInIsCutOffByTheDeadline(): void
    {
        RoutineTemplate::configure(['timeout_ms' => 1000]);
        $this->assertDelivered($this->sendOrder());
        $this->sandbox->fault(self::SEND, 'slow_bytes', ['ms_per_byte' => 200, 'times' => 1]);

        $start = microtime(true);
        $exception = $this->sendMustThrow();

        self::assertLessThan(1.0 + self::SLACK, microtime(true) - $start);
        self::assertTrue($exception->isAmbiguous());
        self::assertSame(2, $this->sandbox->requests(self::SEND));
    }

    public function testAHugeAnswerIsNotReadIntoMemory(): void
    {
        $this->assertDelivered($this->sendOrder());
        $this->sandbox->fault(self::SEND, 'huge_answer', ['bytes' => 300_000_000, 'times' => 1]);
        $before = self::peakKilobytes();

        $outcome = $this->sendOrThrow();

        self::assertFalse(is_array($outcome) && $outcome['errcode'] === 0);
        self::assertLessThan($before + 60_000, self::peakKilobytes());
        $this->sandbox->clearFaults();
        $this->assertDelivered($this->sendOrder());
    }

    public function testAHostThatDoesNotAnswerAtAllCostsTheConnectTimeoutAndNoMore(): void
    {
        // A listening socket whose queue is full: the kernel drops further connection requests.
        $server = stream_socket_server('tcp://127.0.0.1:0', $code, $message, STREAM_SERVER_BIND | STREAM_SERVER_LISTEN, stream_context_create(['socket' => ['backlog' => 1]]));
        $address = stream_socket_get_name($server, false);
        $fillers = [];
        for ($i = 0; $i < 8; $i++) {
            $fillers[] = @stream_socket_client("tcp://$address", $code, $message, 0.2, STREAM_CLIENT_CONNECT | STREAM_CLIENT_ASYNC_CONNECT);
        }
        RoutineTemplate::configure(['base_url' => "https://$address", 'connect_timeout_ms' => 500, 'timeout_ms' => 2000]);

        $start = microtime(true);
        $exception = $this->sendMustThrow();

        self::assertLessThan(2.0 + self::SLACK, microtime(true) - $start);
        self::assertFalse($exception->isAmbiguous());
        array_map(static fn ($filler) => $filler === false ?: fclose($filler), $fillers);
        fclose($server);
    }

    public function testAServerWithACertificateOfAnUnknownAuthorityIsRefused(): void
    {
        $other = Sandbox::start();
        RoutineTemplate::configure(['base_url' => $other->https]);

        $exception = $this->sendMustThrow();

        self::assertFalse($exception->isAmbiguous());
        self::assertMatchesRegularExpression('/certificate|证书/i', $exception->getMessage());
        self::assertSame(0, $other->requests(self::STABLE_TOKEN) + $other->requests(self::SEND));
        $other->stop();
    }

    public function testWithoutTheExtraAuthorityTheSandboxItselfIsRefused(): void
    {
        RoutineTemplate::configure(['ca_file' => '']);
        self::assertFalse($this->sendMustThrow()->isAmbiguous());
        self::assertCount(0, $this->shop->messages());
    }

    /**
     * @dataProvider badCertificates
     */
    #[DataProvider('badCertificates')]
    public function testABadCertificateIsRefused(array $arguments): void
    {
        $other = Sandbox::start($arguments);
        $shop = new Shop($other);
        RoutineTemplate::configure($shop->config());
        try {
            RoutineTemplate::send($shop->openid, $shop->orderPaid, Shop::order());
            self::fail('a message went to a server with a bad certificate');
        } catch (RoutineTemplate\TransportException $exception) {
            self::assertFalse($exception->isAmbiguous());
            self::assertMatchesRegularExpression('/certificate|证书/i', $exception->getMessage());
        }
        self::assertCount(0, $shop->messages());
        self::assertSame(0, $other->requests(self::STABLE_TOKEN));
        $other->stop();
    }

    public static function badCertificates(): array
    {
        return [
            'for another host' => [['--tls-host', 'api.somebody-else.test']],
            'expired' => [['--tls-expired']],
        ];
    }

    public function testPlainHttpToAnotherMachineIsRefusedBeforeAnythingIsSent(): void
    {
        try {
            RoutineTemplate::configure(['base_url' => 'http://api.weixin.qq.com']);
            $this->sendOrder();
            self::fail('plain http to another machine was let through');
        } catch (RoutineTemplate\ConfigException $exception) {
            self::assertStringContainsString('base_url', $exception->getMessage());
            self::assertStringContainsString('https', $exception->getMessage());
        }
    }

    public function testPlainHttpToThisMachineWorks(): void
    {
        RoutineTemplate::configure(['base_url' => $this->sandbox->http]);
        $this->assertDelivered($this->sendOrder());
    }

    public function testAConnectionThatTheServerClosedWhileIdleCostsNoMessage(): void
    {
        RoutineTemplate::accessToken();
        $this->sandbox->post('settings', ['idle_close_ms' => 400]);
        for ($i = 1; $i <= 5; $i++) {
            $this->assertDelivered($this->sendOrder());
            self::assertCount($i, $this->shop->messages());
            $this->waitUntilClosed($this->sandbox);
        }
        $this->sandbox->post('settings', ['idle_close_ms' => null]);
        self::assertSame(5, $this->sandbox->requests(self::SEND));
    }

    public function testAServerThatClosesAfterEveryAnswerCostsNoMessage(): void
    {
        $server = Sandbox::start();
        $shop = new Shop($server);
        RoutineTemplate::configure($shop->config());
        // A message right behind the token would cross the close on its way, and of that nobody can know what became.
        RoutineTemplate::accessToken();
        $server->post('settings', ['close_after_answer' => true]);
        for ($i = 0; $i < 10; $i++) {
            $this->assertDelivered(RoutineTemplate::send($shop->openid, $shop->orderPaid, Shop::order()));
            $this->waitUntilClosed($server);
        }
        self::assertCount(10, $shop->messages());
        $server->stop();
    }

    private function waitUntilClosed(Sandbox $server): void
    {
        // The one that is left is ours, to /__admin.
        Wait::until(static fn (): bool => $server->counters()['connections']['open'] === 1, 'the server to close');
    }

    private function sendMustThrow(array $options = []): RoutineTemplate\TransportException
    {
        try {
            $answer = $this->sendOrder([], $options);
        } catch (RoutineTemplate\TransportException $exception) {
            return $exception;
        }
        self::fail('send() answered, but there is no verdict: ' . json_encode($answer, JSON_UNESCAPED_UNICODE));
    }

    /** @return array<string, mixed>|RoutineTemplate\TransportException */
    private function sendOrThrow()
    {
        try {
            $answer = $this->sendOrder();
            $this->assertIsAnswer($answer);
            return $answer;
        } catch (RoutineTemplate\TransportException $exception) {
            return $exception;
        }
    }

    private static function closedPort(): int
    {
        $server = stream_socket_server('tcp://127.0.0.1:0');
        $port = (int) substr(strrchr(stream_socket_get_name($server, false), ':'), 1);
        fclose($server);
        return $port;
    }

    /** The most memory that this process ever had at once. */
    private static function peakKilobytes(): int
    {
        preg_match('/VmHWM:\s+(\d+)/', (string) file_get_contents('/proc/self/status'), $match);
        return (int) $match[1];
    }
}
