<?php

// 没有 strict_types：应用的函数得到的参数，与由 PHP 自带的函数调用时一样可以转换。
// Without strict_types: a callable of the application gets its arguments as from a function of PHP, converted where it has types.

namespace RoutineTemplate\Ffi;

/** 提供 token 的应用函数，按编号保存。 The application's callables that supply tokens, by number. */
final class Suppliers
{
    /** @var array<int, callable> */
    private static $callables = [];

    /** @var int */
    private static $number = 0;

    /**
     * configure() 的参数；其中的 token 为函数时换成编号。
     * The argument of configure(), with a number in the place of a callable `token`.
     *
     * @param mixed $config
     * @return mixed the same, tagged
     */
    public static function tagged(
        #[\SensitiveParameter]
        $config
    ) {
        $token = is_array($config) ? ($config['token'] ?? null) : null;
        $callable = Callables::of($token);
        $tagged = Tagged::value($config);
        if ($callable === null) {
            return $tagged;
        }
        self::$callables[++self::$number] = $callable;
        foreach ($tagged as $index => $member) {
            if ($index > 0 && $member[0] === 'token') {
                $tagged[$index][1] = ['callable', self::$number, is_object($token) ? get_class($token) : 'array'];
            }
        }
        return $tagged;
    }

    /** 是否有函数。 Whether there are any. */
    public static function areThere(): bool
    {
        return self::$callables !== [];
    }

    /** 调用一个函数，返回给库的 JSON。 Calls one; the JSON for the library. */
    public static function reply(int $number, bool $refresh): string
    {
        $token = (self::$callables[$number])($refresh);
        $text = is_string($token) ? json_encode(['token' => $token], Tagged::FLAGS) : false;
        return $text === false ? '{"token": null}' : $text;
    }

    /** @param list<int> $numbers 不再需要的 / those that nothing asks any more */
    public static function release(array $numbers): void
    {
        foreach ($numbers as $number) {
            unset(self::$callables[$number]);
        }
    }
}
