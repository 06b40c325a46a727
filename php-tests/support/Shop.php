<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

/**
 * A shop at the fake WeChat: an account of its own with one buyer, so that no test meets the tokens, templates or
 * grants of another one.
 */
final class Shop
{
    public const ORDER_PAID = "订单号{{character_string1.DATA}}\n支付金额{{amount2.DATA}}\n下单时间{{time3.DATA}}\n商品名称{{thing4.DATA}}";

    public Sandbox $sandbox;
    public string $appid;
    public string $secret;
    public string $openid;

    /** The id of the order-paid template, for which the buyer has given a hundred grants. */
    public string $orderPaid;

    /** @param array<string, mixed> $account what the account shall have beyond the usual */
    public function __construct(Sandbox $sandbox, array $account = [])
    {
        $this->sandbox = $sandbox;
        $this->appid = 'wx' . bin2hex(random_bytes(8));
        $this->secret = bin2hex(random_bytes(16));
        $this->openid = self::newOpenid();
        $this->account($account);
        $this->addUser($this->openid);
        $this->orderPaid = $this->addTemplate(self::ORDER_PAID);
    }

    /** Sets members of the account, such as `token_expires_in`, `ip_refused`, `secret_frozen`, `blacklist`. */
    public function account(array $members = []): void
    {
        $this->sandbox->post('account', $members + ['appid' => $this->appid, 'secret' => $this->secret, 'kind' => 'miniprogram']);
    }

    public static function newOpenid(): string
    {
        return 'o' . substr(strtr(base64_encode(random_bytes(30)), '+/', '_-'), 0, 27);
    }

    public function addUser(string $openid): void
    {
        $this->sandbox->post('user', ['appid' => $this->appid, 'openid' => $openid]);
    }

    /** Adds a template with this content and gives the buyer's grants for it; returns its id. */
    public function addTemplate(string $content, int $grants = 100, array $members = []): string
    {
        $id = substr(strtr(base64_encode(random_bytes(33)), '+/', '_-'), 0, 43);
        $this->sandbox->post('template', $members + [
            'appid' => $this->appid, 'template_id' => $id, 'title' => '测试通知', 'content' => $content, 'type' => 2,
        ]);
        if ($grants > 0) {
            $this->grant($id, $grants);
        }
        return $id;
    }

    public function grant(string $templateId, int $count = 1, ?string $openid = null, string $result = 'accept'): void
    {
        $this->sandbox->post('grant', [
            'appid' => $this->appid, 'openid' => $openid ?? $this->openid, 'template_id' => $templateId,
            'result' => $result, 'count' => $count,
        ]);
    }

    /** @return array<string, mixed> a good order-paid message, with these fields changed */
    public static function order(array $fields = []): array
    {
        return $fields + [
            'character_string1' => 'wx202611210001',
            'amount2' => '128.50元',
            'time3' => '2026-11-21 10:30:00',
            'thing4' => '云南高原红富士苹果',
        ];
    }

    /** @return array<string, mixed> settings that make the extension talk to this shop's WeChat */
    public function config(array $more = []): array
    {
        return $more + [
            'appid' => $this->appid,
            'secret' => $this->secret,
            'base_url' => $this->sandbox->https,
            'ca_file' => $this->sandbox->caFile,
            'proxy' => '',
            'connect_timeout_ms' => min(60_000, 1000 * Environment::patience()),
            'timeout_ms' => min(60_000, 3000 * Environment::patience()),
            'concurrency' => 32,
            'validate' => 'fit',
            'token_mode' => 'stable',
            'token' => '',
            'state' => 'formal',
            'lang' => 'zh_CN',
            'hint_lang' => 'zh',
            'allow_plain_http' => false,
            'store' => Environment::store(),
            'durability' => 'power',
            'grants' => 'certain',
            'retention_days' => 30,
            'keep_payload' => false,
            'hash_openid' => false,
            'log_file' => '',
            'delivery' => 'thread',
            'queue_expires' => 86400,
            'resend_unknown' => false,
            'push_token' => '',
            'push_aes_key' => '',
        ];
    }

    /** Beginning of a script in a child process: configured for this shop, with `$shop` holding its ids. */
    public function script(string $code, array $config = []): string
    {
        return "<?php\n"
            . 'RoutineTemplate::configure(' . var_export($this->config($config), true) . ");\n"
            . '$shop = (object) ' . var_export([
                'appid' => $this->appid, 'secret' => $this->secret, 'openid' => $this->openid, 'orderPaid' => $this->orderPaid,
                'order' => self::order(), 'content' => self::ORDER_PAID, 'config' => $this->config($config),
            ], true) . ";\n"
            . $code;
    }

    /** @return list<array<string, mixed>> the messages that WeChat accepted for this shop */
    public function messages(): array
    {
        return $this->sandbox->messages(['appid' => $this->appid]);
    }

    /** How often a token was fetched for this shop, either kind. */
    public function tokenFetches(): int
    {
        $tokens = $this->sandbox->counters()['tokens'][$this->appid] ?? [];
        return (int) ($tokens['classic_fetches'] ?? 0) + (int) ($tokens['stable_fetches'] ?? 0);
    }
}
