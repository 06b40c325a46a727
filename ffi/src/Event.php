<?php

declare(strict_types=1);

namespace RoutineTemplate\Ffi;

use SimpleXMLElement;
use Traversable;

/**
 * 框架交来的推送消息：数组、普通对象、文本，或可以 foreach 的对象（EasyWeChat 的 Collection）。
 * A pushed message as frameworks hand it on: an array, a plain object, a text, or what `foreach` takes (EasyWeChat's Collection).
 */
final class Event
{
    /** 消息的层数。 Levels of a message. */
    private const LEVELS = 6;

    /** 所有层的成员总数；生成器不一定会结束。 Members of all levels; a generator need not end by itself. */
    private const MEMBERS = 10000;

    /**
     * 加标签的消息。
     * The message, tagged.
     *
     * @param mixed $message
     * @return mixed
     */
    public static function tagged($message)
    {
        if ($message instanceof SimpleXMLElement) {
            // foreach 不区分元素与其文本。 foreach does not tell elements from their text.
            return Tagged::value($message->asXML());
        }
        $left = self::MEMBERS;
        return self::read($message, self::LEVELS, $left);
    }

    /**
     * @param mixed $value
     * @return mixed
     */
    private static function read($value, int $levels, int &$left)
    {
        if (!is_array($value) && !$value instanceof Traversable) {
            return Tagged::value($value);
        }
        if ($levels === 0) {
            return ['other', 'array nested too deeply'];
        }
        $tagged = ['map'];
        foreach ($value as $key => $member) {
            if ($left === 0) {
                return ['other', 'array with too many members'];
            }
            $left--;
            if (is_int($key) || is_string($key)) {
                $tagged[] = [is_int($key) ? $key : Tagged::value($key), self::read($member, $levels - 1, $left)];
            }
        }
        return $tagged;
    }
}
