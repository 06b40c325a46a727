//! The store as its documentation describes it, in memory and as plainly as it can be put: what the engines are held
//! against. It remembers everything for ever and searches from end to end.

mod ledger;
mod message;
mod note;
mod outbox;
mod token;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use routine_template::store::*;

use crate::engine::Engine;
use ledger::Ledger;
use message::Messages;
use note::Notes;
use token::Tokens;

/// A place in memory.
#[derive(Default)]
pub struct Memory(Arc<Mutex<Books>>);

impl Engine for Memory {
    fn open(&self) -> Box<dyn Store> {
        Box::new(Model(Arc::clone(&self.0)))
    }
}

#[derive(Default)]
struct Books {
    accounts: HashMap<String, Account>,
    tokens: Tokens,
    health: HashMap<String, Health>,
    /// By host: who leads, and until when.
    leaders: HashMap<String, (String, Millis)>,
}

#[derive(Default)]
struct Account {
    messages: Messages,
    ledger: Ledger,
    quota: Quota,
    sender: Option<Sender>,
    notes: Notes,
}

#[derive(Default)]
struct Quota {
    calls: HashMap<(String, u32), u64>,
    pauses: HashMap<String, Pause>,
}

impl Quota {
    fn count(&mut self, api: &str, day: u32, calls: u32) {
        *self.calls.entry((api.to_owned(), day)).or_default() += u64::from(calls);
    }

    fn pause(&self, api: &str, now: Millis) -> Option<Pause> {
        self.pauses.get(api).filter(|pause| pause.until > now).cloned()
    }
}

/// One handle.
struct Model(Arc<Mutex<Books>>);

impl Model {
    fn account<T>(&self, appid: &str, act: impl FnOnce(&mut Account, Millis) -> T) -> Result<T, StoreError> {
        Ok(act(self.0.lock().accounts.entry(appid.to_owned()).or_default(), now()))
    }
}

pub fn now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

fn after(now: Millis, wait: Duration) -> Millis {
    now.saturating_add(wait.as_millis().try_into().unwrap_or(Millis::MAX))
}

impl Store for Model {
    fn place(&self) -> String {
        "model:".to_owned()
    }

    fn begin(&self, begin: &Begin<'_>, _: Instant) -> Result<Begun, StoreError> {
        self.account(begin.appid, |account, now| account.begin(begin, now))
    }

    fn finish(&self, begin: &Begin<'_>, epoch: u32, end: &End<'_>, _: Instant) -> Result<(), StoreError> {
        self.account(begin.appid, |account, now| account.finish(begin, epoch, end, now))
    }

    fn enqueue(&self, begin: &Begin<'_>, parcel: &Parcel<'_>, _: Instant) -> Result<Enqueued, StoreError> {
        self.account(begin.appid, |account, now| account.enqueue(begin, parcel, now))
    }

    fn claim(&self, claim: &Claim<'_>, _: Instant) -> Result<Claimed, StoreError> {
        self.account(claim.appid, |account, now| account.claim(claim, now))
    }

    fn queues(&self, appid: Option<&str>, _: Instant) -> Result<Vec<Queue>, StoreError> {
        let now = now();
        let books = self.0.lock();
        let accounts = books.accounts.iter().filter(|(of, _)| appid.is_none_or(|appid| appid == *of));
        Ok(accounts.flat_map(|(appid, account)| account.queues(appid, now)).collect())
    }

    fn pending(&self, appid: &str, _: Instant) -> Result<u64, StoreError> {
        self.account(appid, |account, _| account.pending())
    }

    fn sender(&self, appid: &str, _: Instant) -> Result<Option<Sender>, StoreError> {
        self.account(appid, |account, _| account.sender.clone())
    }

    fn lead(
        &self,
        host: &str,
        owner: &Owner,
        ended: Option<&str>,
        lease: Duration,
        _: Instant,
    ) -> Result<Lead, StoreError> {
        let (now, leaders) = (now(), &mut self.0.lock().leaders);
        if let Some((leader, lease_over)) = leaders.get(host)
            && now < *lease_over
            && leader != owner.as_str()
            && ended != Some(leader)
        {
            return Ok(Lead::Other(leader.clone()));
        }
        leaders.insert(host.to_owned(), (owner.as_str().to_owned(), after(now, lease)));
        Ok(Lead::Mine)
    }

