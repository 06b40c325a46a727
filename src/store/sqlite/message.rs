//! Messages: opened, closed, refused. Each is one transaction of few statements.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::code::{millis, now};
use super::outbox::{Stay, UnderWay};
use super::row::{Closing, Stored, find, live};
use super::settle::{NO_GRANT, Sending, Standing};
use super::written::Written;
use super::{account, quota, settle};
use crate::store::{Begin, Begun, Delivery, End, Grant, LocalRefusal, MessageId, Millis, Pause, Settlement, State};

/// What `begin` must know, from one statement.
struct Context {
    account: i64,
    template: i64,
    pause: Option<Pause>,
    standing: Standing,
}

pub(super) fn begin(db: &Connection, begin: &Begin<'_>) -> rusqlite::Result<Begun> {
    let now = now();
    let context = Context::read(db, begin, now)?;
    let former = match live(db, context.account, begin, now)? {
        Some(stored) if stored.state == State::Sending => {
            if stored.lease > now && stored.call == begin.id && stored.stay == Stay::Never {
                let Stored { shown, grant, seen, .. } = stored;
                return Ok(Begun::Go { id: shown.id, epoch: shown.epoch, grant, seen });
            }
            if stored.lease > now && begin.abandoned != Some((stored.shown.id, stored.shown.epoch)) {
                return Ok(Begun::UnderWay(stored.shown, stored.owner));
            }
            return give_up(db, context.account, begin, stored, now).map(Begun::Known);
        }
        Some(stored) if stored.shown.state == State::Queued => return Ok(Begun::UnderWay(stored.shown, stored.owner)),
        // Its time is over, though nobody has come to say so.
        Some(stored) if stored.state == State::Queued => return Ok(Begun::Known(stored.shown)),
        Some(stored) if stored.last_word => return Ok(Begun::Known(stored.shown)),
        former => former,
    };
    let mut written = Written::after(db, context.account, begin, former)?;
    let refusal = match (&context.pause, context.standing.grant(begin.channel, begin.policy)) {
        (Some(pause), _) => Err((pause.errcode, Begun::Paused { id: written.id, pause: pause.clone() })),
        (None, Err(certain)) => Err((NO_GRANT, Begun::NoGrant { id: written.id, certain })),
        (None, Ok(grant)) => Ok(grant),
    };
    let seen = if begin.counts_grants() { context.standing.reports } else { 0 };
    let begun = match refusal {
        Ok(grant) => {
            written.grant = grant;
            written.seen = seen;
            if grant == Grant::Reserved {
                let sending =
                    Sending { id: written.id, epoch: written.epoch, template: context.template, openid: begin.openid };
                sending.reserve(db, now.saturating_add(millis(begin.lease)))?;
            }
            Begun::Go { id: written.id, epoch: written.epoch, grant, seen }
        }
        Err((errcode, begun)) => {
            written.state = State::Refused;
            written.errcode = Some(errcode);
            written.finished = Some(now);
            begun
        }
    };
    written.insert(db, (context.account, context.template), begin, now)?;
    Ok(begun)
}

pub(super) fn finish(db: &Connection, begin: &Begin<'_>, epoch: u32, end: &End<'_>) -> rusqlite::Result<()> {
    let now = now();
    let account = account::intern(db, begin.appid)?;
    let stored = find(db, account, begin, now)?;
    let counted = stored.as_ref().is_some_and(|stored| stored.had(begin, epoch) && stored.has_counted(epoch));
    if !counted {
        quota::count(db, account, end.api, end.day, end.attempts)?;
    }
    let (id, template) = match stored {
        Some(stored) if stored.awaits(begin, epoch) => {
            close(db, account, begin, &stored, end, now)?;
            (stored.shown.id, stored.template)
        }
        Some(stored) if stored.had(begin, epoch) && !counted => return stored.mark_counted(db, account, epoch),
        Some(_) => return Ok(()),
        None => {
            // The store was lost meanwhile; the record shall not be.
            let template = account::intern_template(db, account, begin.template_id)?;
            Written::closed(begin, epoch, end, now).insert(db, (account, template), begin, now)?;
            (begin.id, template)
        }
    };
    if let Some(pause) = &end.pause {
        quota::pause(db, account, end.api, pause)?;
    }
    Sending { id, epoch, template, openid: begin.openid }.settle(db, end.grant, end.settlement, now)
}

