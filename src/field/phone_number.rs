//! `phone_number`: at most 17 digits and symbols. Masked numbers (`138****9000`) are digits and symbols too.

use super::flaw::{Fit, Flaw};
use super::glyph;
use super::table::FieldType;

pub(super) fn check(row: &FieldType, text: &str) -> Result<(), Flaw> {
    let trimmed = Flaw::unless_filled(text)?;
    let is_letter = |character: char| {
        let half = glyph::half_width(character).unwrap_or(character);
        half.is_control() || (half.is_alphabetic() && (half.is_ascii() || glyph::is_wide_letter(half)))
    };
    if let Some(character) = trimmed.chars().take(row.limit + 1).find(|&character| is_letter(character)) {
        return Err(Flaw::character(row, character));
    }
    Flaw::unless_within(row, trimmed)?;
    Ok(())
}

pub(super) fn fit<'a>(row: &FieldType, text: &'a str) -> Fit<'a> {
    let folded = glyph::fold(text);
    if glyph::is_longer(&folded, row.limit) && folded.len() < 64 && folded.contains(' ') {
        // Spaces group a number; they are no part of it.
        return Fit::new(glyph::trim(&folded.replace(' ', "")).to_owned(), "width");
    }
    Fit::new(folded, "width")
}

#[cfg(test)]
mod tests {
    use super::super::table::FIELD_TYPES;
    use super::*;

    fn row() -> &'static FieldType {
        FIELD_TYPES.iter().find(|row| row.prefix == "phone_number").unwrap()
    }

    #[test]
    fn seventeen_digits_and_symbols_pass() {
        for text in ["+86-0766-66888866", "13700000009", "138****9000", "(0755) 8888-888"] {
            assert!(check(row(), text).is_ok(), "{text}");
        }
        assert_eq!(check(row(), "+86-0766-668888660").unwrap_err().rule, "too_long");
    }

    #[test]
    fn letters_and_chinese_are_refused_in_every_mode() {
        for text in ["测试", "15隐私保护7851", "SF1234567890", "1320000xxx"] {
            assert_eq!(check(row(), text).unwrap_err().rule, "characters", "{text}");
            assert_eq!(fit(row(), text).value, text);
        }
    }

    #[test]
    fn widths_and_superfluous_spaces_are_fitted() {
        assert_eq!(fit(row(), "＋８６　１３８００００１２３４").value, "+86 13800001234");
        assert_eq!(fit(row(), "+86 0766 6688 8866").value, "+86076666888866");
        assert_eq!(fit(row(), "12345678901234567890").value, "12345678901234567890");
    }
}
