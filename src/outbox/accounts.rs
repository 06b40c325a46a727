//! The stores and accounts that a deliverer takes care of.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::account::Account;
use super::bell::Ring;
use super::engine::say;
use super::sender;
use super::store_watch::StoreWatch;
use crate::app::{App, DeliveryContext};
use crate::config::Settings;
use crate::connections::Connections;
use crate::network::deadline::Deadline;
use crate::process::Process;
use crate::store::Queue;
use crate::store::handle::StoreKey;

/// No transaction takes longer.
const PATIENCE: Duration = Duration::from_secs(15);
/// Stores and accounts of one deliverer: more than any host has. What is beyond is left to others.
const STORE_LIMIT: usize = 64;
const ACCOUNT_LIMIT: usize = 1000;

/// Which part a deliverer plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A thread in a process that queues: its own messages, and what others left over if nobody else of the host adopts it.
    Thread,
    /// `routine-template work`: everything, always.
    Worker,
}

/// The accounts, each at its store.
pub struct Accounts {
    process: &'static Process,
    connections: Arc<Connections>,
    role: Role,
    stores: Vec<StoreWatch>,
    /// Each with the number of its store. The number of an account never changes.
    accounts: Vec<(usize, Account)>,
    /// Settings of which nothing can be made, by store, appid and version: reported once.
    unusable: Vec<(usize, String, String)>,
}

impl Accounts {
    pub fn new(process: &'static Process, connections: Arc<Connections>, role: Role) -> Self {
        Self { process, connections, role, stores: Vec::new(), accounts: Vec::new(), unusable: Vec::new() }
    }

    /// All accounts, with their numbers.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (usize, &mut Account)> {
        self.accounts.iter_mut().map(|(_, account)| account).enumerate()
    }

    /// One account.
    pub fn get_mut(&mut self, number: usize) -> Option<&mut Account> {
        self.accounts.get_mut(number).map(|(_, account)| account)
    }

    /// Messages under way, of all of them.
    pub fn in_flight(&self) -> usize {
        self.accounts.iter().map(|(_, account)| account.in_flight).sum()
    }

    /// Whether what an account cannot send now is taken care of here.
    pub fn adopts(&self, number: usize) -> bool {
        let store = self.accounts.get(number).and_then(|(store, _)| self.stores.get(*store));
        store.is_some_and(|store| store.adopts(self.role))
    }

    /// This process has queued a message.
    pub fn hear(&mut self, ring: Ring) {
        let Some(store) = self.watch(&ring.settings) else { return };
        let app = App::new(ring.settings, Arc::default());
        if let Some(account) = self.enter(store, app, ring.sender) {
            account.want(ring.channel, true);
        }
    }

    /// What others have left, and what has become due.
    pub fn look(&mut self, now: Instant) {
        for store in 0..self.stores.len() {
            let context = DeliveryContext { process: self.process, connections: &self.connections };
            let role = self.role;
            let queues = match self.stores.get_mut(store) {
                Some(store) if store.next_look <= now => store.look(context, role),
                _ => continue,
            };
            for queue in queues {
                self.adopt(store, &queue);
            }
        }
    }

    fn adopt(&mut self, store: usize, queue: &Queue) {
        let known = |account: &Account| account.app.settings().appid == queue.appid && account.sender == queue.sender;
        if let Some((_, account)) = self.accounts.iter_mut().find(|(of, account)| *of == store && known(account)) {
            return account.want(queue.channel, false);
        }
        let is_unusable = |(of, appid, version): &(usize, String, String)| {
            *of == store && *appid == queue.appid && *version == queue.sender
        };
        if self.unusable.iter().any(is_unusable) {
            return;
        }
        let Some(settings) = self.stores.get(store).map(|store| store.settings.clone()) else { return };
        let handle = self.connections.store(&settings);
        let found = handle
            .run(Deadline::after(PATIENCE), &self.process.stats, |store, until| store.sender(&queue.appid, until));
        // Without a store there is nothing to deliver, either.
        let Ok(Some(sender)) = found else { return };
        match sender::settings(&sender, &settings) {
            Ok(own) => {
                let app = App::new(own, Arc::default());
                if let Some(account) = self.enter(store, app, sender.version) {
                    account.want(queue.channel, false);
                }
            }
            Err(error) => {
                let details = [("appid", queue.appid.as_str()), ("detail", error.message(settings.hint_lang))];
                say(self.process, &settings, "queue_settings", &details);
                if self.unusable.len() >= ACCOUNT_LIMIT {
                    self.unusable.remove(0);
                }
                self.unusable.push((store, queue.appid.clone(), sender.version));
            }
        }
    }

    /// No message any more but what was queued here.
    pub fn leave_others(&mut self) {
        let own = self.role == Role::Thread;
        self.accounts.iter_mut().for_each(|(_, account)| account.leave_others(own));
    }

    /// Whether anything could be sent now.
    pub fn is_busy(&self, now: Instant) -> bool {
        self.accounts.iter().any(|(_, account)| account.is_busy(now))
    }

    /// When there is something to look at, or somebody to ask.
    pub fn wakes(&self, now: Instant) -> Option<Instant> {
        let stores = self.stores.iter().map(|store| store.next_look);
        let accounts = self.accounts.iter().filter_map(|(_, account)| account.wakes(now));
        stores.chain(accounts).min()
    }

    /// The number of that store; `None` if there are more stores than any host has.
    pub fn watch(&mut self, settings: &Arc<Settings>) -> Option<usize> {
        let key = StoreKey::of(settings);
        if let Some(known) = self.stores.iter().position(|store| key.is_of(&store.settings)) {
            return Some(known);
        }
        if self.stores.len() >= STORE_LIMIT {
            return None;
        }
        self.stores.push(StoreWatch::new(settings.clone(), self.role));
        Some(self.stores.len() - 1)
    }

    fn enter(&mut self, store: usize, app: App, sender: String) -> Option<&mut Account> {
        let same = |account: &Account| account.app.settings().appid == app.settings().appid;
        if let Some(known) = self.accounts.iter().position(|(of, account)| *of == store && same(account)) {
            let (_, account) = self.accounts.get_mut(known)?;
            account.renew(app, sender);
            return Some(account);
        }
        if self.accounts.len() >= ACCOUNT_LIMIT {
            return None;
        }
        let most = self.stores.get(store)?.settings.concurrency;
        self.accounts.push((store, Account::new(app, sender, most)));
        self.accounts.last_mut().map(|(_, account)| account)
    }
}
