//! What the front end posts after `wx.requestSubscribeMessage` or `wx-open-subscribe`, read as it comes.
//!
//! `wx.requestSubscribeMessage` gives template ids as dynamic keys: `{"errMsg": "requestSubscribeMessage:ok", "TEMPLATE_ID":
//! "accept"}`. `wx-open-subscribe` gives `subscribeDetails`, a JSON text whose values are JSON texts again:
//! `"{\"TEMPLATE_ID\":\"{\\\"status\\\":\\\"accept\\\"}\"}"`.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::error::Error;
use crate::language::{Text, plain_text};
use crate::message::Input;
use crate::options;
use crate::store::Choice;

/// WeChat asks for five templates at once at most.
const MOST_TEMPLATES: usize = 64;
/// Depth at which nested JSON texts end: an event, its `detail`, `subscribeDetails`, one status.
const DEPTH_LIMIT: usize = 5;
/// Members that are no template ids.
const ENVELOPE: [&str; 8] =
    ["errMsg", "errCode", "errno", "err_info", "type", "timeStamp", "subscribeDetails", "detail"];

/// A report as read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Template id and answer, each template once, in the order posted.
    pub choices: Vec<(String, Choice)>,
    /// What cannot be counted, and why: `not_a_template_id`, `not_an_answer`.
    pub rejected: Vec<(String, &'static str)>,
    /// WeChat's own `errMsg`, if it was posted.
    pub errmsg: Option<String>,
}

/// Options of `recordGrants()`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportOptions {
    /// Idempotency: two reports of one user of an account with the same key are one.
    pub key: Option<String>,
    /// Whether an accept lasts, as that of a long-term subscription does; `None`: as the account's list of templates says.
    pub long_term: Option<bool>,
    /// The templates that count, ids or registered names; others are reported as unknown.
    pub templates: Option<Vec<String>>,
}

impl ReportOptions {
    /// Reads the `$options` array.
    pub fn read(options: &Input<'_>) -> Result<Self, Error> {
        let Input::Map(members) = options else {
            let kind = options.type_name();
            return Err(Error::Type(Text::new(
                format!("recordGrants()：$options 应为数组，给出的是 {kind}"),
                format!("recordGrants(): $options must be of type array, {kind} given"),
            )));
        };
        let mut read = Self::default();
        for (name, value) in members.iter().filter(|(_, value)| *value != Input::Null) {
            match (name.as_ref(), value) {
                (b"key", value) => read.key = Some(options::key(value)?),
                (b"long_term", Input::Bool(flag)) => read.long_term = Some(*flag),
                (b"long_term", Input::Int(number @ 0..=1)) => read.long_term = Some(*number == 1),
                (b"templates", Input::Map(ids)) => {
                    read.templates = Some(ids.iter().map(|(_, id)| id.shown()).collect());
                }
                (other, value) => {
                    let shown: String = plain_text(&String::from_utf8_lossy(other)).chars().take(64).collect();
                    let kind = value.type_name();
                    return Err(Error::value(
                        format!(
                            "recordGrants()：选项“{shown}”（{kind}）不可用；选项：key（字符串）、long_term（bool）、templates（模板 ID 数组）"
                        ),
                        format!(
                            "recordGrants(): option \"{shown}\" ({kind}) cannot be used; options: key (string), long_term (bool), templates (array of template ids)"
                        ),
                    ));
                }
            }
        }
        Ok(read)
    }
}

/// Reads a report: an array as posted, or the same as a JSON text.
pub fn read(result: &Input<'_>) -> Result<Report, Error> {
    let mut report = Report::default();
    match result {
        Input::Text(bytes) => {
            let parsed = std::str::from_utf8(bytes).ok().and_then(|text| serde_json::from_str::<Value>(text).ok());
            match parsed {
                Some(Value::Object(members)) => report.members(&members, 0),
                _ => return Err(no_result()),
            }
        }
        Input::Map(members) => {
            for (name, value) in members {
                report.member(&String::from_utf8_lossy(name), &json(value), 0);
            }
        }
        _ => return Err(no_result()),
    }
    if report.choices.len() + report.rejected.len() > MOST_TEMPLATES {
        return Err(Error::value(
            format!("recordGrants()：$result 超过 {MOST_TEMPLATES} 项"),
            format!("recordGrants(): $result has more than {MOST_TEMPLATES} members"),
        ));
    }
    Ok(report)
}

