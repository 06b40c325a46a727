//! Workers that queue, claim and send while both sides tell of accepts, and are killed at any moment. Whoever comes after them sends
//! what they have left; the books add up, and nothing that was acknowledged is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use routine_template::message::Channel;
use routine_template::store::*;

use crate::crash::{patiently, report, rounds};
use crate::engine::{Redis, Shared, Sqlite, open};
use crate::pack::Pack;
use crate::post::{Post, claim, of_job};
use crate::shop::{APP, Going, Message, TEMPLATE, Verdict, soon};
use crate::work::{Dice, Record};

const WORKERS: usize = 3;
/// Rounds of an ordinary run.
const USUAL: usize = 40;
/// How long an attempt has: on a busy machine some are over before their end is written down.
const ATTEMPT: Duration = Duration::from_millis(20);
/// How long what is left may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn buyer(round: &str) -> String {
    format!("buyer-{round}")
}

fn enqueue(store: &dyn Store, id: MessageId, openid: &str) {
    let post = Post { timeout: ATTEMPT, ..Post::of(Message { id, ..Message::to(openid) }) };
    let queued = patiently(|| store.enqueue(&post.message.begin(), &post.parcel(), soon()));
    assert_eq!(queued, Enqueued::Queued(id));
}

/// Claims what is due and ends each with the verdict that `choose` draws.
fn deliver(store: &dyn Store, mut choose: impl FnMut(&Job) -> Verdict, mut done: impl FnMut(&Job, &Verdict)) {
    let owner = Owner::current();
    for job in patiently(|| store.claim(&claim(APP, Channel::Subscribe, 4, &owner), soon())).jobs {
        let message = of_job(&job, Channel::Subscribe);
        let going = Going { id: job.id, epoch: job.epoch, grant: job.grant, seen: job.seen };
        let verdict = choose(&job);
        patiently(|| store.finish(&message.begin(), going.epoch, &verdict.end(going, &message), soon()));
        done(&job, &verdict);
    }
}

/// Tells, queues and sends until it is killed.
pub fn work(place: &str, name: &str, record: &mut Record) {
    let openid = buyer(name.split('-').next().unwrap());
    let mut dice = Dice::new(name);
    record.ready();
    let store = open(place);
    loop {
        match dice.roll(3) {
            0 => {
                let mut sides = ["client", "push"];
                sides.rotate_left(dice.roll(2) as usize);
                for side in sides {
                    let id = MessageId::new();
                    record.line(format!("report? {id} {side}"));
                    report(store.as_ref(), &openid, side, &id.to_string());
                    record.line(format!("report! {id} {side}"));
                }
            }
            1 => {
                let id = MessageId::new();
                record.line(format!("enqueue? {id}"));
                enqueue(store.as_ref(), id, &openid);
                record.line(format!("enqueue! {id}"));
            }
            _ => {
                let draw = |_: &Job| match dice.roll(5) {
                    0 => Verdict::no_grant(),
                    1 => Verdict::unknown(),
                    2 => Verdict::not_sent().again(Duration::ZERO),
                    _ => Verdict::delivered(),
                };
                deliver(store.as_ref(), draw, |job, verdict| {
                    if verdict.state == State::Delivered {
                        record.line(format!("delivered! {}", job.id));
                    }
                });
            }
        }
    }
}

/// What the workers of a round wrote down.
#[derive(Default)]
struct Written {
    /// By token: the side, and whether it was acknowledged.
    reports: BTreeMap<String, (String, bool)>,
    /// Messages, and whether they were acknowledged.
    queued: BTreeMap<MessageId, bool>,
    delivered: BTreeSet<MessageId>,
}

