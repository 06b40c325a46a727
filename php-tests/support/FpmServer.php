<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

use RuntimeException;

/** A real php-fpm behind a real nginx, both with configurations of their own; works as root and as an ordinary user. */
final class FpmServer
{
    private TemporaryDirectory $directory;
    private Daemon $fpm;
    private Daemon $nginx;
    private ?int $port;

    /**
     * Starts both.
     *
     * @param array<string, string> $scripts file name => PHP code, served from the document root
     * @param array<string, string|int> $ini settings of PHP, php.ini's own or (without a dot) RoutineTemplate's
     * @param bool $onTcp whether nginx listens on a port of the loopback as well, see {@see url()}
     * @param array<string, string|int> $pool settings of the pool, such as `pm.max_children`; and `process_control_timeout`, which is php-fpm's own
     */
    public function __construct(array $scripts, array $ini = [], array $pool = [], bool $onTcp = false)
    {
        $this->port = $onTcp ? self::freePort() : null;
        $this->directory = TemporaryDirectory::create();
        register_shutdown_function([$this, 'stop']);
        foreach ($scripts as $name => $code) {
            $this->directory->write("www/$name", str_starts_with($code, '<?php') ? $code : "<?php\n" . $code);
        }
        $this->configureFpm($ini, $pool);
        $this->fpm = $this->startFpm();
        $this->nginx = $this->startNginx();
    }

    /** Where nginx listens, a Unix socket. */
    public function socket(): string
    {
        return "{$this->directory->path}/nginx.sock";
    }

    /** The address of a page for a client that knows no Unix sockets. */
    public function url(string $path): string
    {
        return "http://127.0.0.1:{$this->port}/$path";
    }

    /** Asks for a page; throws unless nginx answers with status 200. */
    public function get(string $path, float $seconds = 20.0): string
    {
        [$status, $body] = $this->request($path, $seconds);
        if ($status !== 200) {
            throw new RuntimeException("GET /$path: status $status\n$body\n" . $this->logs());
        }
        return $body;
    }

    /**
     * Asks for a page that answers in JSON.
     *
     * @return mixed
     */
    public function json(string $path, float $seconds = 20.0)
    {
        $body = $this->get($path, $seconds);
        $value = json_decode($body, true, 512, JSON_BIGINT_AS_STRING);
        if ($value === null) {
            throw new RuntimeException("GET /$path gave no JSON: $body\n" . $this->logs());
        }
        return $value;
    }

    /** @return array{int, string} status and body */
    public function request(string $path, float $seconds = 20.0): array
    {
        return $this->requestAll([$path], $seconds)[0];
    }

    /** @return array{int, string} status and body of the answer to a `POST` */
    public function post(string $path, string $body, float $seconds = 20.0): array
    {
        return $this->postAll([[$path, $body]], $seconds)[0];
    }

    /**
     * Posts several bodies at the same time.
     *
     * @param list<array{string, string}> $requests path and body
     * @return list<array{int, string}> status and body, in the order of the requests; status 0 where none came in time
     */
    public function postAll(array $requests, float $seconds = 20.0): array
    {
        return $this->answers(array_map(fn (array $request) => $this->open(...$request), $requests), $seconds);
    }

    /**
     * Asks for several pages at the same time.
     *
     * @param list<string> $paths
     * @param callable():void|null $meanwhile what to do once all of them are under way
     * @return list<array{int, string}> status and body, in the order of the paths; status 0 where none came in time
     */
    public function requestAll(array $paths, float $seconds = 20.0, ?callable $meanwhile = null): array
    {
        $connections = array_map(fn (string $path) => $this->open($path), $paths);
        if ($meanwhile !== null) {
            usleep(50_000);
            $meanwhile();
        }
        return $this->answers($connections, $seconds);
    }

    /**
     * @param list<resource> $connections
     * @return list<array{int, string}>
     */
    private function answers(array $connections, float $seconds): array
    {
        $texts = array_fill_keys(array_keys($connections), '');
        $end = microtime(true) + $seconds;
        while ($connections !== [] && microtime(true) < $end) {
            $read = $connections;
            $write = $except = null;
            if (!stream_select($read, $write, $except, 0, 100_000)) {
                continue;
            }
            foreach ($read as $connection) {
                $number = array_search($connection, $connections, true);
                $texts[$number] .= (string) fread($connection, 65536);
                if (feof($connection)) {
                    fclose($connection);
                    unset($connections[$number]);
                }
            }
        }
        array_map('fclose', $connections);
        return array_map(static function (string $text): array {
            [$head, $body] = explode("\r\n\r\n", $text, 2) + ['', ''];
            return preg_match('~^HTTP/1\.\d (\d+)~', $head, $match) ? [(int) $match[1], $body] : [0, $text];
        }, $texts);
    }

    public function masterPid(): int
    {
        return $this->fpm->pid;
    }

    public function isRunning(): bool
    {
        return $this->fpm->isRunning();
    }

