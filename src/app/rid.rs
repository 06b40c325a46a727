//! What WeChat knows of one request, by the `rid` at the end of its errmsg.

use serde_json::{Map, Value, json};

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
        if let Some(Value::Object(request)) = answer.get_mut("request") {
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

fn read(given: &str) -> Result<&str, Error> {
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

fn mask_texts(members: &mut Map<String, Value>) {
    for (_, value) in members.iter_mut() {
        match value {
            Value::String(text) => *text = masked(text),
            Value::Object(members) => mask_texts(members),
            _ => {}
        }
    }
}

/// The text without the values of [`SECRETS`], whether it is an address (`secret=…&`) or JSON (`"secret": "…"`, its quotes perhaps
/// escaped).
fn masked(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, name, behind)) = next_secret(rest) {
        safe.push_str(before);
        safe.push_str(name);
        let value = behind.trim_start_matches([' ', '\\', '"', '=', ':']);
        let lead = behind.strip_suffix(value).unwrap_or_default();
        safe.push_str(lead);
        if lead.contains(['=', ':']) {
            safe.push_str(MASK);
            rest = value.trim_start_matches(|letter: char| !matches!(letter, '&' | '"' | '\\' | ',' | '}' | ' ' | '#'));
        } else {
            // The name alone, as in a list.
            rest = value;
        }
    }
    safe.push_str(rest);
    safe
}

/// The first name of a secret that is a word of its own: what is before it, itself, what is behind it.
fn next_secret(text: &str) -> Option<(&str, &str, &str)> {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    SECRETS
        .iter()
        .flat_map(|name| text.match_indices(name))
        .filter_map(|(at, name)| Some((text.get(..at)?, name, text.get(at + name.len()..)?)))
        .filter(|(before, _, behind)| !before.ends_with(is_word) && !behind.starts_with(is_word))
        .min_by_key(|(before, ..)| before.len())
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
}
