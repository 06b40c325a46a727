<?php

declare(strict_types=1);

// The part of try.php that needs rows in the shop's database; runs inside its transaction.

use app\jobs\TemplateJob;
use EasyWeChat\Support\Collection;
use RoutineTemplate\Crmeb\Account;
use RoutineTemplate\Crmeb\TemplateRows;
use think\facade\Db;

$inNotification = in_array('routine_tempid', Db::name('system_notification')->getTableFields(), true);
$linked = in_array('routine_id', Db::name('system_notification')->getTableFields(), true);
$notice = Db::name('system_notification')->where('mark', 'order_pay_success')->find();
Db::name('system_notification')->where('id', $notice['id'])->update(['is_routine' => 1, 'is_wechat' => 1, 'is_system' => 0, 'is_sms' => 0]);
if ($inNotification) {
    Db::name('system_notification')->where('id', $notice['id'])->update(['routine_tempid' => $paid, 'wechat_tempid' => $officialPaid]);
} elseif ($linked) {
    Db::name('template_message')->where('id', $notice['routine_id'])->update(['tempid' => $paid]);
    Db::name('template_message')->where('id', $notice['wechat_id'])->update(['tempid' => $officialPaid]);
} else {
    Db::name('template_message')->where('tempkey', '1927')->where('type', 0)->update(['tempid' => $paid, 'status' => 1]);
    $code = think\facade\Config::get('template.stores.wechat.template_id.ORDER_PAY_SUCCESS');
    Db::name('template_message')->where('tempkey', $code)->where('type', 1)->update(['tempid' => $officialPaid, 'status' => 1]);
}
TemplateRows::forgetCached();
$identifier = $inNotification ? $paid : ($linked ? 'order_pay_success' : 'ORDER_PAY_SUCCESS');

seam('S5 job', static function () use ($identifier, $openid, $data): ?string {
    if (!isPatched(TemplateJob::class, 'Outbox')) {
        return null;
    }
    $before = count(accepted($openid));
    $done = (new TemplateJob())->doJob('subscribe', $openid, $identifier, $data, 'pages/index/index', null);
    expect($done === true, 'true, so that BaseJobs deletes the job');
    expect(Account::miniProgram()->flush(10000) === 0, 'an empty outbox');
    expect(count(accepted($openid)) === $before + 1, 'one message more at WeChat');
    return '已存下并送达 / stored and delivered';
});

seam('S6 order paid', static function () use ($uid, $openid, $follower): ?string {
    if (!isPatched(app\services\message\notice\RoutineTemplateListService::class, 'Outbox')) {
        return null;
    }
    $order = 'cp' . random_int(10 ** 12, 10 ** 13);
    $event = ['uid' => $uid, 'id' => 1, 'order_id' => $order, 'pay_price' => '12.30', 'user_phone' => '', 'cart_id' => '',
        'storeName' => '云南高原红富士苹果', 'total_num' => 1, 'is_channel' => 1, 'pay_type' => 'weixin', 'add_time' => time(), 'pay_time' => time(),
        'send_name' => '试用', 'real_name' => '试用', 'user_address' => '试用'];
    $mini = count(accepted($openid));
    $official = count(accepted($follower));
    $started = microtime(true);
    // Twice, as when WeChat Pay notifies a second time.
    for ($i = 0; $i < 2; $i++) {
        event(class_exists('app\listener\notice\NoticeListener') ? 'NoticeListener' : 'notice.notice', [$event, 'order_pay_success']);
    }
    $took = (microtime(true) - $started) / 2;
    expect(Account::miniProgram()->flush(10000) === 0, 'an empty outbox');
    expect(count(accepted($openid)) === $mini + 1, 'the notice once at the mini program, got ' . (count(accepted($openid)) - $mini));
    expect(Account::miniProgram()->deliveries(['key' => 'order_pay_success:' . $order]) !== [], 'the delivery under its order');
    Account::officialAccount()->flush(10000);
    return sprintf('%.1f ms；公众号 / official account +%d', $took * 1000, count(accepted($follower)) - $official);
});

