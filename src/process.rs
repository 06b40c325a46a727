//! What lives in one process beyond the PHP request: runtime, connections, tokens, counters.
//!
//! It is built at first use, never at module start-up, and belongs to one pid. After a fork (php-fpm, `pcntl_fork`,
//! Workerman) the child builds its own and leaves the parent's alone for ever: its sockets are shared with the parent,
//! and dropping them would speak on the parent's connections.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use parking_lot::Mutex;
use tokio::runtime::{Builder, Runtime};

use crate::config::Settings;
use crate::error::Error;
use crate::stats::Stats;
use crate::store::keeper::{Keeper, KeeperKey};
use crate::store::{self, Owner};
use crate::token::{TokenKey, TokenSlot};
use crate::wechat::client::{Client, ClientKey};
use crate::wechat::route::{Route, RouteKey};

/// A worker serves a handful of shops; the bounds only keep a runaway script from growing it without end.
const CLIENT_LIMIT: usize = 16;
const ACCOUNT_LIMIT: usize = 256;
const STORE_LIMIT: usize = 64;
const ROUTE_LIMIT: usize = 64;

// Only calling threads take this lock, and only for the look-up. A helper thread keeps its own reference instead, so
// that no fork can happen while a thread that will not exist in the child holds the lock.
static CURRENT: Mutex<Option<&'static Process>> = Mutex::new(None);
// A grandchild may be given the pid of an ancestor that has ended, so forks are counted where the face can see them.
static FORKS: AtomicU64 = AtomicU64::new(0);

/// To be called in the child of a fork (`pthread_atfork`); takes no lock and allocates nothing.
pub fn forked() {
    FORKS.fetch_add(1, Ordering::AcqRel);
    store::close_gates();
}

/// The state of the current process.
pub struct Process {
    pid: u32,
    forks: u64,
    started: SystemTime,
    runtime: Runtime,
    clients: Mutex<Vec<(ClientKey, Client)>>,
    tokens: Mutex<Vec<(Arc<TokenKey>, Arc<TokenSlot>)>>,
    keepers: Mutex<Vec<Arc<Keeper>>>,
    routes: Mutex<Vec<Arc<Route>>>,
    owner: Owner,
    /// Counters.
    pub stats: Stats,
}

impl Process {
    /// The process object of this pid, built if there is none.
    pub fn current() -> Result<&'static Process, Error> {
        let pid = std::process::id();
        let mut current = CURRENT.lock();
        if let Some(process) = current.filter(|process| process.is(pid)) {
            return Ok(process);
        }
        let process: &'static Process = Box::leak(Box::new(Process::new(pid)?));
        *current = Some(process);
        Ok(process)
    }

    /// The process object of this pid if something has used it already.
    pub fn existing() -> Option<&'static Process> {
        CURRENT.lock().filter(|process| process.is(std::process::id()))
    }

    fn new(pid: u32) -> Result<Self, Error> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build().map_err(|error| {
            Error::config(format!("网络运行时无法启动：{error}"), format!("the network runtime cannot start: {error}"))
        })?;
        Ok(Self {
            pid,
            forks: FORKS.load(Ordering::Acquire),
            started: SystemTime::now(),
            runtime,
            clients: Mutex::new(Vec::new()),
            tokens: Mutex::new(Vec::new()),
            keepers: Mutex::new(Vec::new()),
            routes: Mutex::new(Vec::new()),
            owner: Owner::current(),
            stats: Stats::default(),
        })
    }

    fn is(&self, pid: u32) -> bool {
        self.pid == pid && self.forks == FORKS.load(Ordering::Acquire)
    }

    /// Whether it is still that of the running process: the application's code may have forked meanwhile.
    pub fn is_current(&self) -> bool {
        self.is(std::process::id())
    }

    /// When it was first used.
    pub fn started(&self) -> SystemTime {
        self.started
    }

    /// Drives one call to its end on the calling thread.
    pub fn block_on<F: Future>(&self, call: F) -> F::Output {
        self.runtime.block_on(call)
    }

    /// The connections for these settings.
    pub fn client(&self, settings: &Settings) -> Result<Client, Error> {
        let mut clients = self.clients.lock();
        let known = clients.iter().position(|(key, _)| {
            key.connect_timeout == settings.connect_timeout
                && key.ca_file == settings.ca_file
                && key.proxy == settings.proxy
        });
        if let Some(index) = known {
            // The most recently used one comes last, so that the first is the one to give up.
            clients.get_mut(index..).unwrap_or_default().rotate_left(1);
            if let Some((_, client)) = clients.last() {
                return Ok(client.clone());
            }
        }
        let key = ClientKey {
            ca_file: settings.ca_file.clone(),
            proxy: settings.proxy.clone(),
            connect_timeout: settings.connect_timeout,
        };
        let client = Client::new(&key)?;
        if clients.len() >= CLIENT_LIMIT {
            clients.remove(0);
        }
        clients.push((key, client.clone()));
        Ok(client)
    }

    /// The token of the account that these settings name.
    pub fn token(&self, settings: &Settings) -> (Arc<TokenKey>, Arc<TokenSlot>) {
        let mut tokens = self.tokens.lock();
        if let Some((key, slot)) = tokens.iter().find(|(key, _)| key.is_of(settings)) {
            return (key.clone(), slot.clone());
        }
        if tokens.len() >= ACCOUNT_LIMIT {
            // The oldest: its next use costs a look into the store.
            tokens.remove(0);
        }
        let entry = (Arc::new(TokenKey::of(settings)), Arc::new(TokenSlot::default()));
        tokens.push(entry.clone());
        entry
    }

    /// The store that these settings name.
    pub fn keeper(&self, settings: &Settings) -> Arc<Keeper> {
        let mut keepers = self.keepers.lock();
        if let Some(index) = keepers.iter().position(|keeper| keeper.key().is_of(settings)) {
            // As with the clients: the first is the one to give up.
            keepers.get_mut(index..).unwrap_or_default().rotate_left(1);
            if let Some(keeper) = keepers.last() {
                return keeper.clone();
            }
        }
        if keepers.len() >= STORE_LIMIT {
            keepers.remove(0);
        }
        let keeper = Arc::new(Keeper::new(KeeperKey::of(settings)));
        keepers.push(keeper.clone());
        keeper
    }

    /// The hosts that these settings name.
    pub fn route(&self, settings: &Settings) -> Arc<Route> {
        let mut routes = self.routes.lock();
        if let Some(index) = routes.iter().position(|route| route.key().is_of(settings)) {
            // As with the clients: the first is the one to give up.
            routes.get_mut(index..).unwrap_or_default().rotate_left(1);
            if let Some(route) = routes.last() {
                return route.clone();
            }
        }
        if routes.len() >= ROUTE_LIMIT {
            routes.remove(0);
        }
        let route = Arc::new(Route::new(RouteKey::of(settings)));
        routes.push(route.clone());
        route
    }

    /// This process, as it signs leases.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }
}
