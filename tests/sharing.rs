//! What an application sees of the shared state: the ledger, keys, delivery rows, pauses, and a store that fails.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::cell::RefCell;
use std::fs;
use std::rc::Rc;
use std::time::{Duration, Instant};

use routine_template::answer::{Answer, Source};
use routine_template::app::{App, TokenSupplier};
use routine_template::config::{GrantPolicy, Secret};
use routine_template::error::Error;
use routine_template::grant::ReportOptions;
use routine_template::message::{Channel, Input, Message};
use routine_template::options::Options;
use routine_template::registry::Registry;
use routine_template::sandbox::{
    AccountChange, DEMO_APPID, DEMO_OPENID, DEMO_TEMPLATE, FaultKind, QuotaChange, TemplateChange, TokenEnd, TokenKinds,
};
use routine_template::store::{Begin, Begun, Durability, MessageId, Owner, SqliteStore, Store};
use routine_template::token::TokenKey;
use routine_template::wechat::errcode::Outcome;
use serde_json::{Value, json};

#[path = "support/shop.rs"]
mod support;
use support::*;

fn report(app: &App, answers: &[(&'static str, &'static str)]) -> Value {
    app.record_grants(DEMO_OPENID, &map(answers), &ReportOptions::default()).unwrap()
}

/// The buyer accepts `count` times; WeChat and the shop's ledger both know.
fn accept(shop: &Shop, app: &App, count: u64) {
    shop.buyer_accepts(count);
    for _ in 0..count {
        report(app, &[(DEMO_TEMPLATE, "accept")]);
    }
}

fn row(app: &App) -> Value {
    app.grants(DEMO_OPENID, Some(DEMO_TEMPLATE)).unwrap()
}

fn count(row: &Value, member: &str) -> i64 {
    row[member].as_i64().unwrap()
}

fn assert_books(row: &Value) {
    let sum = count(row, "accepted") - count(row, "delivered") - count(row, "reserved") - count(row, "lost");
    assert_eq!(count(row, "available"), sum, "{row}");
}

fn deliveries(app: &App) -> Vec<Value> {
    app.deliveries(&Input::Map(Vec::new())).unwrap().as_array().unwrap().clone()
}

/// A shop whose buyer has no grant but those that a test gives.
fn shop_without_grants() -> Shop {
    let shop = Shop::open();
    let app = shop.app(&[("store", "off")]);
    while send(&app).unwrap().errcode == 0 {}
    shop
}

