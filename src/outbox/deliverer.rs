//! The thread that delivers in the process that queued.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::accounts::Role;
use super::bell::{Bell, Ring};
use super::engine::Engine;
use crate::config::Settings;
use crate::network::tls;
use crate::process::Process;
use crate::thread::spawn_without_signals;

/// Enough for a TLS handshake with debug code; pages that are not used cost nothing.
const STACK: usize = 1024 * 1024;
/// Between two looks whether the thread has ended.
const LOOK: Duration = Duration::from_millis(2);
/// What is left of a call when the thread is told to stop in time for it.
const MARGIN: Duration = Duration::from_millis(500);

/// A thread, and the bell that wakes it.
pub struct Deliverer {
    bell: Arc<Bell>,
    thread: JoinHandle<()>,
}

impl Deliverer {
    /// Starts it. It belongs to this process: the child of a fork starts one of its own.
    pub fn start(process: &'static Process) -> io::Result<Self> {
        // On this thread, which cannot fork meanwhile.
        tls::prepare();
        Settings::prepare();
        let bell = Arc::new(Bell::default());
        let heard = bell.clone();
        let thread = spawn_without_signals("routine-deliver", STACK, move || {
            // A fault of ours ends this thread and nothing else; the next ring starts another.
            let _ = catch_unwind(AssertUnwindSafe(|| Engine::new(process, Arc::default(), heard, Role::Thread).run()));
        })?;
        Ok(Self { bell, thread })
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// There is a message.
    pub fn ring(&self, ring: Ring) {
        self.bell.ring(ring);
    }

    /// Lets it send what was queued here and can be sent at once, then ends it. After `grace` it is left to itself: the library
    /// stays mapped, and what it has claimed but not settled will read `unknown`.
    pub fn stop(self, grace: Duration) -> bool {
        let until = Instant::now() + grace;
        self.bell.stop(until.checked_sub(MARGIN.min(grace / 4)).unwrap_or(until));
        while !self.thread.is_finished() && Instant::now() < until {
            std::thread::sleep(LOOK);
        }
        self.thread.is_finished()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_thread_shares_with_others_is_made_before_it_starts() {
        let process = Process::current().unwrap();
        let deliverer = Deliverer::start(process).unwrap();
        assert!(tls::is_prepared());
        assert!(deliverer.stop(Duration::from_secs(60)));
    }
}
