//! Calls of the C face, as another program may make them.
#![allow(unsafe_code)]

use std::ffi::c_char;

// The functions are in it.
use routine_template as _;
use serde_json::Value;

use super::parts;

const SECRET: &str = "c0ffee0123456789c0ffee0123456789";
/// Where nobody listens, and no store: what a call does beyond its text ends at once.
const BEGIN: &str = r#"{"sapi": "cli", "settings": {"appid": "wxc0ffee0123456789", "secret": "c0ffee0123456789c0ffee0123456789",
    "base_url": "http://127.0.0.1:9", "store": "off", "timeout_ms": "200"}}"#;
/// Settings that lead out of this process.
const OUTWARD: [&str; 8] =
    ["store", "log_file", "ca_file", "proxy", "base_url", "fallback_urls", "timeout_ms", "allow_plain_http"];
/// How often a call may ask.
const QUESTIONS: usize = 100;

unsafe extern "C" {
    fn routine_template_begin(text: *const c_char, length: usize, answer_length: *mut usize) -> *const u8;
    fn routine_template_call(text: *const c_char, length: usize, answer_length: *mut usize) -> *const u8;
    fn routine_template_resume(call: u64, text: *const c_char, length: usize, answer_length: *mut usize) -> *const u8;
}

/// The text of a call, then replies to what it asks, in one request; a byte of FE between two calls. Every answer is JSON: a value, an
/// exception that PHP knows, or a question, of which there is an end.
pub fn ffi_call(data: &[u8]) {
    answer(|length| {
        // SAFETY: text and length are of one constant.
        unsafe { routine_template_begin(BEGIN.as_ptr().cast(), BEGIN.len(), length) }
    });
    for call in data.split(|byte| *byte == 0xFE).take(4) {
        let mut texts = parts(call);
        let text = texts.next().unwrap_or_default();
        if leads_out(text) {
            continue;
        }
        // SAFETY: text and length belong together.
        let mut told = answer(|length| unsafe { routine_template_call(text.as_ptr().cast(), text.len(), length) });
        for question in 0..=QUESTIONS {
            let Some(number) = told.get("ask").and(told.get("call")).and_then(Value::as_u64) else { break };
            assert!(question < QUESTIONS, "a call asks for ever");
            let reply = texts.next().filter(|_| question < 8).unwrap_or(b"false");
            told = answer(|length| {
                // SAFETY: text and length belong together.
                unsafe { routine_template_resume(number, reply.as_ptr().cast(), reply.len(), length) }
            });
        }
    }
}

/// Whether a call would write files, or turn to hosts, that it names itself.
fn leads_out(text: &[u8]) -> bool {
    let Ok(call) = serde_json::from_slice::<Value>(text) else { return false };
    let method = call.get("method").and_then(Value::as_str).unwrap_or_default();
    match method {
        "configure" => names_outward(&call),
        // Waits as long as it is told to.
        "flush" => call.get("arguments") != Some(&Value::Array(vec![Value::from(1)])),
        _ => names(&call, "timeout_ms"),
    }
}

fn names_outward(call: &Value) -> bool {
    // Bytes are written in base64.
    names(call, "bytes") || OUTWARD.iter().any(|name| names(call, name))
}

fn names(value: &Value, name: &str) -> bool {
    match value {
        Value::String(text) => text == name,
        Value::Array(items) => items.iter().any(|item| names(item, name)),
        Value::Object(members) => members.iter().any(|(key, item)| key == name || names(item, name)),
        _ => false,
    }
}

fn answer(call: impl FnOnce(*mut usize) -> *const u8) -> Value {
    let mut length = 0;
    let place = call(&raw mut length);
    assert!(!place.is_null() && length > 0, "no answer");
    // SAFETY: the answer is kept until the next call of this thread.
    let text = unsafe { std::slice::from_raw_parts(place, length) };
    let answer: Value = serde_json::from_slice(text).expect("an answer is no JSON");
    let kinds = ["value", "error", "ask"].iter().filter(|kind| answer.get(**kind).is_some()).count();
    assert_eq!(kinds, 1, "{answer}");
    if let Some(error) = answer.get("error") {
        let class = error["class"].as_str().expect("an exception without a class");
        let name = class.trim_start_matches("RoutineTemplate\\");
        let known = [
            "ConfigException",
            "RefusedException",
            "TransportException",
            "StoreException",
            "ValueError",
            "TypeError",
            "ArgumentCountError",
        ];
        assert!(known.contains(&name), "{error}");
        let message = error["message"].as_str().unwrap_or_default();
        assert!(!message.is_empty() && !message.contains('\0'), "{error}");
        assert!(!message.contains(SECRET), "a secret is shown");
    }
    answer
}
