//! Many processes, one truth: what must hold however many workers and hosts do the same thing at the same moment, and
//! whoever of them is killed. Each test runs on SQLite and on Redis.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use routine_template::answer::Answer;
use routine_template::error::Error;
use routine_template::grant::ReportOptions;
use routine_template::registry::Registry;
use routine_template::sandbox::{
    AccountChange, DEMO_APPID, DEMO_OPENID, DEMO_TEMPLATE, FaultKind, MessageFilter, TokenEnd, TokenKinds,
};
use serde_json::{Value, json};

#[path = "support/herd.rs"]
mod herd;
#[path = "support/redis_server.rs"]
mod redis_server;
#[path = "support/shop.rs"]
mod support;
use herd::{Member, gather, own_role, race, say, wait_for_the_start};
use redis_server::RedisServer;
use support::*;

// One herd at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Where the state is: the shop's directory, or a server.
struct Place {
    _alone: MutexGuard<'static, ()>,
    shop: Shop,
    redis: Option<RedisServer>,
}

impl Place {
    fn sqlite(shop: Shop) -> Self {
        Self { _alone: ALONE.lock(), shop, redis: None }
    }

    fn redis(shop: Shop) -> Self {
        Self { _alone: ALONE.lock(), shop, redis: Some(RedisServer::start()) }
    }

    fn settings(&self, changes: &[(&str, &str)]) -> Vec<(String, String)> {
        // Thirty-two processes on a busy machine need time; what is tried here is not how fast they are.
        let mut settings = self.shop.settings(&[("timeout_ms", "30000"), ("connect_timeout_ms", "20000")]);
        settings.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        if let Some(redis) = &self.redis {
            settings.push(("store".to_owned(), redis.url()));
        }
        settings
    }

    fn task(&self, changes: &[(&str, &str)]) -> Value {
        json!({ "settings": self.settings(changes) })
    }

    fn app(&self, changes: &[(&str, &str)]) -> routine_template::app::App {
        app_of(&self.settings(changes), Registry::default())
    }

    fn ledger(&self) -> Value {
        self.app(&[]).grants(DEMO_OPENID, Some(DEMO_TEMPLATE)).unwrap()
    }

    /// The buyer accepts; WeChat and the ledger both know.
    fn accept(&self, count: u64) {
        self.shop.buyer_accepts(count);
        let app = self.app(&[]);
        for _ in 0..count {
            app.record_grants(DEMO_OPENID, &map(&[(DEMO_TEMPLATE, "accept")]), &ReportOptions::default()).unwrap();
        }
    }

    /// No grants at WeChat but those that a test gives.
    fn without_grants(self) -> Self {
        let app = self.shop.app(&[("store", "off")]);
        while send(&app).unwrap().errcode == 0 {}
        self
    }
}

fn settings_of(task: &Value) -> Vec<(String, String)> {
    serde_json::from_value(task["settings"].clone()).unwrap()
}

/// What a member says of one message.
fn told(result: Result<Answer, Error>) -> Value {
    match result {
        Ok(answer) => json!({
            "errcode": answer.errcode,
            "source": answer.source.name(),
            "attempts": answer.attempts,
            "duplicate": answer.duplicate,
            "msgid": answer.msgid.map(|msgid| msgid.to_string()),
            "recorded": answer.id.is_some(),
        }),
        Err(error) => json!({ "error": error.to_string() }),
    }
}

/// The roles. In the test program itself this does nothing.
#[test]
fn member_of_the_herd() {
    let Some((role, task)) = own_role() else { return };
    let app = app_of(&settings_of(&task), Registry::default());
    match role.as_str() {
        // Sends one message.
        "send" => {
            say("ready");
            wait_for_the_start();
            say(told(match task["key"].as_str() {
                Some(key) => send_with_key(&app, key),
                None => send(&app),
            }));
        }
        // Has a token in memory, then sends.
        "warm" => {
            say(if send(&app).unwrap().errcode == 0 { "ready" } else { "refused" });
            wait_for_the_start();
            say(told(send(&app)));
        }
        // Sends as long as it is told that there are grants.
        "drain" => {
            say("ready");
            wait_for_the_start();
            let codes: Vec<Value> = (0..task["times"].as_u64().unwrap()).map(|_| told(send(&app))).collect();
            say(codes);
        }
        // Reports and sends under keys until it is killed, saying before and after each step what it does.
        "toil" => {
            say("ready");
            wait_for_the_start();
            for number in 0_u64.. {
                let name = format!("{}-{number}", task["name"].as_str().unwrap());
                let keyed = ReportOptions { key: Some(name.clone()), ..ReportOptions::default() };
                say(json!({ "reporting": name }));
                let reported = app.record_grants(DEMO_OPENID, &map(&[(DEMO_TEMPLATE, "accept")]), &keyed);
                say(json!({ "reported": name, "done": reported.is_ok() }));
                say(json!({ "sending": name }));
                say(json!({ "sent": name, "answer": told(send_with_key(&app, &name)) }));
            }
        }
        other => panic!("no role {other}"),
    }
}

