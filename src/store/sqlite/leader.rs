//! Who adopts what other processes of a host have left.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::code::{millis, now};
use crate::store::{Lead, Millis, Owner};

/// The leader, if it is another than the caller and has not ended.
pub(super) fn look(
    db: &Connection,
    host: &str,
    owner: &Owner,
    ended: Option<&str>,
) -> rusqlite::Result<Option<String>> {
    let leader: Option<(String, Millis)> = db
        .prepare_cached("SELECT owner, lease FROM leader WHERE host = ?1")?
        .query_row([host], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(leader
        .filter(|(leader, lease)| *lease > now() && leader != owner.as_str() && ended != Some(leader))
        .map(|(leader, _)| leader))
}

/// The same, and makes the caller the leader if there is none.
pub(super) fn lead(
    db: &Connection,
    host: &str,
    owner: &Owner,
    ended: Option<&str>,
    lease: Duration,
) -> rusqlite::Result<Lead> {
    if let Some(leader) = look(db, host, owner, ended)? {
        return Ok(Lead::Other(leader));
    }
    db.prepare_cached("INSERT OR REPLACE INTO leader (host, owner, lease) VALUES (?1, ?2, ?3)")?.execute(params![
        host,
        owner.as_str(),
        now().saturating_add(millis(lease))
    ])?;
    Ok(Lead::Mine)
}
