<?php

declare(strict_types=1);

namespace RoutineTemplate\Ffi;

/** php.ini 中的 routine_template.* 设置。 The settings routine_template.* of php.ini. */
final class Settings
{
    // 与扩展的 ini 名称相同。 The extension's ini names.
    private const NAMES = [
        'appid', 'secret', 'base_url', 'fallback_urls', 'ca_file', 'proxy', 'allow_plain_http', 'connect_timeout_ms',
        'timeout_ms', 'concurrency', 'validate', 'token_mode', 'token', 'state', 'lang', 'store', 'durability',
        'grants', 'retention_days', 'keep_payload', 'hash_openid', 'log_file', 'delivery', 'queue_expires',
        'resend_unknown', 'push_token', 'push_aes_key', 'hint_lang',
    ];

    /** 交给库的 JSON。 As the library takes them. */
    public static function text(): string
    {
        $settings = [];
        foreach (self::NAMES as $name) {
            $value = get_cfg_var("routine_template.$name");
            if (is_string($value)) {
                $settings[$name] = $value;
            }
        }
        return (string) json_encode(
            ['sapi' => PHP_SAPI, 'settings' => (object) $settings],
            JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE
        );
    }
}
