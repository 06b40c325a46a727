//! Accounts and templates, which the other tables know by their numbers.

use rusqlite::{Connection, OptionalExtension, params};

/// The number of an account, if it is known.
pub(super) fn find(db: &Connection, appid: &str) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT id FROM account WHERE appid = ?1")?.query_row([appid], |row| row.get(0)).optional()
}

/// The number of an account, which is given one if it has none.
pub(super) fn intern(db: &Connection, appid: &str) -> rusqlite::Result<i64> {
    if let Some(account) = find(db, appid)? {
        return Ok(account);
    }
    db.prepare_cached("INSERT INTO account (appid) VALUES (?1)")?.insert([appid])
}

/// The number of a template, if it is known.
pub(super) fn find_template(db: &Connection, account: i64, name: &str) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT id FROM template WHERE account = ?1 AND name = ?2")?
        .query_row(params![account, name], |row| row.get(0))
        .optional()
}

/// The number of a template, which is given one if it has none.
pub(super) fn intern_template(db: &Connection, account: i64, name: &str) -> rusqlite::Result<i64> {
    if let Some(template) = find_template(db, account, name)? {
        return Ok(template);
    }
    db.prepare_cached("INSERT INTO template (account, name) VALUES (?1, ?2)")?.insert(params![account, name])
}
