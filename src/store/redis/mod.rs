//! The engine for several hosts: Redis 6.2 or newer, or Valkey; one server, Sentinel or a cluster.
//!
//! Every transaction is one Lua script, and Redis runs one script at a time. All keys of an account begin with
//! `rt:{appid}:` (those of a token with `rt:{account}:`), so that a cluster keeps them in one slot. What an acknowledged
//! write survives is decided by the server's `appendfsync` and its replicas, not here. While a message waits in the outbox
//! nothing of it expires, so a server that evicts keys spares it under `noeviction` and `volatile-…`; under `allkeys-…` it may
//! take messages that wait, which ends them and holds up no others.
//!
//! Cloud proxies that look for key names in the source of scripts (Alibaba Cloud's cluster instances do) need that check
//! switched off (`script_check_enable 0`): the row that a message's key leads to is found by the script itself.

mod accounts;
pub(crate) mod any_reply;
mod batch;
mod claim;
mod connection;
mod delivery;
mod fault;
mod health;
#[cfg(feature = "cli")]
mod info;
mod ledger;
mod link;
mod message;
mod name;
mod note;
mod outbox;
mod quota;
mod refusal;
mod reply;
mod script;
mod sentinel;
mod stream;
mod token;
mod url;

use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use redis::Value;

use self::accounts::Notes;
use self::link::Link;
use self::script::{Call, Script};
use self::url::Place;
use super::{
    Begin, Begun, Claim, Claimed, Delivery, End, Enqueued, Fault, Filter, GrantReport, Health, Lead, LedgerRow,
    LocalRefusal, MessageId, Millis, Note, Owner, Page, Parcel, Queue, Receipt, Recorded, Sender, Store, StoreError,
    StoredRefusal, TokenAsk, TokenTurn, Usage,
};

/// A store on Redis.
pub struct RedisStore {
    place: String,
    link: Mutex<Link>,
    notes: Notes,
}

impl RedisStore {
    /// Reads the URL. The connection is made by the first call, so nothing is waited for here.
    pub fn open(url: &str, ca_file: Option<&str>, _until: Instant) -> Result<Self, StoreError> {
        let place = Place::parse(url).map_err(|error| StoreError::new(Fault::Unreachable, error.to_string()))?;
        Ok(Self {
            place: place.to_string(),
            link: Mutex::new(Link::new(place, ca_file.map(str::to_owned))),
            notes: Notes::default(),
        })
    }

    fn run(&self, script: &Script, call: &Call<'_>, until: Instant) -> Result<Value, StoreError> {
        self.link(until)?.call(script, call, until)
    }

    /// Several calls of one script for the price of few.
    fn run_all(
        &self,
        script: &Script,
        calls: &[Call<'_>],
        until: Instant,
    ) -> Result<Vec<Result<Value, StoreError>>, StoreError> {
        Ok(self.link(until)?.call_all(script, calls, until))
    }

    /// The same where one that fails is as good as all.
    fn run_together(&self, script: &Script, calls: &[Call<'_>], until: Instant) -> Result<Vec<Value>, StoreError> {
        let answers = self.run_all(script, calls, until)?;
        let some_done = answers.iter().any(Result::is_ok);
        let together: Result<Vec<Value>, StoreError> = answers.into_iter().collect();
        together.map_err(|error| StoreError { maybe_done: error.maybe_done || some_done, ..error })
    }

    fn link(&self, until: Instant) -> Result<MutexGuard<'_, Link>, StoreError> {
        self.link
            .try_lock_until(until)
            .ok_or_else(|| StoreError::new(Fault::Timeout, "another thread holds the connection"))
    }
}

/// As scripts take it. A century is as good as for ever, and its sum with the time of day keeps all its digits in Lua.
fn milliseconds(duration: Duration) -> Millis {
    const CENTURY: Millis = 100 * 365 * 86_400_000;
    Millis::try_from(duration.as_millis()).unwrap_or(CENTURY).min(CENTURY)
}

/// The same where it is how long Redis keeps a key: it refuses zero.
fn expiry(duration: Duration) -> Millis {
    milliseconds(duration).max(1)
}

impl Store for RedisStore {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn begin(&self, begin: &Begin<'_>, until: Instant) -> Result<Begun, StoreError> {
        self.open_message(begin, until)
    }

    fn finish(&self, begin: &Begin<'_>, epoch: u32, end: &End<'_>, until: Instant) -> Result<(), StoreError> {
        self.close_message(begin, epoch, end, until)
    }

