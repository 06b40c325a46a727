<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

use PHPUnit\Framework\TestCase;
use RoutineTemplate;

/** A test with the shared fake WeChat, reset, a shop of its own, and the extension configured for that shop. */
abstract class SandboxTestCase extends TestCase
{
    protected const SEND = '/cgi-bin/message/subscribe/send';
    protected const STABLE_TOKEN = '/cgi-bin/stable_token';
    protected const CLASSIC_TOKEN = '/cgi-bin/token';

    private const ANSWER_KEYS = [
        'errcode', 'errmsg', 'msgid', 'rid', 'source', 'outcome', 'attempts', 'changed', 'violations', 'duplicate', 'id', 'hint',
    ];
    private const OUTCOMES = [
        'delivered', 'refused_user', 'refused_payload', 'misconfigured', 'throttled_day', 'throttled_minute',
        'throttled_user', 'token_stale', 'retry_later', 'gone', 'unknown',
    ];

    protected Sandbox $sandbox;
    protected Shop $shop;

    protected function setUp(): void
    {
        $this->sandbox = Sandbox::shared();
        $this->sandbox->clearFaults();
        $this->sandbox->reset();
        $this->shop = new Shop($this->sandbox);
        RoutineTemplate::configure($this->shop->config());
    }

    /** Sends an order-paid message of this shop. */
    protected function sendOrder(array $fields = [], array $options = []): array
    {
        return RoutineTemplate::send($this->shop->openid, $this->shop->orderPaid, Shop::order($fields), null, $options);
    }

    /** What the buyer answers in the mini program, told to WeChat and to the ledger. */
    protected function accept(?string $templateId = null, int $times = 1, ?string $openid = null): void
    {
        $templateId ??= $this->shop->orderPaid;
        $openid ??= $this->shop->openid;
        $this->shop->grant($templateId, $times, $openid);
        for ($i = 0; $i < $times; $i++) {
            RoutineTemplate::recordGrants($openid, [$templateId => 'accept']);
        }
    }

    /** That a row of the ledger keeps its equation and has these members. */
    protected static function assertLedger(array $expected, array $row): void
    {
        self::assertSame(['available', 'reserved', 'state', 'long_term', 'certain', 'accepted', 'delivered', 'lost'], array_keys($row));
        self::assertSame($row['available'], $row['accepted'] - $row['delivered'] - $row['reserved'] - $row['lost']);
        $found = array_map(static fn (string $member) => $row[$member], array_keys($expected));
        self::assertSame($expected, array_combine(array_keys($expected), $found));
    }

    /** What a call throws; fails where it throws nothing, or something of another class. */
    protected static function thrownBy(callable $call, string $class): \Throwable
    {
        try {
            $call();
        } catch (\Throwable $thrown) {
            self::assertSame($class, get_class($thrown), (string) $thrown);
            return $thrown;
        }
        self::fail("no $class was thrown");
    }

    protected function assertDelivered(array $answer): void
    {
        $this->assertIsAnswer($answer);
        self::assertSame(0, $answer['errcode'], json_encode($answer, JSON_UNESCAPED_UNICODE | JSON_PRETTY_PRINT));
        self::assertSame('delivered', $answer['outcome']);
        self::assertSame('wechat', $answer['source']);
        self::assertSame([], $answer['violations']);
    }

    /**
     * That the answer has every key of the contract, with the types that the contract says.
     *
     * @param mixed $answer
     */
    protected function assertIsAnswer($answer): void
    {
        self::assertIsArray($answer);
        self::assertSame([], array_diff(self::ANSWER_KEYS, array_keys($answer)), 'keys that an answer must have are missing');
        self::assertSame([], array_diff(array_keys($answer), self::ANSWER_KEYS), 'the answer has keys that nobody knows');
        self::assertIsInt($answer['errcode']);
        self::assertIsString($answer['errmsg']);
        self::assertTrue($answer['msgid'] === null || is_int($answer['msgid']) || is_string($answer['msgid']));
        self::assertTrue($answer['rid'] === null || is_string($answer['rid']));
        self::assertContains($answer['source'], ['wechat', 'local']);
        self::assertContains($answer['outcome'], self::OUTCOMES);
        self::assertIsInt($answer['attempts']);
        self::assertIsBool($answer['duplicate']);
        self::assertTrue($answer['id'] === null || preg_match('/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/', $answer['id']) === 1);
        self::assertIsString($answer['hint']);
        self::assertSame(array_values($answer['changed']), $answer['changed']);
        foreach ($answer['changed'] as $change) {
            self::assertSame(['field', 'rule', 'from', 'to'], array_keys($change));
        }
        self::assertSame(array_values($answer['violations']), $answer['violations']);
        foreach ($answer['violations'] as $violation) {
            self::assertIsViolation($violation);
        }
    }

    protected static function assertIsViolation(array $violation): void
    {
        self::assertSame(['field', 'rule', 'value', 'fits', 'message'], array_keys($violation));
        self::assertIsString($violation['field']);
        self::assertIsString($violation['rule']);
        self::assertIsString($violation['value']);
        self::assertTrue($violation['fits'] === null || is_string($violation['fits']));
        self::assertNotSame('', $violation['message']);
    }

    /**
     * That a message carries exactly these values, in whatever order.
     *
     * @param array<string, string> $expected
     */
    protected static function assertSent(array $expected, array $message): void
    {
        $sent = self::values($message);
        ksort($expected);
        ksort($sent);
        self::assertSame($expected, $sent);
    }

    /** The values of a message that the fake WeChat accepted, without the wrapping. */
    protected static function values(array $message): array
    {
        return array_map(static fn ($field) => is_array($field) ? $field['value'] : $field, $message['data']);
    }
}
