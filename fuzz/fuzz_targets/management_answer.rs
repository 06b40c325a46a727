//! See `subjects::management_answer`.
#![no_main]

#[path = "../subjects/mod.rs"]
mod subjects;

libfuzzer_sys::fuzz_target!(|data: &[u8]| subjects::management_answer::management_answer(data));
