//! What WeChat says of a message after it has accepted it.

use rusqlite::{Connection, params};

use super::account;
use super::code::{now, number, read_id};
use crate::store::{MessageId, RECEIPT_ROWS, Receipt};

/// The rows of a receiver, newest first.
pub(super) const NEWEST: &str = "SELECT id, msgid FROM delivery INDEXED BY delivery_openid
    WHERE account = ?1 AND openid = ?2 AND expires > ?3 ORDER BY id DESC LIMIT ?4";

pub(super) fn record(db: &Connection, receipt: &Receipt<'_>) -> rusqlite::Result<Option<MessageId>> {
    let Some(account) = account::find(db, receipt.appid)? else { return Ok(None) };
    let mut statement = db.prepare_cached(NEWEST)?;
    let mut rows = statement.query(params![account, receipt.shown_openid, now(), number(RECEIPT_ROWS as u64)])?;
    while let Some(row) = rows.next()? {
        let msgid: Option<String> = row.get(1)?;
        if msgid.as_deref() != Some(receipt.msgid) {
            continue;
        }
        let id = read_id(row, 0)?;
        drop(rows);
        db.prepare_cached("UPDATE delivery SET receipt = ?3 WHERE account = ?1 AND id = ?2 AND receipt IS NULL")?
            .execute(params![account, id.as_bytes(), receipt.text])?;
        return Ok(Some(id));
    }
    Ok(None)
}
