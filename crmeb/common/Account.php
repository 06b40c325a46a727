<?php

declare(strict_types=1);

namespace RoutineTemplate\Crmeb;

use RoutineTemplate\App;
use RoutineTemplate\ConfigException;
use service\SystemConfigService;

/**
 * 商城后台里的账号：小程序与公众号。参数取自 eb_system_config，其余设置取自 php.ini。
 * The shop's accounts, mini program and official account, out of its own database; every other setting is php.ini's.
 *
 * 返回 null 表示走商城原来的代码：没有扩展也没有 FFI、后台没有填 AppID，或设置有误（写入日志）。
 * null means that the shop's own code runs: neither extension nor FFI, no AppID in the shop, or wrong settings (in the log).
 */
final class Account
{
    /** 后台的配置项：AppID => AppSecret / names of the shop's settings */
    private const SECRETS = [
        'routine_appId' => 'routine_appsecret',
        'wechat_appid' => 'wechat_appsecret',
        'wechat_app_appid' => 'wechat_app_appsecret',
    ];

    /** CRMEB 每读一项要几毫秒（缓存文件） / CRMEB takes some milliseconds for each one (files of its cache) */
    private const SETTINGS_LIVE_SECONDS = 1.0;

    /** @var array<string, string> 已读的配置项 / settings that were read */
    private static $settings = [];

    /** @var float 何时读的 / since when */
    private static $readAt = 0.0;

    /** @var array<string, array{0: string, 1: App}> AppID => AppSecret 的摘要与对象 / digest of the secret, and the object */
    private static $configured = [];

    private function __construct()
    {
    }

    /**
     * 小程序。在商城的 App 里下单时，商城会换成 App 的账号，那样订阅消息一定失败；这里总是小程序。
     * The mini program. For requests of the shop's app CRMEB takes the app's account, which no subscribe message can be sent
     * from; this is the mini program always.
     */
    public static function miniProgram(): ?App
    {
        return Availability::isUsable() ? self::ofSetting('routine_appId') : null;
    }

    /** 公众号 / The official account. */
    public static function officialAccount(): ?App
    {
        return Availability::isUsable() ? self::ofSetting('wechat_appid') : null;
    }

    /**
     * 后台里 AppID 为此的账号。
     * The account of the shop that has this AppID.
     */
    public static function ofAppid(string $appid): ?App
    {
        if ($appid === '' || !Availability::isUsable()) {
            return null;
        }
        foreach (array_keys(self::SECRETS) as $setting) {
            if (self::setting($setting) === $appid) {
                return self::ofSetting($setting);
            }
        }
        return null;
    }

    /**
     * AppID 与 AppSecret 已知的账号。
     * An account whose AppID and AppSecret are known.
     */
    public static function of(
        string $appid,
        #[\SensitiveParameter]
        string $secret
    ): ?App {
        if ($appid === '' || !Availability::isUsable()) {
            return null;
        }
        $digest = sha1($secret);
        // A secret that is changed in the back office counts in a long-running process, too.
        if (isset(self::$configured[$appid]) && self::$configured[$appid][0] === $digest) {
            return self::$configured[$appid][1];
        }
        try {
            $app = \RoutineTemplate::app($appid);
            if ($secret !== '') {
                $app->configure(['secret' => $secret]);
            }
        } catch (ConfigException | \ValueError $wrong) {
            ShopLog::error('RoutineTemplate 设置有误，使用商城原来的代码 / wrong settings, the shop\'s own code runs：' . $wrong->getMessage());
            return null;
        }
        self::$configured[$appid] = [$digest, $app];
        return $app;
    }

    /**
     * 后台的一个配置项。
     * One of the shop's settings.
     */
    public static function setting(string $name): string
    {
        // A second at most: a process that runs for long has to see what is changed in the back office.
        if (microtime(true) - self::$readAt > self::SETTINGS_LIVE_SECONDS) {
            self::forgetSettings();
            self::$readAt = microtime(true);
        }
        if (!isset(self::$settings[$name])) {
            // 知识付费（ThinkPHP 5）没有 sys_config() / zzff, on ThinkPHP 5, has no sys_config()
            $value = function_exists('sys_config') ? sys_config($name, '') : SystemConfigService::get($name);
            self::$settings[$name] = is_scalar($value) ? trim((string)$value) : '';
        }
        return self::$settings[$name];
    }

    /**
     * 下一次重新读取后台的配置项。
     * Reads the shop's settings anew at the next call.
     */
    public static function forgetSettings(): void
    {
        self::$settings = [];
    }

    private static function ofSetting(string $setting): ?App
    {
        return self::of(self::setting($setting), self::setting(self::SECRETS[$setting]));
    }
}