#[test]
fn every_message_leaves_a_row() {
    let shop = Shop::open_to_all();
    let app = shop.app(&[]);
    let sent = send(&app).unwrap();
    let row = app.status(&sent.id.unwrap().to_string()).unwrap().unwrap();
    assert_eq!(row["state"], "delivered");
    assert_eq!((&row["openid"], &row["template_id"]), (&json!(DEMO_OPENID), &json!(DEMO_TEMPLATE)));
    assert_eq!((&row["errcode"], &row["source"], &row["attempts"]), (&json!(0), &json!("wechat"), &json!(1)));
    assert_eq!(row["msgid"].as_i64().unwrap().to_string(), sent.msgid.unwrap().to_string());
    assert_eq!((&row["payload"], &row["changed"]), (&Value::Null, &json!([])));
    assert!(row["finished"].as_f64().unwrap() >= row["begun"].as_f64().unwrap());

    let long = map(&[
        ("thing4", "一二三四五六七八九十一二三四五六七八九十长"),
        ("amount2", "1"),
        ("character_string1", "c"),
        ("time3", "10:00"),
    ]);
    app.send(&message(long)).unwrap();
    app.send(&message(map(&[("amount2", "one hundred"), ("thing4", "茶")]))).unwrap();
    app.send(&Message { touser: "".into(), ..message(order()) }).unwrap();
    shop.fault(SEND, Some(1), FaultKind::DropAfter);
    assert!(ambiguous(send(&app)));
    let rows = deliveries(&app);
    let states: Vec<&str> = rows.iter().map(|row| row["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["unknown", "refused", "refused", "delivered", "delivered"], "newest first");
    assert_eq!(rows[1]["errcode"], 40003);
    assert_eq!((&rows[2]["errcode"], &rows[2]["source"]), (&json!(47003), &json!("local")));
    assert_eq!(rows[3]["changed"][0]["field"], "thing4");
    assert_eq!(rows[0]["errcode"], Value::Null);
}

#[test]
fn the_row_of_a_refusal_that_still_stands_says_that_it_was_decided_here() {
    let shop = Shop::open();
    let app = shop.app(&[("secret", "wrong")]);
    let sources = [send(&app), send(&app)].map(|answer| answer.unwrap().source.name());
    assert_eq!(sources, ["wechat", "local"]);
    let rows = deliveries(&app);
    assert_eq!([&rows[1]["source"], &rows[0]["source"]], ["wechat", "local"]);
}

#[test]
fn rows_keep_the_payload_and_hide_the_openid_where_the_settings_say_so() {
    let shop = Shop::open_to_all();
    let app = shop.app(&[("keep_payload", "1"), ("hash_openid", "1")]);
    send(&app).unwrap();
    let rows = deliveries(&app);
    assert_eq!(rows[0]["payload"]["data"]["thing4"]["value"], "茶");
    assert_eq!(rows[0]["openid"].as_str().unwrap().len(), 32);
    let filter = map(&[("openid", DEMO_OPENID)]);
    assert_eq!(app.deliveries(&filter).unwrap().as_array().unwrap().len(), 1, "it is found by the openid all the same");
}

#[test]
fn rows_are_found_by_user_template_key_state_and_time() {
    let shop = Shop::open_to_all();
    let app = shop.app(&[]);
    for key in ["order-1-paid", "order-2-paid"] {
        send_with_key(&app, key).unwrap();
    }
    let found = |filter: Input<'static>| app.deliveries(&filter).map(|rows| rows.as_array().unwrap().len());
    assert_eq!(found(map(&[("key", "order-1-paid")])), Ok(1));
    assert_eq!(found(map(&[("state", "delivered"), ("template_id", DEMO_TEMPLATE)])), Ok(2));
    assert_eq!(found(map(&[("openid", "oNobody")])), Ok(0));
    assert_eq!(found(map(&[("since", "4000000000")])), Ok(0));
    assert_eq!(found(map(&[("limit", "1")])), Ok(1));
    let newest = deliveries(&app)[0]["id"].as_str().unwrap().to_owned();
    let before = Input::Map(vec![(b"before"[..].into(), Input::text(newest))]);
    assert_eq!(found(before), Ok(1));
    for (name, bad) in [("state", "lost"), ("limit", "0"), ("since", "yesterday"), ("before", "x"), ("user", "o1")] {
        let error = found(map(&[(name, bad)])).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
    assert_eq!(app.status("no id").unwrap(), None);
    assert_eq!(app.status("01934a3e-0000-7000-8000-000000000000").unwrap(), None);
}

#[test]
fn a_second_message_with_the_same_key_gets_the_first_answer() {
    let shop = Shop::open_to_all();
    let app = shop.app(&[]);
    let first = send_with_key(&app, "order-1-paid").unwrap();
    let second = send_with_key(&app, "order-1-paid").unwrap();
    assert!(!first.duplicate && second.duplicate);
    assert_eq!((second.errcode, &second.msgid, second.id), (0, &first.msgid, first.id));
    assert_eq!((second.outcome, second.source, second.attempts), (Outcome::Delivered, Source::Wechat, 1));
    assert_eq!(shop.delivered(), 1);
    assert_eq!(send_with_key(&app, "order-2-paid").unwrap().errcode, 0);
    assert_eq!((shop.delivered(), deliveries(&app).len()), (2, 2));
}

#[test]
fn a_key_that_belongs_to_another_message_is_an_error_and_swallows_nothing() {
    let shop = Shop::open_to_all();
    let app = shop.app(&[]);
    send_with_key(&app, "order-1").unwrap();
    let options = Options { key: Some("order-1".to_owned()), ..Options::default() };
    let other = Message { touser: "oSomebodyElse".into(), options, ..message(order()) };
    let error = app.send(&other).unwrap_err();
    assert!(matches!(&error, Error::Value(_)) && error.to_string().contains("order-1"), "{error}");
    assert_eq!(shop.delivered(), 1);
}

#[test]
fn a_key_outlives_a_change_of_the_setting_hash_openid() {
    let shop = Shop::open_to_all();
    for (key, before, after) in [("k1", "0", "1"), ("k2", "1", "0")] {
        assert_eq!(send_with_key(&shop.app(&[("hash_openid", before)]), key).unwrap().errcode, 0);
        assert!(send_with_key(&shop.app(&[("hash_openid", after)]), key).unwrap().duplicate);
    }
}

#[test]
fn what_was_not_the_last_word_leaves_the_key_free() {
    let shop = Shop::open_to_all();
    let app = shop.app(&[("timeout_ms", "700")]);
    // Nothing was sent; a passing fault; a fault of the account.
    shop.fault(STABLE_TOKEN, Some(2), FaultKind::DropBefore);
    assert!(!ambiguous(send_with_key(&app, "k")));
    for errcode in [-1, 43107] {
        shop.fault(SEND, Some(1), FaultKind::Errcode { errcode, errmsg: None });
        let answer = send_with_key(&app, "k").unwrap();
        assert_eq!((answer.errcode, answer.duplicate), (errcode, false));
    }
    let last = send_with_key(&app, "k").unwrap();
    assert_eq!((last.errcode, last.duplicate), (0, false));
    let rows = deliveries(&app);
    assert_eq!((rows.len(), &rows[0]["attempts"], &rows[0]["state"]), (1, &json!(3), &json!("delivered")));
    assert_eq!(shop.delivered(), 1);
}

#[test]
fn a_refusal_of_this_message_is_a_last_word() {
    let shop = shop_without_grants();
    let app = shop.app(&[]);
    let first = send_with_key(&app, "k").unwrap();
    let second = send_with_key(&app, "k").unwrap();
    assert_eq!((first.errcode, second.errcode, second.duplicate), (43101, 43101, true));
    assert_eq!(second.rid, first.rid);
}

#[test]
fn a_message_of_which_nobody_knows_is_not_sent_again_under_its_key() {
    let shop = Shop::open_to_all();
    let app = shop.app(&[]);
    shop.fault(SEND, Some(1), FaultKind::DropAfter);
    assert!(ambiguous(send_with_key(&app, "k")));
    assert!(ambiguous(send_with_key(&app, "k")));
    assert_eq!((shop.requests(SEND), shop.delivered()), (1, 1));
}

#[test]
fn a_store_that_fails_while_another_call_sends_the_key_lets_no_second_message_out() {
    let shop = Shop::open_to_all();
    let app = shop.app(&[("timeout_ms", "1500")]);
    assert_eq!(send(&app).unwrap().errcode, 0);
    let owner = Owner::current();
    let other = Begin {
        id: MessageId::new(),
        owner: &owner,
        lease: Duration::from_secs(60),
        appid: DEMO_APPID,
        openid: DEMO_OPENID,
        shown_openid: DEMO_OPENID,
        template_id: DEMO_TEMPLATE,
        channel: Channel::Subscribe,
        key: Some("k"),
        policy: GrantPolicy::Certain,
        changed: None,
        payload: None,
        retention: Duration::from_secs(60),
        abandoned: None,
        queued: false,
    };
    let until = Instant::now() + Duration::from_secs(5);
    let store = SqliteStore::open(&shop.store(), Durability::Process, until).unwrap();
    assert!(matches!(store.begin(&other, until).unwrap(), Begun::Go { .. }));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| ambiguous(send_with_key(&shop.app(&[("timeout_ms", "1500")]), "k")));
        std::thread::sleep(Duration::from_millis(200));
        let gate = fs::File::open(shop.store().join("gate")).unwrap();
        gate.lock().unwrap();
        assert!(waiting.join().unwrap());
    });
    assert_eq!(shop.delivered(), 1, "the message with the key is the other call's");
}

