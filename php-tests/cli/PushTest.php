<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Cli;

use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\Attributes\Group;
use RoutineTemplate;
use RoutineTemplate\Tests\PushSender;
use RoutineTemplate\Tests\SandboxTestCase;
use RoutineTemplate\Tests\Shop;

/**
 * What a shop does with WeChat's message push: handlePush() at its address, recordEvent() in CRMEB's hook.
 *
 * @group smoke
 */
#[Group('smoke')]
final class PushTest extends SandboxTestCase
{
    private const KEYS = [
        'kind', 'status', 'reply', 'event', 'handled', 'duplicate', 'message', 'grants', 'unknown', 'receipts', 'error', 'hint',
    ];

    private PushSender $wechat;
    private string $shipped;

    protected function setUp(): void
    {
        parent::setUp();
        $this->wechat = new PushSender($this->shop->appid);
        $this->shipped = $this->shop->addTemplate(Shop::ORDER_PAID, 0);
        RoutineTemplate::configure(['push_token' => PushSender::TOKEN, 'push_aes_key' => PushSender::KEY, 'hint_lang' => 'en']);
    }

    public function testTheCheckOfTheAddressIsAnsweredWithItsEcho(): void
    {
        $query = $this->wechat->query() + ['echostr' => '4375120948345356249'];
        $push = $this->push([$query, '']);
        self::assertSame(['verify', 200, '4375120948345356249'], [$push['kind'], $push['status'], $push['reply']]);
        self::assertNull($push['message']);

        $refused = $this->push([['echostr' => '<b>'] + $query, '']);
        self::assertSame(['refused', 400, '', 'malformed'], [$refused['kind'], $refused['status'], $refused['reply'], $refused['error']]);
        $container = RoutineTemplate::handlePush([], '{"action":"CheckContainerPath"}');
        self::assertSame(['verify', 'success'], [$container['kind'], $container['reply']]);
    }

