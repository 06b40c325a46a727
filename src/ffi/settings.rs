//! php.ini as the PHP side has read it, for this request.

use std::cell::RefCell;
use std::collections::HashMap;

use serde::Deserialize;

use crate::config::Setting;
use crate::error::Error;

#[derive(Deserialize, Default)]
struct Begin {
    #[serde(default)]
    sapi: String,
    #[serde(default)]
    settings: HashMap<String, String>,
}

thread_local! {
    static BEGUN: RefCell<Begin> = RefCell::default();
}

/// Takes the settings of a new request.
pub fn begin(text: &[u8]) -> Result<(), Error> {
    let begun = serde_json::from_slice(text).map_err(|error| {
        Error::config(
            format!("routine_template_begin：不是所要求的 JSON（{error}）"),
            format!("routine_template_begin: not the JSON that is expected ({error})"),
        )
    })?;
    BEGUN.set(begun);
    Ok(())
}

/// The value of a setting.
pub fn value(setting: &Setting) -> String {
    BEGUN.with_borrow(|begun| begun.settings.get(setting.name).cloned()).unwrap_or_else(|| setting.default.to_owned())
}

/// Whether this is PHP's command line.
pub fn is_command_line() -> bool {
    BEGUN.with_borrow(|begun| begun.sapi == "cli")
}

#[cfg(test)]
mod tests {
    use crate::config::SETTINGS;

    #[test]
    fn the_php_side_reads_every_setting_of_the_table_in_its_order() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/ffi/src/Settings.php");
        let source = std::fs::read_to_string(path).unwrap();
        let list = source.split("NAMES = [").nth(1).and_then(|rest| rest.split(']').next()).unwrap();
        let names: Vec<&str> = list.split('\'').skip(1).step_by(2).collect();
        assert_eq!(names, SETTINGS.iter().map(|setting| setting.name).collect::<Vec<_>>());
    }
}
