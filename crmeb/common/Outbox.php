<?php

declare(strict_types=1);

namespace RoutineTemplate\Crmeb;

use RoutineTemplate\App;
use RoutineTemplate\ConfigException;
use RoutineTemplate\RefusedException;
use RoutineTemplate\StoreException;
use RoutineTemplate\TransportException;
use think\facade\Route;

/**
 * 存下即返回，由 RoutineTemplate 发送（改动点 S5、S6）：代替 TemplateJob，下单的请求不等微信，也不需要商城的消息队列。
 * Stored, then sent by RoutineTemplate (seams S5 and S6), instead of TemplateJob: the request of an order does not wait for
 * WeChat, and the shop's own queue is not needed.
 *
 * 返回 false 表示这里没有收下，请继续执行商城原来的代码；true 表示已收下，或者再发也不会成功（写入日志）。
 * false: nothing was taken here, so go on with the shop's own code. true: it was, or sending it is of no use (in the log).
 */
final class Outbox
{
    /** 过一会儿可能成功的 errcode / errcodes that a moment may change */
    private const PASSING = [-1, 43108, 45009, 45011];

    private function __construct()
    {
    }

    /**
     * 已知模板 ID：CRMEB 5.x，以及 3.2.8 的公众号消息。
     * Where the template id is known: CRMEB 5.x, and official account messages of 3.2.8.
     *
     * @param string|null $type subscribe 小程序，wechat 公众号 / mini program or official account
     * @param string|int|null $openid
     * @param string|int|null $templateId
     * @param array<string, mixed> $data
     * @param string|null $link 小程序页面，或公众号消息的站内路径、完整网址 / page of the mini program; official account: the shop's own
     *                          path, or a whole address
     * @param string|null $mark 通知标识，如 order_pay_success；有了它同一通知只发一次 / makes the same notice one, see NoticeKey
     * @param bool|int $toMiniProgram 公众号消息打开小程序页面 / official account: a tap opens the mini program
     */
    public static function queue(
        ?string $type,
        $openid,
        $templateId,
        array $data,
        ?string $link = null,
        ?string $mark = null,
        $toMiniProgram = 0
    ): bool {
        $official = ($type ?: 'wechat') === 'wechat';
        if ((string)$openid === '' || (string)$templateId === '') {
            return false;
        }
        $app = $official ? Account::officialAccount() : Account::miniProgram();
        if ($app === null) {
            return false;
        }
        if ($official && (string)$link !== '' && preg_match('#^https?://#i', (string)$link) !== 1) {
            // As TemplateJob::doJob() makes it; 3.2.8 has made a whole address of it already.
            $link = Account::setting('site_url') . Route::buildUrl($link)->suffix('')->domain(false)->build();
        }
        $options = $official ? TemplateMessage::options($link, (bool)$toMiniProgram) : [];
        $key = NoticeKey::of($mark, (string)$openid, (string)$templateId, $data, $link);
        if ($key !== null) {
            $options['key'] = $key;
        }
        return self::take($app, (string)$openid, (string)$templateId, $data, (string)$link === '' ? null : $link, $options);
    }

    /**
     * 按通知标识查模板 ID：CRMEB 4.6、4.7。
     * By the mark of the notice, from which the template id is found: CRMEB 4.6 and 4.7.
     *
     * @param string|int|null $openid
     * @param array<string, mixed> $data
     */
    public static function queueByMark(?string $type, $openid, string $mark, array $data, ?string $link = null): bool
    {
        if ((string)$openid === '' || !Availability::isUsable()) {
            return false;
        }
        return self::queue($type, $openid, TemplateId::ofMark($type ?: 'wechat', $mark), $data, $link, $mark);
    }

    /**
     * 按模板代码（如 ORDER_PAY_SUCCESS）查模板 ID：CRMEB 3.2.8、4.4。
     * By the code of the template, such as ORDER_PAY_SUCCESS: CRMEB 3.2.8 and 4.4.
     *
     * @param string|int|null $openid
     * @param array<string, mixed> $data
     */
    public static function queueByCode(
        ?string $type,
        $openid,
        string $code,
        array $data,
        ?string $link = null,
        ?string $mark = null
    ): bool {
        if ((string)$openid === '' || !Availability::isUsable()) {
            return false;
        }
        // Their codes are the marks in upper case, where they mean one notice.
        $mark = $mark ?? strtolower($code);
        return self::queue($type, $openid, TemplateId::ofCode($type ?: 'wechat', $code), $data, $link, $mark);
    }

    /**
     * @param array<string, mixed> $data
     * @param array<string, mixed> $options
     */
    private static function take(
        App $app,
        string $openid,
        string $templateId,
        array $data,
        ?string $link,
        array $options
    ): bool {
        try {
            // Where no store can take it, it goes at once: better late for the buyer than never.
            $app->queue($openid, $templateId, $data, $link, $options + ['or_send' => true]);
            return true;
        } catch (RefusedException $refused) {
            self::log($openid, $templateId, $refused);
            return !in_array($refused->getCode(), self::PASSING, true);
        } catch (StoreException $unsure) {
            // With or_send this is left: it may be in the store, and would be sent twice.
            self::log($openid, $templateId, $unsure);
            return true;
        } catch (TransportException $unsent) {
            self::log($openid, $templateId, $unsent);
            return $unsent->isAmbiguous();
        } catch (ConfigException $wrong) {
            self::log($openid, $templateId, $wrong);
            return false;
        } catch (\ValueError $taken) {
            if (isset($options['key'])) {
                // The key belongs to a message to somebody else: this is another notice, and has to go out.
                unset($options['key']);
                return self::take($app, $openid, $templateId, $data, $link, $options);
            }
            self::log($openid, $templateId, $taken);
            return false;
        } catch (\Throwable $unexpected) {
            // CRMEB catches no Error here: the order that was just paid would not be handled to its end.
            self::log($openid, $templateId, $unexpected);
            return false;
        }
    }

    private static function log(string $openid, string $templateId, \Throwable $why): void
    {
        ShopLog::error(
            '发送给openid为:' . $openid . '的消息失败,模板id为:' . $templateId . ';错误原因为:' . $why->getMessage()
        );
    }
}
