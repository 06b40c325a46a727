//! Which templates a user should be asked for now.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use routine_template::app::App;
use routine_template::error::Error;
use routine_template::grant::ReportOptions;
use routine_template::message::{Input, Message};
use routine_template::registry::Registry;
use routine_template::sandbox::{DEMO_APPID, DEMO_OPENID, DEMO_TEMPLATE, TemplateChange};
use serde_json::{Value, json};

#[path = "support/shop.rs"]
mod support;
use support::*;

const PAID: &str = "pA-d_0123456789012345678901234567890123456x";
const SHIPPED: &str = "sHiPpEd_01234567890123456789012345678901234";
const REFUNDED: &str = "rEfUnDeD_0123456789012345678901234567890123";
const RECEIVED: &str = "rEcEiVeD_0123456789012345678901234567890123";
const NEWS: &str = "nEwS____-0123456789012345678901234567890123";

fn ask(app: &App, keys: Value, options: Value) -> Result<Value, Error> {
    let read = |value: Value| match value {
        Value::Array(items) if items.is_empty() => Input::Map(Vec::new()),
        other => other.into(),
    };
    app.request_templates(DEMO_OPENID, &read(keys), &read(options))
}

fn asked(app: &App, keys: Value) -> Value {
    ask(app, keys, json!({ "limit": 5 })).unwrap()
}

fn answer(app: &App, template_id: &'static str, word: &'static str, long_term: bool) {
    let options = ReportOptions { long_term: Some(long_term), ..ReportOptions::default() };
    app.record_grants(DEMO_OPENID, &map(&[(template_id, word)]), &options).unwrap();
}

#[test]
fn those_that_have_run_out_are_asked_for_first_and_three_at_most() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    for template in [PAID, PAID, SHIPPED] {
        answer(&app, template, "accept", false);
    }
    answer(&app, RECEIVED, "ban", false);
    let keys = json!([RECEIVED, PAID, SHIPPED, REFUNDED, NEWS]);
    assert_eq!(ask(&app, keys.clone(), json!([])).unwrap(), json!([REFUNDED, NEWS, SHIPPED]));
    assert_eq!(asked(&app, keys.clone()), json!([REFUNDED, NEWS, SHIPPED, PAID, RECEIVED]));
    assert_eq!(ask(&app, keys, json!({ "limit": "1" })).unwrap(), json!([REFUNDED]));
}

#[test]
fn names_are_taken_and_what_the_client_would_refuse_is_left_out() {
    let shop = Shop::open();
    let mut registry = Registry::default();
    registry.register("ORDER_PAID", PAID, None).unwrap();
    registry.register("6271", SHIPPED, None).unwrap();
    registry.register("SWITCHED_OFF", "undefined", None).unwrap();
    let app = shop.app_with(&[], registry);
    let keys = json!([
        "ORDER_PAID",
        null,
        "",
        "undefined",
        false,
        "NOT_REGISTERED",
        6271,
        PAID,
        "SWITCHED_OFF",
        REFUNDED,
        " "
    ]);
    assert_eq!(asked(&app, keys), json!([PAID, SHIPPED]));
    assert_eq!(asked(&app, json!([])), json!([]));
    // A list as a PHP form posts it, with keys of its own.
    assert_eq!(asked(&app, json!({ "first": "6271", "second": "ORDER_PAID" })), json!([SHIPPED, PAID]));
}

#[test]
fn long_term_templates_are_asked_for_apart_and_only_until_they_are_accepted() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    answer(&app, NEWS, "accept", true);
    assert_eq!(asked(&app, json!([NEWS, PAID])), json!([PAID]));
    answer(&app, NEWS, "reject", true);
    assert_eq!(asked(&app, json!([NEWS, PAID])), json!([PAID]));
    assert_eq!(asked(&app, json!([NEWS])), json!([NEWS]));
    answer(&app, NEWS, "accept", true);
    assert_eq!(asked(&app, json!([NEWS])), json!([]));
}

#[test]
fn the_accounts_own_list_tells_the_kind_and_what_is_gone() {
    let shop = Shop::open();
    let news = TemplateChange {
        template_id: NEWS.into(),
        content: "{{thing1.DATA}}".into(),
        long_term: true,
        ..TemplateChange::default()
    };
    shop.wechat.template(DEMO_APPID, news);
    let app = shop.app(&[]);
    assert_eq!(asked(&app, json!([DEMO_TEMPLATE, NEWS])), json!([DEMO_TEMPLATE, NEWS]), "nothing is known yet");
    app.templates(true).unwrap();
    assert_eq!(asked(&app, json!([DEMO_TEMPLATE, NEWS])), json!([DEMO_TEMPLATE]));
    assert_eq!(asked(&app, json!([NEWS, DEMO_TEMPLATE])), json!([NEWS]));
    // WeChat says that this one is not the account's.
    let gone = Message { template_id: PAID.into(), ..message(order()) };
    assert_eq!(app.send(&gone).unwrap().errcode, 40037);
    assert_eq!(asked(&app, json!([PAID, DEMO_TEMPLATE])), json!([DEMO_TEMPLATE]));
}

#[test]
fn a_shop_whose_ledger_cannot_be_read_can_still_ask() {
    let shop = Shop::open();
    std::fs::write(shop.path("file"), "no directory").unwrap();
    let nowhere = shop.path("file/store");
    for place in ["off", nowhere.to_str().unwrap()] {
        let app = shop.app(&[("store", place)]);
        assert_eq!(asked(&app, json!([SHIPPED, PAID, SHIPPED])), json!([SHIPPED, PAID]), "{place}");
    }
}

#[test]
fn unusable_arguments_are_named() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    let said = |result: Result<Value, Error>| result.unwrap_err().to_string();
    assert!(said(app.request_templates(" ", &map(&[]), &map(&[]))).contains("$openid"));
    assert!(said(ask(&app, json!([[PAID]]), json!([]))).contains("$keys[0]"));
    assert!(said(ask(&app, json!("x"), json!([]))).contains("$keys"));
    assert!(said(ask(&app, json!([PAID]), json!({ "limit": 6 }))).contains("limit"));
    assert!(said(ask(&app, json!([PAID]), json!({ "max": 3 }))).contains("limit"));
}
