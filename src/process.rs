//! What lives in one process beyond the PHP request: runtime, connections, tokens, counters.
//!
//! It is built at first use, never at module start-up, and belongs to one pid. After a fork (php-fpm, `pcntl_fork`,
//! Workerman) the child builds its own and leaves the parent's alone for ever: its sockets are shared with the parent,
//! and dropping them would speak on the parent's connections.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use tokio::runtime::{Builder, Runtime};

use crate::config::Settings;
use crate::connections::Connections;
use crate::error::Error;
use crate::lru_cache::LruCache;
use crate::outbox::sender::KnownSender;
use crate::outbox::{Deliverer, Ring};
use crate::stats::Stats;
use crate::store::{self, Owner};
use crate::template_cache::TemplateCache;
use crate::thread;
use crate::token::{TokenKey, TokenSlot};
use crate::wechat::route::{Route, RouteKey};

/// A worker serves a handful of shops; the bounds only keep a runaway script from growing it without end.
const ACCOUNT_LIMIT: usize = 256;
const ROUTE_LIMIT: usize = 64;
const SENDER_LIMIT: usize = 16;

// Only calling threads take this lock, and only for the look-up. A helper thread keeps its own reference instead, so
// that no fork can happen while a thread that will not exist in the child holds the lock.
static CURRENT: Mutex<Option<&'static Process>> = Mutex::new(None);
// A grandchild may be given the pid of an ancestor that has ended, so forks are counted where the face can see them.
static FORKS: AtomicU64 = AtomicU64::new(0);

/// To be called in the child of a fork (`pthread_atfork`); takes no lock and allocates nothing.
pub fn forked() {
    FORKS.fetch_add(1, Ordering::AcqRel);
    store::close_gates();
    thread::after_fork();
}

/// The state of the current process.
pub struct Process {
    pid: u32,
    forks: u64,
    started: SystemTime,
    runtime: Runtime,
    connections: Connections,
    tokens: Mutex<LruCache<(Arc<TokenKey>, Arc<TokenSlot>)>>,
    routes: Mutex<LruCache<Arc<Route>>>,
    templates: Mutex<LruCache<Arc<TemplateCache>>>,
    senders: Mutex<LruCache<Arc<KnownSender>>>,
    owner: Owner,
    deliverer: Mutex<Option<Deliverer>>,
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
            connections: Connections::default(),
            tokens: Mutex::new(LruCache::new(ACCOUNT_LIMIT)),
            routes: Mutex::new(LruCache::new(ROUTE_LIMIT)),
            templates: Mutex::new(LruCache::new(ACCOUNT_LIMIT)),
            senders: Mutex::new(LruCache::new(SENDER_LIMIT)),
            owner: Owner::current(),
            deliverer: Mutex::new(None),
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

    /// The connections of the threads on which applications call.
    pub fn connections(&self) -> &Connections {
        &self.connections
    }

    /// The token of the account that these settings name.
    pub fn token(&self, settings: &Settings) -> (Arc<TokenKey>, Arc<TokenSlot>) {
        // One that had to make room costs its next use a look into the store.
        let Ok(entry) = self.tokens.lock().get(
            |(key, _)| key.is_of(settings),
            || Ok::<_, Infallible>((Arc::new(TokenKey::of(settings)), Arc::new(TokenSlot::default()))),
        );
        entry
    }

    /// The hosts that these settings name.
    pub fn route(&self, settings: &Settings) -> Arc<Route> {
        let Ok(route) = self.routes.lock().get(
            |route| route.key().is_of(settings),
            || Ok::<_, Infallible>(Arc::new(Route::new(RouteKey::of(settings)))),
        );
        route
    }

    /// What is known of the templates of the account that these settings name.
    pub(crate) fn templates(&self, settings: &Settings) -> Arc<TemplateCache> {
        let Ok(cache) = self
            .templates
            .lock()
            .get(|cache| cache.is_of(settings), || Ok::<_, Infallible>(Arc::new(TemplateCache::new(settings))));
        cache
    }

    /// The record of these settings, with a token that the application has just supplied.
    pub(crate) fn sender(&self, settings: &Arc<Settings>, token: Option<&str>) -> Arc<KnownSender> {
        let Ok(known) = self.senders.lock().get(
            |known| known.is_of(settings, token),
            || Ok::<_, Infallible>(Arc::new(KnownSender::new(settings.clone(), token))),
        );
        known
    }

    /// Wakes the thread that delivers, which begins with the first ring. Where it cannot begin, the message waits for whoever
    /// adopts it.
    pub fn deliver(&'static self, ring: Ring) {
        let mut deliverer = self.deliverer.lock();
        if deliverer.as_ref().is_none_or(Deliverer::has_ended) {
            match Deliverer::start(self) {
                Ok(started) => *deliverer = Some(started),
                Err(_) => return self.stats.thread_failures.increment(),
            }
        }
        if let Some(deliverer) = deliverer.as_ref() {
            deliverer.ring(ring);
        }
    }

    /// Lets the thread that delivers send what was queued here and can be sent at once, and ends it; `false` if it was still at
    /// work when `grace` was over.
    pub fn stop_delivery(&self, grace: Duration) -> bool {
        let deliverer = self.deliverer.lock().take();
        deliverer.is_none_or(|deliverer| deliverer.stop(grace))
    }

    /// This process, as it signs leases.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }
}
