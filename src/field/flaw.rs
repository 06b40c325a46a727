//! What is wrong with one value, and how it is told.

use std::borrow::Cow;
use std::fmt::Write;

use super::Violation;
use super::glyph::{self, shorten};
use super::table::{FieldType, Unit};

/// A reason for refusal: the rule, and the two halves of its sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw {
    /// The short stable name of [`Violation::rule`].
    pub(super) rule: &'static str,
    /// What is wrong, Chinese.
    pub(super) why_zh: Cow<'static, str>,
    /// What is wrong, English.
    pub(super) why_en: Cow<'static, str>,
    /// What to do, Chinese.
    pub(super) fix_zh: Cow<'static, str>,
    /// What to do, English.
    pub(super) fix_en: Cow<'static, str>,
}

impl Flaw {
    pub(super) fn new(
        rule: &'static str,
        why: (impl Into<Cow<'static, str>>, impl Into<Cow<'static, str>>),
        fix: (impl Into<Cow<'static, str>>, impl Into<Cow<'static, str>>),
    ) -> Self {
        Self { rule, why_zh: why.0.into(), why_en: why.1.into(), fix_zh: fix.0.into(), fix_en: fix.1.into() }
    }

    /// WeChat answers `is empty`.
    pub(super) fn empty() -> Self {
        Self::new("empty", ("的值为空", "is empty"), ("请填写内容", "give it a value"))
    }

    /// The value without its outer space, if anything is left of it.
    pub(super) fn unless_filled(text: &str) -> Result<&str, Self> {
        let trimmed = glyph::trim(text);
        if trimmed.is_empty() { Err(Self::empty()) } else { Ok(trimmed) }
    }

    /// That the value has no more characters than the table says.
    pub(super) fn unless_within(row: &FieldType, trimmed: &str) -> Result<(), Self> {
        if glyph::is_longer(trimmed, row.limit) { Err(Self::too_long(row, row.limit, trimmed)) } else { Ok(()) }
    }

    /// More units than the type holds.
    pub(super) fn too_long(row: &FieldType, limit: usize, text: &str) -> Self {
        let (noun_zh, noun_en) =
            if row.unit == Unit::Digits { ("位数字", "digits") } else { ("个字符", "characters") };
        let given = match row.unit {
            Unit::Digits => text.chars().filter_map(glyph::digit).count(),
            _ => glyph::count(text),
        };
        Self::new(
            "too_long",
            (
                format!("最多 {limit} {noun_zh}，给出了 {given} 个"),
                format!("holds at most {limit} {noun_en} and was given {given}"),
            ),
            (format!("请缩短到 {limit} {noun_zh}以内"), format!("shorten it to {limit} {noun_en}")),
        )
    }

    /// A character that the type does not hold.
    pub(super) fn character(row: &FieldType, character: char) -> Self {
        let (name_zh, name_en) = character_name(character);
        Self::new(
            "characters",
            (format!("不能含有{name_zh}"), format!("cannot hold {name_en}")),
            (format!("请改为：{}", row.rule_zh), format!("send {}", row.rule_en)),
        )
    }

    /// A form that WeChat does not read.
    pub(super) fn format(row: &FieldType) -> Self {
        Self::new(
            "format",
            ("格式不对", "has a form that WeChat does not read"),
            (format!("请改为：{}", row.rule_zh), format!("send {}", row.rule_en)),
        )
    }

    /// The violation of a field.
    pub(super) fn of(self, field: &str, row: Option<&FieldType>, given: &str, fits: Option<String>) -> Violation {
        let value = shorten(given);
        let field = shorten(field);
        let label = row.map_or_else(|| " ".to_owned(), |row| format!("（{}）", row.name));
        let mut message_zh = format!("{field}{label}{}", self.why_zh);
        let mut message_en = format!("{field} {}", self.why_en);
        if !value.is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(message_zh, "（给出的是“{value}”）");
            let _ = write!(message_en, " (given: \"{value}\")");
        }
        if let Some(fits) = &fits {
            let _ = write!(message_zh, "，{}，可写作“{}”。", self.fix_zh, shorten(fits));
            let _ = write!(message_en, "; {}, for example \"{}\".", self.fix_en, shorten(fits));
        } else {
            let _ = write!(message_zh, "，{}。", self.fix_zh);
            let _ = write!(message_en, "; {}.", self.fix_en);
        }
        Violation { field, rule: self.rule, value, fits, message_zh, message_en }
    }
}

/// What a character is called, Chinese and English.
fn character_name(character: char) -> (String, String) {
    let both = |name: String| (name.clone(), name);
    match character {
        '\n' | '\r' => ("换行".to_owned(), "a line break".to_owned()),
        '\t' => ("制表符".to_owned(), "a tab".to_owned()),
        ' ' => ("空格".to_owned(), "a space".to_owned()),
        _ if character.is_control() || glyph::is_invisible(character) => {
            both(format!("U+{:04X}", u32::from(character)))
        }
        _ => (format!("“{character}”"), format!("\"{character}\"")),
    }
}

/// The outcome of fitting one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fit<'a> {
    /// The value to check and send.
    pub(super) value: Cow<'a, str>,
    /// Why it was altered; meaningless where it was not.
    pub(super) rule: &'static str,
}

impl<'a> Fit<'a> {
    pub(super) fn new(value: impl Into<Cow<'a, str>>, rule: &'static str) -> Self {
        Self { value: value.into(), rule }
    }
}
