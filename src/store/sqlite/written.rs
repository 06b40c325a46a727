//! One delivery row as it is written anew.

use rusqlite::{Connection, params};

use super::code::{Code, millis, number};
use super::expired;
use super::row::{Stored, delete};
use crate::store::{Begin, End, Grant, MessageId, Millis, State};

/// A row as it is written anew.
pub(super) struct Written<'a> {
    pub(super) id: MessageId,
    pub(super) epoch: u32,
    pub(super) state: State,
    pub(super) last_word: bool,
    pub(super) grant: Grant,
    pub(super) seen: u64,
    pub(super) counted: u32,
    pub(super) missed: i64,
    pub(super) errcode: Option<i64>,
    pub(super) errmsg: &'a str,
    pub(super) from_wechat: bool,
    pub(super) msgid: Option<&'a str>,
    pub(super) rid: Option<&'a str>,
    pub(super) attempts: u32,
    pub(super) finished: Option<Millis>,
}

impl<'a> Written<'a> {
    /// The first row of a message.
    pub(super) fn fresh(begin: &Begin<'_>) -> Self {
        Self {
            id: begin.id,
            epoch: 1,
            state: State::Sending,
            last_word: false,
            grant: Grant::Uncounted,
            seen: 0,
            counted: 0,
            missed: 0,
            errcode: None,
            errmsg: "",
            from_wechat: false,
            msgid: None,
            rid: None,
            attempts: 0,
            finished: None,
        }
    }

    /// Follows the row that was there, which is deleted.
    pub(super) fn after(
        db: &Connection,
        account: i64,
        begin: &Begin<'_>,
        former: Option<Stored>,
    ) -> rusqlite::Result<Self> {
        let Some(former) = former else { return Ok(Self::fresh(begin)) };
        delete(db, account, former.shown.id)?;
        Ok(Self {
            id: former.shown.id,
            epoch: former.shown.epoch.saturating_add(1),
            counted: former.counted,
            missed: former.missed,
            attempts: former.shown.attempts,
            ..Self::fresh(begin)
        })
    }

    /// The end of a message whose row is gone.
    pub(super) fn closed(begin: &Begin<'_>, epoch: u32, end: &End<'a>, now: Millis) -> Self {
        Self {
            id: begin.id,
            epoch,
            // Nobody will try it again: it is not in the outbox any more.
            state: if end.again.is_some() { State::NotSent } else { end.state },
            last_word: end.last_word && end.again.is_none(),
            grant: end.grant,
            seen: 0,
            counted: epoch,
            missed: 0,
            errcode: end.errcode,
            errmsg: end.errmsg,
            from_wechat: end.from_wechat,
            msgid: end.msgid,
            rid: end.rid,
            attempts: end.attempts,
            finished: Some(now),
        }
    }

    /// Takes two expired rows away as well, so that nobody has to sweep.
    pub(super) fn insert(
        &self,
        db: &Connection,
        (account, template): (i64, i64),
        begin: &Begin<'_>,
        now: Millis,
    ) -> rusqlite::Result<()> {
        db.prepare_cached(
            "INSERT INTO delivery (account, id, epoch, call, owner, template, openid, channel, key, state, last_word, lease,
               taken, seen, counted, errcode, errmsg, from_wechat, msgid, rid, attempts, changed, payload, begun, finished,
               expires, missed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
               ?23, ?24, ?25, ?26, ?27)",
        )?
        .execute(params![
            account,
            self.id.as_bytes(),
            self.epoch,
            begin.id.as_bytes(),
            if self.state == State::Sending { begin.owner.as_str() } else { "" },
            template,
            begin.shown_openid,
            begin.channel.code(),
            begin.key,
            self.state.code(),
            self.last_word,
            now.saturating_add(millis(begin.lease)),
            self.grant.code(),
            number(self.seen),
            self.counted,
            self.errcode,
            self.errmsg,
            self.from_wechat,
            self.msgid,
            self.rid,
            self.attempts,
            begin.changed,
            begin.payload,
            now,
            self.finished,
            now.saturating_add(millis(begin.retention)),
            self.missed,
        ])?;
        expired::DELIVERIES.delete(db, now, 2)
    }
}
