<?php

/**
 * RoutineTemplate 扩展的接口声明，供 IDE 与静态分析使用；运行时由扩展本身提供，请勿 include。
 * Declarations of the RoutineTemplate extension for IDEs and static analysis; never include this file at run time.
 */

namespace {
    /**
     * 发送微信订阅消息：默认账号的静态方法。
     * Sends WeChat subscribe messages: static methods for the default account.
     *
     * `configure()` 与 `registerTemplate()` 只在本次 PHP 请求内有效；连接与 token 在进程内长期保留。
     * `configure()` and `registerTemplate()` last for one PHP request; connections and tokens outlive it.
     */
    final class RoutineTemplate
    {
        private function __construct()
        {
        }

        /**
         * 取得某个账号的对象，方法与本类相同。
         * The same methods for one of several accounts.
         */
        public static function app(string $appid): RoutineTemplate\App
        {
        }

        /**
         * 扩展版本，例如 0.1.0。
         * Version of the extension.
         */
        public static function version(): string
        {
        }

        /**
         * 设置账号与参数；键名即 php.ini 中 routine_template. 之后的名称。
         * Account and settings; the keys are the ini names without `routine_template.`.
         *
         * @param array<string, string|int|bool|null> $config 例如 / such as ['appid' => 'wx…', 'secret' => '…']
         *
         * @throws RoutineTemplate\ConfigException 名称或取值有误，并列出允许的内容 / unknown name or value; lists what is allowed
         */
        public static function configure(#[\SensitiveParameter] array $config): void
        {
        }

        /**
         * 立即发送一条消息。
         * Sends one message now.
         *
         * @param string|int $openid 接收者的 openid / the receiver
         * @param string|int $templateId 模板 ID，或用 registerTemplate() 登记的名称 / template id, or a registered name
         * @param array<string, mixed>|string $data ['thing1' => 'x']、['thing1' => ['value' => 'x']]，或同样内容的 JSON
         *                                          字符串或 json_decode() 得到的对象 / either shape, as JSON text, or
         *                                          what json_decode() makes of it
         * @param string|null $page 点击后打开的页面 / page that a tap opens
         * @param array<string, mixed> $options channel (subscribe|bizsend|template), state, lang, miniprogram, validate,
         *                                      timeout_ms
         *
         * @return array{errcode: int, errmsg: string, msgid: int|string|null, rid: ?string, source: string,
         *     outcome: string, attempts: int, changed: list<array{field: string, rule: string, from: string, to: ?string}>,
         *     violations: list<array{field: string, rule: string, value: string, fits: ?string, message: string}>,
         *     duplicate: bool, hint: string} errcode 为 0 即已被微信接受 / 0 means that WeChat accepted it
         *
         * @throws RoutineTemplate\ConfigException 账号未配置 / the account is not configured
         * @throws RoutineTemplate\TransportException 没有结果；isAmbiguous() 说明消息是否可能已发出 / no verdict
         * @throws \ValueError 未知的选项或取值 / unknown option or value
         */
        public static function send(
            string|int $openid,
            string|int $templateId,
            array|object|string $data,
            ?string $page = null,
            array $options = []
        ): array {
        }

        /**
         * CRMEB 的参数顺序；openid 或模板 ID 为空时返回 false，与 CRMEB 相同。
         * CRMEB's own argument order; false if openid or template id is empty, as in CRMEB.
         *
         * @param array<string, mixed>|string $dataKey
         *
         * @return array<string, mixed>|false 与 send() 相同 / as send()
         *
         * @throws RoutineTemplate\ConfigException
         * @throws RoutineTemplate\TransportException
         */
        public static function sendTemplate(
            string|int|null $openId,
            string|int|null $templateId,
            ?string $link = '',
            array|object|string $dataKey = []
        ): array|false {
        }

        /**
         * 检查数据而不联网：返回微信一定会拒绝的字段，空数组表示没有。
         * What WeChat would certainly refuse, without any request; [] if nothing.
         *
         * @param array<string, mixed>|string $data
         * @param array<string, mixed> $options 只用到 channel / only channel matters
         *
         * @return list<array{field: string, rule: string, value: string, fits: ?string, message: string}>
         */
        public static function validate(string|int $templateId, array|object|string $data, array $options = []): array
        {
        }

        /**
         * 给模板 ID 起名；$content 为后台的模板内容（如 CRMEB 的 routine_content），有了它才能检查缺少的字段。
         * Names a template id; with $content (such as CRMEB's routine_content) missing fields are found, too.
         *
         * @param string|null $content 例如 / such as "订单号{{character_string1.DATA}}\n金额{{amount2.DATA}}"
         *
         * @throws \ValueError 名称或模板 ID 为空，或内容中没有字段 / empty name or id, or content without fields
         */
        public static function registerTemplate(string|int $key, string|int $templateId, ?string $content = null): void
        {
        }

        /**
         * 登记过的模板 ID；没有则为 null。
         * The template id of a registered name, or null.
         */
        public static function templateId(string|int $key): ?string
        {
        }

        /**
         * 本账号的 access_token，供店铺的其他代码使用；请勿写入日志。
         * The account's access token for the shop's other code; keep it out of logs.
         *
         * @param bool $refresh 重新向微信询问；stable 模式下得到的可能仍是同一个 / ask WeChat anew; in mode stable it may
         *                      well be the same one
         *
         * @throws RoutineTemplate\ConfigException AppID、AppSecret 或 IP 白名单有误（getCode() 为 errcode） / wrong account
         * @throws RoutineTemplate\TransportException 微信没有回答 / no answer
         * @throws RoutineTemplate\Exception 微信拒绝（getCode() 为 errcode） / WeChat refused
         */
        public static function accessToken(bool $refresh = false): string
        {
        }

        /**
         * 本进程自首次使用以来的计数。
         * Counters of this process since it was first used.
         *
         * @return array{pid: int, process_started: int, sends: int, delivered: int, refused_local: int,
         *     refused_wechat: int, transport_not_sent: int, transport_unknown: int, fitted: int, token_fetches: int,
         *     requests: int, request_microseconds: int}
         */
        public static function stats(): array
        {
        }
    }
}

namespace RoutineTemplate {
    /**
     * 一个账号；由 \RoutineTemplate::app($appid) 取得。方法的说明见 \RoutineTemplate。
     * One account, from \RoutineTemplate::app($appid). The methods are described at \RoutineTemplate.
     */
    final class App
    {
        private $appid = '';

