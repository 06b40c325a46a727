//! WeChat's message push: whether a request is WeChat's, and what it says.
//!
//! ```text
//! query      what is in the address                               -> unsigned
//! signature  is it the account's, and of this moment?             -> bad_signature, stale
//! crypto     Encrypt -> message                                   -> undecryptable, wrong_appid
//! xml, json  text -> members, bounded                             -> malformed, too_large
//! event      members -> answers of a user, arrival of a message
//! ```
//!
//! `signature` covers time and nonce only: whoever has seen one can put any body under it for as long as it is fresh.
//! `msg_signature` covers the encrypted text. So once an account has a key, encrypted messages count and nothing else: of a body in
//! compat mode, which has both, the plain half is not even looked at.

mod budget;
mod crypto;
mod event;
mod json;
mod query;
mod refusal;
mod signature;
#[cfg(test)]
mod vectors;
mod xml;

use serde_json::{Map, Value};

pub use self::event::{Answers, Arrival, Arrivals, Event, name, read};
pub use self::query::Query;
pub use self::refusal::{Reason, Refusal};
use crate::config::Secret;
use crate::language::plain_text;

/// How far the time of a request may be from ours, in seconds. WeChat repeats a push for seconds only.
const FRESH: i64 = 600;
/// Longest plain `echostr`; WeChat's has about twenty digits.
const ECHO_LIMIT: usize = 128;

/// What an account's pushes are signed and encrypted with.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// Whom encrypted messages must be for.
    pub appid: &'a str,
    /// Token of the push configuration.
    pub token: &'a Secret,
    /// Its EncodingAESKey, and the one before it. Without any, messages are plain.
    pub keys: &'a [Secret],
}

/// A request that is WeChat's.
#[derive(Debug, Clone, PartialEq)]
pub enum Received {
    /// The check of the address: answer with this text.
    Check(String),
    /// A message.
    Message(Map<String, Value>),
}

/// Whether this is the check that WeChat's own container network makes of a path. It is not signed and asks for nothing but an
/// answer.
pub fn is_container_check(body: &[u8]) -> bool {
    body.len() < 200 && parse(body).is_ok_and(|members| members.get("action") == Some(&"CheckContainerPath".into()))
}

/// Takes a request, at this Unix time.
pub fn receive(query: &Query<'_>, body: &[u8], account: &Account<'_>, now: i64) -> Result<Received, Refusal> {
    within_limit(body)?;
    let request = Request { query, account, now };
    match query.echostr.as_deref().filter(|_| body.trim_ascii().is_empty()) {
        Some(echostr) => request.check(echostr).map(Received::Check),
        None if account.keys.is_empty() => request.plain(body).map(Received::Message),
        None => request.encrypted(body).map(Received::Message),
    }
}

/// The members of a message in XML or JSON.
pub fn parse(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    within_limit(body)?;
    let text = std::str::from_utf8(body).map_err(|error| {
        let at = error.valid_up_to();
        Refusal::malformed(
            format!("消息不是 UTF-8（第 {at} 字节起）"),
            format!("the message is not UTF-8 (from byte {at} on)"),
        )
    })?;
    let text = text.trim_matches(|character: char| character.is_whitespace() || matches!(character, '\u{FEFF}' | '\0'));
    let parsed = match text.chars().next() {
        Some('<') => xml::parse(text).map_err(|error| unreadable("XML", &error.to_string()))?,
        Some('{') => json::parse(text).map_err(|error| unreadable("JSON", &error.to_string()))?,
        Some(_) => {
            return Err(Refusal::malformed(
                "消息既不以 < 也不以 { 开头，不是 XML 或 JSON",
                "the message begins with neither < nor {, so it is neither XML nor JSON",
            ));
        }
        None => {
            return Err(Refusal::malformed(
                "消息为空：请把 file_get_contents('php://input') 的内容原样传入",
                "the message is empty: hand over file_get_contents('php://input') as it is",
            ));
        }
    };
    match parsed {
        Value::Object(members) => Ok(members),
        _ => Err(unreadable("XML / JSON", "it has no members")),
    }
}

fn within_limit(body: &[u8]) -> Result<(), Refusal> {
    let (length, limit) = (body.len(), budget::SIZE_LIMIT);
    if length <= limit {
        return Ok(());
    }
    Err(Refusal::new(
        Reason::TooLarge,
        format!("消息有 {length} 字节，超过 {limit}"),
        format!("the message has {length} bytes, more than {limit}"),
    ))
}

fn unreadable(format: &str, detail: &str) -> Refusal {
    let detail: String = plain_text(detail).chars().take(200).collect();
    Refusal::malformed(
        format!("消息不是可用的 {format}（{detail}）"),
        format!("the message is no usable {format} ({detail})"),
    )
}

struct Request<'a> {
    query: &'a Query<'a>,
    account: &'a Account<'a>,
    now: i64,
}

