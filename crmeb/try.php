<?php

declare(strict_types=1);

// What try.sh runs: boots the shop with its own framework and calls its own methods at every seam.

use EasyWeChat\Core\Exceptions\HttpException;
use EasyWeChat\Support\Collection;
use RoutineTemplate\Crmeb\Account;
use RoutineTemplate\Crmeb\Availability;
use think\facade\Db;

[, $shop, $readyFile] = $argv;
$ready = json_decode((string)file_get_contents($readyFile), true);
chdir($shop . '/public');
defined('DS') || define('DS', DIRECTORY_SEPARATOR);
require $shop . '/vendor/autoload.php';
$application = new think\App();
$application->initialize();

require __DIR__ . '/try-support.php';

$old = class_exists('crmeb\services\MiniProgramService');
$mini = $old ? 'crmeb\services\MiniProgramService' : 'crmeb\services\app\MiniProgramService';
$official = $old ? 'crmeb\services\WechatService' : 'crmeb\services\app\WechatService';
$version = is_file($shop . '/.version') ? trim((string)file_get_contents($shop . '/.version')) : '?';
echo 'PHP ', PHP_VERSION, '，CRMEB ', strtok(strtr($version, "\r", "\n"), "\n"), "\n";

requireShop(['routine_appId', 'wechat_appid'], [Db::class, 'query']);
// The shop's own accounts, as the fake WeChat shall know them.
$accounts = [];
foreach (['routine_appId' => 'routine_appsecret', 'wechat_appid' => 'wechat_appsecret'] as $appid => $secret) {
    $accounts[] = [Account::setting($appid), Account::setting($secret)];
}
[[$appid, $secret], [$officialAppid, $officialSecret]] = $accounts;
$openid = 'oTryBuyer' . bin2hex(random_bytes(9)) . '1';
$follower = 'oTryFollow' . bin2hex(random_bytes(8)) . '12';
admin('account', ['appid' => $appid, 'secret' => $secret, 'kind' => 'miniprogram']);
admin('account', ['appid' => $officialAppid, 'secret' => $officialSecret, 'kind' => 'official']);
admin('user', ['appid' => $appid, 'openid' => $openid]);
admin('user', ['appid' => $officialAppid, 'openid' => $follower]);
$content = "订单号{{character_string1.DATA}}\n金额{{amount2.DATA}}\n时间{{date3.DATA}}";
$paid = template($appid, $openid, $content, 5);
$refused = template($appid, $openid, $content, 0);
// 5.x sends the fields of the newer templates, 4.x those of the older ones.
$fields = in_array('routine_tempid', Db::name('system_notification')->getTableFields(), true)
    ? ['character_string2', 'time4', 'thing3', 'amount5'] : ['first', 'keyword1', 'keyword2', 'keyword3', 'keyword4', 'keyword5', 'remark'];
$officialPaid = template($officialAppid, $follower, '{{' . implode(".DATA}}\n{{", $fields) . '.DATA}}', 5);
$officialData = array_combine($fields, array_slice(['wx1', date('Y-m-d H:i:s'), ['苹果', '#173177'], '99.00', '5', '6', '7'], 0, count($fields)));
$data = ['character_string1' => 'wx' . random_int(100000, 999999), 'amount2' => '99.00元', 'date3' => date('Y-m-d H:i:s')];

seam('RoutineTemplate', static function (): string {
    expect(Availability::isUsable(), 'extension or FFI (see the shop\'s log)');
    return (extension_loaded('routine_template') ? '扩展 / extension ' : 'FFI ') . RoutineTemplate::version();
});

seam('S1 send', static function () use ($mini, $openid, $paid, $refused, $data): ?string {
    if (!isPatched($mini, 'SubscribeMessage')) {
        return null;
    }
    $answer = $mini::sendSubscribeTemlate($openid, $paid, $data, null);
    expect($answer instanceof Collection && $answer['errcode'] === 0 && (bool)$answer, 'a truthy Collection with errcode 0');
    expect(count(accepted($openid)) === 1, 'one message at WeChat');
    try {
        $mini::sendSubscribeTemlate($openid, $refused, $data, 'pages/index/index');
    } catch (HttpException $thrown) {
        expect($thrown->getCode() === 43101, 'HttpException 43101');
        return 'msgid ' . $answer['msgid'] . '；43101 → HttpException';
    }
    throw new RuntimeException('expected: HttpException for a message without a grant');
});

seam('S3 token', static function () use ($mini, $official): ?string {
    if (!isPatched('crmeb\services\easywechat\Application', 'SharedAccessToken')) {
        return null;
    }
    $container = $mini::application(true);
    redirectEasyWeChat();
    $token = $container['mini_program.access_token']->getToken();
    expect($token === Account::miniProgram()->accessToken(), 'EasyWeChat and RoutineTemplate with one token');
    $ours = Account::officialAccount()->accessToken();
    expect($official::application(true)['access_token']->getToken() === $ours, 'the same for the official account');
    redirectEasyWeChat();
    $mini::SubscribenoticeService()->getTemplateList();
    $container['mini_program.access_token']->getToken(true);
    $token = $container['mini_program.access_token']->getToken();
    expect($token === Account::miniProgram()->accessToken(), 'one token after a forced refresh, too');
    return '小程序与公众号各用一个 / one for each account';
});

Db::startTrans();
try {
    $uid = (int)Db::name('user')->insertGetId(['account' => 'routine_template_try', 'nickname' => '试用', 'user_type' => 'routine']);
    Db::name('wechat_user')->insert(['uid' => $uid, 'openid' => $openid, 'user_type' => 'routine']);
    Db::name('wechat_user')->insert(['uid' => $uid, 'openid' => $follower, 'user_type' => 'wechat']);
    require __DIR__ . '/try-notices.php';
} finally {
    Db::rollback();
}
exit($failures === 0 ? 0 : 1);
