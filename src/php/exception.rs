//! The exception tree. The classes have no Rust object behind them, so file, line, trace, `new` and subclassing work as
//! with PHP's own.

use std::ffi::c_char;
use std::sync::atomic::{AtomicPtr, Ordering};

use ext_php_rs::boxed::ZBox;
use ext_php_rs::builders::{ClassBuilder, FunctionBuilder};
use ext_php_rs::class::ClassEntryInfo;
use ext_php_rs::convert::IntoZval;
use ext_php_rs::error::Result as ZendResult;
use ext_php_rs::exception::PhpException;
use ext_php_rs::ffi::{zend_object, zend_throw_exception};
use ext_php_rs::flags::{DataType, MethodFlags, PropertyFlags};
use ext_php_rs::types::{ZendObject, ZendStr, Zval};
use ext_php_rs::zend::{ClassEntry, ExecuteData, ce};

use super::callable;
use super::class::property;
use crate::error::Error;
use crate::face::request;
use crate::face::thrown::{Class, code};

unsafe extern "C" {
    static spl_ce_RuntimeException: *mut ClassEntry;
    fn zend_update_property_stringl(
        scope: *mut ClassEntry,
        object: *mut zend_object,
        name: *const c_char,
        name_length: usize,
        value: *const c_char,
        value_length: usize,
    );
    fn zend_update_property_long(
        scope: *mut ClassEntry,
        object: *mut zend_object,
        name: *const c_char,
        name_length: usize,
        value: i64,
    );
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
static REFUSED: Registered = Registered::none();

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
    ClassBuilder::new("RoutineTemplate\\RefusedException")
        .extends(parent)
        .registration(|class, _| REFUSED.set(class))
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
    if callable::is_interrupted() {
        // Code of the application threw while we called it, or ended the request: that is what is to be seen.
        return;
    }
    let message = error.message(request::language()).replace('\0', " ");
    match error {
        Error::Transport { ambiguous, .. } => throw_transport(&message, *ambiguous),
        _ => PhpException::new(message, i32::try_from(code(error)).unwrap_or(0), class_of(error)).throw(),
    }
}

/// Throws for a fault of our own.
pub fn throw_internal(message: String) {
    PhpException::new(message.replace('\0', " "), 0, BASE.get()).throw();
}

/// The same exception as a value, for an answer that carries it.
pub fn object(error: &Error) -> ZendResult<Zval> {
    let message = error.message(request::language());
    let object = ZendObject::new(class_of(error)).into_raw();
    // The class that declares the protected members: PHP's own, of exceptions or of errors.
    let base = match error {
        Error::Value(_) | Error::Type(_) => ce::error(),
        _ => ce::exception(),
    };
    let base = std::ptr::from_ref(base).cast_mut();
    // SAFETY: the object was made just now and is ours; names and text are valid for their lengths and are copied.
    unsafe {
        zend_update_property_stringl(
            base,
            object,
            c"message".as_ptr(),
            "message".len(),
            message.as_ptr().cast(),
            message.len(),
        );
        zend_update_property_long(base, object, c"code".as_ptr(), "code".len(), code(error));
        if let Error::Transport { ambiguous, .. } = error {
            set_ambiguous(object, *ambiguous);
        }
        ZBox::from_raw(object).into_zval(false)
    }
}

fn class_of(error: &Error) -> &'static ClassEntry {
    match Class::of(error) {
        Class::Config => CONFIG.get(),
        Class::Refused => REFUSED.get(),
        Class::Transport => TRANSPORT.get(),
        Class::Store => STORE.get(),
        Class::Value => ce::value_error(),
        Class::Type => ce::type_error(),
    }
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
            set_ambiguous(object, ambiguous);
        }
    }
}

/// # Safety
///
/// `object` is a live `TransportException`.
unsafe fn set_ambiguous(object: *mut zend_object, ambiguous: bool) {
    let class = std::ptr::from_ref(TRANSPORT.get()).cast_mut();
    // SAFETY: as the caller says; the name is valid for its length.
    unsafe { zend_update_property_bool(class, object, c"ambiguous".as_ptr(), "ambiguous".len(), i64::from(ambiguous)) };
}
