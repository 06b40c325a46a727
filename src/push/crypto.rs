//! The encryption of the message push: AES-256-CBC under the account's EncodingAESKey, its first 16 bytes the IV, PKCS#7 to
//! blocks of 32 bytes. Inside: 16 random bytes, the length of the message (big-endian), the message, the appid.

use aes::Aes256;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};

use crate::config::Secret;

/// WeChat's own keys end in bits that strict decoders refuse (`…ABCDEFG`).
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// Bytes of random and of the length before the message.
const HEAD: usize = 16 + 4;
/// The block that padding fills up, twice the cipher's.
const BLOCK: usize = 32;

/// Decryption failed. It does not say where: whoever tries texts learns nothing from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undecryptable;

/// What was inside.
#[derive(Debug, PartialEq, Eq)]
pub struct Decrypted {
    /// The message.
    pub message: Vec<u8>,
    /// Whom it is for.
    pub appid: String,
}

/// Decrypts an `Encrypt` text. It must have been authenticated before (`msg_signature`): CBC alone proves nothing.
pub fn decrypt(key: &Secret, encrypted: &str) -> Result<Decrypted, Undecryptable> {
    let (key, iv) = key_and_iv(key)?;
    let mut buffer = BASE64.decode(encrypted).map_err(|_| Undecryptable)?;
    let plain = cbc::Decryptor::<Aes256>::new(&key.into(), &iv.into())
        .decrypt_padded::<NoPadding>(&mut buffer)
        .map_err(|_| Undecryptable)?;
    let plain = unpadded(plain)?;
    let (head, rest) = plain.split_at_checked(HEAD).ok_or(Undecryptable)?;
    let length: [u8; 4] = head.last_chunk().copied().ok_or(Undecryptable)?;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| Undecryptable)?;
    let (message, appid) = rest.split_at_checked(length).ok_or(Undecryptable)?;
    let appid = std::str::from_utf8(appid).map_err(|_| Undecryptable)?;
    Ok(Decrypted { message: message.to_vec(), appid: appid.to_owned() })
}

fn key_and_iv(key: &Secret) -> Result<([u8; 32], [u8; 16]), Undecryptable> {
    let bytes = BASE64.decode(key.reveal()).map_err(|_| Undecryptable)?;
    let key: [u8; 32] = bytes.try_into().map_err(|_| Undecryptable)?;
    let iv = key.first_chunk().copied().ok_or(Undecryptable)?;
    Ok((key, iv))
}

/// PKCS#7 to 32: the last byte, 1 … 32, says how many bytes of its own value to take off. Unpadders of AES stop at 16.
fn unpadded(plain: &[u8]) -> Result<&[u8], Undecryptable> {
    let last = plain.last().copied().ok_or(Undecryptable)?;
    let count = usize::from(last);
    let kept = plain.len().checked_sub(count).ok_or(Undecryptable)?;
    let (content, padding) = plain.split_at_checked(kept).ok_or(Undecryptable)?;
    let right = (1..=BLOCK).contains(&count) && padding.iter().all(|byte| *byte == last);
    if right { Ok(content) } else { Err(Undecryptable) }
}

#[cfg(test)]
pub(super) mod tests {
    use cbc::cipher::BlockModeEncrypt;
    use proptest::prelude::*;

    use super::super::vectors;
    use super::*;