    /** @return list<int> the process ids of the workers */
    public function workers(): array
    {
        $children = (string) @file_get_contents("/proc/{$this->fpm->pid}/task/{$this->fpm->pid}/children");
        return array_map('intval', preg_split('/\s+/', trim($children), -1, PREG_SPLIT_NO_EMPTY));
    }

    /** Kills php-fpm, and so many microseconds later the workers that it leaves behind. */
    public function kill(int $microseconds = 0): void
    {
        // One that is stopped starts no worker that nobody would know of.
        $this->fpm->signal(SIGSTOP);
        Wait::until(fn (): bool => Processes::state($this->fpm->pid) === 'T', 'php-fpm to stop');
        $workers = $this->workers();
        Processes::end([$this->fpm->pid]);
        usleep($microseconds);
        Processes::end($workers);
        $this->fpm->stop();
    }

    /** Starts php-fpm again after it was killed. */
    public function startAgain(): void
    {
        foreach (['fpm.sock', 'fpm.pid'] as $name) {
            @unlink("{$this->directory->path}/$name");
        }
        $this->fpm = $this->startFpm();
    }

    /** Begins a reload as `systemctl reload php-fpm` does. */
    public function beginReload(): void
    {
        $this->fpm->signal(SIGUSR2);
    }

    /**
     * Waits until none of the former workers is there any more, but new ones are.
     *
     * @param list<int> $former
     */
    public function awaitNewWorkers(array $former): void
    {
        Wait::until(
            fn (): bool => $this->workers() !== [] && array_intersect($former, $this->workers()) === [],
            'php-fpm to reload',
            20
        );
    }

    /** @return list<string> the files into which php-fpm, its workers and nginx write what they have to say */
    public function logFiles(): array
    {
        return glob($this->directory->path . '/*.log') ?: [];
    }

    /** What PHP itself has logged: warnings, errors, exceptions that nobody caught. */
    public function phpErrors(): string
    {
        return (string) @file_get_contents($this->directory->path . '/php.log');
    }

    /** What php-fpm and nginx wrote to their logs. */
    public function logs(): string
    {
        $logs = '';
        foreach ($this->logFiles() as $file) {
            $logs .= '--- ' . basename($file) . "\n" . substr((string) file_get_contents($file), -6000) . "\n";
        }
        return $logs;
    }

    /** @return list<string> lines of php-fpm's log about workers that ended otherwise than with exit code 0 */
    public function badExits(): array
    {
        $lines = explode("\n", (string) @file_get_contents($this->directory->path . '/fpm.log'));
        return array_values(preg_grep('/exited (on signal|with code [^0])|SIGSEGV|core dumped/', $lines) ?: []);
    }

    /** @return array{threads: int, tcp: int} how many threads and TCP sockets a process of ours has */
    public function resources(int $pid): array
    {
        $inodes = [];
        foreach (['tcp', 'tcp6'] as $protocol) {
            foreach (array_slice(@file("/proc/$pid/net/$protocol") ?: [], 1) as $line) {
                $inodes[] = 'socket:[' . preg_split('/\s+/', trim($line))[9] . ']';
            }
        }
        $open = array_map(static fn (string $fd): string => (string) @readlink($fd), glob("/proc/$pid/fd/*") ?: []);
        return [
            'threads' => count(glob("/proc/$pid/task/*") ?: []),
            'tcp' => count(array_intersect($open, $inodes)),
        ];
    }

    /** How many files and sockets a process of ours has open. */
    public function descriptors(int $pid): int
    {
        return count(glob("/proc/$pid/fd/*") ?: []);
    }

    /** How many workers php-fpm says have ended with exit code 0. */
    public function goodExits(): int
    {
        return substr_count((string) @file_get_contents($this->directory->path . '/fpm.log'), 'exited with code 0');
    }

    /** Asks php-fpm to end as `systemctl stop` does (SIGQUIT, running requests go on) and returns its exit code. */
    public function quit(): ?int
    {
        $this->fpm->signal(SIGQUIT);
        Wait::until(fn (): bool => !$this->fpm->isRunning(), 'php-fpm to end', 20);
        return $this->fpm->exitCode();
    }

    public function stop(): void
    {
        foreach (array_filter([$this->nginx ?? null, $this->fpm ?? null]) as $daemon) {
            $daemon->stop();
        }
        $this->directory->remove();
    }

    /** @return resource the connection of a request that has been sent */
    private function open(string $path, ?string $body = null)
    {
        $connection = stream_socket_client("unix://{$this->directory->path}/nginx.sock", $code, $message, 5);
        if ($connection === false) {
            throw new RuntimeException("nginx does not answer: $message\n" . $this->logs());
        }
        $more = $body === null ? '' : "Content-Type: text/plain\r\nContent-Length: " . strlen($body) . "\r\n";
        $method = $body === null ? 'GET' : 'POST';
        fwrite($connection, "$method /$path HTTP/1.0\r\nHost: shop.test\r\n{$more}Connection: close\r\n\r\n$body");
        stream_set_blocking($connection, false);
        return $connection;
    }

