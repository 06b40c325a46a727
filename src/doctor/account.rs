//! Whether WeChat issues a token: the IP whitelist, the secret, the token.

use std::net::IpAddr;
use std::time::Duration;

use super::finding::{Finding, subject};
use super::source;
use crate::app::{App, TokenFound};
use crate::config::{Settings, TokenMode};
use crate::error::Error;

/// Refusals that concern the address of this host: 61004 and 45035 are named beside 40164, the others await the administrator.
const ADDRESS_REFUSED: [i64; 6] = [40164, 61004, 45035, 89503, 89506, 89507];
/// Refusals that concern appid and secret.
const CREDENTIALS_REFUSED: [i64; 6] = [40001, 40013, 40125, 40243, 41002, 41004];

/// After this a token that somebody else has fetched is not new any more.
const MOMENT: Duration = Duration::from_millis(600);

/// Whitelist, secret and token; and whether there is a token.
pub fn check(app: &App) -> (Vec<Finding>, bool) {
    let mut found = app.find_token();
    let by_another = |found: &TokenFound| !found.asked_wechat && found.left.is_some();
    if found.as_ref().is_ok_and(by_another) && app.settings().token_mode == TokenMode::Stable {
        // Somebody has fetched it within the last half second, perhaps from another address.
        std::thread::sleep(MOMENT);
        found = app.find_token();
    }
    match found {
        Ok(found) => (obtained(app.settings(), found), true),
        Err(error) => (refused(app.settings(), &error), false),
    }
}

fn obtained(settings: &Settings, found: TokenFound) -> Vec<Finding> {
    let Some(left) = found.left else {
        let external = Finding::skip(subject::SECRET, "token 由应用提供", "the application supplies the token");
        return vec![external, Finding::ok(subject::TOKEN, "已设置（external）", "set (external)")];
    };
    let seconds = left.as_secs();
    let (zh, en) = if found.asked_wechat { ("微信", "WeChat") } else { ("存储", "the store") };
    let endpoint = match settings.token_mode {
        TokenMode::Classic => "cgi-bin/token",
        _ => "stable_token",
    };
    let token = Finding::ok(
        subject::TOKEN,
        format!("来自{zh}（{endpoint}），还有 {seconds} 秒"),
        format!("from {en} ({endpoint}), good for {seconds} s"),
    )
    .fact("from", if found.asked_wechat { "wechat" } else { "store" })
    .fact("remaining_seconds", seconds);
    if !found.asked_wechat {
        let untested = |what| {
            Finding::skip(what, "存储中的令牌仍有效，未询问微信", "the stored token is good, so WeChat was not asked")
        };
        return vec![untested(subject::WHITELIST), untested(subject::SECRET), token];
    }
    vec![
        Finding::ok(subject::WHITELIST, "微信接受本机的 IP", "WeChat accepts this host's address"),
        Finding::ok(subject::SECRET, "微信接受 AppSecret", "WeChat accepts the AppSecret"),
        token,
    ]
}

fn refused(settings: &Settings, error: &Error) -> Vec<Finding> {
    let text = source::of(error);
    let code = match error {
        Error::Config { code, .. } | Error::Refused { code, .. } => *code,
        _ => 0,
    };
    let appid = &settings.appid;
    if ADDRESS_REFUSED.contains(&code) {
        let address = address(&text.en);
        let shown = address.clone().unwrap_or_else(|| "?".to_owned());
        let finding = Finding::fail(
            subject::WHITELIST,
            format!("微信不接受本机的公网 IP {shown}（{code}）"),
            format!("WeChat refuses this host's public address {shown} ({code})"),
        )
        .remedy(
            format!("在公众平台「开发管理」的 IP 白名单加入 {shown}（公众号在「基本配置」）"),
            format!("add {shown} to the IP whitelist of {appid}: Development Management (official account: Basic Configuration)"),
        )
        .fact("errcode", code)
        .fact("address", address);
        return vec![
            finding,
            Finding::after(subject::SECRET, subject::WHITELIST),
            Finding::after(subject::TOKEN, subject::WHITELIST),
        ];
    }
    let unknown = Finding::after(subject::WHITELIST, if code == 0 { subject::TOKEN } else { subject::SECRET });
    if CREDENTIALS_REFUSED.contains(&code) {
        let finding = match code {
            40013 => Finding::fail(subject::SECRET, format!("appid {appid} 不存在（40013）"), format!("there is no appid {appid} (40013)"))
                .remedy("核对 appid，注意大小写", "check appid, upper and lower case as well"),
            40243 => Finding::fail(subject::SECRET, "AppSecret 已冻结（40243）", "the AppSecret is frozen (40243)")
                .remedy("在公众平台解冻，约 10 分钟后生效", "unfreeze it in the console; that takes about ten minutes"),
            _ => Finding::fail(
                subject::SECRET,
                format!("微信不接受 {appid} 的 AppSecret（{code}）"),
                format!("WeChat refuses the AppSecret of {appid} ({code})"),
            )
            .remedy(
                "核对 secret；找不回就在公众平台「开发管理」重置，并更新所有使用它的程序",
                "compare secret with the one you saved, or reset it on the Development Management page and update all that use it",
            ),
        };
        return vec![unknown, finding.fact("errcode", code), Finding::after(subject::TOKEN, subject::SECRET)];
    }
    vec![
        unknown,
        Finding::after(subject::SECRET, subject::TOKEN),
        Finding::fail(subject::TOKEN, text.zh, text.en).fact("errcode", code),
    ]
}

/// `1.2.3.4` out of `invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist`.
fn address(errmsg: &str) -> Option<String> {
    let words = errmsg.split([' ', ',']).filter(|word| !word.is_empty());
    words.filter_map(|word| word.parse::<IpAddr>().ok()).map(|address| address.to_string()).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_out_of_wechats_words() {
        let errmsg = "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist rid: 6a3ba761-6ef7535a-33c60a10";
        assert_eq!(address(errmsg).as_deref(), Some("203.0.113.7"));
        assert_eq!(address("invalid ip 2001:db8::1, not in whitelist").as_deref(), Some("2001:db8::1"));
        assert_eq!(address("not in whitelist"), None);
    }
}
