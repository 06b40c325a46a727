//! The C face: a library that PHP 7.4 and 8.0 load through `FFI`, and any other program through C.
//!
//! A call is one JSON text, and so is its answer. Where a call needs code of the application (the callable that supplies a token,
//! the messages of a bulk), it does not call back: it stops, its answer is a question, and [`routine_template_resume`] goes on with
//! the reply. So PHP never runs below a frame of ours, and may throw, `exit` or fork as it likes.
//!
//! Everything here belongs to the calling thread. `ffi/src/` is the PHP side; `ffi/routine_template.h` is made from this file.
#![allow(unsafe_code)]

mod answer;
mod bulk;
mod call;
mod given;
mod json_input;
mod question;
mod settings;
mod supplier;
mod tagged;

use std::ffi::c_char;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::face::{end, fork, request};

/// Changes whenever a caller of the former version would not understand this one.
pub const ROUTINE_TEMPLATE_ABI: u32 = 1;

/// The version of this interface, [`ROUTINE_TEMPLATE_ABI`] of the library. Compare it before any other call.
#[unsafe(no_mangle)]
pub extern "C" fn routine_template_abi() -> u32 {
    ROUTINE_TEMPLATE_ABI
}

/// The version of the library, such as `0.1.0`: NUL-terminated UTF-8 that lives for ever.
#[unsafe(no_mangle)]
pub extern "C" fn routine_template_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// Begins a PHP request (or any other span): what the one before has configured is forgotten, connections and tokens stay.
///
/// `settings` is `{"sapi": "cli", "settings": {"appid": "wx…", …}}` in UTF-8 of `settings_length` bytes; the settings are those of
/// php.ini without `routine_template.`, as texts; left out they have their defaults. The answer is as of `routine_template_call`.
///
/// # Safety
///
/// `settings` is readable for its length; `answer_length` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn routine_template_begin(
    settings: *const c_char,
    settings_length: usize,
    answer_length: *mut usize,
) -> *const u8 {
    // SAFETY: as the caller promises.
    let text = unsafe { bytes(settings, settings_length) };
    // SAFETY: as the caller promises.
    unsafe { answered(answer_length, || begin(text)) }
}

/// Calls a method.
///
/// `call` is `{"method": "send", "appid": null, "arguments": […]}` in UTF-8 of `call_length` bytes: the methods and arguments of
/// `RoutineTemplate` in PHP, `appid` naming the account of an `App` object. The answer is one of
/// `{"value": …}`, what the method returns;
/// `{"error": {"class": "RoutineTemplate\\ConfigException", "message": "…", "code": 0, "ambiguous": false}}`;
/// `{"ask": …, "call": 7, …}`, a question for `routine_template_resume`.
///
/// A caller that can be interrupted between this call and its answer gives the number itself, `"call": 7` in the text, one that no other
/// waiting call has: then it can end the call without having seen the question.
///
/// The answer is UTF-8 of `*answer_length` bytes, not NUL-terminated. It lives until this thread calls the library again with the same
/// `answer_length`, with sixteen others, or for `routine_template_begin`: a signal handler that makes calls of its own before the answer
/// has been read gives another `answer_length`.
///
/// # Safety
///
/// `call` is readable for its length; `answer_length` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn routine_template_call(
    call: *const c_char,
    call_length: usize,
    answer_length: *mut usize,
) -> *const u8 {
    // SAFETY: as the caller promises.
    let text = unsafe { bytes(call, call_length) };
    // SAFETY: as the caller promises.
    unsafe { answered(answer_length, || call::begin(text)) }
}

/// Goes on with a call that has asked a question: `call` is its number, `reply` the reply in JSON, or `false` if the application
/// cannot give one and the call is to end. Every call that asks must be brought to its end. The answer is as of
/// `routine_template_call`.
///
/// # Safety
///
/// `reply` is readable for its length; `answer_length` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn routine_template_resume(
    call: u64,
    reply: *const c_char,
    reply_length: usize,
    answer_length: *mut usize,
) -> *const u8 {
    // SAFETY: as the caller promises.
    let text = unsafe { bytes(reply, reply_length) };
    // SAFETY: as the caller promises.
    unsafe { answered(answer_length, || question::resume(call, text)) }
}

fn begin(text: &[u8]) -> Vec<u8> {
    static START: std::sync::Once = std::sync::Once::new();
    START.call_once(|| {
        request::read_ini_with(settings::value);
        fork::watch();
        // SAFETY: the handler may run at any exit, and the library is never unmapped. If there is no room for it, messages that were
        // queued at the very end wait for another process.
        unsafe { nix::libc::atexit(at_exit) };
    });
    forget();
    answer::of(settings::begin(text).map(|()| crate::face::returned::Returned::Nothing).as_ref())
}

/// Ends what is left of the request before.
fn forget() {
    question::end_all();
    request::forget();
    // Only now has everything let go of its callables.
    supplier::forget();
    answer::forget();
}

extern "C" fn at_exit() {
    // There is nobody left to tell of a failure.
    let _ = end::reached();
}

/// # Safety
///
/// `text` is readable for `length` bytes, or null.
unsafe fn bytes<'a>(text: *const c_char, length: usize) -> &'a [u8] {
    if text.is_null() {
        return &[];
    }
    // SAFETY: as the caller promises.
    unsafe { std::slice::from_raw_parts(text.cast(), length) }
}

/// Runs a body; a panic of ours becomes an error in the answer.
///
/// # Safety
///
/// `length` is writable, or null.
unsafe fn answered(length: *mut usize, body: impl FnOnce() -> Vec<u8>) -> *const u8 {
    let text = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| answer::internal("routine_template"));
    let (place, written) = answer::keep(length.addr(), text);
    if !length.is_null() {
        // SAFETY: as the caller promises.
        unsafe { *length = written };
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_request_hears_nothing_of_the_callables_of_the_one_before() {
        let configure = br#"{"method": "configure", "tagged": true,
            "arguments": [["map", ["appid", "wx1"], ["token", ["callable", 1, "Closure"]]]]}"#;
        assert_eq!(call::begin(configure), br#"{"value":null}"#);
        assert!(request::has_supplier());
        forget();
        assert!(!request::has_supplier());
        assert_eq!(supplier::released(), [0_u64; 0]);
    }
}
