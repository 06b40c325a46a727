//! Routes to WeChat, as the processes of a machine know them.

use rusqlite::{Connection, OptionalExtension, params};

use super::code::{millis, number, read_count};
use crate::store::{HEALTH_LIFETIME, Health, Millis};

pub(super) fn find(db: &Connection, route: &str) -> rusqlite::Result<Option<Health>> {
    db.prepare_cached("SELECT version, record FROM health WHERE route = ?1")?
        .query_row([route], |row| Ok(Health { version: read_count(row, 0)?, record: row.get(1)? }))
        .optional()
}

/// Puts a record in place of the one that the caller has seen; answers what stands then.
pub(super) fn put(
    db: &Connection,
    route: &str,
    seen: u64,
    health: &Health,
    now: Millis,
) -> rusqlite::Result<Option<Health>> {
    let stored = find(db, route)?;
    if stored.as_ref().map_or(0, |stored| stored.version) != seen {
        return Ok(stored);
    }
    db.prepare_cached("INSERT OR REPLACE INTO health (route, version, record, expires) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![route, number(health.version), health.record, now.saturating_add(millis(HEALTH_LIFETIME))])?;
    // Routes that nobody uses any more.
    db.prepare_cached("DELETE FROM health WHERE expires <= ?1")?.execute([now])?;
    Ok(Some(health.clone()))
}
