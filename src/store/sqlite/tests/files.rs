//! Modes and owners.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use super::child::{WORKER, play_to_end};
use super::*;

const FILES: [&str; 4] = ["state", "state-wal", "state-shm", "gate"];

fn owners(directory: &Path) -> Vec<(u32, u32)> {
    FILES.map(|file| fs::metadata(directory.join(file)).unwrap()).map(|file| (file.uid(), file.gid())).to_vec()
}

fn allow(directory: &Path, mode: u32) {
    fs::set_permissions(directory, Permissions::from_mode(mode)).unwrap();
}

/// A directory of the worker's, inside one that he may pass and nobody else may write to.
struct OfWorker {
    _parent: tempfile::TempDir,
    path: PathBuf,
}

impl OfWorker {
    fn path(&self) -> &Path {
        &self.path
    }
}

fn of_worker() -> Option<OfWorker> {
    if !is_root() {
        eprintln!("skipped: only root can make files for others");
        return None;
    }
    let parent = tempfile::tempdir().unwrap();
    allow(parent.path(), 0o755);
    let path = parent.path().join("of worker");
    fs::create_dir(&path).unwrap();
    allow(&path, 0o700);
    chown(&path, Some(WORKER), Some(WORKER)).unwrap();
    Some(OfWorker { _parent: parent, path })
}

#[test]
fn nobody_else_can_read_it_whatever_the_umask() {
    for umask in ["umask 0", "umask 077", "umask 0377"] {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("store");
        assert_eq!(play_to_end("accept", &directory, umask, None), "1\n", "{umask}");
        assert_eq!(fs::metadata(&directory).unwrap().mode() & 0o7777, 0o700, "{umask}");
        for file in FILES {
            assert_eq!(fs::metadata(directory.join(file)).unwrap().mode() & 0o7777, 0o600, "{file}, {umask}");
        }
    }
}

#[test]
fn a_directory_to_which_everybody_may_write_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    for mode in [0o777, 0o1777, 0o702] {
        allow(directory.path(), mode);
        let error = open(directory.path()).err().unwrap();
        assert!(error.fault == Fault::Unreachable && error.detail.contains("chmod 700"), "{error}");
        assert!(!directory.path().join("state").exists());
    }
    allow(directory.path(), 0o770);
    assert!(open(directory.path()).is_ok());
}

#[test]
fn what_root_makes_belongs_to_the_owner_of_the_directory() {
    let Some(directory) = of_worker() else { return };
    let path = directory.path();
    let store = open(path).unwrap();
    accept(&store, soon()).unwrap();
    assert_eq!(owners(path), [(WORKER, WORKER); 4]);
    assert_eq!(play_to_end("accept", path, "", Some(WORKER)), "2\n");
    drop(store);
    // A root cron job that comes first after a restart makes the log anew.
    for file in ["state-wal", "state-shm"] {
        fs::remove_file(path.join(file)).unwrap();
    }
    let store = open(path).unwrap();
    accept(&store, soon()).unwrap();
    assert_eq!(owners(path), [(WORKER, WORKER); 4]);
    let before = accepted(&store);
    assert_eq!(play_to_end("accept", path, "", Some(WORKER)), format!("{}\n", before + 1));
}

#[test]
fn another_users_store_is_out_of_reach() {
    let Some(directory) = of_worker() else { return };
    open(directory.path()).unwrap();
    assert_eq!(play_to_end("accept", directory.path(), "", Some(WORKER + 1)), "unreachable\n");
    // Even where he may pass the directory.
    allow(directory.path(), 0o755);
    assert_eq!(play_to_end("accept", directory.path(), "", Some(WORKER + 1)), "unreachable\n");
}

#[test]
fn a_directory_that_cannot_be_written_is_read_only() {
    let Some(directory) = of_worker() else { return };
    allow(directory.path(), 0o500);
    assert_eq!(play_to_end("accept", directory.path(), "", Some(WORKER)), "read_only\n");
    allow(directory.path(), 0o700);
    assert_eq!(play_to_end("accept", directory.path(), "", Some(WORKER)), "1\n");
    fs::set_permissions(directory.path().join("state"), Permissions::from_mode(0o400)).unwrap();
    assert_eq!(play_to_end("accept", directory.path(), "", Some(WORKER)), "read_only\n");
}

