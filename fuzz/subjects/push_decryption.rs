//! The message push, encrypted.

use aes::Aes256;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use routine_template::config::Secret;
use routine_template::push::Received;

use super::push_account::{AES_KEY, APPID, read_event, receive};

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
