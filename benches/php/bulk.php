<?php

declare(strict_types=1);

/** Many messages at once, without added latency: the server has one core, the sender another one. */

namespace RoutineTemplate\Tests;

require __DIR__ . '/load.php';

Report::begin('bulk');

const CONCURRENCY = 32;

$fixture = new Fixture();
Fixture::pin($fixture->sandbox->pid(), 0);
$settings = $fixture->settings() + ['concurrency' => CONCURRENCY];
// Name => file, face, store.
$contenders = [
    'curl_kept' => ['curl_kept', 'none', 'off'],
    'curl_multi' => ['curl_multi', 'none', 'off'],
    'extension off' => ['send_many', 'extension', 'off'],
    'extension sqlite' => ['send_many', 'extension', 'sqlite'],
    'ffi off' => ['send_many', 'ffi', 'off'],
    'ffi sqlite' => ['send_many', 'ffi', 'sqlite'],
];
/** @var array<string, SenderProcess> $senders */
$senders = [];
foreach ($contenders as $name => [$file, $face, $store]) {
    $account = $fixture->account($store === 'off' ? 'off' : Environment::newStore());
    $senders[$name] = new SenderProcess($fixture, "bulk/$file.php", $face, $settings, $account);
    Fixture::pin($senders[$name]->pid, 1);
    // One connection more each time: curl_multi reads the trust store for each, and a server does not wait for 32 such handshakes.
    for ($connections = 1; $connections <= CONCURRENCY; $connections++) {
        $senders[$name]->send($connections);
    }
}

/** Messages a second and microseconds of CPU a message of `wrk`, with another user for each. */
$wrk = static function (string $program, int $seconds) use ($settings): array {
    $data = json_encode(array_map(static fn ($value) => ['value' => $value], Fixture::FIELDS), JSON_UNESCAPED_UNICODE);
    $target = '/cgi-bin/message/subscribe/send?access_token=' . $settings['token'];
    $script = tempnam(sys_get_temp_dir(), 'wrk');
    file_put_contents($script, <<<LUA
        local number = 0
        wrk.method = "POST"
        wrk.headers["Content-Type"] = "application/json; charset=utf-8"
        request = function()
            number = number + 1
            return wrk.format(nil, "$target", nil, '{"touser":"oWrk' .. number .. '","template_id":"{$settings['template_id']}","data":' .. [[$data]] .. '}')
        end
        LUA);
    $cpu = cpu(1);
    $pinned = Fixture::pins() ? 'taskset -c 1 ' : '';
    $output = (string) shell_exec("$pinned$program -t1 -c" . CONCURRENCY . " -d{$seconds}s -s " . escapeshellarg($script) . ' '
        . escapeshellarg($settings['https']) . ' 2>&1');
    $cpu = cpu(1) - $cpu;
    unlink($script);
    if (!preg_match('~([\d.]+) requests in.*Requests/sec:\s+([\d.]+)~s', $output, $match) || (int) $match[1] === 0 || str_contains($output, 'Non-2xx')) {
        throw new \RuntimeException($output);
    }
    return [(float) $match[2], $cpu / $match[1]];
};

$program = trim((string) shell_exec('command -v wrk'));
$results = [];
for ($round = 0; $round < Effort::rounds(); $round++) {
    if ($program !== '') {
        $results['wrk'][] = $wrk($program, (int) ceil(Effort::seconds(3)));
    }
    foreach ($senders as $name => $sender) {
        $count = Effort::count($name === 'curl_kept' ? 5000 : 20000, 500);
        [$seconds, $cpu] = $sender->send($count);
        $results[$name][] = [$count / $seconds, $cpu / $count];
    }
}
Report::table(
    ['Bulk, ' . CONCURRENCY . ' at a time (`sendMany()` beside `curl_multi`), no added latency', '批量，同时 ' . CONCURRENCY . ' 条（`sendMany()` 与 `curl_multi`），无附加延迟'],
    [['messages/s', '每秒条数'], ['CPU per message, µs', '每条 CPU，µs'], ['of `wrk`', '占 `wrk`']]
);
$ceiling = isset($results['wrk']) ? median(array_column($results['wrk'], 0)) : null;
foreach ($results as $name => $runs) {
    $rate = array_column($runs, 0);
    Report::row(Names::OF[$name], [
        spread($rate, '%.0f'), spread(array_column($runs, 1), '%.0f'),
        $ceiling === null ? '' : sprintf('%.0f %%', 100 * median($rate) / $ceiling),
    ]);
    Report::figure("bulk: $name: rate", median($rate));
}
if ($ceiling === null) {
    Report::note(['`wrk` is not installed here: no ceiling was measured.', '本机没有 `wrk`，未测上限。']);
}
array_map(static fn (SenderProcess $sender) => $sender->stop(), $senders);
$fixture->sandbox->stop();
