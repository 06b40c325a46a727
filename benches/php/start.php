<?php

declare(strict_types=1);

/** What the extension costs before anybody uses it: start-up and memory; and what cold workers ask WeChat for. */

namespace RoutineTemplate\Tests;

require __DIR__ . '/load.php';

Report::begin('start');

$fixture = new Fixture();

// ------------------------------------------------------------------------------------------------- cold workers

const COLD_PAGE = <<<'PHP'
$settings = %s;
$send = (require __DIR__ . '/contenders/routine_template.php')($settings);
echo $send('oBench' . getmypid());
PHP;
const COLD_WORKERS = 8;

$fixture->network('far');
Report::table(
    ['Token requests of ' . COLD_WORKERS . ' cold php-fpm workers whose first requests come at once', COLD_WORKERS . ' 个冷启动的 php-fpm 进程同时收到首个请求时取 token 的次数'],
    [['token requests', '取 token 次数']]
);
foreach (['extension' => 'extension sqlite', 'ffi' => 'ffi sqlite'] as $face => $name) {
    $page = sprintf(COLD_PAGE, var_export($fixture->settings(false, $face === 'ffi' ? Environment::ffi() : null), true));
    $fetches = [];
    for ($round = 0; $round < Effort::rounds(); $round++) {
        $account = $fixture->account(Environment::newStore()) + ($face === 'ffi' ? ['library' => Environment::library()] : []);
        $pool = Pool::start($fixture, $face, ['cold.php' => $page] + Pool::contenders(), $account, COLD_WORKERS);
        $before = $fixture->sandbox->requests('/cgi-bin/stable_token');
        foreach ($pool->requestAll(array_fill(0, COLD_WORKERS, 'cold.php'), 60.0) as [$status, $body]) {
            if ($status !== 200 || $body !== '0') {
                throw new \RuntimeException("$status $body\n" . $pool->logs());
            }
        }
        $fetches[] = $fixture->sandbox->requests('/cgi-bin/stable_token') - $before;
        $pool->stop();
    }
    Report::row(Names::OF[$name], [spread($fetches, '%.0f')]);
    Report::figure("cold: $name: fetches", max($fetches));
}

// ----------------------------------------------------------------------------------------------------- start-up

$runs = Effort::count(200, 40);
$commands = ['without' => [], 'with' => ['-d', 'extension=' . Environment::extension()]];
$times = ['without' => [], 'with' => []];
for ($run = 0; $run < $runs; $run++) {
    foreach ($commands as $name => $arguments) {
        $cpu = cpu(1);
        $start = hrtime(true);
        if (proc_close(proc_open(array_merge([PHP_BINARY, '-n'], $arguments, ['-r', '']), [], $pipes)) !== 0) {
            throw new \RuntimeException('php does not start');
        }
        $times[$name][] = [(hrtime(true) - $start) / 1e6, (cpu(1) - $cpu) / 1e3];
    }
}
Report::table(
    ["Start-up of `php -n -r ''`, $runs interleaved runs, median and quarters", "`php -n -r ''` 的启动，交错运行 $runs 次，中位数与四分位数"],
    [['ms', 'ms'], ['CPU, ms', 'CPU，ms']]
);
$labels = ['without' => ['without the extension', '无扩展'], 'with' => ['with the extension', '有扩展']];
foreach ($times as $name => $both) {
    Report::row($labels[$name], [quarters(array_column($both, 0)), quarters(array_column($both, 1))]);
}
$added = array_map(static fn (array $with, array $without): float => $with[0] - $without[0], $times['with'], $times['without']);
$addedCpu = array_map(static fn (array $with, array $without): float => $with[1] - $without[1], $times['with'], $times['without']);
Report::row(['the extension itself, pair by pair', '扩展本身，逐对相减'], [quarters($added), quarters($addedCpu)]);
Report::figure('start-up: ms', median($added));

// ------------------------------------------------------------------------------------------------------- memory

/** Resident and private KiB of a worker, by the kernel's account. */
$memoryOf = static function (int $pid): array {
    preg_match_all('/^(Rss|Private_Clean|Private_Dirty): +(\d+)/m', (string) file_get_contents("/proc/$pid/smaps_rollup"), $match);
    $of = array_combine($match[1], array_map('intval', $match[2]));
    return [$of['Rss'], $of['Private_Clean'] + $of['Private_Dirty']];
};
Report::table(
    ['Memory of a php-fpm worker, KiB', '一个 php-fpm 进程的内存，KiB'],
    [['resident', '常驻'], ['private', '私有'], ['private, beyond PHP\'s own', '私有，减去 PHP 自身']]
);
$fixture->network('near');
$page = 'if (isset($_GET["sends"])) { ' . sprintf(COLD_PAGE, '%1$s') . ' for ($i = 1; $i < $_GET["sends"]; $i++) { $send("oBench" . getmypid()); } } else { echo 0; }';
$own = null;
foreach (['none' => ['PHP without RoutineTemplate', '没有 RoutineTemplate 的 PHP'], 'extension' => ['extension loaded', '已加载扩展'], 'ffi' => ['FFI, nothing called yet', 'FFI，尚未调用']] as $face => $label) {
    $code = str_replace('%1$s', var_export($fixture->settings(false, $face === 'ffi' ? Environment::ffi() : null), true), $page);
    $account = $fixture->account(Environment::newStore()) + ($face === 'ffi' ? ['library' => Environment::library()] : []);
    $pool = Pool::start($fixture, $face, ['page.php' => $code] + Pool::contenders(), $account, 1);
    $steps = $face === 'none' ? ['page.php' => $label] : [
        'page.php' => $label,
        'page.php?sends=1' => ['… after the first send', '……首次发送后'],
        'page.php?sends=2000' => ['… after 2,000 sends', '……2,000 次发送后'],
    ];
    foreach ($steps as $path => $what) {
        if ($pool->get($path, 120.0) !== '0') {
            throw new \RuntimeException($pool->logs());
        }
        [$resident, $private] = $memoryOf($pool->workers()[0]);
        $own ??= $private;
        Report::row($what, [(string) $resident, (string) $private, (string) ($private - $own)]);
        if ($path === 'page.php') {
            Report::figure("memory: $face: private", $private - $own);
        }
    }
    $pool->stop();
}
$fixture->sandbox->stop();
