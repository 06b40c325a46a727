//! Forks of the PHP process (php-fpm, `pcntl_fork`, Workerman).

use nix::libc;

extern "C" fn before() {
    crate::thread::before_fork();
}

extern "C" fn in_parent() {
    crate::thread::after_fork();
}

extern "C" fn in_child() {
    crate::process::forked();
}

/// Has the process told of each fork from now on.
#[allow(unsafe_code)]
pub fn watch() {
    // SAFETY: the handlers take no lock and allocate nothing, and the library is never unmapped (`-z nodelete`). Where they cannot
    // be registered, or are registered twice, the pid still tells processes apart.
    unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
}
