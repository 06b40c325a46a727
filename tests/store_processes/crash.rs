//! Workers that are killed at any moment. Before each call they write down what they are about to do, and after it what
//! was acknowledged. What was acknowledged must be there; what was under way is there wholly or not at all, and can be
//! repeated without counting twice.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::time::Duration;

use routine_template::config::GrantPolicy;
use routine_template::store::*;

use crate::engine::{Redis, Shared, Sqlite, open};
use crate::pack::Pack;
use crate::shop::{API, APP, DAY, Going, HOUR, Message, TEMPLATE, Verdict, soon};
use crate::work::{Dice, Record};

const WORKERS: usize = 3;
/// One of them is told now and then that he has no grant left.
const USERS: [&str; 3] = ["a", "b", "zero"];
const VERDICTS: [&str; 4] = ["delivered", "not_sent", "unknown", "no_grant"];

fn verdict(name: &str) -> Verdict {
    match name {
        "delivered" => Verdict::delivered(),
        "not_sent" => Verdict::not_sent(),
        "unknown" => Verdict::unknown(),
        _ => Verdict::no_grant(),
    }
}

fn message(id: MessageId, openid: &str, keyed: bool) -> Message {
    Message {
        id,
        owner: Owner::named("boot/ns/1/1"),
        policy: GrantPolicy::Off,
        key: keyed.then(|| format!("order {id}")),
        ..Message::to(openid)
    }
}

/// One side's word of an accept. `side` is `client` or `push`.
fn report(store: &dyn Store, openid: &str, side: &str, token: &str) -> Recorded {
    let choices = [(TEMPLATE, Choice::Accept)];
    let report = GrantReport {
        appid: APP,
        openid,
        choices: &choices,
        long_term: false,
        source: if side == "push" { Source::Popup } else { Source::Client },
        at: None,
        token,
        remember: HOUR,
    };
    store.record_grants(&report, soon()).unwrap()
}

fn begin(store: &dyn Store, message: &Message) -> Going {
    match store.begin(&message.begin(), soon()).unwrap() {
        Begun::Go { id, epoch, grant, seen } => Going { id, epoch, grant, seen },
        other => panic!("{other:?}"),
    }
}

fn finish(store: &dyn Store, message: &Message, going: Going, name: &str) {
    let verdict = verdict(name);
    let msgid = verdict.msgid.is_some().then(|| going.id.to_string());
    store.finish(&message.begin(), going.epoch, &Verdict { msgid, ..verdict }.end(going, message), soon()).unwrap();
}

/// WeChat tells of the arrival.
fn receipt(store: &dyn Store, message: &Message) {
    let msgid = message.id.to_string();
    let receipt = Receipt { appid: APP, shown_openid: &message.openid, msgid: &msgid, text: "success", at: 0 };
    assert_eq!(store.receipt(&receipt, soon()), Ok(Some(message.id)));
}

/// Reports and sends until it is killed. `round` is what this round's users are called by.
pub fn work(place: &str, name: &str, record: &mut Record) {
    let round = name.split('-').next().unwrap();
    let mut dice = Dice::new(name);
    record.ready();
    // A kill may come while it is opened, too.
    let store = open(place);
    loop {
        let user = USERS[dice.roll(3) as usize];
        let openid = format!("{user}-{round}");
        let id = MessageId::new();
        if dice.roll(3) == 0 {
            // Both sides tell of an accept; other workers may come between them.
            let mut sides = ["client", "push"];
            sides.rotate_left(dice.roll(2) as usize);
            for side in sides {
                let id = MessageId::new();
                record.line(format!("report? {id} {openid} {side}"));
                report(store.as_ref(), &openid, side, &id.to_string());
                record.line(format!("report! {id}"));
            }
            continue;
        }
        let message = message(id, &openid, dice.roll(2) == 0);
        record.line(format!("begin? {id} {openid} {}", message.key.is_some()));
        let going = begin(store.as_ref(), &message);
        record.line(format!("begin! {id} {} {:?} {}", going.epoch, going.grant, going.seen));
        let name = VERDICTS[dice.roll(if user == "zero" { 4 } else { 3 }) as usize];
        record.line(format!("finish? {id} {name}"));
        finish(store.as_ref(), &message, going, name);
        record.line(format!("finish! {id}"));
        if name == "delivered" {
            record.line(format!("receipt? {id}"));
            receipt(store.as_ref(), &message);
            record.line(format!("receipt! {id}"));
        }
    }
}

/// What the records say of one message.
struct Sent {
    message: Message,
    /// From the acknowledgement, or from the repeat.
    going: Option<Going>,
    verdict: Option<String>,
    finished: bool,
    /// Whether WeChat told of its arrival, and whether that was acknowledged.
    arrived: Option<bool>,
}

