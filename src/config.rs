//! Settings: one account and everything that a call needs to know, from php.ini and `configure()`.

mod table;
mod value;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use once_cell::sync::Lazy;
use reqwest::Url;

use crate::error::Error;
use crate::field::Mode;
use crate::language::{Language, Text};
use crate::message::Input;

pub use table::{SETTINGS, Setting};
use table::{find, rejected};
pub use value::{LANGUAGES, STATES, one_of, parse_concurrency, parse_grants, parse_mode};

/// A value that no output ever shows.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Secret(String);

impl Secret {
    /// Hides a value.
    pub fn new(value: String) -> Self {
        Self(value)
    }

    /// The value itself, for the request that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// What an acknowledged write survives (setting `durability`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Durability {
    /// Loss of power: writes that nothing else could restore are on the disk before the call returns.
    Power,
    /// The end of any process, kill -9 included. Loss of power may take the last writes; it corrupts nothing.
    Process,
}

/// Where the access token comes from (setting `token_mode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenMode {
    /// `POST /cgi-bin/stable_token`: the same token for all who ask, isolated from `cgi-bin/token`.
    Stable,
    /// `GET /cgi-bin/token`: each fetch ends the previous token after at most five minutes.
    Classic,
    /// The application supplies it (setting `token`).
    External,
}

/// When the ledger refuses a message before WeChat is asked (setting `grants`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GrantPolicy {
    /// Never. Grants are counted all the same.
    Off,
    /// While WeChat's own last word about this user and template is "no" (43101), and no accept was reported since; and
    /// only for templates whose accepts are reported at all.
    Certain,
    /// Whenever the count is 0.
    Strict,
}

/// Who sends what `queue()` has accepted (setting `delivery`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryMode {
    /// A background thread of the process that queued it.
    Thread,
    /// `routine-template work`.
    Worker,
}

/// Where the state shared by processes is (setting `store`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum StorePlace {
    /// `/var/lib/routine-template` if it is there and usable, else a private directory of the user.
    Default,
    /// A directory of this host.
    Directory(PathBuf),
    /// `redis://…`, with its password.
    Redis(Secret),
    /// Nowhere: each process for itself.
    Off,
}

/// One account and everything that a call needs to know.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// AppID.
    pub appid: String,
    /// AppSecret.
    pub secret: Secret,
    /// Scheme, host and port of the API.
    pub base_url: Url,
    /// Where to turn when `base_url` cannot be connected; [`Settings::fallbacks`] says which of them count.
    pub fallback_urls: Vec<Url>,
    /// Extra CA certificates.
    pub ca_file: Option<String>,
    /// HTTP proxy.
    pub proxy: Option<Secret>,
    /// Whether plain HTTP may leave this host.
    pub allow_plain_http: bool,
    /// Limit for opening a connection.
    pub connect_timeout: Duration,
    /// Limit for a whole call.
    pub timeout: Duration,
    /// How many requests are in flight at once, where there are many messages.
    pub concurrency: usize,
    /// How payloads are treated.
    pub validate: Mode,
    /// Source of the access token.
    pub token_mode: TokenMode,
    /// The token of mode `external`.
    pub token: Secret,
    /// Token of the message push.
    pub push_token: Secret,
    /// EncodingAESKey of the message push, and the one before it.
    pub push_aes_keys: Vec<Secret>,
    /// `miniprogram_state`.
    pub state: &'static str,
    /// `lang`.
    pub lang: &'static str,
    /// Language of hints.
    pub hint_lang: Language,
    /// Where the shared state is.
    pub store: StorePlace,
    /// What an acknowledged write survives.
    pub durability: Durability,
    /// When the ledger refuses.
    pub grants: GrantPolicy,
    /// How long delivery rows are kept.
    pub retention: Duration,
    /// Whether delivery rows keep what was posted.
    pub keep_payload: bool,
    /// Whether delivery rows keep a hash instead of the openid.
    pub hash_openid: bool,
    /// Where events are written, one JSON object a line.
    pub log_file: Option<PathBuf>,
    /// Who sends queued messages.
    pub delivery: DeliveryMode,
    /// How long a queued message waits at most.
    pub queue_expires: Duration,
    /// Whether a queued message is sent again after an attempt without a known outcome.
    pub resend_unknown: bool,
    /// What was set otherwise than by default, as it was written: for whoever sends in this account's name without having been
    /// configured.
    written: Written,
}

