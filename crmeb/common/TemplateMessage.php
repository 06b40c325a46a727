<?php

declare(strict_types=1);

namespace RoutineTemplate\Crmeb;

use EasyWeChat\Core\Exceptions\InvalidArgumentException;
use EasyWeChat\Support\Collection;
use RoutineTemplate\ConfigException;
use RoutineTemplate\TransportException;

/**
 * 公众号模板消息（改动点 S8）：代替 WechatService::sendTemplate() 的内容，返回值与异常不变。
 * Template messages of the official account (seam S8), instead of the body of WechatService::sendTemplate(); what it returns and
 * throws stays as it was.
 */
final class TemplateMessage
{
    private function __construct()
    {
    }

    /** false：请使用商城原来的代码 / false: run the shop's own code. */
    public static function isReady(): bool
    {
        return Account::officialAccount() !== null;
    }

    /**
     * 立即发送一条。颜色不再传递：微信自 2023-05-04 起不显示。
     * Sends one now. Colours are left out: WeChat has not shown any since 2023-05-04.
     *
     * @param string|int|null $openid
     * @param string|int|null $templateId
     * @param array<string, mixed> $data
     * @param string|null $url 完整网址 / a whole address
     * @param bool|int $toMiniProgram 打开小程序的同名页面 / whether a tap opens that page of the mini program
     *
     * @throws Refusal 微信拒绝；getCode() 为 errcode / WeChat refused; getCode() is the errcode
     * @throws InvalidArgumentException openid 或模板 ID 为空，与 EasyWeChat 相同 / as EasyWeChat throws for an empty one
     * @throws TransportException 肯定没有发出 / certainly not sent
     * @throws ConfigException 账号有误 / something is wrong with the account
     */
    public static function send($openid, $templateId, array $data, ?string $url = null, $toMiniProgram = false): Collection
    {
        $options = self::options($url, (bool)$toMiniProgram);
        return Immediate::send(Account::officialAccount(), $openid, $templateId, $data, $url, $options);
    }

    /**
     * send() 与 queue() 的选项。
     * The options for send() and queue().
     *
     * @return array<string, mixed>
     */
    public static function options(?string $url, bool $toMiniProgram): array
    {
        $options = ['channel' => 'template'];
        $appid = $toMiniProgram ? Account::setting('routine_appId') : '';
        if ($appid !== '' && $url !== null && $url !== '') {
            $page = str_replace(Account::setting('site_url'), '', $url);
            $options['miniprogram'] = ['appid' => $appid, 'pagepath' => ltrim($page, '/')];
        }
        return $options;
    }
}
