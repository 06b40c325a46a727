//! The ledger: what users have accepted, and who can still be reached.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::code::{Code, millis, now, read_count, read_optional};
use super::recent::Recent;
use super::{account, expired};
use crate::store::{Choice, GrantReport, LedgerRow, Millis, Page, Recorded, Source};

/// The columns that [`read`] takes, from alias `l`.
macro_rules! columns {
    () => {
        "l.accepted, l.delivered, l.reserved, l.lost, l.choice, l.long_term, l.refused"
    };
}
pub(super) use columns;

/// Reads [`columns`] that begin at `first`.
pub(super) fn read(row: &Row<'_>, first: usize) -> rusqlite::Result<LedgerRow> {
    let [accepted, delivered, reserved, lost] = [0, 1, 2, 3].map(|column| read_count(row, first + column));
    let (accepted, delivered, reserved, lost) = (accepted?, delivered?, reserved?, lost?);
    Ok(LedgerRow {
        available: accepted.saturating_sub(delivered).saturating_sub(reserved).saturating_sub(lost),
        reserved,
        accepted,
        delivered,
        lost,
        state: read_optional(row, first + 4)?,
        long_term: row.get(first + 5)?,
        refused: row.get(first + 6)?,
    })
}

pub(super) fn record(db: &Connection, report: &GrantReport<'_>) -> rusqlite::Result<Recorded> {
    let now = now();
    let account = account::intern(db, report.appid)?;
    let duplicate = !remember(db, account, report, now)?;
    let mut rows = Vec::with_capacity(report.choices.len());
    for (name, choice) in report.choices {
        let template = account::intern_template(db, account, name)?;
        if !duplicate {
            apply(db, template, report, *choice, now)?;
        }
        rows.push(find(db, template, report.openid)?.unwrap_or_default());
    }
    if !duplicate {
        expired::RECENT_ANSWERS.delete(db, now, report.choices.len() + 1)?;
    }
    Ok(Recorded { duplicate, rows })
}

/// Whether the report's token is new. Takes two old ones away.
fn remember(db: &Connection, account: i64, report: &GrantReport<'_>, now: i64) -> rusqlite::Result<bool> {
    let added = db
        .prepare_cached(
            "INSERT INTO report_token (account, token, expires) VALUES (?1, ?2, ?3)
             ON CONFLICT (account, token) DO UPDATE SET expires = excluded.expires WHERE expires <= ?4",
        )?
        .execute(params![account, report.token, now.saturating_add(millis(report.remember)), now])?;
    if added > 0 {
        expired::REPORT_TOKENS.delete(db, now, 2)?;
    }
    Ok(added > 0)
}

fn apply(
    db: &Connection,
    template: i64,
    report: &GrantReport<'_>,
    choice: Choice,
    now: Millis,
) -> rusqlite::Result<()> {
    let mut recent = Recent::find(db, template, report.openid, now)?;
    let is_latest = recent.answer(report.at.map_or(now, |at| at.min(now)), now);
    let is_accept = choice == Choice::Accept;
    // Whether it is an accept of which the ledger does not know yet.
    let is_news = is_accept && (report.long_term || !recent.accept(report.source.is_push(), now));
    recent.keep(db, template, report.openid, now)?;
    if is_news {
        db.prepare_cached("UPDATE template SET reported = 1 WHERE id = ?1 AND NOT reported")?.execute([template])?;
    }
    let refused = match (is_latest, is_accept, report.source) {
        (true, true, _) => Some(false),
        (true, false, Source::Change) => Some(true),
        _ => None,
    };
    db.prepare_cached(
        "INSERT INTO ledger (template, openid, choice, accepted, reports, long_term, refused)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, coalesce(?7, 0))
         ON CONFLICT (template, openid) DO UPDATE SET choice = coalesce(excluded.choice, choice),
           accepted = accepted + excluded.accepted, reports = reports + excluded.reports,
           long_term = long_term OR excluded.long_term,
           refused = coalesce(?7, refused AND NOT (excluded.reports AND choice = 0))",
    )?
    .execute(params![
        template,
        report.openid,
        is_latest.then(|| choice.code()),
        is_news && !report.long_term,
        is_news,
        is_accept && report.long_term,
        refused
    ])
    .map(drop)
}

fn find(db: &Connection, template: i64, openid: &str) -> rusqlite::Result<Option<LedgerRow>> {
    db.prepare_cached(concat!("SELECT ", columns!(), " FROM ledger l WHERE l.template = ?1 AND l.openid = ?2"))?
        .query_row(params![template, openid], |row| read(row, 0))
        .optional()
}

/// One user's rows. An account has some dozens of templates, each of which is looked up: cheaper than an index that every
/// new user of the ledger would have to enter.
pub(super) fn grants(
    db: &Connection,
    appid: &str,
    openid: &str,
    template_id: Option<&str>,
) -> rusqlite::Result<Vec<(String, LedgerRow)>> {
    let Some(account) = account::find(db, appid)? else { return Ok(Vec::new()) };
    if let Some(name) = template_id {
        let Some(template) = account::find_template(db, account, name)? else { return Ok(Vec::new()) };
        return Ok(find(db, template, openid)?.map(|row| (name.to_owned(), row)).into_iter().collect());
    }
    db.prepare_cached(concat!(
        "SELECT t.name, ",
        columns!(),
        " FROM template t CROSS JOIN ledger l ON l.template = t.id AND l.openid = ?2
          WHERE t.account = ?1 ORDER BY t.name"
    ))?
    .query_map(params![account, openid], |row| Ok((row.get(0)?, read(row, 1)?)))?
    .collect()
}

// The condition is the one of the index, word by word, or SQLite cannot use it.
pub(super) const FIRST_PAGE: &str =
    "SELECT openid, accepted - delivered - reserved - lost FROM ledger INDEXED BY ledger_reachable
    WHERE template = ?1 AND (accepted - delivered - reserved - lost > 0 OR (long_term AND choice = 0 AND NOT refused))
    ORDER BY openid LIMIT ?2";
pub(super) const NEXT_PAGE: &str =
    "SELECT openid, accepted - delivered - reserved - lost FROM ledger INDEXED BY ledger_reachable
    WHERE template = ?1 AND openid > ?3
      AND (accepted - delivered - reserved - lost > 0 OR (long_term AND choice = 0 AND NOT refused))
    ORDER BY openid LIMIT ?2";

pub(super) fn audience(
    db: &Connection,
    appid: &str,
    template_id: &str,
    cursor: Option<&str>,
    limit: usize,
) -> rusqlite::Result<Page> {
    let Some(account) = account::find(db, appid)? else { return Ok(Page::default()) };
    let Some(template) = account::find_template(db, account, template_id)? else { return Ok(Page::default()) };
    let limit = limit.clamp(1, 10_000);
    // One more than asked for tells whether there is a next page.
    let rows = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let read = |row: &Row<'_>| Ok((row.get(0)?, read_count(row, 1)?.max(1)));
    let mut users: Vec<(String, u64)> = match cursor {
        None => db.prepare_cached(FIRST_PAGE)?.query_map(params![template, rows], read)?.collect::<Result<_, _>>(),
        Some(last) => db.prepare_cached(NEXT_PAGE)?.query_map(params![template, rows, last], read)?.collect(),
    }?;
    let more = users.len() > limit;
    users.truncate(limit);
    let cursor = users.last().filter(|_| more).map(|(openid, _)| openid.clone());
    Ok(Page { users, cursor })
}
