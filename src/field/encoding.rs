//! Bytes to text: UTF-8, and what old PHP programs send in its place.

use std::borrow::Cow;

use encoding_rs::GB18030;

/// The bytes read as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Decoded<'a> {
    /// Valid UTF-8.
    Utf8(&'a str),
    /// Chinese in GBK or GB18030.
    Gbk(String),
    /// UTF-8 whose first or last character a byte-wise `substr` has cut through; without that rest.
    Torn(&'a str),
    /// Neither.
    Unknown,
}

pub(super) fn decode(bytes: &[u8]) -> Decoded<'_> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Decoded::Utf8(text),
        Err(_) => match torn(bytes) {
            Some(text) => Decoded::Torn(text),
            None => gbk(bytes).map_or(Decoded::Unknown, Decoded::Gbk),
        },
    }
}

/// What is left of UTF-8 text after a cut inside a character, if it is certain that it was UTF-8: at least one whole Chinese
/// character, which takes three bytes, must stand in it.
fn torn(bytes: &[u8]) -> Option<&str> {
    let lost_head = bytes.iter().take(3).take_while(|&&byte| (0x80..0xC0).contains(&byte)).count();
    let rest = bytes.get(lost_head..)?;
    let text = match std::str::from_utf8(rest) {
        Ok(text) => text,
        // `error_len` is none only where the bytes end inside a character.
        Err(error) if error.error_len().is_none() => std::str::from_utf8(rest.get(..error.valid_up_to())?).ok()?,
        Err(_) => return None,
    };
    text.chars().any(|character| character.len_utf8() >= 3).then_some(text)
}

/// GB18030 text, if most of its characters lie in the everyday part (GB 2312). UTF-8 that was cut or mixed does not.
fn gbk(bytes: &[u8]) -> Option<String> {
    let text = GB18030.decode_without_bom_handling_and_without_replacement(bytes)?;
    if text.chars().any(|character| matches!(character, '\u{80}'..='\u{9F}' | '\u{E000}'..='\u{F8FF}')) {
        return None;
    }
    let mut pairs = 0_usize;
    let mut everyday = 0_usize;
    let mut rest = bytes;
    while let Some((&lead, tail)) = rest.split_first() {
        rest = tail;
        if lead < 0x80 {
            continue;
        }
        let trail = tail.first().copied().unwrap_or_default();
        pairs += 1;
        everyday += usize::from(matches!(lead, 0xA1..=0xA3 | 0xB0..=0xF7) && trail >= 0xA1);
        let length = if trail.is_ascii_digit() { 3 } else { 1 };
        rest = tail.get(length..).unwrap_or_default();
    }
    (pairs > 0 && everyday * 3 >= pairs * 2).then(|| Cow::into_owned(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gbk_bytes(text: &str) -> Vec<u8> {
        GB18030.encode(text).0.into_owned()
    }

    #[test]
    fn gbk_is_recognised() {
        for text in ["订单已支付", "您的商品：A4纸，共2件", "￥１００", "配送中", "通过"] {
            assert_eq!(decode(&gbk_bytes(text)), Decoded::Gbk(text.to_owned()), "{text}");
        }
    }

    #[test]
    fn utf8_stays_itself() {
        assert_eq!(decode("订单é🎉".as_bytes()), Decoded::Utf8("订单é🎉"));
    }

    #[test]
    fn text_torn_by_substr_loses_only_the_half_character() {
        let bytes = "订单已提交".as_bytes();
        assert_eq!(decode(&bytes[..13]), Decoded::Torn("订单已提"));
        assert_eq!(decode(&bytes[..14]), Decoded::Torn("订单已提"));
        assert_eq!(decode(&bytes[1..]), Decoded::Torn("单已提交"));
    }

    #[test]
    fn other_bytes_are_not_guessed() {
        for bytes in [&b"\xff\xfe\x00"[..], b"caf\xe9", b"\x80", b"ab\xc3\x28", b"\xe9\xe8\x20\xe7"] {
            assert_eq!(decode(bytes), Decoded::Unknown, "{bytes:x?}");
        }
    }
}
