<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests\Soak;

/** Requests to a shop that are under way side by side, each with what is to be done when it is answered. */
final class Visitors
{
    /** Longer than nginx waits for php-fpm. */
    private const PATIENCE = 90.0;

    private string $socket;

    /** @var array<int, array{resource, string, callable(int, string):void, float}> connection, what has come, what to do, until when */
    private array $open = [];

    public function __construct(string $socket)
    {
        $this->socket = $socket;
    }

    public function underway(): int
    {
        return count($this->open);
    }

    /** @param callable(int, string):void $answered gets status and body; status 0 where no answer came */
    public function ask(string $path, array $body, callable $answered): void
    {
        $connection = @stream_socket_client("unix://$this->socket", $code, $message, 5);
        if ($connection === false) {
            $answered(0, $message);
            return;
        }
        $text = json_encode($body, JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE);
        fwrite($connection, "POST /$path HTTP/1.0\r\nHost: shop.test\r\nContent-Type: application/json\r\nContent-Length: "
            . strlen($text) . "\r\nConnection: close\r\n\r\n$text");
        stream_set_blocking($connection, false);
        $this->open[(int) $connection] = [$connection, '', $answered, microtime(true) + self::PATIENCE];
    }

    /** Takes what comes within this time. */
    public function attend(float $seconds): void
    {
        $end = microtime(true) + $seconds;
        do {
            $left = max(0.0, $end - microtime(true));
            $read = array_column($this->open, 0);
            if ($read === []) {
                usleep((int) ($left * 1e6));
                return;
            }
            $write = $except = null;
            stream_select($read, $write, $except, 0, (int) ($left * 1e6));
            array_map([$this, 'read'], $read);
            $this->giveUp();
        } while (microtime(true) < $end);
    }

    /** @param resource $connection */
    private function read($connection): void
    {
        $number = (int) $connection;
        $this->open[$number][1] .= (string) @fread($connection, 65536);
        if (!feof($connection)) {
            return;
        }
        [, $text, $answered] = $this->open[$number];
        unset($this->open[$number]);
        fclose($connection);
        [$head, $body] = explode("\r\n\r\n", $text, 2) + ['', ''];
        $answered(preg_match('~^HTTP/1\.\d (\d+)~', $head, $match) ? (int) $match[1] : 0, $body);
    }

    private function giveUp(): void
    {
        foreach ($this->open as $number => [$connection, , $answered, $end]) {
            if (microtime(true) > $end) {
                unset($this->open[$number]);
                fclose($connection);
                $answered(0, 'no answer in ' . self::PATIENCE . ' s');
            }
        }
    }
}
