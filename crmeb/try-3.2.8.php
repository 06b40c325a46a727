<?php

declare(strict_types=1);

// What try.sh runs for CRMEB 3.2.8: boots the shop with its own framework and calls its own methods at every seam.

use app\models\routine\RoutineTemplate as Notices;
use app\models\user\WechatUser;
use crmeb\services\MiniProgramService;
use crmeb\services\WechatService;
use crmeb\services\WechatTemplateService;
use EasyWeChat\Core\Exceptions\HttpException;
use EasyWeChat\Support\Collection;
use RoutineTemplate\Crmeb\Account;
use RoutineTemplate\Crmeb\Availability;
use think\facade\Db;

[, $shop, $readyFile] = $argv;
$ready = json_decode((string)file_get_contents($readyFile), true);
chdir($shop . '/public');
require $shop . '/vendor/autoload.php';
$application = new think\App();
$application->initialize();
require __DIR__ . '/try-support.php';

echo 'PHP ', PHP_VERSION, '，CRMEB 3.2.8', "\n";
requireShop(['routine_appId', 'wechat_appid'], [Db::class, 'query']);
$openid = 'oTryBuyer' . bin2hex(random_bytes(9)) . '1';
$follower = 'oTryFollow' . bin2hex(random_bytes(8)) . '12';
foreach ([['routine_appId', 'routine_appsecret', 'miniprogram', $openid], ['wechat_appid', 'wechat_appsecret', 'official', $follower]] as $names) {
    $appid = Account::setting($names[0]);
    admin('account', ['appid' => $appid, 'secret' => Account::setting($names[1]), 'kind' => $names[2]]);
    admin('user', ['appid' => $appid, 'openid' => $names[3]]);
}
$content = "付款单号{{character_string1.DATA}}\n付款金额{{amount2.DATA}}\n付款时间{{date3.DATA}}";
$paid = template(Account::setting('routine_appId'), $openid, $content, 5);
$refused = template(Account::setting('routine_appId'), $openid, $content, 0);
$official = "{{first.DATA}}\n订单编号：{{keyword1.DATA}}\n支付金额：{{keyword2.DATA}}\n{{remark.DATA}}";
$officialPaid = template(Account::setting('wechat_appid'), $follower, $official, 5);
$data = ['character_string1' => 'wx' . random_int(100000, 999999), 'amount2' => '99.00元', 'date3' => date('Y-m-d H:i:s')];
$officialData = ['first' => '亲，您购买的商品已支付成功', 'keyword1' => $data['character_string1'], 'keyword2' => '99.00', 'remark' => '点击查看订单详情'];

seam('RoutineTemplate', static function (): string {
    expect(Availability::isUsable(), 'extension or FFI (see the shop\'s log)');
    return (extension_loaded('routine_template') ? '扩展 / extension ' : 'FFI ') . RoutineTemplate::version();
});

seam('S1 send', static function () use ($openid, $paid, $refused, $data): ?string {
    if (!isPatched(MiniProgramService::class, 'SubscribeMessage')) {
        return null;
    }
    $answer = MiniProgramService::sendSubscribeTemlate($openid, $paid, $data, null);
    expect($answer instanceof Collection && $answer['errcode'] === 0 && (bool)$answer, 'a truthy Collection with errcode 0');
    expect(count(accepted($openid)) === 1, 'one message at WeChat');
    try {
        MiniProgramService::sendSubscribeTemlate($openid, $refused, $data, 'pages/index/index');
    } catch (HttpException $thrown) {
        expect($thrown->getCode() === 43101, 'HttpException 43101');
        return 'msgid ' . $answer['msgid'] . '；43101 → HttpException';
    }
    throw new RuntimeException('expected: HttpException for a message without a grant');
});

seam('S2 token', static function (): ?string {
    if (!isPatched(MiniProgramService::class, 'SharedTokenCache')) {
        return null;
    }
    $token = MiniProgramService::application(true)['mini_program.access_token']->getToken();
    expect($token === Account::miniProgram()->accessToken(), 'EasyWeChat and RoutineTemplate with one token');
    $ours = Account::officialAccount()->accessToken();
    expect(WechatService::application(true)['access_token']->getToken() === $ours, 'the same for the official account');
    redirectEasyWeChat();
    expect(MiniProgramService::SubscribenoticeService()->getTemplateCate()['errcode'] === 0, 'a call of EasyWeChat with that token');
    return '小程序与公众号各用一个 / one for each account';
});

seam('S8 template message', static function () use ($follower, $officialPaid, $officialData): ?string {
    if (!isPatched(WechatService::class, 'TemplateMessage')) {
        return null;
    }
    $answer = WechatService::sendTemplate($follower, $officialPaid, $officialData, 'https://shop.example.com/order/1');
    expect($answer instanceof Collection && $answer['errcode'] === 0, 'a Collection with errcode 0');
    expect(count(accepted($follower)) === 1, 'one message at WeChat');
    return 'msgid ' . $answer['msgid'];
});

Db::startTrans();
try {
    $uid = (int)Db::name('user')->max('uid') + 1000000;
    WechatUser::create(['uid' => $uid, 'openid' => $follower, 'routine_openid' => $openid, 'nickname' => '试用', 'user_type' => 'routine']);
    Db::name('template_message')->where('type', 0)->where('tempkey', '1927')->update(['tempid' => $paid, 'status' => 1]);
    $tempkey = WechatTemplateService::ORDER_PAY_SUCCESS;
    Db::name('template_message')->where('type', 1)->where('tempkey', $tempkey)->update(['tempid' => $officialPaid, 'status' => 1]);

    seam('S6 order paid', static function () use ($uid, $openid): ?string {
        if (!isPatched(Notices::class, 'Outbox')) {
            return null;
        }
        $order = 'wx' . random_int(10 ** 12, 10 ** 13);
        $before = count(accepted($openid));
        // Twice, as when WeChat Pay notifies a second time.
        for ($i = 0; $i < 2; $i++) {
            expect((bool)Notices::sendOrderSuccess($uid, '12.30', $order), 'true');
        }
        expect(Account::miniProgram()->flush(10000) === 0, 'an empty outbox');
        expect(count(accepted($openid)) === $before + 1, 'one message more at WeChat');
        return '支付回调两次，通知一条 / notified twice, sent once';
    });

    seam('S6 official account', static function () use ($follower, $officialData): ?string {
        if (!isPatched(WechatTemplateService::class, 'Outbox')) {
            return null;
        }
        $before = count(accepted($follower));
        $link = 'https://shop.example.com/order/detail/1';
        expect((bool)WechatTemplateService::sendTemplate($follower, WechatTemplateService::ORDER_PAY_SUCCESS, $officialData, $link), 'true');
        expect(Account::officialAccount()->flush(10000) === 0, 'an empty outbox');
        $messages = accepted($follower);
        expect(count($messages) === $before + 1, 'one message more at WeChat');
        expect(end($messages)['body']['url'] === $link, 'the address as the shop made it');
        return '已存下并送达 / stored and delivered';
    });
} finally {
    Db::rollback();
}
exit($failures === 0 ? 0 : 1);
