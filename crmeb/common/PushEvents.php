<?php

declare(strict_types=1);

namespace RoutineTemplate\Crmeb;

use RoutineTemplate\App;
use RoutineTemplate\ConfigException;
use RoutineTemplate\StoreException;
use think\Request;
use think\Response;

/**
 * 微信的消息推送（改动点 S7）：用户允许、拒绝，以及是否送达，记入授权账本与发送记录。
 * WeChat's message push (seam S7): what users allow and refuse, and what arrived, goes into the ledger and the delivery rows.
 */
final class PushEvents
{
    /**
     * 放在 MiniProgramService::hook() 的消息处理函数开头；与授权、送达无关的消息不受影响，商城自己的处理照常进行。
     * First line of the handler in MiniProgramService::hook(). Other messages are left alone, and the shop's own handling goes on.
     *
     * @param array<string, mixed>|object|string $message 商城已验证并解密的消息 / a message that the shop has verified and decrypted
     */
    public static function record($message): void
    {
        self::recordFor(Account::miniProgram(), $message);
    }

    /**
     * 公众号：放在 WechatService::hook() 的消息处理函数开头。
     * The official account: first line of the handler in WechatService::hook().
     *
     * @param array<string, mixed>|object|string $message
     */
    public static function recordOfficial($message): void
    {
        self::recordFor(Account::officialAccount(), $message);
    }

    /**
     * 没有接收地址的版本（4.x）的整个接口：Route::any('wechat/miniServe', '\RoutineTemplate\Crmeb\PushEvents@serve')。
     * The whole route for versions that have none (4.x).
     *
     * Token 与 EncodingAESKey 取自后台的 routine_token、routine_encodingaeskey，没有则取自 php.ini 的 routine_template.push_token、
     * routine_template.push_aes_key。
     * Token and EncodingAESKey are the shop's settings of these names, or else those of php.ini.
     */
    public function serve(Request $request): Response
    {
        $app = Account::miniProgram();
        if ($app === null) {
            return Response::create('RoutineTemplate 不可用 / not usable', 'html', 503);
        }
        try {
            $keys = array_filter([
                'push_token' => Account::setting('routine_token'),
                'push_aes_key' => Account::setting('routine_encodingaeskey'),
            ]);
            if ($keys !== []) {
                $app->configure($keys);
            }
            $push = $app->handlePush($request->get(), (string)$request->getInput());
        } catch (ConfigException | StoreException $failed) {
            // Anything but 200 makes WeChat push it again.
            ShopLog::error('小程序消息推送未处理 / a push was not handled：' . $failed->getMessage());
            return Response::create('', 'html', 500);
        }
        if ($push['hint'] !== '' && $push['kind'] === 'refused') {
            ShopLog::error('小程序消息推送被拒绝 / a push was refused：' . $push['hint']);
        }
        return Response::create($push['reply'], 'html', $push['status']);
    }

    /** @param array<string, mixed>|object|string $message */
    private static function recordFor(?App $app, $message): void
    {
        if ($app === null) {
            return;
        }
        try {
            $app->recordEvent($message);
        } catch (\Throwable $failed) {
            // What the shop makes of the message must not depend on the ledger.
            ShopLog::error('推送未记入授权账本 / a push is not in the ledger：' . $failed->getMessage());
        }
    }
}
