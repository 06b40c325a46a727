//! Where the measured store is: the one spot that knows the engines.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use routine_template::store::{Durability, RedisStore, SqliteStore, Store};
use tempfile::TempDir;

/// A place for stores, deleted in the end if it was made here.
pub struct Place {
    name: PathBuf,
    _made: Option<TempDir>,
}

impl Place {
    /// From `STORE_BENCH_PLACE` (a directory or a Redis address), or a new directory.
    pub fn from_environment() -> Self {
        match std::env::var_os("STORE_BENCH_PLACE") {
            Some(name) => Self { name: name.into(), _made: None },
            None => {
                let made = tempfile::tempdir().unwrap();
                Self { name: made.path().to_owned(), _made: Some(made) }
            }
        }
    }

    /// Its name, for another process.
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// The directory, if it is one: that of a SQLite store.
    pub fn directory(&self) -> Option<&Path> {
        (!is_redis(&self.name)).then_some(&self.name)
    }

    /// A store there.
    pub fn open(&self, durability: Durability) -> Box<dyn Store> {
        open(&self.name, durability)
    }
}

/// A store at a place of that name.
pub fn open(name: &Path, durability: Durability) -> Box<dyn Store> {
    let until = Instant::now() + Duration::from_secs(10);
    match name.to_str().filter(|_| is_redis(name)) {
        Some(url) => Box::new(RedisStore::open(url, None, until).unwrap()),
        None => Box::new(SqliteStore::open(name, durability, until).unwrap()),
    }
}

fn is_redis(name: &Path) -> bool {
    name.to_str().is_some_and(|name| name.starts_with("redis"))
}
