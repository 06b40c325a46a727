<?php

declare(strict_types=1);

// Loads the support classes and refuses to run without the extension under test: a run that tests nothing is no success.

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

if (!extension_loaded('routine_template')) {
    fwrite(STDERR, "The extension routine_template is not loaded. Run ./build.sh test, which loads it.\n");
    exit(1);
}
