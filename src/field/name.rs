//! `name`: at most 10 characters with Chinese in them, at most 20 without; no digits.
//!
//! Nicknames hold digits (`用户410774`, `user25`), and WeChat refuses them. Writing them as Chinese numerals keeps the name whole, so that
//! is done where the result has room; where it has not, the digits go and the letters stay, as the letters are what a reader knows the
//! name by. Emoji and control characters go, and so do letters of other scripts than Chinese and Latin: nobody has seen one accepted. A
//! name that is then empty, or nothing but symbols, becomes `无`.

use std::borrow::Cow;

use super::flaw::{Fit, Flaw};
use super::glyph::{self, digit, is_han, is_ideograph};
use super::table::FieldType;

/// The limit once a Chinese character is in the name.
const WITH_HAN: usize = 10;
/// 零, not 〇: the latter is outside the block that simple checks take for Chinese.
pub(super) const NUMERALS: [char; 10] = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];

pub(super) fn numeral(digit: u32) -> char {
    usize::try_from(digit).ok().and_then(|index| NUMERALS.get(index).copied()).unwrap_or('零')
}

pub(super) fn check(row: &FieldType, text: &str) -> Result<(), Flaw> {
    let trimmed = Flaw::unless_filled(text)?;
    if glyph::is_longer(trimmed, row.limit) {
        return Err(Flaw::too_long(row, limit(row, trimmed, is_han), trimmed));
    }
    if let Some(refused) = text.chars().find(|character| character.is_ascii_digit() || character.is_control()) {
        return Err(Flaw::character(row, refused));
    }
    let limit = limit(row, trimmed, is_han);
    if glyph::is_longer(trimmed, limit) {
        return Err(Flaw::too_long(row, limit, trimmed));
    }
    Ok(())
}

fn limit(row: &FieldType, text: &str, is_chinese: fn(char) -> bool) -> usize {
    if text.chars().any(is_chinese) { WITH_HAN } else { row.limit }
}

pub(super) fn fit<'a>(row: &FieldType, text: &'a str) -> Fit<'a> {
    // Room enough that dropped digits can be followed by letters that still count.
    let cleaned = glyph::clean(text, row.limit * 2);
    let mut dropped = cleaned.dropped;
    let mut known = cleaned.text;
    if known.chars().any(is_foreign) {
        known = Cow::Owned(glyph::trim(&known.replace(is_foreign, "")).to_owned());
        dropped = true;
    }
    let mut rule = if dropped { "characters" } else { "space" };
    if known.chars().any(|character| digit(character).is_some()) {
        known = Cow::Owned(without_digits(row, &known));
        rule = "digits";
    }
    let limit = limit(row, &known, is_han);
    if glyph::is_longer(&known, limit) {
        known = Cow::Owned(glyph::cut(&known, limit).to_owned());
        rule = "cut";
    }
    if known.chars().any(char::is_alphabetic) {
        Fit::new(known, rule)
    } else {
        Fit::new(row.placeholder.unwrap_or_default(), "placeholder")
    }
}

/// A letter, mark, number or space that belongs to neither Chinese nor Latin names.
fn is_foreign(character: char) -> bool {
    let is_latin = character.is_ascii_alphabetic() || matches!(character, '\u{C0}'..='\u{24F}');
    let is_mark = matches!(character, '\u{300}'..='\u{36F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}'
        | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}');
    let is_letter = character.is_alphanumeric() && !is_latin && !is_ideograph(character) && digit(character).is_none();
    is_letter || is_mark || (character.is_whitespace() && character != ' ')
}

fn without_digits(row: &FieldType, text: &str) -> String {
    let written: String = text.chars().map(|character| digit(character).map_or(character, numeral)).collect();
    if !glyph::is_longer(&written, WITH_HAN) {
        return written;
    }
    let dropped: String = text.chars().filter(|&character| digit(character).is_none()).collect();
    let rest = glyph::trim(&dropped);
    let kept = if rest.chars().any(char::is_alphabetic) { rest } else { &written };
    glyph::cut(kept, limit(row, kept, is_han)).to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::table::FIELD_TYPES;
    use super::*;

    fn row() -> &'static FieldType {
        FIELD_TYPES.iter().find(|row| row.prefix == "name").unwrap()
    }

    fn fitted(text: &str) -> String {
        let fitted = fit(row(), text).value.into_owned();
        assert!(check(row(), &fitted).is_ok(), "{text} became {fitted}");
        assert_eq!(fit(row(), &fitted).value, fitted);
        fitted
    }

    #[test]
    fn ten_chinese_characters_or_twenty_letters_pass() {
        for text in ["吴彦祖", "红", "heh", "Niya", "张三Tom", "Jean-Paul O'Neil", "阿凡提·买买提", "张**"]
        {
            assert!(check(row(), text).is_ok(), "{text}");
        }
        assert!(check(row(), &"名".repeat(10)).is_ok());
        assert_eq!(check(row(), &"名".repeat(11)).unwrap_err().rule, "too_long");
        assert!(check(row(), &"n".repeat(20)).is_ok());
        assert_eq!(check(row(), &"n".repeat(21)).unwrap_err().rule, "too_long");
        assert_eq!(check(row(), "名nnnnnnnnnn").unwrap_err().rule, "too_long");
    }

    #[test]
    fn digits_are_refused() {
        for text in ["user25", "用户410774", "订阅消息内容1", "用户o4o4-3", "138****9000"] {
            assert_eq!(check(row(), text).unwrap_err().rule, "characters", "{text}");
        }
    }

    #[test]
    fn a_nickname_with_digits_keeps_them_as_numerals_where_there_is_room() {
        assert_eq!(fitted("用户410774"), "用户四一零七七四");
        assert_eq!(fitted("user25"), "user二五");
        assert_eq!(fitted("用户o4o4-3"), "用户o四o四-三");
    }

    #[test]
    fn without_room_the_digits_go() {
        assert_eq!(fitted("player_20240101"), "player_");
        assert_eq!(fitted("用户410774加入您的团队"), "用户加入您的团队");
        assert_eq!(fitted("13800001234"), "一三八零零零零一二三");
        assert_eq!(fitted("138****9000"), "一三八****九零零");
    }

    #[test]
    fn long_emoji_and_empty_nicknames_are_accepted() {
        assert_eq!(fitted("一二三四五六加入您的团队"), "一二三四五六加入您的");
        assert_eq!(fitted("🌸小花🌸加入您的团队"), "小花加入您的团队");
        assert_eq!(fitted("Alexander Maximilian Hohenzollern"), "Alexander Maximilian");
        assert_eq!(fitted("🌸🌸"), "无");
        assert_eq!(fitted(""), "无");
    }
}
