//! The `$options` array: what one message wants otherwise than the settings say.

use std::time::Duration;

use crate::config::{self, GrantPolicy};
use crate::error::Error;
use crate::field::Mode;
use crate::language::{Text, plain_text};
use crate::message::{Channel, Input};

/// Options of one message; `None` means as the settings say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// The call that carries it.
    pub channel: Channel,
    /// `miniprogram_state`.
    pub state: Option<&'static str>,
    /// `lang`.
    pub lang: Option<&'static str>,
    /// Mini program that a tap opens, official-account channels only.
    pub miniprogram: Option<MiniProgramPage>,
    /// How the payload is treated.
    pub validate: Option<Mode>,
    /// Limit for the whole call.
    pub timeout: Option<Duration>,
    /// Idempotency: messages of one account with the same key are one message.
    pub key: Option<String>,
    /// When the ledger refuses.
    pub grants: Option<GrantPolicy>,
    /// What only `queue()` takes.
    pub queue: QueueOptions,
}

/// Options of `queue()`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueueOptions {
    /// It is not sent before so long.
    pub delay: Option<Duration>,
    /// It is given up so long after that.
    pub expires: Option<Duration>,
    /// Whether it is sent again after an attempt without a known outcome.
    pub resend_unknown: Option<bool>,
    /// Whether it is sent at once where no store can accept it.
    pub or_send: bool,
}

impl QueueOptions {
    /// The name of one that is set.
    fn any(&self) -> Option<&'static str> {
        let set = [
            ("delay", self.delay.is_some()),
            ("expires", self.expires.is_some()),
            ("resend_unknown", self.resend_unknown.is_some()),
            ("or_send", self.or_send),
        ];
        set.into_iter().find_map(|(name, is_set)| is_set.then_some(name))
    }
}

/// A mini program and a page in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MiniProgramPage {
    /// Its appid.
    pub appid: String,
    /// The page with its query.
    pub pagepath: Option<String>,
}

/// Names of the options, for error texts.
const OPTION_NAMES: &str = "channel, state, lang, miniprogram, validate, timeout_ms, key, grants; queue(): delay, expires, resend_unknown, or_send; sendMany(): concurrency, progress, each";
/// Longest `delay`, and longest `expires`, in seconds.
const DELAY_LIMIT: f64 = 31_536_000.0;
const EXPIRES_LIMIT: f64 = 2_592_000.0;

/// Longest idempotency key, in bytes.
const KEY_LIMIT: usize = 128;

impl Options {
    /// Reads the `$options` array; an unknown name or value is an error that lists what is allowed.
    pub fn read(options: &Input<'_>) -> Result<Self, Error> {
        Self::default().with(options)
    }

    /// The same over these as defaults.
    pub fn with(&self, options: &Input<'_>) -> Result<Self, Error> {
        let Input::Map(members) = options else {
            let kind = options.type_name();
            return Err(Error::Type(Text::new(
                format!("$options 应为数组，给出的是 {kind}"),
                format!("$options must be of type array, {kind} given"),
            )));
        };
        let mut read = self.clone();
        for (name, value) in members {
            if *value == Input::Null {
                continue;
            }
            match name.as_ref() {
                b"channel" => {
                    let given = text("channel", value)?;
                    read.channel = Channel::from_name(given)
                        .ok_or_else(|| wrong("channel", &Channel::ALL.map(Channel::name).join(" | "), given))?;
                }
                b"state" => {
                    let given = text("state", value)?;
                    read.state = Some(
                        config::one_of(given, config::STATES)
                            .ok_or_else(|| wrong("state", &config::STATES.join(" | "), given))?,
                    );
                }
                b"lang" => {
                    let given = text("lang", value)?;
                    read.lang = Some(
                        config::one_of(given, config::LANGUAGES)
                            .ok_or_else(|| wrong("lang", &config::LANGUAGES.join(" | "), given))?,
                    );
                }
                b"validate" => {
                    let given = text("validate", value)?;
                    read.validate =
                        Some(config::parse_mode(given).ok_or_else(|| wrong("validate", "fit | strict | off", given))?);
                }
                b"key" => read.key = Some(key(value)?),
                b"grants" => {
                    let given = text("grants", value)?;
                    read.grants = Some(
                        config::parse_grants(given).ok_or_else(|| wrong("grants", "off | certain | strict", given))?,
                    );
                }
                b"timeout_ms" => read.timeout = Some(timeout(value)?),
                b"miniprogram" => read.miniprogram = Some(mini_program(value)?),
                b"delay" => read.queue.delay = Some(seconds("delay", value, 0.0, DELAY_LIMIT)?),
                b"expires" => read.queue.expires = Some(seconds("expires", value, 1.0, EXPIRES_LIMIT)?),
                b"resend_unknown" => read.queue.resend_unknown = Some(flag("resend_unknown", value)?),
                b"or_send" => read.queue.or_send = flag("or_send", value)?,
                other => return Err(unknown(&String::from_utf8_lossy(other))),
            }
        }
        if read.miniprogram.is_some() && read.channel == Channel::Subscribe {
            return Err(Error::value(
                "选项 miniprogram 只用于 bizsend 和 template；小程序页面请用第 4 个参数 $page",
                "option miniprogram belongs to the channels bizsend and template; for a mini program's own page use $page",
            ));
        }
        Ok(read)
    }

