//! A list as WeChat answers it, and as the store keeps it for all processes of the account.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ListedTemplate, MOST_TEMPLATES, TemplateList, UNDER_WAY};
use crate::store::Note;

/// The text of the note. Times are ages at the moment of writing: hosts may disagree on the time of day.
#[derive(Serialize, Deserialize)]
struct Record {
    age_ms: u64,
    #[serde(default)]
    rest_ms: u64,
    whole: bool,
    #[serde(default)]
    outdated: bool,
    rows: Vec<Value>,
    #[serde(default)]
    refused: Vec<(String, u64)>,
}

impl TemplateList {
    /// The list out of `data` of WeChat's answer to a question that was asked at `asked`; `None` if it is no list.
    pub(crate) fn from_answer(data: &Value, asked: Instant) -> Option<Self> {
        let rows = data.as_array()?;
        let mut list = Self {
            rows: rows.iter().take(MOST_TEMPLATES).filter_map(ListedTemplate::read).collect(),
            places: Default::default(),
            whole: false,
            outdated: false,
            refused: Vec::new(),
            rest: Duration::ZERO,
            age: Duration::ZERO,
            doubt: Duration::ZERO,
            read: asked,
            version: 0,
        };
        list.whole = list.rows.len() == rows.len();
        list.find_places();
        Some(list)
    }

    /// The list out of a note that the store was asked for at `asked`; `None` if it cannot be read.
    pub(crate) fn from_note(note: &Note, asked: Instant) -> Option<Self> {
        let record: Record = serde_json::from_str(&note.text).ok()?;
        let then = |ms: u64| Duration::from_millis(ms).saturating_add(note.age);
        let mut list = Self {
            rows: record.rows.iter().take(MOST_TEMPLATES).filter_map(ListedTemplate::read).collect(),
            places: Default::default(),
            whole: record.whole,
            outdated: record.outdated,
            refused: record.refused.into_iter().map(|(id, age)| (id, then(age))).collect(),
            rest: Duration::from_millis(record.rest_ms).saturating_sub(note.age),
            age: then(record.age_ms),
            doubt: UNDER_WAY,
            read: asked,
            version: note.version,
        };
        list.find_places();
        Some(list)
    }

    /// The text of its note.
    pub(crate) fn to_text(&self) -> String {
        let list = self.as_of_now();
        let record = Record {
            age_ms: millis(list.age),
            rest_ms: millis(list.rest),
            whole: list.whole,
            outdated: list.outdated,
            rows: list.rows.iter().map(ListedTemplate::to_value).collect(),
            refused: list.refused.into_iter().map(|(id, age)| (id, millis(age))).collect(),
        };
        // No member of it can fail to become JSON; an empty text would be read as no list.
        serde_json::to_string(&record).unwrap_or_default()
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_note_tells_what_the_answer_told() {
        let data = json!([
            {"priTmplId": "t1", "title": "甲", "content": "商品:{{thing1.DATA}}\n", "example": "商品:茶\n", "type": 2},
            {"title": "no id"},
        ]);
        let list = TemplateList::from_answer(&data, Instant::now()).unwrap();
        assert!(!list.whole);
        let note = Note { version: 3, text: list.to_text(), age: Duration::from_secs(60) };
        let read = TemplateList::from_note(&note, Instant::now()).unwrap();
        assert_eq!(read.rows(), list.rows());
        assert_eq!((read.whole, read.version()), (false, 3));
        assert!(read.age() >= Duration::from_secs(60));
    }

    #[test]
    fn what_is_no_list_is_none() {
        assert!(TemplateList::from_answer(&json!({}), Instant::now()).is_none());
        for text in ["", "{", "[]", r#"{"rows":[]}"#] {
            let note = Note { version: 1, text: text.to_owned(), age: Duration::ZERO };
            assert!(TemplateList::from_note(&note, Instant::now()).is_none(), "{text}");
        }
        let strange = r#"{"age_ms":18446744073709551615,"whole":true,"rows":[null,7]}"#;
        let note = Note { version: 1, text: strange.to_owned(), age: Duration::from_secs(u64::MAX) };
        assert!(TemplateList::from_note(&note, Instant::now()).unwrap().rows().is_empty());
    }
}
