//! Who may have the counters set back now, of all processes of an account.
//!
//! WeChat does it ten times a month (`clear_quota` and its v2 together) and fifty times by API (`openapi/quota/clear`). A hundred
//! workers that meet 45009 in the same second all ask for it, so one of them asks WeChat, and the others take its answer.

use std::thread;
use std::time::Duration;

use jiff::Timestamp;

use super::record::{Done, Ending, Record, Target};
use crate::app::App;
use crate::app::post::CallContext;
use crate::calendar;
use crate::error::Error;
use crate::language::Text;

/// The note of an account.
const NOTE: &str = "clearings";
/// A month and the time that clocks may differ.
const LIFETIME: Duration = Duration::from_secs(32 * 86_400);
/// Between two looks at a call of another process.
const LOOK: Duration = Duration::from_millis(40);
/// For the store and the way back, beyond the caller's own limit.
const MARGIN: Duration = Duration::from_secs(1);

/// What a caller does.
#[derive(Debug)]
pub(super) enum Turn {
    /// It asks WeChat, and says what came of it ([`App::close_clearing`]).
    Ours(Claim),
    /// Another process has asked, just now or at this very moment: its verdict.
    Done(Done, Record),
    /// All of this month are used.
    NoneLeft(Record),
    /// There is no store at this moment, so nobody counts.
    Uncounted,
}

/// The right to ask WeChat.
#[derive(Debug)]
pub(super) struct Claim {
    version: u64,
    record: Record,
}

impl App {
    /// Whose turn it is; waits for another process that is at it.
    pub(super) fn claim_clearing(&self, call: &CallContext<'_>, target: Target<'_>) -> Result<Turn, Error> {
        let stats = &call.process.stats;
        let mut awaited = None;
        loop {
            // A store that hangs must leave time for WeChat.
            let patience = call.deadline.half();
            let noted =
                call.store.insist(patience, stats, |store, until| store.note(&self.settings.appid, NOTE, until));
            let Ok(noted) = noted else { return Ok(Turn::Uncounted) };
            let now = Timestamp::now();
            let mut record = Record::read(noted.as_ref(), calendar::month(now));
            if let Some(done) = record.verdict(target, awaited, now.as_millisecond()) {
                return Ok(Turn::Done(done.clone(), record));
            }
            let (seen, age) = noted.as_ref().map_or((0, Duration::ZERO), |note| (note.version, note.age));
            if let Some(other) = &record.under_way
                && age < Duration::from_millis(other.lease_ms)
                && !call.process.owner().sees_ended(&other.owner)
            {
                if call.deadline.left() <= LOOK {
                    return Err(under_way(call.deadline.total().as_millis()));
                }
                if other.path.as_deref() == target.path() {
                    awaited = Some(seen);
                }
                thread::sleep(LOOK);
                continue;
            }
            if record.used(target) >= target.limit() {
                return Ok(Turn::NoneLeft(record));
            }
            let lease_ms = u64::try_from((call.deadline.left() + MARGIN).as_millis()).unwrap_or(u64::MAX);
            record.open(target, call.process.owner().as_str(), lease_ms);
            let note = record.note();
            let stands = call.store.insist(patience, stats, |store, until| {
                store.put_note(&self.settings.appid, NOTE, seen, &note, LIFETIME, until)
            });
            match stands {
                Ok(Some(stands)) if stands.version == note.version => {
                    return Ok(Turn::Ours(Claim { version: note.version, record }));
                }
                // Somebody else was faster.
                Ok(_) if !call.deadline.left().is_zero() => {}
                Ok(_) => return Err(under_way(call.deadline.total().as_millis())),
                Err(_) => return Ok(Turn::Uncounted),
            }
        }
    }

    /// Says what came of a claim, and answers the count after it.
    pub(super) fn close_clearing(
        &self,
        call: &CallContext<'_>,
        target: Target<'_>,
        claim: Claim,
        ending: &Ending<'_>,
    ) -> Record {
        let Claim { version: claimed, mut record } = claim;
        record.close(claimed, target, ending, Timestamp::now().as_millisecond());
        let note = record.note();
        // Without the store, or where the lease has ended meanwhile, the call stays counted; the store handle has reported a
        // failure.
        let _ = call.store.insist(call.deadline.or_a_moment(), &call.process.stats, |store, until| {
            store.put_note(&self.settings.appid, NOTE, claimed, &note, LIFETIME, until)
        });
        record
    }
}

fn under_way(waited: u128) -> Error {
    Error::Transport {
        text: Text::new(
            format!("clearQuota()：另一个进程正在清零，等待 {waited} 毫秒仍无结果"),
            format!("clearQuota(): another process is at it and had no verdict within {waited} ms"),
        ),
        // Not this call's request, but it may well be done.
        ambiguous: true,
    }
}
