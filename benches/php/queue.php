<?php

declare(strict_types=1);

/** What queue() costs the request that calls it, and how fast what was queued is delivered. */

namespace RoutineTemplate\Tests;

require __DIR__ . '/load.php';

Report::begin('queue');

const PAGE = <<<'PHP'
$settings = %s;
if (isset($settings['ffi'])) {
    require_once $settings['ffi'];
}
$openid = 'oBench' . getmypid() . 'u' . hrtime(true);
$start = hrtime(true);
RoutineTemplate::queue($openid, $settings['template_id'], $settings['data']);
echo (hrtime(true) - $start) / 1e3;
PHP;

// For comparison: the table of a shop that queues by itself.
const BARE_LABEL = ['PDO, one bare row into SQLite (for comparison)', 'PDO 往 SQLite 写一行（对照）'];
const BARE_TABLE = 'PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;'
    . ' CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY, openid TEXT, body TEXT);'
    . ' CREATE INDEX IF NOT EXISTS message_openid ON message (openid)';
// What a bare row takes PHP itself under the same conditions: after a rest the processor's caches are cold for everybody.
const BARE_ROW = <<<'PHP'
$settings = %s;
$place = new PDO('sqlite:' . $settings['file'], null, null, [PDO::ATTR_PERSISTENT => true, PDO::ATTR_TIMEOUT => 30]);
$place->exec($settings['schema']);
$openid = 'oBench' . getmypid() . 'u' . hrtime(true);
$start = hrtime(true);
$place->prepare('INSERT INTO message (openid, body) VALUES (?, ?)')->execute([$openid, json_encode($settings['data'])]);
echo (hrtime(true) - $start) / 1e3;
PHP;

$fixture = new Fixture();
$seconds = Effort::seconds(3);

/** Microseconds in queue(), from as many requests at a time as said, with a pause between them. */
$ask = static function (FpmServer $pool, int $atOnce, float $pause) use ($seconds): array {
    [$times, $end] = [[], hrtime(true) + $seconds * 1e9];
    while (hrtime(true) < $end) {
        foreach ($pool->requestAll(array_fill(0, $atOnce, 'queue.php'), 60.0) as [$status, $body]) {
            if ($status !== 200 || !is_numeric($body)) {
                throw new \RuntimeException("$status $body\n" . $pool->logs());
            }
            $times[] = (float) $body;
        }
        usleep((int) ($pause * 1e6));
    }
    return $times;
};

$ways = [
    // Workers, requests at a time, seconds of rest.
    'rest' => [4, 1, 0.02, ['4 workers, 20 ms rest: median', '4 个进程，间歇 20 ms：中位数']],
    'alone' => [4, 1, 0.0, ['4 workers, one request at a time: median', '4 个进程，逐个请求：中位数']],
    'busy' => [4, 4, 0.0, ['4 workers, all busy: median', '4 个进程全忙：中位数']],
    'crowded' => [32, 32, 0.0, ['32 workers, all busy: median', '32 个进程全忙：中位数']],
];
$columns = [];
foreach ($ways as [, , , $label]) {
    array_push($columns, $label, ['p99', 'p99']);
}
Report::table(['queue() in a php-fpm request, µs in the call', 'php-fpm 请求中的 queue()，调用用时 µs'], $columns);
foreach ([
    [null, 'process', 0, BARE_LABEL],
    ['extension', 'process', 0, ['extension, `process`', '扩展，`process`']],
    ['extension', 'power', 0, ['extension, `power`', '扩展，`power`']],
    ['ffi', 'process', 0, ['FFI, `process`', 'FFI，`process`']],
    ['ffi', 'power', 0, ['FFI, `power`', 'FFI，`power`']],
    ['extension', 'process', 3000, ['extension, `process`, WeChat hangs', '扩展，`process`，微信无响应']],
    ['extension', 'process', null, ['extension, `process`, WeChat is down', '扩展，`process`，微信连不上']],
] as [$face, $durability, $latency, $label]) {
    $cells = [];
    foreach ($ways as $way => [$workers, $atOnce, $pause]) {
        $fixture->sandbox->post('settings', ['latency_ms' => $latency ?? 0, 'tls_accept_delay_ms' => 0]);
        $settings = $fixture->settings(false, $face === 'ffi' ? Environment::ffi() : null);
        $ini = ['durability' => $durability] + $fixture->account(Environment::newStore());
        if ($latency === null) {
            $ini['base_url'] = 'https://127.0.0.1:9';
        }
        if ($face === 'ffi') {
            $ini['library'] = Environment::library();
        }
        $page = sprintf(PAGE, var_export($settings, true));
        if ($face === null) {
            $settings += ['file' => Environment::newStore() . '/bare.db', 'schema' => BARE_TABLE];
            $page = sprintf(BARE_ROW, var_export($settings, true));
        }
        $pool = Pool::start($fixture, $face ?? 'none', ['queue.php' => $page], $ini, $workers);
        $pool->requestAll(array_fill(0, 3 * $workers, 'queue.php'), 60.0);
        $times = $ask($pool, $atOnce, $pause);
        $pool->stop();
        array_push($cells, sprintf('%.0f', median($times)), sprintf('%.0f', quantile($times, 0.99)));
        Report::figure('queue: ' . ($face ?? 'bare row') . " $durability $way" . ($latency === 0 ? '' : ', outage'), median($times));
    }
    Report::row($label, $cells);
}
$fixture->network('near');

