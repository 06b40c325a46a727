//! What is known of WeChat's hosts: which of them rest after a failure, who may try one again, and whether none is left.
//!
//! A state machine without clock, chance or memory of its own: the caller supplies the time and a random byte, and
//! [`route`](super::route) keeps the value and shares it. A host is *up*, or *down* and resting; once its rest is over one
//! caller claims it and tries again. While no host is up the circuit is open and nobody else tries.

use serde::{Deserialize, Serialize};

use super::client::Cause;
use crate::store::Millis;

/// Requests in a row without an answer after which a host is given up; a failed connection says so at once.
const PATIENCE: u32 = 5;
/// Failures further apart than this are not in a row.
const MEMORY: Millis = 60_000;
/// A host rests this long after its first failure, then twice as long each time.
const FIRST_REST: Millis = 1_000;
const LONGEST_REST: Millis = 30_000;
/// Above every rest and every claim: what ends later than this was written by another clock.
const HORIZON: Millis = 120_000;

/// The hosts of one route, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circuit {
    hosts: Vec<Option<Down>>,
    /// Since when no host is left.
    open: Option<Millis>,
    /// Requests in a row without an answer, whatever the host, and when the last one was.
    silent: u32,
    silent_at: Millis,
}

/// A host that is not used now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Down {
    cause: Cause,
    rest: Millis,
    until: Millis,
    /// Who is trying it again; `until` is then the end of the claim.
    claim: Option<u64>,
}

impl Down {
    fn is_over(&self, now: Millis) -> bool {
        self.until <= now || self.until > now.saturating_add(HORIZON)
    }
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To this host.
    Up(usize),
    /// This host's rest is over: whoever claims it may try it.
    Due(usize),
    /// Nowhere.
    Shut,
}

/// A failure as a caller reports it.
#[derive(Debug, Clone, Copy)]
pub struct Report {
    /// Which host.
    pub host: usize,
    /// The caller's claim, if he has one.
    pub claim: Option<u64>,
    /// What failed.
    pub cause: Cause,
    /// The time.
    pub now: Millis,
    /// Spreads the ends of rests.
    pub chance: u8,
}

/// What `stats()` calls the circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// Requests go out.
    Closed,
    /// None goes out.
    Open,
    /// One goes out, or the next one will, to see whether WeChat is back.
    HalfOpen,
}

impl Position {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

impl Circuit {
    /// All of so many hosts are up.
    pub fn new(hosts: usize) -> Self {
        Self { hosts: vec![None; hosts], open: None, silent: 0, silent_at: 0 }
    }

    /// Whether it is about so many hosts.
    pub fn has(&self, hosts: usize) -> bool {
        self.hosts.len() == hosts
    }

    /// The first host that is up or may be tried again.
    pub fn way(&self, now: Millis) -> Way {
        let none_is_up = self.hosts.iter().all(Option::is_some);
        let tried = |down: &Down| down.claim.is_some() && !down.is_over(now);
        if none_is_up && self.hosts.iter().flatten().any(tried) {
            return Way::Shut;
        }
        let ways = self.hosts.iter().enumerate().map(|(host, state)| match state {
            None => Way::Up(host),
            Some(down) if down.is_over(now) => Way::Due(host),
            Some(_) => Way::Shut,
        });
        ways.into_iter().find(|way| *way != Way::Shut).unwrap_or(Way::Shut)
    }

    /// Reserves a host that is due, for as long as the caller may take. If none is up he tries them all.
    pub fn claim(&mut self, host: usize, claim: u64, now: Millis, lease: Millis) {
        let all = self.hosts.iter().all(Option::is_some);
        for (index, down) in self.hosts.iter_mut().enumerate() {
            if let Some(down) = down.as_mut().filter(|_| all || index == host) {
                down.claim = Some(claim);
                down.until = now + lease.clamp(0, HORIZON);
            }
        }
    }

    /// Whether a caller whose request found no connection elsewhere may turn to this host.
    pub fn may_follow(&self, host: usize, claim: Option<u64>, now: Millis) -> bool {
        match self.hosts.get(host) {
            Some(Some(down)) => down.is_over(now) || (claim.is_some() && down.claim == claim),
            Some(None) => true,
            None => false,
        }
    }

