//! A process that ends between any two steps of a queued message. What became of the message is known exactly: another process
//! delivers it, or it reads `unknown`; it is never sent twice unless it was asked for, and never lost from the books.

#![cfg(all(feature = "cli", feature = "failpoints"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use routine_template::app::App;
use routine_template::options::QueueOptions;
use routine_template::registry::Registry;
use routine_template::sandbox::{Choice, DEMO_APPID, DEMO_TEMPLATE};
use serde_json::{Value, json};

#[path = "support/herd.rs"]
mod herd;
#[path = "support/outbox.rs"]
mod outbox;
#[path = "support/redis_server.rs"]
mod redis_server;
#[path = "support/shop.rs"]
mod support;
#[path = "support/worker.rs"]
mod worker;
use herd::{Member, own_role, say};
use outbox::{Engine, Place, Record, named, row_of};
use support::*;
use worker::Worker;

/// A step, and what is known of a message whose process ended there.
struct Step {
    name: &'static str,
    /// Its state after another process has taken over; `None`: it was never accepted.
    state: Option<&'static str>,
    /// How often WeChat has accepted it.
    accepted: usize,
    /// The same with `resend_unknown`, which makes every accepted message a delivered one.
    accepted_again: usize,
}

const fn step(name: &'static str, state: Option<&'static str>, accepted: usize, accepted_again: usize) -> Step {
    Step { name, state, accepted, accepted_again }
}

/// All steps, in the order of a message's way.
const STEPS: [Step; 9] = [
    step("queueing", None, 0, 0),
    step("queued", Some("delivered"), 1, 1),
    step("claiming", Some("delivered"), 1, 1),
    // From here on it counts as being sent.
    step("claimed", Some("unknown"), 0, 1),
    step("posting", Some("unknown"), 0, 1),
    step("writing", Some("unknown"), 0, 1),
    step("answered", Some("unknown"), 1, 2),
    step("settling", Some("unknown"), 1, 2),
    step("settled", Some("delivered"), 1, 1),
];

/// How the message is queued whose process is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variant {
    /// One message, its token at hand.
    Plain,
    /// The process has no token yet, so the first request that is written is for one.
    Cold,
    /// With `resend_unknown`.
    Again,
    /// With `resend_unknown`, and the buyer has a single grant: WeChat refuses a second delivery.
    LastGrant,
    /// Three messages to each of two buyers; killed at the second pass.
    Crowd,
}

const VARIANTS: [Variant; 5] = [Variant::Plain, Variant::Cold, Variant::Again, Variant::LastGrant, Variant::Crowd];

/// One process that is to be killed, with a store of its own.
struct Case {
    step: &'static Step,
    variant: Variant,
    store: String,
    openid: String,
}

impl Case {
    /// Receivers and names of its messages.
    fn messages(&self) -> Vec<(String, String)> {
        let name = |number: usize| format!("{}-{number}", self.openid);
        match self.variant {
            Variant::Crowd => (0..6).map(|number| (format!("{}-{}", self.openid, number % 2), name(number))).collect(),
            _ => vec![(self.openid.clone(), name(0))],
        }
    }

    fn resends(&self) -> bool {
        matches!(self.variant, Variant::Again | Variant::LastGrant)
    }

    fn settings(&self, place: &Place, changes: &[(&str, &str)]) -> Vec<(String, String)> {
        // What is tried here is not how fast a busy machine is.
        let own = [("store", self.store.as_str()), ("timeout_ms", "30000"), ("connect_timeout_ms", "20000")];
        place.shop.settings(&[&own, changes].concat())
    }

    fn app(&self, place: &Place) -> App {
        app_of(&self.settings(place, &[("delivery", "worker")]), Registry::default())
    }

    fn task(&self, place: &Place) -> Value {
        json!({
            "settings": self.settings(place, &[]),
            "step": self.step.name,
            "pass": if self.variant == Variant::Crowd { 2 } else { 1 },
            "warm": self.variant != Variant::Cold,
            "resend": self.resends(),
            "messages": self.messages(),
        })
    }
}

