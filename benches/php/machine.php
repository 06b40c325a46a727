<?php

declare(strict_types=1);

/** On what, with what and how was measured. */

namespace RoutineTemplate\Tests;

require __DIR__ . '/load.php';

Report::begin('machine');
/** The first line that a command prints. */
$say = static fn (string $command): string => trim(explode("\n", (string) shell_exec("$command 2>&1"))[0]);
$field = static function (string $file, string $pattern): string {
    return preg_match($pattern, (string) @file_get_contents($file), $match) ? trim($match[1]) : '?';
};
$cores = trim((string) shell_exec('nproc'));
$load = sys_getloadavg()[0];
$memory = round((int) $field('/proc/meminfo', '/^MemTotal:\s+(\d+)/') / 1048576);
$root = escapeshellarg(dirname(__DIR__, 2));
$facts = [
    [['date', '日期'], gmdate('Y-m-d H:i') . ' UTC'],
    [['commit', '提交'], $say("git -C $root rev-parse --short HEAD") . ($say("git -C $root status --porcelain --untracked-files=no") === '' ? '' : ' +')],
    [['processor', '处理器'], $field('/proc/cpuinfo', '/^model name\s*:\s*(.+)$/m') . " × $cores"],
    [['memory', '内存'], "$memory GiB"],
    [['system', '系统'], $field('/etc/os-release', '/^PRETTY_NAME="?([^"\n]+)/m') . ', Linux ' . php_uname('r')],
    [['PHP', 'PHP'], PHP_VERSION . (PHP_ZTS ? ' ZTS' : ' NTS') . ', cURL ' . curl_version()['version'] . ' (' . curl_version()['ssl_version'] . '), ' . OPENSSL_VERSION_TEXT],
    [['nginx', 'nginx'], preg_replace('/^nginx version: nginx\//', '', $say(escapeshellarg(Environment::nginx()) . ' -v'))],
    [['Rust', 'Rust'], $say('rustc --version')],
    [['trust store', '信任的根证书'], substr_count((string) file_get_contents((new Fixture())->bundle), 'BEGIN CERTIFICATE') . ' certificates'],
    [['rounds, scale', '轮数、规模'], Effort::rounds() . ', ' . (getenv('BENCH_SCALE') ?: '1')],
    [['load before', '之前的负载'], sprintf('%.1f', $load)],
];
Report::table(['The machine', '机器'], [['', '']]);
foreach ($facts as [$label, $text]) {
    Report::row($label, [$text]);
}
