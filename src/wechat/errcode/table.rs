//! The table of errcodes itself: one row a code, in the order of the numbers.

use super::{Errcode, Outcome};
use Outcome::{
    Delivered, Gone, Misconfigured, RefusedPayload, RefusedUser, RetryLater, ThrottledDay, ThrottledMinute,
    ThrottledUser, TokenStale,
};

/// A hint in Chinese and in English.
pub(super) type Hint = (&'static str, &'static str);

const fn row(code: i64, outcome: Outcome, text: &'static str, (hint_zh, hint_en): Hint) -> Errcode {
    Errcode { code, outcome, text, hint_zh, hint_en }
}

/// The hint for an errcode that is not in the table, Chinese and English.
#[rustfmt::skip]
pub const UNLISTED_HINT: (&str, &str) = ("该错误码未收录，请按 errmsg 排查，必要时带上 rid 到微信开放社区提问。",
    "This errcode is not known here, so go by errmsg and ask WeChat's developer community with the rid if need be.");

/// 40001 at a token endpoint.
pub(super) static WRONG_SECRET: Errcode = row(40001, Misconfigured, "invalid credential", SECRET);

// Hints that several errcodes share.
#[rustfmt::skip]
mod shared {
    use super::Hint;
    pub const TOKEN: Hint = ("access_token 会自动更新并重发一次，若仍报错，请核对 configure() 里的 appid、secret 或 token，并让店铺其他代码改用 accessToken()。",
        "The token is renewed and the message sent once more by itself; if this answer stays, check appid, secret or token in configure() and let the shop's other code use accessToken().");
    pub const SECRET: Hint = ("AppSecret 不正确，请与保存的 AppSecret 核对，找不回就在小程序后台「开发管理」重置，再用 configure() 更新 secret。",
        "The AppSecret is wrong, so compare it with the one you saved, or reset it on the Development Management page of the console, then update secret with configure().");
    pub const IP: Hint = ("请把服务器的出口 IP 加入微信公众平台的「IP白名单」（小程序在「开发管理」，公众号在「基本配置」）。",
        "Add the server's public IP to the IP whitelist of the console (Development Management for a mini program, Basic Configuration for an official account).");
    pub const ADMIN: Hint = ("请账号管理员在微信「公众平台安全助手」里确认该 IP 的调用请求，确认后再发送。",
        "Ask the account's administrator to confirm this IP in the message of the platform's security assistant in WeChat, then send again.");
    pub const METHOD: Hint = ("请求方法被中途改动，请检查 base_url 和 proxy 是否发生跳转，把 POST 变成了 GET。",
        "The HTTP method was changed on the way, so check whether base_url or proxy redirects and turns POST into GET.");
    pub const REWRITTEN: Hint = ("请求内容被中途改动，请检查 base_url 是否为微信官方地址，以及 proxy 是否改写请求。",
        "The request was changed on the way, so check that base_url is WeChat's own address and that proxy rewrites nothing.");
    pub const ARGUMENTS: Hint = ("请求参数不合法，请先用 validate() 检查 data，再核对 openid、模板 ID 和 page。",
        "An argument is not valid, so run validate() on data, then check openid, template id and page.");
    pub const CHANNEL: Hint = ("请让 channel 选项与账号类型一致：小程序用 subscribe，公众号用 bizsend 或 template。",
        "Make option channel fit the account: subscribe for a mini program, bizsend or template for an official account.");
    pub const FOLLOW: Hint = ("该用户没有关注公众号，请引导其关注后再发，或改发小程序订阅消息（channel 用 subscribe）。",
        "The user does not follow the official account, so invite them to, or send a mini program message instead (channel subscribe).");
    pub const PERMISSION: Hint = ("账号没有该接口的权限，请在微信公众平台「接口权限」里确认账号已认证且接口已开通。",
        "The account may not use this API, so check on the API Permissions page of the console that it is verified and the API is enabled.");
    pub const PUNISHED: Hint = ("账号因违规被限制，请登录微信公众平台，在「通知中心」查看原因、恢复时间和申诉入口。",
        "The account is restricted for a violation, so log in to the console and read the reason, the end date and the way to appeal in its Notification Centre.");
    pub const FROZEN: Hint = ("账号受限、被冻结或已注销，请由管理员登录微信公众平台查看账号状态，并按提示恢复。",
        "The account is restricted, frozen or closed, so let its administrator log in to the console and follow what it says to restore it.");
    pub const TEMPLATE_BUSY: Hint = ("微信模板管理接口系统繁忙，请稍后再次调用。", "WeChat's template service is busy, so call it again a little later.");
    pub const TEMPLATE_INPUT: Hint = ("模板管理接口的参数有误，请核对传入的模板 ID、tid 或关键词列表。",
        "An argument of the template call is wrong, so check the template id, tid or keyword list that you passed.");
    pub const CATEGORY: Hint = ("请先用 categories() 取得本账号的类目 ID，再用它查询公共模板。",
        "Take the category ids of this account from categories() and look up public templates with those.");
    pub const PAGING: Hint = ("公共模板的分页参数有误，start 应从 0 开始，limit 最大为 30。",
        "The paging of the public templates is wrong: start counts from 0 and limit is at most 30.");
    pub const FORM_ID: Hint = ("form_id 模板消息早已下线，请改用订阅消息模板，并由前端调用 wx.requestSubscribeMessage 请用户授权。",
        "Messages with a form_id have ended, so use a subscribe template, and let the front end ask the user through requestSubscribeMessage.");
    pub const TICKET: Hint = ("第三方平台的 component_verify_ticket 已失效，请让平台方恢复接收推送后，用 configure() 更新 token。",
        "The third-party platform's component_verify_ticket is no longer valid, so have the platform receive it again, then update token with configure().");
    pub const RID: Hint = ("请核对 rid 是否完整，只能查询本账号最近 7 天内的请求。", "Check that the rid is complete and belongs to a request of this account in the last 7 days.");
    pub const SERVICE_CARD: Hint = ("服务卡片（setUserNotify）的模板不能这样发送，请在小程序后台「订阅消息」里选择普通的一次性订阅模板。",
        "Templates of service cards (setUserNotify) cannot be sent this way, so choose an ordinary one-time template on the Subscribe Messages page of the console.");
    pub const FOREIGN: Hint = ("该错误码不属于订阅消息接口，请检查 base_url 是否为微信官方地址，并带上 rid 到微信开放社区提问。",
        "This errcode does not belong to the messages sent here, so check that base_url is WeChat's own address and ask WeChat's developer community with the rid.");
}
use shared::*;

