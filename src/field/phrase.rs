//! `phrase`: at most 5 Chinese characters and nothing else.
//!
//! Fitting writes digits as Chinese numerals (`13笔` is `十三笔`) and drops punctuation, spaces and emoji. It never cuts a numeral and
//! never drops a word in another script when nothing Chinese would be left: what such a value meant is not ours to guess.

use super::flaw::{Fit, Flaw};
use super::glyph::{self, digit, is_han, is_ideograph};
use super::name::numeral;
use super::table::FieldType;

pub(super) fn check(row: &FieldType, text: &str) -> Result<(), Flaw> {
    let trimmed = Flaw::unless_filled(text)?;
    if let Some(refused) = trimmed.chars().take(row.limit + 1).find(|&character| !is_han(character)) {
        if is_lost_encoding(trimmed) {
            return Err(Flaw::new(
                "characters",
                (
                    "的汉字已变成问号，编码在到达这里之前就丢失了",
                    "has lost its Chinese: the encoding broke before it came here",
                ),
                ("请以 UTF-8 传递原文", "pass the original text as UTF-8"),
            ));
        }
        return Err(Flaw::character(row, refused));
    }
    Flaw::unless_within(row, trimmed)?;
    Ok(())
}

fn is_lost_encoding(text: &str) -> bool {
    text.chars().take(64).all(|character| matches!(character, '?' | '\u{FFFD}'))
}

pub(super) fn fit<'a>(row: &FieldType, text: &'a str) -> Fit<'a> {
    let trimmed = glyph::trim(text);
    if trimmed.chars().take(row.limit + 1).all(is_ideograph) && !trimmed.is_empty() {
        let rule = if glyph::is_longer(trimmed, row.limit) { "cut" } else { "space" };
        return Fit::new(glyph::cut(trimmed, row.limit), rule);
    }
    let cleaned = glyph::clean(trimmed, row.limit * 8);
    if cleaned.text.is_empty() {
        return Fit::new(row.placeholder.unwrap_or_default(), "placeholder");
    }
    let mut kept = String::new();
    let mut numbers = false;
    let mut rest = cleaned.text.chars().peekable();
    while let Some(character) = rest.next() {
        if is_ideograph(character) {
            kept.push(character);
        } else if let Some(first) = digit(character) {
            let mut digits = vec![first];
            while let Some(next) = rest.peek().copied().and_then(digit) {
                digits.push(next);
                rest.next();
            }
            if matches!(rest.peek(), Some('.' | '．' | ',' | '，' | '%' | '％' | '/' | ':' | '：' | '-' | '~')) {
                // Part of a figure that Chinese characters cannot say in this room.
                return Fit::new(trimmed, "space");
            }
            numbers = true;
            write_number(&digits, &mut kept);
        }
    }
    let too_long = glyph::is_longer(&kept, row.limit);
    if kept.is_empty() || (numbers && too_long) {
        return Fit::new(trimmed, "space");
    }
    Fit::new(glyph::cut(&kept, row.limit).to_owned(), if too_long { "cut" } else { "characters" })
}

/// Numbers up to 99 are read out (十三), longer ones spelt digit by digit (一三八).
fn write_number(digits: &[u32], out: &mut String) {
    match digits {
        [tens @ 1..=9, ones] => {
            if *tens > 1 {
                out.push(numeral(*tens));
            }
            out.push('十');
            if *ones > 0 {
                out.push(numeral(*ones));
            }
        }
        _ => out.extend(digits.iter().map(|&digit| numeral(digit))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::FIELD_TYPES;
    use super::*;

    fn row() -> &'static FieldType {
        FIELD_TYPES.iter().find(|row| row.prefix == "phrase").unwrap()
    }

    fn fitted(text: &str) -> String {
        fit(row(), text).value.into_owned()
    }

    #[test]
    fn up_to_five_chinese_characters_pass() {
        for text in ["通过", "未支付", "助手已掉线", "𠮷祥"] {
            assert!(check(row(), text).is_ok(), "{text}");
        }
        assert_eq!(check(row(), "邀请金到账提醒").unwrap_err().rule, "too_long");
        assert_eq!(check(row(), "一二三四五六").unwrap_err().rule, "too_long");
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["111", "13笔", "EMS", "??", "2小时", "已发货!", "审核中…", "已 发货", "***", "aaa"] {
            assert_eq!(check(row(), text).unwrap_err().rule, "characters", "{text}");
        }
    }

    #[test]
    fn long_phrases_are_cut_and_punctuation_dropped() {
        assert_eq!(fitted("邀请金到账提醒"), "邀请金到账");
        assert_eq!(fitted("已发货！"), "已发货");
        assert_eq!(fitted("审核中…"), "审核中");
        assert_eq!(fitted("已发货🚚"), "已发货");
        assert_eq!(fitted(""), "无");
        assert_eq!(fitted("🚚"), "无");
    }

    #[test]
    fn digits_become_numerals_or_the_value_is_refused() {
        assert_eq!(fitted("13笔"), "十三笔");
        assert_eq!(fitted("2小时"), "二小时");
        assert_eq!(fitted("3室2厅"), "三室二厅");
        assert_eq!(fitted("111"), "一一一");
        for text in ["123456笔", "1.5倍", "50%折", "EMS", "??"] {
            assert!(check(row(), &fitted(text)).is_err(), "{text}");
        }
    }
}
