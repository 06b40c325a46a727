<?php

declare(strict_types=1);

// Loads the support classes and refuses to run without the face under test: a run that tests nothing is no success.

require __DIR__ . '/support/polyfill.php';

spl_autoload_register(static function (string $class): void {
    $prefix = 'RoutineTemplate\\Tests\\';
    if (strncmp($class, $prefix, strlen($prefix)) !== 0) {
        return;
    }
    $file = __DIR__ . '/support/' . str_replace('\\', '/', substr($class, strlen($prefix))) . '.php';
    if (is_file($file)) {
        require $file;
    }
});

if (RoutineTemplate\Tests\Face::isFfi()) {
    require RoutineTemplate\Tests\Environment::ffi();
    $problem = extension_loaded('routine_template')
        ? 'The extension is loaded, so the FFI face does nothing.' : RoutineTemplate\Ffi\Library::problem();
} else {
    $problem = extension_loaded('routine_template') ? null : 'The extension routine_template is not loaded.';
}
if ($problem !== null) {
    fwrite(STDERR, "$problem Run ./build.sh test, which loads what it tests.\n");
    exit(1);
}
