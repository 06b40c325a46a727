<?php

declare(strict_types=1);

namespace RoutineTemplate\Crmeb;

use RoutineTemplate\ConfigException;
use RoutineTemplate\StoreException;
use think\facade\Db;
use think\Request;
use think\Response;

/**
 * 小程序前端上报 wx.requestSubscribeMessage 的结果（改动点 S11）。
 * The front end reports what wx.requestSubscribeMessage answered (seam S11).
 *
 * 路由 / the route: Route::post('wechat/subscribe_result', '\RoutineTemplate\Crmeb\GrantReport@record')
 * 前端 / the front end: request.post('wechat/subscribe_result', { result: res })
 */
final class GrantReport
{
    /**
     * 记入当前登录用户的账本。
     * Into the ledger of the user who is logged in.
     */
    public function record(Request $request): Response
    {
        $app = Account::miniProgram();
        $openid = $app === null ? '' : self::openid((int)$request->uid());
        if ($app === null || $openid === '') {
            // Nobody to record it for: the buyer's payment goes on all the same.
            return app('json')->success(['recorded' => []]);
        }
        $result = $request->post('result', []);
        $result = is_array($result) ? $result : (string)$result;
        try {
            $report = $app->recordGrants($openid, $result, ['templates' => self::templateIds()]);
        } catch (\ValueError $wrong) {
            return app('json')->fail($wrong->getMessage());
        } catch (ConfigException | StoreException $failed) {
            ShopLog::error('授权没有记下 / grants were not recorded：' . $failed->getMessage());
            return app('json')->fail('授权没有记下 / not recorded');
        }
        return app('json')->success(['recorded' => array_keys($report['recorded'])]);
    }

    private static function openid(int $uid): string
    {
        if ($uid <= 0) {
            return '';
        }
        $users = Db::name('wechat_user')->where('uid', $uid);
        // Up to 3.x a user is one row with an openid of either kind, from 4.0 on one row for each.
        return in_array('routine_openid', Db::name('wechat_user')->getTableFields(), true)
            ? (string)$users->value('routine_openid') : (string)$users->where('user_type', 'routine')->value('openid');
    }

    /**
     * 商城自己的模板；其他 ID 不记入。
     * The shop's own templates: no other id counts.
     *
     * @return list<string>
     */
    private static function templateIds(): array
    {
        return array_values(array_unique(array_filter(array_column(TemplateRows::all(), 'routine_tempid'))));
    }
}
