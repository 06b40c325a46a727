//! What the stages of a message cost that need neither network nor store: its fields, the body that is posted, the answer, a push.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use routine_template::config::Secret;
use routine_template::field::{Mode, check};
use routine_template::message::{Channel, Input};
use routine_template::push::{self, Account, Query, Received};
use routine_template::template::Template;
use routine_template::wechat::api::{SendBody, Verdict};
use routine_template::wechat::client::Reply;
use routine_template::wechat::data::Data;
use serde_json::Value;
use std::borrow::Cow;
use std::hint::black_box;

const TEMPLATE: &str = "订单号{{character_string1.DATA}}\n金额{{amount2.DATA}}\n商品{{thing3.DATA}}\n时间{{date4.DATA}}\n状态{{phrase5.DATA}}";

fn message<'a>(members: &[(&'a str, &'a str)]) -> Input<'a> {
    Input::Map(members.iter().map(|(key, value)| (Cow::Borrowed(key.as_bytes()), Input::text(*value))).collect())
}

fn paid() -> Input<'static> {
    message(&[
        ("character_string1", "wx202410211530251234567890"),
        ("amount2", "129.00"),
        ("thing3", "新疆阿克苏冰糖心苹果 5斤装"),
        ("date4", "2024-10-21 15:30:25"),
        ("phrase5", "已支付"),
    ])
}

fn field(criterion: &mut Criterion) {
    let paid = paid();
    let template = Template::from_content(TEMPLATE);
    let broken = message(&[
        ("character_string1.DATA", " wx202410211530251234567890 "),
        ("amount2", "1,129.000"),
        ("thing3", "🍎新疆阿克苏冰糖心苹果 5斤装 顺丰包邮 坏果包赔\n今日特价"),
        ("date4", "2024-10-21T15:30:25+08:00"),
        ("phrase5", "已支付！"),
    ]);
    let run = |data: &Input<'_>, template: Option<&Template>, mode| {
        check(black_box(data), template, mode, Channel::Subscribe)
    };
    assert!(run(&paid, Some(&template), Mode::Fit).changes.is_empty());
    assert_eq!(run(&broken, Some(&template), Mode::Fit).changes.len(), 5);
    assert!(run(&broken, Some(&template), Mode::Fit).violations.is_empty());

    criterion.bench_function("order paid, clean, no template", |bencher| bencher.iter(|| run(&paid, None, Mode::Fit)));
    criterion.bench_function("order paid, clean, template", |bencher| {
        bencher.iter(|| run(&paid, Some(&template), Mode::Fit))
    });
    criterion.bench_function("order paid, clean, strict", |bencher| {
        bencher.iter(|| run(&paid, Some(&template), Mode::Strict))
    });
    criterion.bench_function("order paid, every field repaired", |bencher| {
        bencher.iter(|| run(&broken, Some(&template), Mode::Fit));
    });
    criterion.bench_function("order paid, every field refused", |bencher| {
        bencher.iter(|| run(&broken, Some(&template), Mode::Strict));
    });
}

fn wire(criterion: &mut Criterion) {
    let checked = check(&paid(), Some(&Template::from_content(TEMPLATE)), Mode::Fit, Channel::Subscribe);
    let body = SendBody {
        touser: "oDemoBuyer0000000000000000001",
        template_id: "0rdErPaid0000000000000000000000000000000001",
        page: Some("pages/order/index?id=wx202410211530251234567890"),
        url: None,
        miniprogram: None,
        data: Data { fields: &checked.fields, channel: Channel::Subscribe },
        miniprogram_state: Some("formal"),
        lang: Some("zh_CN"),
        client_msg_id: None,
    };
    assert!(serde_json::to_string(&body).unwrap().contains(r#""amount2":{"value":"129.00"}"#));
    criterion.bench_function("order paid, written as JSON", |bencher| {
        bencher.iter(|| serde_json::to_vec(black_box(&body)).unwrap());
    });
}

fn answer(criterion: &mut Criterion) {
    let reply = |body: &str| Reply { status: 200, body: body.as_bytes().to_vec() };
    let accepted = reply(r#"{"errcode":0,"errmsg":"ok","msgid":2867263041873395713}"#);
    let refused = reply(
        r#"{"errcode":47003,"errmsg":"argument invalid! data.thing3.value invalid rid: 67160a2f-1b2c3d4e-5f607182"}"#,
    );
    assert_eq!(Verdict::read(&accepted).unwrap().msgid.as_deref(), Some("2867263041873395713"));
    assert_eq!(Verdict::read(&refused).unwrap().rid(), Some("67160a2f-1b2c3d4e-5f607182"));
    criterion.bench_function("answer, accepted", |bencher| bencher.iter(|| Verdict::read(black_box(&accepted))));
    criterion.bench_function("answer, refused", |bencher| bencher.iter(|| Verdict::read(black_box(&refused))));
}

/// A whole request of WeChat's own samples: signature, decryption, parsing, what it says.
fn received_push(criterion: &mut Criterion) {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../tests/corpus/wechat-crypto-vectors.json")).unwrap();
    for (id, name) in [("A3-safe-json", "push, encrypted JSON"), ("B1-safe-xml", "push, encrypted XML")] {
        let vector = vectors.iter().find(|vector| vector.get("id").and_then(Value::as_str) == Some(id)).unwrap();
        let text = |member: &str| vector.get(member).and_then(Value::as_str).unwrap();
        let (token, keys) = (Secret::new(text("token").to_owned()), [Secret::new(text("encoding_aes_key").to_owned())]);
        let account = Account { appid: text("appid"), token: &token, keys: &keys };
        let query = Query {
            signature: Some(text("signature").into()),
            msg_signature: Some(text("msg_signature").into()),
            timestamp: text("timestamp").into(),
            nonce: text("nonce").into(),
            echostr: None,
        };
        let encrypted = text("encrypt");
        let body = if id.ends_with("xml") {
            format!(
                "<xml><ToUserName><![CDATA[gh_97417a04a28d]]></ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
            )
        } else {
            format!(r#"{{"ToUserName":"gh_97417a04a28d","Encrypt":"{encrypted}"}}"#)
        };
        let now = text("timestamp").parse().unwrap();
        let take = || match push::receive(&query, black_box(body.as_bytes()), &account, now) {
            Ok(Received::Message(message)) => push::read(&message).unwrap(),
            other => panic!("{other:?}"),
        };
        take();
        criterion.bench_function(name, |bencher| bencher.iter(take));
    }
}

criterion_group!(benches, field, wire, answer, received_push);
criterion_main!(benches);
