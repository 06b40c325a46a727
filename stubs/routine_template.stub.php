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
         * @return array<int|string, array<string, mixed>>|array<string, int> 与 send() 的结果相同，另有 exception：数组保留原来的键和顺序，其他
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
         * 账号下的订阅消息模板（gettemplate）。该接口每日额度很低，列表缓存在 store 里 24 小时，各进程共用；额度用完（45009）时
         * 返回上一次的列表。取过列表后，send()、queue()、sendMany()、validate() 按它检查字段、枚举值和模板 ID。
         * The account's templates (gettemplate). Its daily quota is low, so the list is kept in the store for 24 hours, for all
         * processes; while the quota is used up (45009) the last one is answered. From then on messages are checked against it:
         * fields, values of enum and const, and ids that the account certainly does not have (40037).
         *
         * @param bool $refresh 立即向微信重新获取，如刚在后台增删了模板 / ask WeChat now, as after a change in the console
         *
         * @return list<array{priTmplId: string, title: string, content: string, example: string, type: int,
         *     keywordEnumValueList: list<array{keywordCode: string, enumValueList: list<string>}>,
         *     fields: array<string, string>}> type：2 一次性，3 长期 / 2 one-time, 3 long-term; fields：字段 => 标签 / key => caption
         *
         * @throws RoutineTemplate\ConfigException 账号未配置 / the account is not configured
         * @throws RoutineTemplate\TransportException 微信没有回答 / no answer
         * @throws RoutineTemplate\RefusedException getCode()：-1、404、45009、200100 …
         */
        public static function templates(bool $refresh = false): array
        {
        }

        /**
         * 从公共模板库添加模板（addtemplate），返回模板 ID；已经添加过（200022）则返回原来的 ID。
         * Adds a template of the public library (addtemplate) and answers its id; the one that is there if it was added before
         * (200022).
         *
         * @param string|int $tid 公共模板编号，见 publicTemplates() / its number, see publicTemplates()
         * @param list<int|string> $keywordIds 2 到 5 个不重复的关键词编号，见 publicKeywords()；顺序即卡片上的顺序 / 2 to 5 keyword
         *                                     numbers without repeats, see publicKeywords(), in the order of the card
         * @param string $scene 服务场景，1 到 15 个字 / what it is for, 1 to 15 characters
         *
         * @throws RoutineTemplate\ConfigException 账号未配置 / the account is not configured
         * @throws RoutineTemplate\TransportException 没有回答；模板可能已添加，再次调用即可 / no answer; it may have been added, so call again
         * @throws RoutineTemplate\RefusedException getCode()：200011 禁止添加 / banned, 200012 数量已满 / limit reached, 200013、200014、
         *                                          200020、43106、45009 …
         * @throws \ValueError 参数有误，未请求微信 / a wrong argument; WeChat was not asked
         */
        public static function addTemplate(string|int $tid, array $keywordIds, string $scene): string
        {
        }

        /**
         * 删除模板（deltemplate）。所有用户对它的授权随之作废，重新添加得到的是新的 ID。
         * Removes a template (deltemplate). Every user's grant for it is lost, and adding it again gives another id.
         *
         * @param string|int $templateId 模板 ID 或登记过的名称 / its id, or a registered name
         *
         * @throws RoutineTemplate\ConfigException 账号未配置 / the account is not configured
         * @throws RoutineTemplate\TransportException 没有回答 / no answer
         * @throws RoutineTemplate\RefusedException getCode()：20001、20002、200014 模板 ID 有误 / no such template …
         * @throws \ValueError 模板 ID 为空 / empty id
         */
        public static function deleteTemplate(string|int $templateId): void
        {
        }

        /**
         * 账号的类目（getcategory）。
         * The account's categories (getcategory).
         *
         * @return list<array{id: int, name: string}>
         *
         * @throws RoutineTemplate\ConfigException 账号未配置 / the account is not configured
         * @throws RoutineTemplate\TransportException 没有回答 / no answer
         * @throws RoutineTemplate\RefusedException getCode()：404、20001、200100 …
         */
        public static function categories(): array
        {
        }

        /**
         * 公共模板库中这些类目的模板（getpubtemplatetitles），分页。
         * Templates of the public library in these categories (getpubtemplatetitles), by pages.
         *
         * @param array<mixed>|string|int $categoryIds [307, 616]、'307,616' 或 categories() 的结果 / or what categories() answered
         * @param string|int $start 从 0 开始 / from 0 on
         * @param string|int $limit 1 到 30 / 1 to 30
         *
         * @return array{count: int, data: list<array{tid: int, title: string, type: int, categoryId: int}>} count：总数 / of all pages
         *
         * @throws RoutineTemplate\ConfigException 账号未配置 / the account is not configured
         * @throws RoutineTemplate\TransportException 没有回答 / no answer
         * @throws RoutineTemplate\RefusedException getCode()：200016、200017、200018、200019 …
         * @throws \ValueError 参数有误，未请求微信 / a wrong argument; WeChat was not asked
         */
        public static function publicTemplates(
            array|string|int $categoryIds,
            string|int $start = 0,
            string|int $limit = 30
        ): array {
        }

        /**
         * 公共模板的关键词（getpubtemplatekeywords）。
         * The keywords of a public template (getpubtemplatekeywords).
         *
         * @return list<array{kid: int, name: string, example: string, rule: string, key: string}> rule：值的类型 / type of the value;
         *         key：选用后在 data 里的字段名 / the key in `data` of a template that has it
         *
         * @throws RoutineTemplate\ConfigException 账号未配置 / the account is not configured
         * @throws RoutineTemplate\TransportException 没有回答 / no answer
         * @throws RoutineTemplate\RefusedException getCode()：200014 编号有误 / no such template …
         * @throws \ValueError $tid 有误 / a wrong $tid
         */
        public static function publicKeywords(string|int $tid): array
        {
        }

        /**
         * 让账号拥有所需的模板：已有的保留（ID 和用户的授权不变），缺少的添加，从不删除。可反复调用。
         * Makes the account hold the wanted templates: what is there is kept, with its id and the users' grants; what is missing is
         * added; nothing is ever removed. It may be called again at any time.
         *
         * 已有模板按字段（键和标签）与标题识别；若行里的模板 ID 在账号中且字段相符，则直接保留。
         * What is there is recognised by its fields (keys and captions) and title; or by the row's own id, if its fields fit.
         *
         * @param array<int|string, array<string, mixed>> $wanted 名称 => ['tid' => 1927, 'keywords' => [1, 2, 4] 或 '1,2,4',
         *        'scene' => '订单支付成功']，或 CRMEB eb_system_notification 的行：mark、routine_tempkey、routine_kid、
         *        routine_content、routine_tempid、name（is_routine 不为 1 的行跳过） / name => members, or rows of CRMEB's table as
         *        they are; those whose is_routine is not 1 are skipped
         * @param array<string, mixed> $options dry_run (bool)：只说明会做什么，不改动 / change nothing, say what would be done
         *
         * @return array{ids: array<string, string>, kept: list<string>, added: list<string>, left_over: list<string>,
         *     skipped: list<string>, failed: array<string, array{errcode: ?int, errmsg: string, hint: string}>}
         *     ids：名称 => 模板 ID / name => template id; kept、added、skipped：名称 / names; left_over：账号中没有用到的模板 ID，不会删除 /
         *     ids that no row has or wants, for you to look at; failed：errcode 为 null 表示没有回答 / null: no answer
         *
         * @throws RoutineTemplate\ConfigException 账号未配置 / the account is not configured
         * @throws RoutineTemplate\TransportException 取不到模板列表 / the list could not be had
         * @throws RoutineTemplate\RefusedException 微信拒绝给出模板列表 / WeChat refused the list
         * @throws \ValueError $wanted 或 $options 有误，什么也没做 / wrong as a whole; nothing was done
         */
        public static function syncTemplates(array $wanted, array $options = []): array
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
         *                                      订阅（默认按 templates() 的列表） / a long-term subscription (default: as the list of
         *                                      templates() says)；templates：只记这些模板 / only these count
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
         * 现在应向该用户请求哪些模板的授权：交给 wx.requestSubscribeMessage 的模板 ID 列表。
         * Which templates the front end should ask this user for now: the ids for wx.requestSubscribeMessage.
         *
         * 剩余次数少的在前，其次按给出的顺序；一次性与长期模板不会混在一起（否则 20002），已允许的长期模板不再请求，被封禁的排最后；
         * 空值、重复、未登记的（如后台关闭的模板）会去掉，以免整次请求失败（20001）。默认最多 3 个：旧版微信多于 3 个会失败（20003）。
         * 账本读不到时按给出的顺序返回。
         * Those with the fewest grants left first, then in the order given; one-time and long-term ones never together (20002);
         * long-term ones that are accepted left out; banned ones last; empty, repeated and unregistered ones (such as those that are
         * switched off in the shop) dropped, for one of them would fail the whole request (20001). Three at most unless `limit` says
         * more: older clients refuse more (20003). Where the ledger cannot be read the order given is kept.
         *
         * @param list<string|int|null>    $keys    模板 ID，或 registerTemplate() 登记的名称 / template ids, or names given to registerTemplate()
         * @param array{limit?: int|string} $options limit：1 到 5，默认 3 / 1 to 5, 3 if left out
         *
         * @return list<string>
         *
         * @throws \ValueError
         * @throws RoutineTemplate\ConfigException
         */
        public static function requestTemplates(string|int $openid, array $keys, array $options = []): array
        {
        }

        /**
         * 接收微信“消息推送”的请求：验证签名与时间、解密（安全模式）、解析 XML 或 JSON，把订阅事件记入授权账本和发送记录。
         * Takes a request of WeChat's message push: checks signature and time, decrypts (safe mode), reads XML or JSON, and puts what
         * it tells of grants and deliveries into the ledger and the delivery rows.
         *
         * 需要设置 push_token；加密时还需 push_aes_key，设置后只接受加密内容（不看兼容模式中的明文）。
         * Needs push_token and, where pushes are encrypted, push_aes_key; with it encrypted content counts only.
         *
         * kind：verify 为地址验证；event、message 为微信推送的事件与其他消息；refused 为拒绝（不是异常：任何人都能请求这个地址）。
         * kind: verify, the check of the address; event and message, what WeChat pushed; refused, which is no exception, as anybody
         * can make a request.
         *
         * status、reply 原样作为 HTTP 状态和内容返回。handled 为 true 表示已记入账本或发送记录；否则由应用自己处理 message。
         * Answer with status and reply as they are. handled: it is in the ledger or the rows; otherwise message is the application's.
         *
         * event 为小写事件名：subscribe_msg_popup_event、subscribe_msg_change_event 见 grants（模板 ID => 账本行）与 unknown（未计入及原因），
         * subscribe_msg_sent_event、templatesendjobfinish 见 receipts（id 为 null 表示没有这条消息的记录）。
         * event is the name in lower case. The popup and change events give grants (template id => row of the ledger) and unknown (what
         * was not counted, and why); the sent event and TEMPLATESENDJOBFINISH give receipts (id null: there is no row of that message).
         *
         * 微信会重复推送：同一事件（FromUserName、CreateTime、内容）只计一次，duplicate 为 true；与 recordGrants() 上报的同一次允许也只计一次。
         * WeChat repeats pushes: the same event (FromUserName, CreateTime, content) counts once, then duplicate is true; and once with
         * the same accept that recordGrants() was told of.
         *
         * error：unsigned、bad_signature、stale（与本机时间相差超过 10 分钟）、not_encrypted、undecryptable、wrong_appid 为 403，
         * malformed 为 400，too_large（超过 1 MiB）为 413；hint 说明处理办法。
         * error is one of these, with what to do in hint; stale is more than 10 minutes from this host's time, too_large above 1 MiB.
         *
         * @param array<string, mixed> $query $_GET
         * @param string $body file_get_contents('php://input')
         *
         * @return array{kind: string, status: int, reply: string, event: ?string, handled: bool, duplicate: bool,
         *     message: ?array<string, mixed>, grants: array<string, array<string, mixed>>, unknown: array<string, string>,
         *     receipts: list<array{msgid: int|string, template_id: ?string, receipt: string, id: ?string}>, error: ?string, hint: string}
         *
         * @throws RoutineTemplate\ConfigException 没有设置 push_token，或收到加密推送而没有设置 push_aes_key / one of them is missing
         * @throws RoutineTemplate\StoreException 无法保存；返回 500，微信会再次推送 / answer with 500, and WeChat pushes it again
         */
        public static function handlePush(array $query, string $body): array
        {
        }

        /**
         * 记录应用已经验证并解密的推送消息（如 CRMEB 的 MiniProgramService::hook），可与 handlePush() 并用，同一事件只计一次。
         * Takes a pushed message that the application has verified and decrypted already, as CRMEB does in its hook. It may be used
         * beside handlePush(): the same event counts once.
         *
         * 不检查签名，只能传入已验证的消息。其他消息返回 false。
         * There is no signature to check: pass verified messages only. Others than those about grants and deliveries are false.
         *
         * @param array<string, mixed>|object|string $message 数组、EasyWeChat 的 Collection、对象、SimpleXMLElement、JSON 或 XML 字符串
         *     / an array, EasyWeChat's Collection, an object, a SimpleXMLElement, JSON or XML
         *
         * @return bool 是否与授权或送达有关且已保存 / whether it concerned grants or deliveries and is stored
         *
         * @throws \ValueError 不是消息，或事件缺少 FromUserName、CreateTime、List 等 / no message, or an event without what it must have
         * @throws RoutineTemplate\ConfigException
         * @throws RoutineTemplate\StoreException
         */
        public static function recordEvent(array|object|string $message): bool
        {
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
         *                                     since (unix time, int or float：此后交来的 / handed over since then)、before (id：上一页最后一条 / last id of the page before)、
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
         * 某接口每天可调用多少次、今天还剩多少（openapi/quota/get），以及本地的计数与暂停。接口被暂停时也可查询。
         * How many calls a day one API allows and how many are left (openapi/quota/get), and what was counted and paused here.
         * Works while the API is paused, too.
         *
         * quota.daily_limit、used、remain 为微信的计数（误差约 1%），rate_limit 为每分钟限额（微信给出时）。local：path 实际查询的路径，
         * calls_today 本店今天（北京时间）计到的次数，paused_until 暂停到何时（unix 秒），paused_by 45009 或 45011，documented 为
         * 微信没有给出数字时文档中的每日上限。没有存储时本地各项为 null。路径有误 76021，账号不能查该路径 76022。
         * `quota`: WeChat's figures, right to within 1 %; `rate_limit` those of the minute, where WeChat tells. `local`: `path` as
         * asked, `calls_today` as counted here (Asia/Shanghai), `paused_until` in unix seconds, `paused_by` 45009 or 45011,
         * `documented` the limits of WeChat's pages where WeChat itself gave no figure. Without a store ours are null. 76021: wrong
         * path; 76022: not for this account.
         *
         * @param string $path 接口路径，可带域名和参数，也可只写结尾 / the path of an API, with or without host and query, or its end:
         *                     /cgi-bin/message/subscribe/send, subscribe/send, gettemplate
         *
         * @return array{errcode: int, errmsg: string, hint: string, quota?: array{daily_limit: int, used: int, remain: int},
         *     local: array{path: string, calls_today: ?int, paused_until: ?int, paused_by: ?int,
         *         documented: ?array{daily_limit: int, daily_limit_with_wechat_pay: int}}}
         *
         * @throws \ValueError $path 不是接口路径 / $path names no API
         * @throws RoutineTemplate\ConfigException
         * @throws RoutineTemplate\TransportException
         */
        public static function quota(string $path): array
        {
        }

        /**
         * 请微信清零调用次数，成功后解除本地的暂停：不带参数清零整个账号（clear_quota，每月 10 次；取不到 token 时改用 AppSecret，
         * clear_quota/v2），带路径只清零该接口（openapi/quota/clear，每月 50 次）。
         * Lets WeChat set the counters back and ends the pauses here if it did: of the whole account (clear_quota, ten times a month;
         * with the secret where no token can be had, clear_quota/v2), or of one API (openapi/quota/clear, fifty times a month).
         *
         * 多个进程同时调用时只有一个会请求微信，其余得到同一结果（duplicate）；一分钟内不会重复清零。本月次数用完后直接得到 48006
         * （按接口为 45009），不再请求微信。local：used_this_month、left_this_month 本月已用、剩余次数（没有存储时为 null），
         * pauses_ended 本地暂停是否已解除。
         * Of many processes that call at once one asks WeChat and the others take its answer (`duplicate`); what was cleared within
         * the last minute is not cleared again. When none of the month is left, 48006 (by API: 45009) is answered without asking.
         * `local`: `used_this_month` and `left_this_month` (null without a store), `pauses_ended`.
         *
         * @param string|null $path 同 quota() / as in quota()
         *
         * @return array{errcode: int, errmsg: string, hint: string, source: string, duplicate: bool,
         *     local: array{used_this_month: ?int, left_this_month: ?int, pauses_ended: bool}}
         *
         * @throws \ValueError $path 不是接口路径 / $path names no API
         * @throws RoutineTemplate\ConfigException
         * @throws RoutineTemplate\TransportException
         */
        public static function clearQuota(?string $path = null): array
        {
        }

        /**
         * 按 rid 查一次请求的详情（openapi/rid/get，7 天内）；其中的 token 与 secret 已遮盖。
         * WeChat's record of one request by its rid (openapi/rid/get, seven days back); tokens and secrets in it are masked.
         *
         * request：invoke_time（unix 秒）、cost_in_ms、request_url、request_body、response_body、client_ip。
         * 76001 没有该 rid，76002 有误，76003 不属于本账号，76004 超过 7 天。
         * 76001: no such rid; 76002: malformed; 76003: of another account; 76004: older than seven days.
         *
         * @param string $rid rid，或以它结尾的整条 errmsg / the rid, or a whole errmsg that ends with it
         *
         * @return array{errcode: int, errmsg: string, hint: string, request?: array<string, mixed>}
         *
         * @throws \ValueError 其中没有 rid / there is no rid in it
         * @throws RoutineTemplate\ConfigException
         * @throws RoutineTemplate\TransportException
         */
        public static function rid(string $rid): array
        {
        }

        /**
         * 公众号旧的「一次性订阅消息」（POST /cgi-bin/message/template/subscribe），只发一次，从不自动重发。
         * The old one-time subscription message of official accounts, sent once and never again by itself.
         *
         * 用户须先在确认页（mp.weixin.qq.com/mp/subscribemsg）同意；同一用户同一 scene 的授权不累计。
         * The user has confirmed it on WeChat's page before; confirmations of one scene do not add up.
         *
         * @param string|int $openid 确认页带回的 openid / the openid that the confirmation page returned
         * @param string|int $templateId 一次性订阅的模板 ID，或登记的名称 / the account's one-time template, or a registered name
         * @param string|int $scene 0 到 10000，与确认链接相同 / 0 to 10000, as in the link that was confirmed
         * @param string $title 1 到 15 个字（40062） / 1 to 15 characters (40062)
         * @param array<string, mixed>|string $content 1 到 200 个字（47003），或 ['value' => …, 'color' => '#173177'] / 1 to 200
         *                                             characters (47003), or value and colour
         * @param array{url?: string, miniprogram?: array{appid: string, pagepath?: string}, color?: string} $options 点击后去向
         *                                                                                        / where a tap leads
         *
         * @return array<string, mixed> errcode、errmsg、hint、source（wechat|local）、outcome，以及微信返回的其他键；43101 为用户未确认
         *                              / and whatever else WeChat answers; 43101: the user has not confirmed it
         *
         * @throws RoutineTemplate\ConfigException
         * @throws RoutineTemplate\TransportException isAmbiguous() 为 true 时消息可能已送达 / true: it may have been delivered
         * @throws \ValueError
         */
        public static function sendOneTime(
            string|int $openid,
            string|int $templateId,
            string|int $scene,
            string $title,
            array|string $content,
            array $options = []
        ): array {
        }

        /**
         * 统一服务消息（uniform_send）已于 2023-09-20 下线：不联网，立即返回 45109 和替代办法。
         * `uniform_send` was withdrawn on 2023-09-20: answers 45109 and what replaced it at once, without a request.
         *
         * @param array<string, mixed> $message 原来的消息，不会使用 / the message as it was, not used
         *
         * @return array{errcode: int, errmsg: string, hint: string, source: string, outcome: string}
         */
        public static function uniformSend(array $message = []): array
        {
        }

        /**
         * 小程序模板消息（wxopen/template/send、form_id）已于 2020 年 1 月下线：不联网，立即返回 45103 和替代办法。
         * Mini program template messages ended in January 2020: answers 45103 and what replaced them, without a request.
         *
         * @param array<string, mixed> $message 原来的消息，不会使用 / the message as it was, not used
         *
         * @return array{errcode: int, errmsg: string, hint: string, source: string, outcome: string}
         */
        public static function wxopenTemplateSend(array $message = []): array
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

        /** @see \RoutineTemplate::templates() */
        public function templates(bool $refresh = false): array
        {
        }

        /** @see \RoutineTemplate::addTemplate() */
        public function addTemplate(string|int $tid, array $keywordIds, string $scene): string
        {
        }

        /** @see \RoutineTemplate::deleteTemplate() */
        public function deleteTemplate(string|int $templateId): void
        {
        }

        /** @see \RoutineTemplate::categories() */
        public function categories(): array
        {
        }

        /** @see \RoutineTemplate::publicTemplates() */
        public function publicTemplates(
            array|string|int $categoryIds,
            string|int $start = 0,
            string|int $limit = 30
        ): array {
        }

        /** @see \RoutineTemplate::publicKeywords() */
        public function publicKeywords(string|int $tid): array
        {
        }

        /** @see \RoutineTemplate::syncTemplates() */
        public function syncTemplates(array $wanted, array $options = []): array
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

        /** @see \RoutineTemplate::requestTemplates() */
        public function requestTemplates(string|int $openid, array $keys, array $options = []): array
        {
        }

        /** @see \RoutineTemplate::handlePush() */
        public function handlePush(array $query, string $body): array
        {
        }

        /** @see \RoutineTemplate::recordEvent() */
        public function recordEvent(array|object|string $message): bool
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
        public function clearQuota(?string $path = null): array
        {
        }

        /** @see \RoutineTemplate::rid() */
        public function rid(string $rid): array
        {
        }

        /** @see \RoutineTemplate::sendOneTime() */
        public function sendOneTime(
            string|int $openid,
            string|int $templateId,
            string|int $scene,
            string $title,
            array|string $content,
            array $options = []
        ): array {
        }

        /** @see \RoutineTemplate::uniformSend() */
        public function uniformSend(array $message = []): array
        {
        }

        /** @see \RoutineTemplate::wxopenTemplateSend() */
        public function wxopenTemplateSend(array $message = []): array
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
     * 微信拒绝，或消息一定会被微信拒绝；getCode() 为 errcode。来自 queue()、accessToken() 和模板管理，send() 则返回数组。
     * WeChat refused, or certainly would; getCode() is the errcode. From queue(), accessToken() and the template calls; send()
     * returns its array.
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