impl Request<'_> {
    /// `GET` with `echostr`, as it is or, as WeCom has it, encrypted.
    fn check(&self, echostr: &str) -> Result<String, Refusal> {
        let echo = if self.query.signature.is_some() || self.query.msg_signature.is_none() {
            self.authenticate()?;
            echostr.to_owned()
        } else {
            // An unescaped + of an address is read as a space.
            let encrypted = echostr.replace(' ', "+");
            self.authenticate_encrypted(&encrypted)?;
            String::from_utf8(self.open(&encrypted)?).unwrap_or_default()
        };
        // It is not signed and goes into our answer: only what can do nothing there.
        let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+/=.".contains(&byte);
        if !echo.is_empty() && echo.len() <= ECHO_LIMIT && echo.bytes().all(harmless) {
            return Ok(echo);
        }
        Err(Refusal::malformed("echostr 不是微信会发来的内容", "echostr is nothing that WeChat sends"))
    }

    fn plain(&self, body: &[u8]) -> Result<Map<String, Value>, Refusal> {
        self.authenticate()?;
        let mut members = parse(body)?;
        let encrypted = encrypted(&members).map(str::to_owned);
        match encrypted {
            // Compat mode: everything is there in plain as well.
            _ if members.contains_key("MsgType") => {
                members.shift_remove("Encrypt");
                Ok(members)
            }
            None => Ok(members),
            Some(encrypted) => {
                self.authenticate_encrypted(&encrypted)?;
                Err(Refusal::new(
                    Reason::NoKey,
                    "推送是加密的，但没有设置 push_aes_key：请填写微信后台“消息推送”中的 EncodingAESKey",
                    "the pushes are encrypted, but push_aes_key is not set: it is the EncodingAESKey of the push configuration in WeChat's console",
                ))
            }
        }
    }

    fn encrypted(&self, body: &[u8]) -> Result<Map<String, Value>, Refusal> {
        let outer = parse(body)?;
        let Some(encrypted) = encrypted(&outer) else {
            // Only who is WeChat is told what our configuration is.
            self.authenticate()?;
            return Err(Refusal::new(
                Reason::NotEncrypted,
                "设置了 push_aes_key，只接受加密的推送：请在微信后台把消息加密方式改为安全模式（或兼容模式），否则清空 push_aes_key",
                "push_aes_key is set, so encrypted pushes count only: choose safe mode (or compat mode) in WeChat's console, or clear push_aes_key",
            ));
        };
        self.authenticate_encrypted(encrypted)?;
        parse(&self.open(encrypted)?)
    }

    fn authenticate(&self) -> Result<(), Refusal> {
        self.verify(&[&self.query.timestamp, &self.query.nonce], "signature", self.query.signature.as_deref())
    }

    fn authenticate_encrypted(&self, encrypted: &str) -> Result<(), Refusal> {
        let parts = [self.query.timestamp.as_ref(), self.query.nonce.as_ref(), encrypted];
        self.verify(&parts, "msg_signature", self.query.msg_signature.as_deref())
    }

    fn verify(&self, parts: &[&str], name: &str, given: Option<&str>) -> Result<(), Refusal> {
        let given = given.ok_or_else(|| query::missing(name))?;
        if !signature::is_signed(self.account.token, parts, given) {
            return Err(Refusal::new(
                Reason::BadSignature,
                format!("{name} 不符：不是微信发来的，或 push_token 与微信后台的 Token 不同"),
                format!("{name} does not fit: not from WeChat, or push_token is not the Token of WeChat's console"),
            ));
        }
        // Times that are no number were signed by nobody; those far off overflow to no difference that is small.
        let timestamp = self.query.timestamp.parse::<i64>().unwrap_or(0);
        let apart = self.now.saturating_sub(timestamp);
        if apart.saturating_abs() > FRESH {
            return Err(Refusal::new(
                Reason::Stale,
                format!(
                    "timestamp 与本机时间相差 {apart} 秒，超过 {FRESH} 秒：旧请求的重放，或本机时钟不准，请检查 NTP 对时"
                ),
                format!(
                    "timestamp is {apart} seconds from this host's time, more than {FRESH}: an old request replayed, or the clock of this host is wrong; check NTP"
                ),
            ));
        }
        Ok(())
    }

    fn open(&self, encrypted: &str) -> Result<Vec<u8>, Refusal> {
        let mut other = None;
        for key in self.account.keys {
            match crypto::decrypt(key, encrypted) {
                Ok(opened) if opened.appid == self.account.appid => return Ok(opened.message),
                Ok(opened) => other = Some(opened.appid),
                Err(crypto::Undecryptable) => {}
            }
        }
        let ours = self.account.appid;
        Err(match other.map(|appid| plain_text(&appid).chars().take(64).collect::<String>()) {
            Some(appid) => Refusal::new(
                Reason::WrongAppid,
                format!("消息属于账号 {appid}，不是 {ours}：请用 RoutineTemplate::app('{appid}') 处理"),
                format!(
                    "the message is for the account {appid}, not {ours}: take it with RoutineTemplate::app('{appid}')"
                ),
            ),
            None => Refusal::new(
                Reason::Undecryptable,
                "签名正确但无法解密：push_aes_key 与微信后台的 EncodingAESKey 不同；更换期间可写“新,旧”两个",
                "the signature is right, but it cannot be decrypted: push_aes_key is not the EncodingAESKey of WeChat's console; while it is replaced, both may be given: \"new,old\"",
            ),
        })
    }
}

fn encrypted(members: &Map<String, Value>) -> Option<&str> {
    members.get("Encrypt")?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests;
