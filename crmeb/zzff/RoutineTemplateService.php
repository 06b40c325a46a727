<?php

declare(strict_types=1);

namespace RoutineTemplate\Crmeb\Zzff;

use RoutineTemplate\App;
use RoutineTemplate\ConfigException;
use RoutineTemplate\Crmeb\Account;
use RoutineTemplate\Crmeb\Availability;
use RoutineTemplate\Crmeb\ShopLog;
use RoutineTemplate\Exception;
use RoutineTemplate\TransportException;
use service\ShopRoutineTemplateService;

/**
 * CRMEB 知识付费的订阅消息：service\RoutineTemplateService 继承本类，常量、方法、参数与返回值和商城原来的相同。
 * Subscribe messages of CRMEB's 知识付费 (zzff): service\RoutineTemplateService extends this class. Constants, methods, parameters
 * and return values are the shop's own.
 *
 * 没有扩展也没有 FFI，或后台没有填 AppID 时，由商城原来的类（改名为 service\ShopRoutineTemplateService）处理。
 * Where there is neither extension nor FFI, or no AppID in the shop, the shop's own class does it, which is now called
 * service\ShopRoutineTemplateService.
 */
class RoutineTemplateService
{
    /** 订单支付成功 / order paid */
    public const ORDER_PAY_SUCCESS = '6271';
    /** 订单发货提醒（快递） / sent by courier */
    public const ORDER_POSTAGE_SUCCESS = '3637';
    /** 直播开播提醒 / a live broadcast begins */
    public const LIVE_BROADCAST = '16172';
    /** 拼单进度提醒 / how a group order does */
    public const PINK_ORDER_REMIND = '5275';
    /** 拼团成功通知 / a group order is complete */
    public const ORDER_USER_GROUPS_SUCCESS = '3098';
    /** 拼团失败通知 / a group order has failed */
    public const ORDER_USER_GROUPS_LOSE = '4534';
    /** 开团成功通知 / a group order is opened */
    public const ORDER_USER_PINGT_SUCCESS = '4533';
    /** 账户资金变动提醒 / the balance has changed */
    public const USER_BALANCE_CHANGE = '4148';
    /** 退款进度通知 / refund */
    public const ORDER_REFUND_STATUS = '1451';
    /** 收货提醒通知 / goods received */
    public const ORDER_TAKE_SUCCESS = '3510';
    /** 活动报名成功通知（2.x） / enrolled (2.x) */
    public const ORDER_USER_SIGN_UP_SUCCESS = '13684';
    /** 审核结果通知（2.x） / result of a review (2.x) */
    public const EXAMINE_RESULT = '5545';

    /**
     * 根据模板编号获取模板 ID：后台「订阅消息」中开启的那一行。
     * The template id of a template number: the row of the shop's own table that is switched on.
     *
     * @param string|int $tempKey
     *
     * @return string|null 编号为空时为 ''，没有则为 null / '' for an empty number, null if there is none
     */
    public static function setTemplateId($tempKey = '')
    {
        return $tempKey == '' ? '' : ShopTemplates::idOf((string)$tempKey);
    }

    /**
     * 发送订阅消息：公众号订阅通知（bizsend），或按设置发到小程序。
     * Sends a subscribe message: subscription notice of the official account (bizsend) or, if so set, in the mini program.
     *
     * 连不上微信而消息肯定没有发出时转入队列，稍后送达；结果中的 queued 为队列中的 id。
     * Where WeChat cannot be reached and the message was certainly not sent, it is queued and delivered later; `queued` in the
     * result is its id.
     *
     * @param string|null $openId 公众号用户的 openid / of the official account
     * @param string|null $templateId
     * @param string|null $link 网页地址 / address of a web page
     * @param array<string, mixed> $dataKey ['thing1' => ['value' => 'x']] 或 / or ['thing1' => 'x']
     *
     * @return array<string, mixed>|false 微信的 errcode、errmsg、msgid；openid 或模板 ID 为空时为 false / WeChat's own answer; false
     *                                    if openid or template id is empty
     */
    public static function sendTemplate($openId = '', $templateId = '', $link = '', $dataKey = [])
    {
        if ($openId == '' || $templateId == '') {
            return false;
        }
        return self::call(__FUNCTION__, func_get_args(), static function (App $app) use ($openId, $templateId, $link, $dataKey): array {
            $row = ShopTemplates::register($app, (string)$templateId);
            $data = TemplateFields::match((array)$dataKey, $row['content'], Settings::fields($row['tempkey']));
            $openid = Recipient::openid((string)$openId);
            $page = Recipient::page((string)$link, $row['tempkey']);
            return self::deliver($app, [$openid, (string)$templateId, $data, $page, ['channel' => Settings::channel()]]);
        });
    }

