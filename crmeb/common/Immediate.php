<?php

declare(strict_types=1);

namespace RoutineTemplate\Crmeb;

use EasyWeChat\Core\Exceptions\InvalidArgumentException;
use EasyWeChat\Support\Collection;
use RoutineTemplate\App;
use RoutineTemplate\ConfigException;
use RoutineTemplate\TransportException;

/**
 * 立即发送一条，结果如商城原来的代码（改动点 S1、S8 共用）。
 * Sends one message now and answers as the shop's own code did; seams S1 and S8 share it.
 */
final class Immediate
{
    private function __construct()
    {
    }

    /**
     * 没有结果而可能已经送达的，写入日志并返回 errcode 为 -1 的 Collection：BaseJobs 遇到异常会重发，而授权可能已经用掉。
     * Where there is no verdict and the message may have arrived, that goes into the log and the Collection has errcode -1:
     * after an exception BaseJobs would send it again, and its grant may be spent.
     *
     * @param App|null $app null：未先询问 isReady() / isReady() was not asked first
     * @param string|int|null $openid
     * @param string|int|null $templateId
     * @param array<string, mixed> $data
     * @param array<string, mixed> $options
     *
     * @throws Refusal 微信拒绝；getCode() 为 errcode / WeChat refused; getCode() is the errcode
     * @throws InvalidArgumentException openid 或模板 ID 为空，与 EasyWeChat 相同 / as EasyWeChat throws for an empty one
     * @throws TransportException 肯定没有发出 / certainly not sent
     * @throws ConfigException 账号有误 / something is wrong with the account
     */
    public static function send(?App $app, $openid, $templateId, array $data, ?string $link, array $options = []): Collection
    {
        foreach (['touser' => $openid, 'template_id' => $templateId] as $name => $value) {
            if ((string)$value === '') {
                throw new InvalidArgumentException("Attribute '$name' can not be empty!");
            }
        }
        if ($app === null) {
            throw new ConfigException('RoutineTemplate 不可用，请先检查 isReady() / not usable, ask isReady() first');
        }
        try {
            $answer = $app->send($openid, $templateId, $data, $link === '' ? null : $link, $options);
        } catch (TransportException $failure) {
            if (!$failure->isAmbiguous()) {
                throw $failure;
            }
            ShopLog::error('消息可能已经送达，不再重发 / may have arrived, not sent again：' . $failure->getMessage());
            return new Collection(['errcode' => -1, 'errmsg' => $failure->getMessage()]);
        }
        if ($answer['errcode'] !== 0) {
            throw new Refusal($answer);
        }
        return new Collection($answer);
    }
}