fn no_result() -> Error {
    Error::value(
        "recordGrants()：$result 应为 wx.requestSubscribeMessage 返回的对象（数组或 JSON 字符串）",
        "recordGrants(): $result is the object that wx.requestSubscribeMessage gave, as an array or JSON text",
    )
}

impl Report {
    fn members(&mut self, members: &Map<String, Value>, depth: usize) {
        for (name, value) in members {
            self.member(name, value, depth);
        }
    }

    fn member(&mut self, name: &str, value: &Value, depth: usize) {
        match name {
            "errMsg" => self.errmsg = value.as_str().map(plain_text),
            "subscribeDetails" | "detail" if depth < DEPTH_LIMIT => {
                if let Some(Value::Object(members)) = opened(value).as_deref() {
                    self.members(members, depth + 1);
                }
            }
            name if ENVELOPE.contains(&name) => {}
            name if !is_template_id(name) => self.reject(name, "not_a_template_id"),
            name => match answer(value) {
                Some(choice) if self.choices.iter().all(|(known, _)| known != name) => {
                    self.choices.push((name.to_owned(), choice));
                }
                // The same template twice is one answer.
                Some(_) => {}
                None => self.reject(name, "not_an_answer"),
            },
        }
    }

    fn reject(&mut self, name: &str, reason: &'static str) {
        // The text comes from outside; a sample of it is enough to recognise it.
        self.rejected.push((plain_text(name).chars().take(64).collect(), reason));
    }
}

/// A value, or what the JSON text in it holds.
fn opened(value: &Value) -> Option<Cow<'_, Value>> {
    match value {
        Value::String(text) => serde_json::from_str(text).ok().map(Cow::Owned),
        other => Some(Cow::Borrowed(other)),
    }
}

/// `"accept"`, `{"status": "accept"}`, or either as a JSON text.
fn answer(value: &Value) -> Option<Choice> {
    match value {
        Value::String(text) => choice(text).or_else(|| match opened(value).as_deref() {
            Some(Value::Object(members)) => choice(members.get("status")?.as_str()?),
            Some(Value::String(text)) => choice(text),
            _ => None,
        }),
        Value::Object(members) => choice(members.get("status")?.as_str()?),
        _ => None,
    }
}

/// The answer that WeChat's word stands for.
pub(crate) fn choice(text: &str) -> Option<Choice> {
    match text.trim() {
        // With sound, with a reminder, or for good: each is an accept.
        "accept" | "acceptWithAudio" | "acceptWithAlert" | "acceptWithForcePush" => Some(Choice::Accept),
        "reject" | "cancel" => Some(Choice::Reject),
        "ban" => Some(Choice::Ban),
        "filter" => Some(Choice::Filter),
        _ => None,
    }
}

