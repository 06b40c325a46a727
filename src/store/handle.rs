//! One store as one process sees it: opened at first use, given a rest while it fails, and never allowed to stop a send.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::place::{default_directory, may_be_trusted};
use super::{Durability, Fault, RedisStore, SqliteStore, Store, StoreError};
use crate::config::{Settings, StorePlace};
use crate::log;
use crate::network::deadline::Deadline;
use crate::stats::Stats;
use crate::thread::undisturbed;

/// No transaction waits longer, whatever the deadline: a message is worth more than its record.
const PATIENCE: Duration = Duration::from_secs(5);
/// A caller who had less time than this proves nothing by a time-out.
const SHORT: Duration = Duration::from_millis(50);
/// After the first failure the store rests this long, then twice as long each time.
const FIRST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(30);

/// What distinguishes one store from another in this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreKey {
    place: StorePlace,
    durability: Durability,
    ca_file: Option<String>,
    log_file: Option<PathBuf>,
}

impl StoreKey {
    /// The key for these settings.
    pub fn of(settings: &Settings) -> Self {
        Self {
            place: settings.store.clone(),
            durability: settings.durability,
            ca_file: settings.ca_file.clone(),
            log_file: settings.log_file.clone(),
        }
    }

    /// The same, compared without a copy.
    pub fn is_of(&self, settings: &Settings) -> bool {
        self.place == settings.store
            && self.durability == settings.durability
            && self.ca_file == settings.ca_file
            && self.log_file == settings.log_file
    }
}

/// Why there is no store at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outage {
    /// The setting says so.
    Off,
    /// It failed just now, or lately.
    Failed(StoreError),
}

/// What `stats()` says of a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Condition {
    /// Where it is, without credentials; `None` before the first use and where there is none.
    pub place: Option<String>,
    /// `unused`, `up`, `down` or `off`.
    pub state: &'static str,
    /// What failed last, while it is down.
    pub error: Option<String>,
}

/// A store and its health.
pub struct StoreHandle {
    key: StoreKey,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    store: Option<Arc<dyn Store>>,
    place: Option<String>,
    outage: Option<Resting>,
}

struct Resting {
    error: StoreError,
    rest: Duration,
    until: Instant,
}

impl StoreHandle {
    /// A store that is not opened yet.
    pub fn new(key: StoreKey) -> Self {
        Self { key, state: Mutex::new(State::default()) }
    }

    /// Which store it is.
    pub fn key(&self) -> &StoreKey {
        &self.key
    }

    /// Runs one transaction on the way of a message: while the store rests it is not even asked.
    pub fn run<T>(
        &self,
        deadline: Deadline,
        stats: &Stats,
        transaction: impl FnOnce(&dyn Store, Instant) -> Result<T, StoreError>,
    ) -> Result<T, Outage> {
        {
            let state = self.state.lock();
            if let Some(resting) = state.outage.as_ref().filter(|resting| Instant::now() < resting.until) {
                stats.store_skipped.increment();
                return Err(Outage::Failed(resting.error.clone()));
            }
        }
        // A third of the time at most: the rest belongs to WeChat.
        let until = Instant::now() + PATIENCE.min(deadline.left() / 3);
        self.attempt(until, SHORT, stats, transaction)
    }

    /// Runs one transaction that a message can do without: the store is given `limit` and no more, a time-out proves nothing, and
    /// while the store rests it is not asked.
    pub fn glance<T>(
        &self,
        limit: Duration,
        stats: &Stats,
        transaction: impl FnOnce(&dyn Store, Instant) -> Result<T, StoreError>,
    ) -> Result<T, Outage> {
        if let Some(resting) = self.state.lock().outage.as_ref().filter(|resting| Instant::now() < resting.until) {
            return Err(Outage::Failed(resting.error.clone()));
        }
        self.attempt(Instant::now() + limit, Duration::MAX, stats, transaction)
    }

