//! Rows whose time is over. Whoever adds rows takes a few of them away, so that nobody has to sweep.

use rusqlite::{Connection, params};

use super::code::number;
use crate::store::Millis;

/// How the expired rows of one table are found, and deleted.
pub(super) struct Expired {
    any: &'static str,
    delete: &'static str,
}

macro_rules! expired {
    ($table:literal, $key:literal) => {
        Expired {
            any: concat!("SELECT 1 FROM ", $table, " WHERE expires <= ?1 LIMIT 1"),
            delete: concat!(
                "DELETE FROM ",
                $table,
                " WHERE (",
                $key,
                ") IN
                   (SELECT ",
                $key,
                " FROM ",
                $table,
                " WHERE expires <= ?1 ORDER BY expires LIMIT ?2)"
            ),
        }
    };
}

pub(super) const DELIVERIES: Expired = expired!("delivery", "account, id");
pub(super) const REPORT_TOKENS: Expired = expired!("report_token", "account, token");
pub(super) const RECENT_ANSWERS: Expired = expired!("recent_answer", "template, openid");
pub(super) const NOTES: Expired = expired!("note", "account, name");

impl Expired {
    /// Deletes so many, the oldest first. Mostly there is none: one look into the index says so, where the DELETE would make a table
    /// for the rows it finds, which costs as much as all else that a message writes.
    pub(super) fn delete(&self, db: &Connection, now: Millis, limit: usize) -> rusqlite::Result<()> {
        if db.prepare_cached(self.any)?.exists([now])? {
            db.prepare_cached(self.delete)?.execute(params![now, number(limit as u64)])?;
        }
        Ok(())
    }
}
