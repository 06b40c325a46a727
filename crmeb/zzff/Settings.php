<?php

declare(strict_types=1);

namespace RoutineTemplate\Crmeb\Zzff;

use RoutineTemplate\ConfigException;
use think\Config;

/**
 * 本改动自己的设置，在 application/extra/routine_template.php 中，可以没有这个文件：
 * The settings of this adapter, in application/extra/routine_template.php; the file may be missing:
 *
 *     return [
 *         'channel' => 'bizsend',   // bizsend 公众号订阅通知（默认）；subscribe 小程序 / official account (default), or mini program
 *         'queue' => false,         // true：写入队列即返回，不等微信 / return at once, WeChat is not waited for
 *         'pages' => ['6271' => 'pages/order/index'],                       // 小程序中打开的页面 / pages of the mini program
 *         'fields' => ['6271' => ['character_string1' => 'character_string4']],    // 键 => 模板的字段 / key => field
 *     ];
 */
final class Settings
{
    private const CHANNELS = ['bizsend', 'subscribe'];

    private function __construct()
    {
    }

    /** @throws ConfigException */
    public static function channel(): string
    {
        $channel = self::value('channel', 'bizsend');
        if (!in_array($channel, self::CHANNELS, true)) {
            throw new ConfigException('application/extra/routine_template.php：channel 只能是 / must be one of ' . implode('、', self::CHANNELS));
        }
        return $channel;
    }

    public static function queues(): bool
    {
        return (bool)self::value('queue', false);
    }

    /** 该模板在小程序中打开的页面 / The page of the mini program that a tap on this template opens. */
    public static function page(string $tempkey): ?string
    {
        return self::value('pages', [])[$tempkey] ?? null;
    }

    /** @return array<string, string> 该模板：商城代码里的键 => 模板的字段 / of this template: key in the shop's code => field */
    public static function fields(string $tempkey): array
    {
        return self::value('fields', [])[$tempkey] ?? [];
    }

    /**
     * @param mixed $default
     *
     * @return mixed
     */
    private static function value(string $name, $default)
    {
        return ((array)Config::get('routine_template'))[$name] ?? $default;
    }
}
