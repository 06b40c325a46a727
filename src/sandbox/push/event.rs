//! The events, written as WeChat writes them.

use serde_json::{Map, Value};

use super::super::account::Choice;
use super::settings::PushFormat;

/// What a user answered about one template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The template asked about.
    pub template_id: String,
    /// The answer.
    pub choice: Choice,
}

/// One event, or the check of the address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushEvent {
    /// `subscribe_msg_popup_event`: the user answered a popup.
    Popup {
        /// Template by template.
        list: Vec<Answered>,
        /// `PopupScene`: 0 a page of a mini program, 1 H5, 2 an article.
        scene: u8,
    },
    /// `subscribe_msg_change_event`: the user changed the settings; WeChat tells `reject` alone.
    Change {
        /// Template by template.
        list: Vec<Answered>,
    },
    /// `subscribe_msg_sent_event`: what became of an accepted subscribe message.
    Sent {
        /// Its template.
        template_id: String,
        /// The id that its send was answered.
        msgid: u64,
        /// 0 for success.
        error_code: i64,
        /// `success` or the failure.
        error_status: String,
    },
    /// `TEMPLATESENDJOBFINISH`: what became of an accepted template message.
    JobFinish {
        /// The id that its send was answered.
        msgid: u64,
        /// `success`, `failed:user block`, `failed: system failed`.
        status: String,
    },
    /// The GET request with which WeChat checks a new address.
    UrlCheck,
}

/// From whom and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Envelope<'a> {
    pub(super) to: &'a str,
    pub(super) from: &'a str,
    pub(super) seconds: u64,
}

