//! `amount`: one currency symbol, at most 10 digits (12 on official accounts), decimals, 元 behind.
//!
//! The symbol may be absent. 万 is refused. Commas, signs, other currencies and more than two decimals are open questions, so the check
//! leaves them to WeChat; fitting removes what the value does not need. The value itself is never altered.

use std::borrow::Cow;

use super::decimal::{with_both_sides, without_thousands};
use super::flaw::{Fit, Flaw};
use super::glyph::{self, digit};
use super::table::FieldType;

/// Longer texts are no amount, whatever they hold.
const LONGEST: usize = 256;

fn is_currency(character: char) -> bool {
    matches!(character, '$' | '\u{A2}'..='\u{A5}' | '\u{58F}' | '\u{60B}' | '\u{E3F}' | '\u{17DB}' | '\u{20A0}'..='\u{20CF}'
        | '\u{FDFC}' | '\u{FE69}' | '\u{FF04}' | '\u{FFE0}' | '\u{FFE1}' | '\u{FFE5}' | '\u{FFE6}')
}

fn is_sign(character: char) -> bool {
    matches!(character, '+' | '-' | '＋' | '－' | '−')
}

/// An amount taken apart; all parts as they were written.
struct Parts<'a> {
    /// Sign and currency symbol, such as `-¥` or `HK$`.
    prefix: &'a str,
    /// The digits with their separators.
    body: &'a str,
    /// `元` or nothing.
    suffix: &'a str,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        let (rest, suffix) = match text.strip_suffix('元') {
            Some(rest) => (rest, text.get(rest.len()..).unwrap_or_default()),
            None => (text, ""),
        };
        let start =
            rest.find(|character: char| digit(character).is_some() || matches!(character, '.' | '．' | ',' | '，'));
        let (prefix, body) = rest.split_at_checked(start.unwrap_or(rest.len())).unwrap_or((rest, ""));
        Self { prefix, body, suffix }
    }
}

/// A sign, letters that a currency symbol closes (`HK$`), one symbol, in any order that is used.
fn is_prefix(prefix: &str) -> bool {
    let mut symbols = 0;
    let mut signs = 0;
    let mut letters = 0;
    for character in prefix.chars() {
        match character {
            _ if is_currency(character) => {
                symbols += 1;
                letters = 0;
            }
            _ if is_sign(character) => signs += 1,
            'A'..='Z' | 'a'..='z' => letters += 1,
            _ if character.is_whitespace() => {}
            _ => return false,
        }
        if letters > 3 {
            return false;
        }
    }
    symbols <= 1 && signs <= 1 && letters == 0
}

pub(super) fn check(row: &FieldType, limit: usize, text: &str) -> Result<(), Flaw> {
    let trimmed = Flaw::unless_filled(text)?;
    if trimmed.len() > LONGEST {
        return Err(Flaw::too_long(row, limit, trimmed));
    }
    let parts = Parts::of(trimmed);
    if !is_prefix(parts.prefix) {
        return Err(Flaw::format(row));
    }
    let body = parts.body.trim_end();
    let mut whole = 0;
    let mut digits = 0;
    let mut points = 0;
    let mut separated = false;
    for character in body.chars() {
        match character {
            _ if digit(character).is_some() => {
                digits += 1;
                whole += usize::from(points == 0);
            }
            '.' | '．' => points += 1,
            ',' | '，' => separated = true,
            _ if character.is_whitespace() && !character.is_control() => {}
            '元' => {
                return Err(Flaw::new(
                    "format",
                    ("中的“元”不在结尾", "has 元 before its end"),
                    ("请写成 ¥12.30 或 12.30元", "write ¥12.30 or 12.30元"),
                ));
            }
            _ => return Err(Flaw::character(row, character)),
        }
    }
    if digits == 0 || points > 1 || (separated && without_thousands(&compact(body)).is_none()) {
        return Err(Flaw::format(row));
    }
    // Whether decimals count towards the limit is contradictory; the digits before the point certainly do.
    if whole > limit {
        return Err(Flaw::too_long(row, limit, trimmed));
    }
    Ok(())
}

/// Half-width, without white space.
fn compact(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_whitespace())
        .map(|character| glyph::half_width(character).unwrap_or(character))
        .collect()
}

pub(super) fn fit<'a>(limit: usize, text: &'a str) -> Fit<'a> {
    let trimmed = glyph::trim(text);
    if trimmed.len() > LONGEST {
        return Fit::new(trimmed, "space");
    }
    let yuan = with_symbol(trimmed);
    let parts = Parts::of(&yuan);
    let is_plain = |character: char| character.is_ascii_digit() || character == '.';
    let digits = parts.body.len();
    if parts.body.chars().all(is_plain)
        && !parts.body.starts_with('.')
        && !parts.body.ends_with('.')
        && digits <= limit
        && shorter_decimals(parts.body, limit).is_none()
        && is_neat(parts.prefix)
    {
        return match yuan {
            Cow::Borrowed(yuan) => Fit::new(yuan, "space"),
            Cow::Owned(yuan) => Fit::new(yuan, "amount"),
        };
    }
    let mut body = compact(parts.body);
    if let Some(plain) = without_thousands(&body) {
        body = plain;
    }
    if let Some(shorter) = shorter_decimals(&body, limit) {
        body = shorter.to_owned();
    }
    if let Some(whole) = with_both_sides(&body) {
        body = whole;
    }
    let prefix: String = parts
        .prefix
        .chars()
        .filter(|character| !character.is_whitespace())
        .map(|character| match character {
            '＋' => '+',
            '－' | '−' => '-',
            '＄' => '$',
            _ => character,
        })
        .collect();
    Fit::new(format!("{prefix}{body}{}", parts.suffix), "amount")
}