#[test]
fn each_accept_is_worth_one_message() {
    let shop = shop_without_grants();
    let app = shop.app(&[]);
    accept(&shop, &app, 2);
    assert_eq!(count(&row(&app), "available"), 2);
    for left in [1, 0] {
        assert_eq!(send(&app).unwrap().errcode, 0);
        let row = row(&app);
        assert_eq!((count(&row, "available"), count(&row, "reserved")), (left, 0));
        assert_books(&row);
    }
    let row = row(&app);
    assert_eq!((count(&row, "accepted"), count(&row, "delivered")), (2, 2));
    assert_eq!(row["state"], "accept");
    assert_eq!(shop.left_at_wechat(), 0);
}

#[test]
fn after_43101_a_message_costs_no_request_until_the_user_accepts_again() {
    let shop = shop_without_grants();
    let app = shop.app(&[]);
    accept(&shop, &app, 1);
    assert_eq!(send(&app).unwrap().errcode, 0);
    // The count is 0, but that is no proof: WeChat decides.
    let asked = send(&app).unwrap();
    assert_eq!((asked.errcode, asked.source), (43101, Source::Wechat));
    assert_eq!(row(&app)["certain"], true);
    let before = shop.requests(SEND);
    let refused = send(&app).unwrap();
    assert_eq!((refused.errcode, refused.source, refused.attempts), (43101, Source::Local, 0));
    assert_eq!(refused.outcome, Outcome::RefusedUser);
    assert!(refused.hint.contains("recordGrants()") && refused.id.is_some());
    assert_eq!(shop.requests(SEND), before);
    accept(&shop, &app, 1);
    assert_eq!(row(&app)["certain"], false);
    assert_eq!(send(&app).unwrap().errcode, 0);
    assert_books(&row(&app));
}

