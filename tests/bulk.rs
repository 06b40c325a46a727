//! `App::send_many` over the wire: many messages against the fake WeChat, and against one that fails.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::rc::Rc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use routine_template::answer::Source;
use routine_template::app::{App, BulkOptions, Caller, Ended, Summary, TokenSupplier};
use routine_template::config::{GrantPolicy, Secret};
use routine_template::error::Error;
use routine_template::language::Text;
use routine_template::message::{Channel, Input};
use routine_template::sandbox::{DEMO_APPID, DEMO_TEMPLATE, FaultKind, MessageFilter, TokenEnd, TokenKinds};
use routine_template::store::{
    Begin, Begun, Durability, End, Filter, MessageId, Owner, Pause, Settlement, SqliteStore, State, Store,
};
use routine_template::wechat::errcode::Outcome;
use serde_json::{Value, json};

#[path = "support/shop.rs"]
mod support;
use support::*;

type Hook = Box<dyn FnMut(&Answers) -> Result<(), Error>>;

/// An application with a list of messages. Its hook runs wherever an application's code does.
struct Answers {
    messages: std::vec::IntoIter<Value>,
    taken: usize,
    ended: Vec<(usize, Ended)>,
    progress: Vec<u64>,
    hook: Option<Hook>,
}

impl Answers {
    fn run_hook(&mut self) -> Result<(), Error> {
        let Some(mut hook) = self.hook.take() else { return Ok(()) };
        let result = hook(self);
        self.hook = Some(hook);
        result
    }

    fn errcode(&self, message: usize) -> Option<i64> {
        self.of(message).result.as_ref().ok().map(|answer| answer.errcode)
    }

    fn of(&self, message: usize) -> &Ended {
        &self.ended.iter().find(|(key, _)| *key == message).unwrap_or_else(|| panic!("{message} has no answer")).1
    }
}

impl Caller for Answers {
    type Key = usize;

