//! Messages in the store: opened before the first byte leaves, closed with the verdict, kept as the record.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use uuid::Uuid;

use super::{Millis, Owner, Pause};
use crate::config::GrantPolicy;
use crate::message::Channel;

/// The id of a message: a UUID version 7, so ids sort by the time at which they were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(Uuid);

impl MessageId {
    /// A new id.
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// The 16 bytes, which sort as the ids do.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// From 16 bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The smallest id of a moment: every id made earlier is below it.
    pub fn floor(at: Millis) -> Self {
        let milliseconds = u64::try_from(at).unwrap_or(0).min((1 << 48) - 1);
        Self(Uuid::from_u128(u128::from(milliseconds) << 80))
    }
}

impl Default for MessageId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for MessageId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

/// A message as [`super::Store::begin`] takes it; the same goes to `finish`.
#[derive(Debug, Clone)]
pub struct Begin<'a> {
    /// Its id. With a `key` that has a row already, the row keeps its own.
    pub id: MessageId,
    /// Who sends it.
    pub owner: &'a Owner,
    /// After so long without `finish`, what became of it counts as unknown.
    pub lease: Duration,
    /// The account.
    pub appid: &'a str,
    /// The receiver, as the ledger knows him.
    pub openid: &'a str,
    /// The receiver as the row shows him: the same, or a hash (setting `hash_openid`).
    pub shown_openid: &'a str,
    /// The private template id.
    pub template_id: &'a str,
    /// The call that carries it.
    pub channel: Channel,
    /// The application's idempotency key.
    pub key: Option<&'a str>,
    /// When the ledger refuses (setting `grants`).
    pub policy: GrantPolicy,
    /// What fitting altered, JSON.
    pub changed: Option<&'a str>,
    /// What is posted, JSON, where the setting `keep_payload` asks for it.
    pub payload: Option<&'a str>,
    /// How long the row is kept after it was last written.
    pub retention: Duration,
    /// A row under way whose process is known to have ended (id and epoch from [`Begun::UnderWay`]): its lease is over.
    pub abandoned: Option<(MessageId, u32)>,
    /// Whether it comes from the outbox.
    pub queued: bool,
}

impl Begin<'_> {
    /// Whether the ledger counts this channel: a template message of an official account needs no grant.
    pub fn counts_grants(&self) -> bool {
        self.channel != Channel::Template
    }
}

/// What `begin` took from the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// One grant is reserved for this message.
    Reserved,
    /// The ledger knows none, but that is no proof; if WeChat delivers, there was one.
    OnCredit,
    /// Long-term: nothing is used up.
    LongTerm,
    /// This channel, or this template, is not counted: no accept of it was ever reported.
    Uncounted,
}

/// What `begin` found.
#[derive(Debug, Clone, PartialEq)]
pub enum Begun {
    /// The row is in state `sending`; send now, then call `finish`.
    Go {
        /// The row's id: `begin.id`, or that of the row with the same key whose former end was not the last word.
        id: MessageId,
        /// For `finish`.
        epoch: u32,
        /// What was taken.
        grant: Grant,
        /// How many accepts of this user and template had been reported, for `finish`: 43101 proves nothing about those that
        /// come later.
        seen: u64,
    },
    /// The API is paused. The row is `refused`, with the pause's errcode, and is not the last word.
    Paused {
        /// The row's id.
        id: MessageId,
        /// Until when.
        pause: Pause,
    },
    /// The ledger refuses. The row is `refused` with 43101, and is not the last word.
    NoGrant {
        /// The row's id.
        id: MessageId,
        /// Whether by WeChat's own word, rather than by our count.
        certain: bool,
    },
    /// A message with this key has its verdict, or it will never have one (state `unknown`).
    Known(Delivery),
    /// A message with this key is being sent at this moment, by this owner.
    UnderWay(Delivery, String),
}

/// Where a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// In the outbox. One whose time is over reads as `Expired`.
    Queued,
    /// Opened; its lease is not over.
    Sending,
    /// WeChat accepted it.
    Delivered,
    /// WeChat, or the check here, refused it.
    Refused,
    /// It certainly did not reach WeChat.
    NotSent,
    /// It may have reached WeChat. A row whose lease is over without an end reads as this, too.
    Unknown,
    /// Its time was over before it could be delivered; it certainly was not.
    Expired,
}

impl State {
    /// All of them.
    pub const ALL: [State; 7] =
        [Self::Queued, Self::Sending, Self::Delivered, Self::Refused, Self::NotSent, Self::Unknown, Self::Expired];

