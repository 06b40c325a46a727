//! The exception tree. The classes have no Rust object behind them, so file, line, trace, `new` and subclassing work as
//! with PHP's own.

use std::ffi::c_char;
use std::sync::atomic::{AtomicPtr, Ordering};

use ext_php_rs::builders::{ClassBuilder, FunctionBuilder};
use ext_php_rs::class::ClassEntryInfo;
use ext_php_rs::error::Result as ZendResult;
use ext_php_rs::exception::PhpException;
use ext_php_rs::ffi::{zend_object, zend_throw_exception};
use ext_php_rs::flags::{DataType, MethodFlags, PropertyFlags};
use ext_php_rs::types::{ZendStr, Zval};
use ext_php_rs::zend::{ClassEntry, ExecuteData, ExecutorGlobals, ce};

use super::class::property;
use super::{request, supplier};
use crate::error::Error;

unsafe extern "C" {
    static spl_ce_RuntimeException: *mut ClassEntry;
    fn zend_update_property_bool(
        scope: *mut ClassEntry,
        object: *mut zend_object,
        name: *const c_char,
        name_length: usize,
        value: i64,
    );
}

/// A class entry that this module has registered. It is set at module start-up, which may run more than once.
struct Registered(AtomicPtr<ClassEntry>);

impl Registered {
    const fn none() -> Self {
        Self(AtomicPtr::new(std::ptr::null_mut()))
    }

    fn set(&self, class: &'static mut ClassEntry) {
        self.0.store(class, Ordering::Release);
    }

    fn get(&self) -> &'static ClassEntry {
        // SAFETY: null or a class entry of this module, which lives as long as the module is loaded.
        unsafe { self.0.load(Ordering::Acquire).as_ref() }.unwrap_or_else(ce::exception)
    }
}

static BASE: Registered = Registered::none();
static CONFIG: Registered = Registered::none();
static TRANSPORT: Registered = Registered::none();
static STORE: Registered = Registered::none();

fn runtime_exception() -> &'static ClassEntry {
    // SAFETY: SPL cannot be disabled and is registered before any shared extension.
    unsafe { spl_ce_RuntimeException.as_ref() }.unwrap_or_else(ce::exception)
}

/// Registers the tree, the base first.
pub fn register() -> ZendResult<()> {
    let parent: ClassEntryInfo = (|| BASE.get(), "\\RoutineTemplate\\Exception");
    ClassBuilder::new("RoutineTemplate\\Exception")
        .extends((runtime_exception, "\\RuntimeException"))
        .registration(|class, _| BASE.set(class))
        .register()?;
    ClassBuilder::new("RoutineTemplate\\ConfigException")
        .extends(parent)
        .registration(|class, _| CONFIG.set(class))
        .register()?;
    ClassBuilder::new("RoutineTemplate\\StoreException")
        .extends(parent)
        .registration(|class, _| STORE.set(class))
        .register()?;
    ClassBuilder::new("RoutineTemplate\\TransportException")
        .extends(parent)
        .property(property("ambiguous", PropertyFlags::Protected, Some(false)))
        .method(
            FunctionBuilder::new("isAmbiguous", is_ambiguous).returns(DataType::Bool, false, false),
            MethodFlags::Public,
        )
        .registration(|class, arguments| {
            Box::leak(arguments);
            TRANSPORT.set(class);
        })
        .register()
}

extern "C" fn is_ambiguous(call: &mut ExecuteData, returned: &mut Zval) {
    if call.parser().parse().is_err() {
        return;
    }
    let ambiguous = call.get_self().and_then(|object| object.get_property::<bool>("ambiguous").ok());
    returned.set_bool(ambiguous.unwrap_or(false));
}

/// Throws what ended a call. NUL bytes cannot be in an exception message; the rest of it was made plain before.
pub fn throw(error: &Error) {
    if ExecutorGlobals::has_exception() || supplier::is_ending() {
        // Code of the application threw while we asked it for a token, or ended the request: that is what is to be seen.
        return;
    }
    let message = error.message(request::language()).replace('\0', " ");
    let (class, code) = match error {
        Error::Config { code, .. } => (CONFIG.get(), *code),
        Error::Refused { code, .. } => (BASE.get(), *code),
        Error::Transport { ambiguous, .. } => return throw_transport(&message, *ambiguous),
        Error::Store(_) => (STORE.get(), 0),
        Error::Value(_) => (ce::value_error(), 0),
        Error::Type(_) => (ce::type_error(), 0),
    };
    PhpException::new(message, i32::try_from(code).unwrap_or(0), class).throw();
}

/// Throws for a fault of our own.
pub fn throw_internal(message: String) {
    PhpException::new(message.replace('\0', " "), 0, BASE.get()).throw();
}

fn throw_transport(message: &str, ambiguous: bool) {
    let class = std::ptr::from_ref(TRANSPORT.get()).cast_mut();
    let message = ZendStr::new(message, false);
    let Ok(text) = message.as_c_str() else {
        return;
    };
    // SAFETY: class and message are valid for the call; the returned object is the pending exception, which the engine owns.
    unsafe {
        let object = zend_throw_exception(class, text.as_ptr(), 0);
        if !object.is_null() {
            zend_update_property_bool(class, object, c"ambiguous".as_ptr(), "ambiguous".len(), i64::from(ambiguous));
        }
    }
}
