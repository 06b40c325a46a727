//! Files of earlier versions.

use rusqlite::Connection;

use super::*;

/// As the first release made it, with a message that was delivered and one that its process left behind.
const FIRST: &str = "
    PRAGMA application_id = 0x52547374;
    PRAGMA user_version = 1;
    INSERT INTO account (id, appid) VALUES (1, 'wx1');
    INSERT INTO template (id, account, name, reported) VALUES (1, 1, 'template', 1);
    INSERT INTO ledger (template, openid, accepted, delivered, reserved, reports) VALUES (1, 'user', 2, 1, 1, 2);
    INSERT INTO reservation VALUES (x'0197000000007000800000000000000b', 1, 1, 'user', 1000);
    INSERT INTO delivery VALUES (1, x'0197000000007000800000000000000a', 1, x'0197000000007000800000000000000a', '', 1,
      'user', 0, 'order 1', 1, 1, 0, 0, 1, 1, 0, 'ok', 1, '1', NULL, 1, NULL, NULL, 1000, 1000, 9999999999999);
    INSERT INTO delivery VALUES (1, x'0197000000007000800000000000000b', 1, x'0197000000007000800000000000000b', 'o', 1,
      'user', 0, 'order 2', 0, 0, 1000, 0, 1, 0, NULL, '', 0, NULL, NULL, 0, NULL, NULL, 1000, NULL, 9999999999999);
";

fn released() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let tool = Connection::open(directory.path().join("state")).unwrap();
    tool.execute_batch(include_str!("../sql/001.sql")).unwrap();
    tool.execute_batch(FIRST).unwrap();
    directory
}

#[test]
fn what_the_first_release_wrote_is_read_and_gets_an_outbox() {
    let directory = released();
    let store = open(directory.path()).unwrap();
    let owner = Owner::current();
    let known = |key: &'static str| match store.begin(&message(&owner, "user", Some(key)), soon()).unwrap() {
        Begun::Known(row) => row,
        other => panic!("{other:?}"),
    };
    assert_eq!((known("order 1").state, known("order 1").due), (State::Delivered, None));
    let left = known("order 2");
    assert_eq!(left.state, State::Unknown);
    // The process that had begun it was only slow.
    let begin = Begin { id: left.id, ..message(&owner, "user", Some("order 2")) };
    store.finish(&begin, 1, &delivered(crate::store::Grant::Reserved), soon()).unwrap();
    assert_eq!(state(&store, left.id), State::Delivered);
    let row = store.grants(APPID, "user", None, soon()).unwrap().remove(0).1;
    assert_eq!((row.delivered, row.reserved, row.available), (2, 0, 0));
    let id = enqueue(&store, &message(&owner, "user", Some("order 3")));
    assert_eq!(claim(&store, 10).jobs[0].id, id);
    drop(store);
    assert_eq!(open(directory.path()).unwrap().pending(APPID, soon()), Ok(1), "once");
}

#[test]
fn a_process_of_the_first_release_that_has_it_open_goes_on() {
    let directory = released();
    let old = Connection::open(directory.path().join("state")).unwrap();
    old.query_row("SELECT count(*) FROM delivery", [], |row| row.get::<_, i64>(0)).unwrap();
    let store = open(directory.path()).unwrap();
    // The statements of that release, in short.
    old.execute(
        "INSERT INTO delivery (account, id, epoch, call, owner, template, openid, channel, key, state, last_word, lease,
           taken, seen, counted, errcode, errmsg, from_wechat, msgid, rid, attempts, changed, payload, begun, finished,
           expires)
         SELECT account, x'0197000000007000800000000000000c', epoch, call, owner, template, openid, channel, 'order 3',
           state, last_word, lease, taken, seen, counted, errcode, errmsg, from_wechat, msgid, rid, attempts, changed,
           payload, begun, finished, expires FROM delivery WHERE key = 'order 1'",
        [],
    )
    .unwrap();
    let rows =
        store.deliveries(APPID, &Filter { key: Some("order 3"), limit: 10, ..Filter::default() }, soon()).unwrap();
    assert_eq!(rows.iter().map(|row| row.state).collect::<Vec<_>>(), [State::Delivered]);
}
