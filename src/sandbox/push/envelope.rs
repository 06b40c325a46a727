//! Signature and encryption of a push (reference: 消息加解密说明).

use aes::Aes256;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use sha1::{Digest, Sha1};

/// PKCS#7 pads to this size, not to the 16 bytes of an AES block.
const BLOCK: usize = 32;

/// SHA-1 of the parts, sorted and joined, in hexadecimal.
pub(super) fn signature(mut parts: Vec<&str>) -> String {
    parts.sort_unstable();
    Sha1::digest(parts.concat()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `Encrypt`: 16 random bytes, length, message and appid, AES-256-CBC with the key's first half as IV.
pub(super) fn encrypt(key: &[u8; 32], random: [u8; 16], message: &str, appid: &str) -> String {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let mut plain = Vec::with_capacity(message.len() + appid.len() + 20 + BLOCK);
    plain.extend_from_slice(&random);
    plain.extend_from_slice(&length.to_be_bytes());
    plain.extend_from_slice(message.as_bytes());
    plain.extend_from_slice(appid.as_bytes());
    let pad = BLOCK - plain.len() % BLOCK;
    plain.resize(plain.len() + pad, u8::try_from(pad).unwrap_or(0));
    let mut iv = [0; 16];
    iv.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let cipher = cbc::Encryptor::<Aes256>::new(key.into(), &iv.into());
    STANDARD.encode(cipher.encrypt_padded_vec::<NoPadding>(&plain))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::settings::{PushFormat, PushMode, PushSettings};
    use super::*;

    fn vectors() -> Vec<Value> {
        serde_json::from_str(include_str!("../../../tests/corpus/wechat-crypto-vectors.json")).unwrap()
    }

    fn key(text: &str) -> [u8; 32] {
        let settings = PushSettings::new("http://localhost/", "token", Some(text), PushMode::Safe, PushFormat::Xml);
        settings.unwrap().aes_key.unwrap()
    }

    #[test]
    fn every_published_signature_comes_out() {
        let mut proven = 0;
        for vector in vectors() {
            let text = |name: &str| vector[name].as_str();
            let (Some(token), Some(timestamp), Some(nonce)) = (text("token"), text("timestamp"), text("nonce")) else {
                continue;
            };
            if let Some(expected) = text("signature") {
                assert_eq!(signature(vec![token, timestamp, nonce]), expected, "{}", vector["id"]);
                proven += 1;
            }
            if let (Some(expected), Some(encrypt)) = (text("msg_signature"), text("encrypt")) {
                assert_eq!(signature(vec![token, timestamp, nonce, encrypt]), expected, "{}", vector["id"]);
                proven += 1;
            }
        }
        assert!(proven >= 12, "{proven}");
    }

    #[test]
    fn every_published_ciphertext_comes_out() {
        let mut proven = 0;
        for vector in vectors() {
            let text = |name: &str| vector[name].as_str();
            let (Some(plaintext), Some(expected)) = (text("plaintext"), text("encrypt")) else { continue };
            let random: Vec<u8> = match (text("random"), text("random_hex")) {
                (Some(random), _) => random.into(),
                (None, Some(hex)) => hex
                    .as_bytes()
                    .chunks(2)
                    .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
                    .collect(),
                (None, None) => panic!("{} has no random bytes", vector["id"]),
            };
            let random: [u8; 16] = random.try_into().unwrap();
            let ours = encrypt(&key(text("encoding_aes_key").unwrap()), random, plaintext, text("appid").unwrap());
            assert_eq!(ours, expected, "{}", vector["id"]);
            proven += 1;
        }
        assert_eq!(proven, 9);
    }

    #[test]
    fn a_message_that_fills_its_block_is_padded_by_a_whole_one() {
        // 16 random bytes + 4 of length + 4 + 8 = 32.
        let text = encrypt(&key(&"A".repeat(43)), [b'x'; 16], "1234", "12345678");
        assert_eq!(STANDARD.decode(text).unwrap().len(), 64);
    }
}
