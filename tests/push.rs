//! WeChat's message push against a real store: what it tells counts once, however often, by whatever way and by however many
//! processes at once.

#![cfg(all(feature = "cli", feature = "failpoints"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::borrow::Cow;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use aes::Aes256;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use routine_template::app::App;
use routine_template::error::Error;
use routine_template::grant::ReportOptions;
use routine_template::message::Input;
use routine_template::registry::Registry;
use routine_template::sandbox::{DEMO_APPID, DEMO_OPENID, DEMO_TEMPLATE, FaultKind, MessageFilter, TemplateChange};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

#[path = "support/redis_server.rs"]
mod redis_server;
#[path = "support/shop.rs"]
mod support;
use redis_server::RedisServer;
use support::*;

const TOKEN: &str = "shopPushToken";
const KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2A";

/// A shop, and the settings of an application that takes its pushes.
struct Pushed {
    shop: Shop,
    settings: Vec<(String, String)>,
    _redis: Option<RedisServer>,
}

impl Pushed {
    fn on_disk() -> Self {
        Self::with(&[], None)
    }

    fn on_redis() -> Self {
        let redis = RedisServer::start();
        let url = redis.url();
        Self::with(&[("store", &url)], Some(redis))
    }

    fn with(changes: &[(&str, &str)], redis: Option<RedisServer>) -> Self {
        let shop = Shop::open_to_all();
        let push = [("push_token", TOKEN), ("push_aes_key", KEY), ("timeout_ms", "20000")];
        let settings = shop.settings(&[&push[..], changes].concat());
        Self { shop, settings, _redis: redis }
    }

    fn app(&self) -> App {
        app_of(&self.settings, Registry::default())
    }

    fn push(&self, message: &Value) -> Value {
        push(&self.app(), message)
    }

    fn row(&self) -> Value {
        self.app().grants(DEMO_OPENID, Some(DEMO_TEMPLATE)).unwrap()
    }
}

