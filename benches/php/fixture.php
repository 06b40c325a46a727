<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

/**
 * What every measurement stands on: a fake WeChat, an account with a five-field template, and a trust store such as a shop has, the
 * system's certificates with the fake WeChat's own beside them.
 */
final class Fixture
{
    public const APPID = 'wxbe0c400000000000';
    public const TEMPLATE = 'bench00000000000000000000000000000000000000';
    public const CONTENT = "订单号{{character_string1.DATA}}\n支付金额{{amount2.DATA}}\n下单时间{{time3.DATA}}\n商品名称{{thing4.DATA}}\n备注{{thing5.DATA}}";
    public const FIELDS = [
        'character_string1' => 'cp202611210001', 'amount2' => '¥128.00', 'time3' => '2026-11-21 10:00:00',
        'thing4' => '手工陶瓷茶杯 两只装', 'thing5' => '感谢您的购买',
    ];
    /** Milliseconds until the answer, and until a new connection is accepted: on a real way to WeChat that is two round trips more. */
    public const NETWORKS = [
        'near' => [0, 0],
        'far' => [30, 0],
        'far, slow to connect' => [30, 60],
    ];
    /** @var array<string, array{string, string}> */
    public const NETWORK_NAMES = [
        'near' => ['no added latency', '无附加延迟'],
        'far' => ['30 ms latency', '延迟 30 ms'],
        'far, slow to connect' => ['30 ms latency, 60 ms more for a new connection', '延迟 30 ms，新建连接另加 60 ms'],
    ];
    private const SECRET = 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb';
    private const SYSTEM_CERTIFICATES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt'];

    public Sandbox $sandbox;
    /** The system's certificates and the fake WeChat's. */
    public string $bundle;
    private TemporaryDirectory $directory;

    public function __construct()
    {
        $this->sandbox = Sandbox::start(['--keep-messages', '1000']);
        $this->sandbox->post('account', ['appid' => self::APPID, 'secret' => self::SECRET, 'any_openid' => true]);
        $this->sandbox->post('template', [
            'appid' => self::APPID, 'template_id' => self::TEMPLATE, 'title' => '订单支付成功', 'content' => self::CONTENT, 'type' => 3,
        ]);
        $this->directory = TemporaryDirectory::create();
        register_shutdown_function([$this->directory, 'remove']);
        $system = array_filter(self::SYSTEM_CERTIFICATES, 'is_file');
        if ($system === []) {
            throw new \RuntimeException('This system has no certificates: install ca-certificates.');
        }
        $this->bundle = $this->directory->write(
            'ca-bundle.pem',
            file_get_contents(reset($system)) . file_get_contents($this->sandbox->caFile)
        );
        chmod($this->bundle, 0644);
    }

    public function network(string $name): void
    {
        [$latency, $setUp] = self::NETWORKS[$name];
        $this->sandbox->post('settings', ['latency_ms' => $latency, 'tls_accept_delay_ms' => $setUp]);
    }

    /** The settings of a PHP that has our account, as php.ini has them, without the prefix. @return array<string, string> */
    public function account(string $store): array
    {
        return [
            'appid' => self::APPID, 'secret' => self::SECRET, 'base_url' => $this->sandbox->https, 'ca_file' => $this->sandbox->caFile,
            'store' => $store,
            // No contender gives up on a machine that is busy.
            'connect_timeout_ms' => '30000', 'timeout_ms' => '30000',
        ];
    }

    /** Where PHP's own clients find the certificates. @return array<string, string> */
    public function trust(): array
    {
        return ['curl.cainfo' => $this->bundle, 'openssl.cafile' => $this->bundle];
    }

    /** What a contender is told. @return array<string, mixed> */
    public function settings(bool $keyed = false, ?string $ffi = null): array
    {
        return [
            'https' => $this->sandbox->https, 'appid' => self::APPID, 'secret' => self::SECRET, 'token' => $this->token(),
            'template_id' => self::TEMPLATE, 'data' => self::FIELDS, 'keyed' => $keyed, 'ffi' => $ffi,
        ];
    }

    /** A token that stays good: stable_token gives the same one to whoever asks. */
    private function token(): string
    {
        $context = stream_context_create(['http' => ['method' => 'POST', 'header' => 'Content-Type: application/json', 'content' => json_encode([
            'grant_type' => 'client_credential', 'appid' => self::APPID, 'secret' => self::SECRET,
        ])]]);
        $answer = json_decode((string) file_get_contents($this->sandbox->http . '/cgi-bin/stable_token', false, $context), true);
        return $answer['access_token'];
    }

    /** Gives a process its own core, where there are enough of them: then no contender has more of the machine than another. */
    public static function pin(int $pid, int $core): void
    {
        if (self::pins()) {
            exec("taskset -apc $core $pid 2>&1", $output, $code);
            if ($code !== 0) {
                throw new \RuntimeException(implode("\n", $output));
            }
        }
    }

    public static function pins(): bool
    {
        return (int) shell_exec('nproc') > 1 && trim((string) shell_exec('command -v taskset')) !== '';
    }
}