fn all_delivered(answers: &[Value]) {
    for answer in answers {
        assert_eq!(answer["errcode"], 0, "{answers:?}");
    }
}

fn cold_processes_fetch_one_token(place: &Place, number: usize) {
    place.shop.fault(STABLE_TOKEN, None, FaultKind::Latency { ms: 150 });
    let answers = race(number, "send", &place.task(&[]));
    all_delivered(&answers);
    println!("token requests of {number} cold processes: {}", place.shop.requests(STABLE_TOKEN));
    assert_eq!(place.shop.requests(STABLE_TOKEN), 1);
    assert!(answers.iter().all(|answer| answer["recorded"] == true));
}

fn processes_at_expiry_fetch_one_token(place: &Place, number: usize) {
    place.shop.wechat.account(DEMO_APPID, AccountChange { token_expires_in: Some(20), ..AccountChange::default() });
    let mut herd = gather(number, "warm", &place.task(&[]));
    std::thread::sleep(Duration::from_millis(20_300));
    let before = place.shop.requests(STABLE_TOKEN);
    place.shop.fault(STABLE_TOKEN, None, FaultKind::Latency { ms: 100 });
    herd.iter_mut().for_each(Member::go);
    let answers: Vec<Value> = herd.iter_mut().map(Member::hear).collect();
    all_delivered(&answers);
    println!("token requests of {number} processes at expiry: {}", place.shop.requests(STABLE_TOKEN) - before);
    assert_eq!(place.shop.requests(STABLE_TOKEN), before + 1);
}

fn processes_with_a_revoked_token_fetch_one(place: &Place, number: usize) {
    let mut herd = gather(number, "warm", &place.task(&[]));
    assert_eq!(place.shop.requests(STABLE_TOKEN), 1);
    place.shop.wechat.expire_tokens(DEMO_APPID, TokenKinds::All, TokenEnd::Revoked);
    herd.iter_mut().for_each(Member::go);
    let answers: Vec<Value> = herd.iter_mut().map(Member::hear).collect();
    all_delivered(&answers);
    assert!(answers.iter().all(|answer| answer["attempts"].as_u64().unwrap() <= 2));
    println!("token requests of {number} processes after 40001: {}", place.shop.requests(STABLE_TOKEN) - 1);
    assert_eq!(place.shop.requests(STABLE_TOKEN), 2);
}

fn a_wrong_secret_is_asked_about_once(place: &Place, number: usize) {
    let answers = race(number, "send", &place.task(&[("secret", "wrong")]));
    assert!(answers.iter().all(|answer| answer["errcode"] == 40125), "{answers:?}");
    println!("token requests of {number} processes with a wrong secret: {}", place.shop.requests(STABLE_TOKEN));
    assert_eq!(place.shop.requests(STABLE_TOKEN), 1);
}

fn whoever_waits_for_a_killed_process_fetches_the_token_himself(place: &Place) {
    place.shop.fault(STABLE_TOKEN, Some(1), FaultKind::Hang);
    let mut fetching = gather(1, "send", &place.task(&[])).remove(0);
    fetching.go();
    wait_until("the first to ask", || place.shop.requests(STABLE_TOKEN) == 1);
    let mut herd = gather(8, "send", &place.task(&[]));
    herd.iter_mut().for_each(Member::go);
    std::thread::sleep(Duration::from_millis(150));
    assert_eq!(place.shop.requests(STABLE_TOKEN), 1, "the others wait");
    fetching.kill();
    let answers: Vec<Value> = herd.iter_mut().map(Member::hear).collect();
    all_delivered(&answers);
    assert_eq!(place.shop.requests(STABLE_TOKEN), 2, "one for the killed process, one for all others");
}

