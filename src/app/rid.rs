//! What WeChat knows of one request, by the `rid` at the end of its errmsg.

use serde_json::{Value, json};

use super::App;
use crate::error::Error;
use crate::language::plain_text;
use crate::wechat::api;

/// What a looked-up request may carry and nobody should read in a log, as a parameter of an address or a member of JSON.
const SECRETS: [&str; 7] = [
    "access_token",
    "appsecret",
    "secret",
    "refresh_token",
    "authorizer_access_token",
    "component_access_token",
    "cloudbase_access_token",
];
const MASK: &str = "***";

impl App {
    /// WeChat's record of one request (`openapi/rid/get`), seven days back at most: `request` with its time, address, bodies and
    /// the caller's IP address, tokens and secrets masked. `rid` is the id itself or an errmsg that ends with it.
    pub fn rid(&self, rid: &str) -> Result<Value, Error> {
        let rid = read(rid)?;
        let mut answer = self.call("/cgi-bin/openapi/rid/get", &json!({ "rid": rid }))?;
        if let Some(request) = answer.get_mut("request") {
            mask_texts(request);
            // That of errcode 0 speaks of a message that was accepted, and what is looked up was mostly refused.
            let hint = self.settings.hint_lang.choose(
                "request 是微信收到的请求和它的答复，原因见 response_body。",
                "request is what WeChat received and answered; response_body tells the reason.",
            );
            answer.insert("hint".to_owned(), Value::from(hint));
        }
        Ok(Value::Object(answer))
    }
}

pub(super) fn read(given: &str) -> Result<&str, Error> {
    let text = given.trim();
    let found = if text.contains("rid:") { api::rid(text) } else { Some(text).filter(|text| api::is_rid(text)) };
    found.ok_or_else(|| {
        let given: String = plain_text(given).chars().take(64).collect();
        Error::value(
            format!("rid()：$rid 应为 errmsg 末尾的 rid（如 6a3ba761-6ef7535a-33c60a10）或整条 errmsg，“{given}”里没有"),
            format!(
                "rid(): $rid is the rid at the end of an errmsg (such as 6a3ba761-6ef7535a-33c60a10) or the whole errmsg; \"{given}\" has none"
            ),
        )
    })
}

fn mask_texts(value: &mut Value) {
    match value {
        Value::String(text) => *text = masked(text),
        Value::Object(members) => members.values_mut().for_each(mask_texts),
        Value::Array(items) => items.iter_mut().for_each(mask_texts),
        _ => {}
    }
}

/// The text without the values of [`SECRETS`], whether it is an address (`secret=…&`) or JSON (`"secret": "…"`, its quotes perhaps
/// escaped). It is gone through once: a record may have a megabyte.
pub(super) fn masked(text: &str) -> String {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (between, behind) = split_where(rest, is_word);
        let (word, behind) = split_where(behind, |letter| !is_word(letter));
        safe.push_str(between);
        safe.push_str(word);
        rest = behind;
        if SECRETS.contains(&word) {
            let (lead, value) = split_where(behind, |letter| !matches!(letter, ' ' | '\\' | '"' | '=' | ':'));
            safe.push_str(lead);
            rest = value;
            // Otherwise it is the name alone, as in a list.
            if lead.contains(['=', ':']) {
                safe.push_str(MASK);
                let ends = |letter: char| matches!(letter, '&' | '"' | '\\' | ',' | '}' | ' ' | '#');
                (_, rest) = split_where(value, ends);
            }
        }
    }
    safe
}

/// A text up to the first such letter, and from there on.
fn split_where(text: &str, is_such: impl Fn(char) -> bool) -> (&str, &str) {
    text.find(is_such).and_then(|at| text.split_at_checked(at)).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rid_is_taken_from_a_whole_errmsg_or_as_it_is() {
        for given in [
            "6a3ba761-6ef7535a-33c60a10",
            " 6a3ba761-6ef7535a-33c60a10\n",
            "rid: 6a3ba761-6ef7535a-33c60a10",
            "rid:6a3ba761-6ef7535a-33c60a10",
            "user refuse to accept the msg rid: 6a3ba761-6ef7535a-33c60a10",
            "user refuse to accept the msg rid: 6a3ba761-6ef7535a-33c60a10 (43101)",
        ] {
            assert_eq!(read(given).unwrap(), "6a3ba761-6ef7535a-33c60a10", "{given}");
        }
        for given in ["", "rid: ", "invalid openid hint: [ciPecA05663945]", "43101", "无", &"a-".repeat(60)] {
            assert!(read(given).unwrap_err().to_string().contains("6a3ba761-6ef7535a-33c60a10"), "{given}");
        }
    }

    #[test]
    fn tokens_and_secrets_of_a_looked_up_request_are_masked() {
        for (text, safe) in [
            (
                "https://api.weixin.qq.com/cgi-bin/message/subscribe/send?access_token=90_AbC-d&debug=1",
                "https://api.weixin.qq.com/cgi-bin/message/subscribe/send?access_token=***&debug=1",
            ),
            ("/cgi-bin/token?appid=wx1&secret=0123456789abcdef", "/cgi-bin/token?appid=wx1&secret=***"),
            (r#"{"appid":"wx1","secret":"0123"}"#, r#"{"appid":"wx1","secret":"***"}"#),
            (r#"{"access_token" : "90_x", "expires_in": 7200}"#, r#"{"access_token" : "***", "expires_in": 7200}"#),
            (r#"{\"appsecret\":\"0123\"}"#, r#"{\"appsecret\":\"***\"}"#),
            ("errcode 41001: access_token missing", "errcode 41001: access_token missing"),
            (r#"{"touser":"o1","data":{"code1":{"value":"7"}}}"#, r#"{"touser":"o1","data":{"code1":{"value":"7"}}}"#),
            ("", ""),
        ] {
            assert_eq!(masked(text), safe);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "millions of steps")]
    fn a_record_full_of_names_takes_no_longer_than_its_length() {
        let body = "secret=1&".repeat(100_000);
        assert_eq!(masked(&body).matches(MASK).count(), 100_000);
    }

    #[test]
    fn a_record_is_masked_wherever_its_texts_are() {
        let mut request = json!({ "body": ["secret=1", { "x": "access_token=2" }], "count": 3 });
        mask_texts(&mut request);
        assert_eq!(request, json!({ "body": ["secret=***", { "x": "access_token=***" }], "count": 3 }));
    }
}
