//! Events in every shape in which they come.

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
