//! One account as a deliverer knows it: which of its queues may hold something, and when it may try.

use std::time::{Duration, Instant};

use crate::app::{App, Finding, Hold};
use crate::config::Settings;
use crate::message::Channel;
use crate::store::MessageId;

use super::backoff;

/// Requests in flight of an account that nothing is known of yet. Each success doubles it, silence ends it: when WeChat comes back
/// after an outage it is met by one message at first, not by all.
const FIRST_WINDOW: usize = 4;
/// The longest rest of an account; a route or token that comes back is noticed within this time.
const LONGEST_REST: Duration = Duration::from_secs(30);
/// A pause that `clearQuota()` ends is noticed within this time.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// An account and its queues.
pub struct Account {
    pub app: App,
    /// [`crate::store::Sender::version`] of the settings of `app`.
    pub sender: String,
    /// Whether a way and a token are being looked for.
    pub asking: bool,
    pub in_flight: usize,
    most: usize,
    window: usize,
    rests: u32,
    rests_until: Option<Instant>,
    /// The queue that was asked last.
    turn: usize,
    queues: [Queue; Channel::ALL.len()],
}

#[derive(Default)]
struct Queue {
    wanted: bool,
    own: bool,
    paused_until: Option<Instant>,
    /// A claim that was not answered.
    claim: Option<MessageId>,
}

impl Account {
    pub fn new(app: App, sender: String, most: usize) -> Self {
        let window = FIRST_WINDOW.min(most);
        Self {
            app,
            sender,
            asking: false,
            in_flight: 0,
            most,
            window,
            rests: 0,
            rests_until: None,
            turn: 0,
            queues: Default::default(),
        }
    }

    /// Other settings: what was refused to the former ones may be granted to these.
    pub fn renew(&mut self, app: App, sender: String) {
        if self.sender != sender {
            // Not by any difference: two pools that disagree about a timeout must not end each other's rests.
            let (former, now) = (self.app.settings(), app.settings());
            let asks = |settings: &Settings| {
                (settings.secret.clone(), settings.token.clone(), settings.base_url.clone(), settings.proxy.clone())
            };
            if asks(former) != asks(now) || former.token_mode != now.token_mode {
                (self.rests, self.rests_until) = (0, None);
            }
            self.sender = sender;
        }
        self.app = app;
    }

    /// There may be something in this queue; `own`: queued by this process.
    pub fn want(&mut self, channel: Channel, own: bool) {
        if let Some(queue) = self.queue(channel) {
            queue.wanted = true;
            queue.own |= own;
        }
    }

    /// Whether there may be.
    pub fn wants(&mut self, channel: Channel) -> bool {
        self.queue(channel).is_some_and(|queue| queue.wanted)
    }

    /// The id of the next claim: that of the last one until it was answered.
    pub fn claim(&mut self, channel: Channel) -> MessageId {
        self.queue(channel).map_or_else(MessageId::new, |queue| *queue.claim.get_or_insert_default())
    }

    /// It was answered.
    pub fn claimed(&mut self, channel: Channel) {
        if let Some(queue) = self.queue(channel) {
            queue.claim = None;
        }
    }

    /// There is nothing in it for now; `at_all`: not even something that has just been claimed.
    pub fn is_empty(&mut self, channel: Channel, at_all: bool) {
        if let Some(queue) = self.queue(channel) {
            queue.wanted = false;
            queue.own &= !at_all;
        }
    }

    /// Whoever adopts takes care of it, but for what an unanswered claim may have taken.
    pub fn leave(&mut self) {
        for queue in &mut self.queues {
            queue.wanted = queue.claim.is_some();
        }
    }

    /// The same for queues in which this process never queued anything, or for all.
    pub fn leave_others(&mut self, but_own: bool) {
        for queue in &mut self.queues {
            queue.wanted &= but_own && queue.own;
        }
    }

    /// WeChat has limited the API.
    pub fn pause(&mut self, channel: Channel, left: Duration) {
        if let Some(queue) = self.queue(channel) {
            queue.paused_until = Some(Instant::now() + left.min(LONGEST_PAUSE));
        }
    }

    /// Nothing can be sent. Answers whether that is new.
    pub fn hold(&mut self, hold: Hold) -> bool {
        let rest = match hold {
            // The circuit says when the next try is; whether it is time is seen without a request.
            Hold::Route | Hold::Store => backoff::jittered(Duration::from_secs(1)),
            Hold::Token | Hold::Settings => backoff::after(self.rests + 1).min(LONGEST_REST),
        };
        self.rests = self.rests.saturating_add(1);
        self.window = 1;
        self.rests_until = Some(Instant::now() + rest);
        self.rests == 1
    }

    /// What a message has shown.
    pub fn found(&mut self, finding: Finding) {
        match finding {
            Finding::Answers => {
                self.window = (self.window * 2).clamp(1, self.most);
                (self.rests, self.rests_until) = (0, None);
            }
            Finding::Silent | Finding::NoToken => self.window = 1,
        }
    }

    /// The queue whose turn it is to be asked for messages, and for how many.
    pub fn ready(&mut self, now: Instant) -> Option<(Channel, usize)> {
        if self.asking || self.rests_until.is_some_and(|until| now < until) {
            return None;
        }
        let free = self.window.saturating_sub(self.in_flight);
        // Not for each place that becomes free: a claim costs the same for many messages as for one.
        if free == 0 || (self.in_flight > 0 && free * 2 < self.window) {
            return None;
        }
        let queues = Channel::ALL.into_iter().zip(&self.queues).enumerate();
        let ready = queues.filter(|(_, (_, queue))| queue.is_ready(now));
        // In turns, so that none starves behind another that never empties.
        let (turn, (channel, _)) = ready.min_by_key(|(index, _)| (*index <= self.turn, *index))?;
        self.turn = turn;
        Some((channel, free))
    }

