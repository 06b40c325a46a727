//! What the processes of an account know of its clearings: how many of the month are used, and what WeChat said of the last ones.

use serde::{Deserialize, Serialize};

use crate::store::{Millis, Note};

/// What was set back so lately is not set back again.
const JUST_NOW: u64 = 60_000;
/// Verdicts that are kept; they matter for [`JUST_NOW`].
const KEPT: usize = 64;

/// What is set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) enum Target<'a> {
    /// All APIs of the account.
    Account,
    /// One API.
    Path(&'a str),
}

impl<'a> Target<'a> {
    /// How often a month.
    pub(in crate::app) fn limit(self) -> u32 {
        match self {
            Self::Account => 10,
            Self::Path(_) => 50,
        }
    }

    /// The API, or `None` for all.
    pub(in crate::app) fn path(self) -> Option<&'a str> {
        match self {
            Self::Account => None,
            Self::Path(path) => Some(path),
        }
    }
}

/// The note's text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::app) struct Record {
    /// `yyyymm`, Asia/Shanghai.
    month: u32,
    /// Clearings of the whole account in this month, the one under way included.
    account: u32,
    /// Those of single APIs.
    paths: u32,
    pub(in crate::app) under_way: Option<UnderWay>,
    done: Vec<Done>,
}

/// A call that some process is at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::app) struct UnderWay {
    /// The process.
    pub(in crate::app) owner: String,
    /// The API, or `None` for all.
    pub(in crate::app) path: Option<String>,
    /// How long it may take.
    pub(in crate::app) lease_ms: u64,
}

/// WeChat's verdict on a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::app) struct Done {
    /// The version of the note under which it was made.
    claim: u64,
    path: Option<String>,
    at: Millis,
    /// WeChat's errcode.
    pub(in crate::app) errcode: i64,
    /// WeChat's errmsg.
    pub(in crate::app) errmsg: String,
}

/// How a call ended, so far as the count goes by it.
pub(in crate::app) enum Ending<'a> {
    /// WeChat has answered.
    Verdict(i64, &'a str),
    /// Nothing was written.
    NotSent,
    /// Written without an answer: it may have been done, so it stays counted.
    Unknown,
}

impl Record {
    /// What a note says in this month; nothing if there is none.
    pub(in crate::app) fn read(note: Option<&Note>, month: u32) -> Self {
        // What cannot be read is of another version of this crate; counting starts anew.
        let read: Self = note.and_then(|note| serde_json::from_str(&note.text).ok()).unwrap_or_default();
        if read.month == month { read } else { Self { month, account: 0, paths: 0, ..read } }
    }

    /// How many were used this month.
    pub(in crate::app) fn used(&self, target: Target<'_>) -> u32 {
        match target {
            Target::Account => self.account,
            Target::Path(_) => self.paths,
        }
    }

    fn used_mut(&mut self, target: Target<'_>) -> &mut u32 {
        match target {
            Target::Account => &mut self.account,
            Target::Path(_) => &mut self.paths,
        }
    }

    /// A verdict that is the caller's as well: on the call that he waited for, or a success just now. What was done for the account
    /// was done for each of its APIs.
    pub(in crate::app) fn verdict(&self, target: Target<'_>, awaited: Option<u64>, now: Millis) -> Option<&Done> {
        self.done.iter().rev().find(|done| {
            let covers = done.path.is_none() || done.path.as_deref() == target.path();
            let lately = done.errcode == 0 && now.abs_diff(done.at) < JUST_NOW;
            covers && (lately || awaited == Some(done.claim))
        })
    }

    /// Counts a call before it is made: whoever is killed at it may have used one.
    pub(in crate::app) fn open(&mut self, target: Target<'_>, owner: &str, lease_ms: u64) {
        let used = self.used_mut(target);
        *used = used.saturating_add(1);
        let path = target.path().map(str::to_owned);
        self.under_way = Some(UnderWay { owner: owner.to_owned(), path, lease_ms });
    }

    /// Writes down how the call under this claim has ended.
    pub(in crate::app) fn close(&mut self, claim: u64, target: Target<'_>, ending: &Ending<'_>, now: Millis) {
        self.under_way = None;
        let used = self.used_mut(target);
        match ending {
            Ending::Verdict(0, _) | Ending::Unknown => {}
            // Used up, by whomever: the console and other software of the shop share the ten.
            Ending::Verdict(48006, _) => *used = (*used).max(target.limit()),
            Ending::Verdict(..) | Ending::NotSent => *used = used.saturating_sub(1),
        }
        if let Ending::Verdict(errcode, errmsg) = ending {
            let (path, errmsg) = (target.path().map(str::to_owned), (*errmsg).to_owned());
            self.done.push(Done { claim, path, at: now, errcode: *errcode, errmsg });
            let surplus = self.done.len().saturating_sub(KEPT);
            self.done.drain(..surplus);
        }
        self.done.retain(|done| now.abs_diff(done.at) < JUST_NOW);
    }

