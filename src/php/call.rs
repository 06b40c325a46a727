//! One call from PHP: its arguments, its guard, its result.

use std::ffi::c_char;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use ext_php_rs::error::Error as ZendError;
use ext_php_rs::ffi::zend_wrong_parameters_count_error;
use ext_php_rs::types::{ZendObject, Zval};
use ext_php_rs::zend::{ClassEntry, ExecuteData};

use super::{bulk, callable, class, event, exception, serialize, supplier, value};
use crate::app::TokenSupplier;
use crate::error::Error;
use crate::face::arguments::Arguments;
use crate::face::call::{Call, no_account};
use crate::face::methods::{Body, METHODS};
use crate::face::returned::Returned;
use crate::message::Input;

unsafe extern "C" {
    fn zend_update_property_stringl(
        scope: *mut ClassEntry,
        object: *mut ZendObject,
        name: *const c_char,
        name_length: usize,
        value: *const c_char,
        value_length: usize,
    );
}

/// The arguments of a running call.
pub struct Given<'a>(&'a ExecuteData);

impl<'a> Given<'a> {
    /// The argument at a position, without PHP's references around it; `None` if it was left out.
    pub fn zval(&self, index: usize) -> Option<&'a Zval> {
        // SAFETY: the frame holds `num_args` values behind it, and they live as long as the call.
        let value = unsafe {
            if index >= self.0.This.u2.num_args as usize {
                return None;
            }
            self.0.zend_call_arg(index)
        };
        value.map(|value| value.dereference())
    }
}

impl Arguments for Given<'_> {
    fn take(&self, index: usize) -> Option<Input<'_>> {
        self.zval(index).map(value::input)
    }

    fn is_array(&self, index: usize) -> bool {
        self.zval(index).is_some_and(Zval::is_array)
    }

    fn event(&self, index: usize) -> Result<Input<'static>, Error> {
        let null = Zval::null();
        event::message(self.zval(index).unwrap_or(&null)).map_err(callable::Interrupted::into_error)
    }

    fn supplier(&self, index: usize) -> Option<Rc<dyn TokenSupplier>> {
        self.zval(index).and_then(supplier::given)
    }
}

/// Gives a new `App` object its account.
pub fn set_appid(object: &mut ZendObject, appid: &str) {
    let class = std::ptr::from_ref(object.get_class_entry()).cast_mut();
    // SAFETY: object and its class are live, the strings are valid for their lengths and are copied.
    unsafe {
        zend_update_property_stringl(
            class,
            object,
            c"appid".as_ptr(),
            "appid".len(),
            appid.as_ptr().cast(),
            appid.len(),
        );
    }
}

/// What PHP calls for the method at `INDEX` of the table.
pub extern "C" fn run<const INDEX: usize>(frame: &mut ExecuteData, returned: &mut Zval) {
    answer(INDEX, frame, returned);
    callable::go_on_ending();
}

fn answer(index: usize, frame: &mut ExecuteData, returned: &mut Zval) {
    let Some(method) = METHODS.get(index) else { return };
    // SAFETY: all members of the union have the same type.
    let given = unsafe { frame.This.u2.num_args } as usize;
    let required = method.required();
    if given < required || given > method.parameters.len() {
        let (least, most) = (u32::try_from(required).unwrap_or(0), u32::try_from(method.parameters.len()).unwrap_or(0));
        // SAFETY: throws PHP's own ArgumentCountError for the running call.
        unsafe { zend_wrong_parameters_count_error(least, most) };
        return;
    }
    let appid = match frame.get_self() {
        None => None,
        Some(object) => match object.get_property::<String>("appid") {
            Ok(appid) if !appid.is_empty() => Some(appid),
            _ => {
                return exception::throw(&no_account());
            }
        },
    };
    let given = Given(frame);
    let call = Call::new(method, appid.as_deref(), &given);
    let body = || match method.body {
        Body::Common(body) => body(&call).and_then(|returned| zval(&returned)),
        Body::SendMany => bulk::send_many(&call, &given),
    };
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(value)) => *returned = value,
        Ok(Err(error)) => exception::throw(&error),
        // The panic's own text may hold anything; where it happened is enough to report it.
        Err(_) => {
            exception::throw_internal(format!("internal error in RoutineTemplate::{}(), please report it", method.name))
        }
    }
}

fn zval(returned: &Returned) -> Result<Zval, Error> {
    match returned {
        Returned::Account(appid) => class::new_app(appid),
        other => serialize::zval(other),
    }
    .map_err(no_memory)
}

/// Building a PHP value fails for sizes only that no answer of ours has.
pub fn no_memory(error: ZendError) -> Error {
    Error::value(format!("结果无法交给 PHP：{error}"), format!("the result cannot be handed to PHP: {error}"))
}
