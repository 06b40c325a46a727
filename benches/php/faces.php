<?php

declare(strict_types=1);

/** What a single call costs, through the extension and through FFI, in interleaved processes of PHP's command line. */

namespace RoutineTemplate\Tests;

require __DIR__ . '/load.php';

Report::begin('faces');

/** @var array<string, array{string, string, int}> what the table says, the call of call.php, and how often it is made in a round */
const CALLS = [
    'version' => ['`version()`', 'version', 20000],
    'validate' => ['`validate()`, five fields', 'validate', 10000],
    'send off' => ['`send()`, `store = off`', 'send', 1000],
    'send' => ['`send()`, SQLite', 'send', 500],
    'queue process' => ['`queue()`, `process`', 'queue', 500],
    'queue power' => ['`queue()`, `power`', 'queue', 200],
];

$fixture = new Fixture();
$settings = $fixture->settings();
$senders = [];
foreach (['extension', 'ffi'] as $face) {
    foreach (CALLS as $call => [, $method]) {
        // Delivery is another process's: this is about the call.
        $ini = ['delivery' => 'worker', 'durability' => $call === 'queue process' ? 'process' : 'power']
            + $fixture->account(in_array($call, ['send', 'queue process', 'queue power'], true) ? Environment::newStore() : 'off');
        $senders[$face][$call] = new SenderProcess($fixture, 'call.php', $face, ['method' => $method] + $settings, $ini);
        $senders[$face][$call]->send(10);
    }
}
$results = [];
for ($round = 0; $round < Effort::rounds(); $round++) {
    foreach (CALLS as $call => [, , $usual]) {
        foreach ($senders as $face => $of) {
            $count = Effort::count($usual, 50);
            [$took] = $of[$call]->send($count);
            $results[$call][$face][] = $took * 1e6 / $count;
        }
    }
}
Report::table(
    ['One call on the command line, µs', '命令行里的一次调用，µs'],
    [['extension', '扩展'], ['FFI', 'FFI']]
);
foreach ($results as $call => $of) {
    Report::row([CALLS[$call][0], CALLS[$call][0]], [spread($of['extension']), spread($of['ffi'])]);
    Report::figure("call: $call: extension", median($of['extension']));
    Report::figure("call: $call: ffi", median($of['ffi']));
}
array_map(static fn (array $of) => array_map(static fn (SenderProcess $sender) => $sender->stop(), $of), $senders);
$fixture->sandbox->stop();
