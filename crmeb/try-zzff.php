<?php

declare(strict_types=1);

// What try.sh runs for 知识付费: boots the shop with its own framework, ThinkPHP 5, and calls its own methods at every seam.

use app\admin\model\wechat\StoreService;
use app\wap\model\routine\RoutineServer;
use app\wap\model\routine\RoutineTemplate as Notices;
use EasyWeChat\Support\Collection;
use RoutineTemplate\Crmeb\Account;
use RoutineTemplate\Crmeb\Availability;
use RoutineTemplate\Crmeb\Zzff\Settings;
use service\RoutineTemplateService;
use service\WechatService;
use think\Cache;
use think\Db;

[, $shop, $readyFile] = $argv;
$ready = json_decode((string)file_get_contents($readyFile), true);
$_SERVER['SCRIPT_FILENAME'] = $shop . '/public/index.php';
chdir($shop . '/public');
define('APP_PATH', $shop . '/application/');
define('PUBILC_PATH', '/');
if (is_file($shop . '/application/constant.php')) {
    require $shop . '/application/constant.php';
}
require $shop . '/thinkphp/base.php';
think\App::initCommon();
require __DIR__ . '/try-support.php';

$version = is_file($shop . '/.version') ? trim((string)file_get_contents($shop . '/.version')) : '?';
echo 'PHP ', PHP_VERSION, '，CRMEB ', strtok(strtr($version, "\r", "\n"), "\n"), "\n";
requireShop(['wechat_appid'], [Db::class, 'query']);
$appid = Account::setting('wechat_appid');
$openid = 'oTryBuyer' . bin2hex(random_bytes(9)) . '1';
admin('account', ['appid' => $appid, 'secret' => Account::setting('wechat_appsecret'), 'kind' => 'official']);
admin('user', compact('appid', 'openid'));
$content = "订单编号{{character_string1.DATA}}\n订单金额{{amount3.DATA}}\n支付时间{{time2.DATA}}\n备注{{thing6.DATA}}";
$paid = template($appid, $openid, $content, 5);
$refused = template($appid, $openid, $content, 0);
$order = ['character_string1' => 'wx' . random_int(100000, 999999), 'amount3' => '99.00', 'time2' => date('Y-m-d H:i:s'), 'thing6' => '您购买的专题已支付成功！'];
$data = array_map(static function (string $value): array {
    return ['value' => $value];
}, $order);

seam('RoutineTemplate', static function (): string {
    expect(Availability::isUsable(), 'extension or FFI (see the shop\'s log)');
    return (extension_loaded('routine_template') ? '扩展 / extension ' : 'FFI ') . RoutineTemplate::version();
});

seam('S2 token', static function (): ?string {
    if (!isPatched(RoutineServer::class, 'Zzff\\ServerToken')) {
        return null;
    }
    $ours = Account::officialAccount()->accessToken();
    expect(RoutineServer::get_access_token() === $ours, 'RoutineServer and RoutineTemplate with one token');
    expect(WechatService::application(true)->access_token->getToken() === $ours, 'the same for EasyWeChat');
    return '公众号只有一个 / one for the account';
});

seam('S8 template message', static function () use ($appid, $openid): ?string {
    if (!isPatched(WechatService::class, 'Zzff\\TemplateNotice')) {
        return null;
    }
    $id = template($appid, $openid, "{{first.DATA}}\n订单编号：{{keyword1.DATA}}\n{{remark.DATA}}", 5);
    $answer = WechatService::sendTemplate($openid, $id, ['first' => '您好', 'keyword1' => 'wx1', 'remark' => '再见'], 'https://shop.example.com/');
    expect($answer instanceof Collection && $answer['errcode'] === 0, 'a Collection with errcode 0');
    Account::officialAccount()->flush(10000);
    expect(count(accepted($openid)) === 1, 'one message at WeChat');
    return 'Collection, errcode 0';
});

// A number that no user has: the shop caches openids by it.
$uid = (int)Db::name('User')->max('uid') + 1000000;
Db::startTrans();
try {
    Db::name('WechatUser')->insert(['uid' => $uid, 'openid' => $openid, 'nickname' => '试用']);
    StoreService::where('notify', 1)->update(['notify' => 0]);
    Db::name('StoreService')->insert(['uid' => $uid, 'notify' => 1, 'nickname' => '试用']);
    Db::name('RoutineTemplate')->where('tempkey', RoutineTemplateService::ORDER_PAY_SUCCESS)->delete();
    $row = ['tempkey' => RoutineTemplateService::ORDER_PAY_SUCCESS, 'name' => '试用', 'content' => $content, 'status' => 1];
    Db::name('RoutineTemplate')->insert($row + ['tempid' => $paid]);

    seam('S1 subscribe', static function () use ($uid, $openid, $refused, $data, $order): ?string {
        if (!isPatched(RoutineTemplateService::class, 'Zzff\\RoutineTemplateService')) {
            return null;
        }
        if (Settings::channel() !== 'bizsend') {
            return '设置为小程序，未试 / set to the mini program, not tried';
        }
        $before = count(accepted($openid));
        Notices::sendOrderSuccess($data, $uid, 'https://shop.example.com/wap/special/grade_list');
        Notices::sendAdminNoticeTemplate($data);
        expect(Account::officialAccount()->flush(10000) === 0, 'an empty outbox');
        $messages = accepted($openid);
        expect(count($messages) === $before + 2, 'the buyer\'s and the administrator\'s message at WeChat');
        expect(array_column(end($messages)['body']['data'], 'value') === array_values($order), 'what the shop said');
        if (!Settings::queues()) {
            expect(RoutineTemplateService::sendTemplate($openid, $refused, '', $data)['errcode'] === 43101, 'errcode 43101 without a grant');
        }
        return '买家与管理员各一条；43101 / one for the buyer, one for the administrator; 43101';
    });

    seam('S1 templates', static function () use ($paid): ?string {
        if (!isPatched(RoutineTemplateService::class, 'Zzff\\RoutineTemplateService')) {
            return null;
        }
        $list = RoutineTemplateService::getTemplateList();
        expect(in_array($paid, array_column($list['data'], 'priTmplId'), true), 'the template in the list');
        expect(RoutineTemplateService::getCategory()['errcode'] === 0, 'the categories');
        return count($list['data']) . ' 个模板 / templates';
    });
} finally {
    Db::rollback();
    Cache::rm('openid_' . $uid);
}
exit($failures === 0 ? 0 : 1);
