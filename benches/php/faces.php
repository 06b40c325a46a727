<?php

declare(strict_types=1);

/**
 * What a call costs through PHP's FFI beside the extension, in interleaved processes of PHP's command line.
 *
 * FACES_BENCH_ROUNDS (7) is how often each process runs. ROUTINE_TEMPLATE_LIBRARY names libroutine_template.so.
 */

namespace RoutineTemplate\Tests;

require __DIR__ . '/../../php-tests/bootstrap.php';
require __DIR__ . '/measure.php';

const TEMPLATE = 'bench00000000000000000000000000000000000000';

$rounds = (int) (getenv('FACES_BENCH_ROUNDS') ?: 7);
$library = getenv('ROUTINE_TEMPLATE_LIBRARY') ?: dirname(__DIR__, 2) . '/build/libroutine_template.so';
$sandbox = Sandbox::start();
$account = ['appid' => 'wxbe0c400000000000', 'secret' => str_repeat('b', 32)];
$sandbox->post('account', $account + ['any_openid' => true]);
$content = "订单号{{character_string1.DATA}}\n支付金额{{amount2.DATA}}\n下单时间{{time3.DATA}}\n商品名称{{thing4.DATA}}\n备注{{thing5.DATA}}";
$sandbox->post('template', [
    'appid' => $account['appid'], 'template_id' => TEMPLATE, 'title' => '订单支付成功', 'content' => $content, 'type' => 3,
]);
$account += ['base_url' => $sandbox->https, 'ca_file' => $sandbox->caFile];

$faces = [
    'extension' => ['-d', 'extension=' . Environment::extension()],
    'FFI' => ['-d', 'extension=ffi', '-d', 'ffi.enable=true', '-d', "routine_template.library=$library"],
];
$code = <<<'PHP'
[$face, $account, $template, $store] = json_decode($argv[1], true);
$start = hrtime(true);
if ($face === 'FFI') {
    require getcwd() . '/ffi/RoutineTemplate.php';
}
RoutineTemplate::version();
$rows = ['first call of a process' => (hrtime(true) - $start) / 1e3];
$data = [
    'character_string1' => 'cp202611210001', 'amount2' => '¥128.00', 'time3' => '2026-11-21 10:00:00',
    'thing4' => '手工陶瓷茶杯 两只装', 'thing5' => '感谢您的购买',
];
$openid = 'oBench00000000000000000000001';
$time = static function (string $name, int $count, callable $call) use (&$rows): void {
    for ($i = 0; $i < $count / 10; $i++) {
        $call();
    }
    $start = hrtime(true);
    for ($i = 0; $i < $count; $i++) {
        $call();
    }
    $rows[$name] = (hrtime(true) - $start) / 1e3 / $count;
};
RoutineTemplate::configure($account + ['store' => 'off']);
$time('version()', 20000, static function () { RoutineTemplate::version(); });
$time('templateId()', 20000, static function () { RoutineTemplate::templateId('ORDER_PAY_SUCCESS'); });
$time('validate(), five fields', 20000, static function () use ($template, $data) { RoutineTemplate::validate($template, $data); });
$send = static function () use ($openid, $template, $data) {
    if (RoutineTemplate::send($openid, $template, $data)['errcode'] !== 0) {
        throw new RuntimeException('not sent');
    }
};
$time('send(), no store', 2000, $send);
RoutineTemplate::configure(['store' => $store, 'durability' => 'process', 'delivery' => 'worker']);
$time('send(), SQLite', 1000, $send);
$time('queue(), durability process', 1000, static function () use ($openid, $template, $data) {
    RoutineTemplate::queue($openid, $template, $data);
});
RoutineTemplate::configure(['store' => 'off']);
$messages = [];
for ($i = 0; $i < 3000; $i++) {
    $messages[] = ['openid' => "oBench$i", 'template_id' => $template, 'data' => $data];
}
$start = hrtime(true);
RoutineTemplate::sendMany($messages);
$rows['sendMany(), no store, a message'] = (hrtime(true) - $start) / 1e3 / count($messages);
echo json_encode($rows);
PHP;

$figures = [];
for ($round = 0; $round < $rounds; $round++) {
    foreach ($faces as $face => $arguments) {
        $argument = json_encode([$face, $account, TEMPLATE, Environment::newStore()]);
        $command = array_merge([PHP_BINARY, '-n', '-d', 'memory_limit=1G'], $arguments, ['-r', $code, '--', $argument]);
        $process = proc_open($command, [1 => ['pipe', 'w']], $pipes, dirname(__DIR__, 2));
        $rows = json_decode((string) stream_get_contents($pipes[1]), true);
        if (proc_close($process) !== 0 || !is_array($rows)) {
            throw new \RuntimeException("$face gave no figures");
        }
        foreach ($rows as $name => $microseconds) {
            $figures[$name][$face][] = $microseconds;
        }
    }
}
head("The two faces, microseconds a call, median of $rounds", ['extension', 'FFI', 'difference']);
foreach ($figures as $name => $of) {
    [$extension, $ffi] = [median($of['extension']), median($of['FFI'])];
    row($name, [sprintf('%.2f', $extension), sprintf('%.2f', $ffi), sprintf('%+.2f', $ffi - $extension)]);
}
