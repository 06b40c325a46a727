//! The newest refused calls: what rid/get tells about them, and what the page shows.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::account::Account;
use super::endpoint::Call;
use super::payload::{Object, decode};

/// Refused calls that are kept.
const KEPT: usize = 1000;
/// A longer body is not searched for its openid and template.
const SEARCHED: usize = 64 * 1024;
/// Characters of a path, an openid, a bad value that are kept.
const SHOWN: usize = 200;

/// A call that was answered with an errcode.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// 1 for the first refused call since the start state.
    pub number: u64,
    /// When, in milliseconds since 1970.
    pub time: u64,
    /// Whose token it was made with, if the token was good.
    pub appid: Option<String>,
    /// The endpoint.
    pub path: String,
    /// WeChat's code.
    pub errcode: i64,
    /// WeChat's text, rid included.
    pub errmsg: String,
    /// `touser`, if it is a message.
    pub openid: Option<String>,
    /// `template_id`, if it is a message.
    pub template_id: Option<String>,
    /// The template's title, if the account has it.
    pub title: Option<String>,
    /// 47003: the key of the bad field, which errmsg may have lost to its cut.
    pub field: Option<String>,
    /// 47003: the field's caption in the template.
    pub label: Option<String>,
    /// 47003: the value, its beginning; nothing if there is none.
    pub value: Option<String>,
}

impl Refused {
    /// What a call's body tells about the message that it wanted to send.
    pub(super) fn of(call: &Call, account: Option<&Account>, field: Option<String>) -> Refused {
        let mut refused = Refused { path: call.path().chars().take(SHOWN).collect(), field, ..Refused::default() };
        if call.body.len() > SEARCHED {
            return refused;
        }
        let text = decode(&call.body);
        let Some(body) = Object::parse(&text) else { return refused };
        let member =
            |name: &str| body.text(name).ok().flatten().map(|text| text.chars().take(SHOWN).collect::<String>());
        refused.openid = member("touser");
        refused.template_id = member("template_id");
        let template = account.zip(refused.template_id.as_deref()).and_then(|(account, id)| account.template(id));
        refused.title = template.map(|template| template.title.clone());
        if let Some(key) = &refused.field {
            refused.label = template.and_then(|template| template.label(key)).map(str::to_owned);
            refused.value =
                body.object("data").and_then(|data| data.field(key).map(|value| value.chars().take(SHOWN).collect()));
        }
        refused
    }
}

/// A refused call as it is kept.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) rid: String,
    pub(super) appid: Option<Arc<str>>,
    /// What rid/get answers.
    pub(super) request: Value,
    pub(super) refused: Refused,
}

/// The newest refused calls.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    entries: VecDeque<Entry>,
    total: u64,
}

impl Refusals {
    pub(super) fn push(&mut self, mut entry: Entry) {
        self.total += 1;
        entry.refused.number = self.total;
        if self.entries.len() >= KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// The call that was given this rid.
    pub(super) fn find(&self, rid: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.rid == rid)
    }

    /// The kept ones with a higher number, at most the newest `limit`, in order. Calls without a good token belong to
    /// every account.
    pub(super) fn read(&self, appid: Option<&str>, since: u64, limit: usize) -> Vec<Refused> {
        let mut refused: Vec<Refused> = self
            .entries
            .iter()
            .rev()
            .map(|entry| &entry.refused)
            .take_while(|refused| refused.number > since)
            .filter(|refused| appid.zip(refused.appid.as_deref()).is_none_or(|(wish, appid)| wish == appid))
            .take(limit)
            .cloned()
            .collect();
        refused.reverse();
        refused
    }
}
