//! Faults that a test asks for.

use std::collections::BTreeMap;

use super::random_faults::{Dice, RandomFaults};

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// Processed at once, answered so much later.
    Latency {
        /// Milliseconds.
        ms: u64,
    },
    /// The connection is closed without an answer; the request is not processed.
    DropBefore,
    /// Processed; the connection is closed without an answer.
    DropAfter,
    /// As `DropBefore`, with a TCP reset.
    ResetBefore,
    /// As `DropAfter`, with a TCP reset.
    ResetAfter,
    /// Processed; the head and half the body are sent, then the connection is closed.
    HalfAnswer,
    /// Not processed; this HTTP status with an HTML body, as a gateway answers it.
    HttpStatus {
        /// 200 to 999.
        status: u16,
    },
    /// Processed; status 200 with a body that is no JSON.
    Garbage,
    /// Processed; the body comes byte by byte.
    SlowBytes {
        /// Milliseconds in front of every byte.
        ms_per_byte: u64,
    },
    /// Not processed, never answered.
    Hang,
    /// Not processed; this errcode.
    Errcode {
        /// The code, such as 45009 or -1.
        errcode: i64,
        /// The text, without rid; WeChat's usual one if `None`.
        errmsg: Option<String>,
    },
    /// Processed; a body of so many bytes, JSON that never ends.
    HugeAnswer {
        /// Size of the body.
        bytes: u64,
    },
}

impl FaultKind {
    /// As it is written in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            FaultKind::Latency { .. } => "latency",
            FaultKind::DropBefore => "drop_before",
            FaultKind::DropAfter => "drop_after",
            FaultKind::ResetBefore => "reset_before",
            FaultKind::ResetAfter => "reset_after",
            FaultKind::HalfAnswer => "half_answer",
            FaultKind::HttpStatus { .. } => "http_status",
            FaultKind::Garbage => "garbage",
            FaultKind::SlowBytes { .. } => "slow_bytes",
            FaultKind::Hang => "hang",
            FaultKind::Errcode { .. } => "errcode",
            FaultKind::HugeAnswer { .. } => "huge_answer",
        }
    }

    /// Whether the request takes effect although its answer goes wrong.
    pub(super) fn is_processed(&self) -> bool {
        match self {
            FaultKind::Latency { .. }
            | FaultKind::DropAfter
            | FaultKind::ResetAfter
            | FaultKind::HalfAnswer
            | FaultKind::Garbage
            | FaultKind::SlowBytes { .. }
            | FaultKind::HugeAnswer { .. } => true,
            FaultKind::DropBefore
            | FaultKind::ResetBefore
            | FaultKind::HttpStatus { .. }
            | FaultKind::Hang
            | FaultKind::Errcode { .. } => false,
        }
    }
}

/// A fault with the requests that meet it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// A path such as `/cgi-bin/token`, or `*` for every path but `/__admin`.
    pub path: String,
    /// The next so many requests; `None` for ever.
    pub times: Option<u64>,
    /// What goes wrong.
    pub kind: FaultKind,
}

/// The faults that wait for their requests, first in first out, and those that are met by chance.
#[derive(Debug, Default)]
pub(super) struct Faults {
    queue: Vec<Fault>,
    dice: Option<Dice>,
    /// How many requests have met a fault, by its name.
    met: BTreeMap<&'static str, u64>,
}

impl Faults {
    pub(super) fn push(&mut self, fault: Fault) {
        if fault.times != Some(0) {
            self.queue.push(fault);
        }
    }

    /// Chances in place of those before; their numbers start anew.
    pub(super) fn set_random(&mut self, table: RandomFaults) {
        self.dice = Some(Dice::new(table));
    }

    /// Forgets what may still be met, not what was.
    pub(super) fn clear(&mut self) {
        self.queue.clear();
        self.dice = None;
    }

    pub(super) fn pending(&self) -> u64 {
        self.queue.iter().map(|fault| fault.times.unwrap_or(1)).sum()
    }

    pub(super) fn met(&self) -> BTreeMap<String, u64> {
        self.met.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    /// What the next request of this path meets; chance decides where nothing waits for it.
    pub(super) fn take(&mut self, path: &str) -> Option<FaultKind> {
        let thrown = self.dice.as_mut().and_then(|dice| dice.throw(path));
        let kind = self.next(path).or(thrown)?;
        *self.met.entry(kind.name()).or_default() += 1;
        Some(kind)
    }

    fn next(&mut self, path: &str) -> Option<FaultKind> {
        let place = self.queue.iter().position(|fault| fault.path == "*" || fault.path == path)?;
        let fault = self.queue.get_mut(place)?;
        let kind = fault.kind.clone();
        if let Some(times) = &mut fault.times {
            *times -= 1;
            if *times == 0 {
                self.queue.remove(place);
            }
        }
        Some(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_meet_the_requests_of_their_path_in_order_and_as_often_as_asked() {
        let mut faults = Faults::default();
        faults.push(Fault { path: "/a".into(), times: Some(2), kind: FaultKind::Hang });
        faults.push(Fault { path: "*".into(), times: None, kind: FaultKind::Garbage });
        assert_eq!(faults.pending(), 3);
        assert_eq!(faults.take("/b"), Some(FaultKind::Garbage));
        assert_eq!(faults.take("/a"), Some(FaultKind::Hang));
        assert_eq!(faults.take("/a"), Some(FaultKind::Hang));
        assert_eq!(faults.take("/a"), Some(FaultKind::Garbage));
        assert_eq!(faults.pending(), 1);
        faults.clear();
        assert_eq!(faults.take("/a"), None);
        assert_eq!(faults.met(), [("garbage".to_owned(), 2), ("hang".to_owned(), 2)].into());
    }

    #[test]
    fn what_waits_for_a_request_comes_before_chance() {
        use super::super::random_faults::FaultChance;
        let always = FaultChance { path: "*".into(), per_thousand: 1000, kind: FaultKind::Hang };
        let mut faults = Faults::default();
        faults.set_random(RandomFaults::new(1, vec![always]).unwrap());
        faults.push(Fault { path: "/a".into(), times: Some(1), kind: FaultKind::Garbage });
        assert_eq!(faults.take("/a"), Some(FaultKind::Garbage));
        assert_eq!(faults.take("/a"), Some(FaultKind::Hang));
        faults.clear();
        assert_eq!(faults.take("/a"), None);
    }
}