    /// No connection could be made.
    pub fn unreachable(&mut self, report: &Report) {
        self.give_up(report, FIRST_REST);
    }

    /// The request was written, and no answer of WeChat's came.
    pub fn silent(&mut self, report: &Report) {
        let Some(state) = self.hosts.get(report.host) else { return };
        if state.is_none() {
            let in_a_row = report.now.saturating_sub(self.silent_at) <= MEMORY;
            self.silent = if in_a_row { self.silent.saturating_add(1) } else { 1 };
            self.silent_at = report.now;
            if self.silent < PATIENCE {
                return self.release(report.claim, report.now);
            }
        }
        // To try a host that connects and does not answer may cost a message, which another host would deliver meanwhile.
        let other_is_up = self.hosts.iter().enumerate().any(|(host, state)| host != report.host && state.is_none());
        self.give_up(report, if other_is_up { LONGEST_REST } else { FIRST_REST });
        self.release(report.claim, report.now);
    }

    /// WeChat answered.
    pub fn answered(&mut self, host: usize, claim: Option<u64>, now: Millis) {
        if let Some(state) = self.hosts.get_mut(host) {
            *state = None;
        }
        (self.open, self.silent) = (None, 0);
        self.release(claim, now);
    }

    /// Whether [`Circuit::answered`] would change anything.
    pub fn is_news(&self, host: usize) -> bool {
        self.open.is_some() || self.silent > 0 || self.hosts.get(host).is_some_and(Option::is_some)
    }

    /// Gives back what the caller claimed and did not try to the end.
    pub fn release(&mut self, claim: Option<u64>, now: Millis) {
        for down in self.hosts.iter_mut().flatten() {
            if claim.is_some() && down.claim == claim {
                (down.claim, down.until) = (None, now);
            }
        }
    }

    fn give_up(&mut self, report: &Report, first_rest: Millis) {
        let now = report.now;
        let Some(state) = self.hosts.get_mut(report.host) else { return };
        let rest = match state {
            None => first_rest,
            Some(down) if down.is_over(now) || (report.claim.is_some() && down.claim == report.claim) => {
                down.rest.saturating_mul(2).clamp(first_rest, LONGEST_REST)
            }
            // It rests already, or somebody else is trying it: his word counts, not that of a request begun before.
            Some(_) => return,
        };
        let until = now + rest * 3 / 4 + rest / 4 * Millis::from(report.chance) / 255;
        *state = Some(Down { cause: report.cause, rest, until, claim: None });
        if self.open.is_none() && self.hosts.iter().all(|state| state.as_ref().is_some_and(|down| !down.is_over(now))) {
            self.open = Some(now);
        }
    }

    /// Since when the circuit is open, when the next try is (`None`: now), and what failed at the first host.
    pub fn outage(&self, now: Millis) -> Option<(Millis, Option<Millis>, Cause)> {
        let cause = self.hosts.first()?.as_ref()?.cause;
        let next = match self.position(now) {
            Position::Open => self.hosts.iter().flatten().map(|down| down.until).min(),
            Position::Closed | Position::HalfOpen => None,
        };
        self.open.map(|since| (since, next, cause))
    }

    /// Open, closed, or being tried.
    pub fn position(&self, now: Millis) -> Position {
        let tried = |down: &Down| down.claim.is_some() || down.is_over(now);
        match self.open {
            None => Position::Closed,
            Some(_) if self.hosts.iter().flatten().any(tried) => Position::HalfOpen,
            Some(_) => Position::Open,
        }
    }

    /// The host that requests go to while the circuit is closed: the first that is up.
    pub fn active(&self) -> Option<usize> {
        self.hosts.iter().position(Option::is_none)
    }

    /// What failed last at a host that is down.
    pub fn cause(&self, host: usize) -> Option<Cause> {
        Some(self.hosts.get(host)?.as_ref()?.cause)
    }
}

#[cfg(test)]
mod tests;
