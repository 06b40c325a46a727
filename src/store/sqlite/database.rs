//! One transaction at a time: through the gate, on the files that have their names now, within the deadline.

use std::time::Instant;

use rusqlite::Connection;

use super::connection::{Deadline, Failure, Opened};
use super::directory::Directory;
use super::fault::{from_commit, is_damage, leaves_connection_usable};
use super::gate::{Access, Gate};
use crate::store::{Durability, Fault, StoreError};

/// The file and its connection, which is opened at the first transaction.
pub(super) struct Database {
    directory: Directory,
    gate: Gate,
    deadline: Deadline,
    opened: Option<Opened>,
}

impl Database {
    pub(super) fn new(directory: Directory) -> Self {
        let gate = Gate::new(&directory);
        Self { directory, gate, deadline: Deadline::new(), opened: None }
    }

    /// Runs `body` as one transaction. It may run twice, the first time without effect.
    pub(super) fn run<T>(
        &mut self,
        access: Access,
        durability: Durability,
        until: Instant,
        body: impl Fn(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.deadline.set(until);
        let passed = self.gate.pass(access, until)?;
        let current = self.is_current()?;
        if current || access == Access::Write {
            match self.attempt(current, access, durability, &body) {
                Ok(done) => return Ok(done),
                Err(Failure::Store(error)) => return Err(error),
                Err(Failure::Damaged(_)) => {}
            }
        }
        // To open or repair the file one must be alone with it. A second connection decides whether it was the first one's
        // view that was damaged.
        drop(passed);
        let _alone = self.gate.pass(Access::Write, until)?;
        if current {
            self.opened = None;
        }
        let current = self.is_current()?;
        match self.attempt(current, access, durability, &body) {
            Ok(done) => Ok(done),
            Err(Failure::Store(error)) => Err(error),
            Err(Failure::Damaged(detail)) => Err(self.replace_damaged(&detail)?),
        }
    }

    /// Whether the files that the connection has open are those that have the names now. They are not after another SQLite
    /// in some process closed the database and unlinked its log, or somebody has moved the file aside: a COMMIT would go
    /// into a file without a name.
    fn is_current(&self) -> Result<bool, StoreError> {
        match &self.opened {
            Some(opened) => Ok(self.directory.identity()? == Some(opened.identity)),
            None => Ok(false),
        }
    }

    fn attempt<T>(
        &mut self,
        current: bool,
        access: Access,
        durability: Durability,
        body: &impl Fn(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Failure> {
        if !current {
            self.opened = None;
        }
        let mut opened = match self.opened.take() {
            Some(opened) => {
                opened.connection.busy_timeout(self.deadline.left())?;
                opened
            }
            None => Opened::open(&self.directory, &self.deadline)?,
        };
        match transact(&mut opened, access, durability, body) {
            Ok(done) => {
                self.opened = Some(opened);
                Ok(done)
            }
            Err((failure, usable)) => {
                if usable {
                    self.opened = Some(opened);
                }
                Err(failure)
            }
        }
    }

    /// Puts an empty database in place of a damaged one, once a check confirms it.
    fn replace_damaged(&mut self, detail: &str) -> Result<StoreError, StoreError> {
        self.opened = None;
        if Opened::open(&self.directory, &self.deadline).is_ok_and(|opened| opened.is_sound()) {
            return Ok(StoreError::new(Fault::Corrupt, detail));
        }
        let aside = self.directory.set_aside()?;
        Ok(StoreError::new(Fault::Corrupt, format!("{detail}; the file is kept as {aside}, a new one takes its place")))
    }
}

/// The failure, and whether the connection can go on.
fn transact<T>(
    opened: &mut Opened,
    access: Access,
    durability: Durability,
    body: &impl Fn(&Connection) -> rusqlite::Result<T>,
) -> Result<T, (Failure, bool)> {
    let (begin, durability) = match access {
        Access::Write => ("BEGIN IMMEDIATE", durability),
        Access::Read => ("BEGIN", Durability::Process),
    };
    opened.set_synchronous(durability).map_err(|error| (error.into(), false))?;
    let connection = &opened.connection;
    let done = execute(connection, begin).and_then(|()| body(connection));
    let error = match done {
        Ok(done) => match execute(connection, "COMMIT") {
            Ok(()) => return Ok(done),
            Err(error) if is_damage(&error) => error.into(),
            Err(error) => return Err((from_commit(&error).into(), false)),
        },
        Err(error) => {
            let usable = leaves_connection_usable(&error)
                && (connection.is_autocommit() || execute(connection, "ROLLBACK").is_ok());
            return Err((error.into(), usable));
        }
    };
    Err((error, false))
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}
