<?php

declare(strict_types=1);

/**
 * One contender in a process of its own: sends as many messages as each line of standard input says, and answers with the nanoseconds
 * and the microseconds of CPU that they took. Arguments: the contender's file, its settings as JSON.
 */

require __DIR__ . '/bulk/openids.php';

[, $file, $settings] = $argv;
$settings = json_decode($settings, true, 512, JSON_THROW_ON_ERROR);
$contender = (require $file)($settings);
// One of bulk/ takes the number itself.
$work = basename(dirname($file)) === 'bulk' ? $contender : static function (int $count) use ($contender): void {
    $openid = 'oBench' . getmypid();
    for ($i = 0; $i < $count; $i++) {
        if ($contender($openid) !== 0) {
            throw new RuntimeException('a message was refused');
        }
    }
};
$cpu = static function (): float {
    $usage = getrusage();
    return ($usage['ru_utime.tv_sec'] + $usage['ru_stime.tv_sec']) * 1e6 + $usage['ru_utime.tv_usec'] + $usage['ru_stime.tv_usec'];
};
while (($line = fgets(STDIN)) !== false) {
    $before = $cpu();
    $start = hrtime(true);
    $work((int) $line);
    $took = hrtime(true) - $start;
    echo json_encode([$took, $cpu() - $before]), "\n";
}
