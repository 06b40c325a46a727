//! The store does what it is asked, but its answer comes too late to be heard (Redis; SQLite has no answers to lose).

#![cfg(all(feature = "cli", feature = "failpoints"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::signal::Signal;
use routine_template::app::App;
use routine_template::options::QueueOptions;
use routine_template::process::Process;

#[path = "support/outbox.rs"]
mod outbox;
#[path = "support/redis_server.rs"]
mod redis_server;
#[path = "support/shop.rs"]
mod support;
use outbox::{Record, answered, named, row_of, state};
use redis_server::RedisServer;
use support::*;

/// Longer than anybody waits for one answer.
const SILENCE: Duration = Duration::from_millis(1200);

struct Host {
    shop: Shop,
    redis: Arc<RedisServer>,
}

impl Host {
    fn open() -> Self {
        Self { shop: Shop::open_to_all(), redis: Arc::new(RedisServer::start()) }
    }

    /// With connections that are open.
    fn warm_app(&self) -> App {
        let app = self.shop.app(&[("store", &self.redis.url()), ("timeout_ms", "30000")]);
        app.queue(&named("first", "first", QueueOptions::default())).unwrap();
        wait_until("the first message", || answered(|| app.flush(Duration::ZERO)) == 0);
        app
    }

    /// The next transaction after this step is done, and nobody hears of it in time.
    fn silence_after(&self, step: &str) {
        let (redis, done) = (self.redis.clone(), AtomicBool::new(false));
        let silence = move || {
            if !done.swap(true, Ordering::SeqCst) {
                redis.signal(Signal::SIGSTOP);
                let redis = redis.clone();
                std::thread::spawn(move || {
                    std::thread::sleep(SILENCE);
                    redis.signal(Signal::SIGCONT);
                });
            }
        };
        fail::cfg_callback(step, silence).unwrap();
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        for step in ["queueing", "claiming", "settling"] {
            fail::remove(step);
        }
        if let Some(process) = Process::existing() {
            process.stop_delivery(Duration::from_secs(20));
        }
    }
}

#[test]
fn a_message_that_was_claimed_without_an_answer_is_sent_all_the_same() {
    let host = Host::open();
    let app = host.warm_app();
    host.silence_after("claiming");
    // A look of the delivery thread that was under way may fall silent first, and this call with it.
    let id = answered(|| app.queue(&named("one", "claimed", QueueOptions::default())));
    wait_until("the message", || state(&app, &id) == "delivered");
    assert_eq!(Record::of(&host.shop).times("claimed"), 1);
}

#[test]
fn a_verdict_that_was_written_without_an_answer_is_written_once() {
    let host = Host::open();
    let app = host.warm_app();
    app.record_grants("one", &map(&[(routine_template::sandbox::DEMO_TEMPLATE, "accept")]), &Default::default())
        .unwrap();
    host.silence_after("settling");
    let id = app.queue(&named("one", "settled", QueueOptions::default())).unwrap();
    wait_until("the verdict", || state(&app, &id) == "delivered");
    assert_eq!(answered(|| app.flush(Duration::from_secs(20))), 0);
    let ledger = answered(|| app.grants("one", None));
    let row = &ledger[routine_template::sandbox::DEMO_TEMPLATE];
    assert_eq!((row["accepted"].as_u64(), row["delivered"].as_u64()), (Some(1), Some(1)), "{ledger}");
    assert_eq!(row_of(&app, "settled").unwrap()["attempts"], 1);
}

#[test]
fn one_that_was_queued_without_an_answer_is_no_other_when_it_is_queued_again() {
    let host = Host::open();
    let app = host.warm_app();
    host.silence_after("queueing");
    // The application is told that it may be in there, and asks again with the same key.
    assert!(app.queue(&named("one", "queued", QueueOptions::default())).is_err());
    let id = answered(|| app.queue(&named("one", "queued", QueueOptions::default())));
    wait_until("the message", || state(&app, &id) == "delivered");
    assert_eq!(Record::of(&host.shop).times("queued"), 1);
}
