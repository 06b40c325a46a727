//! The outbox: messages that were accepted and wait for their delivery.

use std::fmt;
use std::time::Duration;

use super::{Grant, MessageId, Owner, Pause, State};
use crate::config::{GrantPolicy, Secret};
use crate::message::Channel;

/// What the outbox keeps of a message beyond its [`Begin`](super::Begin).
#[derive(Debug, Clone)]
pub struct Parcel<'a> {
    /// What will be posted, JSON.
    pub body: &'a [u8],
    /// It is not sent before so long.
    pub delay: Duration,
    /// It is given up if it was not delivered so long after that.
    pub expires: Duration,
    /// Limit of each attempt.
    pub timeout: Duration,
    /// Whether it is sent again after an attempt of which nobody knows whether it arrived.
    pub resend_unknown: bool,
    /// With which settings it is sent, by whoever does.
    pub sender: &'a Sender,
}

/// How many attempts without a known outcome a message is worth that may be sent again.
pub const UNSURE_LIMIT: u32 = 5;

/// The settings of an account, as the store keeps them for processes that were never told. The last ones count.
#[derive(Clone, PartialEq, Eq)]
pub struct Sender {
    /// Tells one value from another.
    pub version: String,
    /// Names and values, JSON. There is a secret among them.
    pub settings: Secret,
}

impl fmt::Debug for Sender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Sender").field(&self.version).finish()
    }
}

/// What became of a message that was to be queued.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "one a call, never kept")]
pub enum Enqueued {
    /// It waits, under this id: its own, or that of the row with the same key whose former end was not the last word.
    Queued(MessageId),
    /// A message with this key waits, is under way, or has had its last word.
    Known(super::Delivery),
}

/// A queue: the messages of one account that go through one API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// The account.
    pub appid: String,
    /// The API.
    pub channel: Channel,
    /// How soon the next message that nobody has claimed is due; `None` if there is none.
    pub due_in: Option<Duration>,
    /// How soon the first lease of those under way is over; `None` if none is under way.
    pub lease_in: Option<Duration>,
    /// [`Sender::version`] of the account.
    pub sender: String,
}

/// Who wants messages to send.
#[derive(Debug, Clone)]
pub struct Claim<'a> {
    /// The same for a claim that is repeated because its answer was lost.
    pub id: MessageId,
    /// Who sends them.
    pub owner: &'a Owner,
    /// The queue.
    pub appid: &'a str,
    /// The queue.
    pub channel: Channel,
    /// How many at most, 1 … 256.
    pub limit: usize,
    /// How long after a message's own limit its lease is over.
    pub margin: Duration,
    /// How long the rows of those that end here are kept.
    pub retention: Duration,
}

/// What a claim brought.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Claimed {
    /// Messages that the caller sends now and then hands to `finish`. No two have the same receiver.
    pub jobs: Vec<Job>,
    /// Messages that ended on the way here: expired, refused by the ledger, or unknown because their lease was over.
    pub ended: Vec<(MessageId, State)>,
    /// The API is paused, so that nothing was claimed.
    pub pause: Option<Pause>,
    /// Whether more than this was due: the limit was reached.
    pub more: bool,
}

/// A message that its claimer has to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its id.
    pub id: MessageId,
    /// For `finish`.
    pub epoch: u32,
    /// What was taken from the ledger.
    pub grant: Grant,
    /// For `finish`, as at [`Begun::Go`](super::Begun::Go).
    pub seen: u64,
    /// The receiver.
    pub openid: String,
    /// The receiver as the row shows him.
    pub shown_openid: String,
    /// The private template id.
    pub template_id: String,
    /// The application's key.
    pub key: Option<String>,
    /// When the ledger refuses.
    pub policy: GrantPolicy,
    /// What is posted, JSON.
    pub body: Vec<u8>,
    /// Limit of the attempt.
    pub timeout: Duration,
    /// How many attempts were made before this one.
    pub tries: u32,
    /// How many of them may have delivered it.
    pub unsure: u32,
    /// Whether it may be sent again after an attempt without a known outcome.
    pub resend_unknown: bool,
    /// How long until it expires.
    pub expires_in: Duration,
}

/// Whether a process adopts what others have left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lead {
    /// It does, until its lease is over.
    Mine,
    /// This one does.
    Other(String),
}
