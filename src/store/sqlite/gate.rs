//! The gate: an flock around every transaction, exclusive for writing, shared for reading.
//!
//! SQLite's own locks are POSIX locks, which any other code of the process cancels by closing a descriptor of the same
//! file (a second SQLite copy such as pdo_sqlite, or `md5_file()`). An flock belongs to its own descriptor. It is also
//! fairer to many writers than SQLite's busy handler.

use std::fs::TryLockError;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::directory::{Directory, FileId, create_private};
use super::fault::{from_io, timeout};
use super::inherited::GateFile;
use crate::store::StoreError;

/// A transaction at NORMAL holds the gate some 50 µs.
const SHORTEST_SLEEP: Duration = Duration::from_micros(50);
const LONGEST_SLEEP: Duration = Duration::from_millis(1);

/// What the transaction does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// The lock file.
pub(super) struct Gate {
    directory: Directory,
    path: PathBuf,
    open: Option<(Arc<GateFile>, FileId)>,
}

/// Held until it is dropped.
pub(super) struct Passed(Arc<GateFile>);

impl Gate {
    /// The gate of that directory; both are made at the first use.
    pub(super) fn new(directory: &Directory) -> Self {
        Self { directory: directory.clone(), path: directory.gate(), open: None }
    }

    /// Waits until `until`. flock(2) knows no deadline, so this asks again and again: a holder that is stopped costs a
    /// caller his deadline and no more.
    pub(super) fn pass(&mut self, access: Access, until: Instant) -> Result<Passed, StoreError> {
        let mut sleep = SHORTEST_SLEEP;
        loop {
            let (file, id) = self.file()?;
            let locked = match access {
                Access::Read => file.try_lock_shared(),
                Access::Write => file.try_lock(),
            };
            match locked {
                // Who holds the lock of a file that was deleted or replaced meanwhile holds nothing.
                Ok(()) if FileId::of(&self.path)? == Some(id) => return Ok(Passed(file)),
                Ok(()) => self.open = None,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(from_io("gate cannot be locked", &error)),
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(timeout("other processes hold the gate"));
            }
            if self.open.is_some() {
                thread::sleep(jittered(sleep).min(left));
                sleep = (sleep * 2).min(LONGEST_SLEEP);
            }
        }
    }

    fn file(&mut self) -> Result<(Arc<GateFile>, FileId), StoreError> {
        if let Some((file, id)) = &self.open {
            return Ok((Arc::clone(file), *id));
        }
        self.directory.prepare()?;
        let file = create_private(&self.path)?;
        let id = FileId::from(&file.metadata().map_err(|error| from_io("gate cannot be read", &error))?);
        let file = Arc::new(GateFile::new(file));
        self.open = Some((Arc::clone(&file), id));
        Ok((file, id))
    }
}

impl Drop for Passed {
    fn drop(&mut self) {
        // Not by closing: a process forked meanwhile shares the descriptor and would keep the lock. Nothing is left to do
        // if it fails; the lock then ends with the process.
        let _ = self.0.unlock();
    }
}

/// Between half and the whole, so that processes which were refused together do not come back together.
fn jittered(sleep: Duration) -> Duration {
    let random = u32::try_from(RandomState::new().hash_one(()) & 0xff).unwrap_or(0);
    sleep / 2 + sleep / 2 * random / 0xff
}
