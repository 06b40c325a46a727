//! An account that receives pushes.

use std::borrow::Cow;
use std::fmt::Write;

use routine_template::config::Secret;
use routine_template::push::{self, Account, Query, Received};
use sha1::{Digest, Sha1};

/// Its appid.
pub const APPID: &str = "wxc0ffee0123456789";
const TOKEN: &str = "pamtest";
/// Forty-three times A is 32 bytes of zero.
pub const AES_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
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
pub fn receive(body: &[u8], encrypted: &str, keys: &[Secret]) -> Result<Received, push::Refusal> {
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

/// Reads the event of a message.
pub fn read_event(message: &serde_json::Map<String, serde_json::Value>) {
    push::name(message);
    // An event that lacks something is refused in words.
    if let Ok(push::Event::Answers(answers)) = push::read(message) {
        assert!(!answers.openid.is_empty(), "an event of nobody");
    }
}
