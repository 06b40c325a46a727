//! What a message takes from the ledger, and what its end means for it.
//!
//! A reservation has a row of its own, by the message's id and epoch, so that nothing is given back or spent twice:
//! who deletes the row moves the count.

use rusqlite::{Connection, Row, params};

use super::code::{number, read_count};
use super::ledger;
use crate::config::GrantPolicy;
use crate::message::Channel;
use crate::store::{Choice, Grant, LedgerRow, MessageId, Millis, Settlement};

/// The errcode of a refusal by the ledger: WeChat's own for a user without a grant.
pub(super) const NO_GRANT: i64 = 43101;

/// The columns that [`Standing::read`] takes, from aliases `t` and `l`; the latter may be joined in vain.
macro_rules! standing {
    () => {
        concat!("t.reported, l.reports, ", crate::store::sqlite::ledger::columns!())
    };
}
pub(super) use standing;

/// How a user stands with a template.
pub(super) struct Standing {
    pub(super) reported: bool,
    row: LedgerRow,
    /// Accepts reported so far.
    pub(super) reports: u64,
}

impl Standing {
    /// Reads [`standing`] that begins at `first`.
    pub(super) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let has_row = row.get::<_, Option<i64>>(first + 1)?.is_some();
        Ok(Self {
            reported: row.get(first)?,
            row: if has_row { ledger::read(row, first + 2)? } else { LedgerRow::default() },
            reports: if has_row { read_count(row, first + 1)? } else { 0 },
        })
    }

    /// What the ledger gives, or whether its refusal is certain.
    pub(super) fn grant(&self, channel: Channel, policy: GrantPolicy) -> Result<Grant, bool> {
        if channel == Channel::Template {
            Ok(Grant::Uncounted)
        } else if self.row.refused && self.reported && policy != GrantPolicy::Off {
            Err(true)
        } else if self.row.long_term && self.row.state == Some(Choice::Accept) {
            Ok(Grant::LongTerm)
        } else if self.row.available > 0 {
            Ok(Grant::Reserved)
        } else if policy == GrantPolicy::Strict {
            Err(false)
        } else if self.reported {
            Ok(Grant::OnCredit)
        } else {
            Ok(Grant::Uncounted)
        }
    }
}

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

    /// Goes on with what an earlier attempt has kept. `false` if that is lost.
    pub(super) fn take_over(&self, db: &Connection, former: u32, lapses: Millis) -> rusqlite::Result<bool> {
        let taken = db
            .prepare_cached("UPDATE reservation SET epoch = ?3, lapses = ?4 WHERE id = ?1 AND epoch = ?2")?
            .execute(params![self.id.as_bytes(), former, self.epoch, lapses])?;
        Ok(taken > 0)
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
