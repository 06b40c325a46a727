//! Texts that the processes of an account share.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::code::{duration, millis, number, read_count};
use super::{account, expired};
use crate::store::{Millis, Note};

pub(super) fn find(db: &Connection, appid: &str, name: &str, now: Millis) -> rusqlite::Result<Option<Note>> {
    match account::find(db, appid)? {
        Some(account) => read(db, account, name, now),
        None => Ok(None),
    }
}

fn read(db: &Connection, account: i64, name: &str, now: Millis) -> rusqlite::Result<Option<Note>> {
    db.prepare_cached("SELECT version, text, written FROM note WHERE account = ?1 AND name = ?2 AND expires > ?3")?
        .query_row(params![account, name, now], |row| {
            let age = duration(now.saturating_sub(row.get(2)?));
            Ok(Note { version: read_count(row, 0)?, text: row.get(1)?, age })
        })
        .optional()
}

/// Puts a text in place of the one that the caller has seen; answers what stands then.
pub(super) fn put(
    db: &Connection,
    (appid, name): (&str, &str),
    seen: u64,
    note: &Note,
    lifetime: Duration,
    now: Millis,
) -> rusqlite::Result<Option<Note>> {
    let account = account::intern(db, appid)?;
    let stored = read(db, account, name, now)?;
    if stored.as_ref().map_or(0, |stored| stored.version) != seen {
        return Ok(stored);
    }
    db.prepare_cached(
        "INSERT OR REPLACE INTO note (account, name, version, written, expires, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        account,
        name,
        number(note.version),
        now,
        now.saturating_add(millis(lifetime)),
        note.text
    ])?;
    // A few of those that nobody puts any more.
    expired::NOTES.delete(db, now, 2)?;
    Ok(Some(Note { age: Duration::ZERO, ..note.clone() }))
}
