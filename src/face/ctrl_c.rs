//! Ctrl-C (and `kill`) while many messages are under way, on the command line: the first one is noted, so that what is in
//! flight can be settled before the process ends as it would have. The second one ends it at once.
//!
//! Only where the application leaves both signals to their default action, and never in php-fpm.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

use nix::libc;

use crate::error::Error;
use crate::language::Text;

/// The signal that was caught, or 0.
static CAUGHT: AtomicI32 = AtomicI32::new(0);
/// How many calls are on guard: a callback may call `sendMany()` again.
static GUARDS: AtomicUsize = AtomicUsize::new(0);

const SIGNALS: [c_int; 2] = [libc::SIGINT, libc::SIGTERM];

extern "C" fn note(signal: c_int) {
    CAUGHT.store(signal, Ordering::Release);
}

/// On guard until it is dropped.
pub struct CtrlC {
    /// What the outermost guard has put [`note`] in place of.
    former: Vec<(c_int, libc::sigaction)>,
    watching: bool,
}

impl CtrlC {
    /// Notes the first signal from now on, if this is PHP's command line.
    pub fn watch(command_line: bool) -> Self {
        let mut guard = Self { former: Vec::new(), watching: command_line };
        if !guard.watching {
            return guard;
        }
        if GUARDS.fetch_add(1, Ordering::AcqRel) == 0 {
            CAUGHT.store(0, Ordering::Release);
            guard.former =
                SIGNALS.into_iter().filter(|signal| is_left_to_default(*signal)).filter_map(intercept).collect();
        }
        guard
    }

    fn caught(&self) -> Option<c_int> {
        let signal = CAUGHT.load(Ordering::Acquire);
        (self.watching && signal != 0).then_some(signal)
    }

    /// Fails once a signal was noted.
    pub fn check(&self) -> Result<(), Error> {
        match self.caught() {
            None => Ok(()),
            Some(signal) => Err(Error::Refused {
                text: Text::new(
                    format!("sendMany() 被信号 {signal} 中断"),
                    format!("sendMany() was ended by signal {signal}"),
                ),
                code: 0,
            }),
        }
    }

    /// Ends the guard. If it was the outermost one and a signal was noted, that has its effect now, which is the end of the
    /// process unless the application has set a handler meanwhile.
    pub fn end(self) {
        let signal = self.caught();
        drop(self);
        if let Some(signal) = signal.filter(|_| GUARDS.load(Ordering::Acquire) == 0) {
            // SAFETY: raises a signal in this thread; nothing of ours is under way.
            unsafe { libc::raise(signal) };
        }
    }
}

impl Drop for CtrlC {
    fn drop(&mut self) {
        for (signal, former) in &self.former {
            let Some(present) = action(*signal) else { continue };
            // After the first signal the default is in force; anything else was set by the application meanwhile.
            if present.sa_sigaction == note as *const () as usize || present.sa_sigaction == libc::SIG_DFL {
                // SAFETY: puts back what was there.
                unsafe { libc::sigaction(*signal, former, ptr::null_mut()) };
            }
        }
        if self.watching {
            GUARDS.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

/// Whether a signal would simply end the process. PHP has a handler of its own in front of those of the application.
fn is_left_to_default(signal: c_int) -> bool {
    type Query = unsafe extern "C" fn(c_int, *const libc::sigaction, *mut libc::sigaction);
    // SAFETY: a look-up by name; where PHP was built without its own handling of signals the function is not there.
    let query = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"zend_sigaction".as_ptr()) };
    if query.is_null() {
        return action(signal).is_some_and(|present| present.sa_sigaction == libc::SIG_DFL);
    }
    let mut present = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: the symbol is PHP's function of this signature (zend_signal.h), which fills the structure.
    let present = unsafe {
        std::mem::transmute::<*mut libc::c_void, Query>(query)(signal, ptr::null(), present.as_mut_ptr());
        present.assume_init()
    };
    present.sa_sigaction == libc::SIG_DFL
}

/// The action in force.
fn action(signal: c_int) -> Option<libc::sigaction> {
    let mut present = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: only asks; the structure may be all zero.
    unsafe { (libc::sigaction(signal, ptr::null(), present.as_mut_ptr()) == 0).then(|| present.assume_init()) }
}

/// Puts [`note`] in place, for one signal only.
fn intercept(signal: c_int) -> Option<(c_int, libc::sigaction)> {
    let mut former = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: the handler only stores to an atomic. SA_RESETHAND brings the default back at the first signal; SA_RESTART keeps
    // it from breaking into reads and locks.
    unsafe {
        let mut new = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
        new.sa_sigaction = note as *const () as usize;
        new.sa_flags = libc::SA_RESETHAND | libc::SA_RESTART;
        (libc::sigaction(signal, &raw const new, former.as_mut_ptr()) == 0).then(|| (signal, former.assume_init()))
    }
}
