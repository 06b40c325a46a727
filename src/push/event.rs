//! What a pushed message tells of grants and deliveries, in every shape in which it comes.
//!
//! XML has the items in `SubscribeMsgPopupEvent > List`, one or several; JSON has `List` at the top, an object if there is one
//! item and an array if there are several; EasyWeChat 3 makes `List > item` of that. A sample of the documentation has the tag of
//! one event inside another. So an item is whatever has a `TemplateId` or a `MsgID`, wherever it is below these names.

use serde_json::{Map, Value};

use crate::grant::{choice, is_template_id};
use crate::language::{Text, plain_text};
use crate::store::{Choice, Source};

/// Below which the items are.
const WRAPPERS: [&str; 4] = ["SubscribeMsgPopupEvent", "SubscribeMsgChangeEvent", "SubscribeMsgSentEvent", "List"];
/// WeChat asks for five templates at once at most.
const MOST_ITEMS: usize = 64;
/// Unix time of the year 10000.
const END_OF_TIME: i64 = 253_402_300_800;

/// What a message is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A user has answered (`subscribe_msg_popup_event`, `subscribe_msg_change_event`).
    Answers(Answers),
    /// What became of messages that WeChat had accepted (`subscribe_msg_sent_event`, `TEMPLATESENDJOBFINISH`).
    Arrivals(Arrivals),
    /// Nothing of that.
    Other,
}

/// A user's answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// Which event told of them.
    pub source: Source,
    /// The user.
    pub openid: String,
    /// Unix time at which WeChat made the message.
    pub created: i64,
    /// Template id and answer, each template once.
    pub choices: Vec<(String, Choice)>,
    /// What cannot be counted, and why: `not_a_template_id`, `not_an_answer`.
    pub rejected: Vec<(String, &'static str)>,
}

/// Messages that arrived, or did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrivals {
    /// The receiver.
    pub openid: String,
    /// Unix time at which WeChat made the message.
    pub created: i64,
    /// Each of them.
    pub items: Vec<Arrival>,
    /// What the first one lacks that cannot be used.
    pub flaw: Option<Text>,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// WeChat's id of it, in digits.
    pub msgid: String,
    /// Its template, where the event says so.
    pub template_id: Option<String>,
    /// `success`, or WeChat's words for the failure.
    pub text: String,
}

/// The name of the event in lower case, as switches over events have it; `None` if the message is none.
pub fn name(message: &Map<String, Value>) -> Option<String> {
    let is_event = text(message, "MsgType").is_none_or(|kind| kind.eq_ignore_ascii_case("event"));
    let name = text(message, "Event").filter(|_| is_event)?;
    Some(plain_text(&name).to_ascii_lowercase())
}

/// What a message tells. An event about grants or deliveries that lacks what every such event has is an error, in words that name
/// the member.
pub fn read(message: &Map<String, Value>) -> Result<Event, Text> {
    let source = match name(message).as_deref() {
        Some("subscribe_msg_popup_event") => Source::Popup,
        Some("subscribe_msg_change_event") => Source::Change,
        Some("subscribe_msg_sent_event") => return arrivals(message, items(message)?),
        Some("templatesendjobfinish") => return arrivals(message, vec![message]),
        _ => return Ok(Event::Other),
    };
    let mut answers = Answers {
        source,
        openid: openid(message)?,
        created: created(message)?,
        choices: Vec::new(),
        rejected: Vec::new(),
    };
    for item in items(message)? {
        let template_id = text(item, "TemplateId").unwrap_or_default();
        let answer = text(item, "SubscribeStatusString").as_deref().and_then(choice);
        match answer {
            _ if !is_template_id(&template_id) => answers.reject(&template_id, "not_a_template_id"),
            None => answers.reject(&template_id, "not_an_answer"),
            // The same template twice is one answer.
            Some(_) if answers.choices.iter().any(|(known, _)| *known == template_id) => {}
            Some(choice) => answers.choices.push((template_id, choice)),
        }
    }
    Ok(Event::Answers(answers))
}

impl Event {
    /// What is wrong with a part of it.
    pub fn flaw(&self) -> Option<&Text> {
        match self {
            Self::Arrivals(arrivals) => arrivals.flaw.as_ref(),
            Self::Answers(_) | Self::Other => None,
        }
    }
}

impl Answers {
    fn reject(&mut self, template_id: &str, reason: &'static str) {
        self.rejected.push((plain_text(template_id).chars().take(64).collect(), reason));
    }
}

