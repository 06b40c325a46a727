//! An account's settings in the store, for a deliverer that was never configured: CRMEB keeps appid and secret in its database and
//! says them at run time, in the request that queues.

use std::sync::Arc;

use nix::unistd::geteuid;
use serde_json::{Map, Value};

use crate::config::{SETTINGS, Secret, Settings, TokenMode};
use crate::error::Error;
use crate::fingerprint;
use crate::store::Sender;

/// Settings that say how the process itself works rather than how the account sends, or that sending has no use for.
const STAYS_HERE: [&str; 6] = ["store", "durability", "delivery", "concurrency", "push_token", "push_aes_key"];

/// Settings of the way out of this host: those given here go over those of the record.
const OWN_FIRST: [&str; 3] = ["ca_file", "proxy", "log_file"];

/// What the store keeps; `token` is the one that the application has just supplied, in mode `external`.
pub fn of(settings: &Settings, token: Option<&str>) -> Sender {
    let mut pairs = Map::new();
    for (name, value) in settings.written().filter(|(name, _)| !STAYS_HERE.contains(name)) {
        pairs.insert(name.to_owned(), Value::from(value));
    }
    if settings.token_mode == TokenMode::External {
        // It may be set by a token being there, without a word of its own.
        pairs.insert("token_mode".to_owned(), Value::from("external"));
        pairs.insert("token".to_owned(), Value::from(token.unwrap_or_else(|| settings.token.reveal())));
    }
    let text = Value::Object(pairs).to_string();
    Sender { version: fingerprint::of(&[&text]), settings: Secret::new(text) }
}

/// A record that was made, and of what: to write and fingerprint it takes a fifth of the work of queueing a message.
pub struct KnownSender {
    settings: Arc<Settings>,
    token: Option<String>,
    sender: Sender,
}

impl KnownSender {
    /// Makes it.
    pub fn new(settings: Arc<Settings>, token: Option<&str>) -> Self {
        let sender = of(&settings, token);
        Self { settings, token: token.map(str::to_owned), sender }
    }

    /// Whether it is the record of these settings; each PHP request brings its own copy of them.
    pub fn is_of(&self, settings: &Arc<Settings>, token: Option<&str>) -> bool {
        self.token.as_deref() == token && (Arc::ptr_eq(&self.settings, settings) || self.settings == *settings)
    }

    /// The record.
    pub fn sender(&self) -> &Sender {
        &self.sender
    }
}

/// Whether these settings say all that a deliverer needs: no token is to be asked for from the application's code.
pub fn is_whole(settings: &Settings) -> bool {
    settings.token_mode != TokenMode::External || !settings.token.is_empty()
}

/// The settings again, in the process and at the store that `here` names. Names that this version does not know belong to another
/// one and are left out.
pub fn settings(sender: &Sender, here: &Settings) -> Result<Arc<Settings>, Error> {
    settings_for(sender, here, geteuid().is_root())
}

