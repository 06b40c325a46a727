//! The outbox as a whole: its queues, how much there is, and with which settings an account's messages are sent.

use rusqlite::{Connection, OptionalExtension, params};

use super::account;
use super::code::{Code, duration, now, read_count};
use super::outbox::Wait;
use crate::config::Secret;
use crate::message::Channel;
use crate::store::{Millis, Queue, Sender};

// Two statements: SQLite would step through all of a queue to find what is behind a pair of columns.
/// The account behind one that has a queue.
pub(super) const NEXT_ACCOUNT: &str =
    "SELECT account FROM outbox INDEXED BY outbox_due WHERE account > ?1 ORDER BY account LIMIT 1";
/// The queue behind one, of the same account.
pub(super) const NEXT_CHANNEL: &str = "SELECT channel FROM outbox INDEXED BY outbox_due
    WHERE account = ?1 AND channel > ?2 ORDER BY channel LIMIT 1";
/// When the first one of a queue is due that waits for that.
pub(super) const SOONEST: &str = "SELECT due FROM outbox INDEXED BY outbox_due
    WHERE account = ?1 AND channel = ?2 AND wait = ?3 AND due IS NOT NULL ORDER BY due LIMIT 1";
pub(super) const PENDING: &str = "SELECT count(*) FROM outbox INDEXED BY outbox_due WHERE account = ?1";
const ACCOUNT: &str = "SELECT a.appid, s.version FROM account a LEFT JOIN sender s ON s.account = a.id WHERE a.id = ?1";

/// Steps from queue to queue: what it costs grows with their number, not with what they hold.
pub(super) fn list(db: &Connection, appid: Option<&str>) -> rusqlite::Result<Vec<Queue>> {
    let mut queues = Vec::new();
    if let Some(appid) = appid {
        if let Some(account) = account::find(db, appid)? {
            list_account(db, account, &mut queues)?;
        }
        return Ok(queues);
    }
    let mut last = 0;
    while let Some(account) =
        db.prepare_cached(NEXT_ACCOUNT)?.query_row([last], |row| row.get::<_, i64>(0)).optional()?
    {
        list_account(db, account, &mut queues)?;
        last = account;
    }
    Ok(queues)
}

fn list_account(db: &Connection, account: i64, queues: &mut Vec<Queue>) -> rusqlite::Result<()> {
    let mut last = -1;
    while let Some(channel) =
        db.prepare_cached(NEXT_CHANNEL)?.query_row([account, last], |row| row.get::<_, i64>(0)).optional()?
    {
        queues.extend(read(db, (account, channel))?);
        last = channel;
    }
    Ok(())
}

/// `None` if its account or channel is none that we know.
fn read(db: &Connection, (account, channel): (i64, i64)) -> rusqlite::Result<Option<Queue>> {
    let now = now();
    let soonest = |wait: Wait| -> rusqlite::Result<Option<Millis>> {
        db.prepare_cached(SOONEST)?.query_row(params![account, channel, wait.code()], |row| row.get(0)).optional()
    };
    let Some(known) = Channel::from_code(channel) else { return Ok(None) };
    let at_once = soonest(Wait::Nothing)?.map(|_| now);
    let due = at_once.map_or_else(|| soonest(Wait::Time), |now| Ok(Some(now)))?;
    let lease = soonest(Wait::Lease)?;
    let names: Option<(String, Option<String>)> =
        db.prepare_cached(ACCOUNT)?.query_row([account], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(names.map(|(appid, version)| Queue {
        appid,
        channel: known,
        due_in: due.map(|due| duration(due.saturating_sub(now))),
        lease_in: lease.map(|lease| duration(lease.saturating_sub(now))),
        sender: version.unwrap_or_default(),
    }))
}

pub(super) fn pending(db: &Connection, appid: &str) -> rusqlite::Result<u64> {
    let Some(account) = account::find(db, appid)? else { return Ok(0) };
    db.prepare_cached(PENDING)?.query_row([account], |row| read_count(row, 0))
}

pub(super) fn sender(db: &Connection, appid: &str) -> rusqlite::Result<Option<Sender>> {
    let Some(account) = account::find(db, appid)? else { return Ok(None) };
    db.prepare_cached("SELECT version, settings FROM sender WHERE account = ?1")?
        .query_row([account], |row| {
            Ok(Sender { version: row.get(0)?, settings: Secret::new(row.get::<_, String>(1)?) })
        })
        .optional()
}
