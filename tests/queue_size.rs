//! A queue as long as a shop's whole day, or a campaign: nothing is lost in it or overtakes another, and who delivers it needs no
//! more memory than for a short one. `QUEUE_ROWS=1000000` makes it that long.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use routine_template::message::Message;
use routine_template::options::{Options, QueueOptions};

#[path = "support/outbox.rs"]
mod outbox;
#[path = "support/redis_server.rs"]
mod redis_server;
#[path = "support/shop.rs"]
mod support;
use outbox::{Place, Record, from_environment, named};
use support::*;

/// Messages of each buyer.
const EACH: usize = 10;
/// Above the noise of an allocator, far below what the messages themselves would take.
const GROWTH: u64 = 24 * 1024;
/// Without one message delivered for so long, something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// The most memory that a process has had so far, KiB.
fn peak(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

fn a_long_queue_is_delivered_in_order_with_little_memory(place: &Place, rows: usize) {
    let app = place.app(&[("delivery", "worker"), ("durability", "process"), ("timeout_ms", "30000")]);
    let buyers = (rows / EACH).max(1);
    let start = Instant::now();
    for number in 0..rows {
        // Without a key, which would make each row wait for the disk.
        let message = named(&format!("buyer{}", number % buyers), &format!("{number:08}"), QueueOptions::default());
        let options = Options { key: None, ..message.options.clone() };
        app.queue(&Message { options, ..message }).unwrap();
    }
    let filled = start.elapsed();
    let mut worker = Command::new(env!("CARGO_BIN_EXE_routine-template"))
        .args(["work", "--quiet", "--drain", "--durability", "process", "--store", &place.store(0)])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    let (mut early, mut late) = (0, 0);
    let (mut seen, mut seen_at) = (0, Instant::now());
    while worker.try_wait().unwrap().is_none() {
        let delivered = place.shop.wechat.counters().messages as usize;
        if delivered > seen {
            (seen, seen_at) = (delivered, Instant::now());
        }
        assert!(seen_at.elapsed() < PATIENCE, "nothing goes on after {seen} messages");
        if early == 0 && delivered > rows / 10 {
            early = peak(&worker);
        }
        if delivered < rows {
            late = peak(&worker).max(late);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let drained = start.elapsed();
    assert!(worker.wait().unwrap().success());
    println!(
        "{:<6} | {rows} rows | filled in {filled:.1?}, {:.0}/s | delivered in {drained:.1?}, {:.0}/s | worker's memory at a \
         tenth {} MiB, at the end {} MiB",
        place.name(),
        rows as f64 / filled.as_secs_f64(),
        rows as f64 / drained.as_secs_f64(),
        early / 1024,
        late / 1024,
    );
    // Of very many, WeChat's record keeps the last ones; it counts all.
    assert_eq!((place.shop.wechat.counters().messages as usize, app.flush(Duration::ZERO).unwrap()), (rows, 0));
    let record = Record::of(&place.shop);
    assert_eq!(record.repeated().count(), 0);
    assert_eq!(record.times.len(), rows.min(200_000));
    for (openid, names) in &record.lanes {
        assert!(names.is_sorted(), "{openid}: {names:?}");
    }
    assert!(early > 0 && late <= early + GROWTH, "{early} KiB, then {late} KiB");
}

#[test]
fn a_long_queue_costs_the_worker_no_more_memory_than_a_short_one() {
    let rows = from_environment("QUEUE_ROWS", 2000);
    for place in Place::both(Shop::open_to_all) {
        a_long_queue_is_delivered_in_order_with_little_memory(&place, rows);
    }
}
