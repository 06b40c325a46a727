<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

/** Signs and encrypts pushes as WeChat does, in PHP, so that nothing of the code under test is in it. */
final class PushSender
{
    public const TOKEN = 'shopPushToken';
    public const KEY = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG';
    public const OTHER_KEY = 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C';

    private string $appid;

    public function __construct(string $appid)
    {
        $this->appid = $appid;
    }

    /** The members that every event of a user has. */
    public static function event(string $event, string $openid, array $members, ?int $created = null): array
    {
        return [
            'ToUserName' => 'gh_97417a04a28d', 'FromUserName' => $openid, 'CreateTime' => $created ?? time(),
            'MsgType' => 'event', 'Event' => $event,
        ] + $members;
    }

    /**
     * A user's answers in the JSON form: an object if there is one, an array if there are several.
     *
     * @param array<string, string> $answers template id => accept or reject
     */
    public static function popup(string $openid, array $answers, ?int $created = null, string $event = 'subscribe_msg_popup_event'): array
    {
        $list = [];
        foreach ($answers as $templateId => $answer) {
            $list[] = ['TemplateId' => (string) $templateId, 'SubscribeStatusString' => $answer, 'PopupScene' => '0'];
        }
        return self::event($event, $openid, ['List' => count($list) === 1 ? $list[0] : $list], $created);
    }

    /** The same in the XML form, which has a wrapper of the event's name. */
    public static function xml(array $message): string
    {
        if (isset($message['List'])) {
            $wrapper = str_replace(' ', '', ucwords(str_replace('_', ' ', $message['Event'])));
            $list = isset($message['List'][0]) ? $message['List'] : [$message['List']];
            $message[$wrapper] = ['List' => $list];
            unset($message['List']);
        }
        return '<xml>' . self::elements($message) . '</xml>';
    }

    public static function json(array $message): string
    {
        return (string) json_encode($message, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES);
    }

    /** @return array{array<string, string>, string} query and body in plain mode */
    public function plain(string $body, ?int $time = null): array
    {
        return [$this->query(null, $time), $body];
    }

    /** @return array{array<string, string>, string} query and body in safe mode, its envelope in the format of the message */
    public function safe(string $message, string $key = self::KEY, ?int $time = null, ?string $appid = null): array
    {
        $encrypted = self::encrypt($message, $key, $appid ?? $this->appid);
        $envelope = $message[0] === '<'
            ? "<xml><ToUserName><![CDATA[gh_97417a04a28d]]></ToUserName><Encrypt><![CDATA[$encrypted]]></Encrypt></xml>"
            : self::json(['ToUserName' => 'gh_97417a04a28d', 'Encrypt' => $encrypted]);
        return [$this->query($encrypted, $time), $envelope];
    }

    /** @return array<string, string> what WeChat puts into the address */
    public function query(?string $encrypted = null, ?int $time = null): array
    {
        $timestamp = (string) ($time ?? time());
        $nonce = (string) random_int(1, 999_999_999);
        $query = ['signature' => self::sign([$timestamp, $nonce]), 'timestamp' => $timestamp, 'nonce' => $nonce, 'openid' => 'oSomebody'];
        return $encrypted === null ? $query
            : $query + ['encrypt_type' => 'aes', 'msg_signature' => self::sign([$timestamp, $nonce, $encrypted])];
    }

    public static function encrypt(string $message, string $key, string $appid): string
    {
        $aes = (string) base64_decode("$key=");
        $plain = random_bytes(16) . pack('N', strlen($message)) . $message . $appid;
        $pad = 32 - strlen($plain) % 32;
        $plain .= str_repeat(chr($pad), $pad);
        return base64_encode((string) openssl_encrypt(
            $plain,
            'aes-256-cbc',
            $aes,
            OPENSSL_RAW_DATA | OPENSSL_ZERO_PADDING,
            substr($aes, 0, 16)
        ));
    }

    /** @param list<string> $parts */
    private static function sign(array $parts): string
    {
        $parts[] = self::TOKEN;
        sort($parts, SORT_STRING);
        return sha1(implode($parts));
    }

    private static function elements(array $members): string
    {
        $xml = '';
        foreach ($members as $name => $value) {
            foreach (is_array($value) && isset($value[0]) ? $value : [$value] as $one) {
                $inner = is_array($one) ? self::elements($one) : (is_int($one) ? (string) $one : "<![CDATA[$one]]>");
                $xml .= "<$name>$inner</$name>";
            }
        }
        return $xml;
    }
}