    fn refuse(&self, begin: &Begin<'_>, refusal: &LocalRefusal<'_>, _: Instant) -> Result<MessageId, StoreError> {
        self.account(begin.appid, |account, now| account.refuse(begin, refusal, now))
    }

    fn delivery(&self, appid: &str, id: MessageId, _: Instant) -> Result<Option<Delivery>, StoreError> {
        self.account(appid, |account, now| account.messages.delivery(id, now))
    }

    fn deliveries(&self, appid: &str, filter: &Filter<'_>, _: Instant) -> Result<Vec<Delivery>, StoreError> {
        self.account(appid, |account, now| account.messages.deliveries(filter, now))
    }

    fn record_grants(&self, report: &GrantReport<'_>, _: Instant) -> Result<Recorded, StoreError> {
        self.account(report.appid, |account, now| account.ledger.record(report, now))
    }

    fn grants(
        &self,
        appid: &str,
        openid: &str,
        template_id: Option<&str>,
        _: Instant,
    ) -> Result<Vec<(String, LedgerRow)>, StoreError> {
        self.account(appid, |account, _| account.ledger.of_user(openid, template_id))
    }

    fn audience(
        &self,
        appid: &str,
        template_id: &str,
        cursor: Option<&str>,
        limit: usize,
        _: Instant,
    ) -> Result<Page, StoreError> {
        self.account(appid, |account, _| account.ledger.audience(template_id, cursor, limit))
    }

    fn token(&self, ask: &TokenAsk<'_>, _: Instant) -> Result<TokenTurn, StoreError> {
        Ok(self.0.lock().tokens.ask(ask, now()))
    }

    fn put_token(
        &self,
        account: &str,
        fence: u64,
        token: &str,
        renew_in: Duration,
        ends_in: Duration,
        _: Instant,
    ) -> Result<bool, StoreError> {
        Ok(self.0.lock().tokens.put(account, fence, token, renew_in, ends_in, now()))
    }

    fn refuse_token(
        &self,
        ask_account: &str,
        account: &str,
        fence: u64,
        refusal: &StoredRefusal,
        _: Instant,
    ) -> Result<(), StoreError> {
        self.0.lock().tokens.refuse(ask_account, account, fence, refusal, now());
        Ok(())
    }

    fn release_token(&self, account: &str, fence: u64, rest: Duration, _: Instant) -> Result<(), StoreError> {
        self.0.lock().tokens.release(account, fence, rest, now());
        Ok(())
    }

    fn usage(&self, appid: &str, api: &str, day: u32, _: Instant) -> Result<Usage, StoreError> {
        self.account(appid, |account, now| Usage {
            calls: account.quota.calls.get(&(api.to_owned(), day)).copied().unwrap_or(0),
            pause: account.quota.pause(api, now),
        })
    }

    fn clear_quota(&self, appid: &str, api: Option<&str>, day: u32, _: Instant) -> Result<(), StoreError> {
        self.account(appid, |account, _| {
            account.quota.pauses.retain(|other, _| api.is_some_and(|api| api != other));
            account.quota.calls.retain(|(other, of), _| *of != day || api.is_some_and(|api| api != other));
        })
    }

    fn health(&self, route: &str, _: Instant) -> Result<Option<Health>, StoreError> {
        Ok(self.0.lock().health.get(route).cloned())
    }

    fn put_health(&self, route: &str, seen: u64, health: &Health, _: Instant) -> Result<Option<Health>, StoreError> {
        let records = &mut self.0.lock().health;
        if records.get(route).map_or(0, |record| record.version) == seen {
            records.insert(route.to_owned(), health.clone());
        }
        Ok(records.get(route).cloned())
    }

    fn receipt(&self, receipt: &Receipt<'_>, _: Instant) -> Result<Option<MessageId>, StoreError> {
        self.account(receipt.appid, |account, now| account.messages.receive(receipt, now))
    }

    fn note(&self, appid: &str, name: &str, _: Instant) -> Result<Option<Note>, StoreError> {
        self.account(appid, |account, now| account.notes.find(name, now))
    }

    fn put_note(
        &self,
        appid: &str,
        name: &str,
        seen: u64,
        note: &Note,
        lifetime: Duration,
        _: Instant,
    ) -> Result<Option<Note>, StoreError> {
        if note.text.len() > NOTE_LIMIT {
            return Err(StoreError::new(Fault::Other, "too long"));
        }
        self.account(appid, |account, now| account.notes.put(name, seen, note, lifetime, now))
    }
}
