<?php

declare(strict_types=1);

/** One message after another from a process on the command line, as a queue worker of a shop sends them. */

namespace RoutineTemplate\Tests;

require __DIR__ . '/load.php';

Report::begin('cli');

$fixture = new Fixture();
Fixture::pin($fixture->sandbox->pid(), 0);
// Name => file, face, store, whether with a key.
$contenders = [
    'curl_fresh' => ['curl_fresh', 'none', 'off', false],
    'two_requests' => ['two_requests', 'none', 'off', false],
    'curl_kept' => ['curl_kept', 'none', 'off', false],
    'socket_kept' => ['socket_kept', 'none', 'off', false],
    'extension off' => ['routine_template', 'extension', 'off', false],
    'extension sqlite' => ['routine_template', 'extension', 'sqlite', false],
    'extension sqlite, key' => ['routine_template', 'extension', 'sqlite', true],
    'ffi off' => ['routine_template', 'ffi', 'off', false],
    'ffi sqlite' => ['routine_template', 'ffi', 'sqlite', false],
];
$redis = Redis::program() === null ? null : new Redis();
if ($redis !== null) {
    $contenders['extension redis'] = ['routine_template', 'extension', 'redis', false];
}
/** @var array<string, SenderProcess> $senders */
$senders = [];
foreach ($contenders as $name => [$file, $face, $store, $keyed]) {
    $place = ['off' => static fn () => 'off', 'sqlite' => [Environment::class, 'newStore'], 'redis' => static fn () => $redis->url()];
    $account = $fixture->account($place[$store]());
    $senders[$name] = new SenderProcess($fixture, "contenders/$file.php", $face, $fixture->settings($keyed), $account);
    Fixture::pin($senders[$name]->pid, 1);
    $senders[$name]->send(1);
}
foreach (array_keys(Fixture::NETWORKS) as $network) {
    $fixture->network($network);
    $results = [];
    for ($round = 0; $round < Effort::rounds(); $round++) {
        foreach ($senders as $name => $sender) {
            // The two that load the trust store each time need some tens of milliseconds for a message.
            $isFresh = in_array($name, ['curl_fresh', 'two_requests'], true);
            $count = Effort::count($isFresh ? 10 : ($network === 'near' ? 2000 : 40), 4);
            $sender->send(2);
            [$seconds, $cpu] = $sender->send($count);
            $results[$name][] = [$count / $seconds, $seconds * 1000 / $count, $cpu / $count];
        }
    }
    [$en, $zh] = Fixture::NETWORK_NAMES[$network];
    Report::table(
        ["Command line, one message after another: $en", "命令行，逐条发送：$zh"],
        [['sends/s', '每秒条数'], ['ms per send', '每条 ms'], ['CPU per send, µs', '每条 CPU，µs']]
    );
    foreach ($results as $name => $runs) {
        [$rate, $milliseconds, $cpu] = [array_column($runs, 0), array_column($runs, 1), array_column($runs, 2)];
        Report::row(Names::OF[$name], [spread($rate, '%.0f'), spread($milliseconds, '%.3f'), spread($cpu, '%.0f')]);
        Report::figure("cli $network: $name: ms", median($milliseconds));
        Report::figure("cli $network: $name: cpu", median($cpu));
    }
}
array_map(static fn (SenderProcess $sender) => $sender->stop(), $senders);
if ($redis !== null) {
    $redis->remove();
}
$fixture->sandbox->stop();
