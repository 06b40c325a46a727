//! `character_string`: an identifier of at most 32 digits, letters and symbols. No Chinese; never cut, never altered beyond its width.

use super::flaw::{Fit, Flaw};
use super::glyph;
use super::table::FieldType;

pub(super) fn check(row: &FieldType, text: &str) -> Result<(), Flaw> {
    let trimmed = Flaw::unless_filled(text)?;
    // Full-width forms count as symbols here: nobody has seen them refused.
    let refused = if trimmed.is_ascii() {
        trimmed.bytes().find(u8::is_ascii_control).map(char::from)
    } else {
        trimmed.chars().find(|&character| character.is_control() || glyph::is_wide_letter(character))
    };
    if let Some(character) = refused {
        return Err(Flaw::character(row, character));
    }
    Flaw::unless_within(row, trimmed)?;
    Ok(())
}

pub(super) fn fit<'a>(_row: &FieldType, text: &'a str) -> Fit<'a> {
    Fit::new(glyph::fold(text), "width")
}

#[cfg(test)]
mod tests {
    use super::super::table::FIELD_TYPES;
    use super::*;

    fn row() -> &'static FieldType {
        FIELD_TYPES.iter().find(|row| row.prefix == "character_string").unwrap()
    }

    #[test]
    fn digits_letters_and_symbols_pass() {
        for text in
            ["SF150383222222", "1226500280046063616", "125 mmHg", "20200728-IT0000025-0003", "0/21", "----", "-"]
        {
            assert!(check(row(), text).is_ok(), "{text}");
        }
        assert!(check(row(), &"a".repeat(32)).is_ok());
        assert_eq!(check(row(), &"a".repeat(33)).unwrap_err().rule, "too_long");
    }

    #[test]
    fn chinese_is_refused_in_every_mode() {
        for text in ["车位-256", "北京", "测试订阅消息1", "无", "12度"] {
            assert_eq!(check(row(), text).unwrap_err().rule, "characters", "{text}");
            assert_eq!(fit(row(), text).value, text);
        }
        assert_eq!(check(row(), "A\nB").unwrap_err().rule, "characters");
        assert_eq!(check(row(), " ").unwrap_err().rule, "empty");
    }

    #[test]
    fn an_identifier_that_is_too_long_is_never_cut() {
        let long = "1".repeat(33);
        assert_eq!(fit(row(), &long).value, long);
    }

    #[test]
    fn only_width_and_outer_space_are_fitted() {
        assert_eq!(fit(row(), " ＳＦ１５０－３ ").value, "SF150-3");
        assert_eq!(fit(row(), "\u{FEFF}wx123\u{200B}").value, "wx123");
        assert_eq!(fit(row(), "a b").value, "a b");
    }
}
