//! Texts that the processes of an account share: the list of its templates, what was counted for a month.

use std::time::Duration;

use super::{Fault, StoreError};

/// The longest text, in bytes.
pub const NOTE_LIMIT: usize = 512 * 1024;

/// A text, and which one it is. The store only keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// A number that its writer drew at random, 1 to 2^63 - 1: no two have the same.
    pub version: u64,
    /// The text, [`NOTE_LIMIT`] bytes at most.
    pub text: String,
    /// How long ago it was put there, by the store's clock.
    pub age: Duration,
}

impl Note {
    /// Refuses what is too long to be shared.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if self.text.len() <= NOTE_LIMIT {
            return Ok(());
        }
        let detail = format!("a note of {} bytes; {NOTE_LIMIT} are the most", self.text.len());
        Err(StoreError::new(Fault::Other, detail))
    }
}