#[test]
fn a_directory_that_cannot_be_made_is_unreachable() {
    let Some(directory) = of_worker() else { return };
    allow(directory.path(), 0o500);
    assert_eq!(play_to_end("accept", &directory.path().join("store"), "", Some(WORKER)), "unreachable\n");
    let file = tempfile::NamedTempFile::new().unwrap();
    assert_eq!(fault(open(file.path())), Some(Fault::Unreachable));
    assert_eq!(fault(open(&file.path().join("below"))), Some(Fault::Unreachable));
}

#[test]
fn a_link_in_place_of_the_database_is_not_followed() {
    let directory = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::NamedTempFile::new().unwrap();
    symlink(elsewhere.path(), directory.path().join("state")).unwrap();
    assert_eq!(fault(open(directory.path())), Some(Fault::Unreachable));
    assert_eq!(fs::metadata(elsewhere.path()).unwrap().len(), 0);
}

#[test]
fn nothing_but_a_plain_file_is_taken_for_the_gate() {
    let directory = tempfile::tempdir().unwrap();
    let (gate, elsewhere) = (directory.path().join("gate"), directory.path().join("elsewhere"));
    fs::write(&elsewhere, "").unwrap();
    symlink(&elsewhere, &gate).unwrap();
    assert_eq!(fault(open(directory.path())), Some(Fault::Unreachable));
    fs::remove_file(&gate).unwrap();
    nix::unistd::mkfifo(&gate, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(fault(open(directory.path())), Some(Fault::Unreachable));
    fs::remove_file(&gate).unwrap();
    assert!(open(directory.path()).is_ok());
}

#[test]
fn a_link_to_the_directory_is_followed_and_none_beside_the_database() {
    let directory = tempfile::tempdir().unwrap();
    let (store, link) = (directory.path().join("store"), directory.path().join("link"));
    symlink(&store, &link).unwrap();
    fs::create_dir(&store).unwrap();
    allow(&store, 0o700);
    accept(&open(&link).unwrap(), soon()).unwrap();
    assert!(store.join("state").is_file());
    for file in FILES {
        fs::remove_file(store.join(file)).unwrap();
    }
    let elsewhere = directory.path().join("elsewhere");
    fs::write(&elsewhere, "").unwrap();
    symlink(&elsewhere, store.join("state-wal")).unwrap();
    assert!(open(&link).is_err());
    assert_eq!(fs::metadata(&elsewhere).unwrap().len(), 0);
}

#[test]
fn where_everybody_may_make_directories_anothers_is_refused() {
    let Some(directory) = of_worker() else { return };
    let parent = directory.path().parent().unwrap();
    // As a third user could have left it: what he made is open to all, and so would be what is written to it.
    for file in FILES {
        fs::write(directory.path().join(file), "").unwrap();
        allow(&directory.path().join(file), 0o666);
    }
    allow(directory.path(), 0o755);
    symlink(directory.path(), parent.join("link")).unwrap();
    std::os::unix::fs::lchown(parent.join("link"), Some(WORKER), Some(WORKER)).unwrap();
    for mode in [0o1777, 0o777] {
        allow(parent, mode);
        for path in [directory.path(), &parent.join("link"), &directory.path().join("deeper")] {
            assert_eq!(play_to_end("accept", path, "", Some(WORKER + 1)), "unreachable\n", "{}", path.display());
            let error = open(path).err().unwrap();
            assert!(error.detail.contains("another user"), "{error}");
        }
        assert_eq!(fs::metadata(directory.path().join("state")).unwrap().len(), 0);
    }
    // His own is as safe as it can be there, and so is that of whoever owns the open one, as a shop's `runtime`.
    assert_eq!(play_to_end("accept", directory.path(), "", Some(WORKER)), "1\n");
    allow(parent, 0o755);
    let runtime = parent.join("runtime");
    for (path, mode) in [(&runtime, 0o777), (&runtime.join("store"), 0o700)] {
        fs::create_dir(path).unwrap();
        allow(path, mode);
        chown(path, Some(WORKER), Some(WORKER)).unwrap();
    }
    assert!(open(&runtime.join("store")).is_ok());
}
