//! Threads of our own inside a PHP process.

use std::io;
use std::thread::{Builder, JoinHandle};

use nix::sys::signal::{SigSet, SigmaskHow, pthread_sigmask};

/// Starts a thread on which no signal handler ever runs: PHP's touch thread-locals of the PHP thread.
pub fn spawn_without_signals<T: Send + 'static>(
    name: &str,
    stack: usize,
    body: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    let mut before = SigSet::empty();
    // A thread begins with the mask of the one that starts it.
    pthread_sigmask(SigmaskHow::SIG_BLOCK, Some(&SigSet::all()), Some(&mut before))?;
    let spawned = Builder::new().name(name.to_owned()).stack_size(stack).spawn(body);
    pthread_sigmask(SigmaskHow::SIG_SETMASK, Some(&before), None)?;
    spawned
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::signal::Signal;

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
