//! One deadline over a whole call: token fetch, connection, request, answer and retry share it.

use std::time::{Duration, Instant};

/// Long enough for one transaction on a busy host.
const MOMENT: Duration = Duration::from_millis(600);

/// The moment at which a call must have ended.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    at: Instant,
    total: Duration,
}

impl Deadline {
    /// A deadline that lies `total` from now.
    pub fn after(total: Duration) -> Self {
        Self { at: Instant::now() + total, total }
    }

    /// The moment itself, for timers.
    pub fn at(&self) -> Instant {
        self.at
    }

    /// The whole time that was given, for error texts.
    pub fn total(&self) -> Duration {
        self.total
    }

    /// The same, but at least a moment from now: for what must still be written down when time is up.
    pub fn or_a_moment(self) -> Self {
        Self { at: self.at.max(Instant::now() + MOMENT), ..self }
    }

    /// Half of what is left, for a step that the call can do without.
    pub fn half(&self) -> Self {
        Self::after(self.left() / 2)
    }

    /// What is left of it; zero once it has passed.
    pub fn left(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }
}
