//! What all processes of a host, or of several hosts, share: tokens, grants, messages, quota, the health of the
//! route to WeChat.
//!
//! One trait; each method is one transaction that is either wholly done or not at all, whoever is killed meanwhile.
//! Two engines: SQLite (a directory on this host) and Redis (several hosts). Which account a row belongs to is part of
//! every key, so accounts never mix. Engines keep their own clock: Redis the server's, so that hosts whose clocks
//! differ agree on a lease.
//!
//! Nothing in here decides about a message. `app` asks, the store answers, and a store that fails never stops a send
//! (see [`handle`]).

mod error;
mod grant;
pub mod handle;
mod health;
mod message;
mod note;
mod outbox;
pub(crate) mod owner;
pub(crate) mod place;
mod quota;
mod receipt;
mod redis;
mod sqlite;
mod token;

use std::time::{Duration, Instant};

pub use crate::config::Durability;
pub use error::{Fault, StoreError};
pub use grant::{Choice, GrantReport, LedgerRow, PAIRING, Page, Recorded, Source, UNPAIRED_LIMIT};
pub use health::Health;
pub use message::{Begin, Begun, Delivery, End, Filter, Grant, LocalRefusal, MessageId, Settlement, State};
pub use note::{NOTE_LIMIT, Note};
pub use outbox::{Claim, Claimed, Enqueued, Job, Lead, Parcel, Queue, Sender, UNSURE_LIMIT};
pub use owner::Owner;
pub use quota::{Pause, Usage};
pub use receipt::{RECEIPT_ROWS, Receipt};
pub use redis::RedisStore;
pub(crate) use redis::any_reply;
pub use sqlite::SqliteStore;
pub(crate) use sqlite::close_gates;
pub use token::{StoredRefusal, StoredToken, TokenAsk, TokenTurn};

/// How long a record of a route is kept that nobody replaces; its rests are far shorter.
const HEALTH_LIFETIME: Duration = Duration::from_secs(3600);

/// Milliseconds since 1970, UTC.
pub type Millis = i64;

/// The engine-neutral store. `until` is when the call must have ended, waiting for other processes included.
pub trait Store: Send + Sync {
    /// Where it is, without credentials: `sqlite:/var/lib/routine-template`, `redis://host:6379/0`.
    fn place(&self) -> String;

