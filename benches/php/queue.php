<?php

declare(strict_types=1);

/**
 * What queue() costs a php-fpm request, how fast what was queued is delivered, and how fast sendMany() is beside what `wrk`
 * reaches on the same server with the same number of connections.
 *
 * QUEUE_BENCH_SECONDS (3) is the length of each measurement, QUEUE_BENCH_MESSAGES (10000) the size of the bulk.
 */

namespace RoutineTemplate\Tests;

require __DIR__ . '/../../php-tests/bootstrap.php';
require __DIR__ . '/measure.php';

use RoutineTemplate;

const APPID = 'wxbe0c400000000000';
const TEMPLATE = 'bench00000000000000000000000000000000000000';
const FIELDS = [
    'character_string1' => 'cp202611210001', 'amount2' => '¥128.00', 'time3' => '2026-11-21 10:00:00',
    'thing4' => '手工陶瓷茶杯 两只装', 'thing5' => '感谢您的购买',
];

$seconds = (float) (getenv('QUEUE_BENCH_SECONDS') ?: 3);
$messages = (int) (getenv('QUEUE_BENCH_MESSAGES') ?: 10000);
$sandbox = Sandbox::start();
$secret = str_repeat('b', 32);
$sandbox->post('account', ['appid' => APPID, 'secret' => $secret, 'any_openid' => true]);
$content = "订单号{{character_string1.DATA}}\n支付金额{{amount2.DATA}}\n下单时间{{time3.DATA}}\n商品名称{{thing4.DATA}}\n备注{{thing5.DATA}}";
$sandbox->post('template', ['appid' => APPID, 'template_id' => TEMPLATE, 'title' => '订单支付成功', 'content' => $content, 'type' => 3]);
$account = ['appid' => APPID, 'secret' => $secret, 'base_url' => $sandbox->https, 'ca_file' => $sandbox->caFile];

// ------------------------------------------------------------------------------------- queue() in a php-fpm request

$script = '$s = ' . var_export($account, true) . '; $d = ' . var_export(FIELDS, true) . ';'
    . 'RoutineTemplate::configure($s); $o = "oBench" . getmypid() . "u" . hrtime(true); $t = hrtime(true);'
    . '$id = RoutineTemplate::queue($o, "' . TEMPLATE . '", $d); echo (hrtime(true) - $t) / 1e3;';

head("queue() in a php-fpm request, microseconds ($seconds s a cell, as many requests at a time as workers)", [
    '1 worker p50', 'p99', '8 workers p50', 'p99', '32 workers p50', 'p99', 'requests/s (32)',
]);
foreach (['power', 'process'] as $durability) {
    foreach (['up' => 0, 'slow (3 s)' => 3000, 'dead' => null] as $state => $latency) {
        $cells = [];
        foreach ([1, 8, 32] as $workers) {
            $sandbox->post('settings', ['latency_ms' => $latency ?? 0, 'tls_accept_delay_ms' => 0]);
            $settings = ['durability' => $durability, 'store' => Environment::newStore()];
            $page = $latency === null ? str_replace($sandbox->https, 'https://127.0.0.1:9', $script) : $script;
            $fpm = new FpmServer(['queue.php' => $page], $settings, ['pm.max_children' => $workers]);
            $fpm->requestAll(array_fill(0, $workers * 2, 'queue.php'));
            [$times, $requests, $start] = [[], 0, hrtime(true)];
            while (hrtime(true) - $start < $seconds * 1e9) {
                foreach ($fpm->requestAll(array_fill(0, $workers, 'queue.php')) as [$status, $body]) {
                    if ($status !== 200 || !is_numeric($body)) {
                        throw new \RuntimeException("$status $body\n" . $fpm->logs());
                    }
                    $times[] = (float) $body;
                    $requests++;
                }
            }
            $rate = $requests / ((hrtime(true) - $start) / 1e9);
            array_push($cells, sprintf('%.0f', quantile($times, 0.5)), sprintf('%.0f', quantile($times, 0.99)));
            $fpm->stop();
        }
        row("$durability, WeChat $state", [...$cells, number_format($rate)]);
    }
}
$sandbox->post('settings', ['latency_ms' => 0, 'tls_accept_delay_ms' => 0]);

// ------------------------------------------------------------------------------------------------------- delivery

