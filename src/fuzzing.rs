//! Doors for `fuzz/` to readers of outside bytes that are nobody else's business. Not part of the interface.

pub use crate::app::fuzzing::{ClearingRecord, masked, path_of_api, posted_body, rid_in};
pub use crate::store::any_reply::{Replies, read_replies};
pub use crate::template_list::fuzzing::{list_from_answer, list_from_note, note_of_list};
