//! The directory of the store: its files, their modes and owners.
//!
//! No descriptor of `state` and its companions is ever opened here: closing one would cancel SQLite's locks.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, lchown};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::fault::from_io;
use crate::store::{Fault, StoreError};

/// No `.db` or `.sqlite` in it: nobody shall open it from PHP, which would cancel our locks.
const STATE: &str = "state";
const GATE: &str = "gate";
const ASIDE: &str = "state.corrupt-";
/// SQLite's own files beside `state`.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];
const KEPT_ASIDE: usize = 3;

/// Device and inode: which file it is, whatever its name is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// The file that has this name now.
    pub(super) fn of(path: &Path) -> Result<Option<Self>, StoreError> {
        match fs::symlink_metadata(path) {
            Ok(metadata) => Ok(Some(Self::from(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(from_io("the store's directory cannot be read", &error)),
        }
    }
}

impl From<&Metadata> for FileId {
    fn from(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// Which files a connection has open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    state: FileId,
    log: FileId,
}

/// The directory.
#[derive(Debug, Clone)]
pub(super) struct Directory {
    path: PathBuf,
    state: PathBuf,
    log: PathBuf,
}

impl Directory {
    /// Names only; nothing is touched.
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), state: path.join(STATE), log: path.join(format!("{STATE}-wal")) }
    }

    /// The directory itself.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The database file.
    pub(super) fn state(&self) -> &Path {
        &self.state
    }

    /// The lock file.
    pub(super) fn gate(&self) -> PathBuf {
        self.path.join(GATE)
    }

    /// Makes it if it is not there, and refuses one in which everybody could put a file of his own.
    pub(super) fn prepare(&self) -> Result<(), StoreError> {
        let metadata = match fs::metadata(&self.path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.create()?,
            Err(error) => return Err(from_io("the directory cannot be read", &error)),
        };
        if !metadata.is_dir() {
            return Err(StoreError::new(Fault::Unreachable, "is not a directory"));
        }
        if metadata.mode() & 0o002 != 0 {
            return Err(StoreError::new(
                Fault::Unreachable,
                format!("everybody may write to the directory (mode {:o}), chmod 700 it", metadata.mode() & 0o7777),
            ));
        }
        Ok(())
    }

    fn create(&self) -> Result<Metadata, StoreError> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::PermissionDenied => StoreError::new(Fault::Unreachable, "the directory cannot be made here"),
            _ => from_io("the directory cannot be made", &error),
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&self.path).map_err(failed)?;
        // A umask can have taken bits away.
        fs::set_permissions(&self.path, Permissions::from_mode(0o700)).map_err(failed)?;
        fs::metadata(&self.path).map_err(failed)
    }

    /// Makes an empty database file with the right mode and owner, which SQLite then gives to its companions.
    pub(super) fn create_state(&self) -> Result<(), StoreError> {
        match fs::symlink_metadata(&self.state) {
            Ok(metadata) if metadata.is_file() => return Ok(()),
            Ok(_) => return Err(StoreError::new(Fault::Unreachable, format!("{STATE} is not a plain file"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(from_io("the database file cannot be read", &error)),
        }
        create_private(&self.state)?;
        // The name of the file must survive a loss of power as well as what is in it.
        File::open(&self.path)
            .and_then(|directory| directory.sync_all())
            .map_err(|error| from_io("the directory cannot be synced", &error))
    }

    /// Which files are there now; `None` if one is missing.
    pub(super) fn identity(&self) -> Result<Option<Identity>, StoreError> {
        let (Some(state), Some(log)) = (FileId::of(&self.state)?, FileId::of(&self.log)?) else { return Ok(None) };
        Ok(Some(Identity { state, log }))
    }

    /// Gives to the directory's owner what root has made in it.
    pub(super) fn give_to_owner(&self) -> Result<(), StoreError> {
        for path in std::iter::once(self.state.clone()).chain(COMPANIONS.iter().map(|end| with_end(&self.state, end))) {
            match fs::symlink_metadata(&path) {
                Ok(metadata) => give_to_owner(&path, &metadata)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(from_io("the store's files cannot be read", &error)),
            }
        }
        Ok(())
    }

    /// Renames the database and its companions and answers the new name. The newest three are kept.
    pub(super) fn set_aside(&self) -> Result<String, StoreError> {
        let failed = |error: io::Error| from_io("the damaged file cannot be moved aside", &error);
        let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        // Above all others: the numbers tell which ones are the newest.
        let number = self.numbers_aside().map_err(failed)?.first().map_or(time, |newest| time.max(newest + 1));
        let aside = self.aside(number);
        // The log goes first: beside an empty new database it would be taken for its own.
        for end in COMPANIONS {
            match fs::rename(with_end(&self.state, end), with_end(&aside, end)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
        }
        fs::rename(&self.state, &aside).map_err(failed)?;
        self.drop_oldest().map_err(failed)?;
        Ok(format!("{ASIDE}{number}"))
    }

    fn aside(&self, number: u64) -> PathBuf {
        self.path.join(format!("{ASIDE}{number}"))
    }

    /// The numbers of the files that were moved aside, the newest first.
    fn numbers_aside(&self) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            numbers.extend(name.to_str().and_then(|name| name.strip_prefix(ASIDE)?.parse::<u64>().ok()));
        }
        numbers.sort_unstable_by(|one, other| other.cmp(one));
        Ok(numbers)
    }

    fn drop_oldest(&self) -> io::Result<()> {
        for number in self.numbers_aside()?.into_iter().skip(KEPT_ASIDE) {
            let path = self.aside(number);
            for path in COMPANIONS.iter().map(|end| with_end(&path, end)).chain([path.clone()]) {
                match fs::remove_file(path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

/// Opens a file of the store, made with mode 0600 and the directory's owner if it is not there.
pub(super) fn create_private(path: &Path) -> Result<File, StoreError> {
    let new = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path);
    match new {
        Ok(file) => {
            // A umask can have taken bits away.
            file.set_permissions(Permissions::from_mode(0o600))
                .and_then(|()| file.metadata())
                .map_err(|error| from_io("a file cannot be made", &error))
                .and_then(|metadata| give_to_owner(path, &metadata))?;
            Ok(file)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(|error| from_io("a file of another owner is in the way", &error)),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && path.parent().is_some_and(may_be_searched) => {
            Err(StoreError::new(Fault::ReadOnly, "no file can be made in the directory"))
        }
        Err(error) => Err(from_io("a file cannot be made", &error)),
    }
}

fn may_be_searched(directory: &Path) -> bool {
    fs::symlink_metadata(directory.join(".")).is_ok()
}

/// Only root can, and only root needs to: what anybody else makes is his own, and so is the directory.
fn give_to_owner(path: &Path, metadata: &Metadata) -> Result<(), StoreError> {
    let failed = |error: io::Error| from_io("a file cannot be given to the directory's owner", &error);
    // A second name would mean that the file is somebody else's, put here to be given away.
    if metadata.uid() != 0 || !metadata.is_file() || metadata.nlink() != 1 {
        return Ok(());
    }
    let Some(parent) = path.parent() else { return Ok(()) };
    let directory = fs::metadata(parent).map_err(failed)?;
    if (directory.uid(), directory.gid()) == (metadata.uid(), metadata.gid()) {
        return Ok(());
    }
    match lchown(path, Some(directory.uid()), Some(directory.gid())) {
        // A file of root's that a worker may use all the same, by its group or as root of a user namespace.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        done => done.map_err(failed),
    }
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(end);
    PathBuf::from(path)
}
