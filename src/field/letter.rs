//! `letter` and `symbol`: short codes that are never cut. Official accounts and mini programs hardly use them.

use super::flaw::{Fit, Flaw};
use super::glyph;
use super::table::{FieldType, Kind};

pub(super) fn check(row: &FieldType, text: &str) -> Result<(), Flaw> {
    let trimmed = Flaw::unless_filled(text)?;
    Flaw::unless_within(row, trimmed)?;
    let refused = |character: &char| {
        if row.kind == Kind::Letter {
            !character.is_alphabetic() || glyph::is_wide_letter(*character)
        } else {
            character.is_alphanumeric() || character.is_control()
        }
    };
    match trimmed.chars().find(refused) {
        Some(character) => Err(Flaw::character(row, character)),
        None => Ok(()),
    }
}

pub(super) fn fit<'a>(row: &FieldType, text: &'a str) -> Fit<'a> {
    // A full-width symbol is a symbol; a full-width letter may not be taken for a letter.
    if row.kind == Kind::Symbol { Fit::new(glyph::trim(text), "space") } else { Fit::new(glyph::fold(text), "width") }
}

#[cfg(test)]
mod tests {
    use super::super::table::FIELD_TYPES;
    use super::*;

    fn row(prefix: &str) -> &'static FieldType {
        FIELD_TYPES.iter().find(|row| row.prefix == prefix).unwrap()
    }

    #[test]
    fn a_letter_field_holds_thirty_two_letters() {
        let row = row("letter");
        assert!(check(row, &"aB".repeat(16)).is_ok());
        assert_eq!(check(row, &"a".repeat(33)).unwrap_err().rule, "too_long");
        for text in ["a1", "字", "a b", "a-b"] {
            assert_eq!(check(row, text).unwrap_err().rule, "characters", "{text}");
        }
        assert_eq!(fit(row, "ＡＢ").value, "AB");
    }

    #[test]
    fn a_symbol_field_holds_five_symbols() {
        let row = row("symbol");
        assert!(check(row, "+-*/%").is_ok());
        assert!(check(row, "，。！").is_ok());
        assert_eq!(check(row, "++++++").unwrap_err().rule, "too_long");
        for text in ["+a", "1", "加", "+\n+"] {
            assert_eq!(check(row, text).unwrap_err().rule, "characters", "{text}");
        }
        assert_eq!(check(row, "").unwrap_err().rule, "empty");
    }
}
