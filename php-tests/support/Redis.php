<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

use RuntimeException;

/** A Redis server of a test's own, with a password, which keeps what it was told when it is killed. */
final class Redis
{
    public const PASSWORD = 'a_redis_password_that_must_not_show';

    private TemporaryDirectory $directory;
    private int $port;
    private ?Daemon $daemon = null;

    public function __construct()
    {
        $this->directory = TemporaryDirectory::create();
        register_shutdown_function([$this, 'remove']);
        $listener = stream_socket_server('tcp://127.0.0.1:0');
        if ($listener === false) {
            throw new RuntimeException('There is no free port.');
        }
        $this->port = (int) substr((string) strrchr(stream_socket_get_name($listener, false), ':'), 1);
        fclose($listener);
        $this->start();
    }

    /** Whether there is a Redis server on this machine. */
    public static function program(): ?string
    {
        foreach (explode(':', getenv('PATH') . ':/usr/bin:/usr/local/bin') as $directory) {
            if (is_executable("$directory/redis-server")) {
                return "$directory/redis-server";
            }
        }
        return null;
    }

    public function url(int $database = 3): string
    {
        return 'redis://:' . self::PASSWORD . "@127.0.0.1:$this->port/$database";
    }

    public function start(): void
    {
        $this->daemon = new Daemon([
            (string) self::program(), '--port', (string) $this->port, '--bind', '127.0.0.1', '--requirepass', self::PASSWORD,
            '--save', '', '--appendonly', 'yes', '--appendfsync', 'always', '--dir', $this->directory->path,
        ], $this->directory->path . '/redis.log');
        $this->daemon->awaitReady(fn (): bool => $this->command('PING') === '+PONG', 'Redis to start');
    }

    /** Closes the connections of all clients. */
    public function cutConnections(): void
    {
        $answer = $this->command('CLIENT KILL TYPE normal');
        if (!str_starts_with($answer, ':')) {
            throw new RuntimeException("Redis does not close its connections: $answer");
        }
    }

    /** Ends it at once, as a machine that fails does. */
    public function kill(): void
    {
        if ($this->daemon !== null) {
            $this->daemon->stop(9);
        }
    }

    /** The first line of the answer; nothing where none came. */
    private function command(string $command): string
    {
        $connection = @stream_socket_client("tcp://127.0.0.1:$this->port", $code, $message, 1);
        if ($connection === false || !fwrite($connection, 'AUTH ' . self::PASSWORD . "\r\n$command\r\n")) {
            return '';
        }
        stream_set_timeout($connection, 10);
        return fgets($connection) === "+OK\r\n" ? rtrim((string) fgets($connection)) : '';
    }

    public function remove(): void
    {
        $this->kill();
        $this->directory->remove();
    }
}