fn cases(place: &Place) -> Vec<Case> {
    let all = STEPS.iter().flat_map(|step| VARIANTS.map(|variant| (step, variant)));
    // The others are as far without a token as with one.
    let all = all.filter(|(step, variant)| *variant != Variant::Cold || step.name == "writing");
    let named = |(number, (step, variant)): (usize, (&'static Step, Variant))| Case {
        step,
        variant,
        store: place.store(number),
        openid: format!("{}-{variant:?}", step.name),
    };
    all.enumerate().map(named).collect()
}

/// A process that queues, and kills itself at a step of its task. In the test program itself this does nothing.
#[test]
fn member_of_the_herd() {
    let Some((_, task)) = own_role() else { return };
    let mut settings: Vec<(String, String)> = serde_json::from_value(task["settings"].clone()).unwrap();
    let last = app_of(&settings, Registry::default());
    settings.push(("delivery".to_owned(), "worker".to_owned()));
    let before = app_of(&settings, Registry::default());
    if task["warm"] == true {
        last.access_token(false).unwrap();
    }
    let (pass, passes) = (task["pass"].as_u64().unwrap(), AtomicU64::new(0));
    let die = move || {
        if passes.fetch_add(1, Ordering::SeqCst) + 1 == pass {
            kill(Pid::this(), Signal::SIGKILL).unwrap();
        }
    };
    fail::cfg_callback(task["step"].as_str().unwrap(), die).unwrap();
    let messages: Vec<(String, String)> = serde_json::from_value(task["messages"].clone()).unwrap();
    for (number, (openid, name)) in messages.iter().enumerate() {
        let options = QueueOptions { resend_unknown: task["resend"].as_bool(), ..QueueOptions::default() };
        // Only the last one wakes the thread that delivers, so that it finds all of them.
        let app = if number + 1 == messages.len() { &last } else { &before };
        app.queue(&named(openid, name, options)).unwrap();
    }
    say("queued");
    std::thread::sleep(Duration::from_secs(60));
}

fn step_names(directory: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            step_names(&entry.path(), names);
            continue;
        }
        let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
        let found = text.split("failpoint!(\"").skip(1).filter_map(|rest| rest.split_once('"'));
        names.extend(found.map(|(name, _)| name.to_owned()));
    }
}

#[test]
fn every_step_of_the_source_is_tried() {
    let mut names = BTreeSet::new();
    step_names(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut names);
    assert_eq!(names, STEPS.iter().map(|step| step.name.to_owned()).collect());
}

#[test]
fn whoever_is_killed_at_any_step_is_followed_by_another_who_loses_nothing_and_repeats_nothing() {
    let places = Place::both(Shop::open);
    let all: Vec<(&Place, Vec<Case>)> = places.iter().map(|place| (place, cases(place))).collect();
    for (place, cases) in &all {
        cases.iter().for_each(|case| accept(place, case));
        for some in cases.chunks(4) {
            let mut members: Vec<Member> = some.iter().map(|case| Member::start("queue", &case.task(place))).collect();
            for (member, case) in members.iter_mut().zip(some) {
                assert!(member.was_killed(), "{} was not reached: {:?}", case.step.name, case.variant);
            }
        }
    }
    // Nobody waits for the leases of the dead.
    fail::cfg("clock", "return(3600000)").unwrap();
    all.iter().for_each(|(place, cases)| end_leases(place, cases.len()));
    let stores = |cases: &[Case]| cases.iter().map(|case| case.store.clone()).collect();
    let workers: Vec<Worker> = all.iter().map(|(_, cases)| Worker::start(stores(cases))).collect();
    for (place, cases) in &all {
        cases.iter().for_each(|case| wait_for_the_end(place, case));
    }
    drop(workers);
    for (place, cases) in &all {
        let record = Record::of(&place.shop);
        cases.iter().for_each(|case| judge(place, case, &record));
        println!("{}: {} processes killed at {} steps, lost: 0, twice: 0", place.name(), cases.len(), STEPS.len());
    }
    fail::remove("clock");
}

