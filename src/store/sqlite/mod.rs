//! The store of one host: a SQLite database in a directory, shared by all processes.
//!
//! ```text
//! database    one transaction: gate, files, deadline, damage      gate  directory  connection  schema  fault
//! message     begin, finish, refuse                               row  written  settle  quota
//! outbox      enqueue, end of a row   claim  candidate            queues  leader
//! ledger      grants, audience        recent  pairing             token  health  note
//! delivery    listings                receipt  expired
//! ```
//!
//! # What a loss of power takes
//!
//! In WAL mode a COMMIT with `synchronous = NORMAL` survives the end of any process, but not a loss of power. With
//! [`Durability::Power`] those COMMITs wait for the disk (`FULL`) which nothing else could restore: the begin and finish of a
//! message with a key (the key is a promise that it is not sent twice), all that concerns the outbox, and reports of grants.
//! The others may be lost: WeChat's 43101 corrects a grant that was spent, and a token is fetched again. Whatever comes before
//! a FULL COMMIT in the log is on the disk with it.
//!
//! Of the outbox nothing may be lost: a message that was accepted would vanish, one that was claimed would be sent twice, and
//! one that was delivered would be sent again or read as unknown. A claim or an end of many waits for the disk once.

mod account;
mod candidate;
mod claim;
mod code;
mod connection;
mod database;
mod delivery;
mod directory;
mod expired;
mod fault;
mod gate;
mod health;
mod inherited;
mod leader;
mod ledger;
mod message;
mod note;
mod outbox;
mod queues;
mod quota;
mod receipt;
mod recent;
mod row;
mod schema;
mod settle;
#[cfg(test)]
mod tests;
mod token;
mod written;

pub(crate) use inherited::close_gates;

use std::path::Path;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rusqlite::Connection;

use super::{
    Begin, Begun, Claim, Claimed, Delivery, Durability, End, Enqueued, Fault, Filter, GrantReport, Health, Lead,
    LedgerRow, LocalRefusal, MessageId, Note, Owner, Page, Parcel, Queue, Receipt, Recorded, Sender, Store, StoreError,
    StoredRefusal, TokenAsk, TokenTurn, Usage,
};
use code::now;
use database::Database;
use directory::Directory;
use gate::Access;
use token::Fetched;

/// The store in a directory of this host.
pub struct SqliteStore {
    place: String,
    durability: Durability,
    database: Mutex<Database>,
}

impl SqliteStore {
    /// Opens the store in `directory`, which is made if it is not there.
    pub fn open(directory: &Path, durability: Durability, until: Instant) -> Result<Self, StoreError> {
        let directory = Directory::new(directory);
        let place = format!("sqlite:{}", directory.path().display());
        let store = Self { place, durability, database: Mutex::new(Database::new(directory)) };
        store.read(until, |_| Ok(()))?;
        Ok(store)
    }