fn both() -> [Pushed; 2] {
    [Pushed::on_disk(), Pushed::on_redis()]
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn sign(parts: &[&str]) -> String {
    let mut sorted = [parts, &[TOKEN]].concat();
    sorted.sort_unstable();
    Sha1::digest(sorted.concat()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn encrypt(message: &[u8]) -> String {
    let key: [u8; 32] = STANDARD.decode(format!("{KEY}=")).unwrap().try_into().unwrap();
    let iv: [u8; 16] = key[..16].try_into().unwrap();
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let mut plain = [b"0123456789abcdef", &length[..], message, DEMO_APPID.as_bytes()].concat();
    let pad = 32 - plain.len() % 32;
    plain.extend(vec![u8::try_from(pad).unwrap(); pad]);
    let size = plain.len();
    let cipher = cbc::Encryptor::<Aes256>::new(&key.into(), &iv.into());
    STANDARD.encode(cipher.encrypt_padded::<NoPadding>(&mut plain, size).unwrap())
}

/// Pushes a message in safe mode.
fn try_push(app: &App, message: &Value) -> Result<Value, Error> {
    let encrypted = encrypt(message.to_string().as_bytes());
    let (timestamp, nonce) = (now().to_string(), "415670741");
    let member = |name: &'static str, value: &str| (Cow::Borrowed(name.as_bytes()), Input::text(value.to_owned()));
    let query = Input::Map(vec![
        member("timestamp", &timestamp),
        member("nonce", nonce),
        member("signature", &sign(&[&timestamp, nonce])),
        member("msg_signature", &sign(&[&timestamp, nonce, &encrypted])),
    ]);
    app.handle_push(&query, json!({ "Encrypt": encrypted }).to_string().as_bytes())
}

fn push(app: &App, message: &Value) -> Value {
    try_push(app, message).unwrap()
}

fn event(name: &str, created: u64, list: Value) -> Value {
    json!({
        "ToUserName": "gh_1", "FromUserName": DEMO_OPENID, "CreateTime": created, "MsgType": "event", "Event": name, "List": list,
    })
}

fn answer(event_name: &str, answer: &str, created: u64) -> Value {
    let item = json!({ "TemplateId": DEMO_TEMPLATE, "SubscribeStatusString": answer, "PopupScene": "0" });
    event(event_name, created, item)
}

fn accept(created: u64) -> Value {
    answer("subscribe_msg_popup_event", "accept", created)
}

fn sent(msgid: &str, status: &str) -> Value {
    let code = if status == "success" { "0" } else { "1" };
    let item = json!({ "TemplateId": DEMO_TEMPLATE, "MsgID": msgid, "ErrorCode": code, "ErrorStatus": status });
    event("subscribe_msg_sent_event", now(), item)
}

fn report(app: &App) {
    let result = Input::from(json!({ DEMO_TEMPLATE: "accept" }));
    app.record_grants(DEMO_OPENID, &result, &ReportOptions::default()).unwrap();
}

#[test]
fn an_event_counts_once_however_often_and_by_whatever_way_it_comes() {
    for pushed in both() {
        let message = accept(now());
        let first = pushed.push(&message);
        assert_eq!((&first["handled"], &first["duplicate"]), (&json!(true), &json!(false)), "{first}");
        assert_eq!(first["grants"][DEMO_TEMPLATE], pushed.row());
        assert_eq!(pushed.push(&message)["duplicate"], json!(true));
        assert!(pushed.app().record_event(&Input::text(message.to_string())).unwrap());
        assert!(pushed.app().record_event(&message.clone().into()).unwrap());
        assert_eq!(pushed.row()["available"], 1);

        assert_eq!(pushed.push(&accept(now() + 1))["duplicate"], json!(false), "another second, another answer");
        assert_eq!(pushed.row()["available"], 2);
    }
}

#[test]
fn an_accept_of_a_long_term_template_lasts_once_the_accounts_list_is_known() {
    let pushed = Pushed::on_disk();
    let news = TemplateChange {
        template_id: DEMO_TEMPLATE.into(),
        content: "内容:{{thing1.DATA}}".into(),
        long_term: true,
        ..TemplateChange::default()
    };
    pushed.shop.wechat.template(DEMO_APPID, news);
    let created = now() - 60;
    assert_eq!(pushed.push(&accept(created))["grants"][DEMO_TEMPLATE]["long_term"], false);
    pushed.app().templates(false).unwrap();
    let row = &pushed.push(&accept(created + 1))["grants"][DEMO_TEMPLATE];
    assert_eq!((&row["long_term"], &row["accepted"]), (&json!(true), &json!(1)), "{row}");
}

#[test]
fn an_event_that_is_repeated_after_the_list_became_known_counts_once_all_the_same() {
    for pushed in both() {
        let lasting = "lAsTiNg000000000000000000000000000000000001";
        let news = TemplateChange {
            template_id: lasting.into(),
            content: "内容:{{thing1.DATA}}".into(),
            long_term: true,
            ..TemplateChange::default()
        };
        pushed.shop.wechat.template(DEMO_APPID, news);
        let item = |id: &str| json!({ "TemplateId": id, "SubscribeStatusString": "accept", "PopupScene": "0" });
        let message = event("subscribe_msg_popup_event", now() - 60, json!([item(DEMO_TEMPLATE), item(lasting)]));
        pushed.push(&message);
        pushed.app().templates(false).unwrap();
        let again = pushed.push(&message);
        assert_eq!(pushed.row()["accepted"], 1, "{again}");
        assert_eq!(again["grants"][lasting]["long_term"], true, "{again}");
    }
}

#[test]
fn a_receipt_that_cannot_be_read_hides_no_other() {
    let pushed = Pushed::on_disk();
    let app = pushed.app();
    push(&app, &accept(now()));
    let id = send(&app).unwrap().id.unwrap().to_string();
    let msgid = app.status(&id).unwrap().unwrap()["msgid"].to_string();
    let item = |msgid: &str| json!({ "TemplateId": DEMO_TEMPLATE, "MsgID": msgid, "ErrorCode": "0", "ErrorStatus": "success" });
    let told = push(&app, &event("subscribe_msg_sent_event", now(), json!([item("none"), item(&msgid)])));
    assert_eq!(told["receipts"][0]["id"], json!(id), "{told}");
    assert!(told["hint"].as_str().unwrap().contains("MsgID"), "{told}");
}

#[test]
fn pushes_at_the_same_time_count_once_each() {
    for pushed in both() {
        let (created, settings) = (now() - 100, &pushed.settings);
        thread::scope(|scope| {
            for turn in 0..8_u64 {
                scope.spawn(move || {
                    let app = app_of(settings, Registry::default());
                    (0..6).for_each(|number| {
                        assert_eq!(push(&app, &accept(created + (number + turn) % 6))["status"], 200)
                    });
                });
            }
        });
        assert_eq!(pushed.row()["accepted"], 6);
    }
}

#[test]
fn the_front_end_and_the_push_tell_of_one_answer_in_either_order() {
    for pushed in both() {
        report(&pushed.app());
        pushed.push(&accept(now()));
        assert_eq!(pushed.row()["available"], 1);
        pushed.push(&accept(now() + 1));
        report(&pushed.app());
        assert_eq!(pushed.row()["available"], 2);
    }
}

#[test]
fn an_answer_that_comes_late_counts_but_is_not_the_last_word() {
    for pushed in both() {
        let created = now() - 100;
        pushed.push(&answer("subscribe_msg_change_event", "reject", created + 50));
        let row = pushed.row();
        assert_eq!((&row["state"], &row["certain"]), (&json!("reject"), &json!(true)));
        pushed.push(&accept(created));
        let row = pushed.row();
        assert_eq!((&row["state"], &row["certain"], &row["accepted"]), (&json!("reject"), &json!(true), &json!(1)));
        pushed.push(&accept(created + 60));
        let row = pushed.row();
        assert_eq!((&row["state"], &row["certain"], &row["accepted"]), (&json!("accept"), &json!(false), &json!(2)));
    }
}

#[test]
fn what_became_of_a_message_is_in_its_row_and_changes_no_grant() {
    for pushed in both() {
        for (hash, status) in [("off", "success"), ("on", "user block")] {
            let settings: Vec<_> =
                pushed.settings.iter().cloned().chain([("hash_openid".to_owned(), hash.to_owned())]).collect();
            let app = app_of(&settings, Registry::default());
            push(&app, &accept(now() - if hash == "on" { 1 } else { 2 }));
            let (answer, before) = (send(&app).unwrap(), pushed.row());
            let (id, msgid) = (answer.id.unwrap().to_string(), app.status(&answer.id.unwrap().to_string()).unwrap());
            let msgid = msgid.unwrap()["msgid"].to_string();
            let push = push(&app, &sent(&msgid, status));
            assert_eq!((&push["handled"], &push["receipts"][0]["id"]), (&json!(true), &json!(id)), "{push}");
            assert_eq!(app.status(&id).unwrap().unwrap()["receipt"], status);
            assert_eq!(pushed.row(), before);
        }
        let unknown = pushed.push(&sent("1", "success"));
        assert_eq!((&unknown["handled"], &unknown["receipts"][0]["id"]), (&json!(false), &Value::Null));
    }
}

#[test]
fn a_receipt_waits_for_the_row_of_a_message_that_is_still_under_way() {
    let pushed = Pushed::on_disk();
    let app = pushed.app();
    // WeChat has it at once, but its answer, with the msgid, comes later.
    pushed.shop.fault(SEND, Some(1), FaultKind::Latency { ms: 700 });
    let settings = pushed.settings.clone();
    let sending = thread::spawn(move || {
        let app = app_of(&settings, Registry::default());
        send(&app).unwrap().id.unwrap().to_string()
    });
    wait_until("WeChat to have the message", || pushed.shop.delivered() == 1);
    let msgid = pushed.shop.wechat.messages(&MessageFilter::default())[0].msgid.to_string();
    let told = push(&app, &sent(&msgid, "success"));
    let id = sending.join().unwrap();
    assert_eq!(told["receipts"][0]["id"], json!(id), "{told}");
    assert_eq!(app.status(&id).unwrap().unwrap()["receipt"], "success");
}

#[test]
fn without_a_token_it_is_the_settings_and_without_a_store_the_store_that_fails() {
    let pushed = Pushed::on_disk();
    let changed = |name: &str, value: &str| {
        let change = [(name.to_owned(), value.to_owned())];
        let settings: Vec<_> = pushed.settings.iter().cloned().chain(change).collect();
        try_push(&app_of(&settings, Registry::default()), &accept(now()))
    };
    assert!(matches!(changed("push_token", ""), Err(Error::Config { .. })));
    assert!(matches!(changed("push_aes_key", ""), Err(Error::Config { .. })));
    assert!(matches!(changed("store", "/proc/no/such/store"), Err(Error::Store(_))));
    assert_eq!(
        changed("push_aes_key", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG").unwrap()["error"],
        "undecryptable"
    );
    assert_eq!(pushed.row()["accepted"], 0);
}
