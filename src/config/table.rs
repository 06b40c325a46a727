//! Every setting: name, default, meaning and parser, written once. The ini entries, `configure()`, `phpinfo()` and the
//! settings pages come from it or are checked against it.

use std::path::PathBuf;
use std::time::Duration;

use super::value::{
    FALLBACK_LIMIT, LANGUAGES, STATES, address, host_address, milliseconds, not_listed, one_of, parse_concurrency,
    parse_grants, parse_mode, push_keys, seconds, store, switch, trimmed,
};
use super::{DeliveryMode, Durability, Secret, Settings, TokenMode};
use crate::error::Error;
use crate::language::{Language, Text, plain_text};

/// One setting, `routine_template.NAME` in php.ini and `NAME` in `configure()`.
pub struct Setting {
    /// The name, without prefix.
    pub name: &'static str,
    /// The value as php.ini would have it.
    pub default: &'static str,
    /// What may be written, for error texts and the settings pages.
    pub allowed: &'static str,
    /// Shown as `***` wherever settings are shown.
    pub secret: bool,
    /// Belongs to one account: never carried over to another appid.
    pub of_account: bool,
    /// Meaning, Chinese.
    pub zh: &'static str,
    /// Meaning, English.
    pub en: &'static str,
    /// Parses the value into its place; the error says what is wrong with it.
    pub(super) apply: fn(&mut Settings, &str) -> Result<(), Text>,
}

