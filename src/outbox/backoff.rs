//! How long a message, or an account, rests before the next try.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Rests after the first, second … attempt; the last one is repeated until the message expires.
const STEPS: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_secs(120),
    Duration::from_secs(600),
];

/// The rest after so many attempts, so that messages which failed together do not come back together.
pub fn after(tries: u32) -> Duration {
    let index = usize::try_from(tries.saturating_sub(1)).unwrap_or(usize::MAX);
    jittered(STEPS.get(index).or(STEPS.last()).copied().unwrap_or_default())
}

/// Between three quarters of the time and five quarters of it.
pub fn jittered(time: Duration) -> Duration {
    let chance = u32::try_from(RandomState::new().hash_one(()) & 0xff).unwrap_or(0);
    time * 3 / 4 + time / 2 * chance / 0xff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_grow_to_some_ten_minutes_and_are_never_the_same() {
        for (tries, seconds) in [(0, 1), (1, 1), (2, 5), (3, 30), (4, 120), (5, 600), (6, 600), (u32::MAX, 600)] {
            let rest = after(tries);
            assert!(rest >= Duration::from_secs(seconds) * 3 / 4 && rest <= Duration::from_secs(seconds) * 5 / 4);
        }
        let rests: std::collections::BTreeSet<Duration> = (0..50).map(|_| after(5)).collect();
        assert!(rests.len() > 20);
    }
}
