//! The client's rules against the judge's: they share no code, so agreement means something.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout)]

mod generators;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use routine_template::answer::Source;
use routine_template::app::App;
use routine_template::config::Settings;
use routine_template::message::{Input, Message};
use routine_template::options::Options;
use routine_template::sandbox::{self, AccountChange, Sandbox, TemplateChange};

const APPID: &str = "wx0000000000000001";
const TYPES: [&str; 13] = [
    "thing",
    "short_thing",
    "name",
    "phrase",
    "number",
    "letter",
    "symbol",
    "character_string",
    "time",
    "date",
    "amount",
    "phone_number",
    "car_number",
];
/// In these a fitted value must always pass; in the others open questions are left to WeChat on purpose.
const FREE_TEXT: [&str; 4] = ["thing", "short_thing", "name", "phrase"];

fn judge() -> (Sandbox, App) {
    let sandbox = Sandbox::start(sandbox::Options::default()).unwrap();
    sandbox
        .account(APPID, AccountChange { secret: Some("s".into()), any_openid: Some(true), ..AccountChange::default() });
    for prefix in TYPES {
        sandbox.template(
            APPID,
            TemplateChange {
                template_id: prefix.into(),
                title: prefix.into(),
                content: format!("x{{{{{prefix}1.DATA}}}}"),
                long_term: true,
                ..TemplateChange::default()
            },
        );
    }
    let url = sandbox.http_url();
    let settings = Settings::from_pairs([("appid", APPID), ("secret", "s"), ("base_url", url.as_str())]).unwrap();
    (sandbox, App::new(Arc::new(settings), Arc::default()))
}

fn send(app: &App, prefix: &str, value: &str) -> routine_template::answer::Answer {
    let key = format!("{prefix}1");
    app.send(&Message {
        touser: "oAnyone".into(),
        template_id: prefix.into(),
        data: Input::Map(vec![(key.as_bytes().into(), Input::text(value))]),
        page: None,
        options: Options::default(),
    })
    .unwrap()
}

#[test]
fn the_judge_accepts_every_free_text_that_was_fitted() {
    let (_sandbox, app) = judge();
    let mut refused: BTreeMap<&str, Vec<(String, String)>> = BTreeMap::new();
    let mut accepted: BTreeMap<&str, u32> = BTreeMap::new();
    let strategy = (prop::sample::select(&TYPES[..]), generators::value());
    let mut runner = TestRunner::new(generators::config(6000));
    let seen = std::cell::RefCell::new((&mut refused, &mut accepted));
    runner
        .run(&strategy, |(prefix, value)| {
            let answer = send(&app, prefix, &value);
            let (refused, accepted) = &mut *seen.borrow_mut();
            match (answer.errcode, answer.source) {
                (0, _) => *accepted.entry(prefix).or_default() += 1,
                // A phrase that fitting cannot mend is left as it is.
                (47003, Source::Wechat)
                    if prefix == "phrase" && answer.changed.iter().all(|change| change.rule == "space") => {}
                (47003, Source::Wechat) => {
                    refused.entry(prefix).or_default().push((value, format!("{:?}", answer.changed)))
                }
                (47003, Source::Local) => {}
                other => prop_assert!(false, "{prefix} {value:?}: {other:?}"),
            }
            Ok(())
        })
        .unwrap();
    for prefix in TYPES {
        let examples = refused.get(prefix).map_or(&[][..], Vec::as_slice);
        println!(
            "{prefix}: {} accepted, {} left to WeChat and refused",
            accepted.get(prefix).unwrap_or(&0),
            examples.len()
        );
        for example in examples.iter().take(8) {
            println!("    {example:?}");
        }
        assert!(!FREE_TEXT.contains(&prefix) || examples.is_empty(), "{prefix}: {examples:?}");
    }
}