/// All settings, in the order in which they are documented.
pub static SETTINGS: &[Setting] = &[
    Setting {
        name: "appid",
        default: "",
        allowed: "wx…",
        secret: false,
        of_account: true,
        zh: "小程序或公众号的 AppID",
        en: "AppID of the mini program or official account",
        apply: |settings, value| {
            if !value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
                || value.len() > 64
            {
                return Err(Text::new(
                    "只能是字母和数字，请检查首尾是否有空格",
                    "is made of letters and digits; is there a space around it?",
                ));
            }
            settings.appid = value.to_owned();
            Ok(())
        },
    },
    Setting {
        name: "secret",
        default: "",
        allowed: "AppSecret",
        secret: true,
        of_account: true,
        zh: "AppSecret；token_mode 为 external 时不需要",
        en: "AppSecret; not needed with token_mode external",
        apply: |settings, value| {
            settings.secret = Secret(trimmed(value)?);
            Ok(())
        },
    },
    Setting {
        name: "base_url",
        default: "https://api.weixin.qq.com",
        allowed: "https://host[:port]",
        secret: false,
        of_account: false,
        zh: "微信接口地址",
        en: "Address of WeChat's API",
        apply: |settings, value| {
            settings.base_url = host_address(value)?;
            Ok(())
        },
    },
    Setting {
        name: "fallback_urls",
        default: "https://api2.weixin.qq.com, https://sh.api.weixin.qq.com, https://sz.api.weixin.qq.com",
        allowed: "https://host[:port], …",
        secret: false,
        of_account: false,
        zh: "base_url 连不上时依次改用的地址，逗号分隔，空为不用；默认值只配合默认的 base_url 使用，改了 base_url 须另行填写",
        en: "Where to turn when base_url cannot be connected, in order, separated by commas; empty is nowhere. The default goes with the default base_url only: with another one, name them",
        apply: |settings, value| {
            let addresses = value.split(',').map(str::trim).filter(|address| !address.is_empty());
            settings.fallback_urls = addresses.map(host_address).collect::<Result<_, Text>>()?;
            if settings.fallback_urls.len() > FALLBACK_LIMIT {
                return Err(Text::new(
                    format!("最多 {FALLBACK_LIMIT} 个地址"),
                    format!("takes {FALLBACK_LIMIT} addresses at most"),
                ));
            }
            Ok(())
        },
    },
    Setting {
        name: "ca_file",
        default: "",
        allowed: "/…/ca.pem",
        secret: false,
        of_account: false,
        zh: "在系统证书之外再信任的 CA（PEM 文件）；证书校验无法关闭",
        en: "CA certificates trusted beside the system's, PEM; verification cannot be switched off",
        apply: |settings, value| {
            settings.ca_file = (!value.is_empty()).then(|| value.to_owned());
            Ok(())
        },
    },
    Setting {
        name: "proxy",
        default: "",
        allowed: "http://host:port",
        // It may hold a password.
        secret: true,
        of_account: false,
        zh: "HTTP 代理；不读取环境变量",
        en: "HTTP proxy; the environment is not read",
        apply: |settings, value| {
            if !value.is_empty() && address(value, "http://")?.scheme() != "http" {
                return Err(Text::new("只支持 http:// 代理", "can only be an http:// proxy"));
            }
            settings.proxy = (!value.is_empty()).then(|| Secret(value.to_owned()));
            Ok(())
        },
    },
    Setting {
        name: "allow_plain_http",
        default: "0",
        allowed: "0 | 1",
        secret: false,
        of_account: false,
        zh: "允许对非本机地址使用 http://（仅微信云托管内网需要）",
        en: "Allow http:// to another host than this one (only WeChat's own container network needs it)",
        apply: |settings, value| {
            settings.allow_plain_http = switch(value)?;
            Ok(())
        },
    },
    Setting {
        name: "connect_timeout_ms",
        default: "1000",
        allowed: "1 … 60000",
        secret: false,
        of_account: false,
        zh: "建立连接的时限（毫秒）",
        en: "Limit for opening a connection, milliseconds",
        apply: |settings, value| {
            settings.connect_timeout = milliseconds(value)?;
            Ok(())
        },
    },
    Setting {
        name: "timeout_ms",
        default: "3000",
        allowed: "1 … 60000",
        secret: false,
        of_account: false,
        zh: "一次调用的总时限（毫秒），含取 token 和重试",
        en: "Limit for a whole call, milliseconds, token fetch and retry included",
        apply: |settings, value| {
            settings.timeout = milliseconds(value)?;
            Ok(())
        },
    },
    Setting {
        name: "concurrency",
        default: "32",
        allowed: "1 … 256",
        secret: false,
        of_account: false,
        zh: "sendMany() 与后台投递同时进行的请求数",
        en: "How many requests are in flight at once, in sendMany() and in delivery",
        apply: |settings, value| {
            settings.concurrency = parse_concurrency(value).ok_or_else(not_listed)?;
            Ok(())
        },
    },
    Setting {
        name: "validate",
        default: "fit",
        allowed: "fit | strict | off",
        secret: false,
        of_account: false,
        zh: "发送前如何处理字段：fit 修整，strict 只检查，off 只整理结构",
        en: "Fields before sending: fit repairs, strict only checks, off only brings the shape into form",
        apply: |settings, value| {
            settings.validate = parse_mode(value).ok_or_else(not_listed)?;
            Ok(())
        },
    },
    Setting {
        name: "token_mode",
        default: "stable",
        allowed: "stable | classic | external",
        secret: false,
        of_account: true,
        zh: "access_token 来源：stable_token（不影响其他代码）、cgi-bin/token 或由应用提供",
        en: "Source of the access_token: stable_token (leaves other code's token alone), cgi-bin/token, or the application",
        apply: |settings, value| {
            settings.token_mode = match value {
                "stable" => TokenMode::Stable,
                "classic" => TokenMode::Classic,
                "external" => TokenMode::External,
                _ => return Err(not_listed()),
            };
            Ok(())
        },
    },
    Setting {
        name: "token",
        default: "",
        allowed: "access_token",
        secret: true,
        of_account: true,
        zh: "token_mode 为 external 时使用的 access_token",
        en: "The access_token to use with token_mode external",
        apply: |settings, value| {
            settings.token = Secret(trimmed(value)?);
            Ok(())
        },
    },
    Setting {
        name: "state",
        default: "formal",
        allowed: "formal | trial | developer",
        secret: false,
        of_account: false,
        zh: "点击消息打开的小程序版本（miniprogram_state）",
        en: "Which version of the mini program a message opens (miniprogram_state)",
        apply: |settings, value| {
            settings.state = one_of(value, STATES).ok_or_else(not_listed)?;
            Ok(())
        },
    },
    Setting {
        name: "lang",
        default: "zh_CN",
        allowed: "zh_CN | en_US | zh_HK | zh_TW",
        secret: false,
        of_account: false,
        zh: "消息卡片的语言（lang）",
        en: "Language of the message card (lang)",
        apply: |settings, value| {
            settings.lang = one_of(value, LANGUAGES).ok_or_else(not_listed)?;
            Ok(())
        },
    },
    Setting {
        name: "store",
        default: "",
        allowed: "/directory | redis://… | rediss://… | off",
        // It may hold a password.
        secret: true,
        of_account: false,
        zh: "各进程共享数据的位置：目录，或 Redis（多台服务器）；空为 /var/lib/routine-template（存在且可用时）或该用户的私有目录",
        en: "Where processes share their state: a directory, or Redis for several hosts; empty is /var/lib/routine-template if it exists and can be used, else a private directory of the user",
        apply: |settings, value| {
            settings.store = store(value)?;
            Ok(())
        },
    },
    Setting {
        name: "durability",
        default: "power",
        allowed: "power | process",
        secret: false,
        of_account: false,
        zh: "已确认的写入能经受什么：power 断电，process 进程被杀（更快）；用 Redis 时由服务器的 appendfsync 决定",
        en: "What an acknowledged write survives: power loss, or the end of any process (faster); with Redis the server's appendfsync decides",
        apply: |settings, value| {
            settings.durability = match value {
                "power" => Durability::Power,
                "process" => Durability::Process,
                _ => return Err(not_listed()),
            };
            Ok(())
        },
    },
    Setting {
        name: "grants",
        default: "certain",
        allowed: "off | certain | strict",
        secret: false,
        of_account: false,
        zh: "授权账本何时在本地拒绝：off 从不，certain 仅当微信已明确答复没有授权（43101），strict 余数为 0 时",
        en: "When the ledger refuses locally: never, only while WeChat's own last word is no (43101), or whenever the count is 0",
        apply: |settings, value| {
            settings.grants = parse_grants(value).ok_or_else(not_listed)?;
            Ok(())
        },
    },
    Setting {
        name: "retention_days",
        default: "30",
        allowed: "1 … 3650",
        secret: false,
        of_account: false,
        zh: "发送记录和 key 保留的天数；授权账本不会过期",
        en: "Days for which delivery rows and keys are kept; the ledger does not expire",
        apply: |settings, value| {
            settings.retention = match value.parse::<u64>() {
                Ok(days @ 1..=3650) => Duration::from_secs(days * 86_400),
                _ => {
                    return Err(Text::new(
                        "应为 1 到 3650 的整数（天）",
                        "must be a whole number from 1 to 3650 (days)",
                    ));
                }
            };
            Ok(())
        },
    },
    Setting {
        name: "keep_payload",
        default: "0",
        allowed: "0 | 1",
        secret: false,
        of_account: false,
        zh: "发送记录是否保留消息内容",
        en: "Whether delivery rows keep what was sent",
        apply: |settings, value| {
            settings.keep_payload = switch(value)?;
            Ok(())
        },
    },
    Setting {
        name: "hash_openid",
        default: "0",
        allowed: "0 | 1",
        secret: false,
        of_account: false,
        zh: "发送记录只存 openid 的哈希（授权账本仍需要 openid）",
        en: "Delivery rows keep a hash instead of the openid (the ledger needs the openid itself)",
        apply: |settings, value| {
            settings.hash_openid = switch(value)?;
            Ok(())
        },
    },
    Setting {
        name: "log_file",
        default: "",
        allowed: "/…/routine-template.log",
        secret: false,
        of_account: false,
        zh: "事件日志（每行一个 JSON，权限 0600），记录存储故障与恢复等；空为不写",
        en: "Event log, one JSON object a line, mode 0600: store failures, recoveries and the like; empty writes none",
        apply: |settings, value| {
            settings.log_file = match value {
                "" => None,
                path if path.starts_with('/') => Some(PathBuf::from(path)),
                _ => return Err(Text::new("应为绝对路径", "must be an absolute path")),
            };
            Ok(())
        },
    },
    Setting {
        name: "delivery",
        default: "thread",
        allowed: "thread | worker",
        secret: false,
        of_account: false,
        zh: "queue() 的消息由谁发送：thread 为入队进程自己的后台线程，worker 为 routine-template work",
        en: "Who sends what queue() has accepted: a background thread of the process that queued it, or `routine-template work`",
        apply: |settings, value| {
            settings.delivery = match value {
                "thread" => DeliveryMode::Thread,
                "worker" => DeliveryMode::Worker,
                _ => return Err(not_listed()),
            };
            Ok(())
        },
    },
    Setting {
        name: "queue_expires",
        default: "86400",
        allowed: "1 … 2592000",
        secret: false,
        of_account: false,
        zh: "queue() 的消息最多等多少秒，过期不再发送",
        en: "Seconds after which a message that queue() has accepted is given up",
        apply: |settings, value| {
            settings.queue_expires = seconds(value, 1, 2_592_000)?;
            Ok(())
        },
    },
    Setting {
        name: "resend_unknown",
        default: "0",
        allowed: "0 | 1",
        secret: false,
        of_account: false,
        zh: "queue() 的消息发出后没有结果时是否再发一次（可能重复送达）",
        en: "Whether a queued message is sent again after an attempt without a known outcome; it may then arrive twice",
        apply: |settings, value| {
            settings.resend_unknown = switch(value)?;
            Ok(())
        },
    },
    Setting {
        name: "push_token",
        default: "",
        allowed: "Token",
        secret: true,
        of_account: true,
        zh: "消息推送配置中的 Token，handlePush() 用它校验签名",
        en: "Token of the message push configuration; handlePush() checks signatures with it",
        apply: |settings, value| {
            settings.push_token = Secret(trimmed(value)?);
            Ok(())
        },
    },
    Setting {
        name: "push_aes_key",
        default: "",
        allowed: "EncodingAESKey[, EncodingAESKey]",
        secret: true,
        of_account: true,
        zh: "消息推送配置中的 EncodingAESKey（43 个字符）；更换期间可在逗号后保留旧的一个",
        en: "EncodingAESKey of the message push configuration (43 characters); while it is replaced, the previous one after a comma",
        apply: |settings, value| {
            settings.push_aes_keys = push_keys(value)?;
            Ok(())
        },
    },
    Setting {
        name: "hint_lang",
        default: "zh",
        allowed: "zh | en",
        secret: false,
        of_account: false,
        zh: "hint 与校验提示的语言",
        en: "Language of hints and validation messages",
        apply: |settings, value| {
            settings.hint_lang = match value {
                "zh" => Language::Chinese,
                "en" => Language::English,
                _ => return Err(not_listed()),
            };
            Ok(())
        },
    },
];

