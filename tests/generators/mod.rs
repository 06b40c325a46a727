//! Values for the property tests: what shops, their users and broken programs put into fields.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Pieces that real values are made of, and pieces that break them.
pub fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(
            &[
                "订单", "已支付", "用户", "加入您的团队", "提现失败：", "商", "a", "User", "VIP", " ", "  ", "\u{3000}", "\n", "\r\n",
                "\t", "\0", "\u{7f}", "\u{85}", "\u{200B}", "\u{FEFF}", "\u{202E}", "\u{200D}", "🎉", "👨‍👩‍👧‍👦", "🇨🇳", "👍🏽", "❤️", "1️⃣",
                "e\u{301}", "한", "\u{1112}\u{1161}\u{11ab}", "ｶﾞ", "①", "★", "𠮷", "〇", "々", "-", "－", "~", "～", "...", "…", "?", "·",
                "+", "¥", "￥", "$", "元", "万", ",", "，", ".", "．", ":", "：", "/", "T", "Z", "CNY", "RMB", "至", "年", "月", "日",
                "时", "点", "分", "秒", "上午", "下午", "PM", "+08:00", "00", "000", "{", "\"value\"",
            ][..]
        ).prop_map(str::to_owned),
        2 => "[0-9]{1,12}",
        1 => "[０-９]{1,4}",
        1 => "\\PC{0,6}",
        1 => any::<char>().prop_map(String::from),
    ]
}

pub fn moment() -> impl Strategy<Value = String> {
    let date = prop_oneof![
        "20[0-9]{2}-[01]?[0-9]-[0-3]?[0-9]",
        "20[0-9]{2}年[01]?[0-9]月[0-3]?[0-9][日号]",
        "20[0-9]{2}[/.][01]?[0-9][/.][0-3]?[0-9]",
        "[01]?[0-9]月[0-3]?[0-9]日",
        "20[0-9]{6}",
        "[0-9]{10}",
        "1[0-9]{12}",
    ];
    let clock = prop_oneof![
        "[0-2]?[0-9]:[0-5][0-9](:[0-5][0-9])?(\\.[0-9]{3})?",
        "[0-9]{1,2}[时点]([0-5][0-9]分)?",
        "[0-2][0-9]"
    ];
    let point =
        (prop::option::of(date), prop::sample::select(&[" ", "T", "", "　", "  "][..]), prop::option::of(clock))
            .prop_map(|(date, gap, clock)| format!("{}{gap}{}", date.unwrap_or_default(), clock.unwrap_or_default()));
    let joiner = prop::sample::select(&["~", "～", "-", " - ", "至", " ~ "][..]);
    let zone = prop::sample::select(&["", "", "", "Z", "+08:00", "-05:00", " +0000"][..]);
    (point.clone(), zone, prop::option::of((joiner, point))).prop_map(|(first, zone, second)| {
        format!("{first}{zone}{}", second.map(|(joiner, second)| format!("{joiner}{second}")).unwrap_or_default())
    })
}

pub fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        "[+-]?[¥￥$]?[0-9]{1,3}(,[0-9]{3}){0,4}(\\.[0-9]{0,6})? ?元?",
        "[¥￥ ]{0,2}[0-9]{1,14}(\\.[0-9]{1,3}0{0,4})?元?",
        "(CNY|RMB|rmb) ?[0-9]{1,6}",
        "[０-９，．]{1,12}",
        "[0-9]{30,34}",
        "\\+?86[- ]?[0-9]{3}[- ][0-9]{4}[- ][0-9]{4}",
        "[粤京浙][A-HＡ-Ｈ][·. -]?[A-Z0-9]{4,7}[挂学]?",
        "[A-Za-z0-9_-]{1,40}",
    ]
}

pub fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::collection::vec(piece(), 0..12).prop_map(|pieces| pieces.concat()),
        2 => moment(),
        2 => number(),
        1 => any::<String>(),
    ]
}

/// How often a property is tried. The seed is fixed, so that a run says the same twice; `PROPTEST_CASES` and
/// `PROPTEST_RNG_SEED` search further.
pub fn config(cases: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig {
        cases: if std::env::var_os("PROPTEST_CASES").is_some() { default.cases } else { cases },
        rng_seed: if std::env::var_os("PROPTEST_RNG_SEED").is_some() {
            default.rng_seed
        } else {
            RngSeed::Fixed(20_261_121)
        },
        failure_persistence: None,
        ..default
    }
}
