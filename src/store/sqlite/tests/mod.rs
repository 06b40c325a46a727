//! What is special to SQLite: files, owners, locks, damage, space. What every engine does is tested in `tests/store`.
#![allow(clippy::print_stderr, reason = "a test that cannot run here says why")]

mod child;
mod damage;
mod files;
mod locks;
mod migration;

mod plans;
mod recent;
mod space;
mod waiting;

use std::path::Path;
use std::time::{Duration, Instant};

use super::*;
use crate::config::{GrantPolicy, Secret};
use crate::message::Channel;
use crate::store::{Choice, Fault, Job, Settlement, Source, State};

const APPID: &str = "wx1";

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

fn open(directory: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(directory, Durability::Process, soon())
}

/// A small write, and how many accepts there are after it.
fn accept(store: &SqliteStore, until: Instant) -> Result<u64, StoreError> {
    accept_many(store, "template", until)
}

fn accept_many(store: &SqliteStore, template: &str, until: Instant) -> Result<u64, StoreError> {
    let report = GrantReport {
        appid: APPID,
        openid: "user",
        choices: &[(template, Choice::Accept)],
        long_term: false,
        source: Source::Client,
        at: None,
        token: &MessageId::new().to_string(),
        remember: Duration::from_secs(60),
    };
    store.record_grants(&report, until).map(|recorded| recorded.rows[0].accepted)
}

fn accepted(store: &SqliteStore) -> u64 {
    store.grants(APPID, "user", Some("template"), soon()).unwrap().first().map_or(0, |(_, row)| row.accepted)
}

/// A message to a user, with a key or without.
fn message<'a>(owner: &'a Owner, openid: &'a str, key: Option<&'a str>) -> Begin<'a> {
    Begin {
        id: MessageId::new(),
        owner,
        lease: Duration::from_secs(60),
        appid: APPID,
        openid,
        shown_openid: openid,
        template_id: "template",
        channel: Channel::Subscribe,
        key,
        policy: GrantPolicy::Certain,
        changed: None,
        payload: None,
        retention: Duration::from_secs(600),
        abandoned: None,
        queued: false,
    }
}

/// Queues it, to be sent at once.
fn enqueue(store: &SqliteStore, begin: &Begin<'_>) -> MessageId {
    let sender = Sender { version: "1".to_owned(), settings: Secret::new("{}".to_owned()) };
    let parcel = Parcel {
        body: &[b'x'; 600],
        delay: Duration::ZERO,
        expires: Duration::from_secs(600),
        timeout: Duration::from_secs(60),
        resend_unknown: false,
        sender: &sender,
    };
    match store.enqueue(begin, &parcel, soon()).unwrap() {
        Enqueued::Queued(id) => id,
        known => panic!("{known:?}"),
    }
}

fn claim(store: &SqliteStore, limit: usize) -> Claimed {
    let owner = Owner::current();
    let claim = Claim {
        id: MessageId::new(),
        owner: &owner,
        appid: APPID,
        channel: Channel::Subscribe,
        limit,
        margin: Duration::ZERO,
        retention: Duration::from_secs(600),
    };
    store.claim(&claim, soon()).unwrap()
}

fn delivered<'a>(grant: crate::store::Grant) -> End<'a> {
    End {
        state: State::Delivered,
        last_word: true,
        settlement: Settlement::Spent,
        grant,
        errcode: Some(0),
        from_wechat: true,
        errmsg: "ok",
        msgid: Some("1"),
        rid: None,
        attempts: 1,
        api: Channel::Subscribe.path(),
        day: 20_261_121,
        pause: None,
        again: None,
    }
}

/// The message of a job, for `finish`.
fn of_job<'a>(owner: &'a Owner, job: &'a Job) -> Begin<'a> {
    Begin { id: job.id, queued: true, ..message(owner, &job.openid, job.key.as_deref()) }
}

/// Writes past the store, as whoever damages it does.
fn tamper(directory: &Path, sql: &str) {
    let tool = Connection::open(directory.join("state")).unwrap();
    tool.execute_batch(sql).unwrap();
}

fn state(store: &SqliteStore, id: MessageId) -> State {
    store.delivery(APPID, id, soon()).unwrap().unwrap().state
}

fn fault<T>(outcome: Result<T, StoreError>) -> Option<Fault> {
    outcome.err().map(|error| error.fault)
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}
