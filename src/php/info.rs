//! The block in `phpinfo()` and `php --ri routine_template`.

use ext_php_rs::zend::ModuleEntry;
use ext_php_rs::{info_table_end, info_table_header, info_table_row, info_table_start};

use super::ini;
use crate::config::SETTINGS;
use crate::process::Process;

/// Prints version, settings (secrets as `***`) and what this process holds.
pub extern "C" fn print(_: *mut ModuleEntry) {
    info_table_start!();
    info_table_row!("RoutineTemplate", "enabled");
    info_table_row!("version", env!("CARGO_PKG_VERSION"));
    info_table_row!("HTTP", "reqwest, HTTP/1.1, keep-alive across requests");
    info_table_row!("TLS", "rustls (ring), certificates always verified");
    let in_use = if Process::existing().is_some() { "yes" } else { "no (nothing is started before the first use)" };
    info_table_row!("in use in this process", in_use);
    info_table_end!();
    info_table_start!();
    info_table_header!("Directive", "Local Value", "Master Value");
    for setting in SETTINGS {
        let shown = |master: bool| {
            let value = ini::value(setting, master);
            match (value.is_empty(), setting.secret) {
                (true, _) => "no value".to_owned(),
                (false, true) => "***".to_owned(),
                (false, false) => value.replace('\0', " "),
            }
        };
        info_table_row!(format!("routine_template.{}", setting.name), shown(false), shown(true));
    }
    info_table_end!();
}
