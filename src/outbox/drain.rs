//! When `routine-template work --drain` has done what it can.

use std::time::{Duration, Instant};

use crate::store::Queue;

/// What ends one message may make the next one due, so one look proves nothing.
const IDLE_LOOKS: u32 = 2;
/// So long nothing is claimed although something is due, and the rest is left to the next run: an outage, or a pause until midnight,
/// outlasts any cron job.
const STUCK: Duration = Duration::from_secs(10);

/// What a look at the outbox says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Messages are due, or under way.
    Busy,
    /// Nothing is.
    Drained,
    /// Some are due, and cannot be sent.
    Stuck,
}

/// The looks so far.
pub struct Drain {
    idle_looks: u32,
    claimed: u64,
    moved: Instant,
}

impl Drain {
    /// Before the first look.
    pub fn begun(now: Instant) -> Self {
        Self { idle_looks: 0, claimed: 0, moved: now }
    }

    /// Looks at the queues, `None` where the store does not tell them; `claimed` messages were taken by this process so far.
    pub fn look(&mut self, queues: Option<&[Queue]>, claimed: u64, now: Instant) -> Progress {
        let idle = queues.is_some_and(|queues| queues.iter().all(is_idle));
        self.idle_looks = if idle { self.idle_looks.saturating_add(1) } else { 0 };
        if self.idle_looks >= IDLE_LOOKS {
            return Progress::Drained;
        }
        if idle || claimed != self.claimed || queues.is_some_and(|queues| queues.iter().any(is_under_way)) {
            (self.claimed, self.moved) = (claimed, now);
        }
        if now.saturating_duration_since(self.moved) < STUCK { Progress::Busy } else { Progress::Stuck }
    }
}

fn is_idle(queue: &Queue) -> bool {
    queue.lease_in.is_none() && queue.due_in.is_none_or(|due| !due.is_zero())
}

/// Somewhere; one whose lease is over waits to be claimed.
fn is_under_way(queue: &Queue) -> bool {
    queue.lease_in.is_some_and(|lease| !lease.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Channel;

    const NOW: Option<Duration> = Some(Duration::ZERO);
    const LATER: Option<Duration> = Some(Duration::from_secs(5));

    fn queue(due_in: Option<Duration>, lease_in: Option<Duration>) -> Vec<Queue> {
        let (appid, sender) = ("wx1".to_owned(), String::new());
        vec![Queue { appid, channel: Channel::Subscribe, due_in, lease_in, sender }]
    }

    #[test]
    fn it_is_over_when_two_looks_find_nothing_due_or_under_way() {
        let now = Instant::now();
        let mut drain = Drain::begun(now);
        assert_eq!(drain.look(Some(&queue(LATER, None)), 0, now), Progress::Busy);
        assert_eq!(drain.look(Some(&queue(NOW, None)), 0, now), Progress::Busy);
        assert_eq!(drain.look(Some(&queue(LATER, LATER)), 1, now), Progress::Busy);
        assert_eq!(drain.look(Some(&[]), 1, now), Progress::Busy);
        assert_eq!(drain.look(Some(&queue(LATER, None)), 1, now), Progress::Drained);
    }

    #[test]
    fn it_is_stuck_when_for_long_nothing_is_claimed_or_under_way() {
        for stuck in [Some(queue(NOW, None)), Some(queue(NOW, NOW)), None] {
            let stuck = stuck.as_deref();
            let mut now = Instant::now();
            let mut drain = Drain::begun(now);
            now += STUCK - Duration::from_secs(1);
            assert_eq!(drain.look(stuck, 0, now), Progress::Busy);
            assert_eq!(drain.look(stuck, 1, now), Progress::Busy);
            now += STUCK - Duration::from_secs(1);
            assert_eq!(drain.look(Some(&queue(NOW, LATER)), 1, now), Progress::Busy);
            now += STUCK;
            assert_eq!(drain.look(stuck, 1, now), Progress::Stuck);
        }
    }
}
