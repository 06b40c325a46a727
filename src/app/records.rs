//! Delivery rows as an application sees them.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::App;
use super::admission::hashed_openid;
use crate::error::Error;
use crate::language::{Text, plain_text};
use crate::message::Input;
use crate::store::{Delivery, Filter, MessageId, Millis, State};
use crate::wechat::errcode;

/// Names of the filter's members, for error texts.
const FILTERS: &str = "openid, template_id, key, state, since, before, limit";
/// Rows of one answer, by default and at most.
const LIMIT: usize = 100;
const MOST: i64 = 1000;

impl App {
    /// What became of a message; `None` if no row has this id, or no longer.
    pub fn status(&self, id: &str) -> Result<Option<Value>, Error> {
        // Whatever is no id of ours is the id of no message.
        let Ok(id) = id.trim().parse::<MessageId>() else {
            self.settings.require_appid()?;
            return Ok(None);
        };
        let row = self.stored(|store, until| store.delivery(&self.settings.appid, id, until))?;
        Ok(row.as_ref().map(delivery))
    }

    /// Delivery rows, newest first.
    pub fn deliveries(&self, filter: &Input<'_>) -> Result<Value, Error> {
        let Input::Map(members) = filter else {
            return Err(Error::value("deliveries()：$filter 应为数组", "deliveries(): $filter must be an array"));
        };
        let mut wanted = Filter { limit: LIMIT, ..Filter::default() };
        let openid = member(members, "openid")?.map(|given| match self.settings.hash_openid {
            true => Cow::Owned(hashed_openid(&self.settings.appid, &given)),
            false => given,
        });
        let template_id = member(members, "template_id")?;
        let template_id = template_id.as_deref().map(|given| self.registry.id(given).unwrap_or(given));
        let key = member(members, "key")?;
        (wanted.openid, wanted.template_id, wanted.key) = (openid.as_deref(), template_id, key.as_deref());
        for (name, value) in members.iter().filter(|(_, value)| *value != Input::Null) {
            match name.as_ref() {
                b"openid" | b"template_id" | b"key" => {}
                b"state" => {
                    let given = text("state", value)?;
                    let states = State::ALL.map(State::name).join(" | ");
                    wanted.state = Some(State::from_name(&given).ok_or_else(|| wrong("state", &states, value))?);
                }
                b"since" => {
                    wanted.since = Some(moment(value).ok_or_else(|| wrong("since", "unix time", value))?);
                }
                b"before" => {
                    let given = text("before", value)?;
                    wanted.before = Some(given.parse().map_err(|_| wrong("before", "id", value))?);
                }
                b"limit" => {
                    let limit = whole(value).filter(|limit| (1..=MOST).contains(limit));
                    let limit = limit.and_then(|limit| usize::try_from(limit).ok());
                    wanted.limit = limit.ok_or_else(|| wrong("limit", "1 … 1000", value))?;
                }
                other => {
                    let shown: String = plain_text(&String::from_utf8_lossy(other)).chars().take(64).collect();
                    return Err(Error::value(
                        format!("deliveries()：没有名为“{shown}”的条件，可用：{FILTERS}"),
                        format!("deliveries(): there is no condition \"{shown}\"; conditions: {FILTERS}"),
                    ));
                }
            }
        }
        let rows = self.stored(|store, until| store.deliveries(&self.settings.appid, &wanted, until))?;
        Ok(Value::Array(rows.iter().map(delivery).collect()))
    }
}

fn member<'a>(members: &'a [(Cow<'_, [u8]>, Input<'_>)], name: &str) -> Result<Option<Cow<'a, str>>, Error> {
    let found = members.iter().find(|(found, value)| found.as_ref() == name.as_bytes() && *value != Input::Null);
    found.map(|(_, value)| text(name, value)).transpose()
}

fn text<'a>(name: &str, value: &'a Input<'_>) -> Result<Cow<'a, str>, Error> {
    match value {
        Input::Text(bytes) => std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| {
            Error::value(format!("deliveries()：{name} 不是 UTF-8"), format!("deliveries(): {name} is not UTF-8"))
        }),
        Input::Int(number) => Ok(Cow::Owned(number.to_string())),
        other => {
            let kind = other.type_name();
            Err(Error::Type(Text::new(
                format!("deliveries()：{name} 应为字符串，给出的是 {kind}"),
                format!("deliveries(): {name} must be of type string, {kind} given"),
            )))
        }
    }
}

fn whole(value: &Input<'_>) -> Option<i64> {
    match value {
        Input::Int(number) => Some(*number),
        Input::Text(bytes) => std::str::from_utf8(bytes).ok()?.parse().ok(),
        _ => None,
    }
}

/// Unix time, whole or as PHP's `microtime(true)` and the rows' own `begun` have it, up to the year 9999.
fn moment(value: &Input<'_>) -> Option<Millis> {
    const END: i64 = 253_402_300_800;
    match value {
        Input::Float(seconds) if (0.0..END as f64).contains(seconds) => Some((seconds * 1000.0).round() as Millis),
        other => whole(other).filter(|seconds| (0..END).contains(seconds)).map(|seconds| seconds * 1000),
    }
}

fn wrong(name: &str, allowed: &str, value: &Input<'_>) -> Error {
    let shown: String = plain_text(&value.shown()).chars().take(64).collect();
    Error::value(
        format!("deliveries()：{name} 可填 {allowed}，给出的是“{shown}”"),
        format!("deliveries(): {name} is {allowed}, \"{shown}\" given"),
    )
}

fn delivery(row: &Delivery) -> Value {
    // The ledger and a pause refuse by errcode; the words are WeChat's.
    let words = row.errcode.and_then(errcode::find).map_or("", |known| known.text);
    let errmsg = if row.errmsg.is_empty() { words } else { &row.errmsg };
    let parsed = |json: &Option<String>| json.as_deref().and_then(|json| serde_json::from_str::<Value>(json).ok());
    let msgid =
        row.msgid.as_deref().map(|digits| digits.parse::<i64>().map_or_else(|_| Value::from(digits), Value::from));
    json!({
        "id": row.id.to_string(),
        "state": row.state.name(),
        "openid": row.openid,
        "template_id": row.template_id,
        "channel": row.channel.name(),
        "key": row.key,
        "errcode": row.errcode,
        "errmsg": errmsg,
        "msgid": msgid,
        "rid": row.rid,
        "source": row.errcode.map(|_| if row.from_wechat { "wechat" } else { "local" }),
        "attempts": row.attempts,
        "changed": parsed(&row.changed).unwrap_or_else(|| Value::Array(Vec::new())),
        "payload": parsed(&row.payload),
        "begun": seconds(row.begun),
        "finished": row.finished.map(seconds),
        "due": row.due.map(seconds),
        // Null until a push tells of it.
        "receipt": row.receipt,
    })
}

/// Unix time with milliseconds, as PHP's `microtime(true)` has it.
fn seconds(at: Millis) -> f64 {
    at as f64 / 1000.0
}
