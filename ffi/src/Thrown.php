<?php

declare(strict_types=1);

namespace RoutineTemplate\Ffi;

use ReflectionProperty;
use Throwable;

/** 异常指向应用的代码，而不是本库的文件。 Exceptions point to the application's code, not to files of this library. */
final class Thrown
{
    /**
     * 由库的说明得到异常。
     * The exception that the library describes.
     *
     * @param array{class: class-string<Throwable>, message: string, code?: int, ambiguous?: bool} $row
     */
    public static function exception(array $row): Throwable
    {
        $exception = new $row['class']($row['message'], $row['code'] ?? 0);
        if (!empty($row['ambiguous'])) {
            self::set($exception, get_class($exception), 'ambiguous', true);
        }
        self::pointToCaller($exception);
        return $exception;
    }

    private static function pointToCaller(Throwable $exception): void
    {
        $trace = $exception->getTrace();
        foreach ($trace as $index => $frame) {
            $class = $frame['class'] ?? '';
            if ($class !== 'RoutineTemplate' && $class !== 'RoutineTemplate\App') {
                continue;
            }
            $trace = array_slice($trace, $index);
            if ($frame['function'] === 'configure') {
                // 其中有密钥。 They hold the secret.
                $trace[0]['args'] = [];
            }
            $base = $exception instanceof \Error ? \Error::class : \Exception::class;
            self::set($exception, $base, 'trace', $trace);
            // 由内部函数调用时没有文件名。 There is none where PHP's own function called us.
            foreach ($trace as $caller) {
                if (isset($caller['file'])) {
                    self::set($exception, $base, 'file', $caller['file']);
                    self::set($exception, $base, 'line', $caller['line']);
                    return;
                }
            }
            return;
        }
    }

    /** @param mixed $value */
    private static function set(Throwable $exception, string $class, string $name, $value): void
    {
        $property = new ReflectionProperty($class, $name);
        if (PHP_VERSION_ID < 80100) {
            $property->setAccessible(true);
        }
        $property->setValue($exception, $value);
    }
}
