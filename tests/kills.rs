//! Processes that queue and processes that deliver, each killed at any moment and started again; on Redis their connections are
//! cut as well. Whatever was accepted is delivered once, or reported; `QUEUE_KILL_ROUNDS=1000` hunts longer.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::unistd::getppid;
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use routine_template::app::App;
use routine_template::grant::ReportOptions;
use routine_template::message::Input;
use routine_template::options::QueueOptions;
use routine_template::registry::Registry;
use routine_template::sandbox::{DEMO_TEMPLATE, FaultKind};
use serde_json::{Value, json};

#[path = "support/herd.rs"]
mod herd;
#[path = "support/outbox.rs"]
mod outbox;
#[path = "support/redis_server.rs"]
mod redis_server;
#[path = "support/shop.rs"]
mod support;
use herd::{Member, own_role};
use outbox::{Engine, Place, Record, answered, from_environment, named, row_of, state};
use support::*;

/// Processes that queue, each with a thread that delivers; beside them is one worker.
const QUEUEING: usize = 3;
/// Leases of the dead, and what has waited behind them.
const PATIENCE: Duration = Duration::from_secs(180);
/// Grants that each process finds recorded for a buyer of its own, and messages that it queues for him.
const GRANTED: u64 = 2;

/// What one message wants, by the last letter of its name.
fn options_of(name: &str) -> QueueOptions {
    let mut options = QueueOptions::default();
    match name.chars().last() {
        Some('r') => options.resend_unknown = Some(true),
        Some('d') => options.delay = Some(Duration::from_millis(300)),
        Some('e') => options.expires = Some(Duration::from_secs(2)),
        _ => {}
    }
    options
}

/// Queues until it is killed, and writes down what was accepted. In the test program itself this does nothing.
#[test]
fn member_of_the_herd() {
    let Some((_, task)) = own_role() else { return };
    let settings: Vec<(String, String)> = serde_json::from_value(task["settings"].clone()).unwrap();
    let app = app_of(&settings, Registry::default());
    let own = task["name"].as_str().unwrap();
    let test = getppid();
    let mut log = std::fs::File::options().append(true).open(task["log"].as_str().unwrap()).unwrap();
    // Nor does it outlive a test that is killed itself.
    for number in (0_u64..).take_while(|_| getppid() == test) {
        let kind = ["p", "r", "d", "e", "p"][(number % 5) as usize];
        let (openid, kind) = match number {
            0..GRANTED => (format!("{own}-granted"), "p"),
            // What is delayed is overtaken.
            _ if kind == "d" => (format!("{own}-later"), kind),
            _ => (format!("{own}-{}", number % 7), kind),
        };
        let name = format!("{own}-{number:05}-{kind}");
        // A connection may have been cut: then nothing was promised.
        if let Ok(id) = app.queue(&named(&openid, &name, options_of(&name))) {
            log.write_all(format!("{name} {id}\n").as_bytes()).unwrap();
        }
        std::thread::sleep(Duration::from_millis(3));
    }
}

/// A process that may be killed.
enum Victim {
    Queueing(Member),
    Worker(Child),
}

struct Hunt {
    place: Place,
    victims: Vec<Victim>,
    /// Processes that have queued.
    started: usize,
    kills: usize,
    cuts: usize,
}

impl Hunt {
    fn of(place: Place) -> Self {
        Self { place, victims: Vec::new(), started: 0, kills: 0, cuts: 0 }
    }

    fn run(&mut self, kills: usize) {
        std::fs::write(self.place.shop.path("accepted"), "").unwrap();
        for _ in 0..QUEUEING {
            let member = self.queueing();
            self.victims.push(member);
        }
        self.victims.push(self.worker());
        self.kill_at_random(kills);
    }

    fn app(&self) -> App {
        self.place.app(&[("delivery", "worker"), ("timeout_ms", "30000")])
    }

