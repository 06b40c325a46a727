//! WeChat out of order while a shop goes on queueing: nobody waits, hardly anything is tried, and when it is back everything is
//! delivered that could not have been before. `OUTAGE_SECONDS=60` makes it last longer.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

use std::time::{Duration, Instant};

use routine_template::app::App;
use routine_template::options::QueueOptions;
use routine_template::registry::Registry;
use routine_template::sandbox::FaultKind;
use serde_json::{Value, json};

#[path = "support/front.rs"]
mod front;
#[path = "support/herd.rs"]
mod herd;
#[path = "support/outbox.rs"]
mod outbox;
#[path = "support/redis_server.rs"]
mod redis_server;
#[path = "support/shop.rs"]
mod support;
use front::{Front, Mode};
use herd::{Member, gather, own_role, say, wait_for_the_start};
use outbox::{Place, Record, answered, from_environment, named, state};
use support::*;

/// Processes of a shop, each with a thread that delivers.
const PROCESSES: usize = 2;
/// Requests of one deliverer in flight (setting `concurrency`).
const WINDOW: u64 = 32;
/// What the circuit lets through: five requests without an answer, then one at the end of each rest (1, 2, 4 … 30 s).
const TRIES: u64 = 5 + 8;
/// How long all is well first.
const BEFORE: Duration = Duration::from_secs(2);
/// When WeChat is back, its answers take so long.
const FIRST_ANSWER: Duration = Duration::from_millis(400);
/// What waits and what is tried again, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outage {
    /// Requests are taken and never answered.
    Hangs,
    /// Connections end at once.
    Refuses,
    /// Requests are carried out, their connections end without an answer.
    Drops,
    /// Requests are carried out, their answers say nothing.
    Babbles,
}

impl Outage {
    const ALL: [Outage; 4] = [Self::Hangs, Self::Refuses, Self::Drops, Self::Babbles];

    fn fault(self) -> Option<FaultKind> {
        match self {
            Self::Hangs => Some(FaultKind::Hang),
            Self::Refuses => None,
            Self::Drops => Some(FaultKind::DropAfter),
            Self::Babbles => Some(FaultKind::Garbage),
        }
    }

    /// How many requests, or connections, may reach WeChat at most. Where failures come at once nobody begins many.
    fn bound(self) -> u64 {
        let in_flight = if self == Self::Hangs { WINDOW } else { 4 };
        in_flight * PROCESSES as u64 + TRIES
    }
}

/// A shop, and what stands in front of its WeChat.
struct Trial {
    place: Place,
    outage: Outage,
    front: Front,
    members: Vec<Member>,
    /// Requests and connections when the outage began.
    before: (u64, u64),
}

impl Trial {
    fn open(place: Place, outage: Outage) -> Self {
        let front = Front::of(&place.shop.wechat.https_url(), Mode::Forward);
        let mut trial = Self { place, outage, front, members: Vec::new(), before: (0, 0) };
        for process in 0..PROCESSES {
            let task = json!({
                "settings": trial.settings(),
                "name": format!("p{process}"),
                "before": BEFORE.as_secs(),
                "seconds": seconds(),
            });
            trial.members.extend(gather(1, "sell", &task));
        }
        trial
    }

    fn settings(&self) -> Vec<(String, String)> {
        let url = self.front.url();
        // Only who hangs is given up by time; the others shall not be because the machine is busy.
        let timeout = if self.outage == Outage::Hangs { "4000" } else { "30000" };
        self.place.settings(&[("base_url", &url), ("fallback_urls", ""), ("timeout_ms", timeout)])
    }

    /// The shop's view, by a process that delivers nothing itself.
    fn app(&self) -> App {
        let mut settings = self.settings();
        settings
            .extend([("delivery", "worker"), ("timeout_ms", "30000")].map(|(name, value)| (name.into(), value.into())));
        app_of(&settings, Registry::default())
    }