    /// Reads the options of a call that sends at once.
    pub fn read_for_send(options: &Input<'_>) -> Result<Self, Error> {
        Self::read(options)?.for_send()
    }

    /// These, if they are none of a queued message's.
    pub fn for_send(self) -> Result<Self, Error> {
        match self.queue.any() {
            None => Ok(self),
            Some(name) => {
                Err(Error::value(format!("选项 {name} 只用于 queue()"), format!("option {name} belongs to queue()")))
            }
        }
    }
}

/// A time in seconds, whole or not.
fn seconds(option: &str, value: &Input<'_>, least: f64, most: f64) -> Result<Duration, Error> {
    let number = match value {
        Input::Int(number) => Some(*number as f64),
        Input::Float(number) => Some(*number),
        other => text(option, other)?.trim().parse().ok(),
    };
    let number = number.filter(|number| (least..=most).contains(number));
    number.map(Duration::from_secs_f64).ok_or_else(|| wrong(option, &format!("{least} … {most} (s)"), &value.shown()))
}

fn flag(option: &str, value: &Input<'_>) -> Result<bool, Error> {
    match value {
        Input::Bool(flag) => Ok(*flag),
        Input::Int(number @ 0..=1) => Ok(*number == 1),
        other => Err(wrong(option, "true | false", &other.shown())),
    }
}

/// An idempotency key, of a message or of a report of grants: 1 to 128 bytes, ints as ThinkPHP passes them.
pub(crate) fn key(value: &Input<'_>) -> Result<String, Error> {
    let key = match value {
        Input::Int(number) => number.to_string(),
        other => text("key", other)?.to_owned(),
    };
    if key.is_empty() || key.len() > KEY_LIMIT || key.chars().any(char::is_control) {
        return Err(Error::value(
            format!("选项 key 应为 1 到 {KEY_LIMIT} 字节、不含控制字符，如 order-20261121-paid"),
            format!("option key is 1 to {KEY_LIMIT} bytes without control characters, such as order-20261121-paid"),
        ));
    }
    Ok(key)
}

fn timeout(value: &Input<'_>) -> Result<Duration, Error> {
    let milliseconds = match value {
        Input::Int(number) => u64::try_from(*number).ok(),
        Input::Float(number) if number.fract() == 0.0 && (1.0..=60_000.0).contains(number) => Some(*number as u64),
        Input::Text(bytes) => std::str::from_utf8(bytes).ok().and_then(|digits| digits.parse().ok()),
        _ => None,
    };
    match milliseconds {
        Some(number @ 1..=60_000) => Ok(Duration::from_millis(number)),
        _ => Err(wrong("timeout_ms", "1 … 60000", &value.shown())),
    }
}

/// The option `miniprogram`.
pub(crate) fn mini_program(value: &Input<'_>) -> Result<MiniProgramPage, Error> {
    let member = |name| {
        value.get(name).filter(|member| **member != Input::Null).map(|member| text("miniprogram", member)).transpose()
    };
    match member("appid")?.filter(|appid| !appid.is_empty()) {
        Some(appid) => {
            Ok(MiniProgramPage { appid: appid.to_owned(), pagepath: member("pagepath")?.map(str::to_owned) })
        }
        None => Err(wrong("miniprogram", "['appid' => …, 'pagepath' => …]", &value.shown())),
    }
}

/// An option that is a text.
pub(crate) fn text<'i>(option: &str, value: &'i Input<'_>) -> Result<&'i str, Error> {
    match value {
        Input::Text(bytes) => std::str::from_utf8(bytes)
            .map_err(|_| Error::value(format!("选项 {option} 不是 UTF-8"), format!("option {option} is not UTF-8"))),
        other => {
            let kind = other.type_name();
            Err(Error::Type(Text::new(
                format!("选项 {option} 应为字符串，给出的是 {kind}"),
                format!("option {option} must be of type string, {kind} given"),
            )))
        }
    }
}

