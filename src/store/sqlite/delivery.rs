//! Delivery rows: how they are read, and found.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::account;
use super::code::{Code, now, read_id};
use crate::store::{Delivery, Filter, MessageId, Millis, State};

/// The columns that [`read`] takes, and whence.
macro_rules! select {
    ($more:literal, $index:literal) => {
        concat!(
            "SELECT d.id, d.epoch, d.openid, t.name, d.channel, d.key, d.state, d.errcode, d.errmsg, d.from_wechat,
               d.msgid, d.rid, d.attempts, d.changed, d.payload, d.begun, d.finished, d.lease,
               d.due, d.gives_up, d.unsure, d.receipt",
            $more,
            " FROM delivery d ",
            $index,
            " CROSS JOIN template t ON t.id = d.template WHERE d.account = ?1"
        )
    };
}
pub(super) use select;

macro_rules! range {
    () => {
        " AND d.id < ?2 AND d.id >= ?3 AND d.expires > ?4"
    };
}

macro_rules! newest_first {
    () => {
        " ORDER BY d.id DESC"
    };
}

/// Listings: of an account, of a user, by a key.
pub(super) const LISTINGS: [&str; 3] = [
    concat!(select!(", d.template", ""), range!(), " AND ?5 IS NULL", newest_first!()),
    concat!(select!(", d.template", "INDEXED BY delivery_openid"), range!(), " AND d.openid = ?5", newest_first!()),
    concat!(select!(", d.template", "INDEXED BY delivery_key"), range!(), " AND d.key = ?5", newest_first!()),
];
/// How many columns [`select`] has of its own.
pub(super) const COLUMNS: usize = 22;
/// Rows that one query of a listing looks at, so that a rare match does not hold the gate for long.
const SLICE: usize = 5000;

/// Reads a row as it is at this moment: one whose lease is over without an end is unknown, one that has waited too long has
/// expired.
pub(super) fn read(row: &Row<'_>, now: Millis) -> rusqlite::Result<Delivery> {
    let state = match State::read(row, 6)? {
        State::Sending if row.get::<_, Millis>(17)? <= now => State::Unknown,
        State::Queued if row.get::<_, Millis>(19)? <= now => end_of_time(row.get(20)?),
        state => state,
    };
    Ok(Delivery {
        id: read_id(row, 0)?,
        epoch: row.get(1)?,
        openid: row.get(2)?,
        template_id: row.get(3)?,
        channel: Code::read(row, 4)?,
        key: row.get(5)?,
        state,
        errcode: row.get(7)?,
        errmsg: row.get(8)?,
        from_wechat: row.get(9)?,
        msgid: row.get(10)?,
        rid: row.get(11)?,
        attempts: row.get(12)?,
        changed: row.get(13)?,
        payload: row.get(14)?,
        begun: row.get(15)?,
        finished: row.get(16)?,
        due: if state == State::Queued { row.get(18)? } else { None },
        receipt: row.get(21)?,
    })
}

/// The state of a message whose time is over, after so many attempts that may have delivered it.
pub(super) fn end_of_time(unsure: u32) -> State {
    if unsure > 0 { State::Unknown } else { State::Expired }
}

pub(super) fn find(db: &Connection, appid: &str, id: MessageId) -> rusqlite::Result<Option<Delivery>> {
    let Some(account) = account::find(db, appid)? else { return Ok(None) };
    let now = now();
    db.prepare_cached(concat!(select!("", ""), " AND d.id = ?2 AND d.expires > ?3"))?
        .query_row(params![account, id.as_bytes(), now], |row| read(row, now))
        .optional()
}

/// A part of a listing.
pub(super) struct Slice {
    pub(super) rows: Vec<Delivery>,
    /// Where the next part begins; `None` if nothing is left.
    pub(super) next: Option<MessageId>,
}

/// Matching rows below `before`, newest first: `limit` of them, or those among so many rows that one slice looks at.
pub(super) fn list(
    db: &Connection,
    appid: &str,
    filter: &Filter<'_>,
    before: Option<MessageId>,
    limit: usize,
) -> rusqlite::Result<Slice> {
    let mut slice = Slice { rows: Vec::new(), next: None };
    let Some(account) = account::find(db, appid)? else { return Ok(slice) };
    let template = match filter.template_id {
        Some(name) => match account::find_template(db, account, name)? {
            Some(template) => Some(template),
            None => return Ok(slice),
        },
        None => None,
    };
    let now = now();
    let since = MessageId::floor(filter.since.unwrap_or(0));
    // Longer than any id, so above all of them.
    let top = before.map_or_else(|| vec![0xff; 17], |id| id.as_bytes().to_vec());
    let [all, of_user, by_key] = LISTINGS;
    let mut statement = db.prepare_cached(match (filter.key, filter.openid) {
        (Some(_), _) => by_key,
        (None, Some(_)) => of_user,
        (None, None) => all,
    })?;
    let found_by = filter.key.or(filter.openid);
    let mut rows = statement.query(params![account, top, since.as_bytes(), now, found_by])?;
    for _ in 0..SLICE {
        let Some(row) = rows.next()? else {
            slice.next = None;
            break;
        };
        slice.next = Some(read_id(row, 0)?);
        if template.is_some_and(|template| row.get(COLUMNS) != Ok(template)) {
            continue;
        }
        let delivery = read(row, now)?;
        if filter.state.is_none_or(|state| state == delivery.state)
            && filter.openid.is_none_or(|openid| openid == delivery.openid)
        {
            slice.rows.push(delivery);
            if slice.rows.len() >= limit {
                break;
            }
        }
    }
    Ok(slice)
}