    /// Requests to WeChat, whatever for, and connections.
    fn reached(&self) -> (u64, u64) {
        (self.place.shop.wechat.counters().requests.values().sum(), self.front.connections() as u64)
    }

    fn begin(&mut self) {
        self.before = self.reached();
        match self.outage.fault() {
            Some(fault) => self.place.shop.fault("*", None, fault),
            None => self.front.set(Mode::Close),
        }
    }

    /// WeChat is back, and takes its time to answer.
    fn end(&self) {
        self.place.shop.wechat.clear_faults();
        self.place.shop.fault(SEND, None, FaultKind::Latency { ms: FIRST_ANSWER.as_millis() as u64 });
        self.front.set(Mode::Forward);
    }

    fn judge(&self, before: &[Value], words: &[Value], reached: u64, end: &End) {
        let app = self.app();
        let what = format!("{} {:?}", self.place.name(), self.outage);
        let patience = Instant::now() + PATIENCE;
        while answered(|| app.flush(Duration::ZERO)) > 0 {
            assert!(Instant::now() < patience, "{what}: the outbox does not become empty");
            std::thread::sleep(Duration::from_millis(20));
        }
        let record = Record::of(&self.place.shop);
        let (mut queued, mut delivered, mut unknown) = (0, 0, 0);
        for (name, id) in before.iter().chain(words).flat_map(|word| word["accepted"].as_object().unwrap()) {
            queued += 1;
            match (state(&app, id.as_str().unwrap()).as_str(), record.times(name)) {
                ("delivered", 1) => delivered += 1,
                // It was written, and there was no verdict.
                ("unknown", 0 | 1) if self.outage != Outage::Refuses => unknown += 1,
                (state, times) => panic!("{what}: {name} is {state}, WeChat has it {times} times"),
            }
        }
        let most = |words: &[Value], what: &str| words.iter().map(|word| word[what].as_u64().unwrap()).max().unwrap();
        println!(
            "{what:<14} | {} s | queued {queued} | queue() median {} us, slowest {} us before, {} us and {} us meanwhile | \
             reached WeChat {reached} | before the first answer {} | then {} at once | delivered {delivered} | \
             unknown {unknown} | twice {}",
            seconds(),
            most(before, "median"),
            most(before, "slowest"),
            most(words, "median"),
            most(words, "slowest"),
            end.unanswered,
            end.most_open - end.open_before,
            record.repeated().count()
        );
        assert_eq!(record.repeated().count(), 0);
        assert!(reached <= self.outage.bound(), "{what}: {reached} requests");
        // On a busy machine one may run out of time when WeChat is back.
        let slow = if self.outage == Outage::Hangs { 10 } else { 0 };
        assert!(unknown <= reached + slow, "{what}: {unknown} unknown of {reached} requests");
        assert!(end.unanswered <= 4, "{what}: {} requests before WeChat had answered one", end.unanswered);
        assert!(
            end.most_open <= end.open_before + WINDOW * PROCESSES as u64 + 4,
            "{what}: {} connections",
            end.most_open
        );
        for (openid, names) in &record.lanes {
            assert!(names.is_sorted(), "{what}, {openid}: {names:?}");
        }
    }
}

/// What WeChat sees when it is back.
struct End {
    open_before: u64,
    requests_before: u64,
    looked: Instant,
    /// When the first request may have come at the earliest.
    first: Option<Instant>,
    /// Requests that came while none can have been answered.
    unanswered: u64,
    most_open: u64,
}

impl End {
    fn of(shop: &Shop) -> Self {
        let open = shop.wechat.counters().connections.open;
        let requests_before = shop.requests(SEND);
        let looked = Instant::now();
        Self { open_before: open, requests_before, looked, first: None, unanswered: 0, most_open: open }
    }

    fn look(&mut self, shop: &Shop) {
        let counters = shop.wechat.counters();
        let now = Instant::now();
        let requests = counters.requests.get(SEND).copied().unwrap_or(0) - self.requests_before;
        if requests > 0 {
            let first = *self.first.get_or_insert(self.looked);
            if now < first + FIRST_ANSWER {
                self.unanswered = requests;
            }
        }
        self.most_open = self.most_open.max(counters.connections.open);
        self.looked = now;
    }

