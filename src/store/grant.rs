//! The ledger: what each user has accepted, per template, and what has become of it.

use std::time::Duration;

use super::Millis;

/// What a user answered, as the ledger keeps it. `Accept` adds one to `accepted` (or, long-term, sets the flag) and ends
/// `refused`; each of them is the row's last answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Choice {
    /// One message more (`accept`, `acceptWithAudio` …), unless both sides tell of it: then it counts once.
    Accept,
    /// Not this time. Earlier accepts stay.
    Reject,
    /// Switched off by the user or by WeChat.
    Ban,
    /// WeChat showed no dialogue for this template.
    Filter,
}

impl Choice {
    /// The name that PHP shows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Ban => "ban",
            Self::Filter => "filter",
        }
    }
}

/// Who tells of a user's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The front end, with the result of `wx.requestSubscribeMessage` or `wx-open-subscribe`.
    Client,
    /// WeChat's push `subscribe_msg_popup_event`: an answer to the same dialogue.
    Popup,
    /// WeChat's push `subscribe_msg_change_event`: the user changed the settings of the mini program.
    Change,
}

impl Source {
    /// Whether WeChat tells, rather than the front end. An answer that both tell of is one.
    pub fn is_push(self) -> bool {
        self != Self::Client
    }
}

/// The same answer comes from the front end and by push within this time: WeChat repeats a push for seconds only, a front end may
/// be without a network for minutes.
pub const PAIRING: Duration = Duration::from_secs(600);
/// Accepts of one user and template that wait for their counterpart.
pub const UNPAIRED_LIMIT: usize = 16;

/// One report of a user's answers.
#[derive(Debug, Clone)]
pub struct GrantReport<'a> {
    /// The account.
    pub appid: &'a str,
    /// The user.
    pub openid: &'a str,
    /// Template id and answer, each template once.
    pub choices: &'a [(&'a str, Choice)],
    /// Whether an accept lasts (long-term subscription) rather than being worth one message.
    pub long_term: bool,
    /// Who reports.
    pub source: Source,
    /// When the user answered, by WeChat's clock; `None`, or what is still to come, is now.
    pub at: Option<Millis>,
    /// Two reports of this account with the same token are one.
    pub token: &'a str,
    /// How long the token is remembered.
    pub remember: Duration,
}

/// What became of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Whether its token was seen before, so that it changed nothing.
    pub duplicate: bool,
    /// The ledger of the named templates after it, in the order given.
    pub rows: Vec<LedgerRow>,
}

/// One user and template. `available` = `accepted` − `delivered` − `reserved` − `lost`, at every moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerRow {
    /// How many messages can still be sent.
    pub available: u64,
    /// Taken by messages under way, or by such of which nobody knows whether they arrived.
    pub reserved: u64,
    /// Accepts that were reported, or that a delivery proved.
    pub accepted: u64,
    /// Messages that WeChat accepted.
    pub delivered: u64,
    /// Accepts that WeChat said (43101) are gone.
    pub lost: u64,
    /// The user's last answer.
    pub state: Option<Choice>,
    /// One accept lasts.
    pub long_term: bool,
    /// WeChat's own last word is "no" (43101, or `subscribe_msg_change_event`; no delivery came after it), and no accept has been
    /// reported since.
    pub refused: bool,
}

/// One page of an audience.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Users and how many messages each can still get (a long-term one counts as 1 if his count is 0).
    pub users: Vec<(String, u64)>,
    /// Give it back for the next page; `None` at the end.
    pub cursor: Option<String>,
}
