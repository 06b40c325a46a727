//! Messages: opened, closed, refused. Each is one transaction of few statements.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::code::{millis, now, read_count};
use super::row::{Stored, Written, find, live};
use super::settle::Sending;
use super::{account, ledger, quota};
use crate::config::GrantPolicy;
use crate::store::{
    Begin, Begun, Choice, Delivery, End, Grant, LedgerRow, LocalRefusal, MessageId, Millis, Pause, Settlement, State,
};

/// The errcode of a refusal by the ledger: WeChat's own for a user without a grant.
const NO_GRANT: i64 = 43101;

/// What `begin` must know, from one statement.
struct Context {
    account: i64,
    template: i64,
    reported: bool,
    pause: Option<Pause>,
    row: LedgerRow,
    /// Accepts reported so far.
    reports: u64,
}

pub(super) fn begin(db: &Connection, begin: &Begin<'_>) -> rusqlite::Result<Begun> {
    let now = now();
    let context = Context::read(db, begin, now)?;
    let former = match live(db, context.account, begin, now)? {
        Some(stored) if stored.state == State::Sending => {
            if stored.lease > now && stored.call == begin.id {
                let Stored { shown, grant, seen, .. } = stored;
                return Ok(Begun::Go { id: shown.id, epoch: shown.epoch, grant, seen });
            }
            if stored.lease > now && begin.abandoned != Some((stored.shown.id, stored.shown.epoch)) {
                return Ok(Begun::UnderWay(stored.shown, stored.owner));
            }
            return give_up(db, context.account, stored, now).map(Begun::Known);
        }
        Some(stored) if stored.last_word => return Ok(Begun::Known(stored.shown)),
        former => former,
    };
    let mut written = Written::after(db, context.account, begin, former)?;
    let refusal = match (&context.pause, context.grant(begin)) {
        (Some(pause), _) => Err((pause.errcode, Begun::Paused { id: written.id, pause: pause.clone() })),
        (None, Err(certain)) => Err((NO_GRANT, Begun::NoGrant { id: written.id, certain })),
        (None, Ok(grant)) => Ok(grant),
    };
    let seen = if begin.counts_grants() { context.reports } else { 0 };
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
    let counted = stored.as_ref().is_some_and(|stored| stored.had(begin, epoch) && stored.counted >= epoch);
    if !counted {
        quota::count(db, account, end.api, end.day, end.attempts)?;
    }
    let (id, template) = match stored {
        Some(stored) if stored.awaits(begin, epoch) => {
            stored.close(db, account, begin, end, now)?;
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
    if let Some(stands) = former.as_ref().filter(|stored| stored.last_word || stored.state == State::Sending) {
        return Ok(stands.shown.id);
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

/// Nobody will close it any more: unknown, which is the last word, and what it reserved stays reserved.
fn give_up(db: &Connection, account: i64, stored: Stored, now: Millis) -> rusqlite::Result<Delivery> {
    stored.mark_unknown(db, account)?;
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
            "SELECT a.id, t.id, t.reported, p.errcode, p.ends, l.reports, ",
            ledger::columns!(),
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
        let pause = match (row.get(3)?, row.get(4)?) {
            (Some(errcode), Some(until)) => Some(Pause { errcode, until }),
            _ => None,
        };
        let has_row = row.get::<_, Option<i64>>(5)?.is_some();
        Ok(Self {
            account: row.get(0)?,
            template: row.get(1)?,
            reported: row.get(2)?,
            pause,
            row: if has_row { ledger::read(row, 6)? } else { LedgerRow::default() },
            reports: if has_row { read_count(row, 5)? } else { 0 },
        })
    }

    /// What the ledger gives, or whether its refusal is certain.
    fn grant(&self, begin: &Begin<'_>) -> Result<Grant, bool> {
        if !begin.counts_grants() {
            Ok(Grant::Uncounted)
        } else if self.row.refused && self.reported && begin.policy != GrantPolicy::Off {
            Err(true)
        } else if self.row.long_term && self.row.state == Some(Choice::Accept) {
            Ok(Grant::LongTerm)
        } else if self.row.available > 0 {
            Ok(Grant::Reserved)
        } else if begin.policy == GrantPolicy::Strict {
            Err(false)
        } else if self.reported {
            Ok(Grant::OnCredit)
        } else {
            Ok(Grant::Uncounted)
        }
    }
}
