//! See `subjects::payload_to_wire`.
#![no_main]

#[path = "../subjects/mod.rs"]
mod subjects;

libfuzzer_sys::fuzz_target!(|data: &[u8]| subjects::payload_to_wire::payload_to_wire(data));
