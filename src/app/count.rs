//! How messages ended, for the counters.

use crate::answer::{Answer, Source};
use crate::error::Error;
use crate::stats::Stats;
use crate::wechat::errcode::Outcome;

// Here, so that the counters, which every layer has, know of none.
impl Stats {
    /// Counts how a message ended.
    pub fn outcome(&self, result: &Result<Answer, Error>) {
        match result {
            Ok(answer) if answer.duplicate => self.duplicates.increment(),
            Ok(answer) if answer.outcome == Outcome::Delivered => self.delivered.increment(),
            Ok(answer) if answer.source == Source::Local => self.refused_local.increment(),
            Ok(_) => self.refused_wechat.increment(),
            Err(Error::Transport { ambiguous: true, .. }) => self.transport_unknown.increment(),
            Err(Error::Transport { ambiguous: false, .. }) => self.transport_not_sent.increment(),
            Err(_) => {}
        }
    }
}
