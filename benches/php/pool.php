<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

/** php-fpm with OPcache behind nginx, with one of the faces: `extension`, `ffi`, or `none`. */
final class Pool
{
    /**
     * @param array<string, string> $scripts
     * @param array<string, string|int> $ini
     */
    public static function start(Fixture $fixture, string $face, array $scripts, array $ini, int $workers = 4): FpmServer
    {
        $modules = Environment::modules('curl', 'ffi', 'pdo', 'pdo_sqlite') ?? throw new \RuntimeException('This PHP lacks curl, ffi or pdo_sqlite.');
        if ($face === 'extension') {
            $modules['extension'][] = Environment::extension();
        }
        $opcache = PHP_VERSION_ID < 80500 && is_file(ini_get('extension_dir') . '/opcache.so') ? ['zend_extension' => 'opcache'] : [];
        return new FpmServer(
            $scripts,
            $modules + $ini + $fixture->trust() + $opcache + ['opcache.enable' => '1', 'ffi.enable' => '1', 'auto_prepend_file' => ''],
            ['pm.max_children' => $workers]
        );
    }

    /** The contenders' files, for the document root. @return array<string, string> */
    public static function contenders(): array
    {
        $scripts = [];
        foreach (glob(__DIR__ . '/contenders/*.php') as $file) {
            $scripts['contenders/' . basename($file)] = (string) file_get_contents($file);
        }
        return $scripts;
    }
}
