//! The store of a host, a row of which somebody else has written.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use routine_template::config::{GrantPolicy, Secret};
use routine_template::message::Channel;
use routine_template::store::*;
use rusqlite::Connection;
use rusqlite::types::Value;
use tempfile::TempDir;

use super::parts;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: u32 = 20_261_122;
const API: &str = "/cgi-bin/message/subscribe/send";
const TEMPLATE: &str = "a-template-id-of-43-letters-that-is-known00";
/// The account whose rows are written, and the one beside it.
const DAMAGED: &str = "wx1";
const SOUND: &str = "wx2";
/// Tables, and which of their rows are the damaged account's.
const TABLES: [(&str, &str); 14] = [
    ("delivery", "account = 1"),
    ("outbox", "account = 1"),
    ("ledger", "template = 1"),
    ("reservation", "template = 1"),
    ("note", "account = 1"),
    ("token", "account = 'wx1'"),
    ("refusal", "account = 'wx1'"),
    ("calls", "account = 1"),
    ("pause", "account = 1"),
    ("health", "route = 'wx1'"),
    ("report_token", "account = 1"),
    ("sender", "account = 1"),
    ("template", "id = 1"),
    ("recent_answer", "template = 1"),
];

struct Shop {
    store: SqliteStore,
    editor: Connection,
    /// Table, columns, condition.
    tables: Vec<(&'static str, Vec<String>, &'static str)>,
    sound: MessageId,
    directory: TempDir,
}

thread_local! {
    static SHOP: RefCell<Option<Shop>> = const { RefCell::new(None) };
}