fn arrivals(message: &Map<String, Value>, items: Vec<&Map<String, Value>>) -> Result<Event, Text> {
    let mut read = Arrivals { openid: openid(message)?, created: created(message)?, items: Vec::new(), flaw: None };
    for item in items {
        match arrival(item) {
            Ok(arrival) => read.items.push(arrival),
            Err(flaw) => drop(read.flaw.get_or_insert(flaw)),
        }
    }
    match read.flaw {
        Some(flaw) if read.items.is_empty() => Err(flaw),
        _ => Ok(Event::Arrivals(read)),
    }
}

fn arrival(item: &Map<String, Value>) -> Result<Arrival, Text> {
    let text = words(item).ok_or_else(|| lacks("ErrorStatus / Status"))?;
    let msgid = self::text(item, "MsgID")
        .filter(|digits| (1..=32).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit()));
    Ok(Arrival {
        msgid: msgid.ok_or_else(|| lacks("MsgID"))?,
        template_id: self::text(item, "TemplateId").map(|id| plain_text(&id).chars().take(64).collect()),
        text,
    })
}

/// `ErrorCode` and `ErrorStatus` of a subscribe message, `Status` (`success`, `failed:user block`) of a template message.
fn words(item: &Map<String, Value>) -> Option<String> {
    let status = text(item, "ErrorStatus").or_else(|| text(item, "Status")).unwrap_or_default();
    let code = text(item, "ErrorCode");
    let failed = code.as_deref().is_some_and(|code| code != "0");
    let succeeded = status.is_empty() || status.eq_ignore_ascii_case("success");
    match (failed, succeeded) {
        (false, true) if status.is_empty() && code.is_none() => None,
        (false, true) => Some("success".to_owned()),
        (true, true) => Some(format!("ErrorCode {}", plain_text(&code.unwrap_or_default()))),
        (_, false) => Some(plain_text(&status).chars().take(200).collect()),
    }
}

fn openid(message: &Map<String, Value>) -> Result<String, Text> {
    let is_openid = |openid: &String| openid.len() <= 128 && openid.bytes().all(|byte| byte.is_ascii_graphic());
    text(message, "FromUserName").filter(is_openid).ok_or_else(|| lacks("FromUserName"))
}

fn created(message: &Map<String, Value>) -> Result<i64, Text> {
    let seconds = text(message, "CreateTime").and_then(|digits| digits.parse().ok());
    seconds.filter(|seconds| (1..END_OF_TIME).contains(seconds)).ok_or_else(|| lacks("CreateTime"))
}

fn items(message: &Map<String, Value>) -> Result<Vec<&Map<String, Value>>, Text> {
    let mut found = Vec::new();
    for wrapper in WRAPPERS.iter().filter_map(|name| member(message, name)) {
        collect(wrapper, 0, &mut found);
    }
    match found.len() {
        0 => Err(lacks("List")),
        1..=MOST_ITEMS => Ok(found),
        many => Err(Text::new(
            format!("事件的 List 有 {many} 项，超过 {MOST_ITEMS}"),
            format!("the event's List has {many} items, more than {MOST_ITEMS}"),
        )),
    }
}

fn collect<'a>(value: &'a Value, depth: usize, found: &mut Vec<&'a Map<String, Value>>) {
    // Messages that PHP code made are not bounded as those from outside are.
    if depth > super::budget::DEPTH_LIMIT {
        return;
    }
    match value {
        Value::Object(members) if ["TemplateId", "MsgID"].iter().any(|name| member(members, name).is_some()) => {
            found.push(members);
        }
        Value::Object(members) => members.values().for_each(|value| collect(value, depth + 1, found)),
        Value::Array(values) => values.iter().for_each(|value| collect(value, depth + 1, found)),
        _ => {}
    }
}

/// By its name; the documents write some now this way and now that (`MsgID`, `MsgId`).
fn member<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    members.get(name).or_else(|| members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

/// A text or a number, as it is written: the documents have one where the servers send the other.
fn text(members: &Map<String, Value>, name: &str) -> Option<String> {
    let text = match member(members, name)? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(text).filter(|text| !text.is_empty())
}

fn lacks(member: &str) -> Text {
    Text::new(format!("事件缺少 {member}，或其值不可用"), format!("the event has no usable {member}"))
}

#[cfg(test)]
mod tests;
