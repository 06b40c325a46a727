<?php

declare(strict_types=1);

/**
 * Threads, descriptors and sockets of php-fpm's workers and of its master over 10,000 requests and 100 reloads: `fpm.php [RELOADS]`,
 * a hundred requests before each. Ends with exit code 1 where one of them grows or a process is left behind.
 */

namespace RoutineTemplate\Tests\Endurance;

use RoutineTemplate\Tests\Environment;
use RoutineTemplate\Tests\Face;
use RoutineTemplate\Tests\FpmServer;
use RoutineTemplate\Tests\Processes;
use RoutineTemplate\Tests\Sandbox;
use RoutineTemplate\Tests\Shop;

require __DIR__ . '/../bootstrap.php';

const WORKERS = 4;
const AT_ONCE = 10;
const REQUESTS = 100;

// Each request sends one message and queues another.
const PAGE = '
    $name = $_GET["name"];
    $openid = str_pad("oBuyer" . crc32($name) % 500, 28, "_");
    $order = ["character_string1" => $name] + $shop->order;
    $answer = RoutineTemplate::send($openid, $shop->orderPaid, $order, null, ["key" => "s$name"]);
    RoutineTemplate::queue($openid, $shop->orderPaid, $order, null, ["key" => "q$name"]);
    echo json_encode($answer["errcode"]);';

/** @return array{threads: int, descriptors: int, sockets: int, memory: int} the highest of these processes */
function highest(FpmServer $server, array $pids): array
{
    $found = ['threads' => 0, 'descriptors' => 0, 'sockets' => 0, 'memory' => 0];
    foreach ($pids as $pid) {
        $resources = $server->resources($pid);
        $now = [
            'threads' => $resources['threads'], 'descriptors' => $server->descriptors($pid), 'sockets' => $resources['tcp'],
            'memory' => Processes::memory($pid),
        ];
        foreach ($now as $name => $value) {
            $found[$name] = max($found[$name], $value);
        }
    }
    return $found;
}

$reloads = (int) ($argv[1] ?? 100);
$sandbox = Sandbox::start(['--keep-messages', '1000']);
$shop = new Shop($sandbox, ['any_openid' => true]);
$config = ['store' => Environment::newStore(), 'durability' => 'process', 'timeout_ms' => 30000, 'connect_timeout_ms' => 30000];
$server = new FpmServer(['page.php' => $shop->script(PAGE, $config)], [], ['pm.max_children' => WORKERS, 'process_control_timeout' => 30]);

printf("\nphp-fpm, %s: %d workers, %d requests and a reload, %d times\n\n", Face::isFfi() ? 'FFI' : 'extension', WORKERS, REQUESTS, $reloads);
$columns = ['reloads', 'requests', 'worker threads', 'descriptors', 'sockets', 'KiB', 'master threads', 'descriptors', 'sockets', 'KiB', 'open at WeChat'];
echo '| ', implode(' | ', $columns), " |\n", str_repeat('|---:', count($columns)), "|\n";

[$faults, $seen, $master, $workers, $requests] = [[], [], [], [], 0];
for ($reload = 0; $reload < $reloads; $reload++) {
    for ($i = 0; $i < REQUESTS; $i += AT_ONCE) {
        $paths = array_map(static fn (int $place): string => "page.php?name=$reload-" . ($i + $place), range(1, AT_ONCE));
        foreach ($server->requestAll($paths, 120.0) as $place => [$status, $body]) {
            $requests++;
            if ([$status, $body] !== [200, '0']) {
                $faults[] = "$paths[$place]: status $status, $body";
            }
        }
    }
    $former = $server->workers();
    $seen = array_merge($seen, $former);
    $workers[] = highest($server, $former);
    $master[] = highest($server, [$server->masterPid()]);
    if ($reload % max(1, intdiv($reloads, 10)) === 0 || $reload === $reloads - 1) {
        $open = $sandbox->counters()['connections']['open'];
        echo '| ', implode(' | ', [$reload + 1, $requests, ...array_values(end($workers)), ...array_values(end($master)), $open]), " |\n";
    }
    $server->beginReload();
    $server->awaitNewWorkers($former);
}

// The thread that delivers, and a connection for each message that may be in flight, whatever the number of the reload.
$limits = ['threads' => 2, 'descriptors' => 64, 'sockets' => 32];
foreach ($limits as $name => $limit) {
    if (max(array_column($workers, $name)) > $limit) {
        $faults[] = 'a worker had ' . max(array_column($workers, $name)) . " $name, $limit at most is right";
    }
}
foreach (['threads', 'descriptors', 'sockets'] as $name) {
    $values = array_column($master, $name);
    if (max($values) > $values[0]) {
        $faults[] = "the master has gained $name: $values[0], then " . max($values);
    }
}
$third = max(1, intdiv(count($master), 3));
if ($master[count($master) - 1]['memory'] - $master[$third]['memory'] > 1024) {
    $faults[] = "the master has grown from {$master[$third]['memory']} to {$master[count($master) - 1]['memory']} KiB";
}
array_push($faults, ...$server->badExits());
// At a reload php-fpm reads the machine's own list of modules as well, and may find one of them twice.
$errors = preg_grep('/Module "\w+" is already loaded/', array_filter(explode("\n", $server->phpErrors())), PREG_GREP_INVERT);
foreach (array_slice($errors, 0, 20) as $error) {
    $faults[] = "PHP says: $error";
}
if ($server->quit() !== 0) {
    $faults[] = 'php-fpm did not end well';
}
foreach ($seen as $pid) {
    if (strpos((string) @file_get_contents("/proc/$pid/cmdline"), 'php-fpm: pool shop') === 0) {
        $faults[] = "worker $pid is still there";
    }
}
printf("\n| %d requests, %d reloads | workers | master |\n|---|---:|---:|\n", $requests, $reloads);
foreach (['threads', 'descriptors', 'sockets', 'memory'] as $name) {
    $range = static fn (array $rows): string => min(array_column($rows, $name)) . ' … ' . max(array_column($rows, $name));
    printf("| %s | %s | %s |\n", $name === 'memory' ? 'KiB of memory' : $name, $range($workers), $range($master));
}
printf("| workers that came and went | %d | |\n| crashes, errors, what was left behind | %d | |\n", count(array_unique($seen)), count($faults));
foreach ($faults as $fault) {
    fwrite(STDERR, "FAULT $fault\n");
}
exit($faults === [] ? 0 : 1);
