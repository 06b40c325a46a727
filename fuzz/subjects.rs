//! What is tried with arbitrary bytes: everything that reads what comes from outside. The fuzz targets call these, and so does
//! `tests/arbitrary_bytes.rs`, which needs no nightly compiler.
#![allow(dead_code, clippy::panic, clippy::unwrap_used, clippy::indexing_slicing)]

use std::borrow::Cow;
use std::fmt::Write;

use aes::Aes256;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use routine_template::config::Secret;
use routine_template::field::{self, Mode};
use routine_template::grant::{self, ReportOptions};
use routine_template::message::{Channel, Input};
use routine_template::push::{self, Account, Query, Received};
use routine_template::template::Template;
use routine_template::wechat::api::Verdict;
use routine_template::wechat::client::Reply;
use sha1::{Digest, Sha1};

/// Between the parts of one input.
const SEPARATOR: u8 = 0xFF;

fn parts(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    data.split(|byte| *byte == SEPARATOR)
}

/// A template's content, then key and value in turns, or a payload as JSON: what fits is accepted as it is.
pub fn template_content(data: &[u8]) {
    let mut parts = parts(data);
    let template = Template::from_content(&String::from_utf8_lossy(parts.next().unwrap_or_default()));
    let rest: Vec<&[u8]> = parts.collect();
    let pairs = rest.chunks(2).map(|pair| {
        let value = pair.get(1).copied().unwrap_or_default();
        (Cow::Borrowed(pair[0]), Input::Text(Cow::Borrowed(value)))
    });
    let payloads = [Input::Map(pairs.collect()), Input::Text(Cow::Borrowed(rest.first().copied().unwrap_or_default()))];
    for payload in &payloads {
        for channel in Channel::ALL {
            for template in [None, Some(&template)] {
                let fitted = field::check(payload, template, Mode::Fit, channel);
                field::check(payload, template, Mode::Off, channel);
                let strict = field::check(payload, template, Mode::Strict, channel);
                assert!(!strict.violations.is_empty() || fitted.violations.is_empty(), "strict takes what fit refuses");
                if fitted.violations.is_empty() {
                    let members = fitted.fields.iter().map(|(key, value)| {
                        (Cow::Borrowed(key.as_bytes()), Input::Text(Cow::Borrowed(value.as_bytes())))
                    });
                    let again = field::check(&Input::Map(members.collect()), template, Mode::Strict, channel);
                    assert_eq!(again.violations, Vec::new(), "what fits is refused");
                    assert_eq!(again.fields, fitted.fields, "what fits is changed");
                }
            }
        }
    }
}

/// An HTTP status, then the body of an answer of WeChat: its verdict, and a rid that is one.
pub fn answer(data: &[u8]) {
    let (status, body) = data.split_at(data.len().min(2));
    let status = match *status {
        [high, low] => u16::from_be_bytes([high, low]),
        _ => 200,
    };
    for status in [200, status] {
        let Ok(verdict) = Verdict::read(&Reply { status, body: body.to_vec() }) else { continue };
        if let Some(rid) = verdict.rid() {
            assert!(rid.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'), "{rid}");
        }
        assert!(!format!("{verdict:?}").contains("access_token: Some(\""), "a token is shown");
    }
}

/// What a front end posts after `wx.requestSubscribeMessage`, as JSON text and as an array: never more than it may hold, each
/// template once.
pub fn grant_report(data: &[u8]) {
    let as_text = Input::Text(Cow::Borrowed(data));
    let parsed = serde_json::from_slice::<serde_json::Value>(data).ok().map(Input::from);
    for posted in [Some(as_text), parsed].into_iter().flatten() {
        // Options are read by the same rule.
        let _ = ReportOptions::read(&posted);
        let Ok(report) = grant::read(&posted) else { continue };
        assert!(report.choices.len() + report.rejected.len() <= 64, "a report grows without end");
        for (index, (id, _)) in report.choices.iter().enumerate() {
            assert!((20..=64).contains(&id.len()), "{id}");
            assert!(report.choices[..index].iter().all(|(other, _)| other != id), "{id} twice");
        }
    }
}

const APPID: &str = "wxc0ffee0123456789";
const TOKEN: &str = "pamtest";
/// Forty-three times A is 32 bytes of zero.
const AES_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const TIME: i64 = 1_714_112_445;

fn signature(parts: &[&str]) -> String {
    let mut sorted = parts.to_vec();
    sorted.sort_unstable();
    Sha1::digest(sorted.concat()).iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").unwrap();
        digits
    })
}