/// What the records say of one side's word of an accept.
struct Accept {
    openid: String,
    side: String,
    acknowledged: bool,
}

/// What the records of a round say.
#[derive(Default)]
struct Told {
    /// By token.
    reports: HashMap<String, Accept>,
    sent: BTreeMap<MessageId, Sent>,
    acknowledged: usize,
}

fn grant(name: &str) -> Grant {
    let all = [Grant::Reserved, Grant::OnCredit, Grant::LongTerm, Grant::Uncounted];
    all.into_iter().find(|grant| format!("{grant:?}") == name).unwrap()
}

impl Told {
    fn read(records: &[Vec<String>]) -> Self {
        let mut told = Self::default();
        for line in records.iter().flatten() {
            told.acknowledged += usize::from(line.contains("! "));
            let words: Vec<&str> = line.split(' ').collect();
            let id: MessageId = words[1].parse().unwrap();
            match words[..] {
                ["report?", token, openid, side] => {
                    let (openid, side) = (openid.to_owned(), side.to_owned());
                    told.reports.insert(token.to_owned(), Accept { openid, side, acknowledged: false });
                }
                ["report!", token] => told.reports.get_mut(token).unwrap().acknowledged = true,
                ["begin?", _, openid, keyed] => {
                    let message = message(id, openid, keyed == "true");
                    told.sent.insert(id, Sent { message, going: None, verdict: None, finished: false, arrived: None });
                }
                ["begin!", _, epoch, name, seen] => {
                    let (epoch, seen) = (epoch.parse().unwrap(), seen.parse().unwrap());
                    told.sent.get_mut(&id).unwrap().going = Some(Going { id, epoch, grant: grant(name), seen });
                }
                ["finish?", _, name] => told.sent.get_mut(&id).unwrap().verdict = Some(name.to_owned()),
                ["finish!", _] => told.sent.get_mut(&id).unwrap().finished = true,
                ["receipt?", _] => told.sent.get_mut(&id).unwrap().arrived = Some(false),
                ["receipt!", _] => told.sent.get_mut(&id).unwrap().arrived = Some(true),
                _ => panic!("what is {line:?}?"),
            }
        }
        told
    }

    /// The books of one user as far as they are certain: accepted and delivered at least, reserved at least and at most.
    fn acknowledged_of(&self, openid: &str) -> [u64; 4] {
        let mut books = [0, 0, 0, 0];
        let [accepted, delivered, least, most] = &mut books;
        let told_by = |side: &str| {
            let reports = self.reports.values().filter(|report| report.acknowledged && report.openid == openid);
            reports.filter(|report| report.side == side).count() as u64
        };
        // An accept of which both have told is one.
        *accepted += told_by("client").max(told_by("push"));
        let (mut reserved, mut settled, mut settling, mut beginning) = (0, 0, 0, 0);
        for sent in self.sent.values().filter(|sent| sent.message.openid == openid) {
            let Some(going) = sent.going else {
                beginning += 1;
                continue;
            };
            let is_delivered = sent.verdict.as_deref() == Some("delivered");
            let gives_back = is_delivered || sent.verdict.as_deref() == Some("not_sent");
            if going.grant == Grant::Reserved {
                reserved += 1;
                settled += u64::from(sent.finished && gives_back);
                settling += u64::from(!sent.finished && gives_back);
            }
            if sent.finished && is_delivered && going.grant != Grant::Uncounted {
                *delivered += 1;
                *accepted += u64::from(going.grant == Grant::OnCredit);
            }
        }
        *least = reserved - settled - settling;
        *most = reserved - settled + beginning;
        books
    }

    /// Acknowledged messages whose row is not as it was acknowledged.
    fn lost_rows(&self, store: &dyn Store) -> usize {
        let is_there = |(id, sent): &(&MessageId, &Sent)| {
            let row = store.delivery(APP, **id, soon()).unwrap();
            let state = row.as_ref().map(|row| row.state);
            let ended = sent.verdict.as_deref().map(|name| verdict(name).state);
            let has_receipt = row.as_ref().is_some_and(|row| row.receipt.is_some());
            if sent.arrived.map_or(has_receipt, |acknowledged| acknowledged && !has_receipt) {
                return false;
            }
            match (sent.going, sent.finished) {
                (Some(_), true) => state == ended,
                (Some(_), false) => state == Some(State::Sending) || (ended.is_some() && state == ended),
                (None, _) => state.is_none_or(|state| state == State::Sending),
            }
        };
        self.sent.iter().filter(|sent| !is_there(sent)).count()
    }

