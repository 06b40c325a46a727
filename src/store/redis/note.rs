//! Texts that the processes of an account share.

use std::time::{Duration, Instant};

use redis::Value;

use super::reply::Items;
use super::script::{Call, NOTE, PUT_NOTE};
use super::{RedisStore, expiry};
use crate::store::{Note, StoreError};

impl RedisStore {
    pub(super) fn find_note(&self, appid: &str, name: &str, until: Instant) -> Result<Option<Note>, StoreError> {
        read(self.run(&NOTE, &Call::new(appid).with(name), until)?)
    }

    pub(super) fn replace_note(
        &self,
        (appid, name): (&str, &str),
        seen: u64,
        note: &Note,
        lifetime: Duration,
        until: Instant,
    ) -> Result<Option<Note>, StoreError> {
        note.check()?;
        let call = Call::new(appid)
            .with(name)
            .with(seen)
            .with(note.version)
            .with(expiry(lifetime))
            .bytes(note.text.as_bytes());
        match self.run(&PUT_NOTE, &call, until)? {
            // What was put is not sent back.
            Value::Int(_) => Ok(Some(Note { age: Duration::ZERO, ..note.clone() })),
            stands => read(stands),
        }
    }
}

pub(super) fn read(value: Value) -> Result<Option<Note>, StoreError> {
    let mut items = Items::new(value, "note")?;
    if items.is_empty() {
        return Ok(None);
    }
    Ok(Some(Note { version: items.parse()?, text: items.text()?, age: items.duration()? }))
}
