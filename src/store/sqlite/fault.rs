//! What SQLite and the file system report, as faults of the store.

use std::io;

use rusqlite::ErrorCode;
use rusqlite::ffi::{SQLITE_IOERR, SQLITE_IOERR_SHMSIZE, SQLITE_IOERR_WRITE};

use crate::store::{Fault, StoreError};

/// The deadline is over.
pub(super) fn timeout(detail: &str) -> StoreError {
    StoreError::new(Fault::Timeout, detail)
}

/// A failed call on a file or directory of ours.
pub(super) fn from_io(what: &str, error: &io::Error) -> StoreError {
    let fault = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => Fault::Full,
        io::ErrorKind::ReadOnlyFilesystem => Fault::ReadOnly,
        _ => Fault::Unreachable,
    };
    StoreError::new(fault, format!("{what}: {error}"))
}

/// A failed statement. SQLite's texts name tables and columns, never values.
pub(super) fn from_sqlite(error: &rusqlite::Error) -> StoreError {
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        let fault = if is_unreadable(error) { Fault::Corrupt } else { Fault::Other };
        return StoreError::new(fault, error.to_string());
    };
    let fault = match failure.code {
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Fault::Corrupt,
        ErrorCode::DiskFull => Fault::Full,
        ErrorCode::ReadOnly => Fault::ReadOnly,
        ErrorCode::CannotOpen | ErrorCode::PermissionDenied => Fault::Unreachable,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::OperationInterrupted => Fault::Timeout,
        // SQLite says so of a quota or a file size limit; of a full disk it says SQLITE_FULL.
        _ if matches!(failure.extended_code, SQLITE_IOERR_WRITE | SQLITE_IOERR_SHMSIZE) => Fault::Full,
        _ => Fault::Other,
    };
    StoreError::new(fault, error.to_string())
}

/// A failed COMMIT. After an I/O error nobody knows whether the log holds it.
pub(super) fn from_commit(error: &rusqlite::Error) -> StoreError {
    let of_disk = error.sqlite_error().is_some_and(|failure| failure.extended_code & 0xff == SQLITE_IOERR);
    StoreError { maybe_done: of_disk, ..from_sqlite(error) }
}

/// Whether SQLite itself found the file damaged.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

/// Whether the connection can go on after this error.
pub(super) fn leaves_connection_usable(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::OperationInterrupted
                | ErrorCode::ConstraintViolation
        )
    )
}

fn is_unreadable(error: &rusqlite::Error) -> bool {
    matches!(
        error,
        rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::Utf8Error(..)
    )
}
