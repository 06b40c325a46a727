//! That the indexes are used, and that what has expired goes.

use rusqlite::StatementStatus;
use rusqlite::types::Value;

use super::*;

fn plan(store: &SqliteStore, sql: &str) -> String {
    let explain = format!("EXPLAIN QUERY PLAN {sql}");
    store
        .run(Access::Read, Durability::Process, soon(), |db| {
            let mut statement = db.prepare(&explain)?;
            for number in 1..=statement.parameter_count() {
                statement.raw_bind_parameter(number, 1)?;
            }
            let mut rows = statement.raw_query();
            let mut text = String::new();
            while let Some(row) = rows.next()? {
                text += &row.get::<_, String>(3)?;
                text.push('\n');
            }
            Ok(text)
        })
        .unwrap()
}

#[test]
fn an_audience_reads_only_whom_it_shows() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    for page in [ledger::FIRST_PAGE, ledger::NEXT_PAGE] {
        let plan = plan(&store, page);
        assert!(plan.contains("ledger_reachable") && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}

#[test]
fn listings_need_no_sorting() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let newest = plan(&store, receipt::NEWEST);
    assert!(newest.contains("delivery_openid") && !newest.contains("TEMP B-TREE"), "{newest}");
    for (sql, by) in delivery::LISTINGS.into_iter().zip(["PRIMARY KEY", "delivery_openid", "delivery_key"]) {
        let plan = plan(&store, sql);
        assert!(plan.contains(by) && !plan.contains("SCAN"), "{plan}");
        assert!(by == "delivery_key" || !plan.contains("TEMP B-TREE"), "{plan}");
    }
}

#[test]
fn the_outbox_costs_the_same_however_much_waits() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    for sql in [
        outbox::CONTEXT,
        outbox::PROMOTE,
        claim::DUE,
        candidate::CANDIDATE,
        queues::NEXT_ACCOUNT,
        queues::NEXT_CHANNEL,
        queues::SOONEST,
    ] {
        let plan = plan(&store, sql);
        assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{sql}\n{plan}");
    }
    for sql in [claim::DUE, queues::NEXT_ACCOUNT, queues::NEXT_CHANNEL, queues::SOONEST, queues::PENDING] {
        let plan = plan(&store, sql);
        assert!(plan.contains("USING COVERING INDEX outbox_due"), "{sql}\n{plan}");
    }
    let due = plan(&store, claim::DUE);
    assert!(due.contains("account=? AND channel=? AND wait=? AND due<?"), "{due}");
    let promote = plan(&store, outbox::PROMOTE);
    assert!(promote.contains("account=? AND openid=? AND place=? AND id=?"), "{promote}");
    let first = plan(&store, outbox::CONTEXT);
    assert!(first.contains("o USING PRIMARY KEY (account=? AND openid=?)"), "{first}");
}

