//! The application's code, called from here. Whatever it does (an exception, `exit`, a fatal error), every frame of ours is
//! left in order before it goes on: this is the one place where the engine runs below us.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::ptr;

use ext_php_rs::ffi::_call_user_function_impl;
use ext_php_rs::types::Zval;
use ext_php_rs::zend::{CatchError, ExecutorGlobals, bailout, try_catch};

use super::owned::Owned;
use crate::error::Error;

thread_local! {
    // The application's code ended the request (a fatal error) while we were below. The end goes on from the edge, when
    // every frame of ours has been left in order.
    static ENDED: Cell<bool> = const { Cell::new(false) };
}

/// The application's code did not come back with a value: its exception is pending, or it has ended the request.
#[derive(Debug)]
pub struct Interrupted;

impl Interrupted {
    /// What the core is told. Nobody sees it: what the application's code did is what is to be seen.
    pub fn into_error(self) -> Error {
        Error::config("应用代码中断了本次调用", "the application's code has ended this call")
    }
}

/// Lets the end of the request go on that [`guarded`] has held up. Nothing of ours may be alive above it.
pub fn go_on_ending() {
    if ENDED.replace(false) {
        // SAFETY: called from the outermost frame of a call from PHP, which holds no value with a destructor.
        unsafe { bailout() }
    }
}

/// Drops such an end with the request that it belonged to.
pub fn forget_ending() {
    ENDED.set(false);
}

/// Whether such an end is held up at this moment: the engine has no frame left that an exception could be thrown in.
pub fn is_ending() -> bool {
    ENDED.get()
}

/// Whether the application's code has thrown or ended the request.
pub fn is_interrupted() -> bool {
    is_ending() || ExecutorGlobals::has_exception()
}

/// Runs what may run the application's code, or end the request by itself, such as filling the memory limit. What is alive
/// inside when that happens is never dropped: values of the engine, which its end sweeps up, and a text at most.
pub fn guarded<R>(body: impl FnOnce() -> R) -> Result<R, Interrupted> {
    match try_catch(AssertUnwindSafe(body)) {
        Ok(value) if !ExecutorGlobals::has_exception() => Ok(value),
        Err(CatchError::Bailout) => {
            ENDED.set(true);
            Err(Interrupted)
        }
        Ok(_) | Err(_) => Err(Interrupted),
    }
}

/// A closure, `[$object, 'method']` or an invokable object. A string is a value, never a function's name.
pub struct Callable(Owned);

impl Callable {
    /// The value, if it is one.
    pub fn of(value: &Zval) -> Option<Self> {
        let value = value.dereference();
        let callable = (value.is_object() || value.is_array()) && value.is_callable();
        callable.then(|| Self(value.shallow_clone().into()))
    }

    /// Calls it.
    pub fn call(&self, arguments: &mut [Owned]) -> Result<Owned, Interrupted> {
        let mut returned = Owned::default();
        let count = u32::try_from(arguments.len()).unwrap_or(0);
        let (callable, arguments, result) = (&raw const *self.0, arguments.as_mut_ptr().cast(), &raw mut *returned);
        // SAFETY: all three live across the call, the engine only reads the callable and the arguments, an `Owned` is laid out as
        // its value, and a bailout ends in `guarded`, above which only plain pointers are.
        let status = guarded(move || unsafe {
            _call_user_function_impl(ptr::null_mut(), callable.cast_mut(), result, count, arguments, ptr::null_mut())
        })?;
        if status >= 0 { Ok(returned) } else { Err(Interrupted) }
    }
}