fn of_one_key_one_message_goes_out(place: &Place, number: usize) {
    place.app(&[]).access_token(false).unwrap();
    place.shop.fault(SEND, None, FaultKind::Latency { ms: 300 });
    let mut task = place.task(&[]);
    task["key"] = json!("order-1-paid");
    let answers = race(number, "send", &task);
    all_delivered(&answers);
    assert_eq!(answers.iter().filter(|answer| answer["duplicate"] == false).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|answer| answer["msgid"] == answers[0]["msgid"]));
    assert_eq!((place.shop.delivered(), place.shop.requests(SEND)), (1, 1));
}

fn no_grant_is_spent_twice(place: &Place, number: usize, grants: u64) {
    place.accept(grants);
    let mut task = place.task(&[("grants", "strict")]);
    task["times"] = json!(grants.div_ceil(number as u64) + 2);
    let asked_before = place.shop.requests(SEND);
    let answers: Vec<Value> =
        race(number, "drain", &task).iter().flat_map(|answers| answers.as_array().unwrap().clone()).collect();
    let delivered = answers.iter().filter(|answer| answer["errcode"] == 0).count() as u64;
    let refused = answers.iter().filter(|answer| answer["errcode"] == 43101);
    assert_eq!(delivered, grants, "{answers:?}");
    assert!(refused.clone().all(|answer| answer["source"] == "local"));
    assert_eq!(delivered as usize + refused.count(), answers.len());
    assert_eq!(place.shop.requests(SEND) - asked_before, grants, "the count alone kept the others from asking");
    assert_eq!(place.shop.left_at_wechat(), 0);
    let row = place.ledger();
    assert_eq!((&row["available"], &row["reserved"], &row["delivered"]), (&json!(0), &json!(0), &json!(grants)));
}

/// Workers report and send until they are killed at a random moment; then WeChat's own books and ours are compared.
fn killed_workers_leave_right_books(place: &Place, rounds: usize) {
    let mut random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let (mut reported, mut maybe_reported) = (0_u64, 0_u64);
    let mut answered: HashMap<String, Value> = HashMap::new();
    let (mut begun, mut kills) = (0_u64, 0);
    for round in 0..rounds {
        let tasks = (0..3).map(|worker| {
            let mut task = place.task(&[]);
            task["name"] = json!(format!("r{round}w{worker}"));
            task
        });
        let mut workers: Vec<Member> = tasks.map(|task| gather(1, "toil", &task).remove(0)).collect();
        workers.iter_mut().for_each(Member::go);
        // On a busy machine most would be killed before they have done anything; some rounds are as short as that.
        let mut heard = Vec::new();
        while !round.is_multiple_of(4) && heard.last().is_none_or(|word: &Value| word.get("sent").is_none()) {
            heard.push(workers[0].hear());
        }
        std::thread::sleep(Duration::from_millis(u64::from(random.next_u32() % 280)));
        for worker in &mut workers {
            worker.kill();
            kills += 1;
            for word in heard.drain(..).chain(std::iter::from_fn(|| worker.try_hear())) {
                if word.get("reporting").is_some() {
                    maybe_reported += 1;
                } else if word.get("reported").is_some() {
                    assert_eq!(word["done"], true, "{word}");
                    (reported, maybe_reported) = (reported + 1, maybe_reported - 1);
                } else if word.get("sending").is_some() {
                    begun += 1;
                } else {
                    answered.insert(word["sent"].as_str().unwrap().to_owned(), word["answer"].clone());
                }
            }
        }
        let row = place.ledger();
        let number = |member: &str| row[member].as_u64().unwrap();
        assert_eq!(
            number("available") as i64,
            number("accepted") as i64 - number("delivered") as i64 - number("reserved") as i64 - number("lost") as i64
        );
        assert!((reported..=reported + maybe_reported).contains(&number("accepted")), "round {round}: {row}");
        let at_wechat = place.shop.wechat.counters().messages;
        let acknowledged = answered.values().filter(|answer| answer["errcode"] == 0).count() as u64;
        assert!(number("delivered") >= acknowledged, "round {round}: an acknowledged delivery is lost: {row}");
        assert!(
            number("delivered") <= at_wechat && at_wechat <= number("delivered") + number("reserved"),
            "round {round}: WeChat delivered {at_wechat}, the ledger says {row}"
        );
    }
    // Whatever was acknowledged is still there, and no key went out twice.
    let app = place.app(&[]);
    for (key, answer) in &answered {
        let again = told(send_with_key(&app, key));
        assert_eq!((&again["duplicate"], &again["msgid"]), (&json!(true), &answer["msgid"]), "{key}");
    }
    let messages = place.shop.wechat.messages(&MessageFilter::default());
    assert!(!answered.is_empty(), "nobody got as far as an answer");
    println!(
        "{rounds} rounds, {kills} kills, {begun} messages begun, {} acknowledged, {} delivered, lost: 0, sent twice: 0",
        answered.len(),
        messages.len()
    );
}