impl Written {
    fn read(records: &[Vec<String>]) -> Self {
        let mut written = Self::default();
        for line in records.iter().flatten() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["report?", token, side] => {
                    written.reports.entry(token.to_owned()).or_insert((side.to_owned(), false));
                }
                ["report!", token, _] => written.reports.get_mut(token).unwrap().1 = true,
                ["enqueue?", id] => drop(written.queued.insert(id.parse().unwrap(), false)),
                ["enqueue!", id] => drop(written.queued.insert(id.parse().unwrap(), true)),
                ["delivered!", id] => drop(written.delivered.insert(id.parse().unwrap())),
                _ => panic!("what is {line:?}?"),
            }
        }
        written
    }

    /// Does again what was under way.
    fn repeat(&self, store: &dyn Store, openid: &str) {
        for (token, (side, _)) in self.reports.iter().filter(|(_, (_, acknowledged))| !acknowledged) {
            report(store, openid, side, token);
        }
        for id in self.queued.iter().filter_map(|(id, acknowledged)| (!acknowledged).then_some(*id)) {
            // One that is under way, or has had its end, is known.
            if store.delivery(APP, id, soon()).unwrap().is_none() {
                enqueue(store, id, openid);
            }
        }
    }

    fn told_by(&self, wanted: &str) -> u64 {
        self.reports.values().filter(|(side, _)| side == wanted).count() as u64
    }
}

fn one_round(engine: &dyn Shared, store: &dyn Store, round: usize) -> usize {
    let names = (0..WORKERS).map(|worker| format!("crash_queue {round}-{worker}"));
    let pack = Pack::start(engine, names);
    pack.wait_for(|text| text.contains("! "));
    std::thread::sleep(Duration::from_micros(Dice::new(&format!("queue {round}")).roll(60_000)));
    let written = Written::read(&pack.kill());
    let openid = buyer(&round.to_string());
    written.repeat(store, &openid);
    let end = Instant::now() + PATIENCE;
    while store.pending(APP, soon()).unwrap() > 0 {
        assert!(Instant::now() < end, "what the dead have left is not sent");
        deliver(store, |_| Verdict::delivered(), |_, _| {});
        std::thread::sleep(Duration::from_millis(2));
    }
    let (mut delivered, mut unknown) = (0, 0);
    for id in written.queued.keys() {
        let row = store.delivery(APP, *id, soon()).unwrap().expect("a message is lost");
        delivered += u64::from(row.state == State::Delivered);
        unknown += u64::from(row.state == State::Unknown);
        assert!(row.state == State::Delivered || !written.delivered.contains(id), "it was delivered: {row:?}");
        assert!(![State::Queued, State::Sending].contains(&row.state), "{row:?}");
    }
    let rows = store.grants(APP, &openid, Some(TEMPLATE), soon()).unwrap();
    let row = rows.into_iter().next().map(|(_, row)| row).unwrap_or_default();
    assert_eq!(row.available + row.delivered + row.reserved + row.lost, row.accepted, "the books: {row:?}");
    assert_eq!(row.delivered, delivered, "{row:?}");
    assert!(row.reserved <= unknown, "{unknown} unknown: {row:?}");
    let told = written.told_by("client").max(written.told_by("push"));
    assert!((told..=told + delivered).contains(&row.accepted), "{told} accepts were told: {row:?}");
    written.queued.len() + written.reports.len()
}

fn what_killed_deliverers_leave_is_sent_and_counted_once(engine: &dyn Shared, name: &str) {
    let store = engine.open();
    // So that everything is counted from the first message on.
    report(store.as_ref(), "somebody", "client", "first");
    let rounds = rounds(USUAL);
    let done: usize = (0..rounds).map(|round| one_round(engine, store.as_ref(), round)).sum();
    println!("{name}: {rounds} rounds, {} kills, {done} reports and messages", rounds * WORKERS);
    assert!(done > rounds, "nothing was tried");
}

#[test]
fn sqlite() {
    what_killed_deliverers_leave_is_sent_and_counted_once(&Sqlite::fresh(), "SQLite");
}

#[test]
fn redis() {
    what_killed_deliverers_leave_is_sent_and_counted_once(&Redis::fresh(), "Redis");
}