seam('S6 custom notice', static function () use ($uid, $openid, $paid): ?string {
    $listener = 'app\listener\notice\CustomNoticeListener';
    if (!class_exists($listener) || !isPatched($listener, 'Outbox')) {
        return null;
    }
    // Without a link, as the back office leaves it: the shop's own code cannot send these.
    Db::name('system_notification')->insert([
        'mark' => 'try_custom', 'name' => '试用', 'title' => '试用', 'type' => 3, 'custom_trigger' => 'order_pay_success', 'is_routine' => 1,
        'routine_tempid' => $paid, 'routine_link' => '', 'add_time' => time(),
        'routine_data' => json_encode([['key' => 'character_string1', 'value' => 'order_id'], ['key' => 'amount2', 'value' => 'pay_price'],
            ['key' => 'date3', 'value' => 'time']]),
    ]);
    $before = count(accepted($openid));
    event('CustomNoticeListener', [$uid, ['order_id' => 'cp1', 'pay_price' => '12.30', 'time' => date('Y-m-d H:i:s')], 'order_pay_success']);
    expect(Account::miniProgram()->flush(10000) === 0, 'an empty outbox');
    expect(count(accepted($openid)) === $before + 1, 'one message more at WeChat');
    return '没有链接也送达 / delivered without a link';
});

seam('S7 push', static function () use ($shop, $mini, $openid, $refused): ?string {
    $hook = method_exists($mini, 'hook') ? new ReflectionMethod($mini, 'hook') : null;
    if ($hook === null || !isPatched($mini, 'PushEvents')) {
        // 4.x: a route of its own, which only WeChat (or the fake one) can sign for.
        $routes = (string)file_get_contents($shop . '/app/api/route/v1.php');
        return strpos($routes, 'PushEvents@serve') > 0 ? '路由已添加 / its route is there' : null;
    }
    $server = new class {
        public $handler;
        public function setMessageHandler(callable $handler): void
        {
            $this->handler = $handler;
        }
    };
    $hook->setAccessible(true);
    $hook->invoke(null, $server);
    $before = Account::miniProgram()->grants($openid, $refused)['accepted'];
    // As EasyWeChat makes it of a JSON push with one item.
    ($server->handler)(new Collection([
        'ToUserName' => 'gh_000000000000', 'FromUserName' => $openid, 'CreateTime' => (string)time(), 'MsgType' => 'event',
        'Event' => 'subscribe_msg_popup_event',
        'List' => ['item' => ['id' => '0', 'TemplateId' => $refused, 'SubscribeStatusString' => 'accept', 'PopupScene' => '0']],
    ]));
    expect(Account::miniProgram()->grants($openid, $refused)['accepted'] === $before + 1, 'one grant more');
    return '已记入账本 / in the ledger';
});

seam('S8 official account', static function () use ($official, $follower, $officialPaid, $officialData): ?string {
    if (!isPatched($official, 'TemplateMessage')) {
        return null;
    }
    $before = count(accepted($follower));
    $answer = $official::sendTemplate($follower, $officialPaid, $officialData, 'https://shop.example.com/');
    expect($answer['errcode'] === 0 && count(accepted($follower)) === $before + 1, 'one message more at WeChat');
    return 'msgid ' . $answer['msgid'];
});

seam('S9 sync', static function () use ($application): ?string {
    $controller = 'app\adminapi\controller\v1\application\routine\RoutineTemplate';
    if (!isPatched($controller, 'TemplateSync')) {
        return null;
    }
    $response = (new ReflectionClass($controller))->newInstanceWithoutConstructor()->syncSubscribe();
    $first = $response->getData()['msg'];
    $ids = array_filter(array_column(TemplateRows::all(), 'routine_tempid', 'id'));
    (new ReflectionClass($controller))->newInstanceWithoutConstructor()->syncSubscribe();
    expect($ids !== [] && $ids === array_filter(array_column(TemplateRows::all(), 'routine_tempid', 'id')), 'the same ids after a second run');
    return $first;
});
