//! What holds for every payload, whatever is in it.

// Helpers of tests, which the lint settings do not count as tests.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::borrow::Cow;

mod generators;

use generators::{number, value};
use proptest::prelude::*;
use routine_template::field::{Checked, Mode, check};
use routine_template::message::{Channel, Input};
use routine_template::template::Template;
use unicode_segmentation::UnicodeSegmentation;

const TYPES: [&str; 20] = [
    "thing",
    "short_thing",
    "number",
    "letter",
    "symbol",
    "character_string",
    "time",
    "date",
    "amount",
    "phone_number",
    "car_number",
    "name",
    "phrase",
    "enum",
    "enum_string",
    "const",
    "keyword",
    "first",
    "remark",
    "账号",
];

fn key() -> impl Strategy<Value = String> {
    (prop::sample::select(&TYPES[..]), prop::option::of(0..30_u32))
        .prop_map(|(prefix, number)| number.map_or(prefix.to_owned(), |number| format!("{prefix}{number}")))
}

fn channel() -> impl Strategy<Value = Channel> {
    prop::sample::select(&[Channel::Subscribe, Channel::Bizsend, Channel::Template][..])
}

fn one(key: &str, value: &str, mode: Mode, channel: Channel) -> Checked {
    let data = Input::Map(vec![(Cow::Borrowed(key.as_bytes()), Input::text(value))]);
    check(&data, None, mode, channel)
}

/// What must survive in an identifier: its letters and digits, whatever their width.
fn essence(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '！'..='～' => char::from_u32(u32::from(character) - 0xFEE0).unwrap(),
            _ => character,
        })
        .filter(|character| character.is_alphanumeric())
        .collect()
}

/// The number that an amount says: sign, digits before the point, decimals without idle zeros, and whether it is in 元.
fn worth(text: &str) -> (bool, String, String, bool) {
    let half: String = text
        .chars()
        .map(|character| match character {
            '！'..='～' => char::from_u32(u32::from(character) - 0xFEE0).unwrap(),
            '−' => '-',
            _ => character,
        })
        .collect();
    let digits: String = half.chars().filter(|character| character.is_ascii_digit() || *character == '.').collect();
    let (whole, decimals) = digits.split_once('.').unwrap_or((&digits, ""));
    // `.5` and `0.5` are one number.
    let whole = if whole.is_empty() { "0" } else { whole };
    (half.contains('-'), whole.to_owned(), decimals.trim_end_matches('0').to_owned(), half.contains('元'))
}

fn any_input() -> impl Strategy<Value = Input<'static>> {
    let leaf = prop_oneof![
        Just(Input::Null),
        any::<bool>().prop_map(Input::Bool),
        any::<i64>().prop_map(Input::Int),
        any::<f64>().prop_map(Input::Float),
        value().prop_map(Input::text),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| Input::Text(Cow::Owned(bytes))),
        Just(Input::Unusable(Cow::Borrowed("resource"))),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        let key = prop_oneof![
            3 => key().prop_map(String::into_bytes),
            2 => Just(b"value".to_vec()),
            1 => key().prop_map(|key| format!("{{{{{key}.DATA}}}}").into_bytes()),
            1 => (0..4_u8).prop_map(|index| index.to_string().into_bytes()),
            1 => prop::collection::vec(any::<u8>(), 0..6),
        ];
        prop::collection::vec((key.prop_map(Cow::Owned), inner), 0..6).prop_map(Input::Map)
    })
}

fn as_input(checked: &Checked) -> Input<'_> {
    Input::Map(
        checked
            .fields
            .iter()
            .map(|(key, value)| (Cow::Borrowed(key.as_bytes()), Input::text(value.as_str())))
            .collect(),
    )
}

