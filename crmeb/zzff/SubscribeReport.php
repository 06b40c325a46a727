<?php

declare(strict_types=1);

namespace RoutineTemplate\Crmeb\Zzff;

use RoutineTemplate\ConfigException;
use RoutineTemplate\Crmeb\Account;
use RoutineTemplate\Crmeb\ShopLog;
use RoutineTemplate\StoreException;
use think\Db;

/**
 * 网页上报 wx-open-subscribe 的结果（改动点 S11），记入当前登录用户的授权账本。
 * The shop's pages report what wx-open-subscribe answered (seam S11), into the ledger of the user who is logged in.
 */
final class SubscribeReport
{
    private function __construct()
    {
    }

    /**
     * 记不下时只写日志：用户的付款照常进行。
     * What cannot be recorded is only logged: the user's payment goes on.
     *
     * @param int|string $uid
     * @param mixed $result success 事件的 event.detail，JSON 字符串 / event.detail of the success event, as JSON
     *
     * @return list<string> 记入的模板 ID / template ids that were recorded
     */
    public static function record($uid, $result): array
    {
        $app = Account::officialAccount();
        $openid = $app === null || (int)$uid <= 0 ? '' : self::openid((int)$uid);
        if ($app === null || $openid === '') {
            return [];
        }
        try {
            $report = $app->recordGrants($openid, is_array($result) ? $result : (string)$result, ['templates' => ShopTemplates::ids()]);
            return array_map('strval', array_keys($report['recorded']));
        } catch (\ValueError | ConfigException | StoreException $failed) {
            ShopLog::error('授权没有记下 / grants were not recorded：' . $failed->getMessage());
            return [];
        }
    }

    private static function openid(int $uid): string
    {
        $user = Db::name('WechatUser')->where('uid', $uid)->field('openid')->find();
        return $user ? (string)$user['openid'] : '';
    }
}