/// Names and values as they were written, secrets among them.
#[derive(Clone, PartialEq, Default)]
struct Written(BTreeMap<&'static str, String>);

impl fmt::Debug for Written {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

impl Settings {
    /// From `(name, value)` pairs over the defaults, as php.ini gives them.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Error> {
        let mut settings = Self::blank()?;
        for (name, value) in pairs {
            settings.apply(find(name)?, value)?;
        }
        settings.verify()?;
        Ok(settings)
    }

    /// These settings with the changes of one `configure()` call; with `supplied` the member `token` is no value but a
    /// callable, which the edge keeps.
    pub fn with(&self, changes: &Input<'_>, supplied: bool) -> Result<Self, Error> {
        let Input::Map(members) = changes else {
            return Err(Error::config(
                "configure() 需要一个「名称 => 值」的数组",
                "configure() takes an array of name => value",
            ));
        };
        let mut settings = self.clone();
        for (name, value) in members {
            let setting = find(&String::from_utf8_lossy(name))?;
            let text = match value {
                _ if supplied && setting.name == "token" => String::new(),
                Input::Null => setting.default.to_owned(),
                Input::Bool(flag) => if *flag { "1" } else { "0" }.to_owned(),
                Input::Int(number) => number.to_string(),
                Input::Float(number) => number.to_string(),
                Input::Text(bytes) => match std::str::from_utf8(bytes) {
                    Ok(text) => text.to_owned(),
                    Err(_) => return Err(rejected(setting, &Text::new("不是 UTF-8", "is not UTF-8"), "")),
                },
                Input::Map(_) | Input::Unusable(_) => {
                    let kind = value.type_name();
                    let reason = Text::new(format!("不能是 {kind}"), format!("cannot be {kind}"));
                    return Err(rejected(setting, &reason, ""));
                }
            };
            settings.apply(setting, &text)?;
        }
        // Fallbacks belong to the address that they stand in for: a token must not follow to those of a former one.
        if settings.base_url != self.base_url && changes.get("fallback_urls").is_none() {
            let setting = find("fallback_urls")?;
            settings.apply(setting, setting.default)?;
        }
        settings.verify()?;
        Ok(settings)
    }

    /// Where to turn when `base_url` cannot be connected. The default list is WeChat's own, so it counts with WeChat's own
    /// address only: what is sent to a sandbox or to a cloud's internal address never goes to the public hosts unasked.
    pub fn fallbacks(&self) -> &[Url] {
        if DEFAULTS.as_ref().is_some_and(|(base, list)| self.base_url != *base && self.fallback_urls == *list) {
            return &[];
        }
        &self.fallback_urls
    }

    /// Makes what all settings share and its first use would make: a fork in the middle of that leaves the child waiting for ever.
    pub fn prepare() {
        Lazy::force(&DEFAULTS);
    }

    /// The same settings for another account: nothing that belongs to the present one is carried over.
    pub fn for_account(&self, appid: &str) -> Result<Self, Error> {
        let mut settings = self.clone();
        for setting in SETTINGS.iter().filter(|setting| setting.of_account) {
            settings.apply(setting, setting.default)?;
        }
        settings.apply(find("appid")?, appid)?;
        Ok(settings)
    }

    /// That appid, and the secret or token which the mode needs, are there; `supplied` says that the application supplies the
    /// token when it is asked.
    pub fn require_account(&self, supplied: bool) -> Result<(), Error> {
        self.require_appid()?;
        let missing = match self.token_mode {
            TokenMode::External if supplied || !self.token.is_empty() => return Ok(()),
            TokenMode::External => "token",
            _ if self.secret.is_empty() => "secret",
            _ => return Ok(()),
        };
        let appid = &self.appid;
        Err(Error::config(
            format!(
                "账号 {appid} 没有设置 {missing}，请用 RoutineTemplate::app('{appid}')->configure(['{missing}' => …]) 设置"
            ),
            format!(
                "the account {appid} has no {missing}; set it with RoutineTemplate::app('{appid}')->configure(['{missing}' => …])"
            ),
        ))
    }

    /// That an account is named.
    pub fn require_appid(&self) -> Result<(), Error> {
        if !self.appid.is_empty() {
            return Ok(());
        }
        Err(Error::config(
            "没有设置 appid，请写在 php.ini（routine_template.appid）或用 RoutineTemplate::configure(['appid' => …, 'secret' => …]) 设置",
            "no appid is set; set it in php.ini (routine_template.appid) or with RoutineTemplate::configure(['appid' => …, 'secret' => …])",
        ))
    }

    fn blank() -> Result<Self, Error> {
        let mut settings = Self {
            appid: String::new(),
            secret: Secret::default(),
            base_url: Url::parse("https://api.weixin.qq.com")
                .map_err(|error| Error::config(error.to_string(), error.to_string()))?,
            fallback_urls: Vec::new(),
            ca_file: None,
            proxy: None,
            allow_plain_http: false,
            connect_timeout: Duration::ZERO,
            timeout: Duration::ZERO,
            concurrency: 1,
            validate: Mode::Fit,
            token_mode: TokenMode::Stable,
            token: Secret::default(),
            push_token: Secret::default(),
            push_aes_keys: Vec::new(),
            state: "",
            lang: "",
            hint_lang: Language::Chinese,
            store: StorePlace::Default,
            durability: Durability::Power,
            grants: GrantPolicy::Certain,
            retention: Duration::ZERO,
            keep_payload: false,
            hash_openid: false,
            log_file: None,
            delivery: DeliveryMode::Thread,
            queue_expires: Duration::ZERO,
            resend_unknown: false,
            written: Written::default(),
        };
        for setting in SETTINGS {
            settings.apply(setting, setting.default)?;
        }
        Ok(settings)
    }

    fn apply(&mut self, setting: &'static Setting, value: &str) -> Result<(), Error> {
        if value.len() > 4096 || value.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(rejected(
                setting,
                &Text::new("太长或含有控制字符", "is too long or holds control characters"),
                "",
            ));
        }
        (setting.apply)(self, value).map_err(|reason| rejected(setting, &reason, value))?;
        if value == setting.default {
            self.written.0.remove(setting.name);
        } else {
            self.written.0.insert(setting.name, value.to_owned());
        }
        Ok(())
    }

    /// Names and values of what was set otherwise than by default, secrets included.
    pub fn written(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.written.0.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// What no single setting can say of itself.
    fn verify(&self) -> Result<(), Error> {
        self.verify_host("base_url", &self.base_url)?;
        self.fallback_urls.iter().try_for_each(|url| self.verify_host("fallback_urls", url))
    }

    fn verify_host(&self, setting: &str, url: &Url) -> Result<(), Error> {
        match url.scheme() {
            "https" => Ok(()),
            "http" if self.allow_plain_http || is_loopback(url) => Ok(()),
            "http" => {
                let host = url.host_str().unwrap_or_default();
                Err(Error::config(
                    format!("设置 {setting}：用 http:// 访问 {host} 会把 access_token 暴露在网络上，请改用 https://"),
                    format!(
                        "setting {setting}: http:// to {host} would show the access token to the network; use https://"
                    ),
                ))
            }
            other => Err(Error::config(
                format!("设置 {setting}：应为 https://，不是 {other}://"),
                format!("setting {setting}: https://, not {other}://"),
            )),
        }
    }
}

/// `base_url` and `fallback_urls` as they are by default.
static DEFAULTS: Lazy<Option<(Url, Vec<Url>)>> =
    Lazy::new(|| Settings::blank().ok().map(|settings| (settings.base_url, settings.fallback_urls)));

fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost") => true,
        Some(host) => host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback()),
        None => false,
    }
}

#[cfg(test)]
mod tests;
