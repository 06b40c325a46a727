//! See `subjects::push_decryption`.
#![no_main]

#[path = "../subjects/mod.rs"]
mod subjects;

libfuzzer_sys::fuzz_target!(|data: &[u8]| subjects::push_decryption::push_decryption(data));
