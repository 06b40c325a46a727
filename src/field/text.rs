//! Free text: `thing` and `short_thing`.
//!
//! WeChat counts characters, one each whatever they are: 20 pass, 21 do not. Whether emoji pass is not known for certain, so the
//! check lets them through; fitting drops them, because one is named as a cause of 47003 and official accounts remove them anyway.

use super::flaw::{Fit, Flaw};
use super::glyph;
use super::table::FieldType;

pub(super) fn check(row: &FieldType, text: &str) -> Result<(), Flaw> {
    let trimmed = Flaw::unless_filled(text)?;
    Flaw::unless_within(row, trimmed)?;
    match text.chars().find(|character| character.is_control()) {
        Some(control) => Err(Flaw::character(row, control)),
        None => Ok(()),
    }
}

pub(super) fn fit<'a>(row: &FieldType, text: &'a str) -> Fit<'a> {
    let cleaned = glyph::clean(text, row.limit);
    if cleaned.text.is_empty() {
        return Fit::new(row.placeholder.unwrap_or_default(), "placeholder");
    }
    if let Some(plain) = without_circles(&cleaned.text) {
        // ⑩ and above need two characters.
        return Fit::new(glyph::cut(&plain, row.limit).to_owned(), "characters");
    }
    let rule = match (cleaned.cut, cleaned.dropped) {
        (true, _) => "cut",
        (false, true) => "characters",
        (false, false) => "space",
    };
    Fit::new(cleaned.text, rule)
}

/// `1` for `①`: official accounts strip circled numbers, and a text of nothing else has come back as empty.
fn without_circles(text: &str) -> Option<String> {
    let circled = |character: char| matches!(character, '①'..='⑳').then(|| u32::from(character) - u32::from('①') + 1);
    if !text.starts_with(|character| circled(character).is_some()) {
        return None;
    }
    text.chars().map(|character| circled(character).map(|number| number.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::super::table::{FIELD_TYPES, FieldType};
    use super::*;

    fn thing() -> &'static FieldType {
        &FIELD_TYPES[0]
    }

    fn short_thing() -> &'static FieldType {
        &FIELD_TYPES[1]
    }

    #[test]
    fn twenty_characters_pass_and_twenty_one_do_not() {
        assert!(check(thing(), "您的投诉报修已处理完成,很高兴为您服务!").is_ok());
        assert!(check(thing(), &"字".repeat(20)).is_ok());
        assert_eq!(check(thing(), &"字".repeat(21)).unwrap_err().rule, "too_long");
        assert_eq!(check(thing(), "您的订单已经提交成功,请耐心等待店老板备货").unwrap_err().rule, "too_long");
        assert_eq!(check(thing(), &"a".repeat(21)).unwrap_err().rule, "too_long");
    }

    #[test]
    fn a_short_thing_holds_five_characters() {
        assert!(check(short_thing(), "见换班岗位").is_ok());
        assert!(check(short_thing(), "D-3").is_ok());
        assert_eq!(check(short_thing(), "见换班岗位吧").unwrap_err().rule, "too_long");
        assert_eq!(fit(short_thing(), "见换班岗位吧").value, "见换班岗位");
    }

    #[test]
    fn any_mixture_of_text_passes() {
        for text in ["1", "123", "生菜 1.20/斤 X 5 ", "????/???????", "-", "New Message", "发货:快递,请查收!"]
        {
            assert!(check(thing(), text).is_ok(), "{text}");
        }
    }

    #[test]
    fn circled_numbers_are_written_out_within_the_limit() {
        assert_eq!(fit(thing(), "①②").value, "12");
        assert_eq!(fit(short_thing(), "⑩⑩⑩⑩⑩").value, "10101");
        assert_eq!(fit(thing(), &"⑳".repeat(20)).value, "20".repeat(10));
    }

    #[test]
    fn nothing_and_blanks_are_empty() {
        for text in ["", " ", "\u{3000}\n", "\u{200B}"] {
            assert_eq!(check(thing(), text).unwrap_err().rule, "empty", "{text:?}");
            assert_eq!(fit(thing(), text), Fit::new("-", "placeholder"));
        }
    }

    #[test]
    fn control_characters_are_refused_and_fitted_away() {
        assert_eq!(check(thing(), "第一行\n第二行").unwrap_err().rule, "characters");
        assert_eq!(fit(thing(), "第一行\n第二行"), Fit::new("第一行 第二行", "characters"));
        assert_eq!(fit(thing(), "a\u{0}b\u{7f}").value, "ab");
    }

    #[test]
    fn long_text_is_cut_without_an_ellipsis() {
        let fitted = fit(thing(), "提现失败：您提交的收款账户信息与实名不一致，请核对后重新提交");
        assert_eq!(fitted, Fit::new("提现失败：您提交的收款账户信息与实名不一", "cut"));
        assert_eq!(fit(thing(), "恭喜🎉🎉您").value, "恭喜您");
        assert_eq!(fit(thing(), "🎉🎉").value, "-");
        assert_eq!(fit(thing(), "①").value, "1");
        assert_eq!(fit(thing(), "①号楼").value, "①号楼");
    }
}
