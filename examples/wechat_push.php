<?php

// 微信“消息推送”的接收地址（小程序后台 → 开发管理 → 消息推送）：把用户的允许、拒绝和消息送达结果记入账本。
// The address for WeChat's message push (console of the mini program): grants and deliveries go into the ledger.
//
// 后台填写：URL 为本脚本的地址，Token 与 EncodingAESKey 同下，加密方式选“安全模式”，数据格式 JSON 或 XML 均可。
// In the console: URL is the address of this script, Token and EncodingAESKey as below, safe mode, JSON or XML.

RoutineTemplate::configure([
    'appid' => (string) getenv('WECHAT_APPID'),
    'secret' => (string) getenv('WECHAT_SECRET'),
    'push_token' => (string) getenv('WECHAT_PUSH_TOKEN'),
    'push_aes_key' => (string) getenv('WECHAT_PUSH_AES_KEY'),
]);

// 出错（如存储不可用）时抛出异常，HTTP 状态为 500，微信会再次推送，不会丢失。
// What cannot be stored is an exception: status 500, and WeChat pushes it again.
$push = RoutineTemplate::handlePush($_GET, (string) file_get_contents('php://input'));

if ($push['kind'] === 'refused') {
    error_log("WeChat push refused: {$push['error']}: {$push['hint']}");
} elseif (!$push['handled'] && $push['message'] !== null) {
    // 其他消息由商城自己处理：$push['message'] 为解密后的数组，$push['event'] 为小写的事件名。
    // Whatever else it is, is the shop's: the message as an array, and the name of the event in lower case.
    error_log('WeChat push for the shop: ' . ($push['event'] ?? $push['message']['MsgType'] ?? 'unknown'));
}

http_response_code($push['status']);
header('Content-Type: text/plain; charset=utf-8');
echo $push['reply'];