#[test]
fn what_waits_is_stepped_over_and_not_through() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let owner = Owner::current();
    // One that is due, thousands behind it, thousands that are not due, and thousands under way.
    enqueue(&store, &message(&owner, "user", None));
    for (openid, wait, due) in [("'user'", 0, "NULL"), ("'later' || n", 1, "1 << 60"), ("'sent' || n", 2, "1 << 60")] {
        let fill = format!(
            "WITH RECURSIVE c (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c WHERE n < 5000)
             INSERT INTO outbox SELECT account, {openid}, (1 << 50) + n, id, channel, {wait}, {due}, policy, timeout,
               resend, tries, body FROM outbox, c WHERE openid = 'user' AND due IS NOT NULL"
        );
        tamper(directory.path(), &fill);
    }
    for (sql, values) in [
        (outbox::CONTEXT, vec![Value::from(APPID.to_owned()), "template".to_owned().into(), "user".to_owned().into()]),
        (claim::DUE, vec![1.into(), 0.into(), 0.into(), Value::Integer(i64::MAX), 33.into()]),
        (claim::DUE, vec![1.into(), 0.into(), 1.into(), now().into(), 33.into()]),
        (claim::DUE, vec![1.into(), 0.into(), 2.into(), now().into(), 33.into()]),
        (outbox::PROMOTE, vec![1.into(), "user".to_owned().into()]),
        (queues::SOONEST, vec![1.into(), 0.into(), 0.into()]),
        (queues::SOONEST, vec![1.into(), 0.into(), 1.into()]),
        (queues::NEXT_ACCOUNT, vec![0.into()]),
        (queues::NEXT_ACCOUNT, vec![1.into()]),
        (queues::NEXT_CHANNEL, vec![1.into(), (-1).into()]),
        (queues::NEXT_CHANNEL, vec![1.into(), 0.into()]),
    ] {
        let steps = store.run(Access::Write, Durability::Process, soon(), |db| {
            let mut statement = db.prepare(sql)?;
            let mut rows = statement.query(rusqlite::params_from_iter(&values))?;
            while rows.next()?.is_some() {}
            drop(rows);
            Ok(statement.get_status(StatementStatus::VmStep))
        });
        assert!(steps.as_ref().is_ok_and(|steps| *steps < 120), "{steps:?} steps: {sql}");
    }
}

#[test]
fn a_statement_is_compiled_once_for_all_values() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    for sql in [
        row::BY_KEY,
        row::BY_ID,
        ledger::FIRST_PAGE,
        delivery::LISTINGS[1],
        outbox::CONTEXT,
        claim::DUE,
        candidate::CANDIDATE,
    ] {
        let again = store.run(Access::Read, Durability::Process, soon(), |db| {
            let mut statement = db.prepare(sql)?;
            for value in ["1", "2", "3"] {
                for number in 1..=statement.parameter_count() {
                    statement.raw_bind_parameter(number, value)?;
                }
                statement.raw_query().next()?;
            }
            Ok(statement.get_status(StatementStatus::RePrepare))
        });
        assert_eq!(again, Ok(0), "{sql}");
    }
}

#[test]
fn whoever_adds_a_row_takes_expired_ones_away() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let rows = |table: &str| {
        let count = format!("SELECT count(*) FROM {table}");
        let read =
            store.run(Access::Read, Durability::Process, soon(), |db| db.query_row(&count, [], |row| row.get(0)));
        let rows: i64 = read.unwrap();
        rows
    };
    let owner = Owner::current();
    let send = |retention| {
        let begin = Begin { policy: GrantPolicy::Off, retention, ..message(&owner, "user", None) };
        store.begin(&begin, soon()).unwrap();
    };
    let report = |token: &str, remember| {
        let choices = [("template", Choice::Accept)];
        let report = GrantReport {
            appid: APPID,
            openid: "user",
            choices: &choices,
            long_term: false,
            source: Source::Client,
            at: None,
            token,
            remember,
        };
        store.record_grants(&report, soon()).unwrap();
    };
    let put = |name: &str, lifetime| {
        let note = Note { version: 1, text: String::new(), age: Duration::ZERO };
        store.put_note(APPID, name, 0, &note, lifetime, soon()).unwrap();
    };
    let (brief, long) = (Duration::from_millis(1), Duration::from_secs(600));
    for number in 0..10 {
        send(brief);
        report(&format!("brief {number}"), brief);
        let told = format!("UPDATE recent_answer SET openid = 'user {number}', expires = 1");
        tamper(directory.path(), &told);
        put(&format!("brief {number}"), brief);
        std::thread::sleep(brief * 3);
    }
    assert!(rows("delivery") <= 2 && rows("report_token") <= 2 && rows("note") <= 2, "they do not gather");
    assert!(rows("recent_answer") <= 1, "nor do these");
    for name in ["long", "another long"] {
        send(long);
        report(name, long);
        put(name, long);
    }
    assert_eq!((rows("delivery"), rows("report_token"), rows("note")), (2, 2, 2));
}
