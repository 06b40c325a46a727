//! `car_number`: at most 8 characters; the first and the last may be Chinese, the others are letters and digits.

use super::flaw::{Fit, Flaw};
use super::glyph::{self, is_han};
use super::table::FieldType;

pub(super) fn check(row: &FieldType, text: &str) -> Result<(), Flaw> {
    let trimmed = Flaw::unless_filled(text)?;
    Flaw::unless_within(row, trimmed)?;
    let last = trimmed.chars().count().saturating_sub(1);
    for (position, character) in trimmed.chars().enumerate() {
        let is_code = glyph::half_width(character).unwrap_or(character).is_ascii_alphanumeric();
        let may_be_han = position == 0 || position == last;
        if !(is_code || (may_be_han && is_han(character))) {
            return Err(Flaw::character(row, character));
        }
    }
    Ok(())
}

pub(super) fn fit<'a>(_row: &FieldType, text: &'a str) -> Fit<'a> {
    const SEPARATORS: [char; 7] = [' ', '·', '•', '・', '.', '-', '\u{2022}'];
    let folded = glyph::fold(text);
    if folded.len() < 64 && folded.contains(SEPARATORS) {
        return Fit::new(glyph::trim(&folded.replace(SEPARATORS, "")).to_owned(), "width");
    }
    Fit::new(folded, "width")
}

#[cfg(test)]
mod tests {
    use super::super::table::FIELD_TYPES;
    use super::*;

    fn row() -> &'static FieldType {
        FIELD_TYPES.iter().find(|row| row.prefix == "car_number").unwrap()
    }

    #[test]
    fn plates_pass() {
        for text in ["粤A8Z888挂", "浙J9X09F", "粤RB8888", "粤AD12345", "ABC123"] {
            assert!(check(row(), text).is_ok(), "{text}");
        }
        assert_eq!(check(row(), "粤AD123456").unwrap_err().rule, "too_long");
    }

    #[test]
    fn chinese_in_the_middle_and_marks_are_refused() {
        for text in ["粤港A123", "粤A…", "粤A*888", "我的车牌"] {
            assert_eq!(check(row(), text).unwrap_err().rule, "characters", "{text}");
        }
    }

    #[test]
    fn separators_and_widths_are_fitted_but_never_the_value() {
        assert_eq!(fit(row(), "粤A·D12345").value, "粤AD12345");
        assert_eq!(fit(row(), "粤 Ｂ－１２３４５").value, "粤B12345");
        assert_eq!(fit(row(), "粤AD123456").value, "粤AD123456");
    }
}