/// What an account receives under signatures that are right.
fn receive(body: &[u8], encrypted: &str, keys: &[Secret]) -> Result<Received, push::Refusal> {
    let (time, nonce) = (TIME.to_string(), "415670741");
    let query = Query {
        signature: Some(signature(&[TOKEN, &time, nonce]).into()),
        msg_signature: Some(signature(&[TOKEN, &time, nonce, encrypted]).into()),
        timestamp: Cow::Borrowed(&time),
        nonce: Cow::Borrowed(nonce),
        echostr: None,
    };
    push::receive(&query, body, &Account { appid: APPID, token: &Secret::new(TOKEN.to_owned()), keys }, TIME)
}

fn read_event(message: &serde_json::Map<String, serde_json::Value>) {
    push::name(message);
    // An event that lacks something is refused in words.
    if let Ok(push::Event::Answers(answers)) = push::read(message) {
        assert!(!answers.openid.is_empty(), "an event of nobody");
    }
}

/// The body of a push, XML or JSON, of an account in plain mode.
pub fn push_message(data: &[u8]) {
    if let Ok(message) = push::parse(data) {
        read_event(&message);
    }
    push::is_container_check(data);
    if let Ok(Received::Message(message)) = receive(data, "", &[]) {
        read_event(&message);
        let again = serde_json::to_vec(&message).unwrap();
        assert!(again.len() < 64 * data.len() + 1024, "a push grows when it is read");
    }
}

/// What is encrypted in a push, beginning with whether it is the text of `Encrypt` itself or what is inside.
pub fn push_decryption(data: &[u8]) {
    let Some((kind, rest)) = data.split_first() else { return };
    let encrypted = if kind % 2 == 0 { String::from_utf8_lossy(rest).into_owned() } else { sealed(rest, kind / 2) };
    let body = serde_json::json!({ "Encrypt": encrypted }).to_string();
    let keys = [Secret::new(AES_KEY.replace('A', "B")), Secret::new(AES_KEY.to_owned())];
    for keys in [&keys[..1], &keys[1..], &keys] {
        if let Ok(Received::Message(message)) = receive(body.as_bytes(), encrypted.trim(), keys) {
            read_event(&message);
        }
    }
}

/// Encrypted as WeChat does it (`pad` 0), or the bytes as they are but for a tail of this many bytes of this value.
fn sealed(content: &[u8], pad: u8) -> String {
    let mut plain = Vec::new();
    if pad == 0 {
        plain.extend_from_slice(&[b'r'; 16]);
        plain.extend_from_slice(&u32::try_from(content.len()).unwrap().to_be_bytes());
        plain.extend_from_slice(content);
        plain.extend_from_slice(APPID.as_bytes());
        let count = 32 - plain.len() % 32;
        plain.extend(std::iter::repeat_n(u8::try_from(count).unwrap(), count));
    } else {
        plain.extend_from_slice(content);
        plain.extend(std::iter::repeat_n(pad, usize::from(pad)));
        plain.truncate(plain.len() / 16 * 16);
    }
    let (key, iv) = ([0; 32], [0; 16]);
    let size = plain.len();
    let mut buffer = plain;
    let encrypted =
        cbc::Encryptor::<Aes256>::new(&key.into(), &iv.into()).encrypt_padded::<NoPadding>(&mut buffer, size).unwrap();
    STANDARD.encode(encrypted)
}