    /// When something that waits for a time can be asked for.
    pub fn wakes(&self, now: Instant) -> Option<Instant> {
        let wanted = self.queues.iter().filter(|queue| queue.wanted);
        wanted.filter_map(|queue| queue.paused_until.max(self.rests_until)).filter(|at| *at > now).min()
    }

    /// Whether any queue may hold something that could be sent by then.
    pub fn is_busy(&self, now: Instant) -> bool {
        let rests = self.rests_until.is_some_and(|until| now < until);
        self.in_flight > 0 || self.asking || (!rests && self.queues.iter().any(|queue| queue.is_ready(now)))
    }

    fn queue(&mut self, channel: Channel) -> Option<&mut Queue> {
        Channel::ALL.into_iter().zip(&mut self.queues).find_map(|(known, queue)| (known == channel).then_some(queue))
    }
}

impl Queue {
    fn is_ready(&self, now: Instant) -> bool {
        self.wanted && self.paused_until.is_none_or(|until| until <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    const MOST: usize = 32;

    fn app(secret: &str, timeout: &str) -> App {
        let pairs = [("appid", "wx1"), ("secret", secret), ("timeout_ms", timeout)];
        App::new(Arc::new(Settings::from_pairs(pairs).unwrap()), Arc::default())
    }

    fn account() -> Account {
        let mut account = Account::new(app("s1", "3000"), "1".to_owned(), MOST);
        account.want(Channel::Subscribe, true);
        account
    }

    fn free(account: &mut Account) -> usize {
        account.ready(Instant::now()).map_or(0, |(_, free)| free)
    }

    #[test]
    fn answers_widen_the_window_up_to_the_setting_and_silence_narrows_it_to_one() {
        let mut account = account();
        assert_eq!(free(&mut account), FIRST_WINDOW);
        for _ in 0..10 {
            account.found(Finding::Answers);
        }
        assert_eq!(free(&mut account), MOST);
        account.found(Finding::Silent);
        assert_eq!(free(&mut account), 1);
        account.found(Finding::Answers);
        assert_eq!(free(&mut account), 2);
    }

    #[test]
    fn places_are_filled_when_half_of_them_are_free() {
        let mut account = account();
        for (in_flight, wanted) in [(FIRST_WINDOW, 0), (FIRST_WINDOW - 1, 0), (FIRST_WINDOW / 2, 2), (0, FIRST_WINDOW)]
        {
            account.in_flight = in_flight;
            assert_eq!(free(&mut account), wanted, "{in_flight} in flight");
        }
    }

    #[test]
    fn an_account_that_is_held_up_rests_and_then_begins_with_one() {
        for hold in [Hold::Route, Hold::Token, Hold::Settings, Hold::Store] {
            let mut account = account();
            account.hold(hold);
            let now = Instant::now();
            let wakes = account.wakes(now).unwrap();
            assert!(account.ready(now).is_none() && !account.is_busy(now));
            assert!(wakes > now && wakes < now + LONGEST_REST * 2, "{hold:?}");
            assert_eq!(account.ready(wakes), Some((Channel::Subscribe, 1)));
        }
    }

    #[test]
    fn another_secret_ends_the_rest_and_another_timeout_does_not() {
        let mut account = account();
        account.hold(Hold::Token);
        account.renew(app("s1", "2000"), "2".to_owned());
        assert_eq!(free(&mut account), 0);
        account.renew(app("s2", "2000"), "3".to_owned());
        assert_eq!(free(&mut account), 1);
    }

    #[test]
    fn queues_take_turns_and_a_pause_holds_up_its_own_only() {
        let mut account = account();
        account.want(Channel::Template, false);
        let now = Instant::now();
        let turns: Vec<Channel> = (0..4).filter_map(|_| account.ready(now)).map(|(channel, _)| channel).collect();
        assert_eq!(turns.iter().filter(|channel| **channel == Channel::Template).count(), 2);
        account.pause(Channel::Template, Duration::from_secs(3600));
        assert!(
            (0..3).all(|_| account.ready(Instant::now()).is_some_and(|(channel, _)| channel == Channel::Subscribe))
        );
        account.is_empty(Channel::Subscribe, true);
        assert!(account.ready(Instant::now()).is_none());
        assert!(account.wakes(Instant::now()).unwrap() <= Instant::now() + LONGEST_PAUSE);
    }

    #[test]
    fn a_claim_keeps_its_id_until_it_is_answered() {
        let mut account = account();
        let claim = account.claim(Channel::Subscribe);
        assert_eq!(account.claim(Channel::Subscribe), claim);
        assert_ne!(account.claim(Channel::Template), claim);
        account.claimed(Channel::Subscribe);
        assert_ne!(account.claim(Channel::Subscribe), claim);
    }

    #[test]
    fn who_leaves_keeps_what_was_queued_here() {
        let mut account = account();
        account.want(Channel::Template, false);
        account.leave_others(true);
        assert!(account.wants(Channel::Subscribe) && !account.wants(Channel::Template));
        account.leave_others(false);
        assert!(!account.wants(Channel::Subscribe));
    }
}
