//! See `subjects::answer`.
#![no_main]

#[path = "../subjects/mod.rs"]
mod subjects;

libfuzzer_sys::fuzz_target!(|data: &[u8]| subjects::answer::answer(data));
