<?php

declare(strict_types=1);

// Everything that the scripts of the benchmarks share.

namespace RoutineTemplate\Tests;

require __DIR__ . '/../../php-tests/bootstrap.php';
foreach (['measure', 'report', 'effort', 'names', 'fixture', 'pool', 'sender_process'] as $file) {
    require __DIR__ . "/$file.php";
}
