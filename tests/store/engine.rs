//! Where a store can be. What is tested is written against this only.

use std::path::Path;
use std::time::{Duration, Instant};

use routine_template::store::{Durability, SqliteStore, Store};
use tempfile::TempDir;

/// One empty place, which any number of handles share. It is gone when this is dropped.
pub trait Engine {
    /// A handle of its own, as another process would have it.
    fn open(&self) -> Box<dyn Store>;
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
        open_sqlite(self.directory())
    }
}

/// With the durability that shops have unless they choose otherwise.
pub fn open_sqlite(directory: &Path) -> Box<dyn Store> {
    let until = Instant::now() + Duration::from_secs(10);
    Box::new(SqliteStore::open(directory, Durability::Power, until).unwrap())
}