head("Delivery of $messages queued messages, no added latency", ['messages/s', 'CPU us/message']);
foreach (['power', 'process'] as $durability) {
    $place = Environment::newStore();
    foreach (['thread' => 'thread', 'worker' => 'routine-template work --drain'] as $delivery => $name) {
        $fill = 'RoutineTemplate::configure(' . var_export($account + ['store' => $place, 'durability' => $durability, 'delivery' => 'worker'], true) . ');'
            . 'for ($i = 0; $i < ' . $messages . '; $i++) { RoutineTemplate::queue("oBench$i", "' . TEMPLATE . '", ' . var_export(FIELDS, true) . '); }';
        $filled = PhpProcess::run($fill, [], 600.0);
        if ($filled->exitCode !== 0) {
            throw new \RuntimeException($filled->output . $filled->errors);
        }
        if ($delivery === 'thread') {
            $flush = 'RoutineTemplate::configure(' . var_export($account + ['store' => $place, 'durability' => $durability], true) . ');'
                . '$t = hrtime(true); $left = RoutineTemplate::flush(600000); $t = (hrtime(true) - $t) / 1e9; $u = getrusage();'
                . 'echo json_encode([$left, $t, ($u["ru_utime.tv_sec"] + $u["ru_stime.tv_sec"]) * 1e6 + $u["ru_utime.tv_usec"] + $u["ru_stime.tv_usec"]]);';
            [$left, $took, $cpu] = json_decode(PhpProcess::run($flush, [], 900.0)->output, true);
        } else {
            $before = getrusage(1);
            $start = hrtime(true);
            $process = proc_open([Environment::command(), 'work', '--store', $place, '--durability', $durability, '--drain', '--quiet'], [], $pipes);
            $left = proc_close($process);
            $took = (hrtime(true) - $start) / 1e9;
            $after = getrusage(1);
            $cpu = ($after['ru_utime.tv_sec'] - $before['ru_utime.tv_sec'] + $after['ru_stime.tv_sec'] - $before['ru_stime.tv_sec']) * 1e6
                + $after['ru_utime.tv_usec'] - $before['ru_utime.tv_usec'] + $after['ru_stime.tv_usec'] - $before['ru_stime.tv_usec'];
        }
        if ($left !== 0) {
            throw new \RuntimeException("$name left $left");
        }
        row("$name, $durability", [number_format($messages / $took), sprintf('%.0f', $cpu / $messages)]);
    }
}

// ----------------------------------------------------------------------------------------------------------- bulk

$wrk = trim((string) shell_exec('command -v wrk'));
if ($wrk !== '') {
    head('Bulk over HTTPS, no added latency', ['messages/s', 'CPU us/message']);
    RoutineTemplate::configure($account + ['store' => 'off']);
    $token = RoutineTemplate::accessToken();
    foreach ([8, 32] as $connections) {
        $lua = tempnam(sys_get_temp_dir(), 'wrk');
        // Each request to another user: WeChat answers 43108 to messages for one user at the same time.
        file_put_contents($lua, 'local n = 0; local p = "' . mt_rand() . '"; wrk.method = "POST"; wrk.headers["Content-Type"] = "application/json"; request = function() n = n + 1;'
            . 'return wrk.format(nil, "/cgi-bin/message/subscribe/send?access_token=' . $token . '", nil, \'{"touser":"oWrk\' .. p .. "x" .. n .. \'","template_id":"' . TEMPLATE . '","data":\' .. [['
            . json_encode(array_map(static fn ($value) => ['value' => $value], FIELDS), JSON_UNESCAPED_UNICODE) . ']] .. "}") end');
        $output = (string) shell_exec("$wrk -t1 -c$connections -d{$seconds}s -s " . escapeshellarg($lua) . ' ' . escapeshellarg($sandbox->https) . ' 2>&1');
        unlink($lua);
        preg_match('~Requests/sec:\s+([\d.]+)~', $output, $match) || throw new \RuntimeException($output);
        row("wrk, $connections connections", [number_format((float) $match[1]), '']);
        foreach (['off' => 'store off', 'process' => 'SQLite, process', 'power' => 'SQLite, power'] as $store => $name) {
            RoutineTemplate::configure($store === 'off' ? ['store' => 'off'] : ['store' => Environment::newStore(), 'durability' => $store]);
            $bulk = (static function () use ($messages): iterable {
                for ($i = 0; $i < $messages; $i++) {
                    yield ["oBulk$i", TEMPLATE, FIELDS];
                }
            })();
            $cpu = cpu();
            $start = hrtime(true);
            $summary = RoutineTemplate::sendMany($bulk, ['concurrency' => $connections, 'each' => static function (array $answer): void {
            }]);
            $took = (hrtime(true) - $start) / 1e9;
            if ($summary['delivered'] !== $messages) {
                throw new \RuntimeException(json_encode($summary));
            }
            row("sendMany, $connections in flight, $name", [number_format($messages / $took), sprintf('%.0f', (cpu() - $cpu) / $messages)]);
        }
    }
}
$sandbox->stop();