    fn next(&mut self, take: &mut dyn FnMut(usize, Input<'_>)) -> Result<bool, Error> {
        self.run_hook()?;
        let Some(message) = self.messages.next() else { return Ok(false) };
        take(self.taken, message.into());
        self.taken += 1;
        Ok(true)
    }

    fn ended(&mut self, key: usize, ended: Ended) -> Result<(), Error> {
        self.ended.push((key, ended));
        self.run_hook()
    }

    fn progressed(&mut self, done: u64) -> Result<(), Error> {
        self.progress.push(done);
        Ok(())
    }

    fn check(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

fn answers(messages: Vec<Value>) -> Answers {
    Answers { messages: messages.into_iter(), taken: 0, ended: Vec::new(), progress: Vec::new(), hook: None }
}

fn with_concurrency(concurrency: usize) -> BulkOptions {
    BulkOptions { concurrency: Some(concurrency), ..BulkOptions::default() }
}

fn send_many(app: &App, messages: Vec<Value>) -> (Summary, Answers) {
    let mut answers = answers(messages);
    let summary = app.send_many(&with_concurrency(8), &mut answers).unwrap();
    (summary, answers)
}

fn data() -> Value {
    json!({ "character_string1": "cp1", "amount2": "¥1.00", "time3": "2026-11-21 10:00", "thing4": "茶" })
}

fn to(openid: &str) -> Value {
    json!([openid, DEMO_TEMPLATE, data()])
}

fn to_many(count: usize) -> Vec<Value> {
    (0..count).map(|number| to(&format!("oBuyer{number}"))).collect()
}

fn with_options(openid: &str, options: Value) -> Value {
    json!({ "openid": openid, "template_id": DEMO_TEMPLATE, "data": data(), "options": options })
}

fn stop(why: &str) -> Error {
    Error::Value(Text::new(why, why))
}

fn open_store(shop: &Shop) -> SqliteStore {
    SqliteStore::open(&shop.store(), Durability::Process, moment()).unwrap()
}

fn moment() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

fn rows(shop: &Shop, state: Option<State>) -> usize {
    let filter = Filter { state, limit: 1000, ..Filter::default() };
    open_store(shop).deliveries(DEMO_APPID, &filter, moment()).unwrap().len()
}

#[test]
fn every_message_has_its_answer_and_its_row_over_one_token_and_a_few_connections() {
    for place in ["", "off"] {
        let shop = Shop::open_to_all();
        let app = if place.is_empty() { shop.app(&[]) } else { shop.app(&[("store", place)]) };
        let (summary, answers) = send_many(&app, to_many(60));
        assert_eq!(summary, Summary { total: 60, delivered: 60, ..Summary::default() });
        assert!((0..60).all(|message| answers.errcode(message) == Some(0)));
        assert_eq!(answers.progress.last(), Some(&60));
        assert_eq!((shop.delivered(), shop.requests(STABLE_TOKEN)), (60, 1));
        let connections = shop.wechat.counters().connections.https;
        assert!(connections <= 16, "{connections} connections");
        if place.is_empty() {
            assert_eq!((rows(&shop, None), rows(&shop, Some(State::Delivered))), (60, 60));
            let id = answers.of(7).id.unwrap();
            assert_eq!(app.status(&id.to_string()).unwrap().unwrap()["openid"], "oBuyer7");
        }
    }
}

#[test]
fn nothing_to_send_is_nothing_to_fetch() {
    let shop = Shop::open_to_all();
    let (summary, answers) = send_many(&shop.app(&[]), Vec::new());
    assert_eq!((summary, answers.progress.len()), (Summary::default(), 0));
    assert_eq!(shop.requests(STABLE_TOKEN), 0);
}

#[test]
fn messages_of_one_receiver_go_one_after_another_in_their_order() {
    let shop = Shop::open_to_all();
    shop.fault(SEND, None, FaultKind::Latency { ms: 20 });
    let messages: Vec<Value> = (0..40)
        .map(|number| {
            let mut data = data();
            data["character_string1"] = json!(number);
            json!([format!("oBuyer{}", number % 3), DEMO_TEMPLATE, data])
        })
        .collect();
    let (summary, _) = send_many(&shop.app(&[]), messages);
    // The fake WeChat refuses what overlaps (43108).
    assert_eq!(summary.delivered, 40);
    for buyer in 0..3 {
        let openid = Some(format!("oBuyer{buyer}"));
        let received = shop.wechat.messages(&MessageFilter { openid, ..MessageFilter::default() });
        let numbers: Vec<usize> = received
            .iter()
            .map(|message| message.data["character_string1"]["value"].as_str().unwrap().parse().unwrap())
            .collect();
        assert!(numbers.is_sorted(), "{numbers:?}");
        assert!(numbers.iter().all(|number| number % 3 == buyer));
    }
}

#[test]
fn one_receiver_with_many_messages_holds_up_nobody_else_and_takes_no_memory_without_end() {
    let shop = Shop::open_to_all();
    shop.fault(SEND, Some(1), FaultKind::Latency { ms: 300 });
    let mut messages: Vec<Value> = (0..100).map(|_| to("oHog")).collect();
    messages.extend(to_many(20));
    let mut caller = answers(messages);
    caller.hook = Some(Box::new(|answers| {
        assert!(answers.taken - answers.ended.len() <= 1024 + 8, "{} are kept", answers.taken - answers.ended.len());
        Ok(())
    }));
    let summary = shop.app(&[]).send_many(&with_concurrency(8), &mut caller).unwrap();
    assert_eq!(summary.delivered, 120);
    let last_of_the_others = caller.ended.iter().rposition(|(message, _)| *message >= 100).unwrap();
    assert!(last_of_the_others < 100, "{last_of_the_others}");
}

#[test]
fn a_message_that_cannot_be_sent_has_its_own_answer_and_ends_nothing() {
    let shop = Shop::open_to_all();
    let mut messages = to_many(4);
    messages.push(json!("oBuyer"));
    messages.push(json!({ "template_id": DEMO_TEMPLATE, "data": data() }));
    messages.push(json!(["oBuyer", DEMO_TEMPLATE, { "thing4": "" }, null, { "validate": "strict" }]));
    messages.push(json!(["", DEMO_TEMPLATE, data()]));
    messages.extend(to_many(4));
    let (summary, answers) = send_many(&shop.app(&[]), messages);
    assert_eq!(summary, Summary { total: 12, delivered: 8, refused: 2, not_sent: 2, ..Summary::default() });
    let error = |message: usize| answers.of(message).result.as_ref().unwrap_err();
    assert!(matches!(error(4), Error::Type(text) if text.en.starts_with("message 4: ")), "{:?}", error(4));
    assert!(matches!(error(5), Error::Value(text) if text.en.starts_with("message 5: ")), "{:?}", error(5));
    let refused = answers.of(6).result.as_ref().unwrap();
    assert_eq!((refused.errcode, refused.source, refused.attempts), (47003, Source::Local, 0));
    assert_eq!(answers.errcode(7), Some(40003));
    assert_eq!(rows(&shop, Some(State::Refused)), 2);
}

#[test]
fn what_has_no_verdict_is_an_answer_too_and_says_whether_it_may_have_arrived() {
    let shop = Shop::open_to_all();
    let app = shop.app(&[("timeout_ms", "4000")]);
    assert_eq!(send_many(&app, to_many(8)).0.delivered, 8);
    shop.fault(SEND, Some(1), FaultKind::DropAfter);
    shop.fault(SEND, Some(1), FaultKind::Hang);
    let (summary, answers) = send_many(&app, to_many(20));
    assert_eq!(summary, Summary { total: 20, delivered: 18, unknown: 2, ..Summary::default() });
    let unknown: Vec<&Ended> = answers.ended.iter().map(|(_, ended)| ended).filter(|e| e.result.is_err()).collect();
    assert!(unknown.iter().all(|ended| matches!(ended.result, Err(Error::Transport { ambiguous: true, .. }))));
    assert!(unknown.iter().all(|ended| ended.attempts == 1));
    let row = app.status(&unknown[0].id.unwrap().to_string()).unwrap().unwrap();
    assert_eq!(row["state"], "unknown");
}

#[test]
fn while_wechat_cannot_be_reached_every_message_says_so_and_soon() {
    let shop = Shop::open_to_all();
    let app = shop.app(&[("base_url", "https://127.0.0.1:9"), ("store", "off")]);
    let (summary, answers) = send_many(&app, to_many(200));
    assert_eq!(summary, Summary { total: 200, not_sent: 200, ..Summary::default() });
    assert!(matches!(answers.of(199).result, Err(Error::Transport { ambiguous: false, .. })));
}

#[test]
fn the_ledger_refuses_as_at_send_and_takes_each_grant_once() {
    let shop = Shop::open_to_all();
    let app = shop.app(&[]);
    app.record_grants("oA", &map(&[(DEMO_TEMPLATE, "accept")]), &Default::default()).unwrap();
    let mut options = with_concurrency(8);
    options.defaults.grants = Some(GrantPolicy::Strict);
    let mut caller = answers(vec![to("oA"), to("oA"), to("oB")]);
    let summary = app.send_many(&options, &mut caller).unwrap();
    assert_eq!((summary.delivered, summary.refused), (1, 2));
    assert_eq!((caller.errcode(0), caller.errcode(1), caller.errcode(2)), (Some(0), Some(43101), Some(43101)));
    assert_eq!(app.grants("oA", Some(DEMO_TEMPLATE)).unwrap()["delivered"], 1);
}

#[test]
fn a_key_is_one_message_within_a_bulk_and_over_several() {
    let shop = Shop::open_to_all();
    let app = shop.app(&[]);
    let keyed = |openid: &str, key: &str| with_options(openid, json!({ "key": key }));
    let (summary, first) = send_many(&app, vec![keyed("oA", "k1"), keyed("oA", "k1"), keyed("oB", "k2")]);
    assert_eq!((summary.delivered, shop.delivered()), (3, 2));
    assert!(first.of(1).result.as_ref().unwrap().duplicate);
    assert_eq!(first.of(1).id, first.of(0).id);
    let (summary, second) = send_many(&app, vec![keyed("oA", "k1"), keyed("oB", "k1")]);
    assert_eq!((summary.delivered, summary.not_sent, shop.delivered()), (1, 1, 2));
    assert!(matches!(&second.of(1).result, Err(Error::Value(text)) if text.en.starts_with("message 1: ")));
}

/// Opens a message in the store, as another process would, and leaves it.
fn open_elsewhere(store: &SqliteStore, key: &'static str) -> (Begin<'static>, u32) {
    let begin = Begin {
        id: MessageId::new(),
        owner: Box::leak(Box::new(Owner::current())),
        lease: Duration::from_secs(60),
        appid: DEMO_APPID,
        openid: "oHeld",
        shown_openid: "oHeld",
        template_id: DEMO_TEMPLATE,
        channel: Channel::Subscribe,
        key: Some(key),
        policy: GrantPolicy::Off,
        changed: None,
        payload: None,
        retention: Duration::from_secs(86_400),
        abandoned: None,
        queued: false,
    };
    match store.begin(&begin, moment()).unwrap() {
        Begun::Go { epoch, .. } => (begin, epoch),
        other => panic!("{other:?}"),
    }
}

fn end_of(state: State, pause: Option<Pause>) -> End<'static> {
    End {
        state,
        last_word: state == State::Delivered,
        settlement: Settlement::GivenBack,
        grant: routine_template::store::Grant::Uncounted,
        errcode: Some(if pause.is_some() { 45011 } else { 0 }),
        from_wechat: true,
        errmsg: "",
        msgid: Some("7"),
        rid: None,
        attempts: 1,
        api: Channel::Subscribe.path(),
        day: 20_261_121,
        pause,
        again: None,
    }
}

#[test]
fn a_key_that_another_call_is_sending_is_waited_for_while_the_others_go_on() {
    let shop = Shop::open_to_all();
    let app = shop.app(&[("timeout_ms", "20000")]);
    let store = open_store(&shop);
    let (begin, epoch) = open_elsewhere(&store, "held");
    let mut messages = vec![with_options("oHeld", json!({ "key": "held" }))];
    messages.extend(to_many(30));
    let mut caller = answers(messages);
    caller.hook = Some(Box::new(move |answers| {
        if answers.ended.len() == 30 {
            assert!(answers.ended.iter().all(|(message, _)| *message != 0));
            store.finish(&begin, epoch, &end_of(State::Delivered, None), moment()).unwrap();
        }
        Ok(())
    }));
    let summary = app.send_many(&with_concurrency(4), &mut caller).unwrap();
    assert_eq!((summary.delivered, shop.delivered()), (31, 30));
    let held = caller.of(0).result.as_ref().unwrap();
    assert_eq!((held.duplicate, held.errcode), (true, 0));
}

#[test]
fn a_key_that_is_sent_elsewhere_without_end_is_given_up_in_time() {
    let shop = Shop::open_to_all();
    let store = open_store(&shop);
    open_elsewhere(&store, "held");
    let messages = vec![with_options("oHeld", json!({ "key": "held", "timeout_ms": 300 })), to("oB")];
    let (summary, answers) = send_many(&shop.app(&[]), messages);
    assert_eq!((summary.delivered, summary.unknown), (1, 1));
    assert!(matches!(answers.of(0).result, Err(Error::Transport { ambiguous: true, .. })));
}

#[test]
fn a_pause_of_the_minute_is_waited_for_and_the_messages_go_out_after_it() {
    let shop = Shop::open_to_all();
    let store = open_store(&shop);
    let (begin, epoch) = open_elsewhere(&store, "limit");
    let until = Timestamp::now().as_millisecond() + 1500;
    let pause = Some(Pause { errcode: 45011, until });
    store.finish(&begin, epoch, &end_of(State::Refused, pause), moment()).unwrap();
    let (summary, _) = send_many(&shop.app(&[]), to_many(20));
    assert_eq!(summary.delivered, 20);
    assert!(Timestamp::now().as_millisecond() >= until);
}

#[test]
fn what_wechat_refuses_for_this_minute_goes_out_in_the_next_one() {
    let shop = Shop::open_to_all();
    // Close to the end of a minute, so that the test waits for less of the next one.
    let in_this_minute = Timestamp::now().as_millisecond().rem_euclid(60_000).unsigned_abs();
    std::thread::sleep(Duration::from_millis(52_000_u64.saturating_sub(in_this_minute)));
    shop.fault(SEND, Some(3), FaultKind::Errcode { errcode: 45011, errmsg: None });
    let (summary, answers) = send_many(&shop.app(&[]), to_many(20));
    assert_eq!((summary.delivered, shop.delivered()), (20, 20));
    assert_eq!(shop.requests(SEND), 23);
    assert!(answers.ended.iter().all(|(_, ended)| ended.result.as_ref().unwrap().attempts == 1));
}

#[test]
fn after_the_limit_of_the_day_the_rest_is_answered_here_with_and_without_a_store() {
    for place in ["", "off"] {
        let shop = Shop::open_to_all();
        let app = if place.is_empty() { shop.app(&[]) } else { shop.app(&[("store", place)]) };
        shop.fault(SEND, None, FaultKind::Errcode { errcode: 45009, errmsg: None });
        let (summary, answers) = send_many(&app, to_many(100));
        assert_eq!((summary.refused, summary.total), (100, 100));
        assert!(answers.ended.iter().all(|(_, ended)| ended.result.as_ref().unwrap().errcode == 45009));
        assert_eq!(answers.of(99).result.as_ref().unwrap().source, Source::Local);
        assert!(shop.requests(SEND) <= 16, "{}", shop.requests(SEND));
    }
}

#[test]
fn a_limit_of_one_user_is_his_answer() {
    let shop = Shop::open_to_all();
    shop.fault(SEND, Some(1), FaultKind::Errcode { errcode: 43117, errmsg: None });
    let (summary, answers) = send_many(&shop.app(&[]), vec![to("oA")]);
    assert_eq!((summary.refused, shop.requests(SEND)), (1, 1));
    assert_eq!(answers.of(0).result.as_ref().unwrap().outcome, Outcome::ThrottledUser);
}

#[test]
fn a_token_that_ends_on_the_way_is_renewed_once_for_all() {
    let shop = Shop::open_to_all();
    let app = shop.app(&[]);
    assert_eq!(send_many(&app, to_many(8)).0.delivered, 8);
    shop.wechat.expire_tokens(DEMO_APPID, TokenKinds::All, TokenEnd::Revoked);
    let (summary, _) = send_many(&app, to_many(40));
    assert_eq!((summary.delivered, shop.requests(STABLE_TOKEN)), (40, 2));
}

struct Supplier {
    tokens: std::cell::RefCell<Vec<Result<String, Error>>>,
    asked: std::cell::RefCell<Vec<bool>>,
}

impl TokenSupplier for Supplier {
    fn token(&self, refresh: bool) -> Result<Secret, Error> {
        self.asked.borrow_mut().push(refresh);
        self.tokens.borrow_mut().remove(0).map(Secret::new)
    }
}

fn supplied(shop: &Shop, tokens: Vec<Result<String, Error>>) -> (App, Rc<Supplier>) {
    let supplier = Rc::new(Supplier { tokens: tokens.into(), asked: Default::default() });
    (shop.app(&[("token_mode", "external")]).with_supplier(supplier.clone()), supplier)
}

#[test]
fn the_applications_own_token_is_asked_for_once_and_renewed_once() {
    let shop = Shop::open_to_all();
    let good = shop.app(&[]).access_token(false).unwrap();
    let (app, supplier) = supplied(&shop, vec![Ok("dead".into()), Ok(good.clone())]);
    let (summary, answers) = send_many(&app, to_many(30));
    assert_eq!((summary.delivered, supplier.asked.take()), (30, vec![false, true]));
    let attempts: Vec<u32> = answers.ended.iter().map(|(_, ended)| ended.attempts).collect();
    assert_eq!(
        (attempts.iter().max(), attempts.iter().filter(|attempts| **attempts == 1).count() > 0),
        (Some(&2), true)
    );

    let (app, supplier) = supplied(&shop, vec![Ok("dead".into()), Ok("dead".into())]);
    let (summary, _) = send_many(&app, to_many(30));
    assert_eq!((summary.refused, supplier.asked.take()), (30, vec![false, true]));

    let (app, _) = supplied(&shop, vec![Err(stop("no token"))]);
    assert_eq!(app.send_many(&with_concurrency(8), &mut answers_of(3)), Err(stop("no token")));
    assert_eq!(rows(&shop, Some(State::Sending)), 0);
}

fn answers_of(count: usize) -> Answers {
    answers(to_many(count))
}

#[test]
fn an_application_that_fails_ends_the_bulk_and_what_is_in_flight_is_settled() {
    let shop = Shop::open_to_all();
    shop.fault(SEND, None, FaultKind::Latency { ms: 100 });
    let mut caller = answers_of(100);
    caller.hook = Some(Box::new(|answers| if answers.ended.len() == 5 { Err(stop("enough")) } else { Ok(()) }));
    let result = shop.app(&[]).send_many(&with_concurrency(8), &mut caller);
    assert_eq!(result, Err(stop("enough")));
    assert!(shop.delivered() < 30, "{} went out", shop.delivered());
    assert_eq!(rows(&shop, Some(State::Sending)), 0);
    assert_eq!(rows(&shop, Some(State::Delivered)), shop.delivered());
}

#[test]
fn an_application_may_send_while_it_is_asked() {
    let shop = Shop::open_to_all();
    let app = Rc::new(shop.app(&[]));
    let (outer, inner) = (app.clone(), Rc::new(std::cell::Cell::new(0)));
    let count = inner.clone();
    let mut caller = answers_of(20);
    caller.hook = Some(Box::new(move |answers| {
        if answers.ended.len() % 7 == 3 {
            count.set(count.get() + send_many(&app, vec![to("oInner1"), to("oInner2")]).0.delivered);
            assert_eq!(send(&app).unwrap().errcode, 0);
        }
        Ok(())
    }));
    let summary = outer.send_many(&with_concurrency(4), &mut caller).unwrap();
    assert_eq!(summary.delivered, 20);
    assert!(inner.get() > 0);
}

#[test]
fn an_answer_that_came_in_while_the_application_took_its_time_is_no_time_out() {
    let shop = Shop::open_to_all();
    let app = shop.app(&[("timeout_ms", "2500")]);
    assert_eq!(send_many(&app, to_many(8)).0.delivered, 8);
    shop.fault(SEND, None, FaultKind::Latency { ms: 100 });
    let mut caller = answers_of(9);
    caller.hook = Some(Box::new(|answers| {
        if answers.ended.len() == 1 {
            std::thread::sleep(Duration::from_millis(3500));
        }
        Ok(())
    }));
    let summary = app.send_many(&with_concurrency(8), &mut caller).unwrap();
    assert_eq!(summary.delivered, 9);
}

#[test]
fn the_store_may_fail_and_the_messages_go_out_all_the_same() {
    let shop = Shop::open_to_all();
    let nowhere = shop.path("file");
    std::fs::write(&nowhere, "no directory").unwrap();
    let (summary, answers) = send_many(&shop.app(&[("store", nowhere.to_str().unwrap())]), to_many(20));
    assert_eq!(summary.delivered, 20);
    assert!(answers.ended.iter().all(|(_, ended)| ended.id.is_none()));
}

/// Keeps every transaction of the store waiting for a while.
fn hold_gate(shop: &Shop) -> std::thread::JoinHandle<()> {
    let gate = std::fs::File::open(shop.store().join("gate")).unwrap();
    gate.lock().unwrap();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(1000));
        gate.unlock().unwrap();
    })
}

