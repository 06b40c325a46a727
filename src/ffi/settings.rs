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
