use std::borrow::Cow;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};

use super::*;

fn map<'a>(members: &[(&'a str, Input<'a>)]) -> Input<'a> {
    Input::Map(members.iter().map(|(key, value)| (Cow::Borrowed(key.as_bytes()), value.clone())).collect())
}

fn text(value: &str) -> Input<'_> {
    Input::text(value)
}

fn bytes(value: &[u8]) -> Input<'_> {
    Input::Text(Cow::Borrowed(value))
}

fn fit(data: &Input<'_>) -> Checked {
    check(data, None, Mode::Fit, Channel::Subscribe)
}

fn strict(data: &Input<'_>) -> Checked {
    check(data, None, Mode::Strict, Channel::Subscribe)
}

fn sent(checked: &Checked) -> Vec<(&str, &str)> {
    checked.fields.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

fn rules(checked: &Checked) -> Vec<(&str, &str)> {
    checked.violations.iter().map(|violation| (violation.field.as_str(), violation.rule)).collect()
}

#[test]
fn every_shape_that_php_people_write_becomes_one() {
    let expected = [("thing1", "到货")];
    let shapes = [
        map(&[("thing1", text("到货"))]),
        map(&[("thing1", map(&[("value", text("到货"))]))]),
        map(&[("thing1", map(&[("value", text("到货")), ("color", text("#173177"))]))]),
        map(&[("thing1", map(&[("color", Input::Null), ("value", text("到货"))]))]),
        map(&[("thing1", map(&[("0", text("到货")), ("1", text("#f00"))]))]),
        map(&[("thing1", map(&[("value", map(&[("value", text("到货"))]))]))]),
        map(&[("thing1.DATA", text("到货"))]),
        map(&[("{{thing1.DATA}}", map(&[("value", text("到货"))]))]),
        map(&[("thing1", text(r#"{"value":"到货"}"#))]),
        map(&[("0", map(&[("key", text("thing1")), ("value", text("到货"))]))]),
        map(&[("0", map(&[("name", text("thing1")), ("value", text("到货")), ("color", Input::Null)]))]),
        text(r#"{"thing1":{"value":"到货"}}"#),
        text("\u{FEFF}{\"thing1\":\"到货\"}"),
        text(r#""{\"thing1\":{\"value\":\"\u5230\u8d27\"}}""#),
    ];
    for mode in [Mode::Fit, Mode::Strict, Mode::Off] {
        for shape in &shapes {
            let checked = check(shape, None, mode, Channel::Subscribe);
            assert_eq!(sent(&checked), expected, "{shape:?} in {mode:?}");
            assert!(checked.violations.is_empty() && checked.changes.is_empty(), "{checked:?}");
        }
    }
}

#[test]
fn numbers_are_written_as_they_were_meant() {
    let data = map(&[
        ("thing1", Input::Int(3)),
        ("amount2", Input::Float(0.1 + 0.2)),
        ("number3", Input::Int(i64::MAX)),
        ("amount4", Input::Float(656_887_888.0)),
        ("character_string5", text("18446744073709551616")),
    ]);
    for mode in [Mode::Fit, Mode::Strict, Mode::Off] {
        let checked = check(&data, None, mode, Channel::Subscribe);
        let expected = [
            ("thing1", "3"),
            ("amount2", "0.3"),
            ("number3", "9223372036854775807"),
            ("amount4", "656887888"),
            ("character_string5", "18446744073709551616"),
        ];
        assert_eq!(sent(&checked), expected);
        assert!(checked.violations.is_empty());
    }
}

#[test]
fn what_no_message_can_hold_is_refused_by_name_and_hides_nothing() {
    let data = map(&[
        ("thing1", Input::Bool(true)),
        ("amount2", Input::Float(f64::NAN)),
        ("thing3", Input::Unusable(Cow::Borrowed("resource"))),
        ("thing4", map(&[])),
        ("thing5", map(&[("color", text("#f00"))])),
        ("character_string6", Input::Float(12_345_678_901_234_567_890.0)),
        ("thing7", bytes(b"caf\xe9")),
        ("thing8", text("到货")),
    ]);
    for mode in [Mode::Fit, Mode::Strict, Mode::Off] {
        let checked = check(&data, None, mode, Channel::Subscribe);
        let expected = [
            ("thing1", "type"),
            ("amount2", "type"),
            ("thing3", "structure"),
            ("thing4", "structure"),
            ("thing5", "structure"),
            ("character_string6", "type"),
            ("thing7", "encoding"),
        ];
        assert_eq!(rules(&checked), expected, "{mode:?}");
        assert_eq!(sent(&checked), [("thing8", "到货")]);
        let resource = &checked.violations[2];
        assert!(resource.message_en.contains("resource") && resource.message_zh.contains("resource"), "{resource:?}");
    }
}

#[test]
fn a_payload_that_is_none_is_refused_as_a_whole() {
    for (data, rule) in [
        (Input::Null, "empty"),
        (map(&[]), "empty"),
        (text("{}"), "empty"),
        (Input::Int(1), "structure"),
        (text("到货"), "structure"),
        (text(""), "structure"),
        (text(r#"{"thing1":{"value":aa}}"#), "structure"),
        (map(&[("0", text("到货"))]), "structure"),
        (map(&[("{{0.DATA}}", text("到货"))]), "structure"),
        (map(&[("0", map(&[("key", text("1")), ("value", text("到货"))]))]), "structure"),
    ] {
        for mode in [Mode::Fit, Mode::Strict, Mode::Off] {
            let checked = check(&data, None, mode, Channel::Subscribe);
            assert_eq!(rules(&checked), [("data", rule)], "{data:?}");
            assert!(checked.violations[0].is_empty());
        }
    }
}

#[test]
fn gbk_and_torn_bytes_become_utf8_in_fit_and_are_refused_in_strict() {
    let gbk = encoding_rs::GB18030.encode("订单已支付").0.into_owned();
    let torn = &"订单已支付".as_bytes()[..13];
    for (given, expected) in [(&gbk[..], "订单已支付"), (torn, "订单已支")] {
        let data = map(&[("thing1", bytes(given))]);
        let checked = fit(&data);
        assert_eq!(sent(&checked), [("thing1", expected)]);
        assert_eq!(checked.changes[0].rule, "encoding");
        let refused = strict(&data);
        assert_eq!(rules(&refused), [("thing1", "encoding")]);
        assert_eq!(refused.violations[0].fits.as_deref(), Some(expected));
    }
    let whole = encoding_rs::GB18030.encode(r#"{"thing1":{"value":"订单已支付"}}"#).0.into_owned();
    assert_eq!(sent(&fit(&bytes(&whole))), [("thing1", "订单已支付")]);
}

#[test]
fn where_a_key_comes_twice_the_last_value_wins_at_the_first_place() {
    let data = map(&[("thing1", text("旧")), ("thing2", text("二")), ("thing1.DATA", text("新"))]);
    let checked = fit(&data);
    assert_eq!(sent(&checked), [("thing1", "新"), ("thing2", "二")]);
    assert_eq!((checked.changes[0].rule.as_ref(), checked.changes[0].from.as_str()), ("duplicate", "旧"));
}

#[test]
fn the_template_gives_the_order_and_names_what_is_missing() {
    let template =
        Template::from_content("名称{{thing1.DATA}}\n说明{{thing7.DATA}}\n日期{{date4.DATA}}\n备注{{thing5.DATA}}");
    let data =
        map(&[("date4", text("昨天")), ("thing1", text("到货")), ("thing9", Input::Bool(true)), ("thing5", text(""))]);
    let checked = check(&data, Some(&template), Mode::Strict, Channel::Subscribe);
    assert_eq!(rules(&checked), [("thing7", "missing"), ("date4", "format"), ("thing5", "empty")]);
    assert!(checked.violations[0].message_zh.contains("说明"));
    assert_eq!(checked.changes.len(), 1);
    assert_eq!(
        (checked.changes[0].field.as_str(), checked.changes[0].rule.as_ref(), &checked.changes[0].to),
        ("thing9", "surplus", &None)
    );

    let data =
        map(&[("thing5", text("五")), ("date4", text("2024-01-01")), ("thing7", text("七")), ("thing1", text("一"))]);
    let checked = check(&data, Some(&template), Mode::Fit, Channel::Subscribe);
    assert_eq!(sent(&checked), [("thing1", "一"), ("thing7", "七"), ("date4", "2024-01-01"), ("thing5", "五")]);
    assert!(checked.changes.is_empty());
}

#[test]
fn an_empty_payload_lacks_every_field_of_the_template() {
    let template = Template::from_content("名称{{thing1.DATA}}\n日期{{date4.DATA}}");
    for data in [Input::Null, map(&[]), map(&[("账号", text("1"))])] {
        let checked = check(&data, Some(&template), Mode::Fit, Channel::Subscribe);
        assert_eq!(rules(&checked), [("thing1", "missing"), ("date4", "missing")]);
    }
}

#[test]
fn a_template_without_fields_is_an_unknown_template() {
    let data = map(&[("thing1", text("到货"))]);
    let checked = check(&data, Some(&Template::default()), Mode::Fit, Channel::Subscribe);
    assert_eq!(sent(&checked), [("thing1", "到货")]);
}

#[test]
fn mode_off_only_repairs_the_shape() {
    let template = Template::from_content("名称{{thing1.DATA}}\n日期{{date4.DATA}}");
    let data = map(&[("phrase2", text("EMS")), ("thing1.DATA", text("一\n二")), ("number3", Input::Null)]);
    let checked = check(&data, Some(&template), Mode::Off, Channel::Subscribe);
    assert_eq!(sent(&checked), [("phrase2", "EMS"), ("thing1", "一\n二"), ("number3", "")]);
    assert!(checked.violations.is_empty() && checked.changes.is_empty());
}

#[test]
fn free_text_that_is_empty_gets_a_neutral_mark_and_nothing_else_does() {
    let data = map(&[
        ("thing1", Input::Null),
        ("name2", text("🎉")),
        ("phrase3", text(" ")),
        ("short_thing4", text("")),
        ("const5", text("")),
        ("character_string6", text("")),
        ("number7", Input::Null),
        ("amount8", text(" ")),
        ("date9", text("")),
        ("time10", text("")),
        ("phone_number11", text("")),
        ("car_number12", text("")),
        ("letter13", text("")),
        ("symbol14", text("")),
        ("enum15", text("")),
    ]);
    let checked = fit(&data);
    let expected = [("thing1", "-"), ("name2", "无"), ("phrase3", "无"), ("short_thing4", "-"), ("const5", "")];
    assert_eq!(sent(&checked), expected);
    assert!(checked.changes.iter().all(|change| change.rule == "placeholder") && checked.changes.len() == 4);
    assert!(checked.violations.iter().all(|violation| violation.rule == "empty" && violation.fits.is_none()));
    assert_eq!(checked.violations.len(), 10);
    // Whether a name of emoji passes is not known, so strict leaves it to WeChat; a const may be empty.
    assert_eq!(strict(&data).violations.len(), 13);
}

#[test]
fn the_channel_decides_how_long_an_amount_may_be() {
    let data = map(&[("amount1", text("123456789012"))]);
    assert_eq!(rules(&strict(&data)), [("amount1", "too_long")]);
    assert!(check(&data, None, Mode::Strict, Channel::Template).violations.is_empty());
    assert!(check(&data, None, Mode::Strict, Channel::Bizsend).violations.is_empty());
}

#[test]
fn keys_that_no_table_knows_are_left_to_wechat() {
    let data = map(&[("first", text("您好，\n订单")), ("keyword1", text("")), ("账号", text("1"))]);
    assert_eq!(sent(&strict(&data)), [("first", "您好，\n订单"), ("keyword1", ""), ("账号", "1")]);
    assert_eq!(sent(&fit(&data)), [("first", "您好， 订单"), ("keyword1", ""), ("账号", "1")]);
}

#[test]
#[cfg_attr(miri, ignore = "millions of steps")]
fn a_violation_tells_field_rule_value_and_remedy_in_one_short_sentence() {
    let huge = format!("坏\u{1b}\n{}", "长".repeat(100_000));
    let data = map(&[("thing1", text(&huge)), ("time2", text("2024-01-01T10:00"))]);
    let checked = strict(&data);
    let too_long = &checked.violations[0];
    assert_eq!(too_long.rule, "too_long");
    assert_eq!(too_long.value.chars().count(), 41);
    for message in [&too_long.message_zh, &too_long.message_en] {
        assert!(message.contains("thing1") && message.contains("20"), "{message}");
        assert!(message.chars().count() < 250 && !message.chars().any(char::is_control), "{message}");
    }
    assert_eq!(checked.violations[1].fits.as_deref(), Some("2024-01-01 10:00"));
}

/// The time that all modes take for one value under many keys.
/// What this thread has used of the processor: on a busy machine the clock on the wall says nothing.
fn cpu_time() -> Duration {
    let used = getrusage(UsageWho::RUSAGE_THREAD).unwrap().user_time();
    Duration::from_micros(u64::try_from(used.tv_sec() * 1_000_000 + used.tv_usec()).unwrap())
}

fn time_for(keys: &[&str], value: &str) -> Duration {
    let members: Vec<(&str, Input<'_>)> = keys.iter().map(|&key| (key, text(value))).collect();
    let data = map(&members);
    let start = cpu_time();
    for mode in [Mode::Fit, Mode::Strict] {
        let checked = check(&data, None, mode, Channel::Subscribe);
        assert!(checked.violations.iter().all(|violation| violation.message_en.len() < 1000));
        assert!(checked.fields.iter().all(|(_, value)| value.len() < 1000));
    }
    cpu_time() - start
}

const EVERY_TYPE: [&str; 17] = [
    "thing1",
    "short_thing1",
    "name2",
    "phrase3",
    "character_string4",
    "number5",
    "amount6",
    "time7",
    "date7",
    "phone_number8",
    "car_number9",
    "letter10",
    "symbol11",
    "enum12",
    "enum_string13",
    "const14",
    "first",
];

#[test]
#[cfg_attr(miri, ignore = "millions of steps")]
fn huge_values_take_linear_time_and_leave_little() {
    for unit in ["a", "1", "字", "\n", " ", "🎉", "e\u{301}", "\u{200D}", "👨‍👩‍👧", "1,", "２"] {
        // An unoptimised build reads some ten million characters a second; anything quadratic would take hours.
        let time = time_for(&EVERY_TYPE, &unit.repeat(300_000 / unit.len()));
        assert!(time < Duration::from_secs(10), "{unit:?}: {time:?}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "millions of steps")]
fn ten_megabytes_are_no_burden() {
    for unit in ["字", "1", " "] {
        let time = time_for(&["thing1", "character_string4", "time7"], &unit.repeat(10_000_000 / unit.len()));
        assert!(time < Duration::from_secs(20), "{unit:?}: {time:?}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "millions of steps")]
fn a_hundred_thousand_fields_take_linear_time() {
    let keys: Vec<String> = (0..100_000).map(|number| format!("thing{number}")).collect();
    let members: Vec<(&str, Input<'_>)> = keys.iter().map(|key| (key.as_str(), text("x"))).collect();
    let start = cpu_time();
    let template = Template::from_content("甲{{thing5.DATA}}");
    assert_eq!(fit(&map(&members)).fields.len(), 100_000);
    assert_eq!(check(&map(&members), Some(&template), Mode::Fit, Channel::Subscribe).fields.len(), 1);
    assert!(cpu_time() - start < Duration::from_secs(10));
}

#[test]
fn a_php_date_object_is_a_date() {
    let object = |timezone| {
        map(&[(
            "time1",
            map(&[
                ("date", text("2024-10-21 15:30:25.000000")),
                ("timezone_type", Input::Int(3)),
                ("timezone", text(timezone)),
            ]),
        )])
    };
    assert_eq!(sent(&fit(&object("Asia/Shanghai"))), [("time1", "2024-10-21 15:30:25")]);
    assert_eq!(sent(&strict(&object("PRC"))), [("time1", "2024-10-21 15:30:25")]);
    assert_eq!(sent(&fit(&object("UTC"))), [("time1", "2024-10-21 23:30:25")]);
    assert_eq!(rules(&fit(&object("Europe/Berlin"))), [("time1", "structure")]);
}

#[test]
fn an_empty_object_under_an_untyped_key_is_nothing() {
    let data = map(&[("remark", map(&[])), ("thing1", text("到货"))]);
    for mode in [Mode::Fit, Mode::Strict, Mode::Off] {
        assert_eq!(sent(&check(&data, None, mode, Channel::Template)), [("remark", ""), ("thing1", "到货")]);
    }
}
