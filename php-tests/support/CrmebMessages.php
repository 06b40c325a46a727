<?php

declare(strict_types=1);

namespace RoutineTemplate\Tests;

/**
 * The subscribe messages that CRMEB v5 builds, as its RoutineTemplateListService builds them: the same keys, the same
 * prefixes and suffixes, the same PHP types. The template contents are those that CRMEB installs.
 */
final class CrmebMessages
{
    private const NOW = 1795228200; // 2026-11-21 10:30:00 in Shanghai

    /**
     * Every message for one set of texts.
     *
     * @return array<string, array{string, array<string, mixed>, string}> mark => content, data, link
     */
    public static function all(string $title, string $nickname, string $reason): array
    {
        $order = 'cp' . date('YmdHis', self::NOW) . '123456';
        $details = '/pages/goods/order_details/index?order_id=' . $order;
        $now = date('Y-m-d H:i:s', self::NOW);
        return [
            'order_pay_success' => [
                "付款单号{{character_string1.DATA}}\n付款金额{{amount2.DATA}}\n付款时间{{date3.DATA}}",
                ['character_string1' => $order, 'amount2' => '1299.00' . '元', 'date3' => $now], $details,
            ],
            'member_order_pay_success' => [
                "付款单号{{character_string1.DATA}}\n付款金额{{amount2.DATA}}\n付款时间{{date3.DATA}}",
                ['character_string1' => 'hy' . $order, 'amount2' => 0.01 . '元', 'date3' => $now], '/pages/annex/vip_paid/index',
            ],
            'order_postage_success' => [
                "快递单号{{character_string2.DATA}}\n快递公司{{thing1.DATA}}\n发货时间{{time3.DATA}}\n订单商品{{thing5.DATA}}",
                ['character_string2' => 'SF1503832222220', 'thing1' => '顺丰速运（华南分拨中心深圳宝安沙井营业点）', 'time3' => $now, 'thing5' => $title],
                $details,
            ],
            'order_deliver_success' => [
                "商品信息{{thing8.DATA}}\n订单编号{{character_string1.DATA}}\n配送人{{name4.DATA}}\n配送员电话{{phone_number10.DATA}}",
                ['thing8' => $title, 'character_string1' => $order, 'name4' => '骑手007张师傅（蜂鸟专送）', 'phone_number10' => 13800138000],
                $details,
            ],
            'order_takeover' => [
                "订单类型{{thing1.DATA}}\n订单商品{{thing2.DATA}}\n收货时间{{date5.DATA}}",
                ['thing1' => $order, 'thing2' => $title, 'date5' => $now], $details,
            ],
            'order_refund_applied' => [
                "订单编号{{character_string4.DATA}}\n申请时间{{date5.DATA}}\n订单金额{{amount2.DATA}}\n退款状态{{phrase7.DATA}}\n备注{{thing8.DATA}}",
                ['character_string4' => $order, 'date5' => $now, 'amount2' => 1299.5, 'phrase7' => '申请退款中', 'thing8' => '请及时处理'], '',
            ],
            'order_refund_success' => [
                "退款状态{{thing1.DATA}}\n退款商品{{thing2.DATA}}\n退款金额{{amount3.DATA}}\n退款单号{{character_string6.DATA}}",
                ['thing1' => '已成功退款', 'thing2' => $title, 'amount3' => '1299.00', 'character_string6' => $order], "$details&isReturen=1",
            ],
            'order_refund_fail' => [
                "退款状态{{thing1.DATA}}\n退款商品{{thing2.DATA}}\n退款金额{{amount3.DATA}}\n退款单号{{character_string6.DATA}}",
                ['thing1' => '退款失败', 'thing2' => $title, 'amount3' => 99, 'character_string6' => $order], "$details&isReturen=1",
            ],
            'recharge_success' => [
                "交易单号{{character_string1.DATA}}\n充值金额{{amount3.DATA}}\n账户余额{{amount4.DATA}}\n充值时间{{date5.DATA}}",
                ['character_string1' => 'cz' . $order, 'amount3' => '500.00', 'amount4' => '12,345.60', 'date5' => $now],
                '/pages/users/user_bill/index?type=2',
            ],
            'bargain_success' => [
                "商品名称{{thing1.DATA}}\n底价{{amount2.DATA}}\n备注{{thing3.DATA}}",
                ['thing1' => $title, 'amount2' => 9.9, 'thing3' => '恭喜您，已经砍到最低价了'],
                '/pages/activity/goods_bargain_details/index?id=7&bargain=42',
            ],
            'order_user_groups_success' => [
                "活动名称{{thing1.DATA}}\n团长{{thing12.DATA}}\n开团时间{{date5.DATA}}\n成团人数{{number2.DATA}}",
                ['thing1' => $title, 'thing12' => $nickname, 'date5' => $now, 'number2' => 3], $details,
            ],
            'send_order_pink_fail' => [
                "商品名称{{thing2.DATA}}\n拼团人数{{thing1.DATA}}\n备注{{thing3.DATA}}",
                ['thing2' => $title, 'thing1' => 5, 'thing3' => $reason], $details,
            ],
            'integral_accout' => [
                "订单编号{{character_string2.DATA}}\n商品名称{{thing3.DATA}}\n支付金额{{amount4.DATA}}\n获得积分{{number5.DATA}}\n累计积分{{number6.DATA}}",
                ['character_string2' => $order, 'thing3' => $title, 'amount4' => '1299.00', 'number5' => 12, 'number6' => 3456.0],
                '/pages/users/user_integral/index',
            ],
            'order_brokerage' => [
                "收益时间{{time1.DATA}}\n商品名称{{thing2.DATA}}\n收益金额{{amount4.DATA}}",
                ['thing2' => $title, 'amount4' => '12.34元', 'time1' => $now], '/pages/users/user_spread_user/index',
            ],
            'bind_spread_uid' => [
                "新成员{{name3.DATA}}\n加入时间{{date4.DATA}}",
                ['name3' => $nickname . '加入您的团队', 'date4' => $now], '/pages/users/user_spread_user/index',
            ],
            'user_extract' => [
                "提现状态{{thing1.DATA}}\n提现金额{{amount2.DATA}}\n提现账号{{thing3.DATA}}\n提现时间{{date4.DATA}}",
                ['thing1' => '提现成功', 'amount2' => '88元', 'thing3' => $nickname, 'date4' => $now],
                '/pages/users/user_spread_money/index?type=1',
            ],
            'user_balance_change' => [
                "提现状态{{thing1.DATA}}\n提现金额{{amount2.DATA}}\n提现账号{{thing3.DATA}}\n提现时间{{date4.DATA}}",
                ['thing1' => '提现失败：' . $reason, 'amount2' => '88.00元', 'thing3' => $nickname, 'date4' => $now],
                '/pages/users/user_spread_money/index?type=1',
            ],
            'revenue_received' => [
                "单号{{character_string1.DATA}}\n类型{{thing7.DATA}}\n金额{{amount3.DATA}}\n时间{{time10.DATA}}",
                ['character_string1' => $order, 'thing7' => '平台发放佣金', 'amount3' => 66.6, 'time10' => $now],
                '/pages/users/user_spread_money/receiving?id=' . $order . '&type=1',
            ],
            'admin_pay_success_code' => [
                "订单商品{{thing2.DATA}}\n订单金额{{amount3.DATA}}\n订单编号{{character_string4.DATA}}\n订单时间{{date6.DATA}}\n订单类型{{thing1.DATA}}",
                ['thing2' => $title, 'amount3' => 1299, 'character_string4' => $order, 'date6' => $now, 'thing1' => '普通订单'], '',
            ],
            'admin_write_off' => [
                "商品名称{{thing2.DATA}}\n订单号{{character_string3.DATA}}\n核销时间{{time4.DATA}}",
                ['thing2' => $title, 'character_string3' => $order, 'time4' => $now], '',
            ],
        ];
    }

