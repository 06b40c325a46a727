//! Where the settings come from: php.ini, the store's record of the account, the environment, options.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::store;
use crate::config::{SETTINGS, Settings};
use crate::error::Error;
use crate::language::Text;
use crate::network::deadline::Deadline;
use crate::outbox::sender;
use crate::process::Process;
use crate::store::Store;

/// More than any php.ini has.
const INI_LIMIT: u64 = 1024 * 1024;
const PREFIX: &str = "routine_template.";
/// A line for PHP alone, which the installer writes: where `FFI` finds the library.
const LIBRARY: &str = "library";

/// Names and values from one place.
pub struct Layer {
    /// Which place, as the report names it.
    pub origin: Text,
    /// What it says.
    pub pairs: Vec<(String, String)>,
}

/// The settings that were found, and where.
pub struct Sourced {
    /// The settings.
    pub settings: Arc<Settings>,
    /// The places that said something.
    pub origins: Vec<Text>,
    /// Accounts of which the store knows, where none was named.
    pub others: Vec<String>,
}

/// Every setting that an environment names, as `ROUTINE_TEMPLATE_APPID`.
pub fn of_environment() -> Layer {
    let pairs = SETTINGS.iter().filter_map(|setting| {
        let name = format!("ROUTINE_TEMPLATE_{}", setting.name.to_ascii_uppercase());
        Some((setting.name.to_owned(), std::env::var(name).ok()?))
    });
    Layer { origin: Text::new("环境变量", "environment"), pairs: pairs.collect() }
}

/// The lines of a php.ini, or of a pool of php-fpm, that concern this extension.
pub fn of_ini(path: &Path) -> Result<Layer, Error> {
    let shown = path.display();
    let text = std::fs::metadata(path)
        .and_then(|found| if found.len() > INI_LIMIT { Err(std::io::ErrorKind::FileTooLarge.into()) } else { Ok(()) })
        .and_then(|()| std::fs::read(path))
        .map_err(|error| {
            Error::config(
                format!("--ini：{shown} 无法读取（{error}）"),
                format!("--ini: {shown} cannot be read ({error})"),
            )
        })?;
    let text = String::from_utf8_lossy(&text);
    let pairs = text.lines().filter_map(ini_line).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Ok(Layer { origin: Text::new(shown.to_string(), shown.to_string()), pairs })
}

/// `routine_template.appid = "wx…"`, or `php_admin_value[routine_template.appid] = wx…` of a pool.
fn ini_line(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.trim().split_once('=')?;
    let name = name.trim();
    let name = match name.split_once('[') {
        Some(("php_admin_value" | "php_value" | "php_admin_flag" | "php_flag", inside)) => inside.strip_suffix(']')?,
        Some(_) => return None,
        None => name,
    };
    let name = name.trim().strip_prefix(PREFIX).filter(|name| *name != LIBRARY)?;
    let value = value.trim();
    let quoted = value.strip_prefix('"').and_then(|value| Some(value.split_once('"')?.0));
    Some((name, quoted.unwrap_or_else(|| value.split_once(';').map_or(value, |(value, _)| value.trim_end()))))
}

/// Everything that is wrong in these layers, or the settings that they make.
pub fn settings(layers: &[Layer]) -> Result<Arc<Settings>, Vec<Text>> {
    let faults: Vec<Text> = layers
        .iter()
        .flat_map(|layer| layer.pairs.iter())
        .filter_map(|(name, value)| Settings::from_pairs([(name.as_str(), value.as_str())]).err())
        .filter(|error| !is_about_hosts(error))
        .map(|error| of(&error))
        .collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    // The last one counts.
    let pairs: BTreeMap<&str, &str> = layers
        .iter()
        .flat_map(|layer| layer.pairs.iter())
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    Settings::from_pairs(pairs).map(Arc::new).map_err(|error| vec![of(&error)])
}

/// Whether plain HTTP is allowed is for all settings together to say.
fn is_about_hosts(error: &Error) -> bool {
    matches!(error, Error::Config { text, .. } if text.en.contains("use https://"))
}

/// The text of an error.
pub fn of(error: &Error) -> Text {
    match error {
        Error::Config { text, .. } | Error::Transport { text, .. } | Error::Refused { text, .. } => text.clone(),
        Error::Store(text) | Error::Value(text) | Error::Type(text) => text.clone(),
    }
}

/// These settings, or, where they name no account or none with a secret, those that the application has left in the store with
/// its messages.
pub fn with_store(layers: &[Layer], settings: Arc<Settings>, deadline: Deadline) -> Sourced {
    let mut origins: Vec<Text> =
        layers.iter().filter(|layer| !layer.pairs.is_empty()).map(|layer| layer.origin.clone()).collect();
    let mut others = Vec::new();
    if settings.require_account(false).is_ok() || !store::is_there(&settings) {
        return Sourced { settings, origins, others };
    }
    let Ok(process) = Process::current() else { return Sourced { settings, origins, others } };
    let store = process.connections().store(&settings);
    let look = |store: &dyn Store, until| {
        let mut appids: Vec<String> = if settings.appid.is_empty() {
            store.queues(None, until)?.into_iter().map(|queue| queue.appid).collect()
        } else {
            vec![settings.appid.clone()]
        };
        appids.dedup();
        let sender = appids.first().map(|appid| store.sender(appid, until)).transpose()?.flatten();
        Ok((appids, sender))
    };
    // A store that fails is a finding of its own.
    let Ok((appids, Some(sender))) = store.insist(deadline, &process.stats, look) else {
        return Sourced { settings, origins, others };
    };
    match sender::settings(&sender, &settings) {
        Ok(found) => {
            origins.push(Text::new("存储中的账号设置", "the account's settings in the store"));
            others = appids.into_iter().filter(|appid| *appid != found.appid).collect();
            Sourced { settings: found, origins, others }
        }
        Err(_) => Sourced { settings, origins, others },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_php_ini_and_of_a_pool_are_read_and_others_are_not() {
        assert_eq!(ini_line("routine_template.appid = wx1"), Some(("appid", "wx1")));
        assert_eq!(ini_line(r#"routine_template.secret="a;b" ; mine"#), Some(("secret", "a;b")));
        assert_eq!(ini_line("  routine_template.timeout_ms=700 ; short"), Some(("timeout_ms", "700")));
        assert_eq!(ini_line("php_admin_value[routine_template.store] = /srv/rt"), Some(("store", "/srv/rt")));
        for line in [
            ";routine_template.appid = wx1",
            "# routine_template.appid=1",
            "memory_limit = 1G",
            "routine_template.library = /usr/local/lib/routine-template/libroutine_template.so",
            "[www]",
            "",
            "env[routine_template.appid] = 1",
        ] {
            assert_eq!(ini_line(line), None, "{line}");
        }
    }

    #[test]
    fn every_wrong_setting_is_told_and_the_last_place_counts() {
        let layer = |pairs: &[(&str, &str)]| Layer {
            origin: Text::default(),
            pairs: pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        };
        let faults = settings(&[layer(&[("timeout", "1"), ("validate", "maybe")])]).unwrap_err();
        assert_eq!(faults.len(), 2);
        let found = settings(&[layer(&[("appid", "wx1"), ("lang", "en_US")]), layer(&[("appid", "wx2")])]).unwrap();
        assert_eq!((found.appid.as_str(), found.lang), ("wx2", "en_US"));
        let inside = settings(&[layer(&[("base_url", "http://10.0.0.1"), ("allow_plain_http", "1")])]);
        assert!(inside.is_ok());
    }
}
