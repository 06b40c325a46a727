//! What a method returns, on its way to PHP: every name that an application reads stands here.

use serde::Serialize;
use serde_json::Value;

use crate::answer::{Answer, MsgId};
use crate::app::{Ended, Summary};
use crate::error::Error;
use crate::field::{Change, Violation};
use crate::language::{Language, plain_text};

/// The result of a method.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Returned {
    /// `null`, or nothing at all.
    Nothing,
    /// `true` or `false`.
    Flag(bool),
    /// An int.
    Number(i64),
    /// A string.
    Text(String),
    /// An array.
    Json(Value),
    /// The answer to one message.
    Answer(AnswerRow),
    /// The list that `validate()` answers.
    Violations(Vec<ViolationRow>),
    /// A new `RoutineTemplate\App` of this appid.
    Account(String),
}

impl Returned {
    /// A count.
    pub fn number(count: u64) -> Self {
        Self::Number(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

/// The array that PHP gets for a message.
#[derive(Debug, Serialize)]
pub struct AnswerRow {
    errcode: Option<i64>,
    errmsg: String,
    msgid: Option<Id>,
    rid: Option<String>,
    source: Option<&'static str>,
    outcome: &'static str,
    attempts: u32,
    changed: Vec<Change>,
    violations: Vec<ViolationRow>,
    duplicate: bool,
    id: Option<String>,
    hint: String,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Id {
    Int(i64),
    Text(String),
}

impl AnswerRow {
    /// That of an answer.
    pub fn of(answer: Answer, hints: Language) -> Self {
        Self {
            errcode: Some(answer.errcode),
            errmsg: answer.errmsg,
            msgid: answer.msgid.map(|id| match id {
                MsgId::Int(number) => Id::Int(number),
                MsgId::Text(digits) => Id::Text(digits),
            }),
            rid: answer.rid,
            source: Some(answer.source.name()),
            outcome: answer.outcome.name(),
            attempts: answer.attempts,
            changed: answer.changed,
            violations: ViolationRow::all(answer.violations, hints),
            duplicate: answer.duplicate,
            id: answer.id.map(|id| id.to_string()),
            hint: answer.hint,
        }
    }

    /// That of a message of a bulk, and what ended it if that was no verdict; the face puts it in as member `exception`.
    pub fn of_bulk(ended: Ended, hints: Language) -> (Self, Option<Error>) {
        let error = match ended.result {
            Ok(answer) => return (Self::of(answer, hints), None),
            Err(error) => error,
        };
        let row = Self {
            errcode: None,
            errmsg: plain_text(error.message(hints)),
            msgid: None,
            rid: None,
            source: None,
            outcome: if matches!(error, Error::Transport { ambiguous: true, .. }) { "unknown" } else { "not_sent" },
            attempts: ended.attempts,
            changed: Vec::new(),
            violations: Vec::new(),
            duplicate: false,
            id: ended.id.map(|id| id.to_string()),
            hint: String::new(),
        };
        (row, Some(error))
    }
}

/// One thing that WeChat would refuse.
#[derive(Debug, Serialize)]
pub struct ViolationRow {
    field: String,
    rule: &'static str,
    value: String,
    fits: Option<String>,
    message: String,
}

impl ViolationRow {
    /// Those of a message, worded in one language.
    pub fn all(violations: Vec<Violation>, hints: Language) -> Vec<Self> {
        let row = |violation: Violation| Self {
            field: violation.field,
            rule: violation.rule,
            value: violation.value,
            fits: violation.fits,
            message: match hints {
                Language::Chinese => violation.message_zh,
                Language::English => violation.message_en,
            },
        };
        violations.into_iter().map(row).collect()
    }
}

/// What `sendMany()` returns where `each` takes the answers.
#[derive(Debug, Serialize)]
pub struct Counts {
    total: u64,
    delivered: u64,
    refused: u64,
    unknown: u64,
    not_sent: u64,
}

impl From<Summary> for Counts {
    fn from(summary: Summary) -> Self {
        let Summary { total, delivered, refused, unknown, not_sent } = summary;
        Self { total, delivered, refused, unknown, not_sent }
    }
}
