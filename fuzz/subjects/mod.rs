//! What is tried with arbitrary bytes: everything that reads what comes from outside. The fuzz targets call these, and so does
//! `tests/arbitrary_bytes.rs`, which needs no nightly compiler.
#![allow(dead_code, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

pub mod answer;
#[cfg(feature = "ffi")]
pub mod ffi_call;
pub mod grant_report;
pub mod management_answer;
pub mod payload_to_wire;
mod push_account;
pub mod push_decryption;
pub mod push_message;
pub mod redis_reply;
pub mod route_record;
pub mod settings;
pub mod stored_row;
pub mod template_content;

/// A target's body.
pub type Subject = fn(&[u8]);

/// Every target, by its name.
pub const SUBJECTS: &[(&str, Subject)] = &[
    ("answer", answer::answer),
    #[cfg(feature = "ffi")]
    ("ffi_call", ffi_call::ffi_call),
    ("grant_report", grant_report::grant_report),
    ("management_answer", management_answer::management_answer),
    ("payload_to_wire", payload_to_wire::payload_to_wire),
    ("push_decryption", push_decryption::push_decryption),
    ("push_message", push_message::push_message),
    ("redis_reply", redis_reply::redis_reply),
    ("route_record", route_record::route_record),
    ("settings", settings::settings),
    ("stored_row", stored_row::stored_row),
    ("template_content", template_content::template_content),
];

/// Between the parts of one input: no byte of any UTF-8 text.
const SEPARATOR: u8 = 0xFF;

fn parts(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    data.split(|byte| *byte == SEPARATOR)
}

/// A part as text.
fn text(part: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(part)
}
