//! The ini entries `routine_template.NAME`, made from the table of settings.

use std::ffi::{CStr, CString, c_char};

use ext_php_rs::flags::IniEntryPermission;
use ext_php_rs::zend::IniEntryDef;

use crate::config::{SETTINGS, Setting};

unsafe extern "C" {
    fn zend_ini_string_ex(name: *const c_char, name_length: usize, orig: i32, exists: *mut bool) -> *const c_char;
}

/// Registers every setting, changeable in php.ini and the pool configuration only.
pub fn register(module_number: i32) {
    let mut table: Vec<IniEntryDef> = SETTINGS
        .iter()
        .filter_map(|setting| {
            Some(IniEntryDef::new(
                for_ever(&format!("routine_template.{}", setting.name))?,
                for_ever(setting.default)?,
                IniEntryPermission::System,
            ))
        })
        .collect();
    table.push(IniEntryDef::end());
    // The engine keeps pointers into the table for the life of the process.
    IniEntryDef::register(Vec::leak(table), module_number);
}

fn for_ever(text: &str) -> Option<&'static CStr> {
    CString::new(text).ok().map(|text| &*Box::leak(text.into_boxed_c_str()))
}

/// The value of a setting: as it applies now, or (`master`) as php.ini has it.
pub fn value(setting: &Setting, master: bool) -> String {
    let name = format!("routine_template.{}", setting.name);
    let mut exists = false;
    // SAFETY: the name is valid for the given length; the engine returns null or a NUL-terminated string of its own
    // that is copied before anything can change it.
    unsafe {
        let text = zend_ini_string_ex(name.as_ptr().cast(), name.len(), i32::from(master), &raw mut exists);
        if text.is_null() { String::new() } else { CStr::from_ptr(text).to_string_lossy().into_owned() }
    }
}
