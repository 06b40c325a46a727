//! What all processes of a host, or of several hosts, share: tokens, grants, messages, quota, the health of the
//! route to WeChat.
//!
//! One trait; each method is one transaction that is either wholly done or not at all, whoever is killed meanwhile.
//! Two engines: SQLite (a directory on this host) and Redis (several hosts). Which account a row belongs to is part of
//! every key, so accounts never mix. Engines keep their own clock: Redis the server's, so that hosts whose clocks
//! differ agree on a lease.
//!
//! Nothing in here decides about a message. `app` asks, the store answers, and a store that fails never stops a send
//! (see [`keeper`]).

mod error;
mod grant;
mod health;
pub mod keeper;
mod message;
pub(crate) mod owner;
mod place;
mod quota;
mod redis;
mod sqlite;
mod token;

use std::time::{Duration, Instant};

pub use error::{Fault, StoreError};
pub use grant::{Choice, GrantReport, LedgerRow, Page, Recorded};
pub use health::Health;
pub use message::{Begin, Begun, Delivery, End, Filter, Grant, LocalRefusal, MessageId, Settlement, State};
pub use owner::Owner;
pub use quota::{Pause, Usage};
pub use redis::RedisStore;
pub use sqlite::SqliteStore;
pub(crate) use sqlite::close_gates;
pub use token::{StoredRefusal, StoredToken, TokenAsk, TokenTurn};

/// What an acknowledged write survives (setting `durability`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Durability {
    /// Loss of power: writes that nothing else could restore are on the disk before the call returns.
    Power,
    /// The end of any process, kill -9 included. Loss of power may take the last writes; it corrupts nothing.
    Process,
}

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
    /// 1. A row with the same key: while it is `sending`, its lease not over and it is not `abandoned`, [`Begun::UnderWay`];
    ///    `sending` otherwise, it becomes `unknown`, which is a last word; with a last word, [`Begun::Known`]; else it is opened
    ///    again: its own id, `epoch` + 1, everything else from `begin`, `attempts` kept.
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
    /// Besides it writes the verdict, counts the calls and sets the pause that WeChat's answer calls for. It has no effect on a
    /// row that a later `begin` has taken over (another `epoch`) or that is closed already; the calls are counted all the same,
    /// once.
    fn finish(&self, begin: &Begin<'_>, epoch: u32, end: &End<'_>, until: Instant) -> Result<(), StoreError>;

    /// Leaves the row of a message that was refused before [`Store::begin`]. A row with the same key that has a verdict, or
    /// is under way, stays as it is. Answers the id of the row that there is now.
    fn refuse(&self, begin: &Begin<'_>, refusal: &LocalRefusal<'_>, until: Instant) -> Result<MessageId, StoreError>;

    /// One delivery row by its id.
    fn delivery(&self, appid: &str, id: MessageId, until: Instant) -> Result<Option<Delivery>, StoreError>;

    /// Delivery rows, newest first.
    fn deliveries(&self, appid: &str, filter: &Filter<'_>, until: Instant) -> Result<Vec<Delivery>, StoreError>;

    /// Adds what a user answered. A report whose `token` was seen before changes nothing.
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
