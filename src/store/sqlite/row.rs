//! One delivery row: looked up, closed.

use rusqlite::{Connection, OptionalExtension, params};

use super::code::{Code, millis, read_count, read_id};
use super::delivery::{self, COLUMNS};
use super::outbox::{FOREVER, Stay};
use crate::store::{Begin, Delivery, End, Grant, MessageId, Millis, Settlement, State};

macro_rules! select {
    ($index:literal) => {
        delivery::select!(
            ", d.template, d.call, d.owner, d.last_word, d.lease, d.taken, d.seen, d.counted, d.expires,
               d.outbox, d.receiver, d.missed",
            $index
        )
    };
}

pub(super) const BY_KEY: &str = concat!(select!("INDEXED BY delivery_key"), " AND d.key = ?2");
pub(super) const BY_ID: &str = concat!(select!(""), " AND d.id = ?2");

/// Writes the verdict, and what is named.
macro_rules! close {
    ($more:literal) => {
        concat!(
            "UPDATE delivery SET ",
            $more,
            " state = ?3, last_word = ?4, errcode = ?5, errmsg = ?6, from_wechat = ?7, msgid = ?8,
               rid = ?9, attempts = attempts + ?10, finished = ?11, counted = epoch, missed = missed & ~?16, owner = '',
               outbox = ?13, due = coalesce(?14, due), unsure = unsure + ?15,
               receiver = CASE WHEN ?14 IS NULL THEN NULL ELSE receiver END
             WHERE account = ?1 AND id = ?2"
        )
    };
}

/// The row that is there already.
pub(super) struct Stored {
    pub(super) shown: Delivery,
    /// As stored: `Sending` even if the lease is over.
    pub(super) state: State,
    pub(super) template: i64,
    pub(super) call: MessageId,
    pub(super) owner: String,
    pub(super) last_word: bool,
    pub(super) lease: Millis,
    pub(super) grant: Grant,
    pub(super) seen: u64,
    pub(super) counted: u32,
    pub(super) missed: i64,
    expires: Millis,
    pub(super) stay: Stay,
    /// The real openid of a message in the outbox, if the row shows another.
    pub(super) receiver: Option<String>,
}

/// The place of an epoch in `missed`: in between so many others it is forgotten.
pub(super) fn bit(epoch: u32) -> i64 {
    1 << (epoch % 63)
}

/// How a row is closed.
pub(super) enum Closing {
    /// With its verdict.
    Ended,
    /// It stays in the outbox until it is due again.
    PutOff(Millis),
    /// It was to be tried again, but nobody will.
    NotSent,
}

impl Stored {
    /// Whether that sending of this call is one of this row's, rather than of one that was lost and whose key another
    /// message has taken.
    pub(super) fn had(&self, begin: &Begin<'_>, epoch: u32) -> bool {
        self.call == begin.id || self.shown.id == begin.id || self.shown.epoch > epoch
    }

    /// Whether the calls of that sending were counted.
    pub(super) fn has_counted(&self, epoch: u32) -> bool {
        self.counted >= epoch && self.missed & bit(epoch) == 0
    }

    /// Whether an end of that sending closes it: nobody has, or only because its lease was over.
    pub(super) fn awaits(&self, begin: &Begin<'_>, epoch: u32) -> bool {
        let is_open = self.state == State::Sending || (self.state == State::Unknown && self.counted < epoch);
        is_open && self.shown.epoch == epoch && self.had(begin, epoch)
    }

