//! Races that one process of many wins, or in which nobody may get in another's way.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::time::{Duration, Instant};

use routine_template::config::GrantPolicy;
use routine_template::store::*;

use crate::engine::{Shared, open};
use crate::pack::Pack;
use crate::shop::{API, APP, DAY, Going, HOUR, Message, TEMPLATE, Verdict, soon};
use crate::work::{Dice, Record};

on_both_engines!(
    each_grant_is_given_once,
    one_key_is_sent_once,
    no_report_is_lost_or_counted_twice,
    an_accept_counts_once_whichever_processes_tell_of_it,
    one_fetches_at_a_time,
    a_newer_token_stays_whoever_comes_late,
);

const PROCESSES: [usize; 2] = [8, 32];
const GRANTS: usize = 40;
const REPORTS: usize = 20;
/// Processes of each side that tell of the same accepts, and how many each tells: one side may be ahead by all of them.
const TELLERS: usize = 4;
const TOLD: usize = UNPAIRED_LIMIT / TELLERS;

/// Keeps trying until one has the time.
const RACE: Duration = Duration::from_millis(1500);

fn accept(store: &dyn Store, openid: &str, token: &str) -> Recorded {
    accept_told_by(store, Source::Client, openid, token)
}

fn accept_told_by(store: &dyn Store, source: Source, openid: &str, token: &str) -> Recorded {
    let choices = [(TEMPLATE, Choice::Accept)];
    let report = GrantReport {
        appid: APP,
        openid,
        choices: &choices,
        long_term: false,
        source,
        at: None,
        token,
        remember: HOUR,
    };
    store.record_grants(&report, soon()).unwrap()
}

fn row(store: &dyn Store) -> LedgerRow {
    let rows = store.grants(APP, "user", Some(TEMPLATE), soon()).unwrap();
    let row = rows.into_iter().next().unwrap().1;
    assert_eq!(row.available + row.delivered + row.reserved + row.lost, row.accepted, "the books: {row:?}");
    row
}

/// Takes grants until there are none.
pub fn take(place: &str, record: &mut Record) {
    let store = open(place);
    record.ready();
    loop {
        let message = Message::to("user").with_policy(GrantPolicy::Strict);
        match store.begin(&message.begin(), soon()).unwrap() {
            Begun::Go { id, grant: Grant::Reserved, .. } => record.line(id.to_string()),
            Begun::NoGrant { certain: false, .. } => return,
            other => panic!("{other:?}"),
        }
    }
}

fn each_grant_is_given_once(engine: &dyn Shared) {
    let store = engine.open();
    let mut given = 0;
    for processes in PROCESSES {
        for _ in 0..GRANTS {
            accept(store.as_ref(), "user", &MessageId::new().to_string());
        }
        let records = Pack::start(engine, vec!["take".to_owned(); processes]).finish();
        let ids: Vec<_> = records.into_iter().flatten().collect();
        assert_eq!(ids.len(), GRANTS, "{processes} processes");
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), GRANTS);
        given += GRANTS as u64;
        let row = row(store.as_ref());
        assert_eq!((row.available, row.reserved), (0, given));
    }
}

