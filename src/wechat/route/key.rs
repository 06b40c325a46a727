//! Which route it is: hosts, proxy, trusted certificates, and the machine it starts from.

use std::fmt::Write;

use reqwest::Url;
use sha2::{Digest, Sha256};

use crate::config::{Secret, Settings};
use crate::store::handle::StoreKey;
use crate::store::owner;

/// What distinguishes one route from another in this process, and its name in the store. A wrong `ca_file` or a proxy that is
/// down is no other shop's outage.
pub struct RouteKey {
    base_url: Url,
    fallback_urls: Vec<Url>,
    proxy: Option<Secret>,
    store: StoreKey,
    hosts: Vec<Url>,
    name: String,
}

impl RouteKey {
    /// The route of these settings.
    pub fn of(settings: &Settings) -> Self {
        let mut hosts = vec![settings.base_url.clone()];
        for url in settings.fallbacks() {
            if !hosts.contains(url) {
                hosts.push(url.clone());
            }
        }
        let machine = nix::unistd::gethostname().unwrap_or_default();
        let proxy = settings.proxy.as_ref().and_then(|proxy| Url::parse(proxy.reveal()).ok());
        let mut hash = Sha256::new();
        let mut add = |part: &str| {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        };
        // Many machines are called localhost; containers of one machine differ in their names.
        add(&owner::boot());
        add(&machine.to_string_lossy());
        add(&proxy.as_ref().map(label).unwrap_or_default());
        add(settings.ca_file.as_deref().unwrap_or_default());
        hosts.iter().for_each(|host| add(host.as_str()));
        // No appid holds an @, so that it is nobody's account.
        let mut name = "route@".to_owned();
        for byte in hash.finalize().iter().take(16) {
            // Writing to a String cannot fail.
            let _ = write!(name, "{byte:02x}");
        }
        Self {
            base_url: settings.base_url.clone(),
            fallback_urls: settings.fallbacks().to_vec(),
            proxy: settings.proxy.clone(),
            store: StoreKey::of(settings),
            hosts,
            name,
        }
    }

    /// Whether it is the key of these settings, told without a copy.
    pub fn is_of(&self, settings: &Settings) -> bool {
        self.base_url == settings.base_url
            && self.fallback_urls == settings.fallbacks()
            && self.proxy == settings.proxy
            && self.store.is_of(settings)
    }

    /// The hosts, `base_url` first, none twice.
    pub fn hosts(&self) -> &[Url] {
        &self.hosts
    }

    /// Its name in the store.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A host as people read it.
    pub fn label(&self, host: usize) -> String {
        self.hosts.get(host).map(label).unwrap_or_default()
    }

    /// All of them.
    pub fn labels(&self) -> String {
        self.hosts.iter().map(label).collect::<Vec<String>>().join(", ")
    }
}

fn label(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(pairs: &[(&str, &str)]) -> RouteKey {
        RouteKey::of(&Settings::from_pairs(pairs.iter().copied()).unwrap())
    }

    #[test]
    fn another_list_proxy_or_ca_is_another_route_and_another_account_is_not() {
        let first = key(&[]);
        for other in [
            key(&[("base_url", "https://sh.api.weixin.qq.com")]),
            key(&[("fallback_urls", "")]),
            key(&[("proxy", "http://127.0.0.1:3128")]),
            key(&[("ca_file", "/etc/ca.pem")]),
        ] {
            assert_ne!(first.name(), other.name());
        }
        assert_eq!(first.name(), key(&[("appid", "wx1"), ("secret", "s"), ("timeout_ms", "900")]).name());
        assert_eq!(first.labels(), "api.weixin.qq.com, api2.weixin.qq.com, sh.api.weixin.qq.com, sz.api.weixin.qq.com");
    }

    #[test]
    fn the_name_says_nothing_of_a_proxys_password() {
        let with = |password| key(&[("proxy", &format!("http://me:{password}@127.0.0.1:3128"))]).name().to_owned();
        assert_eq!(with("one"), with("two"));
    }

    #[test]
    fn a_host_is_listed_once() {
        let key = key(&[(
            "fallback_urls",
            "https://api2.weixin.qq.com,https://api.weixin.qq.com,https://api2.weixin.qq.com",
        )]);
        assert_eq!(key.labels(), "api.weixin.qq.com, api2.weixin.qq.com");
    }
}