    /// What a check of the whole file says: `ok`, or the first fault. A file that cannot even be read is moved aside, as by any
    /// other transaction that finds it damaged.
    #[cfg(feature = "cli")]
    pub fn quick_check(&self, until: Instant) -> Result<String, StoreError> {
        self.read(until, |db| db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)))
    }

    fn read<T>(&self, until: Instant, body: impl Fn(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        self.run(Access::Read, Durability::Process, until, body)
    }

    fn write<T>(
        &self,
        durability: Durability,
        until: Instant,
        body: impl Fn(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.run(Access::Write, durability, until, body)
    }

    fn run<T>(
        &self,
        access: Access,
        durability: Durability,
        until: Instant,
        body: impl Fn(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let mut database = self
            .database
            .try_lock_until(until)
            .ok_or_else(|| fault::timeout("another thread of this process holds the store"))?;
        database.run(access, durability, until, body)
    }

    /// A message without a key that was never accepted for later promises nothing that a loss of power could break.
    fn durability_of(&self, begin: &Begin<'_>) -> Durability {
        if begin.key.is_some() || begin.queued { self.durability } else { Durability::Process }
    }

    /// What a transaction of several messages owes them.
    fn highest(&self, mut durabilities: impl Iterator<Item = Durability>) -> Durability {
        if durabilities.any(|one| one == self.durability) { self.durability } else { Durability::Process }
    }

    /// Several messages in one transaction. If one of them fails by itself, each has its own, so that the others do not suffer.
    fn each<M, T>(
        &self,
        messages: &[M],
        durability: Durability,
        until: Instant,
        act: impl Fn(&Connection, &M) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        match self.write(durability, until, |db| messages.iter().map(|message| act(db, message)).collect()) {
            Err(error) if messages.len() > 1 && matches!(error.fault, Fault::Other | Fault::Corrupt) => {}
            done => return done,
        }
        let done: Vec<_> =
            messages.iter().map(|message| self.write(durability, until, |db| act(db, message))).collect();
        done.into_iter().collect()
    }
}

impl Store for SqliteStore {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn begin(&self, begin: &Begin<'_>, until: Instant) -> Result<Begun, StoreError> {
        self.write(self.durability_of(begin), until, |db| message::begin(db, begin))
    }

    fn finish(&self, begin: &Begin<'_>, epoch: u32, end: &End<'_>, until: Instant) -> Result<(), StoreError> {
        self.write(self.durability_of(begin), until, |db| message::finish(db, begin, epoch, end))
    }

    fn begin_all(&self, begins: &[Begin<'_>], until: Instant) -> Result<Vec<Begun>, StoreError> {
        let durability = self.highest(begins.iter().map(|begin| self.durability_of(begin)));
        self.each(begins, durability, until, message::begin)
    }

    fn finish_all(&self, ends: &[(&Begin<'_>, u32, &End<'_>)], until: Instant) -> Result<(), StoreError> {
        let durability = self.highest(ends.iter().map(|(begin, ..)| self.durability_of(begin)));
        self.each(ends, durability, until, |db, (begin, epoch, end)| message::finish(db, begin, *epoch, end)).map(drop)
    }

    fn enqueue(&self, begin: &Begin<'_>, parcel: &Parcel<'_>, until: Instant) -> Result<Enqueued, StoreError> {
        self.write(self.durability, until, |db| outbox::enqueue(db, begin, parcel))
    }

    fn claim(&self, claim: &Claim<'_>, until: Instant) -> Result<Claimed, StoreError> {
        self.write(self.durability, until, |db| claim::claim(db, claim))
    }

    fn queues(&self, appid: Option<&str>, until: Instant) -> Result<Vec<Queue>, StoreError> {
        self.read(until, |db| queues::list(db, appid))
    }

    fn pending(&self, appid: &str, until: Instant) -> Result<u64, StoreError> {
        self.read(until, |db| queues::pending(db, appid))
    }

    fn sender(&self, appid: &str, until: Instant) -> Result<Option<Sender>, StoreError> {
        self.read(until, |db| queues::sender(db, appid))
    }

    fn lead(
        &self,
        host: &str,
        owner: &Owner,
        ended: Option<&str>,
        lease: Duration,
        until: Instant,
    ) -> Result<Lead, StoreError> {
        // All processes but one have nothing to write.
        if let Some(leader) = self.read(until, |db| leader::look(db, host, owner, ended))? {
            return Ok(Lead::Other(leader));
        }
        self.write(Durability::Process, until, |db| leader::lead(db, host, owner, ended, lease))
    }

    fn refuse(&self, begin: &Begin<'_>, refusal: &LocalRefusal<'_>, until: Instant) -> Result<MessageId, StoreError> {
        self.write(Durability::Process, until, |db| message::refuse(db, begin, refusal))
    }

    fn delivery(&self, appid: &str, id: MessageId, until: Instant) -> Result<Option<Delivery>, StoreError> {
        self.read(until, |db| delivery::find(db, appid, id))
    }

    fn deliveries(&self, appid: &str, filter: &Filter<'_>, until: Instant) -> Result<Vec<Delivery>, StoreError> {
        let limit = filter.limit.clamp(1, 1000);
        let mut before = filter.before;
        let mut found = Vec::new();
        loop {
            let slice =
                self.read(until, |db| delivery::list(db, appid, filter, before, limit.saturating_sub(found.len())))?;
            found.extend(slice.rows);
            if found.len() >= limit || slice.next.is_none() {
                return Ok(found);
            }
            before = slice.next;
        }
    }

    fn record_grants(&self, report: &GrantReport<'_>, until: Instant) -> Result<Recorded, StoreError> {
        self.write(self.durability, until, |db| ledger::record(db, report))
    }

    fn grants(
        &self,
        appid: &str,
        openid: &str,
        template_id: Option<&str>,
        until: Instant,
    ) -> Result<Vec<(String, LedgerRow)>, StoreError> {
        self.read(until, |db| ledger::grants(db, appid, openid, template_id))
    }

    fn audience(
        &self,
        appid: &str,
        template_id: &str,
        cursor: Option<&str>,
        limit: usize,
        until: Instant,
    ) -> Result<Page, StoreError> {
        self.read(until, |db| ledger::audience(db, appid, template_id, cursor, limit))
    }

    fn token(&self, ask: &TokenAsk<'_>, until: Instant) -> Result<TokenTurn, StoreError> {
        // Nearly always there is nothing to write.
        if let Some(turn) = self.read(until, |db| token::look(db, ask, now()))? {
            return Ok(turn);
        }
        self.write(Durability::Process, until, |db| token::ask(db, ask, now()))
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
        let fetched = Fetched { account, fence, token, renew_in, ends_in };
        self.write(Durability::Process, until, |db| token::put(db, &fetched, now()))
    }

    fn refuse_token(
        &self,
        ask_account: &str,
        account: &str,
        fence: u64,
        refusal: &StoredRefusal,
        until: Instant,
    ) -> Result<(), StoreError> {
        self.write(Durability::Process, until, |db| token::refuse(db, (ask_account, account), fence, refusal, now()))
    }

    fn release_token(&self, account: &str, fence: u64, rest: Duration, until: Instant) -> Result<(), StoreError> {
        self.write(Durability::Process, until, |db| token::release(db, account, fence, rest, now()))
    }

    fn usage(&self, appid: &str, api: &str, day: u32, until: Instant) -> Result<Usage, StoreError> {
        self.read(until, |db| quota::usage(db, appid, api, day))
    }

    fn clear_quota(&self, appid: &str, api: Option<&str>, day: u32, until: Instant) -> Result<(), StoreError> {
        self.write(Durability::Process, until, |db| quota::clear(db, appid, api, day))
    }

    fn health(&self, route: &str, until: Instant) -> Result<Option<Health>, StoreError> {
        self.read(until, |db| health::find(db, route))
    }

    fn put_health(
        &self,
        route: &str,
        seen: u64,
        health: &Health,
        until: Instant,
    ) -> Result<Option<Health>, StoreError> {
        self.write(Durability::Process, until, |db| health::put(db, route, seen, health, now()))
    }

    fn receipt(&self, receipt: &Receipt<'_>, until: Instant) -> Result<Option<MessageId>, StoreError> {
        self.write(Durability::Process, until, |db| receipt::record(db, receipt))
    }

    fn note(&self, appid: &str, name: &str, until: Instant) -> Result<Option<Note>, StoreError> {
        self.read(until, |db| note::find(db, appid, name, now()))
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
        note.check()?;
        self.write(Durability::Process, until, |db| note::put(db, (appid, name), seen, note, lifetime, now()))
    }
}
