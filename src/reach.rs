//! What a thread needs to reach WeChat and the store: connections of its own.
//!
//! Connections live in the runtime that drives them, and a store serves one caller at a time. So the threads on which
//! applications call share one reach, and the thread that delivers has another: neither waits for the other.

use std::convert::Infallible;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::config::Settings;
use crate::error::Error;
use crate::lru_cache::LruCache;
use crate::store::keeper::{Keeper, KeeperKey};
use crate::wechat::client::{Client, ClientKey};

/// A worker serves a handful of shops; the bounds only keep a runaway script from growing it without end.
const CLIENT_LIMIT: usize = 16;
const STORE_LIMIT: usize = 64;

/// Connections to WeChat and to stores.
pub struct Reach {
    clients: Mutex<LruCache<(Arc<ClientKey>, Client)>>,
    keepers: Mutex<LruCache<Arc<Keeper>>>,
}

impl Default for Reach {
    fn default() -> Self {
        Self { clients: Mutex::new(LruCache::new(CLIENT_LIMIT)), keepers: Mutex::new(LruCache::new(STORE_LIMIT)) }
    }
}

impl Reach {
    /// The connections for these settings.
    pub fn client(&self, settings: &Settings) -> Result<Client, Error> {
        let wanted = |(key, _): &(Arc<ClientKey>, Client)| {
            key.connect_timeout == settings.connect_timeout
                && key.ca_file == settings.ca_file
                && key.proxy == settings.proxy
        };
        let (_, client) = self.clients.lock().get(wanted, || {
            let key = ClientKey {
                ca_file: settings.ca_file.clone(),
                proxy: settings.proxy.clone(),
                connect_timeout: settings.connect_timeout,
            };
            let client = Client::new(&key)?;
            Ok::<_, Error>((Arc::new(key), client))
        })?;
        Ok(client)
    }

    /// The store that these settings name.
    pub fn keeper(&self, settings: &Settings) -> Arc<Keeper> {
        let wanted = |keeper: &Arc<Keeper>| keeper.key().is_of(settings);
        let Ok(keeper) =
            self.keepers.lock().get(wanted, || Ok::<_, Infallible>(Arc::new(Keeper::new(KeeperKey::of(settings)))));
        keeper
    }
}
