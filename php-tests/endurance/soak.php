<?php

declare(strict_types=1);

/**
 * php-fpm behind nginx under a shop's requests, with a fake WeChat that fails at random, workers that are killed, reloads and cron's
 * job beside: `soak.php [MINUTES]`, half of them with SQLite, half with Redis. In the end everything is compared with WeChat's own
 * books. SOAK_RATE is the number of requests a second (30), SOAK_SEED repeats the dice, SOAK_STORE (sqlite or redis) takes one store alone.
 */

namespace RoutineTemplate\Tests\Endurance;

use RoutineTemplate\Tests\Environment;
use RoutineTemplate\Tests\Redis;
use RoutineTemplate\Tests\Soak\Soak;

require __DIR__ . '/../bootstrap.php';

/** @param array<string, array<string, int|string>> $tables what was counted, by store */
function closingTable(array $tables, float $minutes): void
{
    printf("\n| soak, %s minutes each | %s |\n|---|%s\n", $minutes, implode(' | ', array_keys($tables)), str_repeat('---:|', count($tables)));
    foreach (array_keys(reset($tables)) as $label) {
        printf("| %s | %s |\n", $label, implode(' | ', array_column($tables, $label)));
    }
}

$minutes = (float) ($argv[1] ?? 30);
$rate = (float) (getenv('SOAK_RATE') ?: 30);
$seed = (int) (getenv('SOAK_SEED') ?: random_int(1, 1_000_000));
$stores = ['SQLite' => [Environment::newStore(), null]];
if (Redis::program() !== null) {
    $redis = new Redis();
    $stores['Redis'] = [$redis->url(), Redis::PASSWORD];
}
$stores = array_filter($stores, static fn (string $name): bool => in_array(getenv('SOAK_STORE') ?: strtolower($name), [strtolower($name)], true), ARRAY_FILTER_USE_KEY);

$tables = $faults = [];
foreach ($stores as $name => [$store, $password]) {
    printf("\nsoak, %s, %.1f minutes, %.0f requests a second, SOAK_SEED=%d\n", $name, $minutes / count($stores), $rate, $seed);
    $soak = new Soak($store, $password, $rate, $seed);
    try {
        $soak->run($minutes / count($stores));
        $tables[$name] = $soak->close();
        closingTable([$name => $tables[$name]], $minutes / count($stores));
    } finally {
        foreach ($soak->remarks() as $remark => $times) {
            fwrite(STDERR, "$name: $times times: $remark\n");
        }
        foreach ($soak->faults() as $fault) {
            $faults[] = "$name: $fault";
            fwrite(STDERR, "FAULT $name: $fault\n");
        }
        $soak->stop();
    }
}

if (count($tables) > 1) {
    closingTable($tables, $minutes / count($tables));
}
printf("| faults found | %d |\n", count($faults));
exit($faults === [] ? 0 : 1);
