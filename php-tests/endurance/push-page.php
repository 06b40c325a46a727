// examples/wechat_push.php for a log that can be judged: what has no row is named.
try {
    $push = RoutineTemplate::handlePush($_GET, (string) file_get_contents('php://input'));
} catch (RoutineTemplate\StoreException $exception) {
    // WeChat pushes it again.
    http_response_code(500);
    exit;
}
foreach ($push['receipts'] as $receipt) {
    if ($receipt['id'] === null) {
        error_log("a receipt without a row: {$receipt['msgid']}");
    }
}
if ($push['kind'] === 'refused') {
    error_log("a push was refused: {$push['error']}");
} elseif ($push['kind'] === 'event' && $push['receipts'] === [] && !$push['handled']) {
    error_log("a push was not handled: {$push['event']}");
}
http_response_code($push['status']);
echo $push['reply'];
