<?php

declare(strict_types=1);

namespace RoutineTemplate\Crmeb;

use think\facade\Log;

/**
 * 写入商城自己的日志；日志写不了时不影响业务。
 * Writes into the shop's own log. A log that cannot be written stops nothing.
 */
final class ShopLog
{
    private function __construct()
    {
    }

    public static function error(string $text): void
    {
        try {
            // 知识付费是 ThinkPHP 5 / zzff runs on ThinkPHP 5
            class_exists(Log::class) ? Log::error($text) : \think\Log::error($text);
        } catch (\Throwable $unwritable) {
            error_log($text);
        }
    }
}
