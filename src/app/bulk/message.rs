//! One message of a bulk as the application writes it.

use std::borrow::Cow;

use crate::error::Error;
use crate::language::{Text, plain_text};
use crate::message::{Input, Message};
use crate::options::Options;

/// Names of a message's members, for error texts.
const MEMBERS: &str = "openid (touser), template_id (templateId), data, page, options";

/// Reads `['openid' => …, 'template_id' => …, 'data' => …]` or `[openid, templateId, data, page, options]`.
pub(super) fn read<'v>(value: Input<'v>, defaults: &Options) -> Result<Message<'v>, Error> {
    let members = match value {
        Input::Map(members) => members,
        other => return Err(wrong_type("", "array", &other)),
    };
    let (mut touser, mut template_id, mut data, mut page, mut options) = (None, None, None, None, None);
    for (name, value) in members {
        if value == Input::Null {
            continue;
        }
        match name.as_ref() {
            b"openid" | b"touser" | b"0" => touser = Some(text("openid", value)?),
            b"template_id" | b"templateId" | b"1" => template_id = Some(text("template_id", value)?),
            b"data" | b"2" => match value {
                Input::Map(_) | Input::Text(_) => data = Some(value),
                other => return Err(wrong_type("data", "array|object|string", &other)),
            },
            b"page" | b"3" => page = Some(text("page", value)?),
            b"options" | b"4" => match value {
                Input::Map(_) => options = Some(defaults.with(&value)?.for_send()?),
                other => return Err(wrong_type("options", "array", &other)),
            },
            other => return Err(unknown(&String::from_utf8_lossy(other))),
        }
    }
    Ok(Message {
        touser: touser.ok_or_else(|| missing("openid"))?,
        template_id: template_id.ok_or_else(|| missing("template_id"))?,
        data: data.ok_or_else(|| missing("data"))?,
        page,
        options: options.unwrap_or_else(|| defaults.clone()),
    })
}

/// Texts as they are, ints in decimal, as `send()` takes them.
fn text<'v>(member: &str, value: Input<'v>) -> Result<Cow<'v, str>, Error> {
    let text = match value {
        Input::Int(number) => return Ok(Cow::Owned(number.to_string())),
        Input::Text(Cow::Borrowed(bytes)) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Input::Text(Cow::Owned(bytes)) => String::from_utf8(bytes).ok().map(Cow::Owned),
        other => return Err(wrong_type(member, "string|int", &other)),
    };
    text.ok_or_else(|| {
        Error::value(format!("{member} 不是 UTF-8（是 GBK 吗？）"), format!("{member} must be UTF-8 (is it GBK?)"))
    })
}

fn missing(member: &str) -> Error {
    Error::value(
        format!("没有 {member}；可用的成员：{MEMBERS}"),
        format!("there is no {member}; the members of a message are {MEMBERS}"),
    )
}

fn wrong_type(member: &str, expected: &str, given: &Input<'_>) -> Error {
    let kind = given.type_name();
    let of = if member.is_empty() { String::new() } else { format!("{member} ") };
    Error::Type(Text::new(
        format!("{of}应为 {expected}，给出的是 {kind}"),
        format!("{of}must be of type {expected}, {kind} given"),
    ))
}

fn unknown(name: &str) -> Error {
    let shown: String = plain_text(name).chars().take(64).collect();
    Error::value(
        format!("没有名为“{shown}”的成员，可用的成员：{MEMBERS}"),
        format!("there is no member \"{shown}\"; the members of a message are {MEMBERS}"),
    )
}

/// Which message it is about.
pub(super) fn named(error: Error, key: &impl std::fmt::Display) -> Error {
    let name = |text: &Text| Text::new(format!("消息 {key}：{}", text.zh), format!("message {key}: {}", text.en));
    match error {
        Error::Value(text) => Error::Value(name(&text)),
        Error::Type(text) => Error::Type(name(&text)),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(value: serde_json::Value) -> Result<Message<'static>, Error> {
        read(value.into(), &Options::default())
    }

    #[test]
    fn a_message_has_names_or_the_order_of_send() {
        let names = of(json!({ "openid": "oA", "template_id": 6271, "data": { "thing1": "x" }, "page": "a" })).unwrap();
        let order = of(json!(["oA", "6271", { "thing1": "x" }, "a"])).unwrap();
        let wechats =
            of(json!({ "touser": "oA", "templateId": "6271", "data": { "thing1": "x" }, "page": "a" })).unwrap();
        for message in [&names, &order, &wechats] {
            assert_eq!((message.touser.as_ref(), message.template_id.as_ref()), ("oA", "6271"));
            assert_eq!((message.page.as_deref(), message.data.get("thing1")), (Some("a"), Some(&Input::text("x"))));
        }
    }

    #[test]
    fn its_own_options_go_over_those_of_the_bulk() {
        let defaults = Options { state: Some("trial"), lang: Some("en_US"), ..Options::default() };
        let own = json!(["oA", "t", {}, null, { "state": "formal", "key": "k" }]);
        let options = read(own.into(), &defaults).unwrap().options;
        assert_eq!((options.state, options.lang, options.key.as_deref()), (Some("formal"), Some("en_US"), Some("k")));
        assert_eq!(read(json!(["oA", "t", {}]).into(), &defaults).unwrap().options, defaults);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (value, what) in [
            (json!("oA"), "must be of type array, string given"),
            (json!({ "template_id": "t", "data": {} }), "there is no openid"),
            (json!({ "openid": null, "template_id": "t", "data": {} }), "there is no openid"),
            (json!({ "openid": "o", "data": {} }), "there is no template_id"),
            (json!({ "openid": "o", "template_id": "t" }), "there is no data"),
            (json!(["o", "t", 7]), "data must be of type array|object|string, int given"),
            (json!([["o"], "t", {}]), "openid must be of type string|int, array given"),
            (json!({ "openid": "o", "template_id": "t", "data": {}, "pages": "a" }), "\"pages\""),
            (json!(["o", "t", {}, "a", { "timeout": 1 }]), "timeout_ms"),
        ] {
            let error = named(of(value).unwrap_err(), &7).to_string();
            assert!(error.contains("message 7: ") && error.contains(what), "{error}");
        }
    }
}