#[test]
fn a_delivery_after_43101_ends_the_refusal() {
    let shop = shop_without_grants();
    let app = shop.app(&[]);
    report(&app, &[(DEMO_TEMPLATE, "accept")]);
    assert_eq!(send(&app).unwrap().errcode, 43101);
    assert_eq!(row(&app)["certain"], true);
    // The user accepts where the shop does not see it, and a message that asks WeChat whatever the ledger says arrives.
    shop.buyer_accepts(2);
    assert_eq!(send(&shop.app(&[("grants", "off")])).unwrap().errcode, 0);
    assert_eq!(row(&app)["certain"], false, "WeChat's last word is no refusal any more");
    assert_eq!(send(&app).unwrap().errcode, 0);
    assert_books(&row(&app));
}

#[test]
fn a_shop_that_reports_no_accepts_is_never_refused_locally() {
    let shop = shop_without_grants();
    let app = shop.app(&[]);
    for _ in 0..2 {
        assert_eq!(send(&app).unwrap().source, Source::Wechat);
    }
    shop.buyer_accepts(1);
    assert_eq!(send(&app).unwrap().errcode, 0, "an accept of which only WeChat knows");
}

#[test]
fn a_43101_takes_away_what_the_ledger_wrongly_believed() {
    let shop = shop_without_grants();
    let app = shop.app(&[]);
    report(&app, &[(DEMO_TEMPLATE, "accept")]);
    report(&app, &[(DEMO_TEMPLATE, "accept")]);
    assert_eq!(send(&app).unwrap().errcode, 43101);
    let row = row(&app);
    assert_eq!((count(&row, "available"), count(&row, "lost"), &row["certain"]), (0, 2, &json!(true)));
    assert_books(&row);
}

#[test]
fn the_policy_decides_when_the_ledger_refuses() {
    let shop = Shop::open_to_all();
    let strict = shop.app(&[("grants", "strict")]);
    let refused = send(&strict).unwrap();
    assert_eq!((refused.errcode, refused.source), (43101, Source::Local));
    report(&strict, &[(DEMO_TEMPLATE, "accept")]);
    assert_eq!(send(&strict).unwrap().errcode, 0);
    assert_eq!(send(&strict).unwrap().source, Source::Local);
    let off = Options { grants: Some(routine_template::config::GrantPolicy::Off), ..Options::default() };
    assert_eq!(strict.send(&Message { options: off, ..message(order()) }).unwrap().errcode, 0);
    assert_books(&row(&strict));
    assert_eq!(count(&row(&strict), "delivered"), 2, "counted all the same");
}