    fn is_over(&self) -> bool {
        self.first.is_some_and(|first| first.elapsed() > Duration::from_secs(2))
    }
}

fn seconds() -> u64 {
    from_environment("OUTAGE_SECONDS", 6) as u64
}

fn queue(app: &App, name: &str, number: usize) -> (String, String, u64) {
    let openid = format!("{name}-{}", number % 20);
    let name = format!("{name}-{number:05}");
    let start = Instant::now();
    let id = app.queue(&named(&openid, &name, QueueOptions::default())).unwrap();
    (name, id, start.elapsed().as_micros() as u64)
}

fn median(mut times: Vec<u64>) -> u64 {
    times.sort_unstable();
    times[times.len() / 2]
}

/// A process that sells. In the test program itself this does nothing.
#[test]
fn member_of_the_herd() {
    let Some((_, task)) = own_role() else { return };
    let settings: Vec<(String, String)> = serde_json::from_value(task["settings"].clone()).unwrap();
    let app = app_of(&settings, Registry::default());
    let name = task["name"].as_str().unwrap();
    app.queue(&named(name, name, QueueOptions::default())).unwrap();
    assert_eq!(app.flush(PATIENCE).unwrap(), 0);
    say("ready");
    let mut number = 0;
    let mut sell = |seconds| {
        wait_for_the_start();
        let end = Instant::now() + Duration::from_secs(seconds);
        let mut accepted = serde_json::Map::new();
        let mut times = Vec::new();
        while Instant::now() < end {
            let (name, id, time) = queue(&app, name, number);
            number += 1;
            accepted.insert(name, id.into());
            times.push(time);
            std::thread::sleep(Duration::from_millis(40));
        }
        let slowest = times.iter().max().copied();
        say(json!({ "accepted": accepted, "slowest": slowest, "median": median(times) }));
    };
    sell(task["before"].as_u64().unwrap());
    sell(task["seconds"].as_u64().unwrap());
    // It stays, and delivers, until the end of the test.
    wait_for_the_start();
}

/// All processes of all shops sell, and tell what they did.
fn sell(trials: &mut [Trial]) -> Vec<Vec<Value>> {
    trials.iter_mut().flat_map(|trial| &mut trial.members).for_each(Member::go);
    trials.iter_mut().map(|trial| trial.members.iter_mut().map(Member::hear).collect()).collect()
}

#[test]
fn an_outage_of_any_kind_holds_up_no_order_and_its_end_is_no_stampede() {
    let places = Outage::ALL.into_iter().flat_map(|outage| Place::both(Shop::open_to_all).map(|place| (place, outage)));
    let mut trials: Vec<Trial> = places.map(|(place, outage)| Trial::open(place, outage)).collect();
    let before = sell(&mut trials);
    trials.iter_mut().for_each(Trial::begin);
    let words = sell(&mut trials);
    let reached: Vec<u64> = trials
        .iter()
        .map(|trial| {
            let (before, now) = (trial.before, trial.reached());
            if trial.outage == Outage::Refuses { now.1 - before.1 } else { now.0 - before.0 }
        })
        .collect();
    trials.iter().for_each(Trial::end);
    let mut ends: Vec<End> = trials.iter().map(|trial| End::of(&trial.place.shop)).collect();
    let patience = Instant::now() + PATIENCE;
    while !ends.iter().all(End::is_over) {
        ends.iter_mut().zip(&trials).for_each(|(end, trial)| end.look(&trial.place.shop));
        assert!(Instant::now() < patience, "nobody finds that WeChat is back");
        std::thread::sleep(Duration::from_millis(2));
    }
    trials.iter().for_each(|trial| trial.place.shop.wechat.clear_faults());
    for (place, trial) in trials.iter().enumerate() {
        trial.judge(&before[place], &words[place], reached[place], &ends[place]);
    }
}
