//! `number`: at most 32 digits, a decimal point allowed, no sign.

use super::decimal::{with_both_sides, without_thousands};
use super::flaw::{Fit, Flaw};
use super::glyph::{self, digit};
use super::table::FieldType;

pub(super) fn check(row: &FieldType, text: &str) -> Result<(), Flaw> {
    let trimmed = Flaw::unless_filled(text)?;
    let mut whole = 0;
    let mut digits = 0;
    let mut points = 0;
    for character in trimmed.chars() {
        match character {
            _ if digit(character).is_some() => {
                digits += 1;
                whole += usize::from(points == 0);
            }
            '.' | '．' if points == 0 => points += 1,
            '.' | '．' => return Err(Flaw::format(row)),
            _ => return Err(Flaw::character(row, character)),
        }
    }
    if digits == 0 {
        return Err(Flaw::format(row));
    }
    // Whether decimals count is not known, so they do not.
    if whole > row.limit {
        return Err(Flaw::too_long(row, row.limit, trimmed));
    }
    Ok(())
}

pub(super) fn fit<'a>(_row: &FieldType, text: &'a str) -> Fit<'a> {
    let folded = glyph::fold(text);
    let plain = without_thousands(&folded);
    match with_both_sides(plain.as_deref().unwrap_or(&folded)).or(plain) {
        Some(number) => Fit::new(number, "number"),
        None => Fit::new(folded, "width"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::FIELD_TYPES;
    use super::*;

    fn row() -> &'static FieldType {
        FIELD_TYPES.iter().find(|row| row.prefix == "number").unwrap()
    }

    #[test]
    fn digits_with_or_without_decimals_pass() {
        for text in ["0", "2020062215360648", "12.50", "007"] {
            assert!(check(row(), text).is_ok(), "{text}");
        }
        assert!(check(row(), &"9".repeat(32)).is_ok());
        assert_eq!(check(row(), &"9".repeat(33)).unwrap_err().rule, "too_long");
    }

    #[test]
    fn signs_letters_and_units_are_refused_in_every_mode() {
        for text in ["-5", "+10", "RE12023080300184", "3件", "1e5", "1-2", "12 34"] {
            assert_eq!(check(row(), text).unwrap_err().rule, "characters", "{text}");
            assert_eq!(fit(row(), text).value, text);
        }
        assert_eq!(check(row(), "1.2.3").unwrap_err().rule, "format");
        assert_eq!(check(row(), ".").unwrap_err().rule, "format");
        assert_eq!(check(row(), "").unwrap_err().rule, "empty");
    }

    #[test]
    fn separators_and_widths_are_fitted() {
        assert_eq!(fit(row(), "1,234,567.8").value, "1234567.8");
        assert_eq!(fit(row(), " １２３．５ ").value, "123.5");
        assert_eq!(fit(row(), "1,23").value, "1,23");
        assert_eq!(fit(row(), ".5").value, "0.5");
        assert_eq!(fit(row(), "5.").value, "5");
    }
}
