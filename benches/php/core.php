<?php

declare(strict_types=1);

/** What criterion has measured of the core (`cargo bench --bench core_stages`), as a table. */

namespace RoutineTemplate\Tests;

require __DIR__ . '/load.php';
require __DIR__ . '/criterion.php';

Report::begin('core');
const STAGES = [
    'order paid, clean, template' => ['validate and fit, five fields, nothing to repair', '校验并修整五个字段，无需修改'],
    'order paid, every field repaired' => ['validate and fit, every field to repair', '校验并修整，每个字段都要修改'],
    'order paid, every field refused' => ['validate in mode strict, every field refused', '严格模式校验，每个字段都被拒绝'],
    'order paid, written as JSON' => ['write the body as JSON', '写出 JSON 请求体'],
    'answer, accepted' => ['read an answer: accepted', '读取回答：已接受'],
    'answer, refused' => ['read an answer: refused', '读取回答：被拒绝'],
    'push, encrypted JSON' => ['a push: signature, decryption, JSON, event', '一次推送：签名、解密、JSON、事件'],
    'push, encrypted XML' => ['a push: signature, decryption, XML, event', '一次推送：签名、解密、XML、事件'],
];

$measured = Criterion::medians();
$there = array_intersect_key(STAGES, $measured);
if ($there === []) {
    Report::note([
        'Of the core nothing has been measured: `cargo bench --bench core_stages` does that, and `./build.sh bench` runs it.',
        '未测核心部分：由 `cargo bench --bench core_stages` 测量，`./build.sh bench` 会运行它。',
    ]);
    exit;
}
Report::table(
    ['The core, no network and no store (criterion)', '核心部分，不含网络和存储（criterion）'],
    [['µs', 'µs'], ['95 % confidence', '95 % 置信区间']]
);
foreach ($there as $name => $label) {
    [$median, $lower, $upper] = $measured[$name];
    Report::row($label, [sprintf('%.2f', $median / 1000), sprintf('%.2f … %.2f', $lower / 1000, $upper / 1000)]);
    Report::figure("core: $name", $median / 1000);
}
