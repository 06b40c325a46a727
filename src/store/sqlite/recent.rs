//! What a user answered lately, so that an accept of which both sides tell counts once, and an answer that is told late does not
//! replace a newer one.

use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, params};

use super::code::millis;
use crate::store::{Millis, PAIRING, UNPAIRED_LIMIT};

/// What is remembered of one user and template.
#[derive(Default)]
pub(super) struct Recent {
    /// When the latest answer was given, and when it was told.
    latest: Option<(Millis, Millis)>,
    /// Who told of the accepts.
    pushed: bool,
    /// When each accept that has no counterpart yet was told.
    accepts: Vec<Millis>,
}

impl Recent {
    pub(super) fn find(db: &Connection, template: i64, openid: &str, now: Millis) -> rusqlite::Result<Self> {
        let row = db
            .prepare_cached(
                "SELECT answered, told, pushed, accepts FROM recent_answer WHERE template = ?1 AND openid = ?2",
            )?
            .query_row(params![template, openid], |row| {
                let accepts: String = row.get(3)?;
                Ok(Self {
                    latest: Some((row.get(0)?, row.get(1)?)),
                    pushed: row.get(2)?,
                    accepts: read_times(&accepts).map_err(|error| damaged(3, error))?,
                })
            })
            .optional()?;
        // What was told in the future was told before the clock was set back: accepts have a counterpart all the same, but by that
        // clock no answer is later than another.
        let is_recent = |told: Millis| now.abs_diff(told) < millis(PAIRING).unsigned_abs();
        let mut recent = row.unwrap_or_default();
        recent.latest = recent.latest.filter(|(_, told)| *told <= now && is_recent(*told));
        recent.accepts.retain(|told| is_recent(*told));
        Ok(recent)
    }

    /// Takes an answer into account; says whether it is the latest.
    pub(super) fn answer(&mut self, at: Millis, now: Millis) -> bool {
        let former = self.latest.map_or(Millis::MIN, |(answered, _)| answered);
        // WeChat's clock has whole seconds.
        let is_latest = at.div_euclid(1000) >= former.div_euclid(1000);
        if is_latest {
            self.latest = Some((at.max(former), now));
        }
        is_latest
    }

    /// Takes an accept into account; says whether the other side has told of it already.
    pub(super) fn accept(&mut self, pushed: bool, now: Millis) -> bool {
        if self.pushed != pushed && !self.accepts.is_empty() {
            self.accepts.remove(0);
            return true;
        }
        self.pushed = pushed;
        self.accepts.push(now);
        let surplus = self.accepts.len().saturating_sub(UNPAIRED_LIMIT);
        self.accepts.drain(..surplus);
        false
    }

    pub(super) fn keep(&self, db: &Connection, template: i64, openid: &str, now: Millis) -> rusqlite::Result<()> {
        let (answered, told) = self.latest.unwrap_or((now, now));
        let accepts: Vec<String> = self.accepts.iter().map(ToString::to_string).collect();
        db.prepare_cached(
            "INSERT OR REPLACE INTO recent_answer (template, openid, answered, told, pushed, accepts, expires)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            template,
            openid,
            answered,
            told,
            self.pushed,
            accepts.join(" "),
            now.saturating_add(millis(PAIRING))
        ])
        .map(drop)
    }
}

fn read_times(text: &str) -> Result<Vec<Millis>, std::num::ParseIntError> {
    text.split_ascii_whitespace().map(str::parse).collect()
}

fn damaged(column: usize, error: std::num::ParseIntError) -> Error {
    Error::FromSqlConversionFailure(column, Type::Text, error.into())
}
