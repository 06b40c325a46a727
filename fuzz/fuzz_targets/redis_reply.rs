//! See `subjects::redis_reply`.
#![no_main]

#[path = "../subjects/mod.rs"]
mod subjects;

libfuzzer_sys::fuzz_target!(|data: &[u8]| subjects::redis_reply::redis_reply(data));
