<?php

// 订单支付成功后，通过小程序订阅消息通知买家。商品名称超过 20 个字也没关系：扩展会按微信的规则截短。
// Tells the buyer in a WeChat subscribe message that the order is paid. The product title may be too long: it is fitted.
//
// php -d extension=$PWD/build/routine_template.so -d routine_template.base_url=https://127.0.0.1:8443 \
//     -d routine_template.ca_file=/tmp/fake-wechat.pem -d routine_template.store=/tmp/fake-shop examples/order_paid.php
// 这里用的是模拟微信（./build.sh demo）的小程序；换成自己的 appid、secret、模板和 openid 即可。
// Account, template and buyer are those of the fake WeChat (./build.sh demo); put your own in their place.

RoutineTemplate::configure(['appid' => 'wxc0ffee0123456789', 'secret' => '0123456789abcdef0123456789abcdef']);

// 模板名称、模板 ID、模板内容：就是 CRMEB 表 eb_system_notification 里的 mark、routine_tempid、routine_content。
// Name, id and content of the template: mark, routine_tempid and routine_content of CRMEB's table eb_system_notification.
RoutineTemplate::registerTemplate(
    'order_pay_success',
    '0rdErPaid0000000000000000000000000000000001',
    "订单号{{character_string1.DATA}}\n支付金额{{amount2.DATA}}\n下单时间{{time3.DATA}}\n商品名称{{thing4.DATA}}"
);

$answer = RoutineTemplate::send('oDemoBuyer0000000000000000001', RoutineTemplate::templateId('order_pay_success'), [
    'character_string1' => 'wx' . date('YmdHis') . '0001',
    'amount2' => '128.50元',
    'time3' => date('Y-m-d H:i:s'),
    'thing4' => '【官方旗舰店】云南高原红富士苹果 5kg 礼盒装 顺丰包邮',
], '/pages/goods/order_details/index?order_id=10086');

echo json_encode($answer, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PRETTY_PRINT), "\n";
exit($answer['errcode'] === 0 ? 0 : 1);
