<?php

declare(strict_types=1);

namespace RoutineTemplate\Crmeb;

/**
 * 本机能否使用 RoutineTemplate：扩展已加载，或 FFI 可用；否则各处改动都走商城原来的代码。
 * Whether this host can use RoutineTemplate: the extension is loaded, or FFI works. If not, every seam runs the shop's own code.
 */
final class Availability
{
    /** 安装包放置 FFI 文件的位置 / where the packages put the FFI files */
    private const INSTALLED = '/usr/local/lib/routine-template';

    /** @var bool|null */
    private static $usable;

    private function __construct()
    {
    }

    public static function isUsable(): bool
    {
        if (self::$usable === null) {
            self::$usable = extension_loaded('routine_template') || self::isFfiUsable();
        }
        return self::$usable;
    }

    private static function isFfiUsable(): bool
    {
        if (!class_exists(\RoutineTemplate::class)) {
            self::requireFfi();
        }
        if (!class_exists(\RoutineTemplate::class, false) || !class_exists(\RoutineTemplate\Ffi\Library::class, false)) {
            return false;
        }
        $problem = \RoutineTemplate\Ffi\Library::problem();
        if ($problem !== null) {
            ShopLog::error('RoutineTemplate 不可用，使用商城原来的代码 / not usable, the shop\'s own code runs：' . $problem);
        }
        return $problem === null;
    }

    private static function requireFfi(): void
    {
        $library = get_cfg_var('routine_template.library');
        $folders = is_string($library) && $library !== '' ? [dirname($library)] : [];
        $folders[] = self::INSTALLED;
        // extend/routine-template beside extend/RoutineTemplate/Crmeb, for shops that may write nowhere else.
        $folders[] = dirname(__DIR__, 2) . '/routine-template';
        foreach ($folders as $folder) {
            // Outside open_basedir is_file() warns, and ThinkPHP makes an exception of every warning.
            if (@is_file($folder . '/RoutineTemplate.php')) {
                require_once $folder . '/RoutineTemplate.php';
                return;
            }
        }
    }
}
