//! The outbox in its file: what cannot be read, what a batch survives, what is written.

use std::fs;

use super::*;
use crate::store::Grant;

fn queued(store: &SqliteStore, users: &[&str]) -> Vec<MessageId> {
    let owner = Owner::current();
    users.iter().map(|user| enqueue(store, &message(&owner, user, None))).collect()
}

#[test]
fn what_cannot_be_read_is_set_aside_and_holds_up_nothing() {
    for damage in [
        "UPDATE delivery SET template = 99 WHERE openid = 'user'",
        "UPDATE delivery SET seen = -1 WHERE openid = 'user'",
        "UPDATE delivery SET gives_up = 'soon' WHERE openid = 'user'",
        "UPDATE outbox SET policy = 99 WHERE due IS NOT NULL AND openid = 'user'",
        "UPDATE outbox SET tries = -1 WHERE due IS NOT NULL AND openid = 'user'",
        "UPDATE outbox SET body = 'text' WHERE due IS NOT NULL AND openid = 'user'",
        "UPDATE delivery SET openid = CAST(x'ff' AS TEXT) WHERE openid = 'user'",
        "DELETE FROM delivery WHERE openid = 'user'",
    ] {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path()).unwrap();
        let first = queued(&store, &["user"])[0];
        tamper(directory.path(), damage);
        let others = queued(&store, &["user", "another"]);
        let claimed = claim(&store, 256);
        assert_eq!(claimed.ended, [(first, State::NotSent)], "{damage}");
        let jobs: Vec<_> = claimed.jobs.iter().map(|job| job.id).collect();
        assert!(others.iter().all(|id| jobs.contains(id)) && jobs.len() == 2, "{damage}: {jobs:?}");
        assert_eq!(claim(&store, 256), Claimed::default());
        assert_eq!(store.pending(APPID, soon()), Ok(2), "{damage}");
    }
}

#[test]
fn what_cannot_be_read_after_its_lease_may_have_arrived() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let id = queued(&store, &["user"])[0];
    assert_eq!(claim(&store, 1).jobs.len(), 1);
    tamper(directory.path(), "UPDATE outbox SET due = 1, policy = 99; UPDATE delivery SET lease = 1");
    assert_eq!(claim(&store, 1).ended, [(id, State::Unknown)]);
}

#[test]
fn what_was_set_aside_has_had_its_last_word() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let owner = Owner::current();
    let begin = message(&owner, "user", Some("order 1"));
    enqueue(&store, &begin);
    tamper(directory.path(), "UPDATE outbox SET policy = 99");
    assert_eq!(claim(&store, 1).ended, [(begin.id, State::NotSent)]);
    let again = message(&owner, "user", Some("order 1"));
    assert!(matches!(store.begin(&again, soon()), Ok(Begun::Known(row)) if row.state == State::NotSent));
}

#[test]
fn a_row_of_the_outbox_without_a_waiting_message_is_taken_away() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let id = queued(&store, &["user"])[0];
    tamper(directory.path(), "UPDATE delivery SET outbox = 2, state = 1");
    assert_eq!(claim(&store, 10), Claimed::default());
    assert_eq!((state(&store, id), store.pending(APPID, soon())), (State::Delivered, Ok(0)));
}

#[test]
fn a_message_of_a_batch_that_fails_takes_no_other_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let owner = Owner::current();
    let former = message(&owner, "user", Some("damaged"));
    store.begin(&former, soon()).unwrap();
    tamper(directory.path(), "UPDATE delivery SET channel = 99 WHERE key = 'damaged'");
    let begins = [
        message(&owner, "user", Some("1")),
        message(&owner, "user", Some("damaged")),
        message(&owner, "user", Some("2")),
    ];
    assert_eq!(fault(store.begin_all(&begins, soon())), Some(Fault::Corrupt));
    for begin in [&begins[0], &begins[2]] {
        assert_eq!(state(&store, begin.id), State::Sending);
    }
    let end = delivered(Grant::Uncounted);
    let ends: Vec<_> = begins.iter().map(|begin| (begin, 1, &end)).collect();
    assert_eq!(fault(store.finish_all(&ends, soon())), Some(Fault::Corrupt));
    for begin in [&begins[0], &begins[2]] {
        assert_eq!(state(&store, begin.id), State::Delivered);
    }
}

/// The clock was an hour ahead until now.
const CLOCK_SET_BACK: &str = "UPDATE outbox SET place = place + 3600000 WHERE place > 0;
    UPDATE outbox SET due = due + 3600000 WHERE due IS NOT NULL;
    UPDATE delivery SET due = due + 3600000, lease = lease + 3600000";

#[test]
fn what_is_due_at_once_is_so_even_if_the_clock_is_set_back() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let former = queued(&store, &["user", "another"]);
    tamper(directory.path(), CLOCK_SET_BACK);
    let later = queued(&store, &["user", "third"]);
    let jobs: Vec<_> = claim(&store, 256).jobs.iter().map(|job| job.id).collect();
    assert_eq!(jobs, [later[0], later[1], former[1]], "by when they were first due");
}

#[test]
fn what_is_tried_again_stays_the_first_even_if_the_clock_is_set_back() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let first = queued(&store, &["user"])[0];
    let job = claim(&store, 1).jobs.remove(0);
    tamper(directory.path(), CLOCK_SET_BACK);
    let next = queued(&store, &["user"])[0];
    assert_eq!(claim(&store, 10), Claimed::default());
    let owner = Owner::current();
    let again = End { again: Some(Duration::ZERO), ..delivered(job.grant) };
    store.finish(&of_job(&owner, &job), job.epoch, &again, soon()).unwrap();
    let job = claim(&store, 10).jobs.remove(0);
    assert_eq!(job.id, first);
    store.finish(&of_job(&owner, &job), job.epoch, &delivered(job.grant), soon()).unwrap();
    assert_eq!(claim(&store, 10).jobs[0].id, next);
}

/// Pages that a call adds to the log.
fn pages<T>(directory: &Path, call: impl FnOnce() -> T) -> u64 {
    let length = || fs::metadata(directory.join("state-wal")).unwrap().len();
    let before = length();
    call();
    (length() - before) / (4096 + 24)
}

#[test]
fn queueing_writes_a_page_of_each_table_and_index() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let owner = Owner::current();
    let users: Vec<_> = (0..400).map(|number| format!("user {number}")).collect();
    queued(&store, &users.iter().map(String::as_str).collect::<Vec<_>>());
    // delivery, openid, expires, [key,] outbox, due; more whenever one of them is split.
    for (key, pages_each) in [(None, 5), (Some("key"), 6)] {
        let least = (0..50).map(|number| {
            let (user, key) = (format!("new {number} {key:?}"), key.map(|key| format!("{key} {number}")));
            let begin = message(&owner, &user, key.as_deref());
            pages(directory.path(), || enqueue(&store, &begin))
        });
        assert_eq!(least.min(), Some(pages_each), "key {key:?}");
    }
}

#[test]
fn a_message_that_is_sent_at_once_writes_five_pages() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let owner = Owner::current();
    let end = delivered(Grant::Uncounted);
    let send = |begin: &Begin<'_>| {
        let begun = pages(directory.path(), || store.begin(begin, soon()).unwrap());
        (begun, pages(directory.path(), || store.finish(begin, 1, &end, soon()).unwrap()))
    };
    send(&message(&owner, "user", None));
    // delivery, openid, expires; then delivery, calls.
    assert_eq!(send(&message(&owner, "user", None)), (3, 2));
    assert_eq!(send(&message(&owner, "user", Some("key"))), (4, 2));
}
