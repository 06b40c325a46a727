<?php

/**
 * 供 opcache.preload 使用：ffi.enable 为默认的 preload 时，只有预加载的代码可以使用 FFI。
 * For opcache.preload: with the default ffi.enable=preload only preloaded code may use FFI.
 */

declare(strict_types=1);

require __DIR__ . '/RoutineTemplate.php';
