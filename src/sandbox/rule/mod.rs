//! What WeChat accepts in a template parameter: the official table (订阅消息参数值内容限制说明) and what refusals have
//! shown beyond it. Written from those sources alone, so that it can judge the client's own rules.
//!
//! Where the evidence is open the strict reading of the table is taken; each such place says so.

mod character;
mod identity;
mod number;
mod text;
mod time;

use super::template::Field;

/// Why a value is refused; WeChat's 47003 knows only these two words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// `data.<key>.value is empty`: missing, not a value object, or blank.
    Empty,
    /// `data.<key>.value invalid`.
    Invalid,
}

impl Fault {
    /// The wording behind `data.<key>.value ` in errmsg.
    pub(super) fn wording(self) -> &'static str {
        match self {
            Fault::Empty => "is empty",
            Fault::Invalid => "invalid",
        }
    }
}

/// The two sets of limits: the one table has two editions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edition {
    /// subscribe/send: amount up to 10 digits.
    MiniProgram,
    /// bizsend and template/send: amount up to 12 digits.
    OfficialAccount,
}

/// The type of a parameter, read from the prefix of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Thing,
    ShortThing,
    Number,
    Letter,
    Symbol,
    CharacterString,
    Time,
    Date,
    Amount,
    PhoneNumber,
    CarNumber,
    Name,
    Phrase,
    Enum,
    Const,
    /// A prefix outside the table (`keyword1`, `first`): WeChat has no content rule for it.
    Other,
}

impl Kind {
    /// The type of `key`, such as `character_string1`. The whole prefix in front of the number counts, so that
    /// `short_thing` is not taken for `thing`.
    pub(super) fn of(key: &str) -> Kind {
        match key.trim_end_matches(|last: char| last.is_ascii_digit()) {
            "thing" => Kind::Thing,
            "short_thing" => Kind::ShortThing,
            "number" => Kind::Number,
            "letter" => Kind::Letter,
            "symbol" => Kind::Symbol,
            "character_string" => Kind::CharacterString,
            "time" => Kind::Time,
            "date" => Kind::Date,
            "amount" => Kind::Amount,
            "phone_number" => Kind::PhoneNumber,
            "car_number" => Kind::CarNumber,
            "name" => Kind::Name,
            "phrase" => Kind::Phrase,
            "enum" | "enum_string" => Kind::Enum,
            "const" => Kind::Const,
            _ => Kind::Other,
        }
    }
}

/// Judges the value of one template field; `None` stands for a missing key and for every structural fault.
pub(super) fn check(field: &Field, value: Option<&str>, edition: Edition) -> Result<(), Fault> {
    // A const may stay empty, and a missing one was never named (wx-5IFVv8hv names the time behind it).
    let Some(value) = value.filter(|value| !text::is_blank(value)) else {
        return if field.kind == Kind::Const { Ok(()) } else { Err(Fault::Empty) };
    };
    let valid = match field.kind {
        Kind::Thing => text::is_free_text(value, 20),
        // Not in the table; five characters in every code base that sends it.
        Kind::ShortThing => text::is_free_text(value, 5),
        Kind::Number => number::is_number(value),
        Kind::Letter => text::is_letters(value),
        Kind::Symbol => text::is_symbols(value),
        Kind::CharacterString => text::is_character_string(value),
        Kind::Time => time::is_time(value),
        Kind::Date => time::is_date(value),
        Kind::Amount => number::is_amount(value, edition),
        Kind::PhoneNumber => identity::is_phone_number(value),
        Kind::CarNumber => identity::is_car_number(value),
        Kind::Name => identity::is_name(value),
        Kind::Phrase => text::is_phrase(value),
        Kind::Enum => field.allows(value),
        Kind::Const => value.chars().count() <= 20 && field.allows(value),
        Kind::Other => true,
    };
    if valid { Ok(()) } else { Err(Fault::Invalid) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(key: &str, value: &str) -> Result<(), Fault> {
        check(&Field::new(key, None), Some(value), Edition::MiniProgram)
    }

    #[test]
    fn the_longest_prefix_decides_the_type() {
        assert_eq!(Kind::of("short_thing3"), Kind::ShortThing);
        assert_eq!(Kind::of("phone_number10"), Kind::PhoneNumber);
        assert_eq!(Kind::of("car_number12"), Kind::CarNumber);
        assert_eq!(Kind::of("enum_string4"), Kind::Enum);
        assert_eq!(Kind::of("character_string1"), Kind::CharacterString);
        assert_eq!(Kind::of("keyword1"), Kind::Other);
        assert_eq!(Kind::of("thing1.DATA"), Kind::Other);
    }

    #[test]
    fn the_values_of_the_official_examples_pass() {
        for (key, value) in [
            ("time1", "15:01"),
            ("time1", "2019年10月1日 15:01"),
            ("phone_number1", "+86-0766-66888866"),
            ("car_number1", "粤A8Z888挂"),
            ("amount01", "￥100"),
            ("date2", "2019-12-25 09:42"),
            ("date01", "2018-01-01"),
            ("date01", "2015年01月05日"),
            ("name1", "订阅"),
            ("phrase3", "审核通过"),
            ("number01", "339208499"),
        ] {
            assert_eq!(judge(key, value), Ok(()), "{key} {value}");
        }
    }

    #[test]
    fn blank_and_missing_values_are_empty_for_every_type_but_const() {
        for key in ["thing1", "number1", "time1", "phrase5", "keyword1", "enum1"] {
            assert_eq!(judge(key, ""), Err(Fault::Empty), "{key}");
            assert_eq!(judge(key, "  "), Err(Fault::Empty), "{key}");
            assert_eq!(check(&Field::new(key, None), None, Edition::MiniProgram), Err(Fault::Empty), "{key}");
        }
        assert_eq!(judge("const1", ""), Ok(()));
        // wx-000c026f: the lone glyph is stripped before the check.
        assert_eq!(judge("thing1", "①"), Err(Fault::Empty));
    }

    #[test]
    fn enum_and_const_take_the_approved_values_only() {
        let values = Some(vec!["一般".to_owned(), "警告".to_owned()]);
        for key in ["enum_string2", "enum1", "const100"] {
            let field = Field::new(key, values.clone());
            assert_eq!(check(&field, Some("一般"), Edition::OfficialAccount), Ok(()), "{key}");
            // wx-8Wuxg-D7: const100 严重.
            assert_eq!(check(&field, Some("严重"), Edition::OfficialAccount), Err(Fault::Invalid), "{key}");
        }
        let long = "字".repeat(21);
        let field = Field::new("const1", Some(vec![long.clone()]));
        assert_eq!(check(&field, Some(&long), Edition::OfficialAccount), Err(Fault::Invalid));
    }

    #[test]
    fn text_that_lost_its_charset_passes_as_thing_and_fails_where_han_or_letters_are_required() {
        // wx-0008000f-sent, wx-00086605-sent.
        assert_eq!(judge("thing2", "????/???????"), Ok(()));
        assert_eq!(judge("phrase1", "??"), Err(Fault::Invalid));
        assert_eq!(judge("name1", "??"), Err(Fault::Invalid));
    }
}