/// The buyers accept: WeChat knows how often, and where it is the last grant our ledger does as well.
fn accept(place: &Place, case: &Case) {
    let receivers: BTreeSet<String> = case.messages().into_iter().map(|(openid, _)| openid).collect();
    let count = if case.variant == Variant::LastGrant { 1 } else { 10 };
    for openid in receivers {
        place.shop.wechat.grant(DEMO_APPID, &openid, DEMO_TEMPLATE, Choice::Accept, count);
        if case.variant == Variant::LastGrant {
            let report = map(&[(DEMO_TEMPLATE, "accept")]);
            case.app(place).record_grants(&openid, &report, &Default::default()).unwrap();
        }
    }
}

/// Redis has its own clock, so there the leases themselves are put back.
fn end_leases(place: &Place, stores: usize) {
    const SCRIPT: &str = "for _, key in ipairs(redis.call('KEYS', '*:f:*')) do
            for _, member in ipairs(redis.call('ZRANGE', key, 0, -1)) do redis.call('ZADD', key, 1, member) end
        end
        for _, key in ipairs(redis.call('KEYS', '*:m:*')) do
            if redis.call('HEXISTS', key, 'lease') == 1 then redis.call('HSET', key, 'lease', '1') end
        end
        return 'done'";
    if let Engine::Redis(server) = &place.engine {
        for number in 0..stores {
            assert_eq!(server.cli(&["-n", &number.to_string(), "EVAL", SCRIPT, "0"]).trim(), "done");
        }
    }
}

fn wait_for_the_end(place: &Place, case: &Case) {
    let app = case.app(place);
    let end = Instant::now() + Duration::from_secs(120);
    while app.flush(Duration::ZERO).unwrap() > 0 {
        assert!(Instant::now() < end, "{} {:?} on {}: nobody follows", case.step.name, case.variant, place.name());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn judge(place: &Place, case: &Case, record: &Record) {
    let app = case.app(place);
    let what = format!("{} {:?} on {}", case.step.name, case.variant, place.name());
    let ends: Vec<(Option<String>, usize)> = case
        .messages()
        .iter()
        .map(|(_, name)| {
            let row = row_of(&app, name);
            (row.map(|row| row["state"].as_str().unwrap().to_owned()), record.times(name))
        })
        .collect();
    let state = ends[0].0.as_deref();
    match case.variant {
        Variant::Plain => assert_eq!((state, ends[0].1), (case.step.state, case.step.accepted), "{what}"),
        Variant::Cold => assert_eq!((state, ends[0].1), (Some("delivered"), 1), "{what}"),
        Variant::Again | Variant::LastGrant => {
            let expected = if case.variant == Variant::Again { case.step.accepted_again } else { 1 };
            let state_again = case.step.state.map(|_| "delivered");
            assert_eq!((state, ends[0].1), (state_again, expected.min(case.step.accepted_again)), "{what}");
        }
        Variant::Crowd => {
            for (state, accepted) in &ends {
                match state.as_deref() {
                    Some("delivered") => assert_eq!(*accepted, 1, "{what}: {ends:?}"),
                    Some("unknown") => assert!(*accepted <= 1, "{what}: {ends:?}"),
                    None => assert!(*accepted == 0 && case.step.name.starts_with("queue"), "{what}: {ends:?}"),
                    other => panic!("{what}: {other:?} {ends:?}"),
                }
            }
            for names in ["0", "1"].iter().filter_map(|lane| record.lanes.get(&format!("{}-{lane}", case.openid))) {
                assert!(names.is_sorted(), "{what}: {names:?}");
            }
        }
    }
    if case.variant == Variant::LastGrant {
        let ledger = app.grants(&case.openid, Some(DEMO_TEMPLATE)).unwrap();
        let left = u64::from(state.is_none());
        assert_eq!((&ledger["available"], &ledger["reserved"]), (&json!(left), &json!(0)), "{what}: {ledger}");
        assert_eq!(ledger["delivered"], json!(1 - left), "{what}: {ledger}");
    }
}