    /// Runs one transaction for a caller who asked for nothing else, resting store or not. It may ask for much, such as a
    /// listing over millions of rows, so its time-out gives the store no rest.
    pub fn insist<T>(
        &self,
        deadline: Deadline,
        stats: &Stats,
        transaction: impl FnOnce(&dyn Store, Instant) -> Result<T, StoreError>,
    ) -> Result<T, Outage> {
        self.attempt(deadline.at(), Duration::MAX, stats, transaction)
    }

    /// A time-out within less than `proof` says nothing about the store.
    fn attempt<T>(
        &self,
        until: Instant,
        proof: Duration,
        stats: &Stats,
        transaction: impl FnOnce(&dyn Store, Instant) -> Result<T, StoreError>,
    ) -> Result<T, Outage> {
        if self.key.place == StorePlace::Off {
            return Err(Outage::Off);
        }
        let began = Instant::now();
        let result = undisturbed(|| self.store(until).and_then(|store| transaction(store.as_ref(), until)));
        let mut state = self.state.lock();
        let failed = match result {
            Ok(done) => {
                if state.outage.take().is_some() {
                    self.say(stats, "store_up", state.place.as_deref(), None);
                }
                return Ok(done);
            }
            Err(error) => {
                stats.store_failures.increment();
                if error.fault == Fault::Timeout && until.saturating_duration_since(began) < proof {
                    return Err(Outage::Failed(error));
                }
                let rest = state.outage.as_ref().map_or(FIRST_REST, |resting| (resting.rest * 2).min(LONGEST_REST));
                if state.outage.is_none() {
                    self.say(stats, "store_down", state.place.as_deref(), Some(&error));
                }
                // A damaged SQLite file has been moved aside already; anything else is opened anew after the rest.
                let until = if error.fault == Fault::Corrupt { Instant::now() } else { Instant::now() + rest };
                state.outage = Some(Resting { error: error.clone(), rest, until });
                let store = match error.fault {
                    Fault::Timeout | Fault::Full => None,
                    _ => state.store.take(),
                };
                (store, error)
            }
        };
        drop(state);
        let (store, error) = failed;
        close(store);
        Err(Outage::Failed(error))
    }

    fn store(&self, until: Instant) -> Result<Arc<dyn Store>, StoreError> {
        if let Some(store) = &self.state.lock().store {
            return Ok(store.clone());
        }
        // Opened without the lock: another thread's message must not wait for a server that does not answer.
        let (store, place): (Arc<dyn Store>, String) = match &self.key.place {
            StorePlace::Redis(url) => {
                let store = RedisStore::open(url.reveal(), self.key.ca_file.as_deref(), until)?;
                let place = store.place();
                (Arc::new(store), place)
            }
            StorePlace::Directory(directory) => self.open_directory(directory.clone(), until)?,
            StorePlace::Default | StorePlace::Off => self.open_directory(default_directory(), until)?,
        };
        let mut state = self.state.lock();
        state.place = Some(place);
        Ok(state.store.get_or_insert(store).clone())
    }

    fn open_directory(&self, directory: PathBuf, until: Instant) -> Result<(Arc<dyn Store>, String), StoreError> {
        if self.key.place == StorePlace::Default && !may_be_trusted(&directory) {
            return Err(StoreError::new(
                Fault::Unreachable,
                format!("{} belongs to another user", directory.display()),
            ));
        }
        self.state.lock().place = Some(format!("sqlite:{}", directory.display()));
        let store = SqliteStore::open(&directory, self.key.durability, until)?;
        let place = store.place();
        Ok((Arc::new(store), place))
    }

    fn say(&self, stats: &Stats, event: &str, place: Option<&str>, error: Option<&StoreError>) {
        let mut details = vec![("store", place.unwrap_or("redis"))];
        if let Some(error) = error {
            details.extend([("fault", error.fault.name()), ("detail", error.detail.as_str())]);
        }
        if log::write(self.key.log_file.as_deref(), event, &details).is_err() {
            stats.log_failures.increment();
        }
    }

