//! The gates of this process, so that a child of fork gives its copies up: a lock that the parent takes later belongs to them
//! as well, and would outlive a parent that is killed while it holds it.

use std::fs::File;
use std::ops::Deref;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicI32, Ordering};

const NONE: i32 = -1;

// Descriptors, without a lock: in the child of a fork nobody may wait for one. More stores than this no process has; the
// copies of any beyond are kept.
static GATES: [AtomicI32; 64] = [const { AtomicI32::new(NONE) }; 64];

/// An open gate that no child of a fork keeps.
pub(super) struct GateFile(File);

impl GateFile {
    pub(super) fn new(file: File) -> Self {
        let descriptor = file.as_raw_fd();
        for place in &GATES {
            if place.compare_exchange(NONE, descriptor, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                break;
            }
        }
        Self(file)
    }
}

impl Deref for GateFile {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl Drop for GateFile {
    fn drop(&mut self) {
        let descriptor = self.0.as_raw_fd();
        for place in &GATES {
            if place.compare_exchange(descriptor, NONE, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                break;
            }
        }
    }
}

/// To be called in the child of a fork, where the parent's gates are never used or dropped; allocates nothing.
pub(crate) fn close_gates() {
    for place in &GATES {
        let descriptor = place.swap(NONE, Ordering::AcqRel);
        if descriptor != NONE {
            // It was open in the parent, so it is here; there is nobody to tell if it was not.
            let _ = nix::unistd::close(descriptor);
        }
    }
}
