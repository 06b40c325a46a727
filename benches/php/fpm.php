<?php

declare(strict_types=1);

/** One message in a request of php-fpm, 4 workers behind nginx, 4 requests at a time. */

namespace RoutineTemplate\Tests;

require __DIR__ . '/load.php';

Report::begin('fpm');

const WORKERS = 4;
const PAGE = <<<'PHP'
$settings = %s;
$settings['keyed'] = isset($_GET['key']);
$start = hrtime(true);
$send = (require __DIR__ . '/contenders/' . $_GET['contender'] . '.php')($settings);
// WeChat answers 43108 to messages for one user at the same time.
$errcode = $send('oBench' . getmypid());
echo json_encode([$errcode, (hrtime(true) - $start) / 1e6]);
PHP;

$fixture = new Fixture();
// Name => pool, page.
$contenders = [
    'none' => ['extension off', 'send.php?contender=none'],
    'curl_fresh' => ['extension off', 'send.php?contender=curl_fresh'],
    'two_requests' => ['extension off', 'send.php?contender=two_requests'],
    'socket_kept' => ['extension off', 'send.php?contender=socket_kept'],
    'extension off' => ['extension off', 'send.php?contender=routine_template'],
    'extension sqlite' => ['extension sqlite', 'send.php?contender=routine_template'],
    'extension sqlite, key' => ['extension sqlite', 'send.php?contender=routine_template&key'],
    'ffi off' => ['ffi off', 'send.php?contender=routine_template'],
    'ffi sqlite' => ['ffi sqlite', 'send.php?contender=routine_template'],
];
$pools = [];
foreach (array_unique(array_column($contenders, 0)) as $name) {
    [$face, $store] = explode(' ', $name);
    $page = sprintf(PAGE, var_export($fixture->settings(false, $face === 'ffi' ? Environment::ffi() : null), true));
    $account = $fixture->account($store === 'off' ? 'off' : Environment::newStore());
    if ($face === 'ffi') {
        $account['library'] = Environment::library();
    }
    $pools[$name] = Pool::start($fixture, $face, ['send.php' => $page] + Pool::contenders(), $account, WORKERS);
}

/** Milliseconds in each send. */
$ask = static function (string $name, int $requests) use ($contenders, $pools): array {
    [$pool, $page] = $contenders[$name];
    $times = [];
    for ($i = 0; $i < $requests; $i += WORKERS) {
        foreach ($pools[$pool]->requestAll(array_fill(0, WORKERS, $page), 60.0) as [$status, $body]) {
            [$errcode, $milliseconds] = json_decode($body, true) ?? [null, null];
            if ($status !== 200 || $errcode !== 0) {
                throw new \RuntimeException("$name: $status $body\n" . $pools[$pool]->logs());
            }
            $times[] = $milliseconds;
        }
    }
    return $times;
};

// Each worker gets its connection while answers take long: no other one is free to take its request.
$fixture->network('far');
foreach (array_keys($contenders) as $name) {
    $ask($name, 3 * WORKERS);
}

foreach (array_keys(Fixture::NETWORKS) as $network) {
    $fixture->network($network);
    $results = [];
    for ($round = 0; $round < Effort::rounds(); $round++) {
        foreach ($contenders as $name => [$pool]) {
            // The two that load the trust store each time need some tens of milliseconds of CPU for a message.
            $isFresh = in_array($name, ['curl_fresh', 'two_requests'], true);
            $requests = Effort::count($isFresh ? 24 : ($network === 'near' ? 400 : 60));
            $ask($name, WORKERS);
            $cpu = cpuOf($pools[$pool]->workers());
            $start = hrtime(true);
            $times = $ask($name, $requests);
            $took = (hrtime(true) - $start) / 1e9;
            $results[$name][] = [count($times) / $took, median($times), (cpuOf($pools[$pool]->workers()) - $cpu) / count($times)];
        }
    }
    [$en, $zh] = Fixture::NETWORK_NAMES[$network];
    Report::table(
        ["php-fpm, 4 workers, 4 requests at a time: $en", "php-fpm，4 个进程，同时 4 个请求：$zh"],
        [['requests/s', '每秒请求'], ['ms in the send', '发送用时 ms'], ['worker CPU per send, µs', '每次发送的进程 CPU，µs']]
    );
    $bare = array_column($results['none'], 2);
    foreach ($results as $name => $runs) {
        // Round by round, so that what disturbs the whole machine disturbs both.
        $beyond = array_map(static fn (array $run, float $none): float => $run[2] - $none, $runs, $bare);
        $milliseconds = array_column($runs, 1);
        Report::row(Names::OF[$name], [
            spread(array_column($runs, 0), '%.0f'),
            $name === 'none' ? '' : spread($milliseconds, '%.2f'),
            $name === 'none' ? '(' . spread($bare, '%.0f') . ')' : spread($beyond, '%.0f'),
        ]);
        Report::figure("fpm $network: $name: ms", median($milliseconds));
        Report::figure("fpm $network: $name: cpu", median($beyond));
    }
}
array_map(static fn (FpmServer $pool) => $pool->stop(), $pools);
$fixture->sandbox->stop();
