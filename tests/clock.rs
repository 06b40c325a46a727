//! The clock of a host is set while messages wait, are under way, or rest before the next try (SQLite; Redis has the server's
//! clock, which all hosts share).

#![cfg(all(feature = "cli", feature = "failpoints"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use routine_template::app::App;
use routine_template::options::QueueOptions;
use routine_template::process::Process;
use routine_template::sandbox::FaultKind;

#[path = "support/outbox.rs"]
mod outbox;
#[path = "support/redis_server.rs"]
mod redis_server;
#[path = "support/shop.rs"]
mod support;
#[path = "support/worker.rs"]
mod worker;
use outbox::{Record, named, row_of, state};
use support::*;
use worker::Worker;

const HOUR: i64 = 3_600_000;
/// What waits and what is tried again, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A shop whose clock can be set. Its deliverer ends with it, and the clock is right again.
struct Host(Shop);

impl Host {
    fn open() -> Self {
        Self(Shop::open_to_all())
    }

    fn app(&self, delivery: &str) -> App {
        self.0.app(&[("delivery", delivery), ("timeout_ms", "30000")])
    }

    fn queue(&self, delivery: &str, name: &str, options: QueueOptions) -> String {
        self.app(delivery).queue(&named("buyer", name, options)).unwrap()
    }

    fn worker(&self) -> Worker {
        Worker::start(vec![self.0.store().to_str().unwrap().to_owned()])
    }

    fn wait_for(&self, id: &str, wanted: &str) {
        let (app, end) = (self.app("worker"), Instant::now() + PATIENCE);
        while state(&app, id) != wanted {
            assert!(Instant::now() < end, "it is {}, not {wanted}", state(&app, id));
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(process) = Process::existing() {
            process.stop_delivery(Duration::from_secs(20));
        }
        set_clock(0);
    }
}

/// So many milliseconds ahead.
fn set_clock(ahead: i64) {
    fail::cfg("clock", &format!("return({ahead})")).unwrap();
}

#[test]
fn what_is_due_at_once_goes_out_whatever_the_clock_does() {
    for ahead in [5 * HOUR, -5 * HOUR] {
        let host = Host::open();
        let before = host.queue("worker", "before", QueueOptions::default());
        set_clock(ahead);
        let after = host.queue("thread", "after", QueueOptions::default());
        assert_eq!(host.app("thread").flush(PATIENCE).unwrap(), 0, "{ahead}");
        let app = host.app("worker");
        assert_eq!((state(&app, &before).as_str(), state(&app, &after).as_str()), ("delivered", "delivered"));
        assert_eq!(host.0.delivered(), 2);
    }
}

#[test]
fn a_message_under_way_whose_lease_seems_over_is_settled_by_its_late_verdict() {
    let host = Host::open();
    host.0.fault(SEND, Some(1), FaultKind::Latency { ms: 1500 });
    let id = host.queue("thread", "slow", QueueOptions::default());
    wait_until("the request", || host.0.delivered() == 1);
    set_clock(5 * HOUR);
    let _worker = host.worker();
    // It has left the outbox, so that it cannot be sent again.
    wait_until("somebody to give it up", || host.app("worker").flush(Duration::ZERO).unwrap() == 0);
    host.wait_for(&id, "delivered");
    assert_eq!(host.0.delivered(), 1);
}

#[test]
fn one_that_may_be_sent_again_is_and_both_verdicts_agree() {
    let host = Host::open();
    host.0.fault(SEND, Some(1), FaultKind::Latency { ms: 1500 });
    let again = QueueOptions { resend_unknown: Some(true), ..QueueOptions::default() };
    let id = host.queue("thread", "slow", again);
    wait_until("the request", || host.0.delivered() == 1);
    set_clock(5 * HOUR);
    let worker = host.worker();
    wait_until("somebody to send it again", || host.0.delivered() == 2);
    host.wait_for(&id, "delivered");
    assert_eq!(host.app("thread").flush(PATIENCE).unwrap(), 0);
    drop(worker);
    assert!(Process::current().unwrap().stop_delivery(PATIENCE), "the late verdict is written as well");
    host.wait_for(&id, "delivered");
    assert_eq!(host.0.delivered(), 2);
}

#[test]
fn a_message_that_rests_before_its_next_try_is_sent_once_the_clock_says_so() {
    let host = Host::open();
    for ahead in [5 * HOUR, -5 * HOUR] {
        set_clock(0);
        host.0.fault(SEND, Some(1), FaultKind::Errcode { errcode: -1, errmsg: None });
        let id = host.queue("thread", &format!("{}", ahead + 6 * HOUR), QueueOptions::default());
        let app = host.app("worker");
        wait_until("the first try", || app.status(&id).unwrap().unwrap()["attempts"] == 1);
        set_clock(ahead);
        if ahead < 0 {
            // Put right again.
            std::thread::sleep(Duration::from_secs(2));
            set_clock(0);
        }
        host.wait_for(&id, "delivered");
    }
    assert_eq!(host.0.delivered(), 2);
}

#[test]
fn a_clock_that_is_set_to_and_fro_loses_nothing_and_repeats_nothing() {
    let host = Host::open();
    host.0.fault(SEND, None, FaultKind::Latency { ms: 30 });
    let _worker = host.worker();
    let app = host.app("thread");
    let over = AtomicBool::new(false);
    let ids: BTreeMap<String, String> = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
            while !over.load(Ordering::SeqCst) {
                set_clock(i64::from(random.next_u32() % 12) * HOUR - 6 * HOUR);
                std::thread::sleep(Duration::from_millis(u64::from(random.next_u32() % 40)));
            }
            set_clock(0);
        });
        let ids = (0..200)
            .map(|number| {
                let name = format!("{number:03}");
                let id = app.queue(&named(&format!("buyer{}", number % 40), &name, QueueOptions::default())).unwrap();
                std::thread::sleep(Duration::from_millis(5));
                (name, id)
            })
            .collect();
        over.store(true, Ordering::SeqCst);
        ids
    });
    assert_eq!(app.flush(PATIENCE).unwrap(), 0);
    let ended = |id: &str| !matches!(state(&app, id).as_str(), "sending" | "unknown");
    wait_until("the verdicts of those that were given up meanwhile", || ids.values().all(|id| ended(id)));
    let record = Record::of(&host.0);
    let mut delivered = 0;
    for (name, id) in &ids {
        match (state(&app, id).as_str(), record.times(name)) {
            ("delivered", 1) => delivered += 1,
            // It was given up under way, and then it had to be tried again: certainly not sent, and reported as that.
            ("not_sent", 0) => println!("{}", row_of(&app, name).unwrap()),
            (state, times) => panic!("{name} is {state}, WeChat has it {times} times"),
        }
    }
    assert!(delivered > 150, "{delivered}");
}
