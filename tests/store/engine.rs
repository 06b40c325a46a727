//! Where a store can be. What is tested is written against this only.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::path::Path;
use std::time::{Duration, Instant};

use routine_template::store::{Durability, RedisStore, SqliteStore, Store};
use tempfile::TempDir;

use crate::redis_server::RedisServer;

/// One empty place, which any number of handles share. It is gone when this is dropped.
pub trait Engine {
    /// A handle of its own, as another process would have it.
    fn open(&self) -> Box<dyn Store>;
}

/// One that other processes can open, too.
pub trait Shared: Engine {
    /// What [`open`] takes.
    fn place(&self) -> String;
}

/// Opens the place of that name, with the durability that shops have unless they choose otherwise.
pub fn open(place: &str) -> Box<dyn Store> {
    if place.starts_with("redis:") { open_redis(place) } else { open_sqlite(Path::new(place), Durability::Power) }
}

/// A directory.
pub struct Sqlite(TempDir);

impl Sqlite {
    pub fn fresh() -> Self {
        Self(tempfile::Builder::new().prefix("store").tempdir().unwrap())
    }

    pub fn directory(&self) -> &Path {
        self.0.path()
    }
}

impl Engine for Sqlite {
    fn open(&self) -> Box<dyn Store> {
        // What is stored is the same either way, and a test that writes ten thousand rows need not wait for the disk.
        open_sqlite(self.directory(), Durability::Process)
    }
}

impl Shared for Sqlite {
    fn place(&self) -> String {
        self.directory().to_str().unwrap().to_owned()
    }
}

/// A server of its own.
pub struct Redis(RedisServer);

impl Redis {
    pub fn fresh() -> Self {
        Self(RedisServer::start())
    }
}

impl Engine for Redis {
    fn open(&self) -> Box<dyn Store> {
        open_redis(&self.0.url())
    }
}

impl Shared for Redis {
    fn place(&self) -> String {
        self.0.url()
    }
}

fn open_sqlite(directory: &Path, durability: Durability) -> Box<dyn Store> {
    Box::new(SqliteStore::open(directory, durability, soon()).unwrap())
}

fn open_redis(url: &str) -> Box<dyn Store> {
    Box::new(RedisStore::open(url, None, soon()).unwrap())
}

/// When a store must be open: on a busy machine one opens it beside others that write without a pause.
fn soon() -> Instant {
    Instant::now() + Duration::from_secs(30)
}
