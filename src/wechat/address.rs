//! Addresses of endpoints with their tokens, kept: to build one takes a tenth of the work of a send.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use reqwest::Url;

use crate::lru_cache::LruCache;

/// A worker sends by one or two endpoints for a handful of accounts.
const LIMIT: usize = 16;

/// The addresses that were used lately.
#[derive(Clone)]
pub struct Addresses(Arc<Mutex<LruCache<Arc<Address>>>>);

struct Address {
    host: Url,
    path: &'static str,
    token: String,
    url: Url,
}

impl Default for Addresses {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(LruCache::new(LIMIT))))
    }
}

/// They hold tokens.
impl fmt::Debug for Addresses {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Addresses")
    }
}

impl Addresses {
    /// That of an endpoint with a token; `build` makes it, where it was not used lately.
    pub fn get(&self, host: &Url, path: &'static str, token: &str, build: impl FnOnce() -> Url) -> Url {
        let wanted =
            |known: &Arc<Address>| known.token == token && known.path == path && known.host.as_str() == host.as_str();
        let Ok(address) = self.0.lock().get(wanted, || {
            Ok::<_, Infallible>(Arc::new(Address { host: host.clone(), path, token: token.to_owned(), url: build() }))
        });
        address.url.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_that_of_its_host_its_path_and_its_token() {
        let addresses = Addresses::default();
        let host = |name: &str| Url::parse(&format!("https://{name}/")).unwrap();
        let get = |name: &str, path: &'static str, token: &str| {
            let build = || host(name).join(&format!("{path}?access_token={token}")).unwrap();
            addresses.get(&host(name), path, token, build).to_string()
        };
        for _ in 0..2 {
            assert_eq!(get("a", "/send", "T1"), "https://a/send?access_token=T1");
            assert_eq!(get("b", "/send", "T1"), "https://b/send?access_token=T1");
            assert_eq!(get("a", "/bizsend", "T1"), "https://a/bizsend?access_token=T1");
            assert_eq!(get("a", "/send", "T2"), "https://a/send?access_token=T2");
        }
        assert_eq!(format!("{addresses:?}"), "Addresses");
    }
}