fn wrong(option: &str, allowed: &str, given: &str) -> Error {
    let shown: String = plain_text(given).chars().take(64).collect();
    Error::value(
        format!("选项 {option} 只能是 {allowed}，给出的是“{shown}”"),
        format!("option {option} is {allowed}, \"{shown}\" given"),
    )
}

fn unknown(name: &str) -> Error {
    let shown: String = plain_text(name).chars().take(64).collect();
    let (zh, en) = match name {
        "miniprogram_state" => ("请用 state；", "use state; "),
        "page" | "url" | "link" => ("请用第 4 个参数 $page；", "use the fourth argument, $page; "),
        "timeout" => ("请用 timeout_ms；", "use timeout_ms; "),
        _ => ("", ""),
    };
    Error::value(
        format!("没有名为“{shown}”的选项，{zh}可用的选项：{OPTION_NAMES}"),
        format!("there is no option \"{shown}\"; {en}options: {OPTION_NAMES}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(name: &'static str, value: Input<'static>) -> Result<Options, Error> {
        Options::read(&Input::Map(vec![(name.as_bytes().into(), value)]))
    }

    #[test]
    fn options_are_read_by_their_names() {
        assert_eq!(options("channel", Input::text("bizsend")).unwrap().channel, Channel::Bizsend);
        assert_eq!(options("state", Input::text("trial")).unwrap().state, Some("trial"));
        assert_eq!(options("timeout_ms", Input::text("250")).unwrap().timeout, Some(Duration::from_millis(250)));
        assert_eq!(options("timeout_ms", Input::Int(250)).unwrap().timeout, Some(Duration::from_millis(250)));
        assert_eq!(options("key", Input::text("order-1-paid")).unwrap().key.as_deref(), Some("order-1-paid"));
        assert_eq!(options("key", Input::Int(7)).unwrap().key.as_deref(), Some("7"));
        assert_eq!(options("grants", Input::text("strict")).unwrap().grants, Some(GrantPolicy::Strict));
        assert_eq!(options("lang", Input::Null).unwrap(), Options::default());
    }

    #[test]
    fn an_unknown_option_or_value_says_what_is_allowed() {
        assert!(options("timeout", Input::Int(1)).unwrap_err().to_string().contains("timeout_ms"));
        assert!(options("channel", Input::text("sms")).unwrap_err().to_string().contains("bizsend"));
        assert!(options("timeout_ms", Input::Int(-1)).is_err());
        assert!(options("state", Input::Int(1)).is_err());
        assert!(options("key", Input::text("")).unwrap_err().to_string().contains("key"));
        assert!(options("key", Input::text("k".repeat(129))).is_err());
        assert!(options("grants", Input::text("all")).unwrap_err().to_string().contains("strict"));
        assert!(Options::read(&Input::Null).is_err());
    }

    #[test]
    fn what_belongs_to_the_queue_is_read_for_the_queue_only() {
        assert_eq!(options("delay", Input::Float(1.5)).unwrap().queue.delay, Some(Duration::from_millis(1500)));
        assert_eq!(options("expires", Input::text("60")).unwrap().queue.expires, Some(Duration::from_secs(60)));
        assert!(options("or_send", Input::Bool(true)).unwrap().queue.or_send);
        for (name, value) in [("delay", Input::Int(-1)), ("delay", Input::Float(f64::NAN)), ("expires", Input::Int(0))]
        {
            assert!(options(name, value).unwrap_err().to_string().contains(name));
        }
        let delayed = Input::Map(vec![(b"delay"[..].into(), Input::Int(1))]);
        assert!(Options::read_for_send(&delayed).unwrap_err().to_string().contains("queue()"));
        assert!(Options::read_for_send(&Input::Map(Vec::new())).is_ok());
    }

    #[test]
    fn a_mini_program_target_belongs_to_official_accounts() {
        let target = Input::Map(vec![(b"appid"[..].into(), Input::text("wx1"))]);
        assert!(options("miniprogram", target.clone()).is_err());
        let both =
            Input::Map(vec![(b"channel"[..].into(), Input::text("template")), (b"miniprogram"[..].into(), target)]);
        assert_eq!(Options::read(&both).unwrap().miniprogram.unwrap().appid, "wx1");
    }
}