    /// Writes the verdict.
    pub(super) fn close(
        &self,
        db: &Connection,
        account: i64,
        begin: &Begin<'_>,
        (end, closing): (&End<'_>, &Closing),
        now: Millis,
    ) -> rusqlite::Result<()> {
        let (state, last_word) = match closing {
            Closing::Ended => (end.state, end.last_word),
            Closing::PutOff(_) => (State::Queued, false),
            Closing::NotSent => (State::NotSent, false),
        };
        let (due, expires) = match closing {
            Closing::PutOff(due) => (Some(*due), FOREVER),
            Closing::Ended | Closing::NotSent => (None, now.saturating_add(millis(begin.retention))),
        };
        let stay = if self.stay == Stay::Within && due.is_none() { Stay::Left } else { self.stay };
        let sql = if self.may_keep(expires, begin) { close!("") } else { close!("expires = ?12,") };
        db.prepare_cached(sql)?
            .execute(params![
                account,
                self.shown.id.as_bytes(),
                state.code(),
                last_word,
                end.errcode,
                end.errmsg,
                end.from_wechat,
                end.msgid,
                end.rid,
                end.attempts,
                now,
                expires,
                stay.code(),
                due,
                due.is_some() && end.settlement == Settlement::Kept,
                bit(self.shown.epoch),
            ])
            .map(drop)
    }

    /// Whether the row may as well expire when it would have: then this index is not written. A thousandth of the retention is
    /// nothing to a reader, and more than nearly all messages take.
    fn may_keep(&self, expires: Millis, begin: &Begin<'_>) -> bool {
        (0..=millis(begin.retention) / 1000).contains(&expires.saturating_sub(self.expires))
    }

    /// Remembers that the calls of an end which came too late were counted.
    pub(super) fn mark_counted(&self, db: &Connection, account: i64, epoch: u32) -> rusqlite::Result<()> {
        db.prepare_cached(
            "UPDATE delivery SET counted = max(counted, ?3), missed = missed & ~?4 WHERE account = ?1 AND id = ?2",
        )?
        .execute(params![account, self.shown.id.as_bytes(), epoch, bit(epoch)])
        .map(drop)
    }

    /// Nobody will close it any more. Only that of a message that was in the outbox knows no end yet.
    pub(super) fn mark_unknown(&self, db: &Connection, account: i64, expires: Millis) -> rusqlite::Result<()> {
        db.prepare_cached(
            "UPDATE delivery SET state = ?3, last_word = 1, owner = '', expires = min(expires, ?4),
               outbox = CASE outbox WHEN ?5 THEN ?6 ELSE outbox END, receiver = NULL
             WHERE account = ?1 AND id = ?2",
        )?
        .execute(params![
            account,
            self.shown.id.as_bytes(),
            State::Unknown.code(),
            expires,
            Stay::Within.code(),
            Stay::Left.code(),
        ])
        .map(drop)
    }
}

/// The row with the message's key, or else its id. One that has expired is taken away: it may be in the way.
pub(super) fn live(db: &Connection, account: i64, begin: &Begin<'_>, now: Millis) -> rusqlite::Result<Option<Stored>> {
    match find(db, account, begin, now)? {
        Some(stored) if stored.expires <= now => delete(db, account, stored.shown.id).map(|()| None),
        stored => Ok(stored),
    }
}

/// The same, expired or not.
pub(super) fn find(db: &Connection, account: i64, begin: &Begin<'_>, now: Millis) -> rusqlite::Result<Option<Stored>> {
    const MORE: usize = COLUMNS;
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Stored {
            shown: delivery::read(row, now)?,
            state: State::read(row, 6)?,
            template: row.get(MORE)?,
            call: read_id(row, MORE + 1)?,
            owner: row.get(MORE + 2)?,
            last_word: row.get(MORE + 3)?,
            lease: row.get(MORE + 4)?,
            grant: Grant::read(row, MORE + 5)?,
            seen: read_count(row, MORE + 6)?,
            counted: row.get(MORE + 7)?,
            expires: row.get(MORE + 8)?,
            stay: Stay::read(row, MORE + 9)?,
            receiver: row.get(MORE + 10)?,
            missed: row.get(MORE + 11)?,
        })
    };
    match begin.key {
        Some(key) => db.prepare_cached(BY_KEY)?.query_row(params![account, key], read),
        None => db.prepare_cached(BY_ID)?.query_row(params![account, begin.id.as_bytes()], read),
    }
    .optional()
}

pub(super) fn delete(db: &Connection, account: i64, id: MessageId) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM delivery WHERE account = ?1 AND id = ?2")?
        .execute(params![account, id.as_bytes()])
        .map(drop)
}
