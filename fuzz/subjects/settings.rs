//! Settings: php.ini, `configure()`, and an account's settings as the store keeps them.

use std::borrow::Cow;

use routine_template::config::{SETTINGS, Secret, Settings};
use routine_template::language::Language;
use routine_template::message::Input;
use routine_template::outbox::sender;
use routine_template::push::Query;
use routine_template::store::Sender;
use serde_json::Value;

use super::{parts, text};

const SECRET: &str = "c0ffee0123456789c0ffee0123456789";
const SENSITIVE: [&str; 5] = ["secret", "token", "push_token", "push_aes_key", "proxy"];

/// Names and values in turn. What is taken is the same again after a way through the store, what is refused names the setting, and
/// neither shows a secret.
pub fn settings(data: &[u8]) {
    let texts: Vec<Cow<'_, str>> = parts(data).map(text).collect();
    let pairs: Vec<(&str, &str)> = texts
        .chunks(2)
        .map(|pair| {
            let name = pair[0].as_ref();
            // Its number will do, so that mutations meet one.
            let known = name.bytes().next().filter(|_| name.len() == 1).map(|byte| usize::from(byte) % SETTINGS.len());
            (known.map_or(name, |index| SETTINGS[index].name), pair.get(1).map_or("", |value| value.as_ref()))
        })
        .collect();
    let base = Settings::from_pairs([("appid", "wx1"), ("secret", SECRET)]).unwrap();
    let members = pairs.iter().map(|(name, value)| (Cow::Borrowed(name.as_bytes()), Input::text(*value)));
    for read in [Settings::from_pairs(pairs.iter().copied()), base.with(&Input::Map(members.collect()), false)] {
        match read {
            Ok(settings) => taken(&settings, &pairs),
            Err(error) => {
                for language in [Language::Chinese, Language::English] {
                    let words = error.message(language);
                    assert!(!words.is_empty() && (said_openly(&pairs, SECRET) || !words.contains(SECRET)), "{words}");
                    for (name, value) in &pairs {
                        let shows = value.len() >= 12 && words.contains(value) && SENSITIVE.contains(name);
                        // A message lists the names that there are.
                        let is_known = SETTINGS.iter().any(|setting| setting.name.contains(value))
                            || pairs.iter().any(|(other, same)| {
                                same.contains(value) && !SENSITIVE.contains(other) || other.contains(value)
                            });
                        assert!(!shows || is_known, "the value of {name} is shown: {words}");
                    }
                }
            }
        }
    }
    from_outside(data);
}

/// Whether it stands where no secret is expected: in a name, or as the value of another setting.
fn said_openly(pairs: &[(&str, &str)], secret: &str) -> bool {
    // Hosts are shown in lower case.
    let holds = |text: &str| text.to_ascii_lowercase().contains(&secret.to_ascii_lowercase());
    pairs.iter().any(|(name, value)| holds(name) || (!SENSITIVE.contains(name) && holds(value)))
}

fn taken(settings: &Settings, pairs: &[(&str, &str)]) {
    assert!((1..=256).contains(&settings.concurrency));
    for url in std::iter::once(&settings.base_url).chain(&settings.fallback_urls) {
        assert!(matches!(url.scheme(), "http" | "https") && url.host_str().is_some(), "{url}");
    }
    let record = sender::of(settings, None);
    let again = sender::settings(&record, settings).expect("the store's own record is refused");
    assert_eq!((&again.appid, &again.secret), (&settings.appid, &settings.secret));
    assert_eq!((&again.base_url, again.timeout), (&settings.base_url, settings.timeout));
    let shown = format!("{settings:?} {record:?}");
    assert!(said_openly(pairs, SECRET) || !shown.contains(SECRET), "a secret is shown");
    for (name, value) in pairs {
        if SENSITIVE.contains(name) && value.len() >= 12 {
            let elsewhere = said_openly(pairs, value);
            assert!(elsewhere || !shown.contains(value), "the value of {name} is shown");
        }
    }
    let other = settings.for_account("wx2").unwrap();
    assert!(
        other.appid == "wx2" && other.secret.is_empty() && other.token.is_empty(),
        "an account has another's secret"
    );
}

/// The same bytes as a record of the store, and as the address of a push.
fn from_outside(data: &[u8]) {
    let here = Settings::from_pairs([("store", "off")]).unwrap();
    let record = Sender { version: "1".to_owned(), settings: Secret::new(text(data).into_owned()) };
    if let Ok(settings) = sender::settings(&record, &here) {
        assert_eq!(settings.store, here.store, "a record of the store moves the store");
    }
    if let Ok(value) = serde_json::from_slice::<Value>(data) {
        let query = Input::from(value);
        if let Ok(query) = Query::read(&query) {
            let texts = [query.signature, query.msg_signature, Some(query.timestamp), Some(query.nonce), query.echostr];
            assert!(texts.into_iter().flatten().all(|text| !text.is_empty() && text.len() <= 1024));
        }
    }
}
