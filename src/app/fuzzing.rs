//! Stages of an account that read outside bytes, one by one, for the fuzz targets.

use bytes::Bytes;

use super::clear_quota::record::{Ending, Record, Target};
use super::{App, api_path, rid};
use crate::answer::Answer;
use crate::error::Error;
use crate::message::Message;
use crate::store::{Millis, Note};

/// What would be posted, or the refusal that needs no request.
pub fn posted_body(app: &App, message: &Message<'_>) -> Result<Result<Bytes, Answer>, Error> {
    Ok(app.prepare(message)?.content.map(|content| content.body))
}

/// The text of a looked-up request as it is shown.
pub fn masked(text: &str) -> String {
    rid::masked(text)
}

/// The `rid` in a text.
pub fn rid_in(text: &str) -> Result<&str, Error> {
    rid::read(text)
}

/// The path of an API as an application names it.
pub fn path_of_api(text: &str) -> Result<String, Error> {
    api_path::read("quota", text)
}

/// The record of clearings out of the text of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClearingRecord(Record);

impl ClearingRecord {
    /// As it is read in a month.
    pub fn read(text: &str, month: u32) -> Self {
        Self(Record::read(Some(&Note::new(text)), month))
    }

    /// How many clearings of the account are used, after one more that was not sent.
    pub fn used_after_one_given_back(&mut self, now: Millis) -> (u32, u32) {
        let before = self.0.used(Target::Account);
        self.0.open(Target::Account, "owner", 1);
        self.0.close(1, Target::Account, &Ending::NotSent, now);
        (before, self.0.used(Target::Account))
    }

    /// The text of its note.
    pub fn text(&self) -> String {
        self.0.note().text
    }

    /// Whether a verdict of late holds.
    pub fn has_verdict(&self, now: Millis) -> bool {
        self.0.verdict(Target::Account, Some(1), now).is_some()
    }
}
