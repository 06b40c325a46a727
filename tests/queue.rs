//! `queue()` and the thread that delivers: what was accepted arrives, once, in order, or is reported.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::time::Duration;

use routine_template::app::App;
use routine_template::error::Error;
use routine_template::message::{Input, Message};
use routine_template::options::{Options, QueueOptions};
use routine_template::process::Process;
use routine_template::sandbox::{
    AccountChange, DEMO_APPID, DEMO_OPENID, FaultKind, MessageFilter, TokenEnd, TokenKinds,
};
use serde_json::Value;

#[path = "support/redis_server.rs"]
mod redis_server;
#[path = "support/shop.rs"]
mod support;
use redis_server::RedisServer;
use support::*;

/// Enough for retries after 1 and 5 seconds on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// A shop whose deliverer ends with it: it would go on looking after a store that is gone.
struct Queueing(Shop, Option<RedisServer>);

impl Queueing {
    fn on_sqlite() -> Self {
        Self(Shop::open_to_all(), None)
    }

    fn on_redis() -> Self {
        Self(Shop::open_to_all(), Some(RedisServer::start()))
    }

    fn app(&self, changes: &[(&str, &str)]) -> App {
        let url = self.1.as_ref().map(RedisServer::url);
        let place = url.iter().map(|url| ("store", url.as_str()));
        self.0.app(&place.chain(changes.iter().copied()).collect::<Vec<_>>())
    }

    fn fault(&self, times: u64, kind: FaultKind) {
        self.0.fault(SEND, Some(times), kind);
    }