#[test]
fn what_did_not_arrive_gives_the_grant_back_and_an_unknown_outcome_keeps_it() {
    let shop = shop_without_grants();
    let app = shop.app(&[]);
    accept(&shop, &app, 3);
    for errcode in [-1, 47003, 45011] {
        shop.fault(SEND, Some(1), FaultKind::Errcode { errcode, errmsg: None });
        assert_eq!(send(&app).unwrap().errcode, errcode);
        assert_eq!((count(&row(&app), "available"), count(&row(&app), "reserved")), (3, 0), "{errcode}");
    }
    app.clear_quota(None).unwrap();
    shop.fault(SEND, Some(1), FaultKind::DropAfter);
    let error = send(&app).unwrap_err().to_string();
    assert!(error.contains("its grant stays reserved"), "{error}");
    assert_eq!((count(&row(&app), "available"), count(&row(&app), "reserved")), (2, 1));
    // WeChat had taken it: after the other two are spent its "no" settles that, too.
    for _ in 0..2 {
        assert_eq!(send(&app).unwrap().errcode, 0);
    }
    assert_eq!(send(&app).unwrap().errcode, 43101);
    let row = row(&app);
    assert_eq!((count(&row, "reserved"), count(&row, "lost"), count(&row, "delivered")), (0, 1, 2));
    assert_books(&row);
}

#[test]
fn a_long_term_accept_is_not_used_up() {
    let shop = Shop::open();
    let template_id = "lOnGtErM_0123456789012345678901234567890123";
    shop.wechat.template(
        DEMO_APPID,
        TemplateChange {
            template_id: template_id.into(),
            title: "挂号提醒".into(),
            content: "科室{{thing4.DATA}}".into(),
            long_term: true,
            ..TemplateChange::default()
        },
    );
    shop.wechat.grant(DEMO_APPID, DEMO_OPENID, template_id, routine_template::sandbox::Choice::Accept, 1);
    let app = shop.app(&[("grants", "strict")]);
    let options = ReportOptions { long_term: Some(true), ..ReportOptions::default() };
    app.record_grants(DEMO_OPENID, &map(&[(template_id, "accept")]), &options).unwrap();
    for _ in 0..3 {
        let answer =
            app.send(&Message { template_id: template_id.into(), ..message(map(&[("thing4", "内科")])) }).unwrap();
        assert_eq!(answer.errcode, 0, "{}", answer.errmsg);
    }
    let row = app.grants(DEMO_OPENID, Some(template_id)).unwrap();
    assert_eq!((&row["long_term"], count(&row, "delivered")), (&json!(true), 3));
    assert_books(&row);
    assert_eq!(app.audience(template_id, None, 10).unwrap()["users"][0]["openid"], DEMO_OPENID);
}

#[test]
fn a_report_counts_once_and_names_what_it_did_not_count() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    let keyed = ReportOptions { key: Some("click-1".into()), ..ReportOptions::default() };
    let posted = map(&[("errMsg", "requestSubscribeMessage:ok"), (DEMO_TEMPLATE, "acceptWithAudio"), ("openid", "o1")]);
    let first = app.record_grants(DEMO_OPENID, &posted, &keyed).unwrap();
    let again = app.record_grants(DEMO_OPENID, &posted, &keyed).unwrap();
    assert_eq!((&first["duplicate"], &again["duplicate"]), (&json!(false), &json!(true)));
    assert_eq!(first["recorded"][DEMO_TEMPLATE]["available"], 1);
    assert_eq!(again["recorded"][DEMO_TEMPLATE]["available"], 1);
    assert_eq!(first["unknown"], json!({ "openid": "not_a_template_id" }));
    assert_eq!(first["errMsg"], "requestSubscribeMessage:ok");

    let mut registry = Registry::default();
    registry.register("OTHER", "aNoThErTeMpLaTe_012345678901234567890123456", None).unwrap();
    let strict = shop.app_with(&[], registry);
    let foreign =
        strict.record_grants(DEMO_OPENID, &map(&[(DEMO_TEMPLATE, "accept")]), &ReportOptions::default()).unwrap();
    assert_eq!(foreign["unknown"][DEMO_TEMPLATE], "not_a_template_of_this_account");
    assert_eq!(count(&row(&app), "accepted"), 1);
    let named = ReportOptions { templates: Some(vec![DEMO_TEMPLATE.into()]), ..ReportOptions::default() };
    let counted = strict.record_grants(DEMO_OPENID, &map(&[(DEMO_TEMPLATE, "accept")]), &named).unwrap();
    assert_eq!(counted["recorded"][DEMO_TEMPLATE]["available"], 2);
    assert!(app.record_grants("", &posted, &keyed).is_err());
}