/// Table, column and value by turns: numbers, then the value with its type in front. Whatever a row holds, every call comes back, with
/// an answer or with an error; the file stays where it is, and the account beside it keeps what it has.
pub fn stored_row(data: &[u8]) {
    SHOP.with_borrow_mut(|shop| {
        let shop = shop.get_or_insert_with(Shop::open);
        shop.restore();
        let parts: Vec<&[u8]> = parts(data).take(24).collect();
        for edit in parts.chunks_exact(3) {
            shop.write(edit[0], edit[1], edit[2]);
        }
        shop.use_everything(DAMAGED);
        let row = shop.store.delivery(SOUND, shop.sound, soon()).expect("the account beside it suffers");
        assert_eq!(row.map(|row| row.state), Some(State::Delivered), "the account beside it has lost a message");
        let others = std::fs::read_dir(shop.directory.path()).unwrap().filter_map(|entry| entry.ok());
        let aside = others.map(|entry| entry.file_name()).find(|name| name.to_string_lossy().contains("corrupt"));
        assert_eq!(aside, None, "a row that cannot be read costs the whole store");
    });
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

impl Shop {
    fn open() -> Self {
        let directory = TempDir::new().unwrap();
        let store = SqliteStore::open(directory.path(), Durability::Process, soon()).unwrap();
        let shop = [DAMAGED, SOUND].map(|appid| {
            let sent = fill(&store, appid);
            (appid, sent)
        });
        let file =
            std::fs::read_dir(directory.path()).unwrap().filter_map(|entry| entry.ok()).map(|entry| entry.path());
        let file =
            file.into_iter().find(|path| std::fs::read(path).is_ok_and(|head| head.starts_with(b"SQLite format")));
        let editor = Connection::open(file.expect("the store has no file")).unwrap();
        editor.busy_timeout(Duration::from_secs(60)).unwrap();
        editor.pragma_update(None, "synchronous", "OFF").unwrap();
        let mut tables = Vec::new();
        for (table, condition) in TABLES {
            let mut list = editor.prepare(&format!("SELECT name FROM pragma_table_info('{table}')")).unwrap();
            let columns: Vec<String> = list.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
            if !columns.is_empty() {
                editor.execute_batch(&format!("CREATE TEMP TABLE was_{table} AS SELECT * FROM main.{table}")).unwrap();
                tables.push((table, columns, condition));
            }
        }
        assert!(tables.len() >= 10, "the tables have other names");
        let sound = shop[1].1;
        Self { store, editor, tables, sound, directory }
    }

    fn restore(&self) {
        let mut all = "BEGIN IMMEDIATE;".to_owned();
        for (table, ..) in &self.tables {
            all += &format!("DELETE FROM main.{table}; INSERT INTO main.{table} SELECT * FROM was_{table};");
        }
        self.editor.execute_batch(&(all + "COMMIT")).unwrap();
    }

    fn write(&self, table: &[u8], column: &[u8], value: &[u8]) {
        let index = |part: &[u8]| part.first().map_or(0, |byte| usize::from(*byte));
        let (table, columns, condition) = &self.tables[index(table) % self.tables.len()];
        let column = &columns[index(column) % columns.len()];
        let sql = format!("UPDATE OR IGNORE main.{table} SET {column} = ?1 WHERE {condition}");
        // What the table itself refuses is not there.
        let _ = self.editor.execute(&sql, [stored(value)]);
    }

    /// Every transaction that reads what the account has.
    fn use_everything(&self, appid: &str) {
        let store = &self.store;
        let owner = Owner::named("boot/1/2/3");
        for state in [None, Some(State::Queued), Some(State::Unknown)] {
            for (key, openid) in [(None, None), (Some("order-1"), None), (None, Some("user"))] {
                let filter = Filter { key, openid, state, limit: 100, ..Filter::default() };
                let _ = store.deliveries(appid, &filter, soon());
            }
        }
        let _ = store.grants(appid, "user", None, soon());
        let _ = store.audience(appid, TEMPLATE, None, 10, soon()).map(|page| assert!(page.users.len() <= 10));
        let _ = store.usage(appid, API, DAY, soon());
        let _ = store.queues(Some(appid), soon());
        let _ = store.queues(None, soon());
        let _ = store.pending(appid, soon());
        if let Ok(Some(sender)) = store.sender(appid, soon()) {
            assert_eq!(
                format!("{sender:?}"),
                format!("Sender({:?})", sender.version),
                "more than the version is shown"
            );
        }
        let _ = store.note(appid, "templates", soon());
        let _ = store.health(appid, soon());
        let ask = ask(appid, &owner);
        if let Ok(TokenTurn::Fetch { fence, .. }) = store.token(&ask, soon()) {
            let _ = store.put_token(appid, fence, "90_next", HOUR, HOUR, soon());
        }
        let receipt = Receipt { appid, shown_openid: "user", msgid: "7", text: "success", at: 1 };
        let _ = store.receipt(&receipt, soon());
        let claim = Claim {
            id: MessageId::new(),
            owner: &owner,
            appid,
            channel: Channel::Subscribe,
            limit: 16,
            margin: HOUR,
            retention: HOUR,
        };
        let claimed = store.claim(&claim, soon()).map(|claimed| claimed.jobs).unwrap_or_default();
        for job in claimed {
            let begin = Begin { id: job.id, openid: &job.openid, queued: true, ..begin(appid, &owner, None) };
            let _ = store.finish(&begin, job.epoch, &end(State::Delivered), soon());
        }
        for key in [Some("order-1"), Some("order-2"), None] {
            let begin = begin(appid, &owner, key);
            if let Ok(Begun::Go { epoch, .. }) = store.begin(&begin, soon()) {
                let _ = store.finish(&begin, epoch, &end(State::Refused), soon());
            }
        }
        let _ = store.record_grants(&report(appid, "token-2"), soon());
    }
}

/// A value with its type in front.
fn stored(part: &[u8]) -> Value {
    match part.split_first() {
        None => Value::Null,
        Some((b'i', rest)) => Value::Integer(match std::str::from_utf8(rest).ok().and_then(|text| text.parse().ok()) {
            Some(number) => number,
            None => rest.iter().fold(0_i64, |all, byte| all.wrapping_mul(256).wrapping_add(i64::from(*byte))),
        }),
        Some((b'r', rest)) => Value::Real(rest.iter().fold(0.5, |all: f64, byte| all * 256.0 + f64::from(*byte))),
        Some((b'b', rest)) => Value::Blob(rest.to_vec()),
        Some((_, rest)) => Value::Text(String::from_utf8_lossy(rest).into_owned()),
    }
}

/// One of everything.
fn fill(store: &SqliteStore, appid: &str) -> MessageId {
    let owner = Owner::current();
    let _ = store.record_grants(&report(appid, "token-1"), soon()).unwrap();
    let sent = begin(appid, &owner, Some("order-1"));
    let Ok(Begun::Go { epoch, .. }) = store.begin(&sent, soon()) else { panic!("not sent") };
    store.finish(&sent, epoch, &end(State::Delivered), soon()).unwrap();
    // Left under way.
    store.begin(&begin(appid, &owner, Some("order-2")), soon()).unwrap();
    let sender = Sender { version: "1".to_owned(), settings: Secret::new(r#"{"secret":"c0ffee"}"#.to_owned()) };
    for openid in ["user", "user", "other"] {
        let parcel = Parcel {
            body: b"{}",
            delay: Duration::ZERO,
            expires: HOUR * 24 * 30,
            timeout: Duration::from_secs(3),
            resend_unknown: openid == "other",
            sender: &sender,
        };
        let queued = Begin { openid, shown_openid: openid, queued: true, ..begin(appid, &owner, None) };
        store.enqueue(&queued, &parcel, soon()).unwrap();
    }
    if let Ok(TokenTurn::Fetch { fence, .. }) = store.token(&ask(appid, &owner), soon()) {
        store.put_token(appid, fence, "90_first", HOUR * 24, HOUR * 48, soon()).unwrap();
    }
    let note = Note::new(r#"{"rows":[]}"#);
    store.put_note(appid, "templates", 0, &note, HOUR * 24 * 30, soon()).unwrap();
    let health = Health { version: 1, record: "{}".to_owned() };
    store.put_health(appid, 0, &health, soon()).unwrap();
    sent.id
}

fn report<'a>(appid: &'a str, token: &'a str) -> GrantReport<'a> {
    GrantReport {
        appid,
        openid: "user",
        choices: &[(TEMPLATE, Choice::Accept)],
        long_term: false,
        source: Source::Client,
        at: None,
        token,
        remember: HOUR,
    }
}

fn begin<'a>(appid: &'a str, owner: &'a Owner, key: Option<&'a str>) -> Begin<'a> {
    Begin {
        id: MessageId::new(),
        owner,
        lease: HOUR,
        appid,
        openid: "user",
        shown_openid: "user",
        template_id: TEMPLATE,
        channel: Channel::Subscribe,
        key,
        policy: GrantPolicy::Certain,
        changed: Some("[]"),
        payload: Some("{}"),
        retention: HOUR * 24 * 30,
        abandoned: None,
        queued: false,
    }
}

fn end(state: State) -> End<'static> {
    End {
        state,
        last_word: true,
        settlement: Settlement::Spent,
        grant: Grant::Reserved,
        errcode: Some(0),
        from_wechat: true,
        errmsg: "ok",
        msgid: Some("7"),
        rid: None,
        attempts: 1,
        api: API,
        day: DAY,
        pause: None,
        again: None,
    }
}

fn ask<'a>(account: &'a str, owner: &'a Owner) -> TokenAsk<'a> {
    TokenAsk {
        account,
        account_here: account,
        owner,
        held: 0,
        refused: None,
        force: false,
        lease: HOUR,
        fresh: Duration::from_secs(10),
        ended: None,
    }
}
