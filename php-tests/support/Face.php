<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

use PHPUnit\Framework\Assert;
use RuntimeException;

/** Which face is under test: the extension, or the PHP classes that reach the same code through FFI. */
final class Face
{
    public static function isFfi(): bool
    {
        $face = getenv('ROUTINE_TEMPLATE_FACE') ?: 'extension';
        if (!in_array($face, ['extension', 'ffi'], true)) {
            throw new RuntimeException("ROUTINE_TEMPLATE_FACE is $face; it can be extension or ffi.");
        }
        return $face === 'ffi';
    }

    /**
     * The settings that bring it into a PHP that reads no php.ini of the machine.
     *
     * @return array<string, string|list<string>> as {@see PhpProcess::run()} takes them
     */
    public static function settings(): array
    {
        // PHP 7.4 may have it as a module, and tests print JSON.
        $json = Environment::modules('json')['extension'] ?? [];
        if (!self::isFfi()) {
            return ['extension' => array_merge($json, [Environment::extension()])];
        }
        $ffi = Environment::modules('ffi');
        if ($ffi === null) {
            throw new RuntimeException('This PHP has no FFI.');
        }
        return [
            'extension' => array_merge($json, $ffi['extension']),
            'ffi.enable' => '1',
            'auto_prepend_file' => Environment::ffi(),
        ];
    }

    /**
     * Does something with the extension in the place of the face under test, for a comparison.
     *
     * @return mixed null where this PHP cannot load it
     */
    public static function withExtension(callable $deed)
    {
        $extension = getenv('ROUTINE_TEMPLATE_EXTENSION') ?: dirname(__DIR__, 2) . '/build/routine_template.so';
        $face = getenv('ROUTINE_TEMPLATE_FACE');
        $loads = is_file($extension)
            && (new RunningPhp([PHP_BINARY, '-n', '-d', "extension=$extension", '-r', 'exit((int) !extension_loaded("routine_template"));'], null, 20.0, []))
                ->wait()->exitCode === 0;
        if (!$loads) {
            return null;
        }
        putenv('ROUTINE_TEMPLATE_FACE=extension');
        try {
            return $deed();
        } finally {
            putenv("ROUTINE_TEMPLATE_FACE=$face");
        }
    }

    /** What a script needs at its beginning to have it where nothing brings it: preload scripts run before anything else. */
    public static function code(): string
    {
        return self::isFfi() ? '<?php require ' . var_export(Environment::ffi(), true) . '; ?>' : '';
    }

    /** Leaves the running test out where the extension is not what is tested; the reason says what only an extension can have. */
    public static function onlyExtension(string $reason): void
    {
        if (self::isFfi()) {
            Assert::markTestSkipped("Of the extension alone: $reason");
        }
    }

    /**
     * Leaves the running test out where PHP's own FFI crashes when a signal handler throws during a call, whatever library is called:
     * PHP 8.4 does, 7.4 and 8.2 do not.
     *
     * @param array<string, list<string>> $modules what gives a script signals
     */
    public static function needsSignalHandlersThatThrow(array $modules): void
    {
        if (!self::isFfi()) {
            return;
        }
        $probe = PhpProcess::run('
            pcntl_async_signals(true);
            $isCalling = false;
            pcntl_signal(SIGUSR1, static function () use (&$isCalling) {
                if ($isCalling) { $isCalling = false; throw new DomainException("stop"); }
            });
            $library = FFI::cdef("int usleep(unsigned int microseconds);");
            $parent = getmypid();
            if (($child = pcntl_fork()) === 0) {
                for ($i = 0; $i < 500; $i++) { usleep(2000); posix_kill($parent, SIGUSR1); }
                posix_kill(getmypid(), SIGKILL);
            }
            $thrown = 0;
            for ($end = microtime(true) + 20; $thrown < 20 && microtime(true) < $end;) {
                try { $isCalling = true; $library->usleep(5000); $isCalling = false; } catch (DomainException $exception) { $thrown++; }
            }
            posix_kill($child, SIGKILL);', $modules, 60.0);
        if ($probe->signal === 11) {
            Assert::markTestSkipped('The FFI of PHP ' . PHP_VERSION . ' crashes by itself where a signal handler throws during a call.');
        }
    }

    /** Leaves the running test out where it is not the FFI face that is tested. */
    public static function onlyFfi(): void
    {
        if (!self::isFfi()) {
            Assert::markTestSkipped('Of the FFI face alone.');
        }
    }
}
