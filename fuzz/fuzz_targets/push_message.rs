//! See `subjects::push_message`.
#![no_main]

#[path = "../subjects/mod.rs"]
mod subjects;

libfuzzer_sys::fuzz_target!(|data: &[u8]| subjects::push_message::push_message(data));