    fn queueing(&mut self) -> Victim {
        let name = format!("m{}", self.started);
        self.started += 1;
        let app = self.app();
        for number in 0..GRANTED {
            let keyed = ReportOptions { key: Some(format!("{name}-{number}")), ..ReportOptions::default() };
            let report = map(&[(DEMO_TEMPLATE, "accept")]);
            answered(|| app.record_grants(&format!("{name}-granted"), &report, &keyed));
        }
        let task = json!({
            "settings": self.place.settings(&[]),
            "name": name,
            "log": self.place.shop.path("accepted"),
        });
        Victim::Queueing(Member::start("queue", &task))
    }

    fn worker(&self) -> Victim {
        let worker = Command::new(env!("CARGO_BIN_EXE_routine-template"))
            .args(["work", "--quiet", "--store", &self.place.store(0)])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Victim::Worker(worker.unwrap())
    }

    fn kill(&mut self, victim: usize) {
        match &mut self.victims[victim] {
            Victim::Queueing(member) => member.kill(),
            Victim::Worker(worker) => {
                assert_eq!(worker.try_wait().unwrap(), None, "a worker that ended by itself");
                worker.kill().unwrap();
                worker.wait().unwrap();
            }
        }
        self.kills += 1;
    }

    fn kill_at_random(&mut self, kills: usize) {
        let mut random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let mut dice = |sides: u32| random.next_u32() % sides;
        while self.kills < kills {
            std::thread::sleep(Duration::from_millis(u64::from(20 + dice(100))));
            // Some are under way for a while, some are tried again, of some nobody knows.
            self.place.shop.fault(SEND, Some(6), FaultKind::Latency { ms: 40 });
            self.place.shop.fault(SEND, Some(1), FaultKind::Errcode { errcode: -1, errmsg: None });
            if dice(10) == 0 {
                self.place.shop.fault(SEND, Some(1), FaultKind::DropAfter);
            }
            if let (Engine::Redis(server), 0) = (&self.place.engine, dice(3)) {
                server.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
                self.cuts += 1;
            }
            let victim = dice(QUEUEING as u32 + 1) as usize;
            self.kill(victim);
            self.victims[victim] = match &self.victims[victim] {
                Victim::Queueing(_) => self.queueing(),
                Victim::Worker(_) => self.worker(),
            };
        }
        (0..QUEUEING).for_each(|victim| self.kill(victim));
        self.place.shop.wechat.clear_faults();
    }

    /// The last worker delivers what is left; then the books are compared.
    fn judge(&mut self) {
        let app = self.app();
        let end = Instant::now() + PATIENCE;
        while answered(|| app.flush(Duration::ZERO)) > 0 && !rests(&app) {
            assert!(Instant::now() < end, "{} does not become empty: {}", self.place.name(), left(&app));
            std::thread::sleep(Duration::from_millis(100));
        }
        self.kill(QUEUEING);
        let record = Record::of(&self.place.shop);
        let log = std::fs::read_to_string(self.place.shop.path("accepted")).unwrap();
        let accepted: BTreeMap<&str, &str> = log.lines().map(|line| line.split_once(' ').unwrap()).collect();
        let mut count: HashMap<String, usize> = HashMap::new();
        let mut wrong = Vec::new();
        for (name, id) in &accepted {
            let state = state(&app, id);
            let fits = match state.as_str() {
                "delivered" => record.times(name) > 0,
                "expired" => record.times(name) == 0 && name.ends_with('e'),
                // One that may be sent again is, until it has been tried too often.
                "unknown" => true,
                // It rests, or one of the same buyer before it does: see above.
                "queued" => true,
                _ => false,
            };
            if !fits {
                wrong.push(format!("{name} {state}, accepted by WeChat {} times", record.times(name)));
            }
            *count.entry(state).or_default() += 1;
        }
        // Those whose process was killed before it could write down the id.
        for name in record.times.keys().filter(|name| !accepted.contains_key(name.as_str())) {
            let state = row_of(&app, name).map(|row| row["state"].as_str().unwrap().to_owned());
            if !matches!(state.as_deref(), Some("delivered" | "unknown")) {
                wrong.push(format!("{name} {state:?}, but WeChat has accepted it"));
            }
        }
        let twice = record.repeated().filter(|name| !name.ends_with('r')).count();
        let of = |state: &str| count.get(state).copied().unwrap_or(0);
        println!(
            "{:<6} | kills {} | cut {} | accepted {} | delivered {} | unknown {} | expired {} | pending {} | lost {} | twice {twice}",
            self.place.name(),
            self.kills,
            self.cuts,
            accepted.len(),
            of("delivered"),
            of("unknown"),
            of("expired"),
            of("queued"),
            wrong.len(),
        );
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert_eq!(twice, 0, "{:?}", record.repeated().collect::<Vec<_>>());
        assert!(of("delivered") > 0, "nothing was tried");
        for (openid, names) in record.lanes.iter().filter(|(openid, _)| !openid.ends_with("later")) {
            assert!(names.is_sorted(), "{openid}: {names:?}");
        }
        (0..self.started).for_each(|member| self.judge_ledger(&app, &format!("m{member}-granted")));
    }

