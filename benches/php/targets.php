<?php

declare(strict_types=1);

/** What was aimed at, what this run has measured, and whether that is met. */

namespace RoutineTemplate\Tests;

require __DIR__ . '/load.php';
require __DIR__ . '/criterion.php';

Report::begin('targets');
$figures = Report::figures();
// With WeChat 30 ms away; what keeps accounts, as it comes: SQLite, durability power.
[$network, $ours] = ['fpm far, slow to connect', 'extension sqlite'];
/** A figure, or one over another; null where this run has not measured it. */
$of = static function (string $name, ?string $over = null) use ($figures): ?float {
    if (!isset($figures[$name]) || $over !== null && !isset($figures[$over])) {
        return null;
    }
    return $over === null ? $figures[$name] : $figures[$name] / $figures[$over];
};

// Cost of a send's accounts in the largest ledger that was tried, over that in the smallest.
$rows = [];
foreach (Criterion::medians() as $name => [$median]) {
    if (preg_match('~^store/begin\+finish/(\d+)$~', $name, $match)) {
        $rows[(int) $match[1]] = $median;
    }
}
ksort($rows);
$growth = count($rows) < 2 ? null : end($rows) / reset($rows);
$sizes = implode(' : ', array_map('number_format', array_keys(array_reverse($rows, true))));

// Text, target in words, measured, how it is written, whether it is met.
$targets = [
    [
        ['php-fpm, 30 ms + 60 ms: one send over one round trip (`pfsockopen`)', 'php-fpm，30 ms + 60 ms：一次发送与一个往返（`pfsockopen`）之比'],
        '≤ 1.05', $of("$network: $ours: ms", "$network: socket_kept: ms"), '%.3f', static fn (float $ratio): bool => $ratio <= 1.05,
    ],
    [
        ['the same, a fresh cURL handle over ours', '同上，新建 cURL 句柄与我们之比'],
        '≥ 2.8', $of("$network: curl_fresh: ms", "$network: $ours: ms"), '%.1f', static fn (float $ratio): bool => $ratio >= 2.8,
    ],
    [
        ['the same, worker CPU: ours over `pfsockopen`', '同上，进程 CPU：我们与 `pfsockopen` 之比'],
        '≤ 1', $of("$network: $ours: cpu", "$network: socket_kept: cpu"), '%.2f', static fn (float $ratio): bool => $ratio <= 1.0,
    ],
    [
        ['… with `store = off`', '……`store = off`'],
        '≤ 1', $of("$network: extension off: cpu", "$network: socket_kept: cpu"), '%.2f', static fn (float $ratio): bool => $ratio <= 1.0,
    ],
    [
        ['the same, worker CPU: a fresh cURL handle over ours', '同上，进程 CPU：新建 cURL 句柄与我们之比'],
        '≥ 50', $of("$network: curl_fresh: cpu", "$network: $ours: cpu"), '%.0f', static fn (float $ratio): bool => $ratio >= 50.0,
    ],
    [
        ['queue() in php-fpm, `process`, workers at rest between requests, µs', 'php-fpm 里的 queue()，`process`，请求之间有间歇，µs'],
        '< 60', $of('queue: extension process rest'), '%.0f', static fn (float $micros): bool => $micros < 60.0,
    ],
    [
        ['… over one bare row by PDO, as the machine is just as cold for it', '……与 PDO 写一行之比：机器对它同样是冷的'],
        '', $of('queue: extension process rest', 'queue: bare row process rest'), '%.1f', static fn (float $ratio): ?bool => null,
    ],
    [
        ['queue() in a loop on the command line, `process`, median, µs', '命令行循环里的 queue()，`process`，中位数，µs'],
        '< 60', $of('queue: process in a loop'), '%.0f', static fn (float $micros): bool => $micros < 60.0,
    ],
    [
        ['bulk over a kept cURL handle, SQLite', '批量与保留的 cURL 句柄之比，SQLite'],
        '≥ 2', $of("bulk: $ours: rate", 'bulk: curl_kept: rate'), '%.1f', static fn (float $ratio): bool => $ratio >= 2.0,
    ],
    [
        ['… with `store = off`', '……`store = off`'],
        '≥ 2', $of('bulk: extension off: rate', 'bulk: curl_kept: rate'), '%.1f', static fn (float $ratio): bool => $ratio >= 2.0,
    ],
    [
        ['bulk over the `wrk` ceiling, SQLite', '批量与 `wrk` 上限之比，SQLite'],
        '≥ 0.7', $of("bulk: $ours: rate", 'bulk: wrk: rate'), '%.2f', static fn (float $ratio): bool => $ratio >= 0.7,
    ],
    [
        ['… with `store = off`', '……`store = off`'],
        '≥ 0.7', $of('bulk: extension off: rate', 'bulk: wrk: rate'), '%.2f', static fn (float $ratio): bool => $ratio >= 0.7,
    ],
    [
        ['five fields validated and fitted, µs', '校验并修整五个字段，µs'],
        '< 2', $of('core: order paid, clean, template'), '%.2f', static fn (float $micros): bool => $micros < 2.0,
    ],
    [
        ["a send's accounts, the largest ledger over the smallest (`cargo bench --bench store`)", '一次发送的记账，最大账本与最小账本之比（`cargo bench --bench store`）'],
        '≤ 1.5', $growth, "%.2f ($sizes)", static fn (float $ratio): bool => $ratio <= 1.5,
    ],
    [
        ['start-up, ms', '启动，ms'],
        '< 1.5', $of('start-up: ms'), '%.2f', static fn (float $millis): bool => $millis < 1.5,
    ],
    [
        ['private memory of a worker before first use, MiB', '首次使用前每个进程的私有内存，MiB'],
        '< 2', $of('memory: extension: private') === null ? null : $of('memory: extension: private') / 1024, '%.2f',
        static fn (float $mebibytes): bool => $mebibytes < 2.0,
    ],
    [
        ['token requests of 8 cold workers', '8 个冷启动进程取 token 的次数'],
        '= 1', $of("cold: $ours: fetches"), '%.0f', static fn (float $fetches): bool => $fetches === 1.0,
    ],
];
Report::table(['Targets', '目标'], [['target', '目标'], ['measured', '实测'], ['', '']]);
foreach ($targets as [$text, $target, $value, $format, $isMet]) {
    $met = $value === null ? null : $isMet($value);
    $verdict = $value === null ? '—' : ($met === null ? '' : ($met ? '✓' : '✗'));
    Report::row($text, [$target, $value === null ? '—' : sprintf($format, $value), $verdict]);
}