    /// Opens a message: one transaction that looks up the key, the pause of its API and the ledger, takes a grant, and
    /// leaves the delivery row in state `sending`. What is refused here leaves its row as well, in state `refused`.
    ///
    /// The rules, in this order:
    ///
    /// 1. A row with the same key. While it is `queued`, or `sending`, its lease not over and it is not `abandoned`:
    ///    [`Begun::UnderWay`] (a queued one has no owner). `sending` otherwise: it becomes `unknown`, which is a last word. With a
    ///    last word: [`Begun::Known`]. Else it is opened again: its own id, `epoch` + 1, everything else from `begin`, `attempts` kept.
    /// 2. The API ([`Channel::path`](crate::message::Channel::path)) is paused: [`Begun::Paused`].
    /// 3. The ledger, if [`Begin::counts_grants`]. A template is *reported* once any accept of it was recorded for this account.
    ///    `refused`, the template reported, and the policy not `Off`: [`Begun::NoGrant`], certain. Long-term and the last answer
    ///    `accept`: [`Grant::LongTerm`]. `available` > 0: one is reserved, [`Grant::Reserved`]. Policy `Strict`:
    ///    [`Begun::NoGrant`]. Reported: [`Grant::OnCredit`]. Else [`Grant::Uncounted`].
    /// 4. [`Begun::Go`], the row in state `sending`, its lease running.
    ///
    /// Calling it again with the same `id` (and no key, or the same) while that message is under way changes nothing and
    /// answers the same `Go`, so a call whose answer was lost can be repeated.
    fn begin(&self, begin: &Begin<'_>, until: Instant) -> Result<Begun, StoreError>;

    /// Closes a message that [`Store::begin`] let go. The ledger by [`Settlement`] and [`Grant`]; `available` follows from its
    /// equation and is never negative:
    ///
    /// | | `Spent` | `GivenBack` | `Zero` | `Kept` |
    /// |---|---|---|---|---|
    /// | `Reserved` | reserved − 1, delivered + 1 | reserved − 1 | its reservation is lost, and below | it stays reserved |
    /// | `OnCredit`, `LongTerm` | accepted + 1, delivered + 1 | – | below | – |
    /// | `Uncounted` | – | – | – | – |
    ///
    /// `Zero`: reservations of this user and template that are `Kept`, or whose message's lease is over, are lost; `available`
    /// is lost down to the number of accepts reported after `seen`; `refused` is set if there are none of those. `Spent`, but
    /// for `Uncounted`, ends `refused`.
    ///
    /// A message from the outbox ([`Begin::queued`]) leaves it, and the next one of its receiver is the first; with
    /// [`End::again`] it stays, in state `queued`, due after so long; its row keeps the verdict of the attempt and its `attempts`
    /// grow. With `again` and `Kept` the attempt counts as one that may have delivered it, and what it reserved waits for the next.
    ///
    /// Besides it writes the verdict, counts the calls and sets the pause that WeChat's answer calls for. It has no effect on a
    /// row that a later `begin` has taken over (another `epoch`) or that is closed already; the calls are counted all the same,
    /// once. A row that became `unknown` only because its lease was over takes the verdict: a late one is better than none, and
    /// what was kept is settled by it. If that verdict says `again`, but the message has left the outbox, it is closed as
    /// `not_sent`, not the last word.
    fn finish(&self, begin: &Begin<'_>, epoch: u32, end: &End<'_>, until: Instant) -> Result<(), StoreError>;

    /// [`Store::begin`] of several messages, each a transaction of its own, for the price of few. The answers are in their
    /// order. If it fails, each of them may have been done or not, and each may be repeated.
    fn begin_all(&self, begins: &[Begin<'_>], until: Instant) -> Result<Vec<Begun>, StoreError> {
        begins.iter().map(|begin| self.begin(begin, until)).collect()
    }

    /// [`Store::finish`] of several messages, in the same way.
    fn finish_all(&self, ends: &[(&Begin<'_>, u32, &End<'_>)], until: Instant) -> Result<(), StoreError> {
        ends.iter().try_for_each(|(begin, epoch, end)| self.finish(begin, *epoch, end, until))
    }

    /// Accepts a message for later delivery: its delivery row in state `queued`, its parcel in the outbox, the account's
    /// [`Sender`] if it is another than the one that the store has. Nothing is taken from the ledger yet, and no pause counts.
    ///
    /// A row with the same key that is `queued`, `sending` or has had its last word: [`Enqueued::Known`], and nothing is changed;
    /// but one that is `sending`, its lease over, and that is not in the outbox becomes `unknown` first, as at `begin`. Any other
    /// row with that key is opened again as at `begin`.
    ///
    /// Calling it again with the same `begin.id` answers the same `Queued` and changes nothing. Retention counts from the end of
    /// a message: while it is in the outbox its row does not expire. A message without delay is due at once, even if the clock
    /// is set back meanwhile.
    fn enqueue(&self, begin: &Begin<'_>, parcel: &Parcel<'_>, until: Instant) -> Result<Enqueued, StoreError>;

    /// Takes messages of one queue to send them, in one transaction: those that are due, the earliest first.
    ///
    /// Messages to one receiver (the real openid, of one account, whatever the channel) go one after another: only the first of
    /// his in the outbox can be claimed, in the order of when they were first due (delay included) and then of their ids; one
    /// that waits to be tried again, or is under way, is still the first, whatever is queued meanwhile.
    ///
    /// 1. The API is paused: [`Claimed::pause`], nothing else is done.
    /// 2. Its time (`expires`) is over: `expired`, or `unknown` if an earlier attempt may have delivered it. Both are last words.
    /// 3. It is `sending`, so its lease is over: `unknown`, a last word, and its reservation is kept; but if it
    ///    `resend_unknown`s and has fewer than [`UNSURE_LIMIT`] such attempts, counting this one, it goes on as a message whose
    ///    attempt was unknown.
    /// 4. The ledger as at `begin`; 43101 refuses it, which is not a last word. A message of which an attempt was unknown asks
    ///    nothing: it takes over the reservation of that attempt if there still is one ([`Grant::Reserved`]), else it goes
    ///    [`Grant::OnCredit`] where the ledger counts, keeping `seen`.
    /// 5. Otherwise it goes: state `sending`, `epoch` + 1, its lease its own limit and `margin`.
    ///
    /// A message that ends here leaves the outbox, and the next one of its receiver is the first. What cannot be read is set
    /// aside (state `not_sent`, which is a last word) and holds up nothing.
    fn claim(&self, claim: &Claim<'_>, until: Instant) -> Result<Claimed, StoreError>;

    /// All queues that hold messages, or those of one account.
    fn queues(&self, appid: Option<&str>, until: Instant) -> Result<Vec<Queue>, StoreError>;

    /// How many messages of an account are in the outbox.
    fn pending(&self, appid: &str, until: Instant) -> Result<u64, StoreError>;

    /// The settings with which an account's messages are sent.
    fn sender(&self, appid: &str, until: Instant) -> Result<Option<Sender>, StoreError>;

    /// Makes the caller the one process of `host` that adopts what others have left, for `lease` from now, if nobody else is, or
    /// the one who was is `ended`.
    fn lead(
        &self,
        host: &str,
        owner: &Owner,
        ended: Option<&str>,
        lease: Duration,
        until: Instant,
    ) -> Result<Lead, StoreError>;

    /// Leaves the row of a message that was refused before [`Store::begin`]. A row with the same key that has a verdict, or
    /// is queued or under way, stays as it is. Answers the id of the row that there is now.
    fn refuse(&self, begin: &Begin<'_>, refusal: &LocalRefusal<'_>, until: Instant) -> Result<MessageId, StoreError>;

    /// One delivery row by its id.
    fn delivery(&self, appid: &str, id: MessageId, until: Instant) -> Result<Option<Delivery>, StoreError>;

    /// Delivery rows, newest first.
    fn deliveries(&self, appid: &str, filter: &Filter<'_>, until: Instant) -> Result<Vec<Delivery>, StoreError>;

    /// Adds what a user answered. A report whose `token` was seen before changes nothing.
    ///
    /// The front end and WeChat's push ([`Source`]) may both tell of the same answer, in either order, or one of them alone. For each
    /// user and template the accepts of the last [`PAIRING`] that have no counterpart yet are remembered, those of one side only,
    /// at most [`UNPAIRED_LIMIT`], the oldest forgotten first. An accept of the other side takes the oldest of them away and counts
    /// nothing; any other accept counts, and is remembered. So of n told by one side and m by the other the greater number counts.
    ///
    /// The latest answer of a user and template, by when it was given (`at`), is remembered for [`PAIRING`] after it was told. One that
    /// was given before it changes neither `state` nor `refused`; an accept still counts, and if it does, ends `refused` where `state` is
    /// `accept`: 43101 has set it then, and nothing says that this accept is gone. WeChat's clock has whole seconds: of two answers of
    /// one second the one that was told last is the latest. [`Source::Change`] with anything but an accept sets `refused`
    /// as well: the user has switched the template off where WeChat itself asks. Accepts that are long-term count nothing and are not
    /// paired.
    fn record_grants(&self, report: &GrantReport<'_>, until: Instant) -> Result<Recorded, StoreError>;

    /// The ledger of one user: every template, or the one named, in the order of their ids.
    fn grants(
        &self,
        appid: &str,
        openid: &str,
        template_id: Option<&str>,
        until: Instant,
    ) -> Result<Vec<(String, LedgerRow)>, StoreError>;

    /// Users who can still be reached with a template: `available` > 0, or long-term with `accept` as
    /// the last answer and not `refused`. In the order of their openids, those behind
    /// `cursor` only, `limit` (1 … 10000) at most.
    fn audience(
        &self,
        appid: &str,
        template_id: &str,
        cursor: Option<&str>,
        limit: usize,
        until: Instant,
    ) -> Result<Page, StoreError>;

    /// Writes into the delivery row of a message what WeChat said of its arrival ([`Receipt`]). The message is found by its `msgid`
    /// among the [`RECEIPT_ROWS`] newest rows of the receiver, as rows show him. Answers its id; `None` if no row has that msgid. A row
    /// that has a receipt keeps it.
    fn receipt(&self, receipt: &Receipt<'_>, until: Instant) -> Result<Option<MessageId>, StoreError>;

    /// A text of an account that its processes share, if there is one and its time (`lifetime`) is not over.
    fn note(&self, appid: &str, name: &str, until: Instant) -> Result<Option<Note>, StoreError>;

    /// Puts a text in place of the one with version `seen` (0: of none). Answers what stands then: this one, or what somebody else
    /// has put there since; `None` if that is nothing. Repeating the call after its answer was lost does no harm. [`Note::age`] of what
    /// is put does not count. A text longer than [`NOTE_LIMIT`] is refused.
    fn put_note(
        &self,
        appid: &str,
        name: &str,
        seen: u64,
        note: &Note,
        lifetime: Duration,
        until: Instant,
    ) -> Result<Option<Note>, StoreError>;

    /// The token, or whose turn it is to fetch one. See [`TokenTurn`].
    fn token(&self, ask: &TokenAsk<'_>, until: Instant) -> Result<TokenTurn, StoreError>;

    /// Stores what the holder of a lease has fetched, clears the refusal of the account and ends the lease. `false` if a
    /// newer fence has been stored already: an older token never replaces a newer one.
    ///
    /// `renew_in` and `ends_in` count from the moment of the call.
    fn put_token(
        &self,
        account: &str,
        fence: u64,
        token: &str,
        renew_in: Duration,
        ends_in: Duration,
        until: Instant,
    ) -> Result<bool, StoreError>;

    /// Remembers WeChat's refusal to issue a token under `account` (an account, or an account on one host) for as long as
    /// it stands, and ends the lease of that fence on `ask_account`. A token that still lives is not renewed meanwhile.
    fn refuse_token(
        &self,
        ask_account: &str,
        account: &str,
        fence: u64,
        refusal: &StoredRefusal,
        until: Instant,
    ) -> Result<(), StoreError>;

    /// Ends the lease of that fence without a token. One that still lives is not renewed before `rest` has passed.
    fn release_token(&self, account: &str, fence: u64, rest: Duration, until: Instant) -> Result<(), StoreError>;

    /// Calls of one API on one day (`yyyymmdd`, Asia/Shanghai), and whether it is paused now.
    fn usage(&self, appid: &str, api: &str, day: u32, until: Instant) -> Result<Usage, StoreError>;

    /// Forgets pauses and the day's counts of one API, or of all.
    fn clear_quota(&self, appid: &str, api: Option<&str>, day: u32, until: Instant) -> Result<(), StoreError>;

    /// What is known of a route to WeChat; `None` if nothing is, or for long.
    fn health(&self, route: &str, until: Instant) -> Result<Option<Health>, StoreError>;

    /// Puts a record in place of the one with version `seen` (0: of none). Answers what stands then: this record, or the one
    /// that somebody else has put there since. Repeating the call after its answer was lost does no harm.
    fn put_health(&self, route: &str, seen: u64, health: &Health, until: Instant)
    -> Result<Option<Health>, StoreError>;
}
