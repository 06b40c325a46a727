<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

use RuntimeException;

/** The fake WeChat server as a test drives it: its process, and its run-time interface under /__admin. */
final class Sandbox
{
    private Daemon $daemon;
    private TemporaryDirectory $directory;
    public string $http;
    public string $https;
    public string $caFile;

    private function __construct(Daemon $daemon, TemporaryDirectory $directory, string $http, string $https, string $caFile)
    {
        $this->daemon = $daemon;
        $this->directory = $directory;
        $this->http = $http;
        $this->https = $https;
        $this->caFile = $caFile;
    }

    /** Starts a server of its own. @param list<string> $arguments */
    public static function start(array $arguments = []): self
    {
        $directory = TemporaryDirectory::create();
        $readyFile = $directory->path . '/ready.json';
        $daemon = new Daemon(array_merge([
            Environment::command(), 'sandbox', '--http', '127.0.0.1:0', '--https', '127.0.0.1:0',
            '--ca-file', $directory->path . '/ca.pem', '--ready-file', $readyFile,
        ], $arguments), $directory->path . '/sandbox.log');
        $ready = null;
        $daemon->awaitReady(static function () use ($readyFile, &$ready): bool {
            $ready = json_decode((string) @file_get_contents($readyFile), true);
            return is_array($ready);
        }, 'the fake WeChat to start');
        chmod($ready['ca_file'], 0644);
        $sandbox = new self($daemon, $directory, $ready['http'], $ready['https'], $ready['ca_file']);
        register_shutdown_function([$sandbox, 'stop']);
        return $sandbox;
    }

    /** The server that all tests share which need nothing special of it. */
    public static function shared(): self
    {
        static $shared = null;
        if ($shared === null || !$shared->daemon->isRunning()) {
            $shared = self::start();
        }
        return $shared;
    }

    public function stop(): void
    {
        $this->daemon->stop();
        $this->directory->remove();
    }

    public function pid(): int
    {
        return $this->daemon->pid;
    }

    public function reset(): void
    {
        $this->post('reset');
    }

    /** Lets the given path (`*`: all) fail; `$details` are the members beside `fault`, such as `times`, `ms`, `status`. */
    public function fault(string $path, string $fault, array $details = []): void
    {
        $this->post('fault', ['path' => $path, 'fault' => $fault] + $details);
    }

    public function clearFaults(): void
    {
        $this->call('DELETE', 'fault');
    }

    /** @return list<array<string, mixed>> the accepted messages, oldest first */
    public function messages(array $filter = []): array
    {
        return $this->call('GET', 'messages?' . http_build_query($filter))['messages'];
    }

    /** @return array<string, array<string, mixed>> what WeChat has of a user, by template id */
    public function grants(string $appid, string $openid): array
    {
        return $this->call('GET', 'grants?' . http_build_query(['appid' => $appid, 'openid' => $openid]))['grants'];
    }

    /**
     * Lets requests meet faults by chance.
     *
     * @param list<array<string, mixed>> $faults as docs/sandbox.md has them
     */
    public function randomFaults(int $seed, array $faults): void
    {
        $this->post('random_faults', ['seed' => $seed, 'faults' => $faults]);
    }

    /** How many requests of this path came in, whatever became of them. */
    public function requests(string $path): int
    {
        return (int) ($this->counters()['requests'][$path] ?? 0);
    }

    public function counters(): array
    {
        return $this->call('GET', 'counters');
    }

    public function httpsConnections(): int
    {
        return (int) $this->counters()['connections']['https'];
    }

    public function post(string $action, array $body = []): array
    {
        return $this->call('POST', $action, $body);
    }

    private function call(string $method, string $action, ?array $body = null): array
    {
        $context = stream_context_create(['http' => [
            'method' => $method,
            'header' => "Content-Type: application/json\r\nConnection: close",
            'content' => $body === null ? '' : json_encode((object) $body, JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE),
            // Of a machine that is very busy; nobody waits for it where it is not.
            'timeout' => 60,
            'ignore_errors' => true,
        ]]);
        $answer = @file_get_contents("$this->http/__admin/$action", false, $context);
        // PHP sets it in this scope; 8.4 and newer prefer a function that older versions do not have.
        $status = function_exists('http_get_last_response_headers')
            ? (http_get_last_response_headers()[0] ?? '') : ($http_response_header[0] ?? '');
        if ($answer === false || !str_contains($status, ' 200') && !str_contains($status, ' 204')) {
            throw new RuntimeException("The fake WeChat refused $method /__admin/$action: $status $answer\n{$this->daemon->log()}");
        }
        return json_decode($answer === '' ? '{}' : $answer, true, 512, JSON_THROW_ON_ERROR | JSON_BIGINT_AS_STRING);
    }
}
