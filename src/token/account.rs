//! Whose token it is.

use crate::config::{Secret, Settings, TokenMode};
use crate::fingerprint;

/// The account of a token: another secret of the same appid is another key, so that it proves itself at WeChat.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TokenKey {
    appid: String,
    secret: Secret,
    mode: TokenMode,
    host: String,
    account: String,
    account_here: String,
}

impl TokenKey {
    /// The key of the account in these settings.
    pub fn of(settings: &Settings) -> Self {
        let host = settings.base_url.as_str();
        let parts = [settings.secret.reveal(), mode_name(settings.token_mode), host];
        let account = format!("{}.{}", settings.appid, fingerprint::of(&parts));
        let account_here = format!("{account}@{}", nix::unistd::gethostname().unwrap_or_default().to_string_lossy());
        Self {
            appid: settings.appid.clone(),
            secret: settings.secret.clone(),
            mode: settings.token_mode,
            host: host.to_owned(),
            account,
            account_here,
        }
    }

    /// Whether it is the key of these settings, told without a copy.
    pub fn is_of(&self, settings: &Settings) -> bool {
        self.appid == settings.appid
            && self.secret == settings.secret
            && self.mode == settings.token_mode
            && self.host == settings.base_url.as_str()
    }

    /// The name in the store: the appid and a hash of the rest.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The same for what holds on this host only.
    pub fn account_here(&self) -> &str {
        &self.account_here
    }
}

fn mode_name(mode: TokenMode) -> &'static str {
    match mode {
        TokenMode::Stable => "stable",
        TokenMode::Classic => "classic",
        TokenMode::External => "external",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(pairs: &[(&str, &str)]) -> TokenKey {
        TokenKey::of(&Settings::from_pairs(pairs.iter().copied()).unwrap())
    }

    #[test]
    fn another_secret_mode_or_server_is_another_account() {
        let first = key(&[("appid", "wx1"), ("secret", "s1")]);
        for other in [
            key(&[("appid", "wx2"), ("secret", "s1")]),
            key(&[("appid", "wx1"), ("secret", "s2")]),
            key(&[("appid", "wx1"), ("secret", "s1"), ("token_mode", "classic")]),
            key(&[("appid", "wx1"), ("secret", "s1"), ("base_url", "https://sh.api.weixin.qq.com")]),
        ] {
            assert_ne!(first.account(), other.account());
        }
        assert_eq!(first.account(), key(&[("appid", "wx1"), ("secret", "s1"), ("lang", "en_US")]).account());
    }

    #[test]
    fn the_name_in_the_store_shows_no_secret() {
        let key = key(&[("appid", "wx1"), ("secret", "0123456789abcdef0123456789abcdef")]);
        assert!(key.account().starts_with("wx1.") && key.account().len() == 36);
        assert!(!key.account().contains("0123456789abcdef"));
        assert!(key.account_here().starts_with(key.account()));
    }
}