    /// The note to put.
    pub(in crate::app) fn note(&self) -> Note {
        // Numbers and texts only; this cannot fail.
        Note::new(serde_json::to_string(self).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_800_000_000_000;
    const SEND: Target<'_> = Target::Path("/cgi-bin/message/subscribe/send");

    fn with_one_under_way(target: Target<'_>) -> Record {
        let mut record = Record { month: 202_611, ..Record::default() };
        *record.used_mut(target) = 1;
        record
    }

    fn closed(target: Target<'_>, ending: &Ending<'_>) -> Record {
        let mut record = with_one_under_way(target);
        record.close(7, target, ending, NOW);
        record
    }

    #[test]
    fn a_clearing_counts_where_wechat_has_done_it_or_may_have() {
        for target in [Target::Account, SEND] {
            assert_eq!(closed(target, &Ending::Verdict(0, "ok")).used(target), 1);
            assert_eq!(closed(target, &Ending::Unknown).used(target), 1);
            assert_eq!(closed(target, &Ending::NotSent).used(target), 0);
            assert_eq!(closed(target, &Ending::Verdict(40013, "invalid appid")).used(target), 0);
        }
        assert_eq!(closed(Target::Account, &Ending::Verdict(48006, "forbid")).used(Target::Account), 10);
        assert_eq!(closed(Target::Account, &Ending::Verdict(0, "ok")).used(SEND), 0, "the two are counted apart");
    }

    #[test]
    fn a_success_stands_for_a_minute_and_that_of_the_account_for_each_of_its_apis() {
        let account = closed(Target::Account, &Ending::Verdict(0, "ok"));
        for target in [Target::Account, SEND] {
            assert!(account.verdict(target, None, NOW.saturating_add_unsigned(JUST_NOW - 1)).is_some());
            assert!(account.verdict(target, None, NOW.saturating_add_unsigned(JUST_NOW)).is_none());
        }
        let one = closed(SEND, &Ending::Verdict(0, "ok"));
        assert!(one.verdict(SEND, None, NOW).is_some());
        assert!(one.verdict(Target::Path("/cgi-bin/token"), None, NOW).is_none());
        assert!(one.verdict(Target::Account, None, NOW).is_none());
    }

    #[test]
    fn a_refusal_is_the_verdict_of_those_only_who_waited_for_it() {
        let refused = closed(Target::Account, &Ending::Verdict(40013, "invalid appid"));
        assert_eq!(refused.verdict(Target::Account, Some(7), NOW).unwrap().errcode, 40013);
        assert!(refused.verdict(Target::Account, Some(8), NOW).is_none());
        assert!(refused.verdict(Target::Account, None, NOW).is_none());
    }

    #[test]
    fn a_new_month_starts_with_all_of_them_and_an_unreadable_note_does_too() {
        let old = closed(Target::Account, &Ending::Verdict(48006, "forbid")).note();
        assert_eq!(Record::read(Some(&old), 202_611).used(Target::Account), 10);
        assert_eq!(Record::read(Some(&old), 202_612).used(Target::Account), 0);
        let odd = Note::new("[]");
        assert_eq!(Record::read(Some(&odd), 202_611), Record { month: 202_611, ..Record::default() });
    }

    #[test]
    fn a_verdict_of_any_moment_at_all_is_old_or_new() {
        for at in [Millis::MIN, Millis::MAX, 0] {
            let done = Done { claim: 1, path: None, at, errcode: 0, errmsg: String::new() };
            let mut record = Record { month: 202_611, done: vec![done], ..Record::default() };
            assert!(record.verdict(SEND, None, NOW).is_none());
            record.close(2, SEND, &Ending::NotSent, NOW);
            assert!(record.done.is_empty());
        }
    }

    #[test]
    fn a_count_that_cannot_grow_any_more_stays() {
        let mut record = Record { month: 202_611, account: u32::MAX, ..Record::default() };
        record.open(Target::Account, "owner", 1000);
        assert_eq!(record.used(Target::Account), u32::MAX);
    }

    #[test]
    fn verdicts_do_not_pile_up() {
        let mut record = Record::default();
        for claim in 0..500 {
            record.close(claim, SEND, &Ending::Verdict(0, "ok"), NOW);
        }
        assert_eq!(record.done.len(), KEPT);
        record.close(0, SEND, &Ending::NotSent, NOW.saturating_add_unsigned(JUST_NOW));
        assert!(record.done.is_empty());
    }
}
