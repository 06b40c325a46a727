<?php

// 打印模拟微信收到的消息，供 ./build.sh demo 使用；参数是模拟微信启动时写的 ready 文件。
// Prints the messages that the fake WeChat received, for ./build.sh demo; takes the ready file that it wrote at its start.

$ready = json_decode((string) file_get_contents($argv[1]), true);
$answer = file_get_contents($ready['http'] . '/__admin/messages', false, stream_context_create(['http' => ['timeout' => 10]]));
$messages = json_decode((string) $answer, true)['messages'] ?? [];

foreach ($messages as $message) {
    echo '接收人 touser         ', $message['openid'], "\n";
    echo '模板   template_id    ', $message['template_id'], "\n";
    echo '页面   page           ', $message['page'] ?? '', "\n";
    echo '消息号 msgid          ', $message['msgid'], "\n";
    foreach ($message['data'] as $key => $field) {
        echo '字段   ', str_pad($key, 17), '  ', is_array($field) ? $field['value'] : $field, "\n";
    }
}
exit(count($messages) === 1 ? 0 : 1);