/// WeChat's template ids are 43 letters, digits, `-` and `_`; the length is no promise.
pub(crate) fn is_template_id(name: &str) -> bool {
    (20..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// What PHP handed over, as JSON has it; bytes that are no UTF-8 are replaced.
pub(crate) fn json(value: &Input<'_>) -> Value {
    match value {
        Input::Text(bytes) => Value::from(String::from_utf8_lossy(bytes)),
        Input::Map(members) => Value::Object(
            members.iter().map(|(name, member)| (String::from_utf8_lossy(name).into_owned(), json(member))).collect(),
        ),
        Input::Int(number) => Value::from(*number),
        Input::Float(number) => Value::from(*number),
        Input::Bool(flag) => Value::from(*flag),
        Input::Null | Input::Unusable(_) => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAID: &str = "pA-d_0123456789012345678901234567890123456x";
    const SHIPPED: &str = "sHiPpEd_01234567890123456789012345678901234";

    fn read_json(text: &str) -> Report {
        read(&Input::text(text.to_owned())).unwrap()
    }

    #[test]
    fn the_result_of_request_subscribe_message_is_read_as_posted() {
        let report =
            read_json(&format!(r#"{{"errMsg":"requestSubscribeMessage:ok","{PAID}":"accept","{SHIPPED}":"reject"}}"#));
        assert_eq!(report.choices, [(PAID.to_owned(), Choice::Accept), (SHIPPED.to_owned(), Choice::Reject)]);
        assert_eq!(report.errmsg.as_deref(), Some("requestSubscribeMessage:ok"));
        assert!(report.rejected.is_empty());
    }

    #[test]
    fn every_way_to_accept_is_an_accept_and_the_others_are_none() {
        for (word, expected) in [
            ("accept", Some(Choice::Accept)),
            ("acceptWithAudio", Some(Choice::Accept)),
            ("acceptWithAlert", Some(Choice::Accept)),
            ("acceptWithForcePush", Some(Choice::Accept)),
            ("reject", Some(Choice::Reject)),
            ("cancel", Some(Choice::Reject)),
            ("ban", Some(Choice::Ban)),
            ("filter", Some(Choice::Filter)),
            ("Accept", None),
            ("", None),
        ] {
            assert_eq!(answer(&Value::from(word)), expected, "{word}");
        }
    }

    #[test]
    fn the_double_encoded_details_of_wx_open_subscribe_are_opened() {
        let details =
            serde_json::json!({ PAID: r#"{"status":"accept"}"#, SHIPPED: r#"{"status":"cancel"}"# }).to_string();
        let expected = [(PAID.to_owned(), Choice::Accept), (SHIPPED.to_owned(), Choice::Reject)];
        for posted in [
            serde_json::json!({ "errMsg": "subscribe:ok", "subscribeDetails": details }),
            serde_json::json!({ "type": "success", "detail": { "errMsg": "subscribe:ok", "subscribeDetails": details } }),
            serde_json::json!({ "subscribeDetails": { PAID: { "status": "accept" }, SHIPPED: { "status": "cancel" } } }),
        ] {
            assert_eq!(read_json(&posted.to_string()).choices, expected, "{posted}");
            assert_eq!(read(&posted.into()).unwrap().choices, expected);
        }
    }

    #[test]
    fn what_is_no_template_or_no_answer_is_named_and_not_counted() {
        let report = read_json(&format!(r#"{{"TEMPLATE_ID":"accept","{PAID}":"yes","{SHIPPED}":7,"openid":"o1"}}"#));
        assert!(report.choices.is_empty());
        assert_eq!(
            report.rejected,
            [
                ("TEMPLATE_ID".to_owned(), "not_a_template_id"),
                (PAID.to_owned(), "not_an_answer"),
                (SHIPPED.to_owned(), "not_an_answer"),
                ("openid".to_owned(), "not_a_template_id"),
            ]
        );
    }

    #[test]
    fn a_failed_request_records_nothing() {
        let report = read_json(r#"{"errMsg":"requestSubscribeMessage:fail last call has not ended","errCode":20004}"#);
        assert!(report.choices.is_empty() && report.rejected.is_empty());
        assert!(report.errmsg.unwrap().contains("fail"));
    }

    #[test]
    fn what_is_no_result_is_refused_and_nothing_grows_without_end() {
        for bad in [Input::text("accept"), Input::text("[]"), Input::Int(1), Input::Null] {
            assert!(read(&bad).is_err());
        }
        let many: Vec<_> = (0..100).map(|n| (format!("{n:032}").into_bytes().into(), Input::text("accept"))).collect();
        assert!(read(&Input::Map(many)).is_err());
        let deep = (0..1000).fold("1".to_owned(), |inner, _| format!(r#"{{"detail":{inner}}}"#));
        assert!(read(&Input::text(deep)).is_err());
        let nested = (0..40).fold("1".to_owned(), |inner, _| format!(r#"{{"detail":{inner}}}"#));
        assert_eq!(read_json(&nested), Report::default());
    }

    #[test]
    fn options_say_what_they_take() {
        let options =
            |name: &'static str, value| ReportOptions::read(&Input::Map(vec![(name.as_bytes().into(), value)]));
        assert_eq!(options("key", Input::text("pay-1")).unwrap().key.as_deref(), Some("pay-1"));
        assert_eq!(options("long_term", Input::Bool(true)).unwrap().long_term, Some(true));
        let list = Input::Map(vec![(b"0"[..].into(), Input::text("ORDER_PAID"))]);
        assert_eq!(options("templates", list).unwrap().templates, Some(vec!["ORDER_PAID".to_owned()]));
        assert!(options("token", Input::text("x")).unwrap_err().to_string().contains("long_term"));
    }
}
