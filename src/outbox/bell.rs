//! How a thread that queues a message wakes the one that delivers.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::config::Settings;
use crate::message::Channel;
use crate::store::handle::StoreKey;

/// More queues than one process fills between two looks; what does not fit is found by whoever adopts.
const LIMIT: usize = 256;

/// A queue that has a new message.
#[derive(Clone)]
pub struct Ring {
    /// The account, as the process knows it.
    pub settings: Arc<Settings>,
    /// The API.
    pub channel: Channel,
    /// [`Sender::version`](crate::store::Sender::version) of these settings.
    pub sender: String,
}

/// Rings, and the word to stop.
#[derive(Default)]
pub struct Bell {
    heard: Mutex<Heard>,
    notify: Notify,
}

#[derive(Default)]
struct Heard {
    rings: Vec<Ring>,
    stop: Option<Instant>,
}

impl Bell {
    /// A queue has a new message.
    pub fn ring(&self, ring: Ring) {
        let mut heard = self.heard.lock();
        let rings = &mut heard.rings;
        rings.retain(|known| !known.is_of(&ring));
        if rings.len() < LIMIT {
            rings.push(ring);
        }
        drop(heard);
        self.notify.notify_one();
    }

    /// Nothing new is begun but what was rung for, and nothing at all after `until`.
    pub fn stop(&self, until: Instant) {
        self.heard.lock().stop = Some(until);
        self.notify.notify_one();
    }

    /// What was rung for since the last look, and whether to stop.
    pub fn take(&self) -> (Vec<Ring>, Option<Instant>) {
        let mut heard = self.heard.lock();
        (std::mem::take(&mut heard.rings), heard.stop)
    }

    /// Until when to stop, if the word was given.
    pub fn stops_at(&self) -> Option<Instant> {
        self.heard.lock().stop
    }

    /// Waits for the next ring, or the word to stop.
    pub async fn wait(&self) {
        self.notify.notified().await;
    }
}

impl Ring {
    fn is_of(&self, other: &Self) -> bool {
        self.channel == other.channel
            && self.settings.appid == other.settings.appid
            && StoreKey::of(&self.settings).is_of(&other.settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(appid: &str, sender: &str) -> Ring {
        let settings = Arc::new(Settings::from_pairs([("appid", appid)]).unwrap());
        Ring { settings, channel: Channel::Subscribe, sender: sender.to_owned() }
    }

    #[test]
    fn rings_for_one_queue_are_one_and_the_latest_settings_count() {
        let bell = Bell::default();
        for (appid, sender) in [("wx1", "1"), ("wx2", "1"), ("wx1", "2")] {
            bell.ring(ring(appid, sender));
        }
        let (rings, stop) = bell.take();
        let heard: Vec<_> = rings.iter().map(|ring| (ring.settings.appid.as_str(), ring.sender.as_str())).collect();
        assert_eq!((heard, stop), (vec![("wx2", "1"), ("wx1", "2")], None));
        assert!(bell.take().0.is_empty());
    }

    #[test]
    fn a_process_that_rings_for_ever_fills_no_memory() {
        let bell = Bell::default();
        for number in 0..LIMIT + 10 {
            bell.ring(ring(&format!("wx{number}"), "1"));
        }
        assert_eq!(bell.take().0.len(), LIMIT);
    }
}
