<?php

declare(strict_types=1);

namespace RoutineTemplate\Ffi;

use Closure;
use ReflectionClass;

/** 应用交来的函数。 Callables that the application hands over. */
final class Callables
{
    /**
     * 值中的函数；不是函数时为 null。字符串是值，不是函数名。与扩展一样，应用在调用之处能调用的，就能交来，私有方法也一样。
     * The callable that a value is, or null. A string is a value, never a function's name. As in the extension, whatever the
     * application may call from where it calls us will do, a private method as well.
     *
     * @param mixed $given
     */
    public static function of($given): ?callable
    {
        if (is_object($given)) {
            return is_callable($given) ? $given : null;
        }
        if (!is_array($given)) {
            return null;
        }
        return is_callable($given) ? $given : self::ofCaller($given);
    }

    private static function ofCaller(array $given): ?callable
    {
        $class = self::callingClass();
        if ($class === null || (new ReflectionClass($class))->isInternal()) {
            return null;
        }
        $closure = static function () use ($given): ?Closure {
            return is_callable($given) ? Closure::fromCallable($given) : null;
        };
        return Closure::bind($closure, null, $class)();
    }

    /** 调用本库的代码所在的类。 The class of the code that has called us. */
    private static function callingClass(): ?string
    {
        $called = false;
        foreach (debug_backtrace(DEBUG_BACKTRACE_IGNORE_ARGS) as $frame) {
            $class = $frame['class'] ?? null;
            if ($called) {
                return $class;
            }
            $called = $class === 'RoutineTemplate' || $class === 'RoutineTemplate\App';
        }
        return null;
    }
}