        private function __construct()
        {
        }

        /** @see \RoutineTemplate::configure() */
        public function configure(#[\SensitiveParameter] array $config): void
        {
        }

        /** @see \RoutineTemplate::send() */
        public function send(
            string|int $openid,
            string|int $templateId,
            array|object|string $data,
            ?string $page = null,
            array $options = []
        ): array {
        }

        /** @see \RoutineTemplate::sendTemplate() */
        public function sendTemplate(
            string|int|null $openId,
            string|int|null $templateId,
            ?string $link = '',
            array|object|string $dataKey = []
        ): array|false {
        }

        /** @see \RoutineTemplate::validate() */
        public function validate(string|int $templateId, array|object|string $data, array $options = []): array
        {
        }

        /** @see \RoutineTemplate::registerTemplate() */
        public function registerTemplate(string|int $key, string|int $templateId, ?string $content = null): void
        {
        }

        /** @see \RoutineTemplate::templateId() */
        public function templateId(string|int $key): ?string
        {
        }

        /** @see \RoutineTemplate::accessToken() */
        public function accessToken(bool $refresh = false): string
        {
        }

        /** @see \RoutineTemplate::stats() */
        public function stats(): array
        {
        }
    }

    /**
     * 所有异常的基类；errcode 在 getCode()。
     * Base of all exceptions; getCode() is the errcode, where there is one.
     */
    class Exception extends \RuntimeException
    {
    }

    /**
     * 设置有误，或微信认为 AppID 与 AppSecret 不符。
     * A setting is missing or wrong, or WeChat says so.
     */
    class ConfigException extends Exception
    {
    }

    /**
     * 没有得到可用的回答。
     * There is no usable answer.
     */
    class TransportException extends Exception
    {
        /** true：请求可能已到达微信 / the request may have reached WeChat */
        protected $ambiguous = false;

        /**
         * true 表示消息可能已经送达，请勿自动重发；false 表示肯定没有发出，可以重试。
         * True if the message may have been delivered, so never resend it by itself; false if it was certainly not sent.
         */
        public function isAmbiguous(): bool
        {
        }
    }

    /**
     * 本地存储不可用。
     * The local store cannot be used.
     */
    class StoreException extends Exception
    {
    }
}