// ------------------------------------------------------------------------------------------------ the call by itself

const LOOP = <<<'PHP'
$settings = %s;
if (isset($settings['file'])) {
    $place = new PDO('sqlite:' . $settings['file']);
    $place->exec($settings['schema']);
    $insert = $place->prepare('INSERT INTO message (openid, body) VALUES (?, ?)');
    $call = fn (string $openid) => $insert->execute([$openid, json_encode($settings['data'])]);
} else {
    RoutineTemplate::configure($settings['configure']);
    $call = fn (string $openid) => RoutineTemplate::queue($openid, $settings['template_id'], $settings['data']);
}
$times = [];
foreach ([0, 20000] as $rest) {
    for ($i = -50; $i < $settings['count']; $i++) {
        $openid = sprintf('oBench%%022d', $rest + $i);
        $start = hrtime(true);
        $call($openid);
        $took = (hrtime(true) - $start) / 1e3;
        usleep($rest);
        if ($i >= 0) {
            $times[$rest][] = $took;
        }
    }
}
echo json_encode($times);
PHP;

$calls = Effort::count(1000, 100);
Report::table(
    ["$calls calls of queue() on the command line, µs", "命令行里调用 queue() $calls 次，µs"],
    [['in a loop: median', '循环：中位数'], ['p99', 'p99'], ['20 ms rest: median', '间歇 20 ms：中位数'], ['p99', 'p99']]
);
$modules = Environment::modules('pdo', 'pdo_sqlite') ?? throw new \RuntimeException('This PHP lacks pdo_sqlite.');
foreach ([
    [null, BARE_LABEL],
    ['process', ['extension, `process`', '扩展，`process`']],
    ['power', ['extension, `power`', '扩展，`power`']],
] as [$durability, $label]) {
    $settings = $fixture->settings() + ['count' => $calls];
    if ($durability === null) {
        $settings += ['file' => Environment::newStore() . '/bare.db', 'schema' => BARE_TABLE];
    } else {
        // Delivery is another process's: this is about the call.
        $settings['configure'] = ['durability' => $durability, 'delivery' => 'worker'] + $fixture->account(Environment::newStore());
    }
    $ran = PhpProcess::run(sprintf(LOOP, var_export($settings, true)), $modules, 600.0);
    $cells = [];
    foreach (json_decode($ran->output, true) ?? throw new \RuntimeException($ran->output . $ran->errors) as $rest => $times) {
        array_push($cells, sprintf('%.0f', median($times)), sprintf('%.0f', quantile($times, 0.99)));
        Report::figure('queue: ' . ($durability ?? 'bare row') . ($rest ? ' with rests' : ' in a loop'), median($times));
    }
    Report::row($label, $cells);
}

// ------------------------------------------------------------------------------------------------------- delivery

$messages = Effort::count(10000, 500);
Report::table(
    ["Delivery of $messages queued messages, no added latency", "发送 $messages 条已入队的消息，无附加延迟"],
    [['messages/s', '每秒条数'], ['CPU per message, µs', '每条 CPU，µs']]
);
$account = $fixture->account('');
$export = static fn (array $more): string => 'RoutineTemplate::configure(' . var_export($more + $account, true) . ');';
foreach (['power', 'process'] as $durability) {
    $place = Environment::newStore();
    foreach (['thread' => ['thread in PHP', 'PHP 里的线程'], 'worker' => ['`routine-template work`', '`routine-template work`']] as $delivery => [$en, $zh]) {
        $fill = $export(['store' => $place, 'durability' => $durability, 'delivery' => 'worker'])
            . "for (\$i = 0; \$i < $messages; \$i++) { RoutineTemplate::queue(\"oBench\$i\", '" . Fixture::TEMPLATE . "', " . var_export(Fixture::FIELDS, true) . '); }';
        $filled = PhpProcess::run($fill, [], 600.0);
        if ($filled->exitCode !== 0) {
            throw new \RuntimeException($filled->output . $filled->errors);
        }
        if ($delivery === 'thread') {
            $flush = $export(['store' => $place, 'durability' => $durability])
                . '$t = hrtime(true); $left = RoutineTemplate::flush(600000); $t = (hrtime(true) - $t) / 1e9; $u = getrusage();'
                . 'echo json_encode([$left, $t, ($u["ru_utime.tv_sec"] + $u["ru_stime.tv_sec"]) * 1e6 + $u["ru_utime.tv_usec"] + $u["ru_stime.tv_usec"]]);';
            [$left, $took, $cpu] = json_decode(PhpProcess::run($flush, [], 900.0)->output, true);
        } else {
            $cpu = cpu(1);
            $start = hrtime(true);
            $process = proc_open([Environment::command(), 'work', '--store', $place, '--durability', $durability, '--drain', '--quiet'], [], $pipes);
            $left = proc_close($process);
            [$took, $cpu] = [(hrtime(true) - $start) / 1e9, cpu(1) - $cpu];
        }
        if ($left !== 0) {
            throw new \RuntimeException("$delivery left $left");
        }
        Report::row(["$en, `$durability`", "{$zh}，`$durability`"], [sprintf('%.0f', $messages / $took), sprintf('%.0f', $cpu / $messages)]);
    }
}
$fixture->sandbox->stop();
