//! Threads of our own inside a PHP process, and forks of that process.
//!
//! A fork copies the memory, but of the threads only the one that forks. What another thread holds at that moment is held in the
//! child for ever; SQLite has such locks, for the whole process. So a thread of ours does such work in spells
//! ([`undisturbed`]), and a fork waits for the end of a spell.

use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, SigmaskHow, pthread_sigmask};

/// A spell is some hundred microseconds long; one that a slow disk draws out must not hold up a fork for ever.
const PATIENCE: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_micros(50);

const FREE: u8 = 0;
const SPELL: u8 = 1;
#[cfg_attr(not(any(feature = "php", feature = "ffi")), allow(dead_code))]
const FORK: u8 = 2;

// No lock that parks: those of parking_lot share a table, which a fork could copy in the middle of a change.
static STATE: AtomicU8 = AtomicU8::new(FREE);

thread_local! {
    static OURS: Cell<bool> = const { Cell::new(false) };
}

/// Runs `body` without a fork in the middle of it, if this is a thread of ours; on others only they themselves could fork.
pub fn undisturbed<T>(body: impl FnOnce() -> T) -> T {
    struct Spell;
    impl Drop for Spell {
        fn drop(&mut self) {
            STATE.store(FREE, Ordering::Release);
        }
    }
    if !OURS.get() {
        return body();
    }
    take(SPELL, Instant::now() + PATIENCE);
    let _spell = Spell;
    body()
}

/// To be called before a fork (`pthread_atfork`); twice does no harm.
#[cfg_attr(not(any(feature = "php", feature = "ffi")), allow(dead_code))]
pub fn before_fork() {
    if STATE.load(Ordering::Acquire) != FORK {
        take(FORK, Instant::now() + PATIENCE);
    }
}

/// To be called after it, in the parent and in the child.
pub fn after_fork() {
    STATE.store(FREE, Ordering::Release);
}

fn take(state: u8, until: Instant) {
    while STATE.compare_exchange(FREE, state, Ordering::Acquire, Ordering::Relaxed).is_err() && Instant::now() < until {
        std::thread::sleep(LOOK);
    }
}

/// Starts a thread on which no signal handler ever runs: PHP's touch thread-locals of the PHP thread.
pub fn spawn_without_signals<T: Send + 'static>(
    name: &str,
    stack: usize,
    body: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    let mut before = SigSet::empty();
    // A thread begins with the mask of the one that starts it.
    pthread_sigmask(SigmaskHow::SIG_BLOCK, Some(&SigSet::all()), Some(&mut before))?;
    let spawned = Builder::new().name(name.to_owned()).stack_size(stack).spawn(|| {
        OURS.set(true);
        body()
    });
    pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&before), None)?;
    spawned
}

/// Tests that fork have the whole process to themselves.
#[cfg(test)]
pub fn forking_alone() -> parking_lot::MutexGuard<'static, ()> {
    static ALONE: parking_lot::Mutex<()> = parking_lot::Mutex::new(());
    ALONE.lock()
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::signal::Signal;

    #[test]
    fn a_fork_waits_for_the_end_of_a_spell_and_a_spell_for_the_end_of_a_fork() {
        let _alone = forking_alone();
        let (entered, enters) = std::sync::mpsc::channel();
        let (leave, leaves) = std::sync::mpsc::channel::<()>();
        let thread = spawn_without_signals("test", 256 * 1024, move || {
            undisturbed(|| {
                entered.send(()).unwrap();
                leaves.recv().unwrap();
            });
        });
        enters.recv().unwrap();
        let forking = std::thread::spawn(before_fork);
        std::thread::sleep(Duration::from_millis(20));
        assert!(!forking.is_finished());
        leave.send(()).unwrap();
        thread.unwrap().join().unwrap();
        forking.join().unwrap();
        let next = spawn_without_signals("test", 256 * 1024, || undisturbed(|| ())).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        assert!(!next.is_finished());
        after_fork();
        next.join().unwrap();
    }

    #[test]
    fn a_thread_of_ours_takes_no_signal_and_the_caller_takes_those_that_it_took() {
        let mask = || {
            let mut mask = SigSet::empty();
            pthread_sigmask(SigmaskHow::SIG_BLOCK, None, Some(&mut mask)).unwrap();
            mask
        };
        let before = mask();
        let inside = spawn_without_signals("test", 256 * 1024, mask).unwrap().join().unwrap();
        assert!([Signal::SIGTERM, Signal::SIGPROF, Signal::SIGQUIT].iter().all(|signal| inside.contains(*signal)));
        assert_eq!(mask(), before);
    }
}