    /**
     * 从公共模板库中选用模板，到私有模板库中。
     * Adds a template of the public library to the account.
     *
     * @param string|int $tid
     * @param array<int|string> $kidList
     * @param string $sceneDesc
     *
     * @return array<string, mixed> errcode、errmsg、priTmplId
     */
    public static function addTemplate($tid, $kidList = [], $sceneDesc = '')
    {
        return self::call(__FUNCTION__, func_get_args(), static function (App $app) use ($tid, $kidList, $sceneDesc): array {
            return ['priTmplId' => $app->addTemplate((string)$tid, array_values((array)$kidList), (string)$sceneDesc)];
        });
    }

    /**
     * 账号所属类目，可用于查询类目下的公共模板。
     * The account's categories.
     *
     * @return array<string, mixed> errcode、errmsg、data
     */
    public static function getCategory()
    {
        return self::call(__FUNCTION__, [], static function (App $app): array {
            return ['data' => $app->categories()];
        });
    }

    /**
     * 公共模板下的关键词列表。
     * The keywords of a public template.
     *
     * @param string|int $tid
     *
     * @return array<string, mixed> errcode、errmsg、count、data
     */
    public static function getPubTemplateKeyWordsById($tid)
    {
        return self::call(__FUNCTION__, func_get_args(), static function (App $app) use ($tid): array {
            $keywords = $app->publicKeywords((string)$tid);
            return ['count' => count($keywords), 'data' => $keywords];
        });
    }

    /**
     * 类目下的公共模板，可从中选用模板使用。
     * Templates of the public library in these categories.
     *
     * @param array<int|string>|string|int $ids
     * @param string|int $start
     * @param string|int $limit 1 到 30 / 1 to 30
     *
     * @return array<string, mixed> errcode、errmsg、count、data
     */
    public static function getPubTemplateTitleList($ids, $start = 0, $limit = 10)
    {
        return self::call(__FUNCTION__, func_get_args(), static function (App $app) use ($ids, $start, $limit): array {
            return $app->publicTemplates($ids, $start, $limit);
        });
    }

    /**
     * 账号的模板列表。
     * The account's templates.
     *
     * @return array<string, mixed> errcode、errmsg、data
     */
    public static function getTemplateList()
    {
        return self::call(__FUNCTION__, func_get_args(), static function (App $app): array {
            return ['data' => $app->templates(true)];
        });
    }

    /**
     * 删除账号中的某个模板。用户对它的授权随之作废。
     * Removes a template of the account. Every user's grant for it is lost.
     *
     * @param string $priTmplId
     *
     * @return array<string, mixed>|false errcode、errmsg；ID 为空时为 false / false if the id is empty
     */
    public static function delTemplate($priTmplId = '')
    {
        if ($priTmplId == '') {
            return false;
        }
        return self::call(__FUNCTION__, func_get_args(), static function (App $app) use ($priTmplId): array {
            $app->deleteTemplate((string)$priTmplId);
            return [];
        });
    }

    /**
     * 商城原来的其他方法。
     * What else the shop's own class can do.
     *
     * @param list<mixed> $arguments
     *
     * @return mixed
     */
    public static function __callStatic(string $method, array $arguments)
    {
        return ShopRoutineTemplateService::$method(...$arguments);
    }

    /** @return mixed 微信的结果的形状，或商城原来的结果 / in the shape of WeChat's answer, or what the shop's own class answers */
    private static function call(string $method, array $arguments, \Closure $work)
    {
        try {
            $app = self::account();
            if ($app === null) {
                // 1.2 has no such methods in its own class.
                return method_exists(ShopRoutineTemplateService::class, $method)
                    ? ShopRoutineTemplateService::$method(...$arguments) : false;
            }
            return $work($app) + ['errcode' => 0, 'errmsg' => 'ok'];
        } catch (Exception | \ValueError | \TypeError $failure) {
            ShopLog::error("RoutineTemplateService::$method()：" . $failure->getMessage());
            // The shop reads errcode; -1 is WeChat's own for "try again later", and where there is no verdict.
            return ['errcode' => $failure->getCode() ?: -1, 'errmsg' => $failure->getMessage()];
        }
    }

    /** @throws ConfigException */
    private static function account(): ?App
    {
        if (!Availability::isUsable()) {
            return null;
        }
        return Settings::channel() === 'subscribe' ? Account::miniProgram() : Account::officialAccount();
    }

    /**
     * @param array{0: string, 1: string, 2: array<string, mixed>, 3: ?string, 4: array<string, mixed>} $message
     *
     * @return array<string, mixed>
     */
    private static function deliver(App $app, array $message): array
    {
        if (Settings::queues()) {
            $message[4]['or_send'] = true;
            return self::queued($app->queue(...$message));
        }
        try {
            $answer = $app->send(...$message);
        } catch (TransportException $failure) {
            if ($failure->isAmbiguous()) {
                throw $failure;
            }
            return self::queued($app->queue(...$message));
        }
        if ($answer['errcode'] !== 0) {
            ShopLog::error("订阅消息没有发出 / not sent：{$answer['errcode']} {$answer['errmsg']} （{$answer['hint']}）");
        }
        return $answer;
    }

    /** @return array<string, mixed> */
    private static function queued(string $id): array
    {
        return ['errcode' => 0, 'errmsg' => 'ok', 'msgid' => null, 'queued' => $id];
    }
}
