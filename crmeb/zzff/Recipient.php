<?php

declare(strict_types=1);

namespace RoutineTemplate\Crmeb\Zzff;

use RoutineTemplate\RefusedException;
use think\Db;

/**
 * 收件人与点击后打开的页面。商城的代码总是给出公众号的 openid 和网页地址；发到小程序时换成小程序的。
 * Who gets the message and what a tap opens. The shop's code always gives the openid of the official account and a web address;
 * for the mini program both are replaced by its own.
 */
final class Recipient
{
    private function __construct()
    {
    }

    /**
     * @throws RefusedException 40003：该用户没有用过小程序 / this user has never opened the mini program
     */
    public static function openid(string $openid): string
    {
        if (Settings::channel() !== 'subscribe') {
            return $openid;
        }
        $user = Db::name('WechatUser')->where('openid|routine_openid', $openid)->field('routine_openid')->find();
        $routineOpenid = $user ? (string)$user['routine_openid'] : '';
        if ($routineOpenid === '') {
            throw new RefusedException(
                'invalid openid：eb_wechat_user 中该用户没有 routine_openid，即没有用过小程序 / the user has no routine_openid in '
                . 'eb_wechat_user: he has never opened the mini program',
                40003
            );
        }
        return $routineOpenid;
    }

    public static function page(string $link, string $tempkey): ?string
    {
        if (Settings::channel() === 'subscribe') {
            $isWebPage = preg_match('#^(https?:)?//#i', $link) === 1;
            $link = Settings::page($tempkey) ?? ($isWebPage ? '' : $link);
        }
        return $link === '' ? null : $link;
    }
}
