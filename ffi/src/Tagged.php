<?php

declare(strict_types=1);

namespace RoutineTemplate\Ffi;

use stdClass;

// 编译为操作码，不是函数调用。 Compiled to opcodes instead of calls.
use function get_class;
use function is_array;
use function is_bool;
use function is_float;
use function is_int;
use function is_object;
use function is_scalar;
use function is_string;

/**
 * 交给库的参数：通常就是 JSON；JSON 装不下的（GBK 字节、对象、资源、无穷大）加标签。
 * Arguments for the library: plain JSON most often; what JSON cannot hold (GBK bytes, objects, resources, infinities) is tagged.
 */
final class Tagged
{
    /** 比库查看的层数更深即可。 Deeper than the library looks. */
    private const LEVELS = 8;

    public const FLAGS = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION;

    /**
     * 一次调用的文本。
     * The text of a call.
     *
     * @param list<mixed> $arguments
     */
    public static function call(string $method, ?string $appid, array $arguments, array $more = []): string
    {
        $call = ['method' => $method, 'appid' => $appid, 'arguments' => $arguments] + $more;
        if (self::isPlain($arguments, self::LEVELS)) {
            $text = json_encode($call, self::FLAGS);
            if ($text !== false) {
                return $text;
            }
        }
        foreach ($arguments as $index => $argument) {
            $arguments[$index] = self::value($argument);
        }
        return self::taggedCall($method, $appid, $arguments, $more);
    }

    /**
     * 参数已经加了标签的调用。
     * The same with arguments that are tagged already.
     *
     * @param list<mixed> $arguments
     */
    public static function taggedCall(
        string $method,
        ?string $appid,
        #[\SensitiveParameter]
        array $arguments,
        array $more = []
    ): string {
        $call = ['method' => $method, 'appid' => $appid, 'arguments' => $arguments, 'tagged' => true] + $more;
        return (string) json_encode($call, self::FLAGS | JSON_INVALID_UTF8_SUBSTITUTE);
    }

    /**
     * 批量中的一条消息。
     * One message of a bulk.
     *
     * @param mixed $key
     * @param mixed $message
     */
    public static function message($key, $message): string
    {
        $key = is_int($key) || is_string($key) ? self::value($key) : null;
        if (!is_object($message) && self::isPlain([$message], self::LEVELS)) {
            $text = json_encode(['key' => $key, 'message' => $message], self::FLAGS);
            if ($text !== false) {
                return $text;
            }
        }
        $reply = ['key' => $key, 'message' => self::value($message), 'tagged' => true];
        return (string) json_encode($reply, self::FLAGS | JSON_INVALID_UTF8_SUBSTITUTE);
    }

    /**
     * 加标签的值。
     * A tagged value.
     *
     * @param mixed $value
     * @return mixed
     */
    public static function value(
        #[\SensitiveParameter]
        $value,
        int $levels = self::LEVELS
    ) {
        if ($value === null || is_bool($value) || is_int($value)) {
            return $value;
        }
        if (is_string($value)) {
            return preg_match('//u', $value) === 1 ? $value : ['bytes', base64_encode($value)];
        }
        if (is_float($value)) {
            return self::float($value);
        }
        if (is_array($value)) {
            return self::members('map', $value, $levels);
        }
        if (!is_object($value)) {
            return ['other', 'resource'];
        }
        // 只读取普通对象：读取其他对象的属性可能运行应用的代码。 Only a plain object: asking any other may run the application's code.
        return get_class($value) === stdClass::class
            ? self::members('object', (array) $value, $levels)
            : ['other', get_class($value)];
    }

    private static function members(
        string $tag,
        #[\SensitiveParameter]
        array $members,
        int $levels
    ): array {
        $tagged = [$tag];
        if ($levels > 0) {
            foreach ($members as $key => $member) {
                $tagged[] = [is_int($key) ? $key : self::value($key), self::value($member, $levels - 1)];
            }
        }
        return $tagged;
    }

    /** @return mixed */
    private static function float(float $value)
    {
        if (is_nan($value)) {
            return ['float', 'NAN'];
        }
        if (is_infinite($value)) {
            return ['float', $value > 0 ? 'INF' : '-INF'];
        }
        return self::floatsAreExact() ? $value : ['exact', bin2hex(pack('E', $value))];
    }

    private static function isPlain(array $values, int $levels): bool
    {
        foreach ($values as $value) {
            if (is_array($value)) {
                if ($levels === 0 || !self::isPlain($value, $levels - 1)) {
                    return false;
                }
            } elseif (is_float($value)) {
                if (!is_finite($value) || !self::floatsAreExact()) {
                    return false;
                }
            } elseif ($value !== null && !is_scalar($value)) {
                return false;
            }
        }
        return true;
    }

    /** php.ini 的 serialize_precision 可能截短小数。 serialize_precision in php.ini may cut digits off. */
    private static function floatsAreExact(): bool
    {
        $precision = (int) ini_get('serialize_precision');
        return $precision < 0 || $precision >= 17;
    }
}
