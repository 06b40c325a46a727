//! One call from PHP: its arguments with PHP's own rules, its guard, its result.

use std::borrow::Cow;
use std::ffi::c_char;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ext_php_rs::ffi::zend_wrong_parameters_count_error;
use ext_php_rs::types::{ZendObject, Zval};
use ext_php_rs::zend::{ClassEntry, ExecuteData};

use super::iteration::Elements;
use super::methods::{METHODS, Method};
use super::{callable, exception};
use crate::error::Error;
use crate::language::Text;
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

/// A running call of one method of the table.
pub struct Call<'a> {
    frame: &'a ExecuteData,
    method: &'static Method,
    /// The account of the object, or `None` for the static methods.
    pub appid: Option<String>,
}

impl<'a> Call<'a> {
    /// The argument at a position, without PHP's references around it; `None` if it was left out.
    pub fn argument(&self, index: usize) -> Option<&'a Zval> {
        // SAFETY: the frame holds `num_args` values behind it, and they live as long as the call.
        let value = unsafe {
            if index >= self.frame.This.u2.num_args as usize {
                return None;
            }
            self.frame.zend_call_arg(index)
        };
        value.map(|value| value.dereference())
    }

    /// A text: strings as they are, ints in decimal, as ThinkPHP code passes ids. `None` for null or left out.
    pub fn text(&self, index: usize) -> Result<Option<Cow<'a, str>>, Error> {
        let Some(value) = self.argument(index) else { return Ok(None) };
        if value.is_null() {
            return Ok(None);
        }
        if let Some(number) = value.long() {
            return Ok(Some(Cow::Owned(number.to_string())));
        }
        match value.zend_str() {
            Some(bytes) => match std::str::from_utf8(bytes.as_bytes()) {
                Ok(text) => Ok(Some(Cow::Borrowed(text))),
                Err(_) => Err(Error::value(
                    format!("{} 不是 UTF-8（是 GBK 吗？）", self.parameter(index)),
                    format!("{} must be UTF-8 (is it GBK?)", self.parameter(index)),
                )),
            },
            None => Err(self.type_error(index, value)),
        }
    }

    /// The bytes of a string, as they are.
    pub fn bytes(&self, index: usize) -> Result<&'a [u8], Error> {
        let null = Zval::null();
        let value = self.argument(index);
        match value.and_then(|value| value.zend_str()) {
            Some(text) => Ok(text.as_bytes()),
            None => Err(self.type_error(index, value.unwrap_or(&null))),
        }
    }

    /// A text that must be there; it may be empty.
    pub fn required_text(&self, index: usize) -> Result<Cow<'a, str>, Error> {
        match self.text(index)? {
            Some(text) => Ok(text),
            None => Err(self.type_error(index, &Zval::null())),
        }
    }

    /// A flag; left out it is false.
    pub fn flag(&self, index: usize) -> Result<bool, Error> {
        let Some(value) = self.argument(index) else { return Ok(false) };
        match (value.bool(), value.long()) {
            (Some(flag), _) => Ok(flag),
            (None, Some(number)) => Ok(number != 0),
            (None, None) => Err(self.type_error(index, value)),
        }
    }

    /// A whole number, also as digits; left out it is the given one.
    pub fn number(&self, index: usize, default: i64) -> Result<i64, Error> {
        let Some(value) = self.argument(index) else { return Ok(default) };
        if let Some(number) = value.long() {
            return Ok(number);
        }
        let Some(text) = value.zend_str() else { return Err(self.type_error(index, value)) };
        let digits = std::str::from_utf8(text.as_bytes()).ok().and_then(|text| text.trim().parse().ok());
        digits.ok_or_else(|| {
            let parameter = self.parameter(index);
            Error::value(format!("{parameter} 应为整数"), format!("{parameter} must be a whole number"))
        })
    }

    /// An array; left out it is empty.
    pub fn array(&self, index: usize) -> Result<Input<'a>, Error> {
        match self.argument(index) {
            None => Ok(Input::Map(Vec::new())),
            Some(value) if value.is_array() => Ok(super::value::input(value)),
            Some(value) => Err(self.type_error(index, value)),
        }
    }

    /// An array, or an object that `foreach` takes.
    pub fn iterable(&self, index: usize) -> Result<Elements<'a>, Error> {
        let null = Zval::null();
        let value = self.argument(index);
        match value.map(Elements::of).transpose().map_err(callable::Interrupted::into_error)?.flatten() {
            Some(elements) => Ok(elements),
            None => Err(self.type_error(index, value.unwrap_or(&null))),
        }
    }

    /// `data`: an array, a plain object, or the same as a JSON string.
    pub fn data(&self, index: usize) -> Result<Input<'a>, Error> {
        match self.argument(index) {
            None => Ok(Input::Map(Vec::new())),
            Some(value) if value.is_array() || value.is_string() => Ok(super::value::input(value)),
            Some(value) => match super::value::input(value) {
                map @ Input::Map(_) => Ok(map),
                _ => Err(self.type_error(index, value)),
            },
        }
    }

    /// A pushed message: as `data`, or any object that `foreach` takes.
    pub fn event(&self, index: usize) -> Result<Input<'static>, Error> {
        let null = Zval::null();
        let value = self.argument(index).unwrap_or(&null);
        match super::event::message(value).map_err(callable::Interrupted::into_error)? {
            message @ (Input::Map(_) | Input::Text(_)) => Ok(message),
            _ => Err(self.type_error(index, value)),
        }
    }

    fn parameter(&self, index: usize) -> String {
        let name = self.method.parameters.get(index).map_or("", |parameter| parameter.name);
        format!("RoutineTemplate::{}(): Argument #{} (${name})", self.method.name, index + 1)
    }

    /// PHP's own wording.
    fn type_error(&self, index: usize, value: &Zval) -> Error {
        let expected = self.method.parameters.get(index).map_or("", |parameter| parameter.expected);
        let input = super::value::input(value);
        let words = format!("{} must be of type {expected}, {} given", self.parameter(index), input.type_name());
        Error::Type(Text::new(words.clone(), words))
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
    let required = method.parameters.iter().filter(|parameter| parameter.default.is_none()).count();
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
                return exception::throw(&Error::config(
                    "这个 RoutineTemplate\\App 没有账号，请用 RoutineTemplate::app($appid) 取得",
                    "this RoutineTemplate\\App has no account; make it with RoutineTemplate::app($appid)",
                ));
            }
        },
    };
    let call = Call { frame, method, appid };
    match catch_unwind(AssertUnwindSafe(|| (method.body)(&call))) {
        Ok(Ok(value)) => *returned = value,
        Ok(Err(error)) => exception::throw(&error),
        // The panic's own text may hold anything; where it happened is enough to report it.
        Err(_) => {
            exception::throw_internal(format!("internal error in RoutineTemplate::{}(), please report it", method.name))
        }
    }
}
