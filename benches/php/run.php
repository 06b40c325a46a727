<?php

declare(strict_types=1);

/**
 * Start-up, memory, and sends per second with CPU per send: the extension beside cURL, on the same fake WeChat in one
 * run. Absolute times depend on the machine; the ratios are the result.
 */

namespace RoutineTemplate\Tests;

require __DIR__ . '/../../php-tests/bootstrap.php';
require __DIR__ . '/measure.php';
require __DIR__ . '/contenders.php';

use Contenders;
use RoutineTemplate;

const ROUNDS = 5;

$sandbox = Sandbox::start();
$appid = 'wxbe0c400000000000';
$secret = str_repeat('b', 32);
$sandbox->post('account', ['appid' => $appid, 'secret' => $secret, 'any_openid' => true]);
$content = "订单号{{character_string1.DATA}}\n支付金额{{amount2.DATA}}\n下单时间{{time3.DATA}}\n商品名称{{thing4.DATA}}\n备注{{thing5.DATA}}";
$templateId = 'bench' . str_repeat('0', 38);
$sandbox->post('template', ['appid' => $appid, 'template_id' => $templateId, 'title' => '订单支付成功', 'content' => $content, 'type' => 3]);
$store = Environment::newStore();
$settings = [
    'store' => $store, 'appid' => $appid, 'secret' => $secret, 'https' => $sandbox->https, 'ca_file' => $sandbox->caFile,
    'template_id' => $templateId, 'content' => $content, 'openid' => 'oBench00000000000000000000001',
    'data' => [
        'character_string1' => 'cp202611210001', 'amount2' => '¥128.00', 'time3' => '2026-11-21 10:00:00',
        'thing4' => '手工陶瓷茶杯 两只装', 'thing5' => '感谢您的购买',
    ],
];
Contenders::prepare('extension', $settings);
$settings['token'] = RoutineTemplate::accessToken();

// ------------------------------------------------------------------------------------------------------- start-up

$extension = Environment::extension();
head('Start-up of `php -n -r ""`, 60 interleaved runs', ['median ms', 'CPU ms']);
$times = ['without' => [], 'with the extension' => []];
for ($run = 0; $run < 60; $run++) {
    foreach (['without' => [], 'with the extension' => ['-d', "extension=$extension"]] as $name => $arguments) {
        $before = getrusage(1);
        $start = hrtime(true);
        proc_close(proc_open(array_merge([PHP_BINARY, '-n'], $arguments, ['-r', '']), [], $pipes));
        $wall = (hrtime(true) - $start) / 1e6;
        $after = getrusage(1);
        $times[$name][] = [$wall, (
            ($after['ru_utime.tv_sec'] - $before['ru_utime.tv_sec'] + $after['ru_stime.tv_sec'] - $before['ru_stime.tv_sec']) * 1e6
            + $after['ru_utime.tv_usec'] - $before['ru_utime.tv_usec'] + $after['ru_stime.tv_usec'] - $before['ru_stime.tv_usec']
        ) / 1e3];
    }
}
foreach ($times as $name => $runs) {
    row($name, [sprintf('%.2f', median(array_column($runs, 0))), sprintf('%.2f', median(array_column($runs, 1)))]);
}

head('Memory of one process, KiB', ['resident', 'private']);
$memory = 'preg_match_all("/^(Rss|Private_Clean|Private_Dirty): +(\d+)/m", file_get_contents("/proc/self/smaps_rollup"), $m);'
    . '$v = array_combine($m[1], $m[2]); echo json_encode([(int) $v["Rss"], $v["Private_Clean"] + $v["Private_Dirty"]]);';
$send = 'RoutineTemplate::configure(' . var_export(['appid' => $appid, 'secret' => $secret, 'base_url' => $sandbox->https, 'ca_file' => $sandbox->caFile, 'store' => $store], true) . ');'
    . '$d = ' . var_export($settings['data'], true) . '; for ($i = 0; $i < %d; $i++) { RoutineTemplate::send("oBench00000000000000000000001", "' . $templateId . '", $d); }';
foreach ([
    'without' => [[], $memory], 'extension loaded' => [['-d', "extension=$extension"], $memory],
    'after the first send' => [['-d', "extension=$extension"], sprintf($send, 1) . $memory],
    'after 2,000 sends' => [['-d', "extension=$extension"], sprintf($send, 2000) . $memory],
] as $name => [$arguments, $code]) {
    $process = proc_open(array_merge([PHP_BINARY, '-n'], $arguments, ['-r', $code]), [1 => ['pipe', 'w']], $pipes);
    row($name, json_decode(stream_get_contents($pipes[1]), true));
    proc_close($process);
}

// ------------------------------------------------------------------------------------------------------------ CLI

// Latency of an answer, and of setting a connection up: on a real way to WeChat a new connection costs two round trips more.
const NETWORKS = ['no added latency' => [0, 0], '30 ms added latency' => [30, 0], '30 ms added latency, 60 ms per new connection' => [30, 60]];

