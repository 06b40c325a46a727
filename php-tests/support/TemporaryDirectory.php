<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

use RuntimeException;

/** A directory under a short path that everyone may enter, because php-fpm's workers run as another user. */
final class TemporaryDirectory
{
    public string $path;

    private function __construct(string $path)
    {
        $this->path = $path;
    }

    public static function create(): self
    {
        // A unix socket's path holds 107 bytes; a long TMPDIR would not leave enough of them.
        $base = strlen(sys_get_temp_dir()) <= 40 ? sys_get_temp_dir() : '/tmp';
        $path = $base . '/routine-template-' . bin2hex(random_bytes(5));
        if (!mkdir($path)) {
            throw new RuntimeException("Cannot create $path");
        }
        chmod($path, 0755);
        return new self($path);
    }

    /** Writes a file that everyone may read and returns its path. */
    public function write(string $name, string $content): string
    {
        $file = $this->path . '/' . $name;
        if (!is_dir(dirname($file))) {
            mkdir(dirname($file), 0755, true);
            chmod(dirname($file), 0755);
        }
        if (file_put_contents($file, $content) !== strlen($content)) {
            throw new RuntimeException("Cannot write $file");
        }
        chmod($file, 0644);
        return $file;
    }

    /** Makes a directory that only this user (null: we ourselves) may enter, and returns its path. */
    public function privateTo(string $name, ?string $user): string
    {
        $directory = $this->path . '/' . $name;
        if (!mkdir($directory, 0700)) {
            throw new RuntimeException("Cannot create $directory");
        }
        if ($user !== null) {
            $account = posix_getpwnam($user);
            chown($directory, $account['uid']);
            chgrp($directory, $account['gid']);
        }
        return $directory;
    }

    public function remove(): void
    {
        self::removeTree($this->path);
    }

    private static function removeTree(string $path): void
    {
        foreach (array_diff(@scandir($path) ?: [], ['.', '..']) as $name) {
            $entry = $path . '/' . $name;
            is_dir($entry) && !is_link($entry) ? self::removeTree($entry) : @unlink($entry);
        }
        @rmdir($path);
    }
}