    /** @return array<string, array{string, string, string}> name => product title, nickname, free-text reason */
    public static function texts(): array
    {
        return [
            'plain texts' => ['云南高原红富士苹果', '小海', '拼团人数不足'],
            'long texts' => [
                '【官方旗舰店】云南高原红富士苹果5kg礼盒装顺丰包邮坏果包赔', '一个名字特别特别长的微信用户昵称呀呀呀呀呀', '很抱歉，由于您填写的银行卡信息与实名认证信息不一致，本次提现无法处理',
            ],
            'emoji' => ['🍎云南🇨🇳苹果👨‍👩‍👧‍👦家庭装1️⃣箱装👍🏽超值装🎁礼盒装', '🌸小仙女👩‍❤️‍👨🇨🇳🏴󠁧󠁢󠁥󠁮󠁧󠁿', '😭😭😭不想要了😭😭😭不想要了😭😭😭不想要了'],
            'emoji only' => ['🍎🍎🍎', '👨‍👩‍👧‍👦🇨🇳👍🏽', '😭'],
            'newlines and control characters' => ["苹果\n礼盒\r\n\t5kg\x0b", "小\n海\t", "第一行\n第二行\r\n\r\n第四行\x00完"],
            'Latin letters, digits and symbols' => ['Apple iPhone 17 Pro Max 256GB (A3297) – Cosmic Orange', 'user_410774@#$%', "Don't want it any more; bought the wrong one & too late <b>"],
            'an empty nickname' => ['云南高原红富士苹果', '', '拼团人数不足'],
            'blanks around' => ['  苹果  ', ' 小海 ', '　　人数不足　　'],
            'full-width and rare characters' => ['ＡＢＣ苹果①㎏㊣𠮷野家牛肉飯①②③④⑤⑥⑦⑧⑨⑩', '𠮷田ゆき·玛丽', '買家要求“取消”——無需理由……'],
            'Arabic, Thai and combining marks' => ['تفاح أحمر من المزرعة العضوية', 'กำลังใจที่รัก', "e\u{301}e\u{301}e\u{301} Z\u{335}\u{321}a\u{322}l\u{327}go\u{301}\u{302}\u{303}"],
        ];
    }
}
