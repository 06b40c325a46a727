//! Opens SQLite on the store's file.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::directory::{Directory, Identity};
use super::fault::{from_sqlite, is_damage};
use super::schema;
use crate::store::{Durability, Fault, StoreError};

/// Statements kept prepared: all of ours, the variants of `deliveries()` included.
const STATEMENTS: usize = 128;
/// How long the log grows, in pages of 4 KiB, before somebody's COMMIT brings it into the file, for some 10 ms. SQLite's own 1000
/// would let one in eighty sends wait for that.
const CHECKPOINT_PAGES: i64 = 5000;
/// How many steps of SQLite's machine may pass before the deadline is looked at, some 20 µs.
const STEPS: i32 = 2000;

/// Why nothing was done.
#[derive(Debug)]
pub(super) enum Failure {
    /// SQLite found the file damaged.
    Damaged(String),
    /// Anything else.
    Store(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        if is_damage(&error) { Self::Damaged(error.to_string()) } else { Self::Store(from_sqlite(&error)) }
    }
}

/// When the present call must have ended, where SQLite's callbacks can see it.
#[derive(Clone)]
pub(super) struct Deadline {
    start: Instant,
    nanoseconds: Arc<AtomicU64>,
}

impl Deadline {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), nanoseconds: Arc::new(AtomicU64::new(0)) }
    }

    pub(super) fn set(&self, until: Instant) {
        let nanoseconds = until.saturating_duration_since(self.start).as_nanos();
        self.nanoseconds.store(u64::try_from(nanoseconds).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// What is left of it: so long SQLite waits for whoever writes past the gate (the `sqlite3` tool).
    pub(super) fn left(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed)).saturating_sub(self.start.elapsed())
    }

    fn is_over(&self) -> bool {
        self.left().is_zero()
    }
}

/// One connection, and which files it has open.
pub(super) struct Opened {
    pub(super) connection: Connection,
    pub(super) identity: Identity,
    synchronous: Durability,
}

impl Opened {
    /// Opens what is there, or makes it. The gate is held for writing.
    pub(super) fn open(directory: &Directory, deadline: &Deadline) -> Result<Self, Failure> {
        directory.create_state()?;
        let mut connection = connect(directory, deadline)?;
        schema::migrate(&mut connection)?;
        // Reading makes SQLite open its log; before that it may not be there.
        connection.query_row("SELECT count(*) FROM account WHERE id = 0", [], |row| row.get::<_, i64>(0))?;
        directory.give_to_owner()?;
        let identity = directory.identity()?.ok_or_else(|| {
            StoreError::new(Fault::Other, "the write-ahead log is missing: the file system does not support it")
        })?;
        Ok(Self { connection, identity, synchronous: Durability::Process })
    }

    /// Chooses whether a COMMIT waits for the disk.
    pub(super) fn set_synchronous(&mut self, durability: Durability) -> rusqlite::Result<()> {
        if self.synchronous != durability {
            self.connection.execute_batch(match durability {
                Durability::Power => "PRAGMA synchronous = FULL",
                Durability::Process => "PRAGMA synchronous = NORMAL",
            })?;
            self.synchronous = durability;
        }
        Ok(())
    }

    /// Whether a check of the whole file finds it sound; one that cannot end in time does not.
    pub(super) fn is_sound(&self) -> bool {
        let answer = self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        answer.is_ok_and(|text| text == "ok")
    }
}

fn connect(directory: &Directory, deadline: &Deadline) -> Result<Connection, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(directory.real_state()?, flags)?;
    // Root may open a file that is another user's: what its schema says runs here.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.busy_timeout(deadline.left())?;
    let of_statement = deadline.clone();
    connection.progress_handler(STEPS, Some(move || of_statement.is_over()))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // SQLite opens what it may not write for reading, without a word.
    if connection.is_readonly("main")? {
        return Err(StoreError::new(Fault::ReadOnly, "the database file cannot be written").into());
    }
    schema::check(&connection)?;
    // Closing must never unlink the log: where our POSIX locks were cancelled, SQLite believes itself the last one.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // Without it SQLite looks at the values bound to a statement on a table with a partial index, to choose a plan, and
    // compiles the statement again for each new value.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA synchronous = NORMAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    let mode = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0))?;
    if mode != "wal" {
        return Err(StoreError::new(Fault::Other, "the file system does not support a write-ahead log").into());
    }
    Ok(connection)
}