/// A member of an event, as XML and JSON tell it apart.
enum Member {
    /// CDATA in XML, a string in JSON.
    Text(&'static str, String),
    /// Bare in XML, a number in JSON.
    Number(&'static str, u64),
    /// Bare in XML, a string in JSON.
    Digits(&'static str, String),
}

impl PushEvent {
    /// WeChat's name of it.
    pub fn name(&self) -> &'static str {
        match self {
            PushEvent::Popup { .. } => "subscribe_msg_popup_event",
            PushEvent::Change { .. } => "subscribe_msg_change_event",
            PushEvent::Sent { .. } => "subscribe_msg_sent_event",
            PushEvent::JobFinish { .. } => "TEMPLATESENDJOBFINISH",
            PushEvent::UrlCheck => "url_check",
        }
    }

    /// The message in plain; `extra` stands behind its members.
    pub(super) fn write(
        &self,
        envelope: Envelope,
        format: PushFormat,
        extra: Option<(&'static str, String)>,
    ) -> String {
        let mut head = vec![
            Member::Text("ToUserName", envelope.to.to_owned()),
            Member::Text("FromUserName", envelope.from.to_owned()),
            Member::Number("CreateTime", envelope.seconds),
            Member::Text("MsgType", "event".to_owned()),
            Member::Text("Event", self.name().to_owned()),
        ];
        if let PushEvent::JobFinish { msgid, status } = self {
            head.push(Member::Number("MsgID", *msgid));
            head.push(Member::Text("Status", status.clone()));
        }
        let extra = extra.map(|(name, text)| Member::Text(name, text));
        match format {
            PushFormat::Xml => xml(&head, &self.items(), self.wrapper(), extra.as_ref()),
            PushFormat::Json => json(&head, &self.items(), extra.as_ref()),
        }
    }

    /// The element around the list, which XML alone has.
    fn wrapper(&self) -> &'static str {
        match self {
            PushEvent::Popup { .. } => "SubscribeMsgPopupEvent",
            PushEvent::Change { .. } => "SubscribeMsgChangeEvent",
            PushEvent::Sent { .. } | PushEvent::JobFinish { .. } | PushEvent::UrlCheck => "SubscribeMsgSentEvent",
        }
    }

    fn items(&self) -> Vec<Vec<Member>> {
        let answered = |answered: &Answered| {
            let word = match answered.choice {
                Choice::Accept => "accept",
                Choice::Reject => "reject",
            };
            vec![
                Member::Text("TemplateId", answered.template_id.clone()),
                Member::Text("SubscribeStatusString", word.to_owned()),
            ]
        };
        match self {
            PushEvent::Popup { list, scene } => list
                .iter()
                .map(|item| {
                    let mut members = answered(item);
                    members.push(Member::Digits("PopupScene", scene.to_string()));
                    members
                })
                .collect(),
            PushEvent::Change { list } => list.iter().map(answered).collect(),
            PushEvent::Sent { template_id, msgid, error_code, error_status } => vec![vec![
                Member::Text("TemplateId", template_id.clone()),
                Member::Digits("MsgID", msgid.to_string()),
                Member::Digits("ErrorCode", error_code.to_string()),
                Member::Text("ErrorStatus", error_status.clone()),
            ]],
            PushEvent::JobFinish { .. } | PushEvent::UrlCheck => Vec::new(),
        }
    }
}

/// A CDATA section; one that its text would end is taken up again behind it.
pub(super) fn cdata(text: &str) -> String {
    format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"))
}

fn xml_members(text: &mut String, members: &[Member]) {
    for member in members {
        let (name, inside) = match member {
            Member::Text(name, value) => (name, cdata(value)),
            Member::Number(name, value) => (name, value.to_string()),
            Member::Digits(name, value) => (name, value.clone()),
        };
        text.push_str(&format!("<{name}>{inside}</{name}>\n"));
    }
}

fn xml(head: &[Member], items: &[Vec<Member>], wrapper: &str, extra: Option<&Member>) -> String {
    let mut text = "<xml>\n".to_owned();
    xml_members(&mut text, head);
    if !items.is_empty() {
        text.push_str(&format!("<{wrapper}>\n"));
        for item in items {
            text.push_str("<List>\n");
            xml_members(&mut text, item);
            text.push_str("</List>\n");
        }
        text.push_str(&format!("</{wrapper}>\n"));
    }
    xml_members(&mut text, extra.map(std::slice::from_ref).unwrap_or_default());
    text.push_str("</xml>");
    text
}

fn json_members(members: &[Member]) -> Map<String, Value> {
    let value = |member: &Member| match member {
        Member::Text(name, value) | Member::Digits(name, value) => ((*name).to_owned(), Value::from(value.clone())),
        Member::Number(name, value) => ((*name).to_owned(), Value::from(*value)),
    };
    members.iter().map(value).collect()
}

fn json(head: &[Member], items: &[Vec<Member>], extra: Option<&Member>) -> String {
    let mut members = json_members(head);
    let mut list: Vec<Value> = items.iter().map(|item| Value::Object(json_members(item))).collect();
    // One item comes without a list around it.
    let list = if list.len() > 1 { Some(Value::Array(list)) } else { list.pop() };
    members.extend(list.map(|list| ("List".to_owned(), list)));
    members.extend(json_members(extra.map(std::slice::from_ref).unwrap_or_default()));
    Value::Object(members).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENVELOPE: Envelope = Envelope { to: "gh_1", from: "o1", seconds: 1_700_000_000 };

    fn answered(template_id: &str, choice: Choice) -> Answered {
        Answered { template_id: template_id.to_owned(), choice }
    }

    #[test]
    fn json_has_no_wrapper_and_one_item_stands_without_a_list() {
        let one = PushEvent::Popup { list: vec![answered("t1", Choice::Accept)], scene: 0 };
        assert_eq!(
            one.write(ENVELOPE, PushFormat::Json, None),
            r#"{"ToUserName":"gh_1","FromUserName":"o1","CreateTime":1700000000,"MsgType":"event","Event":"subscribe_msg_popup_event","List":{"TemplateId":"t1","SubscribeStatusString":"accept","PopupScene":"0"}}"#
        );
        let two = PushEvent::Change { list: vec![answered("t1", Choice::Reject), answered("t2", Choice::Reject)] };
        let text = two.write(ENVELOPE, PushFormat::Json, None);
        assert!(text.contains(r#""List":[{"TemplateId":"t1","SubscribeStatusString":"reject"},{"TemplateId":"t2","#));
    }

    #[test]
    fn xml_has_a_wrapper_and_bare_digits() {
        let sent = PushEvent::Sent {
            template_id: "t1".to_owned(),
            msgid: 3_248_682_510_344_192_008,
            error_code: 0,
            error_status: "success".to_owned(),
        };
        let text = sent.write(ENVELOPE, PushFormat::Xml, None).replace('\n', "");
        assert_eq!(
            text,
            "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[o1]]></FromUserName>\
             <CreateTime>1700000000</CreateTime><MsgType><![CDATA[event]]></MsgType>\
             <Event><![CDATA[subscribe_msg_sent_event]]></Event><SubscribeMsgSentEvent><List>\
             <TemplateId><![CDATA[t1]]></TemplateId><MsgID>3248682510344192008</MsgID><ErrorCode>0</ErrorCode>\
             <ErrorStatus><![CDATA[success]]></ErrorStatus></List></SubscribeMsgSentEvent></xml>"
        );
    }

    #[test]
    fn the_end_of_a_template_message_has_neither_list_nor_wrapper() {
        let finish = PushEvent::JobFinish { msgid: 7, status: "failed:user block".to_owned() };
        let xml = finish.write(ENVELOPE, PushFormat::Xml, None);
        assert!(xml.contains("<MsgID>7</MsgID>\n<Status><![CDATA[failed:user block]]></Status>\n</xml>"), "{xml}");
        assert!(finish.write(ENVELOPE, PushFormat::Json, None).ends_with(r#""MsgID":7,"Status":"failed:user block"}"#));
    }

    #[test]
    fn no_text_ends_its_cdata_section() {
        assert_eq!(cdata("a]]>b"), "<![CDATA[a]]]]><![CDATA[>b]]>");
    }
}