    /// Does again what was under way when its worker was killed.
    fn repeat(&mut self, store: &dyn Store) -> usize {
        let mut repeated = 0;
        for (token, told) in &mut self.reports {
            if !std::mem::replace(&mut told.acknowledged, true) {
                report(store, &told.openid, &told.side, token);
                repeated += 1;
            }
        }
        for sent in self.sent.values_mut() {
            if sent.going.is_none() {
                sent.going = Some(begin(store, &sent.message));
                repeated += 1;
            }
            if let (Some(going), Some(name), false) = (sent.going, &sent.verdict, sent.finished) {
                finish(store, &sent.message, going, name);
                sent.finished = true;
                repeated += 1;
            }
            if sent.arrived == Some(false) {
                receipt(store, &sent.message);
                sent.arrived = Some(true);
                repeated += 1;
            }
        }
        repeated
    }
}

#[derive(Debug, Default)]
struct Tally {
    rounds: usize,
    kills: usize,
    acknowledged: usize,
    repeated: usize,
    lost: usize,
    calls: u64,
}

fn rows(store: &dyn Store, round: usize) -> Vec<(&'static str, String, LedgerRow)> {
    USERS
        .into_iter()
        .map(|user| {
            let openid = format!("{user}-{round}");
            let rows = store.grants(APP, &openid, Some(TEMPLATE), soon()).unwrap();
            let row = rows.into_iter().next().map(|(_, row)| row).unwrap_or_default();
            assert_eq!(row.available + row.delivered + row.reserved + row.lost, row.accepted, "the books: {row:?}");
            (user, openid, row)
        })
        .collect()
}

fn one_round(engine: &dyn Shared, store: &dyn Store, round: usize, tally: &mut Tally) {
    let names = (0..WORKERS).map(|worker| format!("crash {round}-{worker}"));
    let pack = Pack::start(engine, names);
    // Some are killed while they open the store, most while they work.
    if !round.is_multiple_of(4) {
        pack.wait_for(|text| text.contains("! "));
    }
    std::thread::sleep(Duration::from_micros(Dice::new(&round.to_string()).roll(40_000)));
    let mut told = Told::read(&pack.kill());
    tally.rounds += 1;
    tally.kills += WORKERS;
    tally.acknowledged += told.acknowledged;
    tally.lost += told.lost_rows(store);
    for (user, openid, row) in rows(store, round) {
        let [accepted, delivered, least, most] = told.acknowledged_of(&openid);
        tally.lost += accepted.saturating_sub(row.accepted) as usize;
        tally.lost += delivered.saturating_sub(row.delivered) as usize;
        if user != "zero" {
            assert!((least..=most).contains(&row.reserved), "{row:?}, reserved {least} to {most}");
        }
    }
    tally.repeated += told.repeat(store);
    tally.lost += told.lost_rows(store);
    for (user, openid, row) in rows(store, round) {
        let [accepted, delivered, reserved, _] = told.acknowledged_of(&openid);
        if user != "zero" {
            let books = (row.accepted, row.delivered, row.reserved, row.lost);
            assert_eq!(books, (accepted, delivered, reserved, 0), "{openid} in round {round}");
        }
    }
    tally.calls += told.sent.values().filter(|sent| sent.finished).count() as u64;
    assert_eq!(store.usage(APP, API, DAY, soon()).unwrap().calls, tally.calls, "calls after round {round}");
    assert_eq!(tally.lost, 0, "round {round}: {tally:?}");
}

fn killed_workers_lose_nothing(engine: &dyn Shared, name: &str) {
    let rounds = std::env::var("STORE_KILL_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(300);
    let store = engine.open();
    // So that everything is counted from the first message on.
    report(store.as_ref(), "somebody", "client", "first");
    let mut tally = Tally::default();
    for round in 0..rounds {
        one_round(engine, store.as_ref(), round, &mut tally);
    }
    for round in 0..rounds {
        rows(store.as_ref(), round);
    }
    let Tally { rounds, kills, acknowledged, repeated, lost, .. } = tally;
    println!("{name}: {rounds} rounds, {kills} kills, {acknowledged} acknowledged, {repeated} under way, {lost} lost");
    assert!(acknowledged > 0 && repeated > 0, "nothing was tried");
}

#[test]
fn sqlite() {
    let place = Sqlite::fresh();
    killed_workers_lose_nothing(&place, "SQLite");
    assert_eq!(integrity(&place.directory().join("state")), "ok");
}

fn integrity(file: &Path) -> String {
    let connection = rusqlite::Connection::open(file).unwrap();
    connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap()
}

#[test]
fn redis() {
    killed_workers_lose_nothing(&Redis::fresh(), "Redis");
}
