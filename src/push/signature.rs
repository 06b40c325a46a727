//! Signatures of the message push: `sha1` over token, timestamp, nonce (and the encrypted text), sorted and joined.

use std::fmt::Write;

use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;

use crate::config::Secret;

/// The signature of these parts under a token, 40 hexadecimal digits: `signature` of timestamp and nonce, `msg_signature` of
/// timestamp, nonce and encrypted text.
pub fn signature(token: &Secret, parts: &[&str]) -> String {
    let mut sorted: Vec<&str> = parts.iter().copied().chain([token.reveal()]).collect();
    sorted.sort_unstable();
    let mut hash = Sha1::new();
    for part in sorted {
        hash.update(part);
    }
    let mut digits = String::with_capacity(40);
    for byte in hash.finalize() {
        // Writing to a String cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// Whether a signature is that of these parts, in a time that tells nothing of how much of it was right.
pub fn is_signed(token: &Secret, parts: &[&str], given: &str) -> bool {
    let expected = signature(token, parts);
    expected.as_bytes().ct_eq(given.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::super::vectors;
    use super::*;

    #[test]
    fn every_published_signature_is_that_of_its_parts() {
        let mut checked = 0;
        for vector in vectors::all() {
            let (Some(timestamp), Some(nonce)) = (vector.text("timestamp"), vector.text("nonce")) else { continue };
            let token = vector.secret("token");
            if let Some(given) = vector.text("signature") {
                assert!(is_signed(&token, &[timestamp, nonce], given), "{}", vector.id());
                checked += 1;
            }
            if let (Some(given), Some(encrypted)) = (vector.text("msg_signature"), vector.text("encrypt")) {
                assert!(is_signed(&token, &[timestamp, nonce, encrypted], given), "{}", vector.id());
                checked += 1;
            }
        }
        assert_eq!(checked, 12);
    }

    #[test]
    fn no_other_signature_and_no_part_of_one_passes() {
        let token = Secret::new("AAAAA".into());
        let right = signature(&token, &["1714036504", "1514711492"]);
        for position in 0..right.len() {
            let mut wrong = right.clone().into_bytes();
            wrong[position] ^= 1;
            let wrong = String::from_utf8(wrong).unwrap();
            assert!(!is_signed(&token, &["1714036504", "1514711492"], &wrong), "{position}");
            let short = right.get(..position).unwrap();
            assert!(!is_signed(&token, &["1714036504", "1514711492"], short), "{position}");
        }
        assert!(!is_signed(&token, &["1714036505", "1514711492"], &right));
        assert!(!is_signed(&Secret::new("AAAAB".into()), &["1714036504", "1514711492"], &right));
    }
}
