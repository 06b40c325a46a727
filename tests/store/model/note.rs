//! Texts that the processes of an account share.

use std::collections::HashMap;
use std::time::Duration;

use routine_template::store::{Millis, Note};

use super::after;

/// By name: version and text, when it was put there, and until when it stands.
#[derive(Default)]
pub struct Notes(HashMap<String, (u64, String, Millis, Millis)>);

impl Notes {
    pub fn find(&self, name: &str, now: Millis) -> Option<Note> {
        let (version, text, written, until) = self.0.get(name)?;
        let age = Duration::from_millis((now - written).try_into().unwrap_or(0));
        (now < *until).then(|| Note { version: *version, text: text.clone(), age })
    }

    pub fn put(&mut self, name: &str, seen: u64, note: &Note, lifetime: Duration, now: Millis) -> Option<Note> {
        let stands = self.find(name, now);
        if stands.as_ref().map_or(0, |stands| stands.version) != seen {
            return stands;
        }
        self.0.insert(name.to_owned(), (note.version, note.text.clone(), now, after(now, lifetime)));
        self.find(name, now)
    }
}