fn is_neat(prefix: &str) -> bool {
    !prefix.chars().any(|character| character.is_whitespace() || matches!(character, '＋' | '－' | '−' | '＄'))
}

/// `CNY` and `RMB` say what `¥` says.
fn with_symbol(text: &str) -> Cow<'_, str> {
    let strip = |name: &str| {
        let behind = text.len().checked_sub(name.len()).filter(|&at| text.is_char_boundary(at));
        match (text.split_at_checked(name.len()), behind.and_then(|at| text.split_at_checked(at))) {
            (Some((head, rest)), _) if head.eq_ignore_ascii_case(name) => Some(rest),
            (_, Some((rest, tail))) if tail.eq_ignore_ascii_case(name) => Some(rest),
            _ => None,
        }
    };
    match strip("CNY").or_else(|| strip("RMB")).map(str::trim) {
        Some(rest) if !rest.contains(is_currency) => Cow::Owned(format!("¥{rest}")),
        _ => Cow::Borrowed(text),
    }
}

/// The number without zeros that say nothing: beyond the second decimal, and all decimals where they would exceed the limit.
fn shorter_decimals(body: &str, limit: usize) -> Option<&str> {
    let (whole, decimals) = body.split_once('.')?;
    if !decimals.bytes().all(|byte| byte.is_ascii_digit()) || whole.is_empty() {
        return None;
    }
    let zeros = |part: &str| part.bytes().all(|byte| byte == b'0');
    if zeros(decimals) && (whole.len() + decimals.len().min(2) > limit || decimals.is_empty()) {
        return Some(whole);
    }
    let (kept, beyond) = decimals.split_at_checked(2)?;
    if beyond.is_empty() || !zeros(beyond) {
        return None;
    }
    body.get(..whole.len() + 1 + kept.len())
}

#[cfg(test)]
mod tests {
    use super::super::table::FIELD_TYPES;
    use super::*;

    fn row() -> &'static FieldType {
        FIELD_TYPES.iter().find(|row| row.prefix == "amount").unwrap()
    }

    fn fitted(text: &str) -> String {
        let fitted = fit(10, text).value.into_owned();
        assert!(check(row(), 10, &fitted).is_ok(), "{text} became {fitted}");
        assert_eq!(fit(10, &fitted).value, fitted);
        fitted
    }

    #[test]
    fn amounts_as_shops_write_them_pass_unaltered() {
        for text in ["5", "0元", "1.12元", "¥0.01", "￥100", "¥3598.29", "6000.00", "16000", "¥12.3元", "$5", "€1.5"]
        {
            assert!(check(row(), 10, text).is_ok(), "{text}");
            assert_eq!(fitted(text), text);
        }
    }

    #[test]
    fn ten_digits_before_the_point_pass_and_eleven_do_not() {
        assert!(check(row(), 10, "1234567890").is_ok());
        assert_eq!(check(row(), 10, "12345678901").unwrap_err().rule, "too_long");
        assert!(check(row(), 12, "123456789012").is_ok());
        assert_eq!(check(row(), 12, "1234567890123").unwrap_err().rule, "too_long");
    }

    #[test]
    fn words_are_refused_in_every_mode() {
        for text in [
            "100万元",
            "10万",
            "免费",
            "一百元",
            "100块",
            "100元整",
            "100~200",
            "1E+5",
            "USD 5",
            "¥",
            "元",
            "1.2.3",
            "¥¥5",
        ] {
            assert!(check(row(), 10, text).is_err(), "{text}");
            assert!(check(row(), 10, &fit(10, text).value).is_err(), "{text}");
        }
        assert_eq!(check(row(), 10, "").unwrap_err().rule, "empty");
    }

    #[test]
    fn open_questions_are_left_to_wechat() {
        for text in ["-5.00", "1,234.56", "HK$100", "12.345", "１００", "¥ 100 元", "656887888.00"] {
            assert!(check(row(), 10, text).is_ok(), "{text}");
        }
    }

    #[test]
    fn separators_spaces_widths_and_idle_zeros_are_fitted() {
        assert_eq!(fitted("1,234,567.89"), "1234567.89");
        assert_eq!(fitted("￥１，２３４．５０"), "￥1234.50");
        assert_eq!(fitted(" ¥ 100.00 元 "), "¥100.00元");
        assert_eq!(fitted("12.500000"), "12.50");
        assert_eq!(fitted("12.345"), "12.345");
        assert_eq!(fitted("656887888.00"), "656887888");
        assert_eq!(fitted("CNY 88.8"), "¥88.8");
        assert_eq!(fitted("88RMB"), "¥88");
        assert_eq!(fitted("-5"), "-5");
        assert_eq!(fitted("¥.5元"), "¥0.5元");
        assert_eq!(fitted("5."), "5");
    }
}
