//! Faults that a test asks for.

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

/// The faults that wait for their requests, first in first out.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Fault>);

impl Faults {
    pub(super) fn push(&mut self, fault: Fault) {
        if fault.times != Some(0) {
            self.0.push(fault);
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn pending(&self) -> u64 {
        self.0.iter().map(|fault| fault.times.unwrap_or(1)).sum()
    }

    /// What the next request of this path meets.
    pub(super) fn take(&mut self, path: &str) -> Option<FaultKind> {
        let place = self.0.iter().position(|fault| fault.path == "*" || fault.path == path)?;
        let fault = self.0.get_mut(place)?;
        let kind = fault.kind.clone();
        if let Some(times) = &mut fault.times {
            *times -= 1;
            if *times == 0 {
                self.0.remove(place);
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
    }
}