foreach (NETWORKS as $network => [$latency, $setUp]) {
    $sandbox->post('settings', ['latency_ms' => $latency, 'tls_accept_delay_ms' => $setUp]);
    head("CLI, one process over HTTPS, $network (median of " . ROUNDS . ' interleaved rounds)', ['sends/s', 'ms per send', 'CPU us/send']);
    $results = [];
    for ($round = 0; $round < ROUNDS; $round++) {
        foreach (Contenders::NAMES as $name) {
            $sends = $latency > 0 ? 60 : ($name === 'curl_fresh' ? 150 : 3000);
            Contenders::send($name, $settings);
            $cpu = cpu();
            $start = hrtime(true);
            for ($i = 0; $i < $sends; $i++) {
                if (Contenders::send($name, $settings) !== 0) {
                    throw new \RuntimeException("$name: a message was refused");
                }
            }
            $results[$name][] = [$sends / ((hrtime(true) - $start) / 1e9), (cpu() - $cpu) / $sends];
        }
    }
    foreach ($results as $name => $runs) {
        $rate = median(array_column($runs, 0));
        row($name, [number_format($rate), sprintf('%.3f', 1000 / $rate), sprintf('%.1f', median(array_column($runs, 1)))]);
    }
}

// ---------------------------------------------------------------------------------------------------------- store

$sandbox->post('settings', ['latency_ms' => 0, 'tls_accept_delay_ms' => 0]);
$places = [
    'store off' => ['store' => 'off'],
    'SQLite, durability process' => ['store' => $store, 'durability' => 'process'],
    'SQLite, durability power' => ['store' => $store, 'durability' => 'power'],
    'SQLite, durability power, with a key' => ['store' => $store, 'durability' => 'power'],
];
$redis = Redis::program() === null ? null : new Redis();
if ($redis !== null) {
    $places['Redis on this host'] = ['store' => $redis->url()];
}
head('What the store adds to one send, CLI, no added latency (median of ' . ROUNDS . ' interleaved rounds)', ['us per send', 'CPU us/send']);
$results = [];
for ($round = 0; $round < ROUNDS; $round++) {
    foreach ($places as $name => $place) {
        $options = static fn (int $i): array => str_contains($name, 'key') ? ['key' => "bench-$round-$i"] : [];
        RoutineTemplate::configure($place);
        RoutineTemplate::send($settings['openid'], $templateId, $settings['data']);
        $cpu = cpu();
        $start = hrtime(true);
        for ($i = 0; $i < 2000; $i++) {
            if (RoutineTemplate::send($settings['openid'], $templateId, $settings['data'], null, $options($i))['errcode'] !== 0) {
                throw new \RuntimeException("$name: a message was refused");
            }
        }
        $results[$name][] = [(hrtime(true) - $start) / 2e6, (cpu() - $cpu) / 2000];
    }
}
foreach ($results as $name => $runs) {
    row($name, [sprintf('%.1f', median(array_column($runs, 0))), sprintf('%.1f', median(array_column($runs, 1)))]);
}
if ($redis !== null) {
    $redis->remove();
}
RoutineTemplate::configure(['store' => $store, 'durability' => 'power']);

// ------------------------------------------------------------------------------------------------------- php-fpm

$script = 'require __DIR__ . "/contenders.php"; $s = ' . var_export($settings, true) . ';'
    . '$s["openid"] .= getmypid();' // WeChat answers 43108 to messages for one user at the same time
    . '$name = $_GET["c"]; Contenders::prepare($name, $s); $t = hrtime(true);'
    . '$code = $name === "none" ? 0 : Contenders::send($name, $s); echo json_encode([$code, (hrtime(true) - $t) / 1e3]);';
$fpm = new FpmServer(
    ['send.php' => $script, 'contenders.php' => (string) file_get_contents(__DIR__ . '/contenders.php')],
    [],
    ['pm.max_children' => 4]
);
foreach (NETWORKS as $network => [$latency, $setUp]) {
    $sandbox->post('settings', ['latency_ms' => $latency, 'tls_accept_delay_ms' => $setUp]);
    head(
        "php-fpm, 4 workers behind nginx, 4 requests at a time, one send per request, $network",
        ['requests/s', 'ms in send()', 'CPU us/req']
    );
    $results = [];
    for ($round = 0; $round < ROUNDS; $round++) {
        foreach (array_merge(['none'], Contenders::NAMES) as $name) {
            $requests = $latency > 0 ? 120 : 400;
            $fpm->requestAll(array_fill(0, 8, "send.php?c=$name"));
            $cpu = cpuOf($fpm->workers());
            $start = hrtime(true);
            $inSend = [];
            for ($i = 0; $i < $requests; $i += 4) {
                foreach ($fpm->requestAll(array_fill(0, 4, "send.php?c=$name")) as [$status, $body]) {
                    [$code, $microseconds] = json_decode($body, true) ?? [null, null];
                    if ($status !== 200 || $code !== 0) {
                        throw new \RuntimeException("$name: $status $body\n" . $fpm->logs());
                    }
                    $inSend[] = $microseconds / 1000;
                }
            }
            $results[$name][] = [$requests / ((hrtime(true) - $start) / 1e9), median($inSend), (cpuOf($fpm->workers()) - $cpu) / $requests];
        }
    }
    foreach ($results as $name => $runs) {
        row($name === 'none' ? '(request without a send)' : $name, [
            number_format(median(array_column($runs, 0))), sprintf('%.3f', median(array_column($runs, 1))), sprintf('%.0f', median(array_column($runs, 2))),
        ]);
    }
}
$fpm->stop();
$sandbox->stop();