pub(super) fn find(name: &str) -> Result<&'static Setting, Error> {
    SETTINGS.iter().find(|setting| setting.name == name).ok_or_else(|| {
        let names = SETTINGS.iter().map(|setting| setting.name).collect::<Vec<&str>>().join(", ");
        let shown: String = plain_text(name).chars().take(64).collect();
        let meant = SETTINGS.iter().find(|setting| bare(setting.name).starts_with(&bare(name)) && bare(name).len() > 2);
        let (zh, en) = match meant {
            _ if name.bytes().all(|byte| byte.is_ascii_digit()) => {
                ("请传「名称 => 值」的数组；".to_owned(), "pass an array of name => value;".to_owned())
            }
            Some(setting) => (format!("是否想写 {}？", setting.name), format!("did you mean {}?", setting.name)),
            None => (String::new(), String::new()),
        };
        Error::config(
            format!("没有名为“{shown}”的设置；{zh}可用的设置：{names}"),
            format!("there is no setting \"{shown}\"; {en}{}settings: {names}", if en.is_empty() { "" } else { " " }),
        )
    })
}

/// A name without what people write differently: `appId`, `app_id` and `routine_template.appid` are one.
fn bare(name: &str) -> String {
    let name = name.strip_prefix("routine_template.").unwrap_or(name);
    name.chars().filter(char::is_ascii_alphanumeric).map(|character| character.to_ascii_lowercase()).collect()
}

pub(super) fn rejected(setting: &Setting, reason: &Text, given: &str) -> Error {
    let (name, allowed) = (setting.name, setting.allowed);
    let hidden = setting.secret || given.contains(['@', '?']);
    let shown: String = if hidden { String::new() } else { plain_text(given).chars().take(64).collect() };
    let (zh, en) = if shown.is_empty() {
        (String::new(), String::new())
    } else {
        (format!("，给出的是“{shown}”"), format!(", \"{shown}\" given"))
    };
    Error::config(
        format!("设置 {name} {}{zh}；可填：{allowed}", reason.zh),
        format!("setting {name} {}{en}; allowed: {allowed}", reason.en),
    )
}
