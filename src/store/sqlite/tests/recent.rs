//! What users answered lately: how long it is kept.

use super::*;
use crate::store::{LedgerRow, PAIRING};

fn tell(store: &SqliteStore, source: Source, choice: Choice, ago: Duration) -> LedgerRow {
    let report = GrantReport {
        appid: APPID,
        openid: "user",
        choices: &[("template", choice)],
        long_term: false,
        source,
        at: Some(now() - code::millis(ago)),
        token: &MessageId::new().to_string(),
        remember: Duration::from_secs(60),
    };
    store.record_grants(&report, soon()).unwrap().rows.remove(0)
}

/// As if everything had been told so long before.
fn age(directory: &Path, by: Duration) {
    let by = code::millis(by);
    let sql = format!(
        "UPDATE recent_answer SET told = told - {by}, accepts = CASE accepts WHEN '' THEN '' ELSE accepts - {by} END,
           expires = expires - {by}"
    );
    tamper(directory, &sql);
}

#[test]
fn what_was_told_before_the_window_has_no_counterpart() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let (nothing, minute) = (Duration::ZERO, Duration::from_secs(60));
    let told = |source| tell(&store, source, Choice::Accept, nothing).accepted;
    assert_eq!(told(Source::Client), 1);
    age(directory.path(), PAIRING - minute);
    assert_eq!(told(Source::Popup), 1, "within it");
    assert_eq!(told(Source::Client), 2);
    age(directory.path(), PAIRING + minute);
    assert_eq!(told(Source::Popup), 3, "over");
    // Told by the push now: nothing remains of what the front end told.
    assert_eq!(told(Source::Client), 3);
}

#[test]
fn a_clock_that_was_set_back_lets_nothing_wait_for_its_counterpart_for_long() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    tell(&store, Source::Client, Choice::Accept, Duration::ZERO);
    tamper(directory.path(), "UPDATE recent_answer SET told = told + 86400000, accepts = accepts + 86400000");
    assert_eq!(tell(&store, Source::Popup, Choice::Accept, Duration::ZERO).accepted, 2);
}

#[test]
fn by_a_clock_that_was_set_back_no_answer_is_later_than_another() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    tell(&store, Source::Client, Choice::Accept, Duration::ZERO);
    let ahead =
        "UPDATE recent_answer SET answered = answered + 300000, told = told + 300000, accepts = accepts + 300000";
    tamper(directory.path(), ahead);
    let row = tell(&store, Source::Popup, Choice::Accept, Duration::ZERO);
    assert_eq!(row.accepted, 1, "its counterpart is there");
    tamper(directory.path(), "UPDATE recent_answer SET answered = answered + 300000, told = told + 300000");
    assert_eq!(tell(&store, Source::Client, Choice::Reject, Duration::ZERO).state, Some(Choice::Reject));
}

#[test]
fn an_answer_is_the_latest_once_the_newer_one_was_told_long_ago() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let minute = Duration::from_secs(60);
    tell(&store, Source::Popup, Choice::Accept, minute);
    age(directory.path(), PAIRING - minute);
    assert_eq!(tell(&store, Source::Popup, Choice::Reject, 2 * minute).state, Some(Choice::Accept));
    age(directory.path(), 2 * minute);
    assert_eq!(tell(&store, Source::Popup, Choice::Reject, 2 * minute).state, Some(Choice::Reject));
}

#[test]
fn what_cannot_be_read_of_it_is_corrupt_until_it_is_over() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    assert_eq!(accept(&store, soon()), Ok(1));
    tamper(directory.path(), "UPDATE recent_answer SET accepts = 'rubbish'");
    assert_eq!(fault(accept(&store, soon())), Some(Fault::Corrupt));
    assert_eq!(accepted(&store), 1, "nothing was done");
    age(directory.path(), PAIRING);
    // Whoever reports takes it away.
    accept_many(&store, "another", soon()).unwrap();
    assert_eq!(accept(&store, soon()), Ok(2));
}
