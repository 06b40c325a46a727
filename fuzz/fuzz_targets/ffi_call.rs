//! See `subjects::ffi_call`.
#![no_main]

#[path = "../subjects/mod.rs"]
mod subjects;

libfuzzer_sys::fuzz_target!(|data: &[u8]| subjects::ffi_call::ffi_call(data));
