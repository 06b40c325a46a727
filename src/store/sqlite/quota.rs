//! Calls and pauses.

use rusqlite::{Connection, OptionalExtension, params};

use super::account;
use super::code::{now, read_count};
use crate::store::{Millis, Pause, Usage};

/// Days are written `yyyymmdd`: what is a year older is of no use.
const YEAR: u32 = 10_000;

/// Counts calls. The first ones of a day take two old counts away.
pub(super) fn count(db: &Connection, account: i64, api: &str, day: u32, calls: u32) -> rusqlite::Result<()> {
    if calls == 0 {
        return Ok(());
    }
    let counted = db
        .prepare_cached("UPDATE calls SET calls = calls + ?4 WHERE day = ?1 AND account = ?2 AND api = ?3")?
        .execute(params![day, account, api, calls])?;
    if counted == 0 {
        db.prepare_cached("INSERT INTO calls (day, account, api, calls) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![day, account, api, calls])?;
        db.prepare_cached(
            "DELETE FROM calls WHERE (day, account, api) IN
               (SELECT day, account, api FROM calls WHERE day < ?1 ORDER BY day, account, api LIMIT 2)",
        )?
        .execute([day.saturating_sub(YEAR)])?;
    }
    Ok(())
}

/// Sets a pause.
pub(super) fn pause(db: &Connection, account: i64, api: &str, pause: &Pause) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO pause (account, api, errcode, ends) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![account, api, pause.errcode, pause.until])
        .map(drop)
}

pub(super) fn usage(db: &Connection, appid: &str, api: &str, day: u32) -> rusqlite::Result<Usage> {
    let Some(account) = account::find(db, appid)? else { return Ok(Usage::default()) };
    let calls = db
        .prepare_cached("SELECT calls FROM calls WHERE day = ?1 AND account = ?2 AND api = ?3")?
        .query_row(params![day, account, api], |row| read_count(row, 0))
        .optional()?
        .unwrap_or(0);
    Ok(Usage { calls, pause: standing_pause(db, account, api, now())? })
}

/// The pause that holds now.
pub(super) fn standing_pause(db: &Connection, account: i64, api: &str, now: Millis) -> rusqlite::Result<Option<Pause>> {
    db.prepare_cached("SELECT errcode, ends FROM pause WHERE account = ?1 AND api = ?2 AND ends > ?3")?
        .query_row(params![account, api, now], |row| Ok(Pause { errcode: row.get(0)?, until: row.get(1)? }))
        .optional()
}

pub(super) fn clear(db: &Connection, appid: &str, api: Option<&str>, day: u32) -> rusqlite::Result<()> {
    let Some(account) = account::find(db, appid)? else { return Ok(()) };
    db.prepare_cached("DELETE FROM pause WHERE account = ?1 AND (?2 IS NULL OR api = ?2)")?
        .execute(params![account, api])?;
    db.prepare_cached("DELETE FROM calls WHERE day = ?1 AND account = ?2 AND (?3 IS NULL OR api = ?3)")?
        .execute(params![day, account, api])
        .map(drop)
}
