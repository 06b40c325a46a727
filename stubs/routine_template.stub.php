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
         * token 可为函数 fn (bool $refresh): string，每次需要 token 时调用；$refresh 表示上一个被微信拒绝。
         * `token` may be a callable, asked whenever a token is needed; $refresh says that WeChat refused the one before.
         *
         * @param array<string, string|int|bool|null|callable(bool): string> $config 例如 / such as
         *                                                                           ['appid' => 'wx…', 'secret' => '…']
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
         *                                      timeout_ms, grants (off|certain|strict), key：幂等键，同一账号内相同 key
         *                                      只发一次，之后的调用得到第一次的结果 (duplicate) / idempotency: messages with
         *                                      the same key are one, later calls get the first answer
         *
         * @return array{errcode: int, errmsg: string, msgid: int|string|null, rid: ?string, source: string,
         *     outcome: string, attempts: int, changed: list<array{field: string, rule: string, from: string, to: ?string}>,
         *     violations: list<array{field: string, rule: string, value: string, fits: ?string, message: string}>,
         *     duplicate: bool, id: ?string, hint: string} errcode 为 0 即已被微信接受；id 用于 status() / 0 means that
         *     WeChat accepted it; `id` is for status(), null where no store could record the message
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
         * 接受一条消息，稍后发送：检查之后写入存储即返回，不等微信。
         * Accepts a message for delivery: checks it, writes it to the store and returns; WeChat is not waited for.
         *
         * 返回后消息不会因进程、PHP 或机器重启而丢失（setting durability）。setting delivery 为 thread 时由本进程的后台线程马上发送，
         * 进程已结束或尚未到时间的由同一台机器上正在使用队列的进程接手；为 worker 时由 routine-template work 发送。
         * From its return on the message survives the end of the process, of PHP and of the machine (setting durability). With
         * delivery = thread a background thread of this process sends it at once, and any process of the host that uses the
         * queue takes over what is left; with delivery = worker, `routine-template work` sends everything.
         *
         * 同一 openid 的消息按次序逐条发送。授权在发送时占用，不在入队时；发送时账本拒绝的消息以 43101 结束。
         * Messages to one openid go one after another. A grant is taken when a message is sent, not when it is queued; one that
         * the ledger refuses then ends with 43101.
         *
         * 没有送达而可以再试的（无法连接、token、-1、5xx、频率限制）在约 1 秒、5 秒、30 秒、2 分钟、10 分钟……后重试，直到过期。
         * What was not delivered and may be tried again (no connection, no token, -1, 5xx, throttled) is, after about 1 s, 5 s,
         * 30 s, 2 min, 10 min …, until it expires.
         *
         * @param string|int $openid 接收者的 openid / the receiver
         * @param string|int $templateId 模板 ID，或用 registerTemplate() 登记的名称 / template id, or a registered name
         * @param array<string, mixed>|string $data 与 send() 相同 / as at send()
         * @param string|null $page 点击后打开的页面 / page that a tap opens
         * @param array<string, mixed> $options send() 的选项，timeout_ms 为每次尝试的时限 / those of send(), timeout_ms for each
         *                                      attempt；以及 / and
         *                                      key：同一 key 只入队一次，再次调用得到同一 id；被拒且原因不在消息本身、未发出的可再次入队 / queued
         *                                      once, later calls get the same id; free again after "not sent" or a refusal
         *                                      that is not about this user or payload；
         *                                      delay：至少多少秒后才发送，可带小数，0 … 31536000 / seconds before it is sent, fractions allowed；
         *                                      expires：到时间（含 delay）后最多等多少秒，1 … 2592000，默认 setting queue_expires / seconds
         *                                      after that until it is given up；
         *                                      resend_unknown：一次尝试没有结果时是否再发（可能重复送达），默认 setting resend_unknown / whether
         *                                      it is sent again after an attempt without a known outcome, so that it may arrive twice；
         *                                      or_send：没有可写的存储时改为立即发送 / sent at once where no store can accept it
         *
         * @return string 消息的 id，供 status() 使用 / the message's id, for status()
         *
         * @throws RoutineTemplate\RefusedException 消息一定会被微信拒绝，没有入队；getCode() 为 errcode / WeChat would certainly refuse
         *                                          it, so it was not queued; getCode() is the errcode
         * @throws RoutineTemplate\ConfigException 账号未配置，或 store 为 off / the account is not configured, or store is off
         * @throws RoutineTemplate\StoreException 没有存下，也就不会发送；除非说明写了可能已存下 / it was not stored and will not be
         *                                        sent, unless the text says that it may have been
         * @throws RoutineTemplate\TransportException 只在 or_send 时，同 send() / with or_send only, as from send()
         * @throws \ValueError 未知的选项或取值，或 key 属于另一条消息 / unknown option or value, or the key is another message's
         */
        public static function queue(
            string|int $openid,
            string|int $templateId,
            array|object|string $data,
            ?string $page = null,
            array $options = []
        ): string {
        }

        /**
         * 等待本账号的队列清空，最多等 $timeoutMs 毫秒；返回还剩多少条，包括尚未到时间的（不等它们）。
         * Waits until the account's outbox is empty, for so many milliseconds at most; returns how many messages are left, those
         * included that are due later, which it does not wait for.
         *
         * @param int|string $timeoutMs 0 … 3600000；0 只查看 / 0 only looks
         *
         * @throws RoutineTemplate\ConfigException 账号未配置，或 store 为 off / the account is not configured, or store is off
         * @throws RoutineTemplate\StoreException
         * @throws \ValueError $timeoutMs 超出范围 / out of range
         */
        public static function flush(string|int $timeoutMs = 5000): int
        {
        }

        /**
         * 批量发送：在当前线程上同时进行多个请求，不另起线程。
         * Sends many messages side by side, on the calling thread.
         *
         * 每条消息与 send() 走同样的步骤；同一用户的消息按给出的顺序逐条发送；45011 时等到下一分钟再发，每条最多三次。
         * 没有结果或写法有误的消息不会中断批量：errcode 为 null，exception 为 TransportException、TypeError、ValueError 等。
         * Each message walks the way of send(). Those of one user go one after another, in the given order. After 45011 the bulk
         * waits for the next minute, three times a message at most. A message without a verdict, or that is none, ends nothing:
         * `errcode` is null, and `exception` is what send() would have thrown.
         *
         * 回调和生成器在各步之间运行，可以再调用本扩展；它们抛出的异常在进行中的请求有了结果之后继续抛出。命令行下第一次
         * Ctrl-C（或 SIGTERM，应用没有自己的处理函数时）同样如此，然后进程照常结束；第二次立即结束。
         * Callables and generators run between the steps and may call this extension. What they throw goes on when the requests in
         * flight have ended; so does, on the command line, the first Ctrl-C or SIGTERM that the application leaves to its default.
         *
         * @param iterable<int|string, array<int|string, mixed>|object> $messages
         *        ['openid' => …, 'template_id' => …, 'data' => …, 'page' => …, 'options' => […]]（也可写 touser、templateId），
         *        或 [openid, templateId, data, page, options]；逐条读取 / names (also touser, templateId) or the order of send();
         *        read one by one
         * @param array<string, mixed> $options send() 的选项（key 除外）作为默认值 / defaults for all messages, but `key`；
         *        concurrency (1 … 256)；progress: callable(int $done, ?int $total): mixed，total 仅在数组时已知 / known for arrays；
         *        each: callable(array $answer, int|string $key): mixed，按完成的先后 / as they end
         *
         * @return array<int|string, array<string, mixed>> 与 send() 的结果相同，另有 exception：数组保留原来的键和顺序，其他
         *         iterable 得到列表（生成器的键可能重复）；有 each 时返回 total、delivered、refused、unknown、not_sent 的条数
         *         / as send() answers, plus `exception`: with an array's own keys, in its order; a list for any other iterable, as
         *         a generator's keys may repeat. With `each` no answer is kept, and this is how many ended how: total, delivered,
         *         refused, unknown, not_sent
         *
         * @throws RoutineTemplate\ConfigException 账号未配置 / the account is not configured
         * @throws \TypeError|\ValueError $messages 或 $options 有误 / what is wrong with the call as a whole
         */
        public static function sendMany(iterable $messages, array $options = []): array
        {
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
         * @throws RoutineTemplate\RefusedException 微信拒绝（getCode() 为 errcode） / WeChat refused
         */
        public static function accessToken(bool $refresh = false): string
        {
        }

        /**
         * 把前端 wx.requestSubscribeMessage（或 wx-open-subscribe）的结果原样记入授权账本；每个 accept 加一次。
         * 同一次授权若消息推送（subscribe_msg_popup_event，见 handlePush()）也报告，先后不限，十分钟内只计一次。
         * Takes what wx.requestSubscribeMessage (or wx-open-subscribe) gave the front end into the ledger, as posted: each accept
         * is one message. An accept of which the message push tells as well (subscribe_msg_popup_event, see handlePush()), before
         * or after it, counts once if both come within ten minutes.
         *
         * @param array<string, mixed>|object|string $result 例如 / such as ['errMsg' => '…:ok', '模板ID' => 'accept']，或 JSON
         * @param array<string, mixed> $options key：幂等键，同一用户同 key 只记一次 / a user's reports with the same key are one；long_term：长期
         *                                      订阅 / a long-term subscription；templates：只记这些模板 / only these count
         *
         * @return array{recorded: array<string, array<string, mixed>>, unknown: array<string, string>, duplicate: bool,
         *     errMsg: ?string} recorded：模板 ID => 账本行，见 grants() / rows as of grants(); unknown：未记入的项与原因 /
         *     what was not counted, and why
         *
         * @throws RoutineTemplate\StoreException 没有记下 / it was not recorded
         * @throws \ValueError $result 不是该接口的结果 / $result is no such result
         */
        public static function recordGrants(
            string|int $openid,
            array|object|string $result,
            array $options = []
        ): array {
        }

        /**
         * 一个用户的授权账本：指定模板的一行，或按模板 ID 列出全部。
         * One user's ledger: the row of one template, or all of them by template id.
         *
         * available = accepted − delivered − reserved − lost。reserved 为正在发送或结果未知；lost 为微信答复 43101 而作废；
         * certain 表示微信已明确答复没有授权，且此后没有新的允许。
         * `reserved` are under way or of unknown outcome, `lost` were voided by 43101; `certain`: WeChat's own last word is no.
         *
         * @return array{available: int, reserved: int, state: ?string, long_term: bool, certain: bool, accepted: int,
         *     delivered: int, lost: int}|array<string, array<string, mixed>>
         *
         * @throws RoutineTemplate\StoreException
         */
        public static function grants(string|int $openid, string|int|null $templateId = null): array
        {
        }

        /**
         * 还能收到该模板消息的用户，分页返回；把 cursor 传回即得下一页，null 表示结束。
         * Users who can still get a message of this template, in pages; give `cursor` back for the next, null is the end.
         *
         * @param int|string $limit 1 到 10000 / 1 to 10000
         *
         * @return array{users: list<array{openid: string, available: int}>, cursor: ?string}
         *
         * @throws RoutineTemplate\StoreException
         */
        public static function audience(
            string|int $templateId,
            ?string $cursor = null,
            string|int $limit = 1000
        ): array {
        }

        /**
         * 一条消息的结果；没有该 id 或已过保留期则为 null。
         * What became of a message; null if there is no such id, or no longer.
         *
         * state：queued 等待发送（due 为其时间），sending 正在发送，delivered 微信已接受，refused 被拒（errcode），not_sent 没有发出，
         * unknown 可能已送达（发出后没有结果，或发送时进程结束），expired 过期未发。入队的消息重试之前为 queued，并带上次尝试的结果。
         * `state`: queued waits (for `due`), sending is under way, delivered was accepted by WeChat, refused (errcode), not_sent,
         * unknown may have arrived (no answer came, or its process ended while it was under way), expired was never sent. A
         * queued message that is to be tried again is queued, with what the last attempt brought.
         *
         * @return array<string, mixed>|null 与 deliveries() 的一行相同 / as one row of deliveries()
         *
         * @throws RoutineTemplate\StoreException
         */
        public static function status(string $id): ?array
        {
        }

        /**
         * 发送记录，新的在前。
         * Delivery rows, newest first.
         *
         * @param array<string, mixed> $filter openid、template_id、key、state (queued|sending|delivered|refused|not_sent|unknown|expired)、
         *                                     since (unix time, int or float)、before (id：上一页最后一条 / last id of the page before)、
         *                                     limit (1 … 1000, 100)
         *
         * @return list<array{id: string, state: string, openid: string, template_id: string, channel: string, key: ?string,
         *     errcode: ?int, errmsg: string, msgid: int|string|null, rid: ?string, source: ?string, attempts: int,
         *     changed: list<array<string, mixed>>, payload: ?array<string, mixed>, begun: float, finished: ?float,
         *     due: ?float, receipt: ?string}> 时间为 unix 秒；due 为队列中下一次可发送的时间；receipt 为微信推送的送达结果
         *     （subscribe_msg_sent_event、TEMPLATESENDJOBFINISH），收到推送之前为 null，成功为 success，失败为微信的原文。
         *     Times in unix seconds; due: when a queued one is next due; receipt: what WeChat's push (subscribe_msg_sent_event,
         *     TEMPLATESENDJOBFINISH) says of its arrival, null until one comes, success, or WeChat's words for the failure.
         *
         * @throws RoutineTemplate\StoreException
         */
        public static function deliveries(array $filter = []): array
        {
        }

        /**
         * 微信对某接口的额度计数（openapi/quota/get），以及本地计数 local。
         * WeChat's counters of one API, and under `local` what was counted and paused here.
         *
         * @param string $path 例如 / such as /cgi-bin/message/subscribe/send
         *
         * @return array<string, mixed> 微信原样的键，加 hint 与 local / WeChat's own keys, hint and local
         *
         * @throws RoutineTemplate\ConfigException
         * @throws RoutineTemplate\TransportException
         */
        public static function quota(string $path): array
        {
        }

        /**
         * 请微信清零本账号的调用次数（每月 10 次），成功后解除本地的暂停。
         * Lets WeChat set the account's counters back (ten times a month); ends the pauses here if it did.
         *
         * @return array<string, mixed> 微信原样的键，加 hint；local 表示本地暂停是否已解除 / WeChat's own keys, hint; `local`
         *                              says whether the pauses here were ended
         *
         * @throws RoutineTemplate\ConfigException
         * @throws RoutineTemplate\TransportException
         */
        public static function clearQuota(): array
        {
        }

        /**
         * 本进程自首次使用以来的计数。
         * Counters of this process since it was first used, how its store does, and which of WeChat's hosts it uses.
         *
         * @return array{pid: int, process_started: int, sends: int, queued: int, claimed: int, retried: int, expired: int,
         *     delivered: int, refused_local: int, refused_wechat: int, transport_not_sent: int, transport_unknown: int,
         *     fitted: int, duplicates: int, token_fetches: int, requests: int, request_microseconds: int, failovers: int,
         *     circuit_refusals: int, store_failures: int, store_skipped: int, thread_failures: int, log_failures: int,
         *     store: ?string, store_state: string, store_error: ?string, circuit: string, host: ?string} store_state:
         *     unused|up|down|off; circuit: closed|open|half_open
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

        /** @see \RoutineTemplate::queue() */
        public function queue(
            string|int $openid,
            string|int $templateId,
            array|object|string $data,
            ?string $page = null,
            array $options = []
        ): string {
        }

        /** @see \RoutineTemplate::flush() */
        public function flush(string|int $timeoutMs = 5000): int
        {
        }

        /** @see \RoutineTemplate::sendMany() */
        public function sendMany(iterable $messages, array $options = []): array
        {
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

        /** @see \RoutineTemplate::recordGrants() */
        public function recordGrants(string|int $openid, array|object|string $result, array $options = []): array
        {
        }

        /** @see \RoutineTemplate::grants() */
        public function grants(string|int $openid, string|int|null $templateId = null): array
        {
        }

        /** @see \RoutineTemplate::audience() */
        public function audience(string|int $templateId, ?string $cursor = null, string|int $limit = 1000): array
        {
        }

        /** @see \RoutineTemplate::status() */
        public function status(string $id): ?array
        {
        }

        /** @see \RoutineTemplate::deliveries() */
        public function deliveries(array $filter = []): array
        {
        }

        /** @see \RoutineTemplate::quota() */
        public function quota(string $path): array
        {
        }

        /** @see \RoutineTemplate::clearQuota() */
        public function clearQuota(): array
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
     * 微信拒绝，或消息一定会被微信拒绝；getCode() 为 errcode。来自 queue() 与 accessToken()，send() 则返回数组。
     * WeChat refused, or certainly would; getCode() is the errcode. From queue() and accessToken(); send() returns its array.
     */
    class RefusedException extends Exception
    {
    }

    /**
     * 存储不可用，操作没有完成；send() 不会因此失败。
     * The store cannot be used and the call was not done; send() never fails for that.
     */
    class StoreException extends Exception
    {
    }
}
