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

impl Answers {
    fn reject(&mut self, template_id: &str, reason: &'static str) {
        self.rejected.push((plain_text(template_id).chars().take(64).collect(), reason));
    }
}

fn arrivals(message: &Map<String, Value>, items: Vec<&Map<String, Value>>) -> Result<Event, Text> {
    let mut read = Arrivals { openid: openid(message)?, created: created(message)?, items: Vec::new() };
    for item in items {
        let msgid = text(item, "MsgID")
            .filter(|digits| (1..=32).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit()));
        let words = words(item).ok_or_else(|| lacks("ErrorStatus / Status"))?;
        read.items.push(Arrival {
            msgid: msgid.ok_or_else(|| lacks("MsgID"))?,
            template_id: text(item, "TemplateId").map(|id| plain_text(&id).chars().take(64).collect()),
            text: words,
        });
    }
    Ok(Event::Arrivals(read))
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
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::parse;
    use super::*;

    const PAID: &str = "pA-d_0123456789012345678901234567890123456x";
    const SHIPPED: &str = "sHiPpEd_01234567890123456789012345678901234";

    fn read_value(message: Value) -> Result<Event, Text> {
        let Value::Object(members) = message else { panic!("{message}") };
        read(&members)
    }

    fn read_text(text: &str) -> Event {
        read(&parse(text.as_bytes()).unwrap()).unwrap()
    }

    fn answers(choices: &[(&str, Choice)]) -> Event {
        Event::Answers(Answers {
            source: Source::Popup,
            openid: "oUser-1".into(),
            created: 1_714_112_445,
            choices: choices.iter().map(|(id, choice)| ((*id).to_owned(), *choice)).collect(),
            rejected: Vec::new(),
        })
    }

    fn item(template_id: &str, answer: &str) -> Value {
        json!({ "TemplateId": template_id, "SubscribeStatusString": answer, "PopupScene": "0" })
    }

    fn popup(members: Value) -> Value {
        let mut message = json!({
            "ToUserName": "gh_1", "FromUserName": "oUser-1", "CreateTime": "1714112445", "MsgType": "event",
            "Event": "subscribe_msg_popup_event",
        });
        message.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        message
    }

    fn xml(event: &str, inner: &str) -> String {
        format!(
            "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[oUser-1]]></FromUserName>\
             <CreateTime>1714112445</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[{event}]]></Event>{inner}</xml>"
        )
    }

    #[test]
    fn one_item_and_several_are_read_in_every_shape() {
        let (yes, no) = (item(PAID, "accept"), item(SHIPPED, "reject"));
        let id = |number: &str, item: &Value| {
            let mut item = item.clone();
            item["id"] = json!(number);
            item
        };
        for one in [
            json!({ "List": yes }),
            json!({ "List": [yes] }),
            json!({ "SubscribeMsgPopupEvent": { "List": yes } }),
            json!({ "SubscribeMsgPopupEvent": { "List": [yes] } }),
            json!({ "SubscribeMsgPopupEvent": [{ "List": yes }] }),
            json!({ "List": { "item": id("0", &yes) } }),
            json!({ "List": { "0": yes } }),
        ] {
            assert_eq!(read_value(popup(one.clone())).unwrap(), answers(&[(PAID, Choice::Accept)]), "{one}");
        }
        for several in [
            json!({ "List": [yes, no] }),
            json!({ "SubscribeMsgPopupEvent": { "List": [yes, no] } }),
            json!({ "SubscribeMsgPopupEvent": [{ "List": yes }, { "List": no }] }),
            json!({ "List": { "item": [id("0", &yes), id("1", &no)] } }),
            json!({ "List": { "0": yes, "1": no } }),
        ] {
            let expected = answers(&[(PAID, Choice::Accept), (SHIPPED, Choice::Reject)]);
            assert_eq!(read_value(popup(several.clone())).unwrap(), expected, "{several}");
        }
    }

    #[test]
    fn xml_is_read_with_one_list_and_with_several() {
        let list = |id: &str, answer: &str| {
            format!(
                "<List><TemplateId><![CDATA[{id}]]></TemplateId><SubscribeStatusString><![CDATA[{answer}]]></SubscribeStatusString>\
                 <PopupScene>2</PopupScene></List>"
            )
        };
        let wrapped = |inner: String| {
            xml("subscribe_msg_popup_event", &format!("<SubscribeMsgPopupEvent>{inner}</SubscribeMsgPopupEvent>"))
        };
        assert_eq!(read_text(&wrapped(list(PAID, "accept"))), answers(&[(PAID, Choice::Accept)]));
        let both = [list(PAID, "accept"), list(SHIPPED, "reject")].concat();
        assert_eq!(read_text(&wrapped(both)), answers(&[(PAID, Choice::Accept), (SHIPPED, Choice::Reject)]));
    }

    #[test]
    fn a_change_is_read_with_its_own_tag_and_with_that_of_a_popup() {
        for tag in ["SubscribeMsgChangeEvent", "SubscribeMsgPopupEvent"] {
            let inner = format!(
                "<{tag}><List><TemplateId>{PAID}</TemplateId><SubscribeStatusString>reject</SubscribeStatusString></List></{tag}>"
            );
            let Event::Answers(read) = read_text(&xml("subscribe_msg_change_event", &inner)) else { panic!("{tag}") };
            assert_eq!((read.source, read.choices), (Source::Change, vec![(PAID.to_owned(), Choice::Reject)]));
        }
    }

    #[test]
    fn what_became_of_a_message_is_read_from_both_events() {
        let arrival = |msgid: &str, template_id: Option<&str>, text: &str| Arrival {
            msgid: msgid.into(),
            template_id: template_id.map(str::to_owned),
            text: text.into(),
        };
        let sent = |code: Value, status: &str, msgid: Value| {
            let mut message = popup(json!({
                "List": { "TemplateId": PAID, "MsgID": msgid, "ErrorCode": code, "ErrorStatus": status }
            }));
            message["Event"] = json!("subscribe_msg_sent_event");
            let Event::Arrivals(read) = read_value(message).unwrap() else { panic!() };
            assert_eq!((read.openid.as_str(), read.created), ("oUser-1", 1_714_112_445));
            read.items
        };
        let long = 1_864_323_726_461_255_680_i64;
        let expected = [arrival("1864323726461255680", Some(PAID), "success")];
        assert_eq!(sent(json!("0"), "success", json!(long.to_string())), expected);
        assert_eq!(sent(json!(0), "success", json!(long)), expected);
        assert_eq!(sent(json!("0"), "", json!(long)), expected);
        assert_eq!(sent(json!("1"), "user block", json!("7")), [arrival("7", Some(PAID), "user block")]);
        assert_eq!(sent(json!(30), "success", json!("7")), [arrival("7", Some(PAID), "ErrorCode 30")]);

        for (status, text) in [("success", "success"), ("failed:user block", "failed:user block")] {
            let inner = format!("<MsgID>200163836</MsgID><Status><![CDATA[{status}]]></Status>");
            let Event::Arrivals(read) = read_text(&xml("TEMPLATESENDJOBFINISH", &inner)) else { panic!() };
            assert_eq!(read.items, [arrival("200163836", None, text)]);
        }
    }

    #[test]
    fn other_messages_are_none_of_these() {
        assert_eq!(read_text(&xml("user_enter_tempsession", "")), Event::Other);
        assert_eq!(read_text("{\"MsgType\":\"text\",\"Content\":\"subscribe_msg_popup_event\"}"), Event::Other);
        assert_eq!(read_text("{}"), Event::Other);
        let mut said = popup(json!({ "List": item(PAID, "accept") }));
        said["MsgType"] = json!("text");
        assert_eq!(read_value(said).unwrap(), Event::Other, "a user's own words are no event");
    }

    #[test]
    fn what_an_event_lacks_is_named() {
        for (name, value) in [
            ("FromUserName", json!("")),
            ("FromUserName", json!("o 1")),
            ("FromUserName", json!({})),
            ("CreateTime", json!("yesterday")),
            ("CreateTime", json!(-1)),
            ("List", json!("")),
            ("List", json!([])),
        ] {
            let mut message = popup(json!({ "List": item(PAID, "accept") }));
            message[name] = value.clone();
            assert!(read_value(message).unwrap_err().en.contains(name), "{name} {value}");
        }
        let many: Vec<Value> = (0..65).map(|number| item(&format!("{number:043}"), "accept")).collect();
        assert!(read_value(popup(json!({ "List": many }))).unwrap_err().en.contains("65"));
        for missing in ["MsgID", "ErrorStatus"] {
            let mut message = popup(json!({ "List": { "TemplateId": PAID, "MsgID": "1", "ErrorStatus": "success" } }));
            message["Event"] = json!("subscribe_msg_sent_event");
            message["List"][missing] = json!("");
            assert!(read_value(message).unwrap_err().en.contains(missing), "{missing}");
        }
    }

    #[test]
    fn an_item_that_cannot_be_counted_hides_no_other() {
        let list = [item(PAID, "accept"), item(PAID, "reject"), item("x", "accept"), item(SHIPPED, "perhaps")];
        let Event::Answers(read) = read_value(popup(json!({ "List": list }))).unwrap() else { panic!() };
        assert_eq!(read.choices, [(PAID.to_owned(), Choice::Accept)]);
        assert_eq!(read.rejected, [("x".to_owned(), "not_a_template_id"), (SHIPPED.to_owned(), "not_an_answer")]);
    }

    proptest! {
        #[test]
        fn any_members_at_all_are_read_or_refused(
            event in "subscribe_msg_(popup|change|sent)_event|TEMPLATESENDJOBFINISH", name in "[A-Za-z]{1,12}|List|MsgID|TemplateId",
            text in ".{0,40}", depth in 0..40_usize,
        ) {
            let nested = (0..depth).fold(json!({ name.as_str(): text }), |inner, _| json!({ "item": [inner] }));
            let _ = read_value(json!({ "Event": event, "FromUserName": text, "CreateTime": 1, "List": nested, name: text }));
        }
    }
}
