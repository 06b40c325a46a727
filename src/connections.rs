//! What a thread needs to reach WeChat and the store: connections of its own.
//!
//! Connections live in the runtime that drives them, and a store serves one caller at a time. So the threads on which
//! applications call share one set, and the thread that delivers has another: neither waits for the other.

use std::convert::Infallible;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::config::Settings;
use crate::error::Error;
use crate::lru_cache::LruCache;
use crate::store::handle::{StoreHandle, StoreKey};
use crate::wechat::client::{Client, ClientKey};

/// A worker serves a handful of shops; the bounds only keep a runaway script from growing it without end.
const CLIENT_LIMIT: usize = 16;
const STORE_LIMIT: usize = 64;

/// Connections to WeChat and to stores.
pub struct Connections {
    clients: Mutex<LruCache<(Arc<ClientKey>, Client)>>,
    stores: Mutex<LruCache<Arc<StoreHandle>>>,
}

impl Default for Connections {
    fn default() -> Self {
        Self { clients: Mutex::new(LruCache::new(CLIENT_LIMIT)), stores: Mutex::new(LruCache::new(STORE_LIMIT)) }
    }
}

impl Connections {
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
    pub fn store(&self, settings: &Settings) -> Arc<StoreHandle> {
        let wanted = |store: &Arc<StoreHandle>| store.key().is_of(settings);
        let Ok(store) =
            self.stores.lock().get(wanted, || Ok::<_, Infallible>(Arc::new(StoreHandle::new(StoreKey::of(settings)))));
        store
    }
}