pub(super) fn refuse(db: &Connection, begin: &Begin<'_>, refusal: &LocalRefusal<'_>) -> rusqlite::Result<MessageId> {
    let now = now();
    let account = account::intern(db, begin.appid)?;
    let template = account::intern_template(db, account, begin.template_id)?;
    let former = live(db, account, begin, now)?;
    let stands = |stored: &&Stored| stored.last_word || matches!(stored.state, State::Sending | State::Queued);
    if let Some(stored) = former.as_ref().filter(stands) {
        return Ok(stored.shown.id);
    }
    let written = Written {
        state: State::Refused,
        errcode: Some(refusal.errcode),
        errmsg: refusal.errmsg,
        finished: Some(now),
        ..Written::after(db, account, begin, former)?
    };
    written.insert(db, (account, template), begin, now)?;
    Ok(written.id)
}

/// Writes the verdict; a message of the outbox leaves it, or waits for its next attempt.
fn close(
    db: &Connection,
    account: i64,
    begin: &Begin<'_>,
    stored: &Stored,
    end: &End<'_>,
    now: Millis,
) -> rusqlite::Result<()> {
    let closing = match (end.again, UnderWay::of(account, stored)) {
        (Some(wait), Some(message)) => {
            let due = now.saturating_add(millis(wait));
            if message.put_off(db, due)? { Closing::PutOff(due) } else { Closing::NotSent }
        }
        (Some(_), None) => Closing::NotSent,
        (None, Some(message)) => {
            message.leave(db)?;
            Closing::Ended
        }
        (None, None) => Closing::Ended,
    };
    stored.close(db, account, begin, (end, &closing), now)
}

/// Nobody will close it any more: unknown, which is the last word, and what it reserved stays reserved.
pub(super) fn give_up(
    db: &Connection,
    account: i64,
    begin: &Begin<'_>,
    stored: Stored,
    now: Millis,
) -> rusqlite::Result<Delivery> {
    if let Some(message) = UnderWay::of(account, &stored) {
        message.leave(db)?;
    }
    stored.mark_unknown(db, account, now.saturating_add(millis(begin.retention)))?;
    // The openid does not matter: the reservation is found by id and epoch.
    Sending { id: stored.shown.id, epoch: stored.shown.epoch, template: stored.template, openid: "" }.settle(
        db,
        stored.grant,
        Settlement::Kept,
        now,
    )?;
    Ok(Delivery { state: State::Unknown, ..stored.shown })
}

impl Context {
    fn read(db: &Connection, begin: &Begin<'_>, now: Millis) -> rusqlite::Result<Self> {
        const SELECT: &str = concat!(
            "SELECT a.id, t.id, p.errcode, p.ends, ",
            settle::standing!(),
            " FROM account a CROSS JOIN template t ON t.account = a.id AND t.name = ?2
              LEFT JOIN pause p ON p.account = a.id AND p.api = ?3 AND p.ends > ?4
              LEFT JOIN ledger l ON l.template = t.id AND l.openid = ?5 WHERE a.appid = ?1"
        );
        let read = || {
            let values = params![begin.appid, begin.template_id, begin.channel.path(), now, begin.openid];
            db.prepare_cached(SELECT)?.query_row(values, Self::from_row).optional()
        };
        if let Some(context) = read()? {
            return Ok(context);
        }
        let account = account::intern(db, begin.appid)?;
        account::intern_template(db, account, begin.template_id)?;
        read()?.ok_or(rusqlite::Error::QueryReturnedNoRows)
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let pause = match (row.get(2)?, row.get(3)?) {
            (Some(errcode), Some(until)) => Some(Pause { errcode, until }),
            _ => None,
        };
        Ok(Self { account: row.get(0)?, template: row.get(1)?, pause, standing: Standing::read(row, 4)? })
    }
}
