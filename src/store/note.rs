//! Texts that the processes of an account share: the list of its templates, what was counted for a month.

use std::time::Duration;

/// A text, and which one it is. The store only keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// A number that its writer drew at random, 1 to 2^63 - 1: no two have the same.
    pub version: u64,
    /// The text.
    pub text: String,
    /// How long ago it was put there, by the store's clock.
    pub age: Duration,
}
