<?php

declare(strict_types=1);

namespace RoutineTemplate\Crmeb\Zzff;

use EasyWeChat\Support\Collection;
use RoutineTemplate\Crmeb\Account;
use RoutineTemplate\Crmeb\Refusal;
use RoutineTemplate\Crmeb\TemplateMessage;
use RoutineTemplate\Exception;
use RoutineTemplate\RefusedException;

/**
 * 公众号模板消息（改动点 S8）：代替 WechatService::sendTemplate() 的内容；设置 queue 为 true 时写入队列即返回。
 * Template messages of the official account (seam S8), instead of the body of WechatService::sendTemplate(). With the setting
 * queue they are stored, and the caller does not wait for WeChat.
 */
final class TemplateNotice
{
    private function __construct()
    {
    }

    /** false：请使用商城原来的代码 / false: run the shop's own code. */
    public static function isReady(): bool
    {
        return TemplateMessage::isReady();
    }

    /**
     * @param string|null $openid
     * @param string|null $templateId
     * @param array<string, mixed> $data
     * @param string|null $url 网页地址 / address of a web page
     *
     * @return Collection 有 errcode (0)、errmsg、msgid；入队时另有 queued / with errcode (0), errmsg, msgid; `queued` if it was queued
     *
     * @throws Refusal 微信拒绝；getCode() 为 errcode / WeChat refused; getCode() is the errcode
     * @throws Exception 肯定没有发出，或设置有误 / certainly not sent, or a wrong setting
     */
    public static function send($openid, $templateId, array $data, ?string $url = null): Collection
    {
        $app = Settings::queues() ? Account::officialAccount() : null;
        if ($app === null || (string)$openid === '' || (string)$templateId === '') {
            return TemplateMessage::send($openid, $templateId, $data, $url);
        }
        $url = $url === '' ? null : $url;
        try {
            $id = $app->queue($openid, $templateId, $data, $url, ['channel' => 'template', 'or_send' => true]);
        } catch (RefusedException $refused) {
            throw new Refusal(['errcode' => $refused->getCode(), 'errmsg' => $refused->getMessage()]);
        }
        return new Collection(['errcode' => 0, 'errmsg' => 'ok', 'msgid' => null, 'queued' => $id]);
    }
}