    /// The name that PHP shows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::NotSent => "not_sent",
            Self::Unknown => "unknown",
            Self::Expired => "expired",
        }
    }

    /// The state of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What the end of a message means for the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// Delivered: the reserved grant is spent. Without one (on credit) the ledger learns that there was one: accepted + 1,
    /// delivered + 1. WeChat's last word is a "yes" then, so `refused` ends.
    Spent,
    /// Nothing was delivered: the reserved grant is available again.
    GivenBack,
    /// 43101: the user has no grant left. What is available, what this message reserved, and what messages of unknown
    /// outcome reserved is lost; accepts reported after `seen` stay available, and if there are any, `refused` is not set.
    Zero {
        /// From [`Begun::Go`].
        seen: u64,
    },
    /// Nobody knows: it stays reserved until a 43101 says that it is gone.
    Kept,
}

/// How a message ended.
#[derive(Debug, Clone)]
pub struct End<'a> {
    /// `Delivered`, `Refused`, `NotSent` or `Unknown`; for a message of the outbox also `Expired`.
    pub state: State,
    /// Whether a later message with the same key gets this answer instead of being sent.
    pub last_word: bool,
    /// What it means for the ledger.
    pub settlement: Settlement,
    /// What `begin` took.
    pub grant: Grant,
    /// The errcode, where there is a verdict.
    pub errcode: Option<i64>,
    /// Whether the verdict is WeChat's: a refusal of the token that still stands is repeated here.
    pub from_wechat: bool,
    /// Its errmsg, or what failed.
    pub errmsg: &'a str,
    /// Message id in digits.
    pub msgid: Option<&'a str>,
    /// Request id.
    pub rid: Option<&'a str>,
    /// How many times it was posted, now; added to the row's.
    pub attempts: u32,
    /// The path of the API that was called.
    pub api: &'a str,
    /// The day of the calls, `yyyymmdd` in Asia/Shanghai. `attempts` calls are counted.
    pub day: u32,
    /// The pause that the answer calls for.
    pub pause: Option<Pause>,
    /// A message of the outbox is to be tried again after so long; `state` does not count then.
    pub again: Option<Duration>,
}

/// A refusal that needs neither ledger nor network.
#[derive(Debug, Clone)]
pub struct LocalRefusal<'a> {
    /// The errcode that WeChat would have answered.
    pub errcode: i64,
    /// Its errmsg.
    pub errmsg: &'a str,
}

/// One delivery row.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// The message's id.
    pub id: MessageId,
    /// Which sending of the row this is, from 1.
    pub epoch: u32,
    /// The receiver, or his hash.
    pub openid: String,
    /// The private template id.
    pub template_id: String,
    /// The call that carries it.
    pub channel: Channel,
    /// The application's key.
    pub key: Option<String>,
    /// Where it is now.
    pub state: State,
    /// WeChat's errcode, or that of the local refusal.
    pub errcode: Option<i64>,
    /// Its errmsg, or what failed.
    pub errmsg: String,
    /// Whether the verdict is WeChat's (true) or was decided here.
    pub from_wechat: bool,
    /// WeChat's message id in digits.
    pub msgid: Option<String>,
    /// WeChat's request id.
    pub rid: Option<String>,
    /// How many times it was posted.
    pub attempts: u32,
    /// What fitting altered, JSON.
    pub changed: Option<String>,
    /// What was posted, JSON.
    pub payload: Option<String>,
    /// When it was last opened.
    pub begun: Millis,
    /// When it was last closed.
    pub finished: Option<Millis>,
    /// In the outbox: when it will be tried, or tried again, at the earliest; `None` while it is under way.
    pub due: Option<Millis>,
    /// What WeChat has said of its arrival ([`Receipt::text`](super::Receipt::text)).
    pub receipt: Option<String>,
}

/// Which delivery rows. All conditions must hold.
#[derive(Debug, Clone, Default)]
pub struct Filter<'a> {
    /// As the row shows it: hashed where rows are.
    pub openid: Option<&'a str>,
    /// The private template id.
    pub template_id: Option<&'a str>,
    /// The application's key.
    pub key: Option<&'a str>,
    /// The state as it reads now.
    pub state: Option<State>,
    /// Rows whose id is below this one: the last id of the page before.
    pub before: Option<MessageId>,
    /// Rows made (by their id) at this time or later.
    pub since: Option<Millis>,
    /// 1 … 1000.
    pub limit: usize,
}