    /// What WeChat does. `pad` and `length` are for texts that it never would make.
    struct Sealed<'a> {
        random: [u8; 16],
        length: u32,
        message: &'a [u8],
        appid: &'a str,
        padding: Option<Vec<u8>>,
    }

    impl<'a> Sealed<'a> {
        fn new(message: &'a [u8], appid: &'a str) -> Self {
            Self { random: *b"0123456789abcdef", length: message.len() as u32, message, appid, padding: None }
        }

        fn seal(&self, key: &Secret) -> String {
            let mut plain =
                [&self.random[..], &self.length.to_be_bytes(), self.message, self.appid.as_bytes()].concat();
            let count = BLOCK - plain.len() % BLOCK;
            plain.extend(self.padding.clone().unwrap_or_else(|| vec![count as u8; count]));
            let (key, iv) = key_and_iv(key).unwrap();
            let length = plain.len();
            let cipher = cbc::Encryptor::<Aes256>::new(&key.into(), &iv.into());
            BASE64.encode(cipher.encrypt_padded::<NoPadding>(&mut plain, length).unwrap())
        }
    }

    /// A message as WeChat encrypts it.
    pub fn encrypt(key: &Secret, message: &[u8], appid: &str) -> String {
        Sealed::new(message, appid).seal(key)
    }

    fn key() -> Secret {
        Secret::new("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C".into())
    }

    #[test]
    fn every_published_text_is_decrypted_and_encrypting_it_again_gives_the_same() {
        let mut checked = 0;
        for vector in vectors::all() {
            let Some(encrypted) = vector.text("encrypt") else { continue };
            let key = vector.secret("encoding_aes_key");
            let (plaintext, appid) = (vector.text("plaintext").unwrap(), vector.text("appid").unwrap());
            let opened = decrypt(&key, encrypted).unwrap_or_else(|_| panic!("{}", vector.id()));
            assert_eq!((opened.message.as_slice(), opened.appid.as_str()), (plaintext.as_bytes(), appid));
            let random = vector.random();
            assert_eq!(
                Sealed { random, ..Sealed::new(plaintext.as_bytes(), appid) }.seal(&key),
                encrypted,
                "{}",
                vector.id()
            );
            checked += 1;
        }
        assert_eq!(checked, 9);
    }

    #[test]
    fn every_length_of_padding_up_to_a_whole_block_is_taken_off() {
        let mut seen = std::collections::BTreeSet::new();
        for length in 0..64 {
            let message = vec![b'm'; length];
            let opened = decrypt(&key(), &encrypt(&key(), &message, "wx5823bf96d3bd56c7")).unwrap();
            assert_eq!((opened.message, opened.appid.as_str()), (message, "wx5823bf96d3bd56c7"));
            seen.insert(BLOCK - (HEAD + length + 18) % BLOCK);
        }
        assert_eq!(seen, (1..=32).collect());
    }

    #[test]
    fn a_text_with_a_whole_block_of_padding_is_opened() {
        // 16 + 4 + 26 + 18 = 64, so the padding is a block of its own. Made with openssl, not with the code above.
        let encrypted = concat!(
            "sKqRbbiSUnDhFHOvPjtUMZGyoR1r/GzKAbbgquGlaOgIlt+xQAi/JKk90aBApUWQ",
            "Ug5O+k5ZufIRKoqgtkAVwJKF1H3y/sfk7izzwSIp1tYTy01NHOGT9sTJ2jdv5sCT",
        );
        let opened = decrypt(&key(), encrypted).unwrap();
        assert_eq!(opened.message, b"abcdefghijklmnopqrstuvwxyz");
        assert_eq!(opened.appid, "wx5823bf96d3bd56c7");
    }

    #[test]
    fn padding_or_a_length_that_cannot_be_is_refused_in_one_and_the_same_way() {
        let message = [b'm'; 40];
        let sealed = || Sealed::new(&message, "wx5823bf96d3bd56c7");
        // 16 + 4 + 40 + 18 = 78, 18 bytes to the block.
        let end = |last: u8| [vec![18; 17], vec![last]].concat();
        for padding in [end(0), end(33), end(255), end(19), [vec![17], vec![18; 17]].concat(), vec![0; 18]] {
            let text = Sealed { padding: Some(padding.clone()), ..sealed() }.seal(&key());
            assert_eq!(decrypt(&key(), &text), Err(Undecryptable), "{padding:?}");
        }
        for length in [59, 1000, u32::MAX] {
            assert_eq!(decrypt(&key(), &Sealed { length, ..sealed() }.seal(&key())), Err(Undecryptable), "{length}");
        }
        let whole = encrypt(&key(), b"", "");
        let whole = whole.trim_end_matches('=');
        for length in 0..whole.len() {
            let short = whole.get(..length).unwrap();
            assert_eq!(decrypt(&key(), short), Err(Undecryptable), "{length}");
        }
        assert_eq!(decrypt(&key(), ""), Err(Undecryptable));
        assert_eq!(decrypt(&key(), "没有"), Err(Undecryptable));
        assert_eq!(decrypt(&Secret::new("short".into()), whole), Err(Undecryptable));
    }

    #[test]
    fn another_key_opens_nothing() {
        let text = encrypt(&key(), b"<xml></xml>", "wx5823bf96d3bd56c7");
        let other = Secret::new("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG".into());
        assert_eq!(decrypt(&other, &text), Err(Undecryptable));
    }

    proptest! {
        #[test]
        fn a_flipped_bit_or_a_cut_never_leaves_the_message_as_it_was(
            message in proptest::collection::vec(any::<u8>(), 0..200), at in any::<usize>(), bit in 0..8, cut in any::<usize>(),
        ) {
            let text = encrypt(&key(), &message, "wx5823bf96d3bd56c7");
            let mut bytes = BASE64.decode(&text).unwrap();
            let (at, cut) = (at % bytes.len(), cut % bytes.len());
            let short = BASE64.encode(&bytes[..cut]);
            bytes[at] ^= 1_u8 << bit;
            let whole = Decrypted { message: message.clone(), appid: "wx5823bf96d3bd56c7".to_owned() };
            let flipped = decrypt(&key(), &BASE64.encode(&bytes));
            prop_assert!(flipped != Ok(whole));
            prop_assert!(decrypt(&key(), &short).ok().is_none_or(|opened| opened.appid != "wx5823bf96d3bd56c7"));
        }

        #[test]
        fn any_text_at_all_is_opened_or_refused(text in ".{0,300}", bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = decrypt(&key(), &text);
            let _ = decrypt(&key(), &BASE64.encode(bytes));
        }
    }
}
