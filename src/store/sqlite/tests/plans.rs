//! That the indexes are used, and that what has expired goes.

use rusqlite::StatementStatus;

use super::*;
use crate::config::GrantPolicy;
use crate::message::Channel;
use crate::store::Owner;

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
    for (sql, by) in delivery::LISTINGS.into_iter().zip(["PRIMARY KEY", "delivery_openid", "delivery_key"]) {
        let plan = plan(&store, sql);
        assert!(plan.contains(by) && !plan.contains("SCAN"), "{plan}");
        assert!(by == "delivery_key" || !plan.contains("TEMP B-TREE"), "{plan}");
    }
}

#[test]
fn a_statement_is_compiled_once_for_all_values() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    for sql in [row::BY_KEY, row::BY_ID, ledger::FIRST_PAGE, delivery::LISTINGS[1]] {
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
        let begin = Begin {
            id: MessageId::new(),
            owner: &owner,
            lease: Duration::from_secs(5),
            appid: APPID,
            openid: "user",
            shown_openid: "user",
            template_id: "template",
            channel: Channel::Subscribe,
            key: None,
            policy: GrantPolicy::Off,
            changed: None,
            payload: None,
            retention,
            abandoned: None,
            queued: false,
        };
        store.begin(&begin, soon()).unwrap();
    };
    let report = |token: &str, remember| {
        let choices = [("template", Choice::Accept)];
        let report = GrantReport { appid: APPID, openid: "user", choices: &choices, long_term: false, token, remember };
        store.record_grants(&report, soon()).unwrap();
    };
    let (brief, long) = (Duration::from_millis(1), Duration::from_secs(600));
    for number in 0..10 {
        send(brief);
        report(&format!("brief {number}"), brief);
        std::thread::sleep(brief * 3);
    }
    assert!(rows("delivery") <= 2 && rows("report_token") <= 2, "they do not gather");
    send(long);
    report("long", long);
    send(long);
    report("another long", long);
    assert_eq!((rows("delivery"), rows("report_token")), (2, 2));
}
