//! One program of PHP, and what it says of itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::is_php;
use super::run::output;
use crate::thread::spawn_without_signals;

/// Beside PATH: where distributions and panels put them (宝塔 uses /www/server/php/82).
const DIRECTORIES: [&str; 5] = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/opt/homebrew/bin"];
const PANEL: &str = "/www/server/php";
/// A host has a handful.
const MOST: usize = 12;
const STACK: usize = 512 * 1024;
/// Prints the settings of the extension, which `php -i` hides where they are secret.
const SETTINGS: &str = "echo json_encode(ini_get_all('routine_template', false));";

/// A PHP of this host.
#[derive(Debug, Clone, Default)]
pub struct Binary {
    /// The program.
    pub path: PathBuf,
    /// Whether it is php-fpm.
    pub is_fpm: bool,
    /// Its version; `None` if it did not answer.
    pub version: Option<String>,
    /// Version of the extension, if it is loaded.
    pub extension: Option<String>,
    /// Why it could not be loaded, in PHP's words.
    pub load_failure: Option<String>,
    /// The php.ini in use.
    pub ini: Option<String>,
    /// `ffi.enable`, if PHP has FFI.
    pub ffi: Option<String>,
}

impl Binary {
    /// All that are found, each asked on a thread of its own.
    pub fn all(until: Instant) -> Vec<Self> {
        let waiting: Vec<_> = programs()
            .into_iter()
            .map(|(path, is_fpm)| {
                let unanswered = Self { path: path.clone(), is_fpm, ..Self::default() };
                let (answer, waiting) = mpsc::sync_channel(1);
                // One that cannot be asked reads as one that did not answer.
                let _ = spawn_without_signals("routine-php", STACK, move || {
                    let _ = answer.send(Self::ask(path, is_fpm, until));
                });
                (unanswered, waiting)
            })
            .collect();
        waiting
            .into_iter()
            .map(|(unanswered, waiting)| {
                let left = until.saturating_duration_since(Instant::now()) + Duration::from_millis(500);
                waiting.recv_timeout(left).unwrap_or(unanswered)
            })
            .collect()
    }

    fn ask(path: PathBuf, is_fpm: bool, until: Instant) -> Self {
        let mut php = Self { path, is_fpm, ..Self::default() };
        if let Some((info, errors)) = output(&php.path, &["-i"], until) {
            php.read(&info, &errors);
        }
        php
    }

    /// What `-i` prints: `name => value` lines.
    fn read(&mut self, info: &str, errors: &str) {
        let mut in_extension = false;
        for line in info.lines() {
            let Some((name, value)) = line.split_once(" => ") else { continue };
            let value = value.split(" => ").next().unwrap_or_default().trim();
            match name.trim() {
                "PHP Version" if self.version.is_none() => self.version = Some(value.to_owned()),
                "Loaded Configuration File" if value != "(none)" => self.ini = Some(value.to_owned()),
                "ffi.enable" => self.ffi = Some(value.to_owned()),
                "RoutineTemplate" => in_extension = true,
                "version" if in_extension && self.extension.is_none() => self.extension = Some(value.to_owned()),
                _ => {}
            }
        }
        let mut said = errors.lines().chain(info.lines().take(20));
        let failure = said.find(|line| line.contains("routine_template") && line.contains("Unable to"));
        self.load_failure = failure.map(|line| line.trim().chars().take(300).collect());
    }

    /// The settings that php.ini gives to the extension.
    pub fn settings(&self, until: Instant) -> Option<Vec<(String, String)>> {
        let (text, _) = output(&self.path, &["-d", "display_errors=stderr", "-r", SETTINGS], until)?;
        let all: Map<String, Value> = serde_json::from_str(&text).ok()?;
        let pairs = all.iter().filter_map(|(name, value)| {
            let name = name.strip_prefix("routine_template.")?;
            let default = crate::config::SETTINGS.iter().find(|setting| setting.name == name)?.default;
            let value = value.as_str()?;
            (value != default).then(|| (name.to_owned(), value.to_owned()))
        });
        Some(pairs.collect())
    }

    /// The version, or what stands in its place.
    pub fn shown_version(&self) -> &str {
        self.version.as_deref().unwrap_or("?")
    }

    /// Major and minor number.
    pub fn number(&self) -> Option<(u32, u32)> {
        let mut parts = self.version.as_deref()?.split('.');
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }
}

/// The programs, each once however many names it has.
fn programs() -> Vec<(PathBuf, bool)> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let of_panel = fs::read_dir(PANEL).into_iter().flatten().flatten();
    let of_panel = of_panel.flat_map(|version| [version.path().join("bin"), version.path().join("sbin")]);
    let directories = std::env::split_paths(&path)
        .chain(DIRECTORIES.iter().map(PathBuf::from))
        .chain(of_panel)
        .filter(|path| path.is_absolute());
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for directory in directories {
        let mut names: Vec<PathBuf> =
            fs::read_dir(&directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        names.sort();
        for path in names {
            let Some(is_fpm) = is_php(&path) else { continue };
            let Ok(real) = fs::canonicalize(&path) else { continue };
            if is_program(&real) && seen.insert(real) && found.len() < MOST {
                found.push((path, is_fpm));
            }
        }
    }
    found
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_php_says_of_itself_is_read() {
        let mut php = Binary::default();
        php.read(
            "phpinfo()\nPHP Version => 8.2.30\n\nLoaded Configuration File => /etc/php/8.2/cli/php.ini\nffi.enable => preload => preload\n\nroutine_template\n\nRoutineTemplate => enabled\nversion => 0.1.0\n\nxml\nversion => 2.9\n",
            "",
        );
        assert_eq!(
            (php.shown_version(), php.extension.as_deref(), php.ini.as_deref(), php.ffi.as_deref(), php.number()),
            ("8.2.30", Some("0.1.0"), Some("/etc/php/8.2/cli/php.ini"), Some("preload"), Some((8, 2)))
        );
        let mut broken = Binary::default();
        broken.read(
            "PHP Version => 8.1.2\nLoaded Configuration File => (none)\n",
            "PHP Warning:  PHP Startup: Unable to load dynamic library 'routine_template' (tried: …)\n",
        );
        assert!(broken.load_failure.unwrap().contains("Unable to load"));
        assert_eq!((broken.extension, broken.ini), (None, None));
    }
}
