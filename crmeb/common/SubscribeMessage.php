<?php

declare(strict_types=1);

namespace RoutineTemplate\Crmeb;

use EasyWeChat\Core\Exceptions\InvalidArgumentException;
use EasyWeChat\Support\Collection;
use RoutineTemplate\ConfigException;
use RoutineTemplate\TransportException;

/**
 * 小程序订阅消息（改动点 S1）：代替 MiniProgramService::sendSubscribeTemlate() 的内容，返回值与异常不变。
 * Subscribe messages of the mini program (seam S1), instead of the body of MiniProgramService::sendSubscribeTemlate(); what it
 * returns and throws stays as it was.
 */
final class SubscribeMessage
{
    private function __construct()
    {
    }

    /** false：请使用商城原来的代码 / false: run the shop's own code. */
    public static function isReady(): bool
    {
        return Account::miniProgram() !== null;
    }

    /**
     * 立即发送一条。
     * Sends one now.
     *
     * @param array<string, mixed> $data ['thing1' => 'x']、['thing1' => ['value' => 'x']]、['thing1' => ['x', '#173177']]
     * @param string|null $link 没有链接的消息也能发送 / a message without a link can be sent, too
     *
     * @return Collection 有 errcode (0)、errmsg、msgid；可能已送达而没有结果的 errcode 为 -1 / with errcode (0), errmsg, msgid; -1
     *                    where there is no verdict and it may have arrived
     *
     * @throws Refusal 微信拒绝；getCode() 为 errcode / WeChat refused; getCode() is the errcode
     * @throws InvalidArgumentException openid 或模板 ID 为空，与 EasyWeChat 相同 / as EasyWeChat throws for an empty one
     * @throws TransportException 肯定没有发出 / certainly not sent
     * @throws ConfigException 账号有误 / something is wrong with the account
     */
    public static function send(string $openid, string $templateId, array $data, ?string $link = ''): Collection
    {
        return Immediate::send(Account::miniProgram(), $openid, $templateId, $data, $link);
    }
}