/// Sends one message by its key, or sees it sent.
pub fn send(place: &str, record: &mut Record) {
    let store = open(place);
    record.ready();
    let message = Message::keyed("user", "order 1");
    let deadline = soon();
    while Instant::now() < deadline {
        match store.begin(&message.begin(), soon()).unwrap() {
            Begun::Go { id, epoch, grant, seen } => {
                record.line(format!("go {id}"));
                std::thread::sleep(Duration::from_millis(30));
                let going = Going { id, epoch, grant, seen };
                store.finish(&message.begin(), epoch, &Verdict::delivered().end(going, &message), soon()).unwrap();
                return;
            }
            Begun::UnderWay(row, _) => {
                record.line(format!("under_way {}", row.id));
                std::thread::sleep(Duration::from_millis(1));
            }
            Begun::Known(row) => {
                assert_eq!(row.state, State::Delivered);
                return record.line(format!("known {}", row.id));
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("the message is under way for ever");
}

fn one_key_is_sent_once(engine: &dyn Shared) {
    let store = engine.open();
    accept(store.as_ref(), "user", "token");
    let records = Pack::start(engine, vec!["send".to_owned(); 32]).finish();
    let mut seen: HashMap<&str, Vec<&str>> = HashMap::new();
    for line in records.iter().flatten() {
        let (what, id) = line.split_once(' ').unwrap();
        seen.entry(what).or_default().push(id);
    }
    let [id] = seen["go"][..] else { panic!("sent by {:?}", seen["go"]) };
    assert_eq!(seen["known"].len(), 31);
    assert!(seen.values().flatten().all(|other| *other == id), "{seen:?}");
    let row = row(store.as_ref());
    assert_eq!((row.accepted, row.delivered, row.reserved), (1, 1, 0));
    assert_eq!(store.usage(APP, API, DAY, soon()).unwrap().calls, 1);
    let rows = store.deliveries(APP, &Filter { limit: 10, ..Filter::default() }, soon()).unwrap();
    assert_eq!(rows.iter().map(|row| row.id.to_string()).collect::<Vec<_>>(), [id]);
}

/// Reports with tokens of its own, and with such as others use, too.
pub fn report(place: &str, own: &str, record: &mut Record) {
    record.ready();
    let store = open(place);
    for number in 0..REPORTS {
        assert!(!accept(store.as_ref(), "user", &format!("{own} {number}")).duplicate);
        if !accept(store.as_ref(), "user", &format!("shared {number}")).duplicate {
            record.line(number.to_string());
        }
    }
}

fn no_report_is_lost_or_counted_twice(engine: &dyn Shared) {
    let mut accepted = 0;
    for processes in PROCESSES {
        // Nobody has opened the place before: the first who comes makes it.
        let names = (0..processes).map(|worker| format!("report {processes}-{worker}"));
        let records = Pack::start(engine, names).finish();
        let mut first: Vec<_> = records.into_iter().flatten().collect();
        first.sort();
        let of_this_run = if accepted == 0 { REPORTS } else { 0 };
        assert_eq!(first.len(), of_this_run, "each shared one is new to one process");
        first.dedup();
        assert_eq!(first.len(), of_this_run);
        accepted += processes * REPORTS + of_this_run;
        let row = row(engine.open().as_ref());
        assert_eq!((row.accepted, row.available), (accepted as u64, accepted as u64), "{processes} processes");
    }
}

/// Tells one side's word of some accepts, with a token for each.
pub fn tell(place: &str, source: Source, own: &str, record: &mut Record) {
    let store = open(place);
    record.ready();
    for number in 0..TOLD {
        assert!(!accept_told_by(store.as_ref(), source, "user", &format!("{own} {number}")).duplicate);
    }
}

fn an_accept_counts_once_whichever_processes_tell_of_it(engine: &dyn Shared) {
    let store = engine.open();
    for round in 1..=5 {
        let names = (0..2 * TELLERS).map(|worker| {
            let side = if worker % 2 == 0 { "client" } else { "push" };
            format!("tell {side} {round}-{worker}")
        });
        Pack::start(engine, names).finish();
        assert_eq!(row(store.as_ref()).accepted, (round * TELLERS * TOLD) as u64, "round {round}");
    }
}

/// Wants a token all the time. With a lock, the lease is long and the lock must be free; without, the lease is shorter
/// than some fetches take.
pub fn fetch(place: &str, lock: Option<&str>, record: &mut Record) {
    let store = open(place);
    let owner = Owner::current();
    let mut dice = Dice::new(owner.as_str());
    record.ready();
    let end = Instant::now() + RACE;
    let mut newest = 0;
    while Instant::now() < end {
        let ask = TokenAsk {
            account: "account",
            account_here: "account here",
            owner: &owner,
            held: newest,
            refused: None,
            force: false,
            lease: if lock.is_some() { HOUR } else { Duration::from_millis(4) },
            fresh: Duration::ZERO,
            ended: None,
        };
        match store.token(&ask, soon()).unwrap() {
            TokenTurn::Token(token) => {
                assert_eq!(token.token.reveal(), format!("token {}", token.fence));
                assert!(token.fence >= newest, "{} after {newest}", token.fence);
                newest = token.fence;
            }
            TokenTurn::Fetch { fence, .. } => {
                assert!(fence > newest, "{fence} after {newest}");
                record.line(format!("fetch {fence}"));
                if let Some(lock) = lock {
                    File::create_new(lock).expect("somebody else is fetching");
                }
                std::thread::sleep(Duration::from_micros(dice.roll(8000)));
                if let Some(lock) = lock {
                    std::fs::remove_file(lock).unwrap();
                }
                let (renew_in, ends_in) = (Duration::from_millis(3), Duration::from_millis(200));
                let token = format!("token {fence}");
                let stored = store.put_token("account", fence, &token, renew_in, ends_in, soon()).unwrap();
                record.line(format!("{} {fence}", if stored { "stored" } else { "late" }));
            }
            TokenTurn::Busy { .. } => {}
            other => panic!("{other:?}"),
        }
        std::thread::sleep(Duration::from_micros(dice.roll(1000)));
    }
}

/// The fences that were told, stored and too late.
fn fences(records: &[Vec<String>]) -> [Vec<u64>; 3] {
    ["fetch ", "stored ", "late "].map(|word| {
        let lines = records.iter().flatten().filter_map(|line| line.strip_prefix(word));
        let mut fences: Vec<u64> = lines.map(|fence| fence.parse().unwrap()).collect();
        fences.sort_unstable();
        fences
    })
}

fn one_fetches_at_a_time(engine: &dyn Shared) {
    let directory = tempfile::tempdir().unwrap();
    let task = format!("fetch {}", directory.path().join("lock").display());
    for processes in PROCESSES {
        let records = Pack::start(engine, vec![task.clone(); processes]).finish();
        let [told, stored, late] = fences(&records);
        assert!(told.len() > 1, "{told:?}");
        assert!(told.windows(2).all(|pair| pair[0] < pair[1]), "a fence was told twice");
        assert_eq!((told, late), (stored, vec![]));
    }
}

fn a_newer_token_stays_whoever_comes_late(engine: &dyn Shared) {
    for processes in PROCESSES {
        let records = Pack::start(engine, vec!["steal".to_owned(); processes]).finish();
        let [told, stored, late] = fences(&records);
        assert!(told.windows(2).all(|pair| pair[0] < pair[1]), "a fence was told twice");
        assert_eq!(told.len(), stored.len() + late.len());
        let newest = *stored.last().unwrap();
        assert!(late.iter().all(|late| *late < newest), "{late:?} {newest}");
        assert!(!late.is_empty(), "nobody came late: the race was none");
    }
}
