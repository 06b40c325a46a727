//! `enum`, `enum_string` and `const`: values from a list that only the template knows. `const` may be empty.

use std::fmt::Write;

use super::flaw::{Fit, Flaw};
use super::glyph::{self, shorten};
use super::table::{FieldType, Kind};

pub(super) fn check(row: &FieldType, values: Option<&[String]>, text: &str) -> Result<(), Flaw> {
    let trimmed = glyph::trim(text);
    if trimmed.is_empty() {
        return if row.kind == Kind::Const { Ok(()) } else { Err(Flaw::empty()) };
    }
    if let Some(values) = values.filter(|values| !values.is_empty()) {
        if values.iter().any(|value| value == text || value.trim() == trimmed) {
            return Ok(());
        }
        return Err(not_listed(values));
    }
    if row.kind == Kind::Const && glyph::is_longer(trimmed, row.limit) {
        return Err(Flaw::too_long(row, row.limit, trimmed));
    }
    match trimmed.chars().find(|character| character.is_control()) {
        Some(control) => Err(Flaw::character(row, control)),
        None => Ok(()),
    }
}

fn not_listed(values: &[String]) -> Flaw {
    const SHOWN: usize = 8;
    let mut list = String::new();
    for value in values.iter().take(SHOWN) {
        let separator = if list.is_empty() { "" } else { " | " };
        // Writing to a string cannot fail.
        let _ = write!(list, "{separator}{}", shorten(value));
    }
    if values.len() > SHOWN {
        list.push_str(" | …");
    }
    Flaw::new(
        "choice",
        ("不在模板允许的值之中", "is not one of the values that the template allows"),
        (format!("请从中选一个：{list}"), format!("choose one of: {list}")),
    )
}

pub(super) fn fit<'a>(values: Option<&[String]>, text: &'a str) -> Fit<'a> {
    let trimmed = glyph::trim(text);
    let Some(values) = values else { return Fit::new(trimmed, "space") };
    if values.iter().any(|value| value == trimmed) || trimmed.len() > 512 {
        return Fit::new(trimmed, "space");
    }
    // The same value in another width or spacing is the same value, if it is only one.
    let bare =
        |text: &str| glyph::fold(text).chars().filter(|character| !character.is_whitespace()).collect::<String>();
    let wanted = bare(trimmed);
    let mut same = values.iter().filter(|value| bare(value) == wanted);
    match (same.next(), same.next()) {
        (Some(value), None) if !wanted.is_empty() => Fit::new(value.clone(), "choice"),
        _ => Fit::new(trimmed, "space"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::FIELD_TYPES;
    use super::*;

    fn row(prefix: &str) -> &'static FieldType {
        FIELD_TYPES.iter().find(|row| row.prefix == prefix).unwrap()
    }

    fn values() -> Vec<String> {
        ["故障", "正常(待机)"].map(str::to_owned).to_vec()
    }

    #[test]
    fn a_value_outside_the_list_is_refused() {
        let values = values();
        assert!(check(row("enum_string"), Some(&values), "故障").is_ok());
        let flaw = check(row("enum"), Some(&values), "hello").unwrap_err();
        assert_eq!(flaw.rule, "choice");
        assert!(flaw.fix_zh.contains("正常(待机)"));
        assert_eq!(check(row("const"), Some(&values), "严重").unwrap_err().rule, "choice");
    }

    #[test]
    fn without_a_list_wechat_decides() {
        assert!(check(row("enum"), None, "hello hello").is_ok());
        assert!(check(row("const"), None, "10室测视力→分诊台报到,以现场排号为准").is_ok());
        assert_eq!(check(row("const"), None, &"值".repeat(21)).unwrap_err().rule, "too_long");
    }

    #[test]
    fn only_a_const_may_be_empty() {
        assert!(check(row("const"), Some(&values()), "").is_ok());
        assert_eq!(check(row("enum"), None, " ").unwrap_err().rule, "empty");
    }

    #[test]
    fn another_width_of_a_listed_value_becomes_the_listed_one() {
        assert_eq!(fit(Some(&values()), " 正常（待机） ").value, "正常(待机)");
        assert_eq!(fit(Some(&values()), "其他").value, "其他");
    }
}
