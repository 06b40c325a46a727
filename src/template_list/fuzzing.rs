//! Lists from answers and from notes, for the fuzz targets.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::TemplateList;
use crate::store::Note;

/// Out of `data` of an answer.
pub fn list_from_answer(data: &Value) -> Option<TemplateList> {
    TemplateList::from_answer(data, Instant::now())
}

/// Out of the text of a note.
pub fn list_from_note(text: &str, age: Duration) -> Option<TemplateList> {
    TemplateList::from_note(&Note { version: 1, text: text.to_owned(), age }, Instant::now())
}

/// The text of its note.
pub fn note_of_list(list: &TemplateList) -> String {
    list.to_text()
}