    private function configureFpm(array $ini, array $pool): void
    {
        $path = $this->directory->path;
        $settings = [];
        foreach ($ini as $name => $value) {
            $settings[str_contains($name, '.') || in_array($name, ['extension', 'memory_limit', 'zend_extension', 'auto_prepend_file'], true)
                ? $name : "routine_template.$name"] = $value;
        }
        if (isset($settings['opcache.preload'])) {
            // A script of the document root, or a file elsewhere; preloading as root needs somebody to preload as.
            $preload = $settings['opcache.preload'];
            $settings['opcache.preload'] = $preload[0] === '/' ? $preload : "$path/www/$preload";
            if (Environment::workerUser() !== null) {
                $settings['opcache.preload_user'] = Environment::workerUser();
            }
        }
        $settings += [
            'error_log' => "$path/php.log", 'log_errors' => '1', 'display_errors' => '0', 'error_reporting' => '-1',
            'date.timezone' => 'Asia/Shanghai', 'routine_template.base_url' => 'https://127.0.0.1:9',
            'routine_template.store' => Environment::store(),
        ];
        $settings += Face::settings();
        $lines = [];
        foreach ($settings['extension'] as $module) {
            $lines[] = "extension=$module";
        }
        unset($settings['extension']);
        foreach ($settings as $name => $value) {
            $lines[] = $name . '="' . addcslashes((string) $value, '"\\') . '"';
        }
        $this->directory->write('php.ini', implode("\n", $lines) . "\n");

        $pool += [
            'listen' => "$path/fpm.sock", 'listen.mode' => '0666', 'pm' => 'static', 'pm.max_children' => 1,
            'catch_workers_output' => 'yes', 'clear_env' => 'yes',
        ];
        $user = Environment::workerUser();
        if ($user !== null) {
            $pool += ['user' => $user, 'group' => self::groupOf($user)];
            touch("$path/php.log");
            chmod("$path/php.log", 0666);
        }
        $patience = $pool['process_control_timeout'] ?? 10;
        unset($pool['process_control_timeout']);
        $config = "[global]\npid=$path/fpm.pid\nerror_log=$path/fpm.log\nlog_level=debug\ndaemonize=no\nprocess_control_timeout=$patience\n[shop]\n";
        foreach ($pool as $name => $value) {
            $config .= "$name = $value\n";
        }
        $this->directory->write('fpm.conf', $config);
    }

    private function startFpm(): Daemon
    {
        $path = $this->directory->path;
        $daemon = new Daemon(
            [Environment::fpm(), '-c', "$path/php.ini", '-y', "$path/fpm.conf"],
            "$path/fpm-output.log",
            ['PHP_INI_SCAN_DIR' => '', 'PATH' => (string) getenv('PATH')]
        );
        $daemon->awaitReady(static fn (): bool => file_exists("$path/fpm.sock") && is_file("$path/fpm.pid"), 'php-fpm to start');
        return $daemon;
    }

    private function startNginx(): Daemon
    {
        $path = $this->directory->path;
        $user = Environment::workerUser();
        $onPort = $this->port === null ? '' : "listen 127.0.0.1:{$this->port};";
        $userLine = $user === null ? '' : "user $user " . self::groupOf($user) . ";\n";
        $file = $this->directory->write('nginx.conf', $userLine . <<<NGINX
            daemon off;
            worker_processes 1;
            pid $path/nginx.pid;
            error_log $path/nginx.log warn;
            events { worker_connections 512; }
            http {
                access_log off;
                client_body_temp_path $path/nginx-body;
                proxy_temp_path $path/nginx-proxy;
                fastcgi_temp_path $path/nginx-fastcgi;
                uwsgi_temp_path $path/nginx-uwsgi;
                scgi_temp_path $path/nginx-scgi;
                server {
                    listen unix:$path/nginx.sock;
                    $onPort
                    root $path/www;
                    location / {
                        fastcgi_pass unix:$path/fpm.sock;
                        fastcgi_read_timeout 60s;
                        fastcgi_param SCRIPT_FILENAME \$document_root\$fastcgi_script_name;
                        fastcgi_param QUERY_STRING \$query_string;
                        fastcgi_param REQUEST_METHOD \$request_method;
                        fastcgi_param CONTENT_TYPE \$content_type;
                        fastcgi_param CONTENT_LENGTH \$content_length;
                        fastcgi_param REQUEST_URI \$request_uri;
                        fastcgi_param SERVER_PROTOCOL \$server_protocol;
                    }
                }
            }

            NGINX);
        $daemon = new Daemon([Environment::nginx(), '-p', $path, '-c', $file], "$path/nginx-output.log");
        $daemon->awaitReady(function (): bool {
            $connection = @stream_socket_client("unix://{$this->directory->path}/nginx.sock", $code, $message, 1);
            return $connection !== false && fclose($connection);
        }, 'nginx to start');
        return $daemon;
    }

    private static function freePort(): int
    {
        $socket = stream_socket_server('tcp://127.0.0.1:0');
        $port = (int) substr(strrchr(stream_socket_get_name($socket, false), ':'), 1);
        fclose($socket);
        return $port;
    }

    private static function groupOf(string $user): string
    {
        return posix_getgrgid(posix_getpwnam($user)['gid'])['name'];
    }
}