    /// Each message has spent one of the recorded grants, or keeps one reserved if nobody knows.
    fn judge_ledger(&self, app: &App, openid: &str) {
        let filter = Input::Map(vec![(b"openid".into(), Input::text(openid.to_owned()))]);
        let rows = answered(|| app.deliveries(&filter));
        let of = |state: &str| rows.as_array().unwrap().iter().filter(|row| row["state"] == state).count() as u64;
        let (delivered, unknown) = (of("delivered"), of("unknown"));
        assert_eq!(delivered + unknown, rows.as_array().unwrap().len() as u64, "{rows}");
        let ledger = answered(|| app.grants(openid, Some(DEMO_TEMPLATE)));
        let books = ["accepted", "delivered", "reserved", "available", "lost"].map(|column| &ledger[column]);
        let expected = [GRANTED, delivered, unknown, GRANTED - delivered - unknown, 0].map(Value::from);
        assert_eq!(books.map(Clone::clone), expected, "{openid}: accepted, delivered, reserved, available, lost");
    }
}

/// Whether all that is left is to be tried again in some minutes, or waits behind such a message of the same buyer: one that may
/// be sent again was under way in many processes that were killed.
fn rests(app: &App) -> bool {
    let in_state = |state: &'static str| {
        let filter = Input::Map(vec![(b"state".into(), Input::text(state)), (b"limit".into(), Input::Int(1000))]);
        answered(|| app.deliveries(&filter))
    };
    let soon = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64() + 60.0;
    let queued = in_state("queued");
    let queued = queued.as_array().unwrap();
    let resting: HashSet<&Value> =
        queued.iter().filter(|row| row["due"].as_f64().unwrap() > soon).map(|row| &row["openid"]).collect();
    in_state("sending").as_array().unwrap().is_empty()
        && queued.len() < 1000
        && queued.iter().all(|row| resting.contains(&row["openid"]))
}

/// Some of what is left in the outbox.
fn left(app: &App) -> String {
    let rows = ["queued", "sending"].map(|state| app.deliveries(&map(&[("state", state)])).unwrap());
    let some = rows.iter().flat_map(|rows| rows.as_array().unwrap()).take(5);
    some.map(|row| format!("\n{row}")).collect()
}

impl Drop for Hunt {
    fn drop(&mut self) {
        for victim in &mut self.victims {
            if let Victim::Worker(worker) = victim {
                // It may have been killed.
                let _ = worker.kill();
                let _ = worker.wait();
            }
        }
    }
}

#[test]
fn whatever_was_accepted_is_delivered_once_or_reported_whoever_is_killed() {
    let kills = from_environment("QUEUE_KILL_ROUNDS", 30);
    // While the leases of the one run out, the other is hunted.
    let mut hunts: Vec<Hunt> = Place::both(Shop::open_to_all).into_iter().map(Hunt::of).collect();
    hunts.iter_mut().for_each(|hunt| hunt.run(kills));
    hunts.iter_mut().for_each(Hunt::judge);
}
