<?php

declare(strict_types=1);

namespace RoutineTemplate\Crmeb\Zzff;

use RoutineTemplate\Crmeb\Account;
use RoutineTemplate\Crmeb\ShopLog;
use RoutineTemplate\Exception;

/**
 * RoutineServer::get_access_token() 与 RoutineTemplate 共用一个 access_token（改动点 S2）。
 * RoutineServer::get_access_token() and RoutineTemplate use one access_token (seam S2).
 */
final class ServerToken
{
    private function __construct()
    {
    }

    /** null：请使用商城原来的代码 / null: run the shop's own code. */
    public static function officialAccount(): ?string
    {
        $app = Account::officialAccount();
        if ($app === null) {
            return null;
        }
        try {
            return $app->accessToken();
        } catch (Exception $failed) {
            ShopLog::error('没有取得 access_token，使用商城原来的代码 / no token, the shop\'s own code runs：' . $failed->getMessage());
            return null;
        }
    }
}
