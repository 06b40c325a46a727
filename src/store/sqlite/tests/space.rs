//! No space left.

use std::process::Command;

use super::child::play_to_end;
use super::*;

/// A small file system of its own, if this host lets us.
struct Tiny(tempfile::TempDir);

impl Tiny {
    fn mount() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs"])
            .arg(directory.path())
            .stderr(std::process::Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(directory))
    }
}

impl Drop for Tiny {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.0.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "the file system stays mounted");
    }
}

#[test]
fn a_full_disk_is_reported_and_what_is_there_stays_readable() {
    let Some(tiny) = Tiny::mount() else {
        eprintln!("skipped: no file system can be mounted here");
        return;
    };
    assert_eq!(play_to_end("fill", tiny.0.path(), "", None), "full true\n");
    // Room again, and all is well.
    std::fs::write(tiny.0.path().join("other"), "").unwrap();
    let store = open(tiny.0.path());
    assert!(store.is_ok() || fault(store) == Some(Fault::Full));
}

#[test]
fn a_limit_of_the_file_size_is_reported_as_a_full_disk() {
    let directory = tempfile::tempdir().unwrap();
    // The signal would kill; ignored, the write fails, as it does over quota.
    assert_eq!(play_to_end("fill", directory.path(), "trap '' XFSZ; ulimit -f 2000", None), "full true\n");
    assert_eq!(accept(&open(directory.path()).unwrap(), soon()), Ok(1), "without the limit it goes on");
}