#[test]
fn the_same_report_key_of_two_users_is_two_reports() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    let keyed = ReportOptions { key: Some("1".to_owned()), ..ReportOptions::default() };
    for (openid, duplicate) in [("oFirst", false), ("oSecond", false), ("oSecond", true)] {
        let recorded = app.record_grants(openid, &map(&[(DEMO_TEMPLATE, "accept")]), &keyed).unwrap();
        assert_eq!(
            (&recorded["duplicate"], &recorded["recorded"][DEMO_TEMPLATE]["available"]),
            (&json!(duplicate), &json!(1))
        );
    }
}

#[test]
fn an_audience_is_who_can_still_be_reached_page_by_page() {
    let shop = Shop::open_to_all();
    let app = shop.app(&[]);
    for number in 0..25 {
        let openid = format!("oBuyer{number:02}");
        app.record_grants(&openid, &map(&[(DEMO_TEMPLATE, "accept")]), &ReportOptions::default()).unwrap();
    }
    app.send(&Message { touser: "oBuyer03".into(), ..message(order()) }).unwrap();
    report(&app, &[(DEMO_TEMPLATE, "reject")]);
    let mut seen = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = app.audience(DEMO_TEMPLATE, cursor.as_deref(), 10).unwrap();
        seen.extend(page["users"].as_array().unwrap().iter().map(|user| user["openid"].as_str().unwrap().to_owned()));
        cursor = page["cursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 24);
    assert!(!seen.contains(&"oBuyer03".to_owned()) && seen.is_sorted());
    assert!(app.audience(DEMO_TEMPLATE, None, 0).is_err());
}

#[test]
fn an_api_that_wechat_has_paused_is_not_called_until_the_pause_ends() {
    let shop = Shop::open_to_all();
    shop.wechat.quota(DEMO_APPID, SEND, QuotaChange { daily_limit: Some(Some(1)), minute_limit: None });
    let app = shop.app(&[]);
    assert_eq!(send(&app).unwrap().errcode, 0);
    assert_eq!(send(&app).unwrap().source, Source::Wechat);
    let asked = shop.requests(SEND);
    for _ in 0..5 {
        let answer = send(&app).unwrap();
        assert_eq!((answer.errcode, answer.source, answer.outcome), (45009, Source::Local, Outcome::ThrottledDay));
        assert!(answer.hint.contains("clearQuota()"), "{}", answer.hint);
    }
    assert_eq!(shop.requests(SEND), asked);
    let usage = app.quota(SEND).unwrap();
    assert_eq!((&usage["errcode"], &usage["local"]["calls_today"]), (&json!(0), &json!(2)));
    assert_eq!(usage["local"]["paused_by"], 45009);
    assert!(usage["quota"]["daily_limit"].as_i64().is_some());
    assert_eq!(app.clear_quota(None).unwrap()["errcode"], 0);
    assert_eq!(send(&app).unwrap().errcode, 0);
    assert_eq!(app.quota(SEND).unwrap()["local"]["calls_today"], 1);
}

#[test]
fn a_limit_of_the_token_endpoint_pauses_no_message() {
    let shop = Shop::open_to_all();
    let app = shop.app(&[]);
    assert_eq!(send(&app).unwrap().errcode, 0);
    shop.wechat.expire_tokens(DEMO_APPID, TokenKinds::All, TokenEnd::Revoked);
    shop.fault(STABLE_TOKEN, Some(1), FaultKind::Errcode { errcode: 45011, errmsg: None });
    let answer = send(&app).unwrap();
    assert_eq!((answer.errcode, answer.attempts), (45011, 1));
    assert_eq!(shop.app(&[("token_mode", "classic")]).quota(SEND).unwrap()["local"]["paused_until"], Value::Null);
}

#[test]
fn the_limit_of_a_minute_pauses_until_the_next_one() {
    let shop = Shop::open_to_all();
    let app = shop.app(&[]);
    shop.fault(SEND, Some(1), FaultKind::Errcode { errcode: 45011, errmsg: None });
    assert_eq!(send(&app).unwrap().source, Source::Wechat);
    let until = app.quota(SEND).unwrap()["local"]["paused_until"].as_i64();
    // The minute may just have ended.
    if let Some(until) = until {
        assert_eq!(until % 60, 0);
        assert_eq!(shop.requests(SEND), 1);
    }
}

#[test]
fn accounts_in_one_store_never_mix() {
    const OTHER: &str = "wx00000000000other";
    let shop = shop_without_grants();
    shop.wechat.account(
        OTHER,
        AccountChange { secret: Some("other".into()), any_openid: Some(true), ..AccountChange::default() },
    );
    shop.wechat.template(
        OTHER,
        TemplateChange {
            template_id: DEMO_TEMPLATE.into(),
            title: "支付".into(),
            content: "订单{{character_string1.DATA}}\n金额{{amount2.DATA}}\n时间{{time3.DATA}}\n商品{{thing4.DATA}}"
                .into(),
            ..TemplateChange::default()
        },
    );
    let (first, other) = (shop.app(&[]), shop.app(&[("appid", OTHER), ("secret", "other")]));
    report(&first, &[(DEMO_TEMPLATE, "accept")]);
    assert_eq!(count(&row(&other), "available"), 0);
    assert_eq!(send_with_key(&first, "k").unwrap().errcode, 43101);
    let sent = send_with_key(&other, "k").unwrap();
    assert_eq!((sent.errcode, sent.duplicate), (0, false));
    assert_eq!((deliveries(&first).len(), deliveries(&other).len()), (1, 1));
    assert_eq!(first.status(&sent.id.unwrap().to_string()).unwrap(), None);
    shop.fault(SEND, Some(1), FaultKind::Errcode { errcode: 45009, errmsg: None });
    assert_eq!(send(&other).unwrap().source, Source::Wechat);
    assert_eq!(send(&other).unwrap().source, Source::Local);
    shop.buyer_accepts(1);
    report(&first, &[(DEMO_TEMPLATE, "accept")]);
    assert_eq!(send(&first).unwrap().errcode, 0);
    assert_ne!(first.access_token(false).unwrap(), other.access_token(false).unwrap());
}

/// Stores a token that is due for renewal and lives for ten minutes.
fn store_due_token(shop: &Shop, app: &App, token: &str) {
    let until = Instant::now() + Duration::from_secs(5);
    let store = SqliteStore::open(&shop.store(), Durability::Process, until).unwrap();
    let account = TokenKey::of(app.settings());
    store.put_token(account.account(), 1, token, Duration::ZERO, Duration::from_secs(600), until).unwrap();
}

#[test]
fn a_process_without_a_token_of_its_own_sends_with_the_stored_one_if_its_renewal_fails() {
    for kind in [FaultKind::Hang, FaultKind::HttpStatus { status: 502 }, FaultKind::DropBefore] {
        let shop = Shop::open_to_all();
        let living = shop.app(&[("store", "off"), ("token_mode", "classic")]).access_token(false).unwrap();
        let app = shop.app(&[("timeout_ms", "1000")]);
        store_due_token(&shop, &app, &living);
        shop.fault(STABLE_TOKEN, None, kind.clone());
        assert_eq!(send(&app).map(|answer| answer.errcode), Ok(0), "{kind:?}");
        assert!(shop.requests(STABLE_TOKEN) > 0, "it has tried");
    }
}

#[test]
fn a_refusal_to_renew_stops_no_message_while_the_old_token_lives() {
    let shop = Shop::open_to_all();
    let living = shop.app(&[("store", "off"), ("token_mode", "classic")]).access_token(false).unwrap();
    let app = shop.app(&[]);
    store_due_token(&shop, &app, &living);
    shop.fault(STABLE_TOKEN, None, FaultKind::Errcode { errcode: 45009, errmsg: None });
    assert!(delivered(send(&app)));
    // The old token is looked at again after five seconds, the refusal stands for a minute.
    std::thread::sleep(Duration::from_millis(5200));
    assert!(delivered(send(&app)));
    assert_eq!(shop.requests(STABLE_TOKEN), 1);
}

#[test]
fn a_token_that_was_fetched_without_the_store_is_renewed_at_the_first_refusal() {
    let shop = Shop::open_to_all();
    let token = shop.app(&[("store", "off")]).access_token(false).unwrap();
    let app = shop.app(&[]);
    store_due_token(&shop, &app, &token);
    shop.wechat.expire_tokens(DEMO_APPID, TokenKinds::All, TokenEnd::Revoked);
    let answer = send(&app).unwrap();
    assert_eq!((answer.errcode, answer.attempts), (0, 2));
}

/// Hands out the tokens of a list, one after each refusal.
struct Supplier(RefCell<Vec<String>>);

impl TokenSupplier for Supplier {
    fn token(&self, refresh: bool) -> Result<Secret, Error> {
        let mut tokens = self.0.borrow_mut();
        if refresh && tokens.len() > 1 {
            tokens.remove(0);
        }
        Ok(Secret::new(tokens[0].clone()))
    }
}

#[test]
fn an_application_that_supplies_tokens_is_asked_again_after_a_refusal() {
    let shop = Shop::open_to_all();
    let dead = shop.app(&[("token_mode", "classic")]).access_token(false).unwrap();
    shop.wechat.expire_tokens(DEMO_APPID, TokenKinds::All, TokenEnd::Revoked);
    let good = shop.app(&[]).access_token(true).unwrap();
    let app = shop.app(&[("token_mode", "external"), ("secret", "")]);
    let app = app.with_supplier(Rc::new(Supplier(RefCell::new(vec![dead.clone(), good]))));
    let answer = send(&app).unwrap();
    assert_eq!((answer.errcode, answer.attempts), (0, 2));
    let stuck = shop.app(&[("token_mode", "external"), ("secret", "")]);
    let stuck = stuck.with_supplier(Rc::new(Supplier(RefCell::new(vec![dead]))));
    let answer = send(&stuck).unwrap();
    assert_eq!((answer.outcome, answer.attempts), (Outcome::TokenStale, 1));
}

fn delivered(answer: Result<Answer, Error>) -> bool {
    answer.unwrap().errcode == 0
}

#[test]
fn a_store_that_cannot_be_opened_stops_no_message_and_is_reported_once() {
    let shop = Shop::open_to_all();
    fs::write(shop.store(), "a file where the directory should be").unwrap();
    let log = shop.path("log");
    let app = shop.app(&[("log_file", log.to_str().unwrap())]);
    for _ in 0..5 {
        assert!(delivered(send(&app)));
    }
    assert_eq!(send(&app).unwrap().id, None);
    let condition = app.store_condition();
    assert_eq!(condition.state, "down");
    assert!(condition.place.unwrap().contains("store") && condition.error.is_some());
    let events = fs::read_to_string(&log).unwrap();
    assert_eq!(events.lines().count(), 1, "{events}");
    assert!(events.contains("store_down") && !events.contains(DEMO_OPENID));
    let error = app.record_grants(DEMO_OPENID, &map(&[(DEMO_TEMPLATE, "accept")]), &ReportOptions::default());
    assert!(matches!(error, Err(Error::Store(_))), "{error:?}");

    fs::remove_file(shop.store()).unwrap();
    wait_until("the store to be used again", || send(&app).unwrap().id.is_some());
    assert_eq!(app.store_condition().state, "up");
    let events = fs::read_to_string(&log).unwrap();
    assert!(events.lines().last().unwrap().contains("store_up"), "{events}");
}

#[test]
fn without_a_store_messages_go_out_and_everything_else_says_why_not() {
    let shop = Shop::open_to_all();
    let app = shop.app(&[("store", "off")]);
    assert!(delivered(send(&app)));
    assert!(delivered(send_with_key(&app, "k")));
    assert_eq!(app.store_condition().state, "off");
    assert!(matches!(app.grants(DEMO_OPENID, None), Err(Error::Config { .. })));
}

#[test]
fn a_damaged_store_is_put_aside_and_begun_anew() {
    let shop = Shop::open_to_all();
    let app = shop.app(&[]);
    assert!(delivered(send(&app)));
    for entry in fs::read_dir(shop.store()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with("state") {
            fs::write(path, "x".repeat(70_000)).unwrap();
        }
    }
    for _ in 0..5 {
        assert!(delivered(send(&app)));
    }
    wait_until("the store to be used again", || send(&app).unwrap().id.is_some());
    let aside = fs::read_dir(shop.store())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_str().unwrap().contains("corrupt"));
    assert!(aside.count() >= 1, "nothing is thrown away");
}