#[test]
fn a_message_that_has_little_time_takes_the_record_from_no_other() {
    let shop = Shop::open_to_all();
    let app = shop.app(&[("timeout_ms", "30000")]);
    assert_eq!(send_many(&app, to_many(8)).0.delivered, 8);
    let holder = hold_gate(&shop);
    let mut messages: Vec<Value> =
        (0..7).map(|number| with_options(&format!("oB{number}"), json!({ "key": format!("k{number}") }))).collect();
    messages.push(with_options("oShort", json!({ "timeout_ms": 100 })));
    let (_, answers) = send_many(&app, messages);
    holder.join().unwrap();
    assert!((0..7).all(|message| answers.errcode(message) == Some(0) && answers.of(message).id.is_some()));
}

#[test]
fn a_message_whose_time_is_over_takes_the_record_from_no_other() {
    let shop = Rc::new(Shop::open_to_all());
    let app = shop.app(&[("timeout_ms", "30000")]);
    open_elsewhere(&open_store(&shop), "held");
    let held = with_options("oHeld", json!({ "key": "held", "timeout_ms": 1000 }));
    let mut caller = answers(vec![to("oA"), held, with_options("oB", json!({ "key": "k" }))]);
    let gate = shop.clone();
    caller.hook = Some(Box::new(move |answers| {
        if answers.ended.len() == 1 && answers.taken == 2 {
            std::thread::sleep(Duration::from_millis(1100));
            hold_gate(&gate);
        }
        Ok(())
    }));
    let summary = app.send_many(&with_concurrency(2), &mut caller).unwrap();
    assert_eq!((summary.delivered, summary.unknown), (2, 1));
    assert!(caller.of(2).id.is_some());
    assert!(matches!(&caller.of(1).result, Err(Error::Transport { ambiguous: true, .. })));
}
