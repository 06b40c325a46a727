<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

use RuntimeException;

/** Where the programs under test are; build.sh says so, with defaults for running PHPUnit by hand. */
final class Environment
{
    public static function extension(): string
    {
        return self::file('ROUTINE_TEMPLATE_EXTENSION', dirname(__DIR__, 2) . '/build/routine_template.so');
    }

    public static function command(): string
    {
        return self::file('ROUTINE_TEMPLATE_COMMAND', dirname(__DIR__, 2) . '/build/routine-template');
    }

    public static function fpm(): string
    {
        return self::file('ROUTINE_TEMPLATE_FPM', '/usr/sbin/php-fpm' . PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION);
    }

    public static function nginx(): string
    {
        return self::file('ROUTINE_TEMPLATE_NGINX', '/usr/sbin/nginx');
    }

    private static function file(string $variable, string $default): string
    {
        $path = getenv($variable) ?: $default;
        if (!is_file($path)) {
            throw new RuntimeException("$path is missing. Run ./build.sh test, which makes it; $variable names another place.");
        }
        return $path;
    }
}
