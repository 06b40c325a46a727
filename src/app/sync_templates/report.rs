//! What `syncTemplates()` answers.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::wish::Flaw;
use crate::app::account::errcode_in;
use crate::error::Error;
use crate::language::{Language, Text};
use crate::template_list::TemplateList;
use crate::wechat::errcode::{self, UNLISTED_HINT};

/// The errcodes that say something of one template only; after any other (45009, 200011 …) the next call would fail as well. 200012 is
/// among them: at the limit WeChat still tells (200022) the id of a template that is there.
const OF_ONE_TEMPLATE: [i64; 13] =
    [-1, 404, 20001, 20002, 40400, 200_001, 200_002, 200_012, 200_013, 200_014, 200_020, 200_021, 200_022];

/// Why a wish was not fulfilled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// WeChat's errcode, or the one that it would have answered; `None` where there was no answer.
    errcode: Option<i64>,
    errmsg: Text,
    hint: Text,
}

impl Failure {
    /// A refusal that needs no request.
    pub(super) fn local(errcode: i64, hint: Text) -> Self {
        let words = errcode::find(errcode).map_or("", |row| row.text);
        Self { errcode: Some(errcode), errmsg: Text::new(words, words), hint }
    }

    /// The same in the usual words.
    pub(super) fn of_errcode(errcode: i64) -> Self {
        let (zh, en) = errcode::find(errcode).map_or(UNLISTED_HINT, |row| (row.hint_zh, row.hint_en));
        Self::local(errcode, Text::new(zh, en))
    }

    pub(super) fn of_flaw(flaw: &Flaw) -> Self {
        Self::local(flaw.errcode, flaw.text.clone())
    }

    /// WeChat's answer.
    pub(super) fn of_answer(answer: &Map<String, Value>) -> Self {
        let text = |name: &str| {
            let text = answer.get(name).and_then(Value::as_str).unwrap_or_default();
            Text::new(text, text)
        };
        Self { errcode: errcode_in(answer), errmsg: text("errmsg"), hint: text("hint") }
    }

    /// A call that failed.
    pub(super) fn of_error(error: &Error) -> Self {
        let errmsg = Text::new(error.message(Language::Chinese), error.message(Language::English));
        match error {
            Error::Refused { code, .. } | Error::Config { code, .. } => Self { errmsg, ..Self::of_errcode(*code) },
            _ => Self {
                errcode: None,
                errmsg,
                hint: Text::new(
                    "没有得到微信的回答，模板可能已经添加；稍后再次调用 syncTemplates() 即可，已有的模板不会重复添加。",
                    "WeChat gave no answer, so the template may have been added; call syncTemplates() again later, what is there is not added twice.",
                ),
            },
        }
    }

    /// Whether every other call would end the same way.
    pub(super) fn ends_all(&self) -> bool {
        self.errcode.is_none_or(|errcode| !OF_ONE_TEMPLATE.contains(&errcode))
    }

    /// The failure of a wish for which nobody was asked any more.
    pub(super) fn not_tried(&self) -> Self {
        Self {
            hint: Text::new(
                format!("前面的调用已失败，未再请求微信。{}", self.hint.zh),
                format!("A call before it failed, so WeChat was not asked. {}", self.hint.en),
            ),
            ..self.clone()
        }
    }
}

/// What a run came to.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Key and template id.
    pub(super) ids: Vec<(String, String)>,
    /// Keys whose template the account had.
    pub(super) kept: Vec<String>,
    /// Keys whose template was added, or would be.
    pub(super) added: Vec<String>,
    /// Keys of rows that want none.
    pub(super) skipped: Vec<String>,
    /// Ids that keys without a new template have, those that are switched off included.
    pub(super) in_use: Vec<String>,
    /// Keys without a template, and why.
    pub(super) failed: Vec<(String, Failure)>,
}

impl Report {
    /// The answer. `list` is what the account had before.
    pub(super) fn to_value(&self, list: &TemplateList, hints: Language) -> Value {
        let wanted: HashSet<&str> = self.ids.iter().map(|(_, id)| id).chain(&self.in_use).map(String::as_str).collect();
        let left_over: Vec<&str> =
            list.rows().iter().map(|row| row.id.as_str()).filter(|id| !wanted.contains(id)).collect();
        let ids: Map<String, Value> = self.ids.iter().map(|(key, id)| (key.clone(), id.clone().into())).collect();
        let failed: Map<String, Value> = self
            .failed
            .iter()
            .map(|(key, failure)| {
                let words = json!({
                    "errcode": failure.errcode,
                    "errmsg": failure.errmsg.in_language(hints),
                    "hint": failure.hint.in_language(hints),
                });
                (key.clone(), words)
            })
            .collect();
        json!({
            "ids": ids,
            "kept": self.kept,
            "added": self.added,
            "left_over": left_over,
            "skipped": self.skipped,
            "failed": failed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_concerns_one_template_lets_the_others_go_on() {
        for errcode in [200_012, 200_014, 200_020, -1] {
            assert!(!Failure::of_errcode(errcode).ends_all(), "{errcode}");
        }
        for errcode in [45009, 45011, 200_011, 43106, 48001, 200_100, 40001, 99999] {
            assert!(Failure::of_errcode(errcode).ends_all(), "{errcode}");
        }
        let silent = Error::Transport { text: Text::new("超时", "timeout"), ambiguous: true };
        assert!(Failure::of_error(&silent).ends_all());
    }

    #[test]
    fn a_wish_that_was_not_tried_says_why() {
        let failure = Failure::of_errcode(45009).not_tried();
        assert_eq!(failure.errcode, Some(45009));
        assert!(failure.hint.en.starts_with("A call before it failed") && failure.hint.en.contains("midnight"));
    }
}
