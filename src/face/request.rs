//! The context of the present PHP request.

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;
use std::sync::Arc;

use once_cell::sync::OnceCell;

use crate::app::{App, TokenSupplier};
use crate::config::{SETTINGS, Setting, Settings};
use crate::context::Context;
use crate::error::Error;
use crate::language::{Language, Text};
use crate::message::Input;

/// How a face reads a setting of php.ini.
pub type Ini = fn(&Setting) -> String;

static INI_OF_FACE: OnceCell<Ini> = OnceCell::new();

/// Says how php.ini is read; called when the face starts.
pub fn read_ini_with(ini: Ini) {
    // A second start of the face says the same.
    let _ = INI_OF_FACE.set(ini);
}

fn ini(setting: &Setting) -> String {
    INI_OF_FACE.get().map_or_else(|| setting.default.to_owned(), |ini| ini(setting))
}

thread_local! {
    static CONTEXT: RefCell<Option<Context>> = const { RefCell::new(None) };
    // Values of PHP, which belong to the request: by appid, what supplies its token.
    static SUPPLIERS: RefCell<HashMap<String, Rc<dyn TokenSupplier>>> = RefCell::new(HashMap::new());
    // A pool or virtual host may have its own values, so they are read at each request, but parsed only when they changed.
    static INI: RefCell<Option<(Vec<String>, Arc<Settings>)>> = const { RefCell::new(None) };
}

/// Runs `body` with the context of this request, made from the ini settings at first use.
pub fn with<R>(body: impl FnOnce(&mut Context) -> Result<R, Error>) -> Result<R, Error> {
    CONTEXT.with_borrow_mut(|context| match context {
        Some(context) => body(context),
        None => body(context.insert(Context::new(ini_settings()?))),
    })
}

/// The default account, or the one of this appid, ready for a call.
pub fn app(appid: Option<&str>) -> Result<App, Error> {
    let app = with(|context| context.app(appid))?;
    let supplier = SUPPLIERS.with_borrow(|suppliers| suppliers.get(&app.settings().appid).cloned());
    Ok(match supplier {
        Some(supplier) => app.with_supplier(supplier),
        None => app,
    })
}

/// Changes settings; `supplier` is what the member `token` holds where it is a callable.
pub fn configure(
    appid: Option<&str>,
    changes: &Input<'_>,
    supplier: Option<Rc<dyn TokenSupplier>>,
) -> Result<(), Error> {
    let configured = with(|context| context.configure(appid, changes, supplier.is_some()))?;
    if !configured.is_empty() {
        name_early_supplier(&configured);
    }
    if let Some(supplier) = supplier {
        SUPPLIERS.with_borrow_mut(|suppliers| suppliers.insert(configured, supplier));
    } else if changes.get("token").is_some() {
        // Dropping it may run the application's code, which may come back here: not while the map is borrowed.
        let former = SUPPLIERS.with_borrow_mut(|suppliers| suppliers.remove(&configured));
        drop(former);
    }
    Ok(())
}

/// A callable may have been given before the account was named.
fn name_early_supplier(appid: &str) {
    let displaced = SUPPLIERS.with_borrow_mut(|suppliers| {
        let early = suppliers.remove("")?;
        match suppliers.entry(appid.to_owned()) {
            Entry::Occupied(_) => Some(early),
            Entry::Vacant(place) => {
                place.insert(early);
                None
            }
        }
    });
    // As below: not while the map is borrowed.
    drop(displaced);
}

/// The language of error texts: the request's, else php.ini's.
pub fn language() -> Language {
    let configured = CONTEXT.with_borrow(|context| context.as_ref().map(Context::language));
    configured.unwrap_or_else(|| {
        let english = SETTINGS.iter().any(|setting| setting.name == "hint_lang" && ini(setting) == "en");
        if english { Language::English } else { Language::Chinese }
    })
}

/// Drops what the request has configured: the next one may belong to another shop.
pub fn forget() {
    CONTEXT.set(None);
    drop(SUPPLIERS.take());
}

/// Whether any account's token is supplied by code of the application.
#[cfg(feature = "ffi")]
pub fn has_supplier() -> bool {
    SUPPLIERS.with_borrow(|suppliers| !suppliers.is_empty())
}

fn ini_settings() -> Result<Arc<Settings>, Error> {
    let values: Vec<String> = SETTINGS.iter().map(ini).collect();
    INI.with_borrow_mut(|parsed| match parsed {
        Some((known, settings)) if *known == values => Ok(settings.clone()),
        _ => {
            let pairs = SETTINGS.iter().map(|setting| setting.name).zip(values.iter().map(String::as_str));
            let settings = Arc::new(Settings::from_pairs(pairs).map_err(from_ini)?);
            *parsed = Some((values, settings.clone()));
            Ok(settings)
        }
    })
}

fn from_ini(error: Error) -> Error {
    match error {
        Error::Config { text, code } => Error::Config {
            text: Text::new(
                format!("{}（来自 php.ini 或 php-fpm 的 pool 配置）", text.zh),
                format!("{} (from php.ini or the php-fpm pool)", text.en),
            ),
            code,
        },
        other => other,
    }
}
