//! What came back, and what it means: the array that PHP gets.

use std::fmt;

use crate::field::{Change, Checked, Violation};
use crate::language::{Language, Text, plain_text};
use crate::store::{Delivery, MessageId};
use crate::wechat::api::Verdict;
use crate::wechat::errcode::{self, Errcode, Outcome, UNLISTED_HINT};

/// Who gave the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// WeChat answered.
    Wechat,
    /// It was decided here; no request was made.
    Local,
}

impl Source {
    /// The value of the key `source`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wechat => "wechat",
            Self::Local => "local",
        }
    }
}

/// WeChat's message id; beyond 2^63 it stays text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MsgId {
    /// Fits a PHP int.
    Int(i64),
    /// Does not.
    Text(String),
}

impl MsgId {
    /// From its digits.
    pub fn read(digits: &str) -> Self {
        digits.parse().map_or_else(|_| Self::Text(plain_text(digits)), Self::Int)
    }
}

impl fmt::Display for MsgId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(number) => write!(formatter, "{number}"),
            Self::Text(digits) => formatter.write_str(digits),
        }
    }
}

/// The answer to one message: WeChat's own keys, and what an application can do with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// 0, or WeChat's errcode; a local refusal uses the one that WeChat would have used.
    pub errcode: i64,
    /// WeChat's errmsg, or the text in its form.
    pub errmsg: String,
    /// The message id, where WeChat gives one.
    pub msgid: Option<MsgId>,
    /// Request id for `/cgi-bin/openapi/rid/get`.
    pub rid: Option<String>,
    /// Who gave the verdict.
    pub source: Source,
    /// What the errcode means for the message.
    pub outcome: Outcome,
    /// How many times the message was posted; 0 for a local refusal.
    pub attempts: u32,
    /// What fitting altered.
    pub changed: Vec<Change>,
    /// For a local 47003: everything that is wrong, not only the first field.
    pub violations: Vec<Violation>,
    /// Whether it was the account that got no token, so that WeChat has not judged the message.
    pub refused_token: bool,
    /// Whether this is the answer to an earlier call with the same `key`.
    pub duplicate: bool,
    /// The id of its delivery row, for `status()`; `None` where no store has recorded it.
    pub id: Option<MessageId>,
    /// What to do now, one sentence.
    pub hint: String,
}

impl Answer {
    /// WeChat's verdict on a posted message.
    pub fn from_wechat(errcode: i64, verdict: &Verdict, attempts: u32, hints: Language) -> Self {
        Self {
            msgid: verdict.msgid.as_deref().map(MsgId::read),
            rid: verdict.rid().map(str::to_owned),
            source: Source::Wechat,
            attempts,
            ..Self::local(errcode, plain_text(&verdict.errmsg), hints)
        }
    }

    /// WeChat's refusal to issue a token: the answer to a message that was never posted.
    pub fn from_token_endpoint(errcode: i64, verdict: &Verdict, remembered: bool, hints: Language) -> Self {
        let mut answer = Self { refused_token: true, ..Self::from_wechat(errcode, verdict, 0, hints) };
        if let Some(Errcode { outcome, hint_zh, hint_en, .. }) = errcode::find_for_token_request(errcode) {
            answer.outcome = *outcome;
            answer.hint = hints.choose(hint_zh, hint_en).to_owned();
        }
        if remembered {
            answer.source = Source::Local;
        }
        answer
    }

    /// The answer that an earlier call with the same `key` got.
    pub fn from_record(row: &Delivery, errcode: i64, hints: Language) -> Self {
        Self {
            msgid: row.msgid.as_deref().map(MsgId::read),
            rid: row.rid.clone(),
            source: if row.from_wechat { Source::Wechat } else { Source::Local },
            attempts: row.attempts,
            changed: row.changed.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default(),
            duplicate: true,
            id: Some(row.id),
            ..Self::local(errcode, row.errmsg.clone(), hints)
        }
    }

    /// The same answer with a hint that knows more than its errcode.
    pub fn with_hint(mut self, hint: &str) -> Self {
        self.hint = hint.to_owned();
        self
    }

    /// The refusal as an exception says it.
    pub fn in_words(&self) -> Text {
        let words = format!("{} ({}) {}", self.errmsg, self.errcode, self.hint);
        Text::new(words.clone(), words)
    }

    /// A refusal that needs no request.
    pub fn local(errcode: i64, errmsg: impl Into<String>, hints: Language) -> Self {
        Self {
            errcode,
            errmsg: errmsg.into(),
            msgid: None,
            rid: None,
            source: Source::Local,
            outcome: errcode::outcome(errcode),
            attempts: 0,
            changed: Vec::new(),
            violations: Vec::new(),
            refused_token: false,
            duplicate: false,
            id: None,
            hint: hint(errcode, hints),
        }
    }

    /// 47003 for a payload that WeChat would refuse, in WeChat's wording; the hint says what is wrong with which field.
    pub fn refused_payload(checked: Checked, hints: Language) -> Self {
        let (errmsg, hint) = match checked.violations.first() {
            Some(first) => (
                match (first.field.as_str(), first.is_empty()) {
                    ("data", _) => "argument invalid! data is empty".to_owned(),
                    (field, true) => format!("argument invalid! data.{}.value is empty", plain_text(field)),
                    (field, false) => format!("argument invalid! data.{}.value invalid", plain_text(field)),
                },
                hints.choose(&first.message_zh, &first.message_en).to_owned(),
            ),
            None => ("argument invalid!".to_owned(), String::new()),
        };
        let mut answer = Self::local(47003, errmsg, hints);
        answer.hint = hint;
        answer.changed = checked.changes;
        answer.violations = checked.violations;
        answer
    }
}

fn hint(errcode: i64, hints: Language) -> String {
    let (zh, en) = errcode::find(errcode).map_or(UNLISTED_HINT, |row| (row.hint_zh, row.hint_en));
    hints.choose(zh, en).to_owned()
}