    /**
     * @dataProvider modes
     */
    #[DataProvider('modes')]
    public function testAnAnswerCountsOnceInEveryModeAndFormat(string $mode, string $format): void
    {
        if ($mode === 'plain') {
            RoutineTemplate::configure(['push_aes_key' => '']);
        }
        $message = PushSender::popup($this->shop->openid, [$this->shop->orderPaid => 'accept', $this->shipped => 'reject']);
        $body = PushSender::$format($message);

        $first = $this->push($this->wechat->$mode($body));
        $again = $this->push($this->wechat->$mode($body));

        self::assertSame(['event', 200, 'success', 'subscribe_msg_popup_event', true, false, null, ''], [
            $first['kind'], $first['status'], $first['reply'], $first['event'], $first['handled'], $first['duplicate'], $first['error'],
            $first['hint'],
        ]);
        self::assertSame([true, true, 200, 'success'], [$again['handled'], $again['duplicate'], $again['status'], $again['reply']]);
        self::assertSame($this->shop->openid, $first['message']['FromUserName']);
        self::assertEqualsCanonicalizing([$this->shop->orderPaid, $this->shipped], array_keys($first['grants']));
        foreach ([$first, $again] as $push) {
            self::assertLedger(['available' => 1, 'state' => 'accept'], $push['grants'][$this->shop->orderPaid]);
            self::assertLedger(['available' => 0, 'state' => 'reject'], $push['grants'][$this->shipped]);
        }
        self::assertLedger(['available' => 1, 'accepted' => 1], RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid));
    }

    public static function modes(): array
    {
        return [
            'plain JSON' => ['plain', 'json'], 'plain XML' => ['plain', 'xml'],
            'safe JSON' => ['safe', 'json'], 'safe XML' => ['safe', 'xml'],
        ];
    }

    public function testTheFrontEndAndThePushTellOfOneAnswer(): void
    {
        RoutineTemplate::recordGrants($this->shop->openid, [$this->shop->orderPaid => 'accept']);
        $push = $this->push($this->wechat->safe(PushSender::json(PushSender::popup($this->shop->openid, [$this->shop->orderPaid => 'accept']))));
        self::assertTrue($push['handled']);
        self::assertLedger(['available' => 1, 'accepted' => 1], RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid));
    }

    public function testWhoSwitchesATemplateOffIsNotSentToUntilHeAcceptsAgain(): void
    {
        $created = time() - 100;
        $popup = fn (int $at): array => PushSender::popup($this->shop->openid, [$this->shop->orderPaid => 'accept'], $at);
        $this->push($this->wechat->safe(PushSender::json($popup($created))));
        $off = PushSender::popup($this->shop->openid, [$this->shop->orderPaid => 'reject'], $created + 10, 'subscribe_msg_change_event');
        self::assertTrue($this->push($this->wechat->safe(PushSender::xml($off)))['handled']);

        self::assertTrue(RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid)['certain']);
        $answer = $this->sendOrder();
        self::assertSame([43101, 'local'], [$answer['errcode'], $answer['source']]);

        $this->push($this->wechat->safe(PushSender::json($popup($created + 20))));
        $this->assertDelivered($this->sendOrder());
    }

    public function testWhatBecameOfAMessageIsWrittenIntoItsRow(): void
    {
        $answer = $this->sendOrder();
        $this->assertDelivered($answer);
        $sent = fn (array $members): array => PushSender::event('subscribe_msg_sent_event', $this->shop->openid, ['List' => $members + [
            'TemplateId' => $this->shop->orderPaid, 'MsgID' => (string) $answer['msgid'], 'ErrorCode' => '0', 'ErrorStatus' => 'success',
        ]]);

        $push = $this->push($this->wechat->safe(PushSender::json($sent([]))));
        self::assertTrue($push['handled']);
        self::assertSame([[
            'msgid' => $answer['msgid'], 'template_id' => $this->shop->orderPaid, 'receipt' => 'success', 'id' => $answer['id'],
        ]], $push['receipts']);
        self::assertSame('success', RoutineTemplate::status($answer['id'])['receipt']);

        $unknown = $this->push($this->wechat->safe(PushSender::xml($sent(['MsgID' => '1']))));
        self::assertSame([false, 200], [$unknown['handled'], $unknown['status']]);
        self::assertNull($unknown['receipts'][0]['id']);
    }

    public function testWhatIsNoEventOfOursGoesToTheShopAsItIs(): void
    {
        $text = ['ToUserName' => 'gh_1', 'FromUserName' => 'o1', 'CreateTime' => 1, 'MsgType' => 'text', 'Content' => '在吗？<b>', 'MsgId' => PHP_INT_MAX];
        $push = $this->push($this->wechat->safe(PushSender::json($text)));
        self::assertSame(['message', null, false, $text], [$push['kind'], $push['event'], $push['handled'], $push['message']]);

        $enter = PushSender::event('User_Enter_TempSession', 'o1', ['SessionFrom' => 'x']);
        $push = $this->push($this->wechat->safe(PushSender::xml($enter)));
        self::assertSame(['event', 'user_enter_tempsession', false], [$push['kind'], $push['event'], $push['handled']]);
        self::assertSame('x', $push['message']['SessionFrom']);

        $lacking = PushSender::event('subscribe_msg_popup_event', 'o1', []);
        $push = $this->push($this->wechat->safe(PushSender::json($lacking)));
        self::assertSame([200, 'success', false, $lacking], [$push['status'], $push['reply'], $push['handled'], $push['message']]);
        self::assertStringContainsString('List', $push['hint']);
    }

    public function testARequestThatIsNotWeChatsIsRefusedAndNothingIsThrown(): void
    {
        $body = PushSender::json(PushSender::popup($this->shop->openid, [$this->shop->orderPaid => 'accept']));
        [$query, $sealed] = $this->wechat->safe($body);
        $requests = [
            'unsigned' => [[], $sealed],
            'bad_signature' => [['msg_signature' => str_repeat('0', 40)] + $query, $sealed],
            'stale' => $this->wechat->safe($body, PushSender::KEY, time() - 700),
            'not_encrypted' => $this->wechat->plain($body),
            'undecryptable' => $this->wechat->safe($body, PushSender::OTHER_KEY),
            'wrong_appid' => $this->wechat->safe($body, PushSender::KEY, null, 'wx0000000000000000'),
            'malformed' => $this->wechat->safe('no message'),
            'too_large' => [$query, str_repeat(' ', 1024 * 1024 + 1)],
        ];
        foreach ($requests as $error => $request) {
            $push = $this->push($request);
            self::assertSame(['refused', $error, '', false, null], [
                $push['kind'], $push['error'], $push['reply'], $push['handled'], $push['message'],
            ]);
            self::assertSame(['malformed' => 400, 'too_large' => 413][$error] ?? 403, $push['status']);
            self::assertNotSame('', $push['hint']);
            self::assertStringNotContainsString(PushSender::TOKEN, $push['hint']);
        }
        $array = $this->push([['signature' => ['x'], 'msg_signature' => [[]]] + $query, $sealed]);
        self::assertSame('unsigned', $array['error']);
        self::assertSame([], RoutineTemplate::grants($this->shop->openid));
    }

    public function testThePreviousKeyWorksWhileItIsReplaced(): void
    {
        $body = PushSender::json(PushSender::popup($this->shop->openid, [$this->shop->orderPaid => 'accept']));
        RoutineTemplate::configure(['push_aes_key' => PushSender::OTHER_KEY . ', ' . PushSender::KEY]);
        self::assertTrue($this->push($this->wechat->safe($body))['handled']);
        self::assertTrue($this->push($this->wechat->safe($body, PushSender::OTHER_KEY))['duplicate']);
    }

    public function testAMissingSettingIsAnExceptionThatNamesIt(): void
    {
        [$query, $body] = $this->wechat->safe('{"MsgType":"text"}');
        RoutineTemplate::configure(['push_aes_key' => '']);
        $call = fn () => RoutineTemplate::handlePush($query, $body);
        self::assertStringContainsString('push_aes_key', self::thrownBy($call, RoutineTemplate\ConfigException::class)->getMessage());
        RoutineTemplate::configure(['push_token' => '']);
        self::assertStringContainsString('push_token', self::thrownBy($call, RoutineTemplate\ConfigException::class)->getMessage());
    }

    public function testWhatTheStoreCannotTakeIsAnExceptionSoThatWeChatPushesItAgain(): void
    {
        $request = $this->wechat->safe(PushSender::json(PushSender::popup($this->shop->openid, [$this->shop->orderPaid => 'accept'])));
        RoutineTemplate::configure(['store' => '/proc/no/such/store']);
        self::thrownBy(fn () => RoutineTemplate::handlePush(...$request), RoutineTemplate\StoreException::class);
        $other = $this->wechat->safe('{"MsgType":"text"}');
        self::assertSame('message', $this->push($other)['kind'], 'what is not for the store needs none');
        RoutineTemplate::configure(['store' => $this->shop->config()['store']]);
        self::assertTrue($this->push($request)['handled']);
        self::assertTrue($this->push($request)['duplicate']);
    }

    /**
     * @dataProvider decrypted
     */
    #[DataProvider('decrypted')]
    public function testAMessageThatTheShopHasDecryptedIsTakenInEveryForm(callable $form): void
    {
        $message = PushSender::popup($this->shop->openid, [$this->shop->orderPaid => 'accept']);
        self::assertTrue(RoutineTemplate::recordEvent($form($message)));
        self::assertTrue($this->push($this->wechat->safe(PushSender::json($message)))['duplicate'], 'both ways are one');
        self::assertTrue(RoutineTemplate::recordEvent($form($message)));
        self::assertLedger(['available' => 1], RoutineTemplate::grants($this->shop->openid, $this->shop->orderPaid));
    }

    public static function decrypted(): array
    {
        $item = static fn (array $message, array $list): array => ['List' => $list] + $message;
        return [
            'an array' => [static fn (array $message): array => $message],
            'with strings for numbers' => [static fn (array $message): array => ['CreateTime' => (string) $message['CreateTime']] + $message],
            'an object' => [static fn (array $message): object => (object) $message],
            'json_decode of it' => [static fn (array $message): object => json_decode(PushSender::json($message))],
            'JSON' => [static fn (array $message): string => PushSender::json($message)],
            'XML' => [static fn (array $message): string => PushSender::xml($message)],
            'SimpleXML' => [static fn (array $message): object => simplexml_load_string(PushSender::xml($message))],
            'SimpleXML as an array' => [static fn (array $message): array
                => json_decode((string) json_encode(simplexml_load_string(PushSender::xml($message), null, LIBXML_NOCDATA)), true)],
            'EasyWeChat: a Collection' => [static fn (array $message): object => new Collection($message)],
            'EasyWeChat: an object in item' => [static fn (array $message): object
                => new Collection($item($message, ['item' => ['id' => '0'] + $message['List']]))],
            'EasyWeChat: a list in item' => [static fn (array $message): object
                => new Collection($item($message, ['item' => [['id' => '0'] + $message['List']]]))],
            'a generator' => [static fn (array $message): \Generator => (static fn () => yield from $message)()],
        ];
    }

    public function testOtherMessagesAreNotOurs(): void
    {
        self::assertFalse(RoutineTemplate::recordEvent(new Collection(['MsgType' => 'text', 'Content' => 'subscribe_msg_popup_event'])));
        self::assertFalse(RoutineTemplate::recordEvent(PushSender::event('user_enter_tempsession', 'o1', [])));
        self::assertFalse(RoutineTemplate::recordEvent([]));
        $unknown = ['List' => ['TemplateId' => $this->shipped, 'MsgID' => '1', 'ErrorCode' => 0, 'ErrorStatus' => 'success']];
        self::assertFalse(RoutineTemplate::recordEvent(PushSender::event('subscribe_msg_sent_event', $this->shop->openid, $unknown)));
    }

    /**
     * @dataProvider wrong
     */
    #[DataProvider('wrong')]
    public function testWhatCannotBeAMessageIsAnErrorThatSaysWhatIsWanted(callable $value, string $class, string $words): void
    {
        $error = self::thrownBy(fn () => RoutineTemplate::recordEvent($value($this->shop)), $class);
        self::assertStringContainsString($words, $error->getMessage());
    }

    public static function wrong(): array
    {
        $popup = static fn (array $members): callable => static fn (Shop $shop): array
            => $members + PushSender::popup($shop->openid, [$shop->orderPaid => 'accept']);
        return [
            'no JSON' => [static fn () => '{', \ValueError::class, 'JSON'],
            'an entity' => [static fn () => '<!DOCTYPE x [<!ENTITY e "x">]><xml>&e;</xml>', \ValueError::class, 'DOCTYPE'],
            'still encrypted' => [static fn () => ['ToUserName' => 'gh_1', 'Encrypt' => 'x'], \ValueError::class, 'handlePush'],
            'nobody' => [$popup(['FromUserName' => '']), \ValueError::class, 'FromUserName'],
            'no time' => [$popup(['CreateTime' => null]), \ValueError::class, 'CreateTime'],
            'no list' => [$popup(['List' => new \stdClass()]), \ValueError::class, 'List'],
            'null' => [static fn () => null, \TypeError::class, 'array|object|string, null given'],
            'an int' => [static fn () => 1, \TypeError::class, 'array|object|string, int given'],
            'another object' => [static fn () => new \DateTime(), \TypeError::class, 'DateTime given'],
            'without end' => [static fn () => (static function () {
                while (true) {
                    yield 'x' => 1;
                }
            })(), \TypeError::class, 'array|object|string'],
            'one that throws' => [static fn () => (static function () {
                yield 'Event' => 'x';
                throw new \DomainException('from the generator');
            })(), \DomainException::class, 'from the generator'],
        ];
    }

    public function testAnAccountOfSeveralTakesItsOwn(): void
    {
        $other = new Shop($this->sandbox);
        RoutineTemplate::app($other->appid)->configure([
            'secret' => $other->secret, 'push_token' => PushSender::TOKEN, 'push_aes_key' => PushSender::KEY,
        ]);
        $body = PushSender::json(PushSender::popup($other->openid, [$other->orderPaid => 'accept']));
        $request = (new PushSender($other->appid))->safe($body);
        self::assertSame('wrong_appid', $this->push($request)['error']);
        self::assertTrue(RoutineTemplate::app($other->appid)->handlePush(...$request)['handled']);
        self::assertSame([], RoutineTemplate::grants($other->openid));
    }

    /** @param array{array<string, mixed>, string} $request */
    private function push(array $request): array
    {
        $push = RoutineTemplate::handlePush(...$request);
        self::assertSame(self::KEYS, array_keys($push));
        return $push;
    }
}

/** What CRMEB's hook gets: EasyWeChat 3's EasyWeChat\Support\Collection. */
// phpcs:ignore PSR1.Classes.ClassDeclaration.MultipleClasses
final class Collection implements \ArrayAccess, \Countable, \IteratorAggregate, \JsonSerializable
{
    private array $items;

    public function __construct(array $items)
    {
        $this->items = $items;
    }

    public function all(): array
    {
        return $this->items;
    }

    public function toArray(): array
    {
        return $this->items;
    }

    public function __get(string $name)
    {
        return $this->items[$name] ?? null;
    }

    public function getIterator(): \Iterator
    {
        return new \ArrayIterator($this->items);
    }

    public function count(): int
    {
        return count($this->items);
    }

    public function jsonSerialize(): array
    {
        return $this->items;
    }

    public function offsetExists($offset): bool
    {
        return isset($this->items[$offset]);
    }

    #[\ReturnTypeWillChange]
    public function offsetGet($offset)
    {
        return $this->items[$offset] ?? null;
    }

    public function offsetSet($offset, $value): void
    {
        $this->items[$offset] = $value;
    }

    public function offsetUnset($offset): void
    {
        unset($this->items[$offset]);
    }
}
