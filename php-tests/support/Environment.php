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

    /** The library of the FFI face, beside it. */
    public static function library(): string
    {
        return dirname(self::ffi()) . '/libroutine_template.so';
    }

    /** What a shop requires to have the FFI face, installed where php-fpm's workers may read it; a checkout may be closed to them. */
    public static function ffi(): string
    {
        static $directory = null;
        if ($directory === null) {
            $from = dirname(self::file('ROUTINE_TEMPLATE_FFI', dirname(__DIR__, 2) . '/ffi/RoutineTemplate.php'));
            $library = self::file('ROUTINE_TEMPLATE_LIBRARY', dirname(__DIR__, 2) . '/build/libroutine_template.so');
            $directory = TemporaryDirectory::create();
            register_shutdown_function([$directory, 'remove']);
            foreach (array_merge(glob("$from/*.php"), glob("$from/*.h"), glob("$from/src/*.php")) as $file) {
                $directory->write(substr($file, strlen($from) + 1), (string) file_get_contents($file));
            }
            $directory->write('libroutine_template.so', (string) file_get_contents($library));
        }
        return $directory->path . '/RoutineTemplate.php';
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

    /** The user that php-fpm's workers run as; null where we are no root and they run as we do. */
    public static function workerUser(): ?string
    {
        if (posix_geteuid() !== 0) {
            return null;
        }
        foreach (['www-data', 'nginx', 'http', 'nobody'] as $name) {
            if (posix_getpwnam($name) !== false) {
                return $name;
            }
        }
        throw new RuntimeException('This system has no user www-data, nginx, http or nobody for php-fpm.');
    }

    /** The store that all tests share which need none of their own: never the default directory of whoever runs them. */
    public static function store(): string
    {
        static $store = null;
        return $store ??= self::newStore();
    }

    /** An empty directory for a store, owned by the user of php-fpm's workers, gone when the test run ends. */
    public static function newStore(): string
    {
        $directory = TemporaryDirectory::create();
        register_shutdown_function([$directory, 'remove']);
        return $directory->privateTo('store', self::workerUser());
    }

    /**
     * The setting that loads these modules of PHP into a process of its own; null where this PHP does not have them all.
     *
     * @return array<string, list<string>>|null
     */
    public static function modules(string ...$names): ?array
    {
        $shared = [];
        foreach ($names as $name) {
            if (is_file(ini_get('extension_dir') . "/$name.so")) {
                $shared[] = $name;
            } elseif (!extension_loaded($name)) {
                return null;
            }
        }
        return ['extension' => $shared];
    }

    /** How many times longer than usual everything may take: under valgrind, where nothing is as fast as tests expect. */
    public static function patience(): int
    {
        return max(1, (int) getenv('ROUTINE_TEMPLATE_PATIENCE'));
    }

    /** @return array<string, string>|null the settings that preload this script; null where this PHP has no OPcache */
    public static function preload(string $script): ?array
    {
        if (!extension_loaded('Zend OPcache') && !is_file(PHP_EXTENSION_DIR . '/opcache.so')) {
            return null;
        }
        // From PHP 8.5 on it is part of PHP.
        $module = PHP_VERSION_ID < 80500 ? ['zend_extension' => 'opcache'] : [];
        return $module + ['opcache.enable' => '1', 'opcache.preload' => $script];
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
