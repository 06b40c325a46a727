//! Workers that are killed at any moment. Before each call they write down what they are about to do, and after it what
//! was acknowledged. What was acknowledged must be there; what was under way is there wholly or not at all, and can be
//! repeated without counting twice.

use std::path::Path;
use std::time::{Duration, Instant};

use routine_template::config::GrantPolicy;
use routine_template::store::*;

use crate::engine::{Redis, Shared, Sqlite, open};
use crate::pack::Pack;
use crate::shop::{API, APP, DAY, Going, HOUR, Message, TEMPLATE, Verdict, soon};
use crate::told::Told;
use crate::work::{Dice, Record};

const WORKERS: usize = 3;
/// One of them is told now and then that he has no grant left.
const USERS: [&str; 3] = ["a", "b", "zero"];
const VERDICTS: [&str; 4] = ["delivered", "not_sent", "unknown", "no_grant"];

pub fn verdict(name: &str) -> Verdict {
    match name {
        "delivered" => Verdict::delivered(),
        "not_sent" => Verdict::not_sent(),
        "unknown" => Verdict::unknown(),
        _ => Verdict::no_grant(),
    }
}

pub fn message(id: MessageId, openid: &str, keyed: bool) -> Message {
    Message {
        id,
        owner: Owner::named("boot/ns/1/1"),
        policy: GrantPolicy::Off,
        key: keyed.then(|| format!("order {id}")),
        ..Message::to(openid)
    }
}

/// What a call answers that does nothing twice: on a very busy machine it may be late, and is repeated.
pub fn patiently<T>(call: impl Fn() -> Result<T, StoreError>) -> T {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        match call() {
            Err(error) if error.fault == Fault::Timeout && Instant::now() < end => {}
            answer => return answer.unwrap(),
        }
    }
}

/// One side's word of an accept. `side` is `client` or `push`.
pub fn report(store: &dyn Store, openid: &str, side: &str, token: &str) -> Recorded {
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
    patiently(|| store.record_grants(&report, soon()))
}

pub fn begin(store: &dyn Store, message: &Message) -> Going {
    match store.begin(&message.begin(), soon()).unwrap() {
        Begun::Go { id, epoch, grant, seen } => Going { id, epoch, grant, seen },
        other => panic!("{other:?}"),
    }
}

pub fn finish(store: &dyn Store, message: &Message, going: Going, name: &str) {
    let verdict = verdict(name);
    let msgid = verdict.msgid.is_some().then(|| going.id.to_string());
    store.finish(&message.begin(), going.epoch, &Verdict { msgid, ..verdict }.end(going, message), soon()).unwrap();
}

/// WeChat tells of the arrival.
pub fn receipt(store: &dyn Store, message: &Message) {
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

/// `STORE_KILL_ROUNDS`, where it asks for a longer hunt.
pub fn rounds(usual: usize) -> usize {
    std::env::var("STORE_KILL_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
}

fn killed_workers_lose_nothing(engine: &dyn Shared, name: &str) {
    let rounds = rounds(300);
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
