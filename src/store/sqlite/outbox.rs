//! One message of the outbox: accepted, put off, taken out. Each receiver has a lane, of which the first one alone can be due.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::code::{Code, millis};
use super::message::give_up;
use super::row::{Stored, live};
use super::written::Written;
use super::{account, code};
use crate::store::{Begin, Enqueued, MessageId, Millis, Parcel, State};

/// What the first message of a receiver waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wait {
    /// Nothing: it is due at once, whatever the clock says.
    Nothing,
    /// Its time.
    Time,
    /// The end of its lease: it is under way.
    Lease,
}

/// Where a message is: [`code::Code`] of the column `outbox` of a delivery row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stay {
    /// Never queued.
    Never,
    /// In the outbox.
    Within,
    /// It has left the outbox.
    Left,
}

/// A delivery row does not expire while its message is in the outbox.
pub(super) const FOREVER: Millis = Millis::MAX;

/// What `enqueue` must know, from one statement: numbers, the settings' version, the first message of the receiver.
pub(super) const CONTEXT: &str = "SELECT a.id, t.id, s.version, o.place, o.id
    FROM account a CROSS JOIN template t ON t.account = a.id AND t.name = ?2
    LEFT JOIN sender s ON s.account = a.id LEFT JOIN outbox o ON o.account = a.id AND o.openid = ?3
    WHERE a.appid = ?1 ORDER BY o.place, o.id LIMIT 1";
/// The first one of a receiver is due.
pub(super) const PROMOTE: &str = "UPDATE outbox SET due = place WHERE account = ?1 AND openid = ?2
    AND (place, id) = (SELECT place, id FROM outbox WHERE account = ?1 AND openid = ?2 ORDER BY place, id LIMIT 1)
    RETURNING due, id, place, channel, wait";

struct Context {
    account: i64,
    template: i64,
    version: Option<String>,
    first: Option<(Millis, Vec<u8>)>,
}

impl Context {
    fn read(db: &Connection, begin: &Begin<'_>) -> rusqlite::Result<Self> {
        let read = || {
            let values = params![begin.appid, begin.template_id, begin.openid];
            db.prepare_cached(CONTEXT)?.query_row(values, Self::from_row).optional()
        };
        if let Some(context) = read()? {
            return Ok(context);
        }
        let account = account::intern(db, begin.appid)?;
        account::intern_template(db, account, begin.template_id)?;
        read()?.ok_or(rusqlite::Error::QueryReturnedNoRows)
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let first = match row.get(3)? {
            Some(place) => Some((place, row.get_ref(4)?.as_bytes()?.to_vec())),
            None => None,
        };
        Ok(Self { account: row.get(0)?, template: row.get(1)?, version: row.get(2)?, first })
    }
}

pub(super) fn enqueue(db: &Connection, begin: &Begin<'_>, parcel: &Parcel<'_>) -> rusqlite::Result<Enqueued> {
    let now = code::now();
    let context = Context::read(db, begin)?;
    let due = now.saturating_add(millis(parcel.delay));
    let gives_up = due.saturating_add(millis(parcel.expires));
    let mut written = Written::fresh(begin);
    let insert = |written: &Written<'_>| insert(db, &context, begin, written, (now, due, gives_up));
    // Nearly always nothing is in the way, and nothing was looked up for that.
    if !insert(&written)? {
        match live(db, context.account, begin, now)? {
            Some(stored) if stored.call == begin.id && stored.stay != Stay::Never => {
                return Ok(Enqueued::Queued(stored.shown.id));
            }
            Some(stored) if stored.state == State::Sending && stored.lease <= now && stored.stay != Stay::Within => {
                return give_up(db, context.account, begin, stored, now).map(Enqueued::Known);
            }
            Some(stored) if stored.last_word || matches!(stored.state, State::Sending | State::Queued) => {
                return Ok(Enqueued::Known(stored.shown));
            }
            former => written = Written::after(db, context.account, begin, former)?,
        }
        if !insert(&written)? {
            // Its id is that of a message with another key.
            return Err(rusqlite::Error::QueryReturnedNoRows);
        }
    }
    let is_first =
        context.first.as_ref().is_none_or(|first| (due, written.id.as_bytes().as_slice()) < (first.0, &first.1));
    if let Some((place, id)) = context.first.filter(|_| is_first) {
        db.prepare_cached(
            "UPDATE outbox SET due = NULL WHERE account = ?1 AND openid = ?2 AND place = ?3 AND id = ?4",
        )?
        .execute(params![context.account, begin.openid, place, id])?;
    }
    let wait = if parcel.delay.is_zero() { Wait::Nothing } else { Wait::Time };
    db.prepare_cached(
        "INSERT INTO outbox (account, openid, place, id, channel, wait, due, policy, timeout, resend, tries, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, ?11)",
    )?
    .execute(params![
        context.account,
        begin.openid,
        due,
        written.id.as_bytes(),
        begin.channel.code(),
        wait.code(),
        is_first.then_some(due),
        begin.policy.code(),
        millis(parcel.timeout),
        parcel.resend_unknown,
        parcel.body,
    ])?;
    if context.version.as_deref() != Some(parcel.sender.version.as_str()) {
        db.prepare_cached("INSERT OR REPLACE INTO sender (account, version, settings) VALUES (?1, ?2, ?3)")?
            .execute(params![context.account, parcel.sender.version, parcel.sender.settings.reveal()])?;
    }
    Ok(Enqueued::Queued(written.id))
}

