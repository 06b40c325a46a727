//! The tables, by version. A file's version is its `user_version`.

use rusqlite::{Connection, TransactionBehavior};

use super::connection::Failure;
use crate::store::{Fault, StoreError};

/// Says in the file's header that it is ours: "RTst".
const APPLICATION_ID: i64 = 0x5254_7374;
/// Each lifts the file by one version. What was released is never altered.
const MIGRATIONS: [&str; 3] = [include_str!("sql/001.sql"), include_str!("sql/002.sql"), include_str!("sql/003.sql")];

/// Whether the file is ours and not of a newer version. Nothing is written.
pub(super) fn check(connection: &Connection) -> Result<(), Failure> {
    if usize::try_from(version(connection)?).is_ok_and(|version| version > MIGRATIONS.len()) {
        return Err(StoreError::new(Fault::TooNew, "its tables are of a newer version").into());
    }
    let application: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let is_empty: bool = connection.query_row("SELECT count(*) = 0 FROM sqlite_master", [], |row| row.get(0))?;
    if application != APPLICATION_ID && !is_empty {
        return Err(StoreError::new(Fault::Corrupt, "a database of another application is in the way").into());
    }
    Ok(())
}

/// Brings the file to the present version.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Failure> {
    loop {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version = version(&transaction)?;
        let Some(migration) = usize::try_from(version).ok().and_then(|version| MIGRATIONS.get(version)) else {
            return Ok(());
        };
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", version + 1)?;
        transaction.commit()?;
    }
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}
