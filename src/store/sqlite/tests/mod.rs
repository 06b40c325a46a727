//! What is special to SQLite: files, owners, locks, damage, space. What every engine does is tested in `tests/store`.
#![allow(clippy::print_stderr, reason = "a test that cannot run here says why")]

mod child;
mod damage;
mod files;
mod locks;
mod plans;
mod space;

use std::path::Path;
use std::time::{Duration, Instant};

use super::*;
use crate::store::{Choice, Fault};

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
        token: &MessageId::new().to_string(),
        remember: Duration::from_secs(60),
    };
    store.record_grants(&report, until).map(|recorded| recorded.rows[0].accepted)
}

fn accepted(store: &SqliteStore) -> u64 {
    store.grants(APPID, "user", Some("template"), soon()).unwrap().first().map_or(0, |(_, row)| row.accepted)
}

fn fault<T>(outcome: Result<T, StoreError>) -> Option<Fault> {
    outcome.err().map(|error| error.fault)
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}
