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
            self::$usable = extension_loaded('routine_template');
            if (!self::$usable) {
                $problem = self::problemOfFfi();
                self::$usable = $problem === null;
                // '' is a host without RoutineTemplate: nothing is wrong there.
                if ((string)$problem !== '') {
                    ShopLog::error('RoutineTemplate 不可用，使用商城原来的代码 / not usable, the shop\'s own code runs：' . $problem);
                }
            }
        }
        return self::$usable;
    }

    /** null：可用；''：本机没有安装 / null: it works; '': it is not installed here. */
    private static function problemOfFfi(): ?string
    {
        $library = get_cfg_var('routine_template.library');
        $library = is_string($library) ? $library : '';
        try {
            if (!class_exists(\RoutineTemplate::class)) {
                self::requireFfi($library);
            }
            if (class_exists(\RoutineTemplate::class, false) && class_exists(\RoutineTemplate\Ffi\Library::class, false)) {
                return \RoutineTemplate\Ffi\Library::problem();
            }
        } catch (\Throwable $broken) {
            // Half an upgrade, say: the shop's orders must not depend on it.
            return $broken->getMessage();
        }
        return $library === '' ? '' : '找不到 RoutineTemplate.php，多半是 open_basedir 不含它的目录 / there is no RoutineTemplate.php that PHP may read, '
            . 'most likely open_basedir leaves its folder out：' . dirname($library);
    }

    private static function requireFfi(string $library): void
    {
        $folders = $library === '' ? [] : [dirname($library)];
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