    /// For `stats()`.
    pub fn condition(&self) -> Condition {
        let state = self.state.lock();
        let name = match (&self.key.place, &state.outage, &state.store) {
            (StorePlace::Off, ..) => "off",
            (_, Some(_), _) => "down",
            (_, None, Some(_)) => "up",
            (_, None, None) => "unused",
        };
        Condition {
            place: state.place.clone(),
            state: name,
            error: state.outage.as_ref().map(|resting| resting.error.to_string()),
        }
    }
}

impl Drop for StoreHandle {
    fn drop(&mut self) {
        close(self.state.get_mut().store.take());
    }
}

/// Closing takes the same locks as a transaction: no fork may copy them in the middle, nor the store handle's own.
fn close(store: Option<Arc<dyn Store>>) {
    undisturbed(|| drop(store));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thread::{after_fork, before_fork, forking_alone, spawn_without_signals};

    /// How many descriptors of this process are open there.
    fn open_files(directory: &std::path::Path) -> usize {
        let links = std::fs::read_dir("/proc/self/fd").unwrap();
        links
            .filter(|link| std::fs::read_link(link.as_ref().unwrap().path()).is_ok_and(|to| to.starts_with(directory)))
            .count()
    }

    #[test]
    fn no_fork_comes_into_the_closing_of_a_store() {
        let _alone = forking_alone();
        let directory = tempfile::tempdir().unwrap();
        let store = directory.path().join("store");
        let settings = Settings::from_pairs([("store", store.to_str().unwrap())]).unwrap();
        let deadline = Deadline::after(Duration::from_secs(60));
        // Once by a store that fails, once by the end of all that used it.
        for fails in [true, false] {
            let (store, stats) = (Arc::new(StoreHandle::new(StoreKey::of(&settings))), Stats::default());
            store.insist(deadline, &stats, |_, _| Ok(())).unwrap();
            assert!(open_files(directory.path()) > 0);
            let (entered, enters) = std::sync::mpsc::channel();
            let (leave, leaves) = std::sync::mpsc::channel::<()>();
            let (end, ends) = std::sync::mpsc::channel::<()>();
            let theirs = store.clone();
            let thread = spawn_without_signals("test", 1024 * 1024, move || {
                let done = theirs.insist(deadline, &stats, |_, _| {
                    entered.send(()).unwrap();
                    leaves.recv().unwrap();
                    if fails { Err(StoreError::new(Fault::Corrupt, "broken")) } else { Ok(()) }
                });
                assert_eq!(done.is_err(), fails);
                ends.recv().unwrap();
            });
            enters.recv().unwrap();
            // Nothing is closed before the fork has begun.
            let held = store.state.lock();
            leave.send(()).unwrap();
            before_fork();
            drop(held);
            drop(store);
            end.send(()).unwrap();
            std::thread::sleep(Duration::from_millis(200));
            assert!(open_files(directory.path()) > 0, "it is closed after the fork");
            after_fork();
            thread.unwrap().join().unwrap();
            assert_eq!(open_files(directory.path()), 0);
        }
    }

    #[test]
    fn a_listing_that_takes_too_long_takes_the_store_from_no_message() {
        let directory = tempfile::tempdir().unwrap();
        let store = directory.path().join("store");
        let settings = Settings::from_pairs([("store", store.to_str().unwrap())]).unwrap();
        let (store, stats) = (StoreHandle::new(StoreKey::of(&settings)), Stats::default());
        let deadline = Deadline::after(Duration::from_secs(60));
        let slow = |_: &dyn Store, _| Err::<(), _>(StoreError::new(Fault::Timeout, "slow"));
        assert!(store.insist(deadline, &stats, slow).is_err());
        assert_eq!((store.condition().state, store.run(deadline, &stats, |_, _| Ok(()))), ("up", Ok(())));
        assert!(store.run(deadline, &stats, slow).is_err());
        assert_eq!(store.condition().state, "down");
        assert!(store.run(deadline, &stats, |_, _| Ok(())).is_err(), "it rests");
    }
}
