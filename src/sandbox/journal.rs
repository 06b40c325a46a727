//! The accepted messages, in order.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

/// One message that the sandbox took for delivery.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Message {
    /// 1 for the first accepted message since the start state.
    pub number: u64,
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
    /// `data` as received.
    pub data: Value,
    /// The whole request body.
    pub body: Value,
    /// The id it was given; bizsend does not answer it.
    pub msgid: u64,
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
}

/// A message as it is kept: the body is parsed only when somebody asks.
#[derive(Debug)]
pub(super) struct Entry {
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

    pub(super) fn read(&self, filter: &MessageFilter) -> Vec<Message> {
        let first = self.total - u64::try_from(self.entries.len()).unwrap_or(0) + 1;
        let wanted = |wish: &Option<String>, value: &str| wish.as_deref().is_none_or(|wish| wish == value);
        (first..)
            .zip(&self.entries)
            .filter(|(_, entry)| {
                wanted(&filter.appid, &entry.appid)
                    && wanted(&filter.openid, &entry.openid)
                    && wanted(&filter.template_id, &entry.template_id)
            })
            .map(|(number, entry)| entry.message(number))
            .collect()
    }
}

impl Entry {
    fn message(&self, number: u64) -> Message {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
        Message {
            number,
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
        let kept = journal.read(&MessageFilter::default());
        assert_eq!(
            kept.iter().map(|message| (message.number, message.openid.as_str())).collect::<Vec<_>>(),
            [(2, "b"), (3, "c")]
        );
        assert_eq!(journal.total(), 3);
        assert_eq!(kept[0].page.as_deref(), Some("index"));
        assert_eq!(kept[0].data["thing1"]["value"], "x");
    }
}
