<?php

declare(strict_types=1);

/**
 * Memory while one process sends a million messages: `memory.php [COUNT [WORD]]`, WORD being a part of the name of what is tried. Of
 * the extension sendMany() through a generator as well, and less of what writes into a store; through FFI a fifth. Ends with exit
 * code 1 where memory grows, that of the process or that of the fake WeChat.
 */

namespace RoutineTemplate\Tests\Endurance;

use RoutineTemplate\Tests\Environment;
use RoutineTemplate\Tests\Face;
use RoutineTemplate\Tests\MemoryWatch;
use RoutineTemplate\Tests\Sandbox;
use RoutineTemplate\Tests\Shop;

require __DIR__ . '/../bootstrap.php';

/** What each of them does, with the part of the whole number that it does. */
const WAYS = [
    'extension' => [
        'send()' => [1.0, 'off', 'send'],
        'sendMany() through a generator' => [1.0, 'off', 'sendMany'],
        'send() with SQLite' => [0.2, 'sqlite', 'send'],
        'queue() and its delivery, SQLite' => [0.1, 'sqlite', 'queue'],
    ],
    'ffi' => ['send()' => [0.2, 'off', 'send'], 'sendMany() through a generator' => [0.2, 'off', 'sendMany']],
];

// tell() says how many are done, and how much memory the process has.
const SCRIPTS = [
    'send' => '
        for ($i = 1; $i <= $count; $i++) {
            $answer = RoutineTemplate::send(openid($i), $shop->orderPaid, ["character_string1" => "no$i"] + $shop->order);
            $answer["errcode"] === 0 or exit(json_encode($answer));
            $i % $step or tell($i);
        }',
    'sendMany' => '
        $messages = (static function () use ($count, $shop) {
            for ($i = 1; $i <= $count; $i++) {
                yield [openid($i), $shop->orderPaid, ["character_string1" => "no$i"] + $shop->order];
            }
        })();
        $done = 0;
        $sum = RoutineTemplate::sendMany($messages, ["each" => static function (array $answer) use (&$done, $step) {
            $answer["errcode"] === 0 or exit(json_encode($answer));
            ++$done % $step or tell($done);
        }]);
        $sum["delivered"] === $count or exit(json_encode($sum));',
    'queue' => '
        for ($i = 1; $i <= $count; $i++) {
            RoutineTemplate::queue(openid($i), $shop->orderPaid, ["character_string1" => "no$i"] + $shop->order);
            // The outbox does not grow: what is measured is the process.
            $i % 1000 or RoutineTemplate::flush(60000) === 0 or exit("the outbox is not empty");
            $i % $step or tell($i);
        }',
];

const HELPERS = '
    function openid(int $i): string { return str_pad("oBuyer" . $i % 1000, 28, "_"); }
    function tell(int $done): void {
        preg_match("/^RssAnon:\\s+(\\d+) kB/m", file_get_contents("/proc/self/status"), $match);
        echo "$done $match[1]\n";
    }
    ini_set("memory_limit", "64M");';

// A machine that stands still for seconds is no finding here.
const PATIENT = ['timeout_ms' => 60000, 'connect_timeout_ms' => 60000];

$count = (int) ($argv[1] ?? 1_000_000);
$face = Face::isFfi() ? 'ffi' : 'extension';
// It keeps fewer than the warm-up brings, so that its memory is flat after it, too.
$sandbox = Sandbox::start(['--keep-messages', (string) max(100, intdiv($count, 100))]);
$shop = new Shop($sandbox, ['any_openid' => true]);
printf("\n| %-44s | %9s | %s | %11s | %8s | %s |\n", "memory, $face", 'messages', 'KiB first … last, highest', 'sandbox KiB', 'seconds', 'flat');
echo '|---|---:|---|---|---:|---|', "\n";
$grown = 0;
foreach (WAYS[$face] as $name => [$part, $store, $script]) {
    if (strpos($name, $argv[2] ?? '') === false) {
        continue;
    }
    $messages = (int) ($count * $part);
    $config = ['store' => $store === 'off' ? 'off' : Environment::newStore(), 'durability' => 'process', 'retention_days' => 1] + PATIENT;
    $step = max(1, intdiv($messages, 20));
    $code = $shop->script(HELPERS . "\$count = $messages; \$step = $step;" . SCRIPTS[$script], $config);
    $watch = new MemoryWatch($code, $sandbox->pid());
    $before = $sandbox->counters()['messages'];
    $watch->run();
    $arrived = $sandbox->counters()['messages'] - $before;
    if ($arrived !== $messages) {
        fwrite(STDERR, "$name: WeChat has $arrived of $messages messages. {$watch->said()}\n");
        exit(1);
    }
    $flat = $watch->isFlat();
    $grown += $flat ? 0 : 1;
    printf(
        "| %-44s | %9d | %s | %s | %8d | %s |\n",
        $name,
        $messages,
        $watch->own(),
        $watch->sandbox(),
        $watch->seconds(),
        $flat ? 'yes' : 'NO'
    );
    echo $watch->curve();
}
exit($grown === 0 ? 0 : 1);
