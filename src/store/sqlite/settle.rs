//! What a message takes from the ledger, and what its end means for it.
//!
//! A reservation has a row of its own, by the message's id and epoch, so that nothing is given back or spent twice:
//! who deletes the row moves the count.

use rusqlite::{Connection, params};

use super::code::number;
use crate::store::{Grant, MessageId, Millis, Settlement};

/// A user's row of the ledger, and the sending whose reservation is meant.
pub(super) struct Sending<'a> {
    pub(super) id: MessageId,
    pub(super) epoch: u32,
    pub(super) template: i64,
    pub(super) openid: &'a str,
}

impl Sending<'_> {
    /// Takes one grant, for as long as the message is under way.
    pub(super) fn reserve(&self, db: &Connection, lapses: Millis) -> rusqlite::Result<()> {
        db.prepare_cached("INSERT INTO reservation (id, epoch, template, openid, lapses) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![self.id.as_bytes(), self.epoch, self.template, self.openid, lapses])?;
        db.prepare_cached("UPDATE ledger SET reserved = reserved + 1 WHERE template = ?1 AND openid = ?2")?
            .execute(params![self.template, self.openid])
            .map(drop)
    }

    /// Nobody knows what became of it: reserved until a 43101 says that it is gone.
    pub(super) fn keep(&self, db: &Connection) -> rusqlite::Result<()> {
        db.prepare_cached("UPDATE reservation SET lapses = 0 WHERE id = ?1 AND epoch = ?2")?
            .execute(params![self.id.as_bytes(), self.epoch])
            .map(drop)
    }

    /// The table at [`crate::store::Store::finish`].
    pub(super) fn settle(
        &self,
        db: &Connection,
        grant: Grant,
        settlement: Settlement,
        now: Millis,
    ) -> rusqlite::Result<()> {
        match (grant, settlement) {
            (Grant::Uncounted, _) => Ok(()),
            (Grant::Reserved, Settlement::Kept) => self.keep(db),
            (Grant::Reserved, Settlement::Spent) if self.release(db)? => self.update(
                db,
                "UPDATE ledger SET reserved = reserved - 1, delivered = delivered + 1, refused = 0
                 WHERE template = ?1 AND openid = ?2",
            ),
            (Grant::Reserved, Settlement::GivenBack) if self.release(db)? => {
                self.update(db, "UPDATE ledger SET reserved = reserved - 1 WHERE template = ?1 AND openid = ?2")
            }
            // Without a reservation (or with one that a 43101 to another message took) the delivery proves a grant.
            (_, Settlement::Spent) => self.update(
                db,
                "INSERT INTO ledger (template, openid, accepted, delivered) VALUES (?1, ?2, 1, 1)
                 ON CONFLICT (template, openid) DO UPDATE SET accepted = accepted + 1, delivered = delivered + 1,
                   refused = 0",
            ),
            (_, Settlement::Zero { seen }) => self.lose(db, seen, now),
            (_, Settlement::GivenBack | Settlement::Kept) => Ok(()),
        }
    }

    /// Whether this call ended the reservation.
    fn release(&self, db: &Connection) -> rusqlite::Result<bool> {
        let released = db
            .prepare_cached("DELETE FROM reservation WHERE id = ?1 AND epoch = ?2")?
            .execute(params![self.id.as_bytes(), self.epoch])?;
        Ok(released > 0)
    }

    /// 43101: what is reserved without a message under way is lost, and what is available, but for accepts reported since.
    fn lose(&self, db: &Connection, seen: u64, now: Millis) -> rusqlite::Result<()> {
        let lost = db
            .prepare_cached(
                "DELETE FROM reservation WHERE template = ?1 AND openid = ?2
                 AND (lapses <= ?3 OR (id = ?4 AND epoch = ?5))",
            )?
            .execute(params![self.template, self.openid, now, self.id.as_bytes(), self.epoch])?;
        db.prepare_cached(
            "INSERT INTO ledger (template, openid, refused) VALUES (?1, ?2, 1)
             ON CONFLICT (template, openid) DO UPDATE SET reserved = reserved - ?3,
               lost = lost + ?3 + max(accepted - delivered - reserved - lost - max(reports - ?4, 0), 0),
               refused = CASE WHEN reports > ?4 THEN refused ELSE 1 END",
        )?
        .execute(params![self.template, self.openid, i64::try_from(lost).unwrap_or(i64::MAX), number(seen)])
        .map(drop)
    }

    fn update(&self, db: &Connection, sql: &str) -> rusqlite::Result<()> {
        db.prepare_cached(sql)?.execute(params![self.template, self.openid]).map(drop)
    }
}
