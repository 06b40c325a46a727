//! A token that the application supplies by a callable: `configure(['token' => fn (bool $refresh) => …])`. The one place
//! where PHP code is called.

use std::cell::Cell;
use std::panic::AssertUnwindSafe;
use std::ptr;
use std::rc::Rc;

use ext_php_rs::convert::IntoZval;
use ext_php_rs::ffi::_call_user_function_impl;
use ext_php_rs::types::Zval;
use ext_php_rs::zend::{CatchError, ExecutorGlobals, bailout, try_catch};

use crate::app::TokenSupplier;
use crate::config::Secret;
use crate::error::Error;

thread_local! {
    // The application's code ended the request (a fatal error) while we were below. The end goes on from the edge, when
    // every frame of ours has been left in order.
    static ENDED: Cell<bool> = const { Cell::new(false) };
}

/// Lets the end of the request go on that [`TokenSupplier::token`] has held up. Nothing of ours may be alive above it.
pub fn go_on_ending() {
    if ENDED.replace(false) {
        // SAFETY: called from the outermost frame of a call from PHP, which holds no value with a destructor.
        unsafe { bailout() }
    }
}

/// Whether such an end is held up at this moment: the engine has no frame left that an exception could be thrown in.
pub fn is_ending() -> bool {
    ENDED.get()
}

/// The callable in the `token` of an array that `configure()` was given. A string is a token, never a function's name.
pub fn given(config: &Zval) -> Option<Rc<dyn TokenSupplier>> {
    let token = config.array()?.get("token")?.dereference();
    let callable = (token.is_object() || token.is_array()) && token.is_callable();
    callable.then(|| Rc::new(Callable(token.shallow_clone())) as Rc<dyn TokenSupplier>)
}

struct Callable(Zval);

impl TokenSupplier for Callable {
    fn token(&self, refresh: bool) -> Result<Secret, Error> {
        let returned = self.call(refresh)?;
        let text = returned.dereference().zend_str().and_then(|text| std::str::from_utf8(text.as_bytes()).ok());
        match text.map(str::trim) {
            Some(token) if !token.is_empty() && token.len() <= 4096 && !token.contains(char::is_control) => {
                Ok(Secret::new(token.to_owned()))
            }
            _ => Err(Error::config(
                "设置 token：函数应返回 access_token 字符串，返回的是空值或其他类型",
                "setting token: the callable must return the access_token as a string; it returned nothing or something else",
            )),
        }
    }
}

impl Callable {
    fn call(&self, refresh: bool) -> Result<Zval, Error> {
        let failed = || {
            Error::config(
                "设置 token：函数没有返回 access_token",
                "setting token: the callable returned no access_token",
            )
        };
        let mut argument = refresh.into_zval(false).map_err(|_| failed())?;
        let mut returned = Zval::new();
        let called = {
            let (callable, argument, returned) = (&raw const self.0, &raw mut argument, &raw mut returned);
            // SAFETY: all three live across the call, the engine only reads the callable and the argument, and a bailout ends
            // in `try_catch`, above which only plain pointers are.
            try_catch(AssertUnwindSafe(move || unsafe {
                _call_user_function_impl(ptr::null_mut(), callable.cast_mut(), returned, 1, argument, ptr::null_mut())
            }))
        };
        match called {
            Ok(status) if status >= 0 && !ExecutorGlobals::has_exception() => Ok(returned),
            // Its exception is pending and is the one that the application sees.
            Ok(_) => Err(failed()),
            Err(CatchError::Bailout) => {
                ENDED.set(true);
                Err(failed())
            }
            Err(_) => Err(failed()),
        }
    }
}