proptest! {
    #![proptest_config(generators::config(4000))]

    #[test]
    fn whatever_fit_returns_passes_strict_and_is_fitted_already(key in key(), value in value(), channel in channel()) {
        let fitted = one(&key, &value, Mode::Fit, channel);
        prop_assert_eq!(fitted.fields.len() + fitted.violations.len(), 1);
        for (key, value) in &fitted.fields {
            let strict = one(key, value, Mode::Strict, channel);
            prop_assert!(strict.violations.is_empty(), "{:?} from {:?}", strict.violations, fitted.changes);
            let again = one(key, value, Mode::Fit, channel);
            prop_assert_eq!(&again.fields, &fitted.fields);
            prop_assert!(again.changes.is_empty(), "{:?} after {:?}", again.changes, fitted.changes);
            prop_assert!(!value.chars().any(char::is_control), "{:?}", value);
        }
    }

    #[test]
    fn a_change_is_reported_if_and_only_if_the_value_changed(key in key(), value in value()) {
        let fitted = one(&key, &value, Mode::Fit, Channel::Subscribe);
        if let [(_, sent)] = fitted.fields.as_slice()
            && !value.starts_with('{')
        {
            prop_assert_eq!(fitted.changes.len(), usize::from(*sent != value));
            prop_assert!(fitted.changes.iter().all(|change| change.to.as_deref() == Some(sent)));
        }
    }

    #[test]
    fn identifiers_numbers_phones_and_plates_keep_their_value(
        prefix in prop::sample::select(&["character_string", "number", "phone_number", "car_number", "letter", "symbol", "enum"][..]),
        value in prop_oneof![value(), number()],
    ) {
        prop_assume!(!value.starts_with('{'));
        let fitted = one(&format!("{prefix}1"), &value, Mode::Fit, Channel::Subscribe);
        for (_, sent) in &fitted.fields {
            let (sent, meant) = (essence(sent), essence(&value));
            // `.5` is written 0.5.
            prop_assert!(sent == meant || (prefix == "number" && sent == format!("0{meant}")), "{} from {}", sent, meant);
        }
    }

    #[test]
    fn amounts_keep_their_worth(value in prop_oneof![value(), number()], channel in channel()) {
        prop_assume!(!value.starts_with('{'));
        let fitted = one("amount1", &value, Mode::Fit, channel);
        for (_, sent) in &fitted.fields {
            prop_assert_eq!(worth(sent), worth(&value));
        }
    }

    #[test]
    fn strict_and_off_change_no_value(key in key(), value in value()) {
        prop_assume!(!value.starts_with('{'));
        for mode in [Mode::Strict, Mode::Off] {
            let checked = one(&key, &value, mode, Channel::Subscribe);
            prop_assert!(checked.changes.is_empty());
            for (_, sent) in &checked.fields {
                prop_assert_eq!(sent, &value);
            }
        }
    }

    #[test]
    fn what_strict_accepts_fit_does_not_refuse(key in key(), value in value(), channel in channel()) {
        if one(&key, &value, Mode::Strict, channel).violations.is_empty() {
            let fitted = one(&key, &value, Mode::Fit, channel);
            prop_assert!(fitted.violations.is_empty(), "{:?}", fitted.violations);
        }
    }

    #[test]
    fn a_cut_falls_between_graphemes(
        clusters in prop::collection::vec(
            prop::sample::select(&["字", "e\u{301}", "\u{1112}\u{1161}\u{11ab}", "ก\u{e33}", "a", "न\u{93f}", "한", "n\u{303}\u{323}"][..]), 1..40,
        ),
        prefix in prop::sample::select(&["thing", "short_thing"][..]),
    ) {
        let value = clusters.concat();
        let fitted = one(&format!("{prefix}1"), &value, Mode::Fit, Channel::Subscribe);
        let (_, sent) = &fitted.fields[0];
        let whole: Vec<&str> = value.graphemes(true).collect();
        let kept: Vec<&str> = sent.graphemes(true).collect();
        prop_assert_eq!(&whole[..kept.len()], &kept[..]);
    }

    #[test]
    fn no_input_breaks_anything(
        data in any_input(),
        mode in prop::sample::select(&[Mode::Fit, Mode::Strict, Mode::Off][..]),
        channel in channel(),
        template in prop::option::of(prop::collection::vec(key(), 0..5)),
    ) {
        let template = template.map(|keys| {
            Template::from_content(&keys.iter().map(|key| format!("字{{{{{key}.DATA}}}}\n")).collect::<String>())
        });
        let checked = check(&data, template.as_ref(), mode, channel);
        for violation in &checked.violations {
            for text in [&violation.field, &violation.value, &violation.message_zh, &violation.message_en] {
                prop_assert!(!text.chars().any(char::is_control), "{:?}", text);
            }
            prop_assert!(violation.message_en.len() < 2000);
        }
        if mode == Mode::Fit && checked.violations.is_empty() {
            let strict = check(&as_input(&checked), template.as_ref(), Mode::Strict, channel);
            prop_assert!(strict.violations.is_empty(), "{:?}", strict.violations);
        }
    }

    #[test]
    fn no_bytes_and_no_json_break_anything(bytes in prop::collection::vec(any::<u8>(), 0..200), json in "[\\[\\]{}\":,0-9a-zA-Z\\\\. ]{0,60}") {
        for data in [&bytes[..], json.as_bytes()] {
            check(&Input::Text(Cow::Borrowed(data)), None, Mode::Fit, Channel::Subscribe);
            let members = vec![(Cow::Borrowed(&b"thing1"[..]), Input::Text(Cow::Borrowed(data)))];
            check(&Input::Map(members), None, Mode::Fit, Channel::Subscribe);
        }
    }

    #[test]
    fn no_content_breaks_the_template_reader(content in prop_oneof![any::<String>(), "[{}a-z1DAT.:\\\\\n 号]{0,120}"]) {
        let template = Template::from_content(&content);
        for field in &template.fields {
            prop_assert!(!field.key.is_empty() && !field.key.contains(".DATA"));
            prop_assert!(!field.caption.chars().any(char::is_control));
        }
    }
}
