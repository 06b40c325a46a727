//! The directory of the store: its files, their modes and owners.
//!
//! Whoever owns the directory may put anything in it while root works there, and in `/tmp` everybody may come before us: so nothing
//! is followed, and what was looked at is what is changed.
//!
//! No descriptor of `state` and its companions is ever opened here but by `O_PATH`: closing any other would cancel SQLite's locks.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag};
use nix::unistd::{Gid, Uid, fchownat, geteuid};

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

    /// The lock file.
    pub(super) fn gate(&self) -> PathBuf {
        self.path.join(GATE)
    }

    /// Where SQLite finds the database, without any link: it is told to follow none.
    pub(super) fn real_state(&self) -> Result<PathBuf, StoreError> {
        fs::canonicalize(&self.path)
            .map(|directory| directory.join(STATE))
            .map_err(|error| from_io("the directory cannot be read", &error))
    }

    /// Makes it if it is not there, and refuses one in which everybody could put a file of his own, or that somebody else may have
    /// put there.
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
        self.refuse_planted()
    }

    /// Where everybody may make directories (`/tmp`), another user could have made this one, with files in it that are open to him.
    fn refuse_planted(&self) -> Result<(), StoreError> {
        let failed = |error: io::Error| from_io("the directory cannot be read", &error);
        let user = geteuid().as_raw();
        // The way as it was given, for a link that somebody else has put there, and where it leads.
        let real = fs::canonicalize(&self.path).map_err(failed)?;
        for part in self.path.ancestors().chain(real.ancestors()) {
            let Some(parent) = part.parent().filter(|parent| !parent.as_os_str().is_empty()) else { continue };
            let above = fs::metadata(parent).map_err(failed)?;
            if above.mode() & 0o002 == 0 {
                continue;
            }
            let owner = fs::symlink_metadata(part).map_err(failed)?.uid();
            if ![0, user, above.uid()].contains(&owner) {
                return Err(StoreError::new(
                    Fault::Unreachable,
                    format!(
                        "{} belongs to another user (uid {owner}), and everybody may write to {}: put the store elsewhere, such as /var/lib/routine-template",
                        part.display(),
                        parent.display()
                    ),
                ));
            }
        }
        Ok(())
    }

    fn create(&self) -> Result<Metadata, StoreError> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::PermissionDenied => StoreError::new(Fault::Unreachable, "the directory cannot be made here"),
            _ => from_io("the directory cannot be made", &error),
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&self.path).map_err(failed)?;
        let made = OpenOptions::new()
            .read(true)
            .custom_flags((OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW).bits())
            .open(&self.path)
            .map_err(failed)?;
        let metadata = made.metadata().map_err(failed)?;
        // Another process can have made it meanwhile, another user among them.
        if metadata.uid() == geteuid().as_raw() {
            // A umask can have taken bits away.
            made.set_permissions(Permissions::from_mode(0o700)).map_err(failed)?;
        }
        made.metadata().map_err(failed)
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
        if !geteuid().is_root() {
            return Ok(());
        }
        for path in std::iter::once(self.state.clone()).chain(COMPANIONS.iter().map(|end| with_end(&self.state, end))) {
            let file =
                OpenOptions::new().read(true).custom_flags((OFlag::O_PATH | OFlag::O_NOFOLLOW).bits()).open(&path);
            match file {
                Ok(file) => give_to_owner(&file, &path)?,
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
                .map_err(|error| from_io("a file cannot be made", &error))
                .and_then(|()| give_to_owner(&file, path))?;
            Ok(file)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => open_plain(path),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && path.parent().is_some_and(may_be_searched) => {
            Err(StoreError::new(Fault::ReadOnly, "no file can be made in the directory"))
        }
        Err(error) => Err(from_io("a file cannot be made", &error)),
    }
}

/// One that is there: no link, which may lead to anybody's file, and nothing that waits for another end.
fn open_plain(path: &Path) -> Result<File, StoreError> {
    let strange = || {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        StoreError::new(Fault::Unreachable, format!("{name} is not a plain file"))
    };
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits())
        .open(path)
        .map_err(|error| match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::ELOOP) => strange(),
            _ => from_io("a file of another owner is in the way", &error),
        })?;
    let metadata = file.metadata().map_err(|error| from_io("a file cannot be read", &error))?;
    if metadata.is_file() { Ok(file) } else { Err(strange()) }
}

fn may_be_searched(directory: &Path) -> bool {
    fs::symlink_metadata(directory.join(".")).is_ok()
}

/// Only root can, and only root needs to: what anybody else makes is his own, and so is the directory.
fn give_to_owner(file: &File, path: &Path) -> Result<(), StoreError> {
    let failed = |error: io::Error| from_io("a file cannot be given to the directory's owner", &error);
    let metadata = file.metadata().map_err(failed)?;
    // A second name would mean that the file is somebody else's, put here to be given away.
    if metadata.uid() != 0 || !metadata.is_file() || metadata.nlink() != 1 {
        return Ok(());
    }
    let Some(parent) = path.parent() else { return Ok(()) };
    let directory = fs::metadata(parent).map_err(failed)?;
    if (directory.uid(), directory.gid()) == (metadata.uid(), metadata.gid()) {
        return Ok(());
    }
    let (owner, group) = (Some(Uid::from_raw(directory.uid())), Some(Gid::from_raw(directory.gid())));
    // By its descriptor: what has the name by now may be another file.
    match fchownat(file, "", owner, group, AtFlags::AT_EMPTY_PATH) {
        // A file of root's that a worker may use all the same, by its group or as root of a user namespace.
        Err(Errno::EPERM) => Ok(()),
        done => done.map_err(|error| failed(error.into())),
    }
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(end);
    PathBuf::from(path)
}
