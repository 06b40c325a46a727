//! What official accounts send beside subscribe messages, and the calls that WeChat has withdrawn.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use routine_template::app::{App, OneTime};
use routine_template::error::Error;
use routine_template::message::{Channel, Input, Message};
use routine_template::options::{MiniProgramPage, Options};
use routine_template::sandbox::{
    DEMO_OFFICIAL_APPID, DEMO_OFFICIAL_OPENID, DEMO_OFFICIAL_SECRET, DEMO_OFFICIAL_TEMPLATE, FaultKind, MessageFilter,
};
use serde_json::{Value, json};

#[path = "support/shop.rs"]
mod support;
use support::*;

const ONE_TIME: &str = "/cgi-bin/message/template/subscribe";

fn official(shop: &Shop, changes: &[(&str, &str)]) -> App {
    let account = [("appid", DEMO_OFFICIAL_APPID), ("secret", DEMO_OFFICIAL_SECRET)];
    shop.app(&[&account, changes].concat())
}

fn notice(channel: Channel, data: Input<'static>, options: Options) -> Message<'static> {
    Message {
        touser: DEMO_OFFICIAL_OPENID.into(),
        template_id: DEMO_OFFICIAL_TEMPLATE.0.into(),
        data,
        page: None,
        options: Options { channel, ..options },
    }
}

fn shipped() -> Input<'static> {
    map(&[
        ("character_string1", "cp1"),
        ("thing2", "茶"),
        ("amount3", "¥999999999999"),
        ("const4", "已发货"),
        ("time5", "10:00"),
    ])
}

fn last_body(shop: &Shop) -> Value {
    let message = shop.wechat.messages(&MessageFilter::default()).pop().unwrap();
    serde_json::to_value(&message.body).unwrap()
}

fn once<'a>(scene: &'a str, title: &'a str, content: &'a Input<'a>, options: &'a Input<'a>) -> OneTime<'a> {
    OneTime { openid: DEMO_OFFICIAL_OPENID, template_id: DEMO_OFFICIAL_TEMPLATE.0, scene, title, content, options }
}

#[test]
fn a_template_message_with_a_key_is_one_message_at_wechat_too() {
    let shop = Shop::open();
    let key = |key: &str| Options { key: Some(key.to_owned()), ..Options::default() };
    // Nothing here remembers the first one.
    let app = official(&shop, &[("store", "off")]);
    let first = app.send(&notice(Channel::Template, shipped(), key("order-1-shipped"))).unwrap();
    let second = app.send(&notice(Channel::Template, shipped(), key("order-1-shipped"))).unwrap();
    assert_eq!((first.errcode, &first.msgid), (0, &second.msgid));
    assert_eq!(shop.delivered(), 1);
    assert_eq!(last_body(&shop)["client_msg_id"], "order-1-shipped");
    app.send(&notice(Channel::Template, shipped(), key("订单 2 已发货"))).unwrap();
    assert_eq!(last_body(&shop)["client_msg_id"].as_str().unwrap().len(), 32);
    app.send(&notice(Channel::Template, shipped(), Options::default())).unwrap();
    assert_eq!(last_body(&shop).get("client_msg_id"), None);
    app.send(&notice(Channel::Bizsend, shipped(), key("order-1-shipped"))).unwrap();
    assert_eq!(last_body(&shop).get("client_msg_id"), None, "of bizsend nothing is known");
}

#[test]
fn an_official_account_takes_amounts_of_twelve_digits_an_empty_const_and_a_mini_program() {
    let shop = Shop::open();
    let app = official(&shop, &[]);
    let target = MiniProgramPage { appid: "wx00000000000000aa".into(), pagepath: Some("pages/order?id=1".into()) };
    for channel in [Channel::Bizsend, Channel::Template] {
        let options = Options { miniprogram: Some(target.clone()), ..Options::default() };
        let answer = app.send(&notice(channel, shipped(), options)).unwrap();
        assert_eq!((answer.errcode, answer.changed.len()), (0, 0), "{}", answer.errmsg);
        let body = last_body(&shop);
        assert_eq!(body["data"]["amount3"]["value"], "¥999999999999");
        assert_eq!(body["miniprogram"], json!({"appid": "wx00000000000000aa", "pagepath": "pages/order?id=1"}));
        let empty = map(&[
            ("character_string1", "cp1"),
            ("thing2", "茶"),
            ("amount3", "1"),
            ("const4", ""),
            ("time5", "10:00"),
        ]);
        assert_eq!(app.send(&notice(channel, empty, Options::default())).unwrap().errcode, 0);
    }
}