/// Whether nothing was in the way. Expired rows are taken away by those who claim.
fn insert(
    db: &Connection,
    context: &Context,
    begin: &Begin<'_>,
    written: &Written<'_>,
    (now, due, gives_up): (Millis, Millis, Millis),
) -> rusqlite::Result<bool> {
    let added = db
        .prepare_cached(
            "INSERT INTO delivery (account, id, epoch, call, owner, template, openid, channel, key, state, last_word, lease,
               taken, seen, counted, errmsg, from_wechat, attempts, changed, payload, begun, expires, outbox, due,
               gives_up, receiver, missed)
             VALUES (?1, ?2, ?3, ?4, '', ?5, ?6, ?7, ?8, ?9, 0, 0, ?10, 0, ?11, '', 0, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
               ?19, ?20, ?21)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            context.account,
            written.id.as_bytes(),
            written.epoch,
            begin.id.as_bytes(),
            context.template,
            begin.shown_openid,
            begin.channel.code(),
            begin.key,
            State::Queued.code(),
            written.grant.code(),
            written.counted,
            written.attempts,
            begin.changed,
            begin.payload,
            now,
            FOREVER,
            Stay::Within.code(),
            due,
            gives_up,
            (begin.openid != begin.shown_openid).then_some(begin.openid),
            written.missed,
        ])?;
    Ok(added > 0)
}

/// A message under way, as its delivery row leads to it.
pub(super) struct UnderWay<'a> {
    account: i64,
    openid: &'a str,
    id: MessageId,
}

impl<'a> UnderWay<'a> {
    /// `None` if it is not in the outbox.
    pub(super) fn of(account: i64, stored: &'a Stored) -> Option<Self> {
        let openid = stored.receiver.as_deref().unwrap_or(&stored.shown.openid);
        (stored.stay == Stay::Within).then_some(Self { account, openid, id: stored.shown.id })
    }

    /// It is tried again. `false` if it was not there.
    pub(super) fn put_off(&self, db: &Connection, due: Millis) -> rusqlite::Result<bool> {
        let changed = db
            .prepare_cached(
                "UPDATE outbox SET wait = ?5, due = ?4, tries = tries + 1
                 WHERE account = ?1 AND openid = ?2 AND place = 0 AND id = ?3",
            )?
            .execute(params![self.account, self.openid, self.id.as_bytes(), due, Wait::Time.code(),])?;
        Ok(changed > 0)
    }

    /// It leaves the outbox, and the next one of its receiver is the first.
    pub(super) fn leave(&self, db: &Connection) -> rusqlite::Result<()> {
        take_out(db, self.account, (self.openid.as_bytes(), 0, self.id.as_bytes())).map(drop)
    }
}

/// The next one of a receiver, which is the first now.
pub(super) struct Promoted {
    pub(super) due: Millis,
    pub(super) id: Vec<u8>,
    pub(super) place: Millis,
    pub(super) channel: i64,
    pub(super) wait: Wait,
}

/// Deletes a row by its openid, place and id, whatever is in them.
pub(super) fn take_out(
    db: &Connection,
    account: i64,
    (openid, place, id): (&[u8], Millis, &[u8]),
) -> rusqlite::Result<Option<Promoted>> {
    let openid = text(openid);
    db.prepare_cached("DELETE FROM outbox WHERE account = ?1 AND openid = ?2 AND place = ?3 AND id = ?4")?
        .execute(params![account, openid, place, id])?;
    db.prepare_cached(PROMOTE)?
        .query_row(params![account, openid], |row| {
            Ok(Promoted {
                due: row.get(0)?,
                id: row.get_ref(1)?.as_bytes()?.to_vec(),
                place: row.get(2)?,
                channel: row.get(3)?,
                wait: Wait::read(row, 4)?,
            })
        })
        .optional()
}

/// As the column holds it, even where it is no UTF-8.
pub(super) fn text(bytes: &[u8]) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(ValueRef::Text(bytes))
}
