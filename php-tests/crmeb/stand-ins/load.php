<?php

declare(strict_types=1);

// The shop as a seam finds it: ThinkPHP and EasyWeChat by stand-ins, the adapters where a shop has them in extend/.

require_once __DIR__ . '/easywechat.php';
require_once __DIR__ . '/thinkphp.php';

spl_autoload_register(static function (string $class): void {
    $prefix = 'RoutineTemplate\\Crmeb\\';
    if (strncmp($class, $prefix, strlen($prefix)) === 0) {
        $file = dirname(__DIR__, 3) . '/crmeb/common/' . substr($class, strlen($prefix)) . '.php';
        if (is_file($file)) {
            require $file;
        }
    }
});
