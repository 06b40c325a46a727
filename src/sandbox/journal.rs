//! The accepted messages, in order.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::clock::Millis;
use super::endpoint::ONE_TIME;
use super::payload::Object;
use super::template::Template;

/// One message that the sandbox took for delivery.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Message {
    /// 1 for the first accepted message since the start state.
    pub number: u64,
    /// When, in milliseconds since 1970.
    pub time: u64,
    /// The connection it came over; connections are numbered from 1.
    pub connection: u64,
    /// Whose token it was sent with.
    pub appid: String,
    /// The endpoint, such as `/cgi-bin/message/subscribe/send`.
    pub path: String,
    /// `touser`.
    pub openid: String,
    /// `template_id`.
    pub template_id: String,
    /// `page`, where given.
    pub page: Option<String>,
    /// `miniprogram_state`, where given.
    pub miniprogram_state: Option<String>,
    /// `lang`, where given.
    pub lang: Option<String>,
    /// The template's title; empty if the account has it no more.
    pub title: String,
    /// What the notification shows, in template order.
    pub fields: Vec<ShownField>,
    /// `data` as received.
    pub data: Value,
    /// The whole request body.
    pub body: Value,
    /// The id it was given; bizsend does not answer it.
    pub msgid: u64,
}

/// One line of a notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownField {
    /// The caption in the template.
    pub label: String,
    /// The field's key.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// Which messages are asked for; `None` takes all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageFilter {
    /// Only this account.
    pub appid: Option<String>,
    /// Only this user.
    pub openid: Option<String>,
    /// Only this template.
    pub template_id: Option<String>,
    /// Only those with a higher number.
    pub since: u64,
    /// At most so many, the newest.
    pub limit: Option<usize>,
}

/// A message as it is kept: the body is parsed only when somebody asks.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) time: Millis,
    pub(super) connection: u64,
    pub(super) appid: Arc<str>,
    pub(super) path: &'static str,
    pub(super) openid: Box<str>,
    pub(super) template_id: Box<str>,
    pub(super) body: Box<str>,
    pub(super) msgid: u64,
}

/// Bytes of request bodies that are kept at most.
const BODY_BYTES: usize = 256 * 1024 * 1024;

/// The newest messages, at most `cap`, and the exact count of all.
#[derive(Debug)]
pub(super) struct Journal {
    entries: VecDeque<Entry>,
    total: u64,
    cap: usize,
    bytes: usize,
}

impl Journal {
    pub(super) fn new(cap: usize) -> Journal {
        Journal { entries: VecDeque::new(), total: 0, cap, bytes: 0 }
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }

    pub(super) fn clear(&mut self) {
        self.entries = VecDeque::new();
        self.total = 0;
        self.bytes = 0;
    }

    pub(super) fn push(&mut self, entry: Entry) {
        self.total += 1;
        self.bytes += entry.body.len();
        self.entries.push_back(entry);
        while self.entries.len() > self.cap || self.bytes > BODY_BYTES {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= oldest.body.len();
        }
    }

    /// The kept messages that the filter takes, in order; `template` finds what they show.
    pub(super) fn read<'a>(
        &self,
        filter: &MessageFilter,
        template: impl Fn(&str, &str) -> Option<&'a Template>,
    ) -> Vec<Message> {
        let first = self.total - u64::try_from(self.entries.len()).unwrap_or(0) + 1;
        let wanted = |wish: &Option<String>, value: &str| wish.as_deref().is_none_or(|wish| wish == value);
        let mut messages: Vec<Message> = (first..=self.total)
            .rev()
            .zip(self.entries.iter().rev())
            .take_while(|(number, _)| *number > filter.since)
            .filter(|(_, entry)| {
                wanted(&filter.appid, &entry.appid)
                    && wanted(&filter.openid, &entry.openid)
                    && wanted(&filter.template_id, &entry.template_id)
            })
            .take(filter.limit.unwrap_or(usize::MAX))
            .map(|(number, entry)| entry.message(number, template(&entry.appid, &entry.template_id)))
            .collect();
        messages.reverse();
        messages
    }
}

impl Entry {
    fn message(&self, number: u64, template: Option<&Template>) -> Message {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
        let data = Object::parse(&self.body).and_then(|body| body.object("data"));
        let shown = |label: &str, key: &str| ShownField {
            label: label.to_owned(),
            key: key.to_owned(),
            value: data.as_ref().and_then(|data| data.field(key)).unwrap_or_default().into_owned(),
        };
        let fields = match template {
            Some(template) if self.path != ONE_TIME => {
                template.fields.iter().map(|field| shown(&field.label, &field.key)).collect()
            }
            _ => data.iter().flat_map(Object::keys).map(|key| shown("", key)).collect(),
        };
        Message {
            number,
            time: self.time,
            title: text("title").or_else(|| template.map(|template| template.title.clone())).unwrap_or_default(),
            fields,
            connection: self.connection,
            appid: self.appid.to_string(),
            path: self.path.to_owned(),
            openid: self.openid.to_string(),
            template_id: self.template_id.to_string(),
            page: text("page"),
            miniprogram_state: text("miniprogram_state"),
            lang: text("lang"),
            data: body.get("data").cloned().unwrap_or_default(),
            msgid: self.msgid,
            body,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(openid: &str) -> Entry {
        Entry {
            time: 1,
            connection: 1,
            appid: "wx".into(),
            path: "/cgi-bin/message/subscribe/send",
            openid: openid.into(),
            template_id: "t".into(),
            body: r#"{"page":"index","data":{"thing1":{"value":"x"}}}"#.into(),
            msgid: 1,
        }
    }

    #[test]
    fn the_newest_are_kept_with_their_numbers_and_all_are_counted() {
        let mut journal = Journal::new(2);
        for openid in ["a", "b", "c"] {
            journal.push(entry(openid));
        }
        let kept = journal.read(&MessageFilter::default(), |_, _| None);
        assert_eq!(
            kept.iter().map(|message| (message.number, message.openid.as_str())).collect::<Vec<_>>(),
            [(2, "b"), (3, "c")]
        );
        assert_eq!(journal.total(), 3);
        assert_eq!(kept[0].page.as_deref(), Some("index"));
        assert_eq!(kept[0].data["thing1"]["value"], "x");
        let numbers = |since, limit| {
            let filter = MessageFilter { since, limit, ..MessageFilter::default() };
            journal.read(&filter, |_, _| None).iter().map(|message| message.number).collect::<Vec<_>>()
        };
        assert_eq!((numbers(2, None), numbers(0, Some(1)), numbers(3, None)), (vec![3], vec![3], vec![]));
    }

    #[test]
    fn a_message_shows_its_values_in_template_order_with_their_captions() {
        let mut journal = Journal::new(1);
        let body = r#"{"data":{"amount2":{"value":12.50},"thing1":{"value":"x"},"more":{"value":"y"}}}"#;
        journal.push(Entry { body: body.into(), ..entry("a") });
        let template = Template::new("t", "标题", "商品:{{thing1.DATA}}\n金额{{amount2.DATA}}", 2, vec![]);
        let message = journal.read(&MessageFilter::default(), |_, _| Some(&template)).remove(0);
        let lines: Vec<_> = message.fields.iter().map(|line| (line.label.as_str(), line.value.as_str())).collect();
        assert_eq!((message.title.as_str(), lines), ("标题", vec![("商品", "x"), ("金额", "12.50")]));
    }
}