/// Every errcode that WeChat's message, token, template, quota and transport documents name, sorted by code.
#[rustfmt::skip]
pub static ERRCODES: &[Errcode] = &[
    row(-1, RetryLater, "system error", ("微信系统繁忙，本次没有送达，请稍后再发。",
        "WeChat is busy and delivered nothing, so send again a little later.")),
    row(0, Delivered, "ok", ("微信已接受该消息，无需处理。", "WeChat has accepted the message, so nothing is left to do.")),
    row(404, Misconfigured, "wrong HTTP method", METHOD),
    row(20001, RetryLater, "system error", TEMPLATE_BUSY),
    row(20002, Misconfigured, "invalid parameter", TEMPLATE_INPUT),
    row(40001, TokenStale, "invalid credential, access_token is invalid or not latest", TOKEN),
    row(40002, Misconfigured, "invalid grant_type", REWRITTEN),
    row(40003, RefusedUser, "invalid openid", ("请确认 openid 属于 configure() 里 appid 对应的账号，小程序与公众号的 openid 不能混用。",
        "Check that the openid belongs to the appid in configure(), because a mini program and an official account give the same user different ones.")),
    row(40008, RefusedPayload, "invalid message type", CHANNEL),
    row(40013, Misconfigured, "invalid appid", ("请到小程序后台「开发管理」核对 AppID，注意大小写，再用 configure() 更正 appid。",
        "Compare appid with the AppID on the Development Management page of the console, mind upper and lower case, and correct it with configure().")),
    row(40014, TokenStale, "invalid access_token", TOKEN),
    row(40033, RefusedPayload, r"illegal characters, the form \uxxxx is not allowed", REWRITTEN),
    row(40035, RefusedPayload, "invalid parameter", ARGUMENTS),
    row(40036, Misconfigured, "invalid template_id size", ("模板 ID 长度不对，请在小程序后台「订阅消息」的「我的模板」里复制完整 ID，再用 registerTemplate() 登记。",
        "The template id has the wrong length, so copy the whole id from My Templates on the Subscribe Messages page of the console and give it to registerTemplate().")),
    row(40037, Misconfigured, "invalid template_id", ("该模板 ID 不属于当前账号或已被删除，请到「订阅消息」的「我的模板」复制新 ID，用 registerTemplate() 更新，前端也改取 templateId()，若传的是名称则须在本次请求中登记过。",
        "The template belongs to another account or was deleted, so copy the current id from My Templates in the console, update it with registerTemplate() and let the front end use templateId() too; a name must be registered in the same request.")),
    row(40039, RefusedPayload, "invalid url size", ("跳转链接过长，请缩短 page 后再发送。", "The link is too long, so shorten page and send again.")),
    row(40062, RefusedPayload, "invalid title size", ("标题过长，请缩短到 15 个字以内再发送。", "The title is too long, so shorten it to 15 characters and send again.")),
    row(40097, RefusedPayload, "invalid args", ARGUMENTS),
    row(40125, Misconfigured, "invalid appsecret", SECRET),
    row(40164, Misconfigured, "invalid ip, not in whitelist", ("请把 errmsg 里的服务器 IP 加入微信公众平台的「IP白名单」（小程序在「开发管理」，公众号在「基本配置」）。",
        "Add the server IP that errmsg names to the IP whitelist of the console (Development Management for a mini program, Basic Configuration for an official account).")),
    row(40241, ThrottledUser, "The message is duplicate in 60 seconds", ("60 秒内已给该用户发过相同内容，请检查是否同一事件触发了两次发送。",
        "The same content went to this user within 60 seconds, so check whether one event sends twice.")),
    row(40243, Misconfigured, "AppSecret is frozen", ("AppSecret 已被冻结，请管理员在小程序后台「开发管理」解冻，约 10 分钟后生效。",
        "The AppSecret is frozen, so let the administrator unfreeze it on the Development Management page of the console and wait about 10 minutes.")),
    row(40249, RefusedPayload, "marketing content", ("内容被判定为营销信息，请删去促销、优惠、引流类文字后再发送。",
        "The content was judged to be marketing, so take out promotional words and send again.")),
    row(40400, Misconfigured, "malformed HTTP request", REWRITTEN),
    row(41001, Misconfigured, "access_token missing", ("请求里没有 access_token，请检查 configure() 的 token 和 token_mode，并确认 proxy 没有丢掉网址参数。",
        "The request had no access_token, so check token and token_mode in configure() and that proxy keeps the query string.")),
    row(41002, Misconfigured, "appid missing", ("没有 appid，请用 configure() 设置 appid。", "There is no appid, so set appid with configure().")),
    row(41004, Misconfigured, "appsecret missing", ("没有 AppSecret，请用 configure() 设置 secret。", "There is no AppSecret, so set secret with configure().")),
    row(41028, RefusedPayload, "invalid form id", FORM_ID),
    row(41029, RefusedPayload, "form id used count reach limit", FORM_ID),
    row(41030, RefusedPayload, "invalid page", ("请确认 page 存在于小程序已发布版本的 app.json，尚未发布时把 state 设为 developer 或 trial。",
        "Check that page is in the released version of the mini program, or set state to developer or trial while it is not released.")),
    row(42001, TokenStale, "access_token expired", TOKEN),
    row(42005, Misconfigured, "api usage expired", ("该接口的使用期限已到，请到微信公众平台「接口权限」查看并续期。",
        "The right to use this API has run out, so look it up on the API Permissions page of the console and renew it.")),
    row(42007, Misconfigured, "access_token and refresh_token exception", ("这是网页授权的用户 token，不能发消息，请用 configure() 把 token_mode 设为 stable。",
        "This is a user token of web authorisation, which cannot send, so set token_mode to stable with configure().")),
    row(43001, Misconfigured, "require GET method", METHOD),
    row(43002, Misconfigured, "require POST method", METHOD),
    row(43003, Misconfigured, "require https", ("请用 configure() 把 base_url 改为 https 开头的地址。", "Set base_url to an address that begins with https through configure().")),
    row(43004, RefusedUser, "require subscribe", FOLLOW),
    row(43019, RefusedUser, "require remove blacklist", ("该用户在公众号黑名单里，如需通知，请到公众号后台「用户管理」将其移出。",
        "The user is on the official account's blacklist, so remove them on the User Management page of the console if they are to be notified.")),
    row(43100, Misconfigured, "change template too frequently", ("模板改动过于频繁，请暂停增删模板，过一段时间再试。",
        "Templates were changed too often, so stop adding and deleting templates for some time.")),
    row(43101, RefusedUser, "user refuse to accept the msg", ("用户没有授权或授权次数已用完，请在小程序里让用户再次点击授权（wx.requestSubscribeMessage），用 recordGrants() 上报结果后再发。",
        "The user has not accepted or every grant is used up, so let the user accept again in the mini program (requestSubscribeMessage), report it with recordGrants() and send again.")),
    row(43102, Misconfigured, "not a subscription template", ("该模板不是订阅消息模板，请在后台「订阅消息」查出正确的模板，再用 registerTemplate() 更新。",
        "This is not a subscribe template, so find the right one on the Subscribe Messages page of the console and update it with registerTemplate().")),
    row(43103, Misconfigured, "the api only can cancel the subscription", CHANNEL),
    row(43104, Misconfigured, "this appid does not have permission", ("该模板多半属于别的小程序，请在后台「订阅消息」核对本账号的模板，再用 registerTemplate() 更新。",
        "The template most likely belongs to another mini program, so compare with this account's Subscribe Messages page and update it with registerTemplate().")),
    row(43105, Misconfigured, "news has no binding relation with template_id", ("图文没有绑定该模板，请到公众号后台「订阅通知」绑定后再发送。",
        "The article is not bound to this template, so bind it on the Subscription Notices page of the official account's console and send again.")),
    row(43106, Misconfigured, "not allow to add template, for punishment", PUNISHED),
    row(43107, Misconfigured, "subscribe message capability is banned", ("账号或模板的订阅消息能力被封禁，请到小程序后台「通知中心」查看是哪一个，整改后申诉。",
        "The account or the template is banned from subscribe messages, so see in the console's Notification Centre which one, correct it and appeal.")),
    row(43108, ThrottledUser, "Cannot make concurrent calls to the same OpenID, please try again", ("同一用户不能并发发送，请等上一条有结果后再发。",
        "One user cannot be sent several messages at once, so wait for the verdict on one before sending the next.")),
    row(43116, Misconfigured, "template is restricted", ("该模板已被限制，请到公众号后台「通知中心」查看原因，或换一个模板并用 registerTemplate() 登记。",
        "The template is restricted, so read the reason in the console's Notification Centre, or choose another and give it to registerTemplate().")),
    row(43117, ThrottledUser, "Sending messages to this openid too frequently, please try later", ("给该用户发送过于频繁，请合并消息并稍后再发。",
        "This user gets messages too often, so merge some of them and send later.")),
    row(44002, RefusedPayload, "empty post data", REWRITTEN),
    row(44007, RefusedPayload, "repeated msg id", ("该消息已提交过，请不要重复发送。",
        "This message was submitted before, so do not send it again.")),
    row(45008, RefusedPayload, "article size out of limit", FOREIGN),
    row(45009, ThrottledDay, "reach max api daily quota limit", ("当天额度已用完，请等北京时间零点恢复，或用 clearQuota() 清零（每月限 10 次），取 token 超限则把 token_mode 设为 stable。",
        "The daily quota is used up, so wait for midnight Beijing time or clear it with clearQuota() (10 times a month), and set token_mode to stable if it was a token request.")),
    row(45011, ThrottledMinute, "api minute-quota reach limit mustslower retry next minute", ("每分钟调用次数超限，请等下一分钟再发，并降低批量发送的速度。",
        "The quota of this minute is used up, so wait for the next one and send more slowly.")),
    row(45033, Misconfigured, "user get card num is out of get_limit", FOREIGN),
    row(45035, Misconfigured, "access clientip is not registered, not in ip-white-list", IP),
    row(45102, RetryLater, "this api have been blocked temporarily.", ("接口被临时限制，请降低发送频率，稍后再发。", "The API is blocked for a while, so send less often and try again later.")),
    row(45103, Gone, "This API has been unsupported", CHANNEL),
    row(45109, Gone, "uniform_send has been withdrawn", ("统一服务消息（uniform_send）已下线，请改用 send() 发送订阅消息。",
        "Uniform service messages (uniform_send) have ended, so send subscribe messages with send() instead.")),
    row(45168, RefusedPayload, "keyword in blacklist", ("内容含敏感词，请检查商品名、昵称、备注等文字，替换后再发送。",
        "The content has a forbidden word, so look through product names, nicknames and remarks, replace it and send again.")),
    row(47001, RefusedPayload, "data format error", ("data 的结构不对，请传「字段名 => 值」的数组，并用 configure() 把 validate 设为 fit。",
        "The structure of data is wrong, so pass an array of field name => value and set validate to fit with configure().")),
    row(47002, RefusedPayload, r"data format error, do NOT use json unicode encode (\uxxxx\uxxxx), please use utf8 encoded text!", REWRITTEN),
    row(47003, RefusedPayload, "argument invalid!", ("errmsg 指出的字段为空或不合规则，请先用 registerTemplate() 登记模板内容，再用 validate() 查看缺少或有误的字段。",
        "The field that errmsg names is empty or breaks its rule, so give the template's content to registerTemplate(), then validate() names what is missing or wrong.")),
    row(48001, Misconfigured, "api unauthorized", PERMISSION),
    row(48002, RefusedUser, "user block receive message", ("该用户关闭了公众号的「接收消息」，请改用短信等方式通知。",
        "The user has switched off messages of the official account, so notify them in another way, such as SMS.")),
    row(48004, Misconfigured, "api forbidden for irregularities, view detail on mp.weixin.qq.com", PUNISHED),
    row(48006, Misconfigured, "forbid to clear quota because of reaching the limit", ("本月清零次数已用完，请等北京时间零点额度恢复。",
        "The clearings of this month are used up, so wait for the quota to return at midnight Beijing time.")),
    row(48008, Misconfigured, "no permission for this msgtype", PERMISSION),
    row(48009, Gone, "this api is expired", ("该接口已停止服务，请改用 send() 发送订阅消息（channel 用 subscribe）。",
        "This API has ended, so send subscribe messages with send() instead (channel subscribe).")),
    row(50001, Misconfigured, "api unauthorized or user unauthorized", PERMISSION),
    row(50002, Misconfigured, "user limited", FROZEN),
    row(50003, Misconfigured, "user unexpected, maybe not in white list", PERMISSION),
    row(50004, Misconfigured, "user not allow to use accesstoken, maybe for punishment", PUNISHED),
    row(50005, RefusedUser, "user is unsubscribed", FOLLOW),
    row(50006, RefusedUser, "user has switched off friends authorization", ("该用户关闭了相关授权，请改用短信等方式通知。",
        "The user has switched off this authorisation, so notify them in another way, such as SMS.")),
    row(50007, Misconfigured, "account is frozen", FROZEN),
    row(61003, Misconfigured, "component is not authorized by this account", ("账号没有授权给该第三方平台，请管理员扫码重新授权。",
        "The account has not authorised this third-party platform, so let the administrator scan its code and authorise it again.")),
    row(61004, Misconfigured, "access clientip is not registered", IP),
    row(61005, Misconfigured, "component ticket is expired", TICKET),
    row(61006, Misconfigured, "component ticket is invalid", TICKET),
    row(61007, Misconfigured, "api is unauthorized to component", ("第三方平台缺少消息权限集（小程序订阅消息为 18，公众号订阅通知为 89），请让管理员勾选后重新授权。",
        "The third-party platform lacks the permission set (18 for mini program messages, 89 for subscription notices), so let the administrator tick it and authorise again.")),
    row(76001, Misconfigured, "rid not found", RID),
    row(76002, Misconfigured, "rid is error", RID),
    row(76003, Misconfigured, "could not query this rid, no permission", ("只能查询本账号的 rid，若来自额度查询，请把路径写成 /cgi-bin/message/subscribe/send 这样不带域名的形式。",
        "Only a rid of this account can be looked up; if it came from a quota look-up, write the path without a host, such as /cgi-bin/message/subscribe/send.")),
    row(76004, Misconfigured, "rid is older than 7 days", RID),
    row(76021, Misconfigured, "cgi_path not found", ("查询额度的路径有误，请写成 /cgi-bin/message/subscribe/send 这样以 / 开头、不带域名的形式。",
        "The path of the quota look-up is wrong, so write it with a leading slash and without a host, such as /cgi-bin/message/subscribe/send.")),
    row(76022, Misconfigured, "could not use this cgi_path, no permission", ("当前账号不能查询该路径，请确认路径属于本账号的接口，/sns 开头的不支持。",
        "This account cannot look up that path, so give the path of an API of its own, and none under /sns.")),
    row(85431, Misconfigured, "refused by setUserNotify", SERVICE_CARD),
    row(85443, Misconfigured, "content_json of setUserNotify is not valid UTF-8", SERVICE_CARD),
    row(85449, RetryLater, "the card of setUserNotify is locked, retry later", SERVICE_CARD),
    row(85471, Misconfigured, "ext JSON of setUserNotifyExt is not valid UTF-8", SERVICE_CARD),
    row(89501, Misconfigured, "this IP waits for the administrator's confirmation", ADMIN),
    row(89503, Misconfigured, "this call needs the administrator's confirmation", ADMIN),
    row(89506, Misconfigured, "the administrator has refused this IP, retry after 24 hours", ("管理员已拒绝该 IP，请与管理员沟通，24 小时后再发送并由其确认。",
        "The administrator has refused this IP, so talk to them, send again after 24 hours and have them confirm it.")),
    row(89507, Misconfigured, "the administrator has refused this IP, retry after 1 hour", ("管理员已拒绝该 IP，请与管理员沟通，1 小时后再发送并由其确认。",
        "The administrator has refused this IP, so talk to them, send again after 1 hour and have them confirm it.")),
    row(200001, RetryLater, "system error", TEMPLATE_BUSY),
    row(200002, Misconfigured, "invalid parameter", TEMPLATE_INPUT),
    row(200011, Misconfigured, "the account is banned from adding templates", PUNISHED),
    row(200012, Misconfigured, "the limit of private templates is reached", ("模板数量已达上限，请从 syncTemplates() 的 left_over 里找出不用的模板，在后台删除后再添加，删除会使用户对它的授权失效。",
        "The limit of templates is reached, so remove one that left_over of syncTemplates() lists in the console and add again; users' grants for it are lost.")),
    row(200013, Misconfigured, "the template is banned", ("该公共模板已被封禁，请在后台另选一个。",
        "This public template is banned, so choose another in the console.")),
    row(200014, Misconfigured, "invalid tid", ("tid 或模板 ID 有误，请用 publicTemplates() 查出正确的 tid，或用 templates() 查出正确的模板 ID。",
        "The tid or the template id is wrong, so look up the tid with publicTemplates(), or the template id with templates().")),
    row(200016, Misconfigured, "invalid start", PAGING),
    row(200017, Misconfigured, "invalid limit", PAGING),
    row(200018, Misconfigured, "category ids are missing", CATEGORY),
    row(200019, Misconfigured, "invalid category ids", CATEGORY),
    row(200020, Misconfigured, "invalid kidList", ("关键词列表有误，请从 publicKeywords() 的结果中选 2 到 5 个不重复的编号。",
        "The keyword list is wrong, so choose 2 to 5 different numbers from what publicKeywords() answers.")),
    row(200021, Misconfigured, "invalid sceneDesc", ("场景说明有误，请填写 1 到 15 个字，不能为空白。",
        "The scene description is wrong, so write 1 to 15 characters that are not blank.")),
    row(200022, Misconfigured, "template has added already", ("相同标题和关键词的模板已存在，请直接用返回的 priTmplId，并用 registerTemplate() 登记。",
        "A template with this title and these keywords exists, so use the priTmplId of the answer and give it to registerTemplate().")),
    row(200100, Misconfigured, "wrong account type", ("该类账号不能管理订阅模板，请确认 configure() 的 appid 是小程序或已认证的服务号。",
        "This kind of account cannot manage templates, so check that appid in configure() is a mini program or a verified service account.")),
];