    /// The texts of field `thing4` that a user's phone shows, in order.
    fn seen_by(&self, openid: &str) -> Vec<String> {
        let filter = MessageFilter { openid: Some(openid.to_owned()), ..MessageFilter::default() };
        let messages = self.0.wechat.messages(&filter);
        messages.iter().map(|message| message.data["thing4"]["value"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Queueing {
    fn drop(&mut self) {
        if let Some(process) = Process::existing() {
            process.stop_delivery(Duration::from_secs(20));
        }
    }
}

fn to(openid: &str, text: &str, options: Options) -> Message<'static> {
    let data = Input::Map(
        [("character_string1", "cp1"), ("amount2", "¥1.00"), ("time3", "2026-11-21 10:00"), ("thing4", text)]
            .map(|(key, value)| (key.as_bytes().to_vec().into(), Input::text(value.to_owned())))
            .to_vec(),
    );
    Message { touser: openid.to_owned().into(), options, ..message(data) }
}

fn queue(app: &App, openid: &str, text: &str) -> String {
    app.queue(&to(openid, text, Options::default())).unwrap()
}

fn with(queue: QueueOptions) -> Options {
    Options { queue, ..Options::default() }
}

fn state(app: &App, id: &str) -> String {
    app.status(id).unwrap().unwrap()["state"].as_str().unwrap().to_owned()
}

fn row(app: &App, id: &str) -> Value {
    app.status(id).unwrap().unwrap()
}

fn a_queued_message_arrives_and_its_row_says_so(shop: &Queueing) {
    let app = shop.app(&[]);
    let id = queue(&app, DEMO_OPENID, "茶");
    assert_eq!(app.flush(PATIENCE).unwrap(), 0);
    let row = row(&app, &id);
    assert_eq!(
        (row["state"].as_str(), row["errcode"].as_i64(), row["attempts"].as_u64()),
        (Some("delivered"), Some(0), Some(1))
    );
    assert!(row["due"].is_null() && row["msgid"].is_i64());
    assert_eq!(shop.seen_by(DEMO_OPENID), ["茶"]);
}

fn what_cannot_be_sent_is_refused_to_the_caller_at_once(shop: &Queueing) {
    let app = shop.app(&[("validate", "strict")]);
    let refused = app.queue(&message(map(&[("amount2", "100万元"), ("thing4", "茶")])));
    assert!(matches!(&refused, Err(Error::Refused { code: 47003, .. })), "{refused:?}");
    assert_eq!((app.flush(Duration::ZERO).unwrap(), shop.0.requests(SEND)), (0, 0));
}

fn messages_of_one_user_arrive_one_after_another_in_their_order(shop: &Queueing) {
    let app = shop.app(&[]);
    shop.fault(1, FaultKind::Errcode { errcode: -1, errmsg: None });
    let texts: Vec<String> = (0..12).map(|number| format!("第{number}条")).collect();
    for text in &texts {
        for openid in ["one", "two", "three"] {
            queue(&app, openid, text);
        }
    }
    assert_eq!(app.flush(PATIENCE).unwrap(), 0);
    for openid in ["one", "two", "three"] {
        assert_eq!(shop.seen_by(openid), texts, "{openid}");
    }
}

fn the_same_key_is_the_same_message_and_another_users_key_is_an_error(shop: &Queueing) {
    let app = shop.app(&[]);
    let keyed = || Options { key: Some("order-1-paid".to_owned()), ..Options::default() };
    let first = app.queue(&to("one", "茶", keyed())).unwrap();
    assert_eq!(app.queue(&to("one", "茶", keyed())).unwrap(), first);
    assert!(matches!(app.queue(&to("two", "茶", keyed())), Err(Error::Value(_))));
    assert_eq!(app.flush(PATIENCE).unwrap(), 0);
    assert_eq!(app.queue(&to("one", "茶", keyed())).unwrap(), first);
    let sent = app.send(&to("one", "茶", keyed())).unwrap();
    assert!(sent.duplicate && sent.id.unwrap().to_string() == first);
    assert_eq!((shop.seen_by("one").len(), shop.seen_by("two").len()), (1, 0));
}

fn a_delayed_message_waits_and_holds_up_nobody(shop: &Queueing) {
    let app = shop.app(&[]);
    let delay = Some(Duration::from_secs(3600));
    let late = app.queue(&to("one", "later", with(QueueOptions { delay, ..QueueOptions::default() }))).unwrap();
    let short = Some(Duration::from_millis(1500));
    let soon = app.queue(&to("two", "soon", with(QueueOptions { delay: short, ..QueueOptions::default() }))).unwrap();
    queue(&app, "one", "now");
    assert_eq!(app.flush(PATIENCE).unwrap(), 1, "the late one is not waited for");
    assert_eq!((state(&app, &late).as_str(), state(&app, &soon).as_str()), ("queued", "delivered"));
    assert!(row(&app, &late)["due"].as_f64().unwrap() > row(&app, &late)["begun"].as_f64().unwrap() + 3590.0);
    assert_eq!(shop.seen_by("one"), ["now"]);
}

fn a_passing_fault_is_tried_again_and_a_refusal_is_not(shop: &Queueing) {
    let app = shop.app(&[]);
    shop.fault(1, FaultKind::Errcode { errcode: -1, errmsg: None });
    let id = queue(&app, "one", "茶");
    assert_eq!(app.flush(PATIENCE).unwrap(), 0);
    assert_eq!((state(&app, &id).as_str(), row(&app, &id)["attempts"].as_u64()), ("delivered", Some(2)));
    for errcode in [43101, 47003, 40037] {
        shop.fault(1, FaultKind::Errcode { errcode, errmsg: None });
        let id = queue(&app, "one", "茶");
        assert_eq!(app.flush(PATIENCE).unwrap(), 0);
        assert_eq!((state(&app, &id).as_str(), row(&app, &id)["errcode"].as_i64()), ("refused", Some(errcode)));
    }
    assert_eq!(shop.seen_by("one").len(), 1);
}

fn what_may_have_arrived_is_never_sent_again_unless_it_was_asked_for(shop: &Queueing) {
    let app = shop.app(&[("timeout_ms", "20000")]);
    shop.fault(1, FaultKind::DropAfter);
    let id = queue(&app, "one", "茶");
    assert_eq!(app.flush(PATIENCE).unwrap(), 0);
    assert_eq!((state(&app, &id).as_str(), shop.seen_by("one").len()), ("unknown", 1));
    shop.fault(1, FaultKind::DropBefore);
    let again = with(QueueOptions { resend_unknown: Some(true), ..QueueOptions::default() });
    let id = app.queue(&to("two", "茶", again)).unwrap();
    assert_eq!(app.flush(PATIENCE).unwrap(), 0);
    assert_eq!((state(&app, &id).as_str(), shop.seen_by("two").len()), ("delivered", 1));
}

fn a_resent_message_that_meets_43101_had_been_delivered(shop: &Queueing) {
    shop.0.wechat.account(DEMO_APPID, AccountChange { any_openid: Some(false), ..AccountChange::default() });
    let app = shop.app(&[]);
    while shop.0.left_at_wechat() > 0 {
        app.send(&message(order())).unwrap();
    }
    let before = shop.0.delivered();
    shop.0.buyer_accepts(1);
    app.record_grants(DEMO_OPENID, &map(&[(routine_template::sandbox::DEMO_TEMPLATE, "accept")]), &Default::default())
        .unwrap();
    shop.fault(1, FaultKind::DropAfter);
    let again = with(QueueOptions { resend_unknown: Some(true), ..QueueOptions::default() });
    let id = app.queue(&to(DEMO_OPENID, "茶", again)).unwrap();
    assert_eq!(app.flush(PATIENCE).unwrap(), 0);
    assert_eq!((state(&app, &id).as_str(), shop.seen_by(DEMO_OPENID).len()), ("delivered", before + 1));
    let ledger = app.grants(DEMO_OPENID, None).unwrap();
    let row = &ledger[routine_template::sandbox::DEMO_TEMPLATE];
    assert_eq!((row["available"].as_u64(), row["reserved"].as_u64()), (Some(0), Some(0)), "{ledger}");
}

fn messages_wait_for_a_token_and_take_the_secret_that_was_put_right(shop: &Queueing) {
    let wrong = shop.app(&[("secret", "ffffffffffffffffffffffffffffffff")]);
    let id = queue(&wrong, "one", "茶");
    assert_eq!(wrong.flush(Duration::from_millis(1500)).unwrap(), 1, "{}", row(&wrong, &id));
    assert_eq!((state(&wrong, &id).as_str(), shop.0.requests(SEND)), ("queued", 0));
    let right = shop.app(&[]);
    queue(&right, "two", "茶");
    assert_eq!(right.flush(PATIENCE).unwrap(), 0);
    assert_eq!((state(&right, &id).as_str(), shop.seen_by("one").len()), ("delivered", 1));
}

fn a_message_whose_time_is_over_is_reported_as_expired(shop: &Queueing) {
    let app = shop.app(&[("connect_timeout_ms", "300"), ("base_url", "https://127.0.0.1:9")]);
    let expires = Some(Duration::from_secs(1));
    let id = app.queue(&to("one", "茶", with(QueueOptions { expires, ..QueueOptions::default() }))).unwrap();
    wait_until("its time to be over", || state(&app, &id) == "expired");
    let app = shop.app(&[]);
    queue(&app, "two", "茶");
    assert_eq!(app.flush(PATIENCE).unwrap(), 0);
    assert_eq!((state(&app, &id).as_str(), shop.seen_by("one").len()), ("expired", 0));
}

#[test]
fn a_limit_of_the_minute_holds_up_the_queue_and_loses_nothing() {
    // On one engine only, because it waits for the next minute; both state their pauses in tests/store.
    let shop = Queueing::on_sqlite();
    let app = shop.app(&[]);
    shop.fault(1, FaultKind::Errcode { errcode: 45011, errmsg: None });
    let ids: Vec<String> = (0..5).map(|user| queue(&app, &format!("user{user}"), "茶")).collect();
    assert_eq!(app.flush(Duration::from_secs(100)).unwrap(), 0);
    assert!(ids.iter().all(|id| state(&app, id) == "delivered"));
    assert!(shop.0.requests(SEND) <= 10, "not hammered: {}", shop.0.requests(SEND));
}

fn without_a_store_nothing_is_accepted_but_may_be_sent_at_once(shop: &Queueing) {
    let off = shop.app(&[("store", "off")]);
    assert!(matches!(off.queue(&to("one", "茶", Options::default())), Err(Error::Config { .. })));
    let full = shop.app(&[("store", "/proc/nowhere")]);
    assert!(matches!(full.queue(&to("one", "茶", Options::default())), Err(Error::Store(_))));
    assert_eq!(shop.seen_by("one").len(), 0);
    for app in [off, full] {
        let or_send = with(QueueOptions { or_send: true, ..QueueOptions::default() });
        app.queue(&to("one", "茶", or_send)).unwrap();
    }
    assert_eq!(shop.seen_by("one").len(), 2);
}

fn in_mode_worker_the_process_itself_sends_nothing(shop: &Queueing) {
    let app = shop.app(&[("delivery", "worker")]);
    let id = queue(&app, "one", "茶");
    assert_eq!(app.flush(Duration::from_millis(700)).unwrap(), 1);
    assert_eq!((state(&app, &id).as_str(), shop.0.requests(SEND)), ("queued", 0));
    let thread = shop.app(&[]);
    assert_eq!(thread.flush(PATIENCE).unwrap(), 0, "flush() of another process");
    assert_eq!(state(&app, &id), "delivered");
}

fn a_process_that_ends_sends_what_it_has_just_queued(shop: &Queueing) {
    let app = shop.app(&[]);
    let ids: Vec<String> = (0..20).map(|user| queue(&app, &format!("user{user}"), "茶")).collect();
    assert!(Process::current().unwrap().stop_delivery(Duration::from_secs(20)));
    assert!(ids.iter().all(|id| state(&app, id) == "delivered"));
}

fn an_outage_costs_no_message_and_its_end_is_met_gently(shop: &Queueing) {
    let dead = shop.app(&[("connect_timeout_ms", "300"), ("base_url", "https://127.0.0.1:9")]);
    let ids: Vec<String> = (0..60).map(|user| queue(&dead, &format!("user{user}"), "茶")).collect();
    assert_eq!(dead.flush(Duration::from_secs(2)).unwrap(), 60);
    wait_until("all to wait again", || ids.iter().all(|id| state(&dead, id) == "queued"));
    let alive = shop.app(&[]);
    queue(&alive, "last", "茶");
    assert_eq!(alive.flush(PATIENCE).unwrap(), 0);
    assert!(ids.iter().all(|id| state(&alive, id) == "delivered"));
    assert_eq!(shop.0.delivered(), 61);
    shop.0.wechat.account(DEMO_APPID, AccountChange::default());
}

fn a_process_that_ends_under_a_backlog_leaves_nothing_half_sent(shop: &Queueing) {
    let app = shop.app(&[]);
    shop.0.fault(SEND, None, FaultKind::Latency { ms: 700 });
    let ids: Vec<String> = (0..300).map(|user| queue(&app, &format!("user{user}"), "茶")).collect();
    wait_until("some of them to be delivered", || shop.0.delivered() > 40);
    assert!(Process::current().unwrap().stop_delivery(Duration::from_secs(20)));
    let states: Vec<String> = ids.iter().map(|id| state(&app, id)).collect();
    let delivered = states.iter().filter(|state| *state == "delivered").count();
    assert_eq!(delivered, shop.0.delivered());
    assert!(states.iter().all(|state| ["delivered", "queued"].contains(&state.as_str())), "{states:?}");
}

fn a_secret_that_was_changed_at_wechat_costs_no_message(shop: &Queueing) {
    let app = shop.app(&[]);
    queue(&app, "zero", "茶");
    assert_eq!(app.flush(PATIENCE).unwrap(), 0);
    shop.0.wechat.expire_tokens(DEMO_APPID, TokenKinds::All, TokenEnd::Revoked);
    let other = "f".repeat(32);
    shop.0.wechat.account(DEMO_APPID, AccountChange { secret: Some(other.clone()), ..AccountChange::default() });
    let ids: Vec<String> = (0..6).map(|user| queue(&app, &format!("user{user}"), "茶")).collect();
    assert_eq!(app.flush(Duration::from_secs(2)).unwrap(), 6);
    wait_until("all to wait again", || ids.iter().all(|id| state(&app, id) == "queued"));
    let right = shop.app(&[("secret", &other)]);
    queue(&right, "last", "茶");
    assert_eq!(right.flush(PATIENCE).unwrap(), 0);
    assert!(ids.iter().all(|id| state(&right, id) == "delivered"));
}

fn a_dead_supplied_token_is_not_tried_with_every_message(shop: &Queueing) {
    let app = shop.app(&[("token_mode", "external"), ("token", "deadbeef")]);
    let ids: Vec<String> = (0..100).map(|user| queue(&app, &format!("user{user}"), "茶")).collect();
    assert_eq!(app.flush(Duration::from_secs(2)).unwrap(), 100);
    assert!(shop.0.requests(SEND) <= 12, "{} requests", shop.0.requests(SEND));
    wait_until("all to wait again", || ids.iter().all(|id| state(&app, id) == "queued"));
}

macro_rules! on_every_engine {
    ($($statement:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test] fn $statement() { super::$statement(&super::Queueing::on_sqlite()); })+
        }
        mod redis {
            $(#[test] fn $statement() { super::$statement(&super::Queueing::on_redis()); })+
        }
    };
}

on_every_engine!(
    a_queued_message_arrives_and_its_row_says_so,
    what_cannot_be_sent_is_refused_to_the_caller_at_once,
    messages_of_one_user_arrive_one_after_another_in_their_order,
    the_same_key_is_the_same_message_and_another_users_key_is_an_error,
    a_delayed_message_waits_and_holds_up_nobody,
    a_passing_fault_is_tried_again_and_a_refusal_is_not,
    what_may_have_arrived_is_never_sent_again_unless_it_was_asked_for,
    a_resent_message_that_meets_43101_had_been_delivered,
    messages_wait_for_a_token_and_take_the_secret_that_was_put_right,
    a_message_whose_time_is_over_is_reported_as_expired,
    without_a_store_nothing_is_accepted_but_may_be_sent_at_once,
    in_mode_worker_the_process_itself_sends_nothing,
    a_process_that_ends_sends_what_it_has_just_queued,
    an_outage_costs_no_message_and_its_end_is_met_gently,
    a_process_that_ends_under_a_backlog_leaves_nothing_half_sent,
    a_secret_that_was_changed_at_wechat_costs_no_message,
    a_dead_supplied_token_is_not_tried_with_every_message,
);

#[test]
fn a_store_that_stalls_makes_no_answer_late() {
    let shop = Queueing::on_sqlite();
    let app = shop.app(&[("timeout_ms", "3000")]);
    shop.0.fault(SEND, None, FaultKind::Latency { ms: 300 });
    let ids: Vec<String> = (0..100).map(|user| queue(&app, &format!("user{user}"), "茶")).collect();
    wait_until("some of them to be delivered", || shop.0.delivered() > 20);
    let gate = std::fs::File::open(shop.0.store().join("gate")).unwrap();
    gate.lock().unwrap();
    // Longer than a message may take, and less than a transaction waits.
    std::thread::sleep(Duration::from_millis(4200));
    gate.unlock().unwrap();
    assert_eq!(app.flush(PATIENCE).unwrap(), 0);
    let states: Vec<String> = ids.iter().map(|id| state(&app, id)).collect();
    assert!(states.iter().all(|state| state == "delivered"), "{states:?}");
}

#[cfg(feature = "failpoints")]
#[test]
fn a_fault_of_ours_costs_one_message_and_not_the_thread() {
    let shop = Queueing::on_sqlite();
    let app = shop.app(&[]);
    fail::cfg("posting", "1*panic(a fault that a test makes)->off").unwrap();
    let first = queue(&app, "one", "茶");
    assert_eq!(app.flush(PATIENCE).unwrap(), 0);
    let second = queue(&app, "two", "茶");
    assert_eq!(app.flush(PATIENCE).unwrap(), 0);
    fail::remove("posting");
    assert_eq!((state(&app, &first).as_str(), state(&app, &second).as_str()), ("unknown", "delivered"));
    assert_eq!(shop.0.delivered(), 1);
}