#[test]
fn a_one_time_message_goes_out_with_what_its_page_lists() {
    let shop = Shop::open();
    let app = official(&shop, &[]);
    let content = map(&[("value", "您的订单已发货"), ("color", "#173177")]);
    let options = Input::from(json!({
        "url": "https://shop.test/1", "miniprogram": {"appid": "wx00000000000000aa", "pagepath": "pages/a"},
    }));
    let answer = app.send_one_time(&once("1000", "发货提醒", &content, &options)).unwrap();
    assert_eq!(
        (&answer["errcode"], &answer["source"], &answer["outcome"]),
        (&json!(0), &json!("wechat"), &json!("delivered"))
    );
    assert_eq!(
        last_body(&shop),
        json!({
            "touser": DEMO_OFFICIAL_OPENID, "template_id": DEMO_OFFICIAL_TEMPLATE.0, "scene": "1000", "title": "发货提醒",
            "data": {"content": {"value": "您的订单已发货", "color": "#173177"}},
            "url": "https://shop.test/1", "miniprogram": {"appid": "wx00000000000000aa", "pagepath": "pages/a"},
        })
    );
}

#[test]
fn a_one_time_message_that_wechat_would_refuse_costs_no_request_and_names_the_field() {
    let shop = Shop::open();
    let app = official(&shop, &[]);
    let none = Input::Map(Vec::new());
    let (long_title, long_content) = ("长".repeat(16), Input::text("长".repeat(201)));
    let content = Input::text("内容");
    let (empty, flag) = (Input::text(" "), Input::Bool(true));
    let cases = [
        (once("10001", "标题", &content, &none), 40097, "scene"),
        (once("", "标题", &content, &none), 40097, "scene"),
        (once("1", "", &content, &none), 40062, "title"),
        (once("1", &long_title, &content, &none), 40062, "title"),
        (once("1", "标题", &empty, &none), 47003, "content"),
        (once("1", "标题", &long_content, &none), 47003, "content"),
        (once("1", "标题", &flag, &none), 47003, "content"),
        (OneTime { openid: "", ..once("1", "标题", &content, &none) }, 40003, "openid"),
        (OneTime { template_id: " ", ..once("1", "标题", &content, &none) }, 40037, "template"),
    ];
    for (message, errcode, field) in &cases {
        let answer = app.send_one_time(message).unwrap();
        assert_eq!((&answer["errcode"], &answer["source"]), (&json!(errcode), &json!("local")), "{answer}");
        assert!(answer["hint"].as_str().unwrap().contains(field), "{answer}");
    }
    let unknown = map(&[("page", "x")]);
    let error = app.send_one_time(&once("1", "标题", &content, &unknown)).unwrap_err();
    assert!(matches!(&error, Error::Value(text) if text.en.contains("\"page\"") && text.en.contains("url")), "{error}");
    assert_eq!(shop.requests(ONE_TIME) + shop.requests(STABLE_TOKEN), 0);
}

#[test]
fn a_one_time_message_without_a_verdict_is_never_sent_again() {
    let shop = Shop::open();
    let app = official(&shop, &[("timeout_ms", "1500")]);
    app.access_token(false).unwrap();
    shop.fault(ONE_TIME, None, FaultKind::Hang);
    let (content, none) = (Input::text("内容"), Input::Map(Vec::new()));
    match app.send_one_time(&once("1", "标题", &content, &none)).unwrap_err() {
        Error::Transport { ambiguous, text } => assert!(ambiguous && text.en.contains("never resend"), "{text}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(shop.requests(ONE_TIME), 1);
}

#[test]
fn wechats_refusal_of_a_one_time_message_is_its_answer() {
    let shop = Shop::open();
    let app = official(&shop, &[]);
    shop.fault(ONE_TIME, Some(1), FaultKind::Errcode { errcode: 43101, errmsg: None });
    let (content, none) = (Input::text("内容"), Input::Map(Vec::new()));
    let answer = app.send_one_time(&once("1", "标题", &content, &none)).unwrap();
    assert_eq!((&answer["errcode"], &answer["outcome"]), (&json!(43101), &json!("refused_user")));
    assert_eq!(shop.requests(ONE_TIME), 1);
}

#[test]
fn a_one_time_message_of_a_mini_program_is_told_that_official_accounts_have_them() {
    let shop = Shop::open();
    let app = official(&shop, &[]);
    shop.fault(ONE_TIME, Some(1), FaultKind::Errcode { errcode: 45103, errmsg: None });
    let (content, none) = (Input::text("内容"), Input::Map(Vec::new()));
    let answer = app.send_one_time(&once("1", "标题", &content, &none)).unwrap();
    let hint = answer["hint"].as_str().unwrap();
    assert!(hint.contains("official accounts") && !hint.contains("channel"), "{hint}");
}

#[test]
fn withdrawn_calls_answer_at_once_what_replaced_them_and_since_when() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    for (answer, errcode, since) in
        [(app.uniform_send(), 45109, "2023-09-20"), (app.wxopen_template_send(), 45103, "2020")]
    {
        assert_eq!((&answer["errcode"], &answer["source"]), (&json!(errcode), &json!("local")));
        assert!(answer["errmsg"].as_str().unwrap().starts_with("This API has been unsupported"));
        let hint = answer["hint"].as_str().unwrap();
        assert!(hint.contains(since) && hint.contains("send()"), "{hint}");
    }
    assert!(shop.wechat.counters().requests.is_empty());
}