    fn begin_all(&self, begins: &[Begin<'_>], until: Instant) -> Result<Vec<Begun>, StoreError> {
        self.open_messages(begins, until)
    }

    fn finish_all(&self, ends: &[(&Begin<'_>, u32, &End<'_>)], until: Instant) -> Result<(), StoreError> {
        self.close_messages(ends, until)
    }

    fn enqueue(&self, begin: &Begin<'_>, parcel: &Parcel<'_>, until: Instant) -> Result<Enqueued, StoreError> {
        self.put_into_outbox(begin, parcel, until)
    }

    fn claim(&self, claim: &Claim<'_>, until: Instant) -> Result<Claimed, StoreError> {
        self.claim_messages(claim, until)
    }

    fn queues(&self, appid: Option<&str>, until: Instant) -> Result<Vec<Queue>, StoreError> {
        match appid {
            Some(appid) => self.queues_of(appid, until),
            None => self.queues_of_all(until),
        }
    }

    fn pending(&self, appid: &str, until: Instant) -> Result<u64, StoreError> {
        self.count_pending(appid, until)
    }

    fn sender(&self, appid: &str, until: Instant) -> Result<Option<Sender>, StoreError> {
        self.sender_of(appid, until)
    }

    fn lead(
        &self,
        host: &str,
        owner: &Owner,
        ended: Option<&str>,
        lease: Duration,
        until: Instant,
    ) -> Result<Lead, StoreError> {
        self.lead_host(host, owner, ended, lease, until)
    }

    fn refuse(&self, begin: &Begin<'_>, refusal: &LocalRefusal<'_>, until: Instant) -> Result<MessageId, StoreError> {
        self.refuse_message(begin, refusal, until)
    }

    fn delivery(&self, appid: &str, id: MessageId, until: Instant) -> Result<Option<Delivery>, StoreError> {
        self.find_delivery(appid, id, until)
    }

    fn deliveries(&self, appid: &str, filter: &Filter<'_>, until: Instant) -> Result<Vec<Delivery>, StoreError> {
        self.list_deliveries(appid, filter, until)
    }

    fn record_grants(&self, report: &GrantReport<'_>, until: Instant) -> Result<Recorded, StoreError> {
        self.add_grants(report, until)
    }

    fn grants(
        &self,
        appid: &str,
        openid: &str,
        template_id: Option<&str>,
        until: Instant,
    ) -> Result<Vec<(String, LedgerRow)>, StoreError> {
        self.ledger_of(appid, openid, template_id, until)
    }

    fn audience(
        &self,
        appid: &str,
        template_id: &str,
        cursor: Option<&str>,
        limit: usize,
        until: Instant,
    ) -> Result<Page, StoreError> {
        self.page(appid, template_id, cursor, limit, until)
    }

    fn token(&self, ask: &TokenAsk<'_>, until: Instant) -> Result<TokenTurn, StoreError> {
        self.ask_token(ask, until)
    }

    fn put_token(
        &self,
        account: &str,
        fence: u64,
        token: &str,
        renew_in: Duration,
        ends_in: Duration,
        until: Instant,
    ) -> Result<bool, StoreError> {
        self.store_token(account, fence, token, renew_in, ends_in, until)
    }

    fn refuse_token(
        &self,
        ask_account: &str,
        account: &str,
        fence: u64,
        refusal: &StoredRefusal,
        until: Instant,
    ) -> Result<(), StoreError> {
        self.store_refusal(ask_account, account, fence, refusal, until)
    }

    fn release_token(&self, account: &str, fence: u64, rest: Duration, until: Instant) -> Result<(), StoreError> {
        self.end_lease(account, fence, rest, until)
    }

    fn usage(&self, appid: &str, api: &str, day: u32, until: Instant) -> Result<Usage, StoreError> {
        self.usage_of(appid, api, day, until)
    }

    fn clear_quota(&self, appid: &str, api: Option<&str>, day: u32, until: Instant) -> Result<(), StoreError> {
        self.forget_quota(appid, api, day, until)
    }

    fn health(&self, route: &str, until: Instant) -> Result<Option<Health>, StoreError> {
        self.find_health(route, until)
    }

    fn put_health(
        &self,
        route: &str,
        seen: u64,
        health: &Health,
        until: Instant,
    ) -> Result<Option<Health>, StoreError> {
        self.replace_health(route, seen, health, until)
    }

    fn receipt(&self, receipt: &Receipt<'_>, until: Instant) -> Result<Option<MessageId>, StoreError> {
        self.write_receipt(receipt, until)
    }

    fn note(&self, appid: &str, name: &str, until: Instant) -> Result<Option<Note>, StoreError> {
        self.find_note(appid, name, until)
    }

    fn put_note(
        &self,
        appid: &str,
        name: &str,
        seen: u64,
        note: &Note,
        lifetime: Duration,
        until: Instant,
    ) -> Result<Option<Note>, StoreError> {
        self.replace_note((appid, name), seen, note, lifetime, until)
    }
}
