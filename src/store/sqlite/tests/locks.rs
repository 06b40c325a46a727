//! Others who hold it, or take its files away.

use std::fs;
use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rusqlite::Connection;

use super::child::{spawn, wait_for};
use super::*;

fn shortly() -> Instant {
    Instant::now() + Duration::from_millis(100)
}

#[test]
fn a_stopped_holder_of_the_gate_costs_a_caller_his_deadline_only() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let mut holder = spawn("hold the gate", directory.path(), "", None);
    wait_for(&directory.path().join("held"));
    let pid = Pid::from_raw(holder.id().try_into().unwrap());
    kill(pid, Signal::SIGSTOP).unwrap();
    let before = Instant::now();
    assert_eq!(fault(accept(&store, shortly())), Some(Fault::Timeout));
    assert_eq!(fault(store.grants(APPID, "user", None, shortly())), Some(Fault::Timeout));
    assert_eq!(fault(SqliteStore::open(directory.path(), Durability::Process, shortly())), Some(Fault::Timeout));
    assert!(before.elapsed() < Duration::from_secs(5), "the holder would have slept for a minute");
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert_eq!(accept(&store, soon()), Ok(1));
}

#[test]
fn another_thread_in_the_store_costs_a_caller_his_deadline_only() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let held = store.database.lock();
    thread::scope(|scope| {
        let waited = scope.spawn(|| fault(accept(&store, shortly())));
        assert_eq!(waited.join().unwrap(), Some(Fault::Timeout));
    });
    drop(held);
    assert_eq!(accept(&store, soon()), Ok(1));
}

#[test]
fn who_writes_past_the_gate_costs_a_caller_his_deadline_only() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let tool = Connection::open(directory.path().join("state")).unwrap();
    tool.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(fault(accept(&store, shortly())), Some(Fault::Timeout));
    assert_eq!(accepted(&store), 0, "reading goes on");
    tool.execute_batch("ROLLBACK").unwrap();
    assert_eq!(accept(&store, soon()), Ok(1));
}

#[test]
fn a_statement_ends_with_the_deadline() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let endless = "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n) SELECT count(*) FROM n";
    for access in [Access::Read, Access::Write] {
        let count = store
            .run(access, Durability::Process, shortly(), |db| db.query_row(endless, [], |row| row.get::<_, i64>(0)));
        assert_eq!(fault(count), Some(Fault::Timeout));
    }
    assert_eq!(accept(&store, soon()), Ok(1));
}

#[test]
fn a_gate_that_was_replaced_still_lets_one_in_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    accept(&store, soon()).unwrap();
    fs::remove_file(directory.path().join("gate")).unwrap();
    let other = open(directory.path()).unwrap();
    // The other one has the new gate; this one must not be content with the old.
    let held = other.database.lock();
    let gate = fs::File::open(directory.path().join("gate")).unwrap();
    gate.lock().unwrap();
    assert_eq!(fault(accept(&store, shortly())), Some(Fault::Timeout));
    gate.unlock().unwrap();
    drop(held);
    assert_eq!(accept(&store, soon()), Ok(2));
}

#[test]
fn nothing_is_committed_into_a_log_without_a_name() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    accept(&store, soon()).unwrap();
    // As the last connection of another SQLite does, which our cancelled locks told that it is the last one.
    let tool = Connection::open(directory.path().join("state")).unwrap();
    tool.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(tool);
    for file in ["state-wal", "state-shm"] {
        fs::remove_file(directory.path().join(file)).unwrap();
    }
    assert_eq!(accept(&store, soon()), Ok(2));
    assert_eq!(accepted(&open(directory.path()).unwrap()), 2);
}

#[test]
fn a_file_that_was_moved_away_is_left_behind() {
    let directory = tempfile::tempdir().unwrap();
    let (store, other) = (open(directory.path()).unwrap(), open(directory.path()).unwrap());
    accept(&store, soon()).unwrap();
    for end in ["", "-wal", "-shm"] {
        fs::rename(directory.path().join(format!("state{end}")), directory.path().join(format!("old{end}"))).unwrap();
    }
    assert_eq!(accepted(&other), 0, "reading sees the new one, too");
    assert_eq!(accept(&store, soon()), Ok(1));
    assert_eq!(accept(&other, soon()), Ok(2));
}

#[test]
fn a_directory_that_was_deleted_is_made_again() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("store");
    let store = open(&directory).unwrap();
    accept(&store, soon()).unwrap();
    fs::remove_dir_all(&directory).unwrap();
    assert_eq!(accept(&store, soon()), Ok(1));
    assert_eq!(accepted(&open(&directory).unwrap()), 1);
}