/// Each behaviour on both engines.
macro_rules! on_both_engines {
    ($($name:ident: $place:expr => $test:expr;)*) => {
        mod on_sqlite { use super::*; $(#[test] fn $name() { let test = $test; test(&Place::sqlite($place)); })* }
        mod on_redis { use super::*; $(#[test] fn $name() { let test = $test; test(&Place::redis($place)); })* }
    };
}

on_both_engines! {
    eight_cold_processes_fetch_one_token: Shop::open_to_all() => |place: &Place| cold_processes_fetch_one_token(place, 8);
    thirty_two_cold_processes_fetch_one_token: Shop::open_to_all() => |place: &Place| cold_processes_fetch_one_token(place, 32);
    thirty_two_processes_at_expiry_fetch_one_token: Shop::open_to_all() => |place: &Place| processes_at_expiry_fetch_one_token(place, 32);
    thirty_two_processes_with_a_revoked_token_fetch_one: Shop::open_to_all() => |place: &Place| processes_with_a_revoked_token_fetch_one(place, 32);
    eight_processes_with_a_wrong_secret_ask_once: Shop::open_to_all() => |place: &Place| a_wrong_secret_is_asked_about_once(place, 8);
    whoever_waits_for_a_killed_process_fetches: Shop::open_to_all() => whoever_waits_for_a_killed_process_fetches_the_token_himself;
    of_one_key_in_eight_processes_one_message_goes_out: Shop::open_to_all() => |place: &Place| of_one_key_one_message_goes_out(place, 8);
    of_one_key_in_thirty_two_processes_one_message_goes_out: Shop::open_to_all() => |place: &Place| of_one_key_one_message_goes_out(place, 32);
}

#[test]
fn no_grant_is_spent_twice_by_8_or_32_processes() {
    for (number, grants) in [(8, 40), (32, 60)] {
        no_grant_is_spent_twice(&Place::sqlite(Shop::open()).without_grants(), number, grants);
        no_grant_is_spent_twice(&Place::redis(Shop::open()).without_grants(), number, grants);
    }
}

#[test]
fn processes_of_two_hosts_on_one_redis_fetch_one_token() {
    let place = Place::redis(Shop::open_to_all());
    place.shop.fault(STABLE_TOKEN, None, FaultKind::Latency { ms: 150 });
    let task = place.task(&[]);
    let mut herd = gather(4, "send", &task);
    for _ in 0..4 {
        match Member::start_elsewhere("send", &task) {
            Some(mut member) => {
                assert_eq!(member.hear(), "ready");
                herd.push(member);
            }
            None => println!("no second host: this user may not make namespaces"),
        }
    }
    herd.iter_mut().for_each(Member::go);
    let answers: Vec<Value> = herd.iter_mut().map(Member::hear).collect();
    all_delivered(&answers);
    println!("token requests of {} processes on two hosts: {}", herd.len(), place.shop.requests(STABLE_TOKEN));
    assert_eq!(place.shop.requests(STABLE_TOKEN), 1);
}

/// `HERD_ROUNDS` asks for a longer hunt.
fn rounds(usual: usize) -> usize {
    std::env::var("HERD_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
}

#[test]
fn killed_workers_leave_right_books_on_sqlite() {
    killed_workers_leave_right_books(&Place::sqlite(Shop::open_to_all()), rounds(40));
}

#[test]
fn killed_workers_leave_right_books_on_redis() {
    killed_workers_leave_right_books(&Place::redis(Shop::open_to_all()), rounds(40));
}
