//! Damaged files, and files of others.

use std::fs;
use std::path::PathBuf;

use rusqlite::Connection;

use super::*;

/// Writes rows, puts them all into `state`, and closes it.
fn filled() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    for number in 0..400 {
        accept_many(&store, &format!("template {number:0>200}"), soon()).unwrap();
    }
    drop(store);
    let tool = Connection::open(directory.path().join("state")).unwrap();
    tool.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    directory
}

fn asides(directory: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().contains("state.corrupt-") && !path.to_str().unwrap().ends_with("-wal"))
        .filter(|path| !path.to_str().unwrap().ends_with("-shm"))
        .collect();
    found.sort();
    found
}

#[test]
fn a_file_that_is_no_database_is_moved_aside_and_reported_once() {
    let directory = tempfile::tempdir().unwrap();
    let rubbish = b"<?php echo 'no database';".repeat(400);
    fs::write(directory.path().join("state"), &rubbish).unwrap();
    assert_eq!(fault(open(directory.path())), Some(Fault::Corrupt));
    let store = open(directory.path()).unwrap();
    assert_eq!(accept(&store, soon()), Ok(1));
    let aside = asides(directory.path());
    assert_eq!(aside.len(), 1);
    assert_eq!(fs::read(&aside[0]).unwrap(), rubbish);
}

#[test]
fn damage_under_an_open_store_is_reported_once_and_the_store_goes_on() {
    let directory = filled();
    let (store, other) = (open(directory.path()).unwrap(), open(directory.path()).unwrap());
    let path = directory.path().join("state");
    let mut bytes = fs::read(&path).unwrap();
    let length = bytes.len();
    bytes[4096..length].fill(0x5a);
    // In place, as a failing disk does it.
    fs::write(&path, &bytes).unwrap();
    let error = accept(&store, soon()).unwrap_err();
    assert!(error.fault == Fault::Corrupt && error.detail.contains("state.corrupt-"), "{error}");
    assert_eq!(accept(&store, soon()), Ok(1));
    assert_eq!(accept(&other, soon()), Ok(2), "nobody else is told, or moves anything");
    assert_eq!(asides(directory.path()).len(), 1);
}

#[test]
fn three_damaged_files_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    for number in 0..5 {
        fs::write(directory.path().join("state"), format!("damaged {number}").repeat(1000)).unwrap();
        assert_eq!(fault(open(directory.path())), Some(Fault::Corrupt));
        open(directory.path()).unwrap();
        // The log holds whole pages and would make good the damage.
        fs::remove_file(directory.path().join("state-wal")).unwrap();
    }
    let kept: Vec<_> = asides(directory.path()).iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    assert_eq!(kept, [2, 3, 4].map(|number| format!("damaged {number}").repeat(1000)));
}

#[test]
fn a_newer_version_is_left_as_it_is() {
    let directory = filled();
    let path = directory.path().join("state");
    let tool = Connection::open(&path).unwrap();
    tool.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA user_version = 99").unwrap();
    drop(tool);
    let before = fs::read(&path).unwrap();
    for _ in 0..2 {
        assert_eq!(fault(open(directory.path())), Some(Fault::TooNew));
    }
    assert_eq!(fs::read(&path).unwrap(), before);
    assert!(asides(directory.path()).is_empty());
}

#[test]
fn another_applications_database_is_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state");
    let tool = Connection::open(&path).unwrap();
    tool.execute_batch("CREATE TABLE guestbook (entry TEXT)").unwrap();
    drop(tool);
    let before = fs::read(&path).unwrap();
    for _ in 0..2 {
        assert_eq!(fault(open(directory.path())), Some(Fault::Corrupt));
    }
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn what_was_written_survives_without_a_close() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    accept(&store, soon()).unwrap();
    // As after kill -9: only the files remain.
    let copy = tempfile::tempdir().unwrap();
    for file in ["state", "state-wal"] {
        fs::copy(directory.path().join(file), copy.path().join(file)).unwrap();
    }
    assert_eq!(accepted(&open(copy.path()).unwrap()), 1);
}

#[test]
fn numbers_that_no_clock_and_no_count_of_ours_wrote_are_no_fault_of_ours() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let owner = Owner::current();
    enqueue(&store, &message(&owner, "user", None));
    let hour = Duration::from_secs(3600);
    let ask = TokenAsk {
        account: APPID,
        account_here: APPID,
        owner: &owner,
        held: 0,
        refused: None,
        force: false,
        lease: hour,
        fresh: hour,
        ended: None,
    };
    let fence = match store.token(&ask, soon()).unwrap() {
        TokenTurn::Fetch { fence, .. } => fence,
        other => panic!("{other:?}"),
    };
    assert!(store.put_token(APPID, fence, "t", hour, hour, soon()).unwrap());
    let editor = Connection::open(directory.path().join("state")).unwrap();
    for number in [i64::MIN, i64::MAX] {
        editor.execute("UPDATE token SET fetched = ?1, renew = ?1, ends = max(?1, ends)", [number]).unwrap();
        assert!(store.token(&ask, soon()).is_ok());
        editor.execute("UPDATE outbox SET due = ?1, wait = 1", [number]).unwrap();
        assert_eq!(store.queues(Some(APPID), soon()).unwrap().len(), 1);
    }
    editor.execute_batch("UPDATE outbox SET due = 0, wait = 2, tries = 4294967295").unwrap();
    editor.execute_batch("UPDATE delivery SET unsure = 4294967295, state = 0").unwrap();
    assert_eq!(claim(&store, 1).jobs, [], "what may have been delivered so often is not sent again");
}