fn settings_for(sender: &Sender, here: &Settings, is_root: bool) -> Result<Arc<Settings>, Error> {
    let pairs: Map<String, Value> = serde_json::from_str(sender.settings.reveal())
        .map_err(|_| Error::config("存储中的账号设置无法读取", "the account's settings in the store cannot be read"))?;
    let known = |name: &str| SETTINGS.iter().any(|setting| setting.name == name) && !STAYS_HERE.contains(&name);
    let own = |name: &str| STAYS_HERE.contains(&name) || OWN_FIRST.contains(&name);
    // The record is whose the store is, mostly the web user: root makes no file for him wherever he likes.
    let is_taken = |name: &str| known(name) && !(is_root && name == "log_file");
    let mut all: Vec<(&str, &str)> = Vec::new();
    for (name, value) in pairs.iter().filter(|(name, _)| is_taken(name)) {
        all.extend(value.as_str().map(|value| (name.as_str(), value)));
    }
    // The last one counts.
    for (name, value) in here.written().filter(|(name, _)| own(name)) {
        all.push((name, value));
    }
    Settings::from_pairs(all).map(Arc::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_back_from_the_store_but_for_those_of_the_process() {
        let pairs =
            [("appid", "wx1"), ("secret", "s1"), ("timeout_ms", "700"), ("store", "off"), ("delivery", "worker")];
        let given = Settings::from_pairs(pairs).unwrap();
        let here = Settings::from_pairs([("store", "/var/lib/elsewhere"), ("secret", "s2")]).unwrap();
        let back = settings(&of(&given, None), &here).unwrap();
        assert_eq!((back.appid.as_str(), back.secret.reveal(), back.timeout), ("wx1", "s1", given.timeout));
        assert_eq!((&back.store, back.delivery), (&here.store, here.delivery));
    }

    #[test]
    fn what_this_host_needs_to_get_out_goes_over_the_record() {
        let given =
            Settings::from_pairs([("appid", "wx1"), ("ca_file", "/a/ca.pem"), ("proxy", "http://a:1")]).unwrap();
        let here = Settings::from_pairs([("ca_file", "/b/ca.pem")]).unwrap();
        let back = settings(&of(&given, None), &here).unwrap();
        assert_eq!((back.ca_file.as_deref(), back.proxy.is_some()), (Some("/b/ca.pem"), true));
    }

    #[test]
    fn root_writes_no_log_where_the_record_says() {
        let given = Settings::from_pairs([("appid", "wx1"), ("log_file", "/etc/cron.d/shop")]).unwrap();
        let log = |here: &Settings, is_root| settings_for(&of(&given, None), here, is_root).unwrap().log_file.clone();
        let (silent, own) =
            (Settings::from_pairs([]).unwrap(), Settings::from_pairs([("log_file", "/var/log/rt")]).unwrap());
        assert_eq!(log(&silent, false), Some("/etc/cron.d/shop".into()));
        assert_eq!(log(&silent, true), None);
        assert_eq!(log(&own, true), Some("/var/log/rt".into()));
    }

    #[test]
    fn another_secret_or_supplied_token_is_another_version() {
        let version =
            |secret, token| of(&Settings::from_pairs([("appid", "wx1"), ("secret", secret)]).unwrap(), token).version;
        assert_eq!(version("s1", None), version("s1", None));
        assert_ne!(version("s1", None), version("s2", None));
        let external = Settings::from_pairs([("appid", "wx1"), ("token_mode", "external")]).unwrap();
        assert_ne!(of(&external, Some("t1")).version, of(&external, Some("t2")).version);
        assert_eq!(settings(&of(&external, Some("t1")), &external).unwrap().token.reveal(), "t1");
    }

    #[test]
    fn a_record_that_was_made_serves_equal_settings_and_no_others() {
        let given = |secret| Arc::new(Settings::from_pairs([("appid", "wx1"), ("secret", secret)]).unwrap());
        let known = KnownSender::new(given("s1"), Some("t1"));
        assert!(known.is_of(&given("s1"), Some("t1")));
        assert!(!known.is_of(&given("s2"), Some("t1")));
        assert!(!known.is_of(&given("s1"), Some("t2")) && !known.is_of(&given("s1"), None));
        assert_eq!(known.sender(), &of(&given("s1"), Some("t1")));
    }

    #[test]
    fn no_debug_output_shows_the_secret() {
        let given = Settings::from_pairs([("appid", "wx1"), ("secret", "feedface")]).unwrap();
        assert!(!format!("{given:?} {:?}", of(&given, None)).contains("feedface"));
    }

    #[test]
    fn a_setting_of_a_later_version_is_left_out_and_a_broken_record_is_an_error() {
        let record = |text: &str| Sender { version: String::new(), settings: Secret::new(text.to_owned()) };
        let here = Settings::from_pairs([]).unwrap();
        assert_eq!(settings(&record(r#"{"appid":"wx1","from_the_future":"1"}"#), &here).unwrap().appid, "wx1");
        assert!(settings(&record("[]"), &here).is_err());
        assert!(settings(&record(r#"{"timeout_ms":"soon"}"#), &here).is_err());
    }
}
