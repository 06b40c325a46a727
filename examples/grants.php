<?php

// 小程序（subscribe.js）和公众号网页（wx-open-subscribe.html）用的路由。
// GET ?keys=order_pay_success,order_deliver_success  现在该请求哪些模板
// POST {"click_id": "…", "result": {…}}              用户的选择，原样
// The route for subscribe.js and wx-open-subscribe.html. GET: which templates to ask for now. POST: what the user answered, as it is.

declare(strict_types=1);

session_start();
RoutineTemplate::configure(['appid' => 'wxc0ffee0123456789', 'secret' => '0123456789abcdef0123456789abcdef']);

// 名称和模板 ID：CRMEB 表 eb_system_notification 的 mark 和 routine_tempid，is_routine = 1 的各行。
// Names and ids: mark and routine_tempid of CRMEB's table eb_system_notification, rows with is_routine = 1.
foreach (['order_pay_success' => '0rdErPaid0000000000000000000000000000000001'] as $mark => $templateId) {
    RoutineTemplate::registerTemplate($mark, $templateId);
}

// openid 只能来自登录态，不能由前端传入。
// The openid comes from the session, never from the request.
$openid = $_SESSION['openid'] ?? '';
header('Content-Type: application/json; charset=utf-8');
if ($openid === '') {
    http_response_code(401);
    echo '{"error":"login"}';
    exit;
}

if ($_SERVER['REQUEST_METHOD'] === 'GET') {
    $keys = is_string($_GET['keys'] ?? null) ? explode(',', $_GET['keys']) : [];
    echo json_encode(RoutineTemplate::requestTemplates($openid, $keys));
    exit;
}

$posted = json_decode((string) file_get_contents('php://input'), true);
$clickId = is_array($posted) && is_string($posted['click_id'] ?? null) ? $posted['click_id'] : null;
try {
    // 没有登记过的模板不会记账（列在 unknown）；同一个 click_id 只记一次。
    // Templates that are not registered are not counted (see `unknown`); one click_id counts once.
    $recorded = RoutineTemplate::recordGrants($openid, $posted['result'] ?? [], ['key' => $clickId]);
    echo json_encode(['recorded' => array_keys($recorded['recorded']), 'duplicate' => $recorded['duplicate']]);
} catch (ValueError | TypeError $error) {
    // 再报也没用。Reporting it again would not help.
    http_response_code(400);
    echo json_encode(['error' => $error->getMessage()], JSON_UNESCAPED_UNICODE);
} catch (RoutineTemplate\StoreException $error) {
    // 前端稍后再报。The front end reports it again later.
    http_response_code(503);
    echo json_encode(['error' => $error->getMessage()], JSON_UNESCAPED_UNICODE);
}
