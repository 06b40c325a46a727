<?php

/**
 * 没有 routine_template 扩展的 PHP（7.4、8.0，或更新版本）经 FFI 使用同样的类。require 本文件，或让自动加载器以类名 RoutineTemplate 找到它。
 * The same classes through FFI where the extension is not there (PHP 7.4, 8.0, or newer). Require this file, or let an autoloader
 * find the class RoutineTemplate in it. Where the extension is loaded it does nothing.
 */

declare(strict_types=1);

if (!extension_loaded('routine_template') && !class_exists('RoutineTemplate', false)) {
    require __DIR__ . '/src/exceptions.php';
    require __DIR__ . '/src/Library.php';
    require __DIR__ . '/src/Settings.php';
    require __DIR__ . '/src/Thrown.php';
    require __DIR__ . '/src/Tagged.php';
    require __DIR__ . '/src/Event.php';
    require __DIR__ . '/src/Callables.php';
    require __DIR__ . '/src/Suppliers.php';
    require __DIR__ . '/src/Bulk.php';
    require __DIR__ . '/src/Call.php';
    require __DIR__ . '/src/App.php';
    require __DIR__ . '/src/RoutineTemplate.php';
}
