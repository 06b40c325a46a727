//! The APIs that an application names by their paths, and what their pages say of the calls a day.

use crate::error::Error;
use crate::language::plain_text;
use crate::message::Channel;

/// Longer than any path of WeChat's.
const LONGEST: usize = 200;
/// What every path of WeChat's API begins with.
const ROOTS: [&str; 4] = ["cgi-bin/", "wxaapi/", "wxa/", "sns/"];

/// An API that this crate or the shop beside it calls, and its documented calls a day: for everybody, and for accounts with
/// WeChat Pay.
struct Known {
    path: &'static str,
    daily: Option<(u64, u64)>,
}

const fn known(path: &'static str, daily: Option<(u64, u64)>) -> Known {
    Known { path, daily }
}

/// A limit that no page names is WeChat's to tell (`openapi/quota/get`).
static KNOWN: [Known; 13] = [
    known("/cgi-bin/message/subscribe/send", Some((10_000_000, 30_000_000))),
    known("/cgi-bin/message/subscribe/bizsend", None),
    known("/cgi-bin/message/template/send", Some((100_000, 100_000))),
    known("/cgi-bin/message/template/subscribe", None),
    known("/cgi-bin/token", None),
    known("/cgi-bin/stable_token", Some((500_000, 500_000))),
    known("/wxaapi/newtmpl/gettemplate", None),
    known("/wxaapi/newtmpl/addtemplate", None),
    known("/wxaapi/newtmpl/deltemplate", None),
    known("/wxaapi/newtmpl/getcategory", None),
    known("/wxaapi/newtmpl/getpubtemplatetitles", None),
    known("/wxaapi/newtmpl/getpubtemplatekeywords", None),
    known("/cgi-bin/openapi/quota/get", None),
];

/// The path that a text names: a path with or without its host, query or first slash; the end of a known one, such as
/// `subscribe/send`; or what `send()` calls its channels.
pub(super) fn read(method: &str, given: &str) -> Result<String, Error> {
    let text = given.trim();
    let text = text.split_once("://").map_or(text, |(_, behind)| behind.split_once('/').map_or("", |(_, path)| path));
    let text = text.split(['?', '#']).next().unwrap_or_default().trim_matches('/');
    let text =
        ["api.weixin.qq.com/", "api2.weixin.qq.com/"].iter().find_map(|host| text.strip_prefix(host)).unwrap_or(text);
    if text.is_empty() || text.len() > LONGEST || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(no_path(method, given));
    }
    if ROOTS.iter().any(|root| text.starts_with(root)) {
        return Ok(format!("/{text}"));
    }
    if text == "send" || text == Channel::Subscribe.name() {
        return Ok(Channel::Subscribe.path().to_owned());
    }
    if text == Channel::Template.name() {
        return Ok(Channel::Template.path().to_owned());
    }
    let end = format!("/{text}");
    let mut matching = KNOWN.iter().filter(|known| known.path.ends_with(&end));
    match (matching.next(), matching.next()) {
        (Some(only), None) => Ok(only.path.to_owned()),
        // Perhaps one that is not known here; then WeChat says so (76021).
        _ if given.trim().starts_with('/') => Ok(end),
        _ => Err(no_path(method, given)),
    }
}

/// The documented calls a day of a path, and those of an account with WeChat Pay.
pub(super) fn documented(path: &str) -> Option<(u64, u64)> {
    KNOWN.iter().find(|known| known.path == path).and_then(|known| known.daily)
}

fn no_path(method: &str, given: &str) -> Error {
    let given: String = plain_text(given).chars().take(64).collect();
    Error::value(
        format!("{method}()：$path 应为接口路径，如 /cgi-bin/message/subscribe/send（给出的是“{given}”）"),
        format!("{method}(): $path is the path of an API, such as /cgi-bin/message/subscribe/send (\"{given}\" given)"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(given: &str) -> String {
        read("quota", given).unwrap()
    }

    #[test]
    fn a_path_is_understood_however_it_is_copied() {
        for given in [
            "/cgi-bin/message/subscribe/send",
            "cgi-bin/message/subscribe/send/",
            " https://api.weixin.qq.com/cgi-bin/message/subscribe/send?access_token=ACCESS_TOKEN ",
            "api.weixin.qq.com/cgi-bin/message/subscribe/send",
            "/message/subscribe/send",
            "subscribe/send",
            "subscribe",
            "send",
        ] {
            assert_eq!(path(given), "/cgi-bin/message/subscribe/send", "{given}");
        }
        assert_eq!(path("template/send"), "/cgi-bin/message/template/send");
        assert_eq!(path("bizsend"), "/cgi-bin/message/subscribe/bizsend");
        assert_eq!(path("gettemplate"), "/wxaapi/newtmpl/gettemplate");
        assert_eq!(path("/sns/jscode2session"), "/sns/jscode2session");
        assert_eq!(path("/datacube/getweanalysisappiddailyvisittrend").matches('/').count(), 2);
    }

    #[test]
    fn what_names_no_api_is_refused_with_an_example() {
        let long = "/cgi-bin/".repeat(100);
        for given in
            ["", " ", "/", "https://api.weixin.qq.com", "https://", "cgi-bin", "订阅消息", "/cgi-bin/a b", &long]
        {
            let error = read("quota", given).unwrap_err().to_string();
            assert!(error.contains("/cgi-bin/message/subscribe/send"), "{given}: {error}");
        }
    }

    #[test]
    fn each_known_path_is_listed_once_and_every_channel_is_known() {
        for (index, one) in KNOWN.iter().enumerate() {
            assert!(KNOWN.iter().skip(index + 1).all(|other| other.path != one.path), "{}", one.path);
            assert_eq!(path(one.path), one.path);
        }
        for channel in Channel::ALL {
            assert!(KNOWN.iter().any(|known| known.path == channel.path()));
        }
    }
}
