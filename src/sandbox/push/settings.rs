//! Where and how an account's events are pushed: what a shop sets up under 开发管理 > 消息推送配置.

use std::fmt;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use reqwest::Url;

/// Published EncodingAESKeys end in bits that a strict decoder refuses (`…ABCDEFG`).
const KEY_ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// How the body is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PushMode {
    /// 明文模式: as it is.
    #[default]
    Plain,
    /// 兼容模式: as it is, and encrypted beside it.
    Compat,
    /// 安全模式: encrypted.
    Safe,
}

/// How the body is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PushFormat {
    /// XML, the only one of official accounts.
    Xml,
    /// JSON.
    #[default]
    Json,
}

/// What makes settings unusable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PushSettingsError {
    /// Not `http://…` or `https://…`.
    #[error("push_url: not an http:// or https:// address")]
    Url,
    /// The address is somebody else's computer.
    #[error("push_url: {0} is not a loopback address; --allow-remote permits it")]
    NotLoopback(String),
    /// WeChat takes 3 to 32 letters and digits.
    #[error("push_token: not 3 to 32 letters and digits")]
    Token,
    /// Not 43 letters and digits.
    #[error("push_aes_key: not 43 letters and digits")]
    AesKey,
    /// Nothing to encrypt with.
    #[error("push_aes_key: missing; push_mode compat and safe need it")]
    NoAesKey,
}

/// Where an account's events go.
#[derive(Clone, PartialEq, Eq)]
pub struct PushSettings {
    pub(super) url: Url,
    pub(super) token: String,
    pub(super) aes_key: Option<[u8; 32]>,
    pub(super) mode: PushMode,
    pub(super) format: PushFormat,
    /// Whether sends and buyers' choices push by themselves, or only `push` does.
    pub(super) automatic: bool,
}

impl PushSettings {
    /// `aes_key` is an EncodingAESKey, which plain mode does not need.
    pub fn new(
        url: &str,
        token: &str,
        aes_key: Option<&str>,
        mode: PushMode,
        format: PushFormat,
    ) -> Result<PushSettings, PushSettingsError> {
        let url = Url::parse(url).map_err(|_| PushSettingsError::Url)?;
        if !["http", "https"].contains(&url.scheme()) || url.host_str().is_none() {
            return Err(PushSettingsError::Url);
        }
        let alphanumeric = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !(3..=32).contains(&token.len()) || !alphanumeric(token) {
            return Err(PushSettingsError::Token);
        }
        let aes_key = match aes_key {
            None if mode != PushMode::Plain => return Err(PushSettingsError::NoAesKey),
            None => None,
            Some(key) if key.len() != 43 || !alphanumeric(key) => return Err(PushSettingsError::AesKey),
            Some(key) => {
                let bytes = KEY_ENGINE.decode(key).map_err(|_| PushSettingsError::AesKey)?;
                Some(bytes.try_into().map_err(|_| PushSettingsError::AesKey)?)
            }
        };
        Ok(PushSettings { url, token: token.to_owned(), aes_key, mode, format, automatic: true })
    }

    /// Pushes only what is asked for by hand.
    #[must_use]
    pub fn by_hand_alone(mut self) -> PushSettings {
        self.automatic = false;
        self
    }

    /// Refuses another computer's address unless remote addresses are permitted.
    pub(in super::super) fn require_loopback(&self, allow_remote: bool) -> Result<(), PushSettingsError> {
        let host = self.url.host_str().unwrap_or_default();
        if allow_remote || super::super::admin::is_loopback(host) {
            return Ok(());
        }
        Err(PushSettingsError::NotLoopback(host.to_owned()))
    }

    /// What may be shown: neither token nor key.
    pub(in super::super) fn describe(&self) -> serde_json::Value {
        let mode = match self.mode {
            PushMode::Plain => "plain",
            PushMode::Compat => "compat",
            PushMode::Safe => "safe",
        };
        let format = match self.format {
            PushFormat::Xml => "xml",
            PushFormat::Json => "json",
        };
        serde_json::json!({"url": self.url.as_str(), "mode": mode, "format": format, "automatic": self.automatic})
    }
}

impl fmt::Debug for PushSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.debug_struct("PushSettings").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(url: &str, token: &str, key: Option<&str>, mode: PushMode) -> Option<PushSettingsError> {
        PushSettings::new(url, token, key, mode, PushFormat::Json).err()
    }

    #[test]
    fn what_wechat_would_not_store_is_refused_by_name() {
        let (url, key) = ("http://127.0.0.1/push", "A".repeat(43));
        assert_eq!(error(url, "token", None, PushMode::Plain), None);
        assert_eq!(error(url, "token", Some(&key), PushMode::Safe), None);
        assert_eq!(error("ftp://127.0.0.1/", "token", None, PushMode::Plain), Some(PushSettingsError::Url));
        assert_eq!(error("127.0.0.1/push", "token", None, PushMode::Plain), Some(PushSettingsError::Url));
        assert_eq!(error(url, "no", None, PushMode::Plain), Some(PushSettingsError::Token));
        assert_eq!(error(url, "with space", None, PushMode::Plain), Some(PushSettingsError::Token));
        assert_eq!(error(url, "token", Some("short"), PushMode::Plain), Some(PushSettingsError::AesKey));
        assert_eq!(error(url, "token", None, PushMode::Compat), Some(PushSettingsError::NoAesKey));
    }

    #[test]
    fn another_computer_must_be_permitted() {
        for (url, permitted) in [
            ("http://127.0.0.1:8080/", true),
            ("http://127.9.9.9/", true),
            ("http://[::1]/", true),
            ("http://localhost/", true),
            ("http://127.0.0.1.example.com/", false),
            ("http://10.0.0.1/", false),
            ("http://[::2]/", false),
        ] {
            let settings = PushSettings::new(url, "token", None, PushMode::Plain, PushFormat::Xml).unwrap();
            assert_eq!(settings.require_loopback(false).is_ok(), permitted, "{url}");
            assert!(settings.require_loopback(true).is_ok());
        }
    }

    #[test]
    fn neither_token_nor_key_is_shown() {
        let key = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
        let settings =
            PushSettings::new("http://localhost/", "seekrit", Some(key), PushMode::Safe, PushFormat::Xml).unwrap();
        let shown = format!("{settings:?}{}", settings.describe());
        assert!(!shown.contains("seekrit") && !shown.contains("105") && !shown.contains("abcdef"), "{shown}");
    }
}
