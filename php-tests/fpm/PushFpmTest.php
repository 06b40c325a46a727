<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Fpm;

use PHPUnit\Framework\Attributes\TestWith;
use RoutineTemplate;
use RoutineTemplate\Tests\FpmServer;
use RoutineTemplate\Tests\PushSender;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;
use RoutineTemplate\Tests\Wait;

/** The example of a push address behind a real nginx, with the pushes that WeChat would make. */
final class PushFpmTest extends SandboxTestCase
{
    private ?FpmServer $server = null;
    private PushSender $wechat;

    protected function setUp(): void
    {
        parent::setUp();
        $this->wechat = new PushSender($this->shop->appid);
    }

    protected function tearDown(): void
    {
        if ($this->server !== null) {
            $bad = $this->server->badExits();
            $logs = $this->server->logs();
            $this->server->stop();
            self::assertSame([], $bad, "a worker crashed\n$logs");
        }
    }

    public function testTheConsoleAcceptsTheAddress(): void
    {
        $this->start(PushSender::KEY);
        $query = $this->wechat->query() + ['echostr' => '4375120948345356249'];
        self::assertSame([200, '4375120948345356249'], $this->server->request($this->path($query)));
        self::assertSame([403, ''], $this->server->request($this->path(['signature' => str_repeat('0', 40)] + $query)));
        self::assertSame([403, ''], $this->server->request('push.php'));
        self::assertStringContainsString('bad_signature', $this->server->logs());
    }

    public function testEveryModeAndFormatReachesTheLedger(): void
    {
        foreach (['plain', 'safe'] as $mode) {
            $this->start($mode === 'safe' ? PushSender::KEY : '');
            foreach (['json', 'xml'] as $format) {
                $openid = $this->shop::newOpenid();
                [$query, $body] = $this->wechat->$mode(PushSender::$format(PushSender::popup($openid, [$this->shop->orderPaid => 'accept'])));
                self::assertSame([200, 'success'], $this->server->post($this->path($query), $body), $this->server->logs());
                self::assertLedger(['available' => 1, 'accepted' => 1], RoutineTemplate::grants($openid, $this->shop->orderPaid));
            }
            $this->server->stop();
        }
    }

    public function testPushesThatComeAtOnceAndAgainCountOnceEach(): void
    {
        $this->start(PushSender::KEY, 4);
        $created = time() - 50;
        $requests = [];
        for ($i = 0; $i < 40; $i++) {
            // Ten answers, each pushed four times with a signature of its own, in both formats.
            $format = $i % 2 === 0 ? 'json' : 'xml';
            $message = PushSender::popup($this->shop->openid, [$this->shop->orderPaid => 'accept'], $created + $i % 10);
            [$query, $body] = $this->wechat->safe(PushSender::$format($message));
            $requests[] = [$this->path($query), $body];
        }
        foreach ($this->server->postAll($requests, 60.0) as $answer) {
            self::assertSame([200, 'success'], $answer, $this->server->logs());
        }
        self::assertLedger(['available' => 10, 'accepted' => 10], RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid));
        self::assertSame([200, 'success'], $this->server->post(...$requests[0]));
        self::assertSame(10, RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid)['accepted']);
    }

    public function testAPushThatCannotBeStoredIsAnsweredSoThatWeChatRepeatsIt(): void
    {
        $this->start(PushSender::KEY, 1, '/proc/no/such/store');
        [$query, $body] = $this->wechat->safe(PushSender::json(PushSender::popup($this->shop->openid, [$this->shop->orderPaid => 'accept'])));
        self::assertSame(500, $this->server->post($this->path($query), $body)[0]);
    }

    /**
     * @testWith ["safe", "json"]
     *           ["safe", "xml"]
     *           ["compat", "json"]
     *           ["plain", "xml"]
     */
    #[TestWith(['safe', 'json'])]
    #[TestWith(['safe', 'xml'])]
    #[TestWith(['compat', 'json'])]
    #[TestWith(['plain', 'xml'])]
    public function testWhatABuyerDoesAndWhatArrivesComesByWeChatsOwnPushes(string $mode, string $format): void
    {
        $this->start($mode === 'plain' ? '' : PushSender::KEY);
        $this->shop->account([
            'push_url' => $this->server->url('push.php'), 'push_token' => PushSender::TOKEN, 'push_aes_key' => PushSender::KEY,
            'push_mode' => $mode, 'push_format' => $format,
        ]);
        $choose = fn (string $choice, string $place): array => $this->sandbox->post('choose', [
            'appid' => $this->shop->appid, 'openid' => $this->shop->openid, 'templates' => [$this->shop->orderPaid => $choice],
            'place' => $place,
        ]);
        $row = fn (): array => RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid);

        $chosen = $choose('accept', 'popup');
        Wait::until(static fn () => $row()['accepted'] === 1, 'the push of the accept', 30.0);
        // The front end tells of the same accept.
        RoutineTemplate::recordGrants($this->shop->openid, $chosen['result']);
        self::assertSame(1, $row()['accepted']);

        $answer = RoutineTemplate::send($this->shop->openid, $this->shop->orderPaid, Shop::order());
        $this->assertDelivered($answer);
        Wait::until(static fn () => RoutineTemplate::status($answer['id'])['receipt'] === 'success', 'the push of the arrival', 30.0);

        $choose('reject', 'settings');
        Wait::until(static fn () => $row()['certain'], 'the push of the change', 30.0);
        $refused = RoutineTemplate::send($this->shop->openid, $this->shop->orderPaid, Shop::order());
        self::assertSame([43101, 'local'], [$refused['errcode'], $refused['source']]);
    }

    /** @param array<string, string> $query */
    private function path(array $query): string
    {
        return 'push.php?' . http_build_query($query);
    }

    private function start(string $key, int $workers = 2, ?string $store = null): void
    {
        $shop = $this->shop->config();
        $environment = [
            'WECHAT_APPID' => $this->shop->appid, 'WECHAT_SECRET' => $this->shop->secret,
            'WECHAT_PUSH_TOKEN' => PushSender::TOKEN, 'WECHAT_PUSH_AES_KEY' => $key,
        ];
        $pool = ['pm.max_children' => $workers];
        foreach (array_filter($environment) as $name => $value) {
            $pool["env[$name]"] = $value;
        }
        $example = (string) file_get_contents(__DIR__ . '/../../examples/wechat_push.php');
        $this->server = new FpmServer(['push.php' => $example], [
            'store' => $store ?? $shop['store'], 'base_url' => $shop['base_url'], 'ca_file' => $shop['ca_file'],
        ], $pool, true);
    }
}
