//! From what php.ini or `configure()` says to the value of a setting; the error says what is wrong with it.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use super::{GrantPolicy, Secret, StorePlace};
use crate::field::Mode;
use crate::language::Text;

/// More than WeChat has; each gets a share of the deadline.
pub(super) const FALLBACK_LIMIT: usize = 8;

/// Values of `miniprogram_state`, endpoint `subscribe/send`.
pub const STATES: &[&str] = &["formal", "trial", "developer"];
/// Values of `lang`, endpoint `subscribe/send`.
pub const LANGUAGES: &[&str] = &["zh_CN", "en_US", "zh_HK", "zh_TW"];

/// The mode by its name.
pub fn parse_mode(name: &str) -> Option<Mode> {
    match name {
        "fit" => Some(Mode::Fit),
        "strict" => Some(Mode::Strict),
        "off" => Some(Mode::Off),
        _ => None,
    }
}

/// The policy by its name.
pub fn parse_grants(name: &str) -> Option<GrantPolicy> {
    match name {
        "off" => Some(GrantPolicy::Off),
        "certain" => Some(GrantPolicy::Certain),
        "strict" => Some(GrantPolicy::Strict),
        _ => None,
    }
}

pub(super) fn store(value: &str) -> Result<StorePlace, Text> {
    const SCHEMES: [&str; 6] =
        ["redis://", "rediss://", "redis+sentinel://", "rediss+sentinel://", "redis+cluster://", "rediss+cluster://"];
    match value {
        "" => Ok(StorePlace::Default),
        "off" => Ok(StorePlace::Off),
        path if path.starts_with('/') => Ok(StorePlace::Directory(PathBuf::from(path))),
        url if SCHEMES.iter().any(|scheme| url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty())) => {
            Ok(StorePlace::Redis(Secret(url.to_owned())))
        }
        _ => Err(Text::new(
            "应为绝对路径、Redis 地址（redis://、rediss://、redis+sentinel://、redis+cluster://）或 off",
            "must be an absolute path, a Redis address (redis://, rediss://, redis+sentinel://, redis+cluster://) or off",
        )),
    }
}

pub(super) fn not_listed() -> Text {
    Text::new("不能是这个值", "cannot have this value")
}

pub(super) fn switch(value: &str) -> Result<bool, Text> {
    match value.to_ascii_lowercase().as_str() {
        "1" | "on" | "yes" | "true" => Ok(true),
        "0" | "off" | "no" | "false" | "" => Ok(false),
        _ => Err(not_listed()),
    }
}

pub(super) fn milliseconds(value: &str) -> Result<Duration, Text> {
    match value.parse::<u64>() {
        Ok(number @ 1..=60_000) => Ok(Duration::from_millis(number)),
        _ => Err(Text::new("应为 1 到 60000 的整数（毫秒）", "must be a whole number from 1 to 60000 (milliseconds)")),
    }
}

pub(super) fn seconds(value: &str, least: u64, most: u64) -> Result<Duration, Text> {
    match value.parse::<u64>() {
        Ok(number) if (least..=most).contains(&number) => Ok(Duration::from_secs(number)),
        _ => Err(Text::new(
            format!("应为 {least} 到 {most} 的整数（秒）"),
            format!("must be a whole number from {least} to {most} (seconds)"),
        )),
    }
}

/// A secret as it is, unless white space crept in when it was copied.
pub(super) fn trimmed(value: &str) -> Result<String, Text> {
    if value.trim() == value {
        Ok(value.to_owned())
    } else {
        Err(Text::new("首尾有空格", "has a space around it"))
    }
}

/// The EncodingAESKeys of the message push: the present one, and while it is replaced the one before it.
pub(super) fn push_keys(value: &str) -> Result<Vec<Secret>, Text> {
    const LENGTH: usize = 43;
    let keys: Vec<&str> = value.split(',').map(str::trim).filter(|key| !key.is_empty()).collect();
    let is_key = |key: &&str| key.len() == LENGTH && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if keys.len() > 2 || !keys.iter().all(is_key) {
        return Err(Text::new(
            format!("应为 {LENGTH} 个字母和数字，最多两个，逗号分隔"),
            format!("must be {LENGTH} letters and digits, two of them at most, separated by a comma"),
        ));
    }
    Ok(keys.into_iter().map(|key| Secret(key.to_owned())).collect())
}

/// Scheme, host and port, and nothing else.
pub(super) fn host_address(value: &str) -> Result<Url, Text> {
    let url = address(value, "https://")?;
    if url.path() != "/"
        || url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return Err(Text::new("只写协议、域名和端口", "is scheme, host and port only"));
    }
    Ok(url)
}

pub(super) fn address(value: &str, scheme: &str) -> Result<Url, Text> {
    if !value.contains("://") {
        return Err(Text::new(format!("缺少 {scheme}"), format!("lacks {scheme}")));
    }
    let url = Url::parse(value)
        .map_err(|error| Text::new(format!("不是合法的地址（{error}）"), format!("is no address ({error})")))?;
    if url.host().is_none() { Err(Text::new("没有主机名", "has no host")) } else { Ok(url) }
}

/// How many requests are in flight at once: 1 to 256.
pub fn parse_concurrency(value: &str) -> Option<usize> {
    value.trim().parse().ok().filter(|number| (1..=256).contains(number))
}

/// The entry of a fixed list that equals the value.
pub fn one_of(value: &str, allowed: &[&'static str]) -> Option<&'static str> {
    allowed.iter().find(|candidate| **candidate == value).copied()
}
