//! One call of a method, and PHP's rules for its arguments.

use std::borrow::Cow;
use std::rc::Rc;

use super::arguments::Arguments;
use super::methods::Method;
use super::request;
use crate::app::{App, TokenSupplier};
use crate::error::Error;
use crate::language::{Text, plain_text};
use crate::message::Input;

/// A running call.
pub struct Call<'a> {
    method: &'static Method,
    /// The account of the object, or `None` for the static methods.
    pub appid: Option<&'a str>,
    arguments: &'a dyn Arguments,
}

impl<'a> Call<'a> {
    /// A call of this method.
    pub fn new(method: &'static Method, appid: Option<&'a str>, arguments: &'a dyn Arguments) -> Self {
        Self { method, appid, arguments }
    }

    /// The account that the call is for.
    pub fn app(&self) -> Result<App, Error> {
        request::app(self.appid)
    }

    /// A text: strings as they are, ints in decimal, as ThinkPHP code passes ids. `None` for null or left out.
    pub fn text(&self, index: usize) -> Result<Option<Cow<'a, str>>, Error> {
        match self.arguments.take(index) {
            None | Some(Input::Null) => Ok(None),
            Some(Input::Int(number)) => Ok(Some(Cow::Owned(number.to_string()))),
            Some(Input::Text(bytes)) => match utf8(bytes) {
                Some(text) => Ok(Some(text)),
                None => Err(Error::value(
                    format!("{} 不是 UTF-8（是 GBK 吗？）", self.parameter(index)),
                    format!("{} must be UTF-8 (is it GBK?)", self.parameter(index)),
                )),
            },
            Some(other) => Err(self.type_error(index, &other)),
        }
    }

    /// The bytes of a string, as they are.
    pub fn bytes(&self, index: usize) -> Result<Cow<'a, [u8]>, Error> {
        match self.arguments.take(index) {
            Some(Input::Text(bytes)) => Ok(bytes),
            other => Err(self.type_error(index, &other.unwrap_or(Input::Null))),
        }
    }

    /// A text that must be there; it may be empty.
    pub fn required_text(&self, index: usize) -> Result<Cow<'a, str>, Error> {
        match self.text(index)? {
            Some(text) => Ok(text),
            None => Err(self.type_error(index, &Input::Null)),
        }
    }

    /// A flag; left out it is false.
    pub fn flag(&self, index: usize) -> Result<bool, Error> {
        match self.arguments.take(index) {
            None => Ok(false),
            Some(Input::Bool(flag)) => Ok(flag),
            Some(Input::Int(number)) => Ok(number != 0),
            Some(other) => Err(self.type_error(index, &other)),
        }
    }

    /// A whole number, also as digits; left out it is the given one.
    pub fn number(&self, index: usize, default: i64) -> Result<i64, Error> {
        match self.arguments.take(index) {
            None => Ok(default),
            Some(Input::Int(number)) => Ok(number),
            Some(Input::Text(bytes)) => {
                let digits = utf8(bytes).and_then(|text| text.trim().parse().ok());
                digits.ok_or_else(|| {
                    let parameter = self.parameter(index);
                    Error::value(format!("{parameter} 应为整数"), format!("{parameter} must be a whole number"))
                })
            }
            Some(other) => Err(self.type_error(index, &other)),
        }
    }

    /// An array; left out it is empty.
    pub fn array(&self, index: usize) -> Result<Input<'a>, Error> {
        match self.arguments.take(index) {
            None => Ok(Input::Map(Vec::new())),
            Some(value) if self.arguments.is_array(index) => Ok(value),
            // A plain object has become a map.
            Some(Input::Map(_)) => Err(self.type_error(index, &Input::Unusable("stdClass".into()))),
            Some(value) => Err(self.type_error(index, &value)),
        }
    }

    /// `data`: an array, a plain object, or the same as a JSON string.
    pub fn data(&self, index: usize) -> Result<Input<'a>, Error> {
        match self.arguments.take(index) {
            None => Ok(Input::Map(Vec::new())),
            Some(value @ (Input::Map(_) | Input::Text(_))) => Ok(value),
            Some(value) if self.arguments.is_array(index) => Ok(value),
            Some(value) => Err(self.type_error(index, &value)),
        }
    }

    /// As [`Self::data`], or a number.
    pub fn data_or_number(&self, index: usize) -> Result<Input<'a>, Error> {
        match self.arguments.take(index) {
            Some(value @ (Input::Map(_) | Input::Text(_) | Input::Int(_))) => Ok(value),
            Some(value) if self.arguments.is_array(index) => Ok(value),
            other => Err(self.type_error(index, &other.unwrap_or(Input::Null))),
        }
    }

    /// A pushed message: as `data`, or any object that `foreach` takes.
    pub fn event(&self, index: usize) -> Result<Input<'static>, Error> {
        match self.arguments.event(index)? {
            message @ (Input::Map(_) | Input::Text(_)) => Ok(message),
            other => Err(self.type_error(index, &other)),
        }
    }

    /// The callable that supplies the token, where the settings at this position hold one.
    pub fn supplier(&self, index: usize) -> Option<Rc<dyn TokenSupplier>> {
        self.arguments.supplier(index)
    }

    /// The argument at a position, which has been found to be of the wrong type.
    pub fn wrong_type(&self, index: usize) -> Error {
        self.type_error(index, &self.arguments.take(index).unwrap_or(Input::Null))
    }

    /// PHP's own wording.
    fn type_error(&self, index: usize, given: &Input<'_>) -> Error {
        let expected = self.method.parameters.get(index).map_or("", |parameter| parameter.expected);
        let words = format!("{} must be of type {expected}, {} given", self.parameter(index), given.type_name());
        Error::Type(Text::new(words.clone(), words))
    }

    fn parameter(&self, index: usize) -> String {
        let name = self.method.parameters.get(index).map_or("", |parameter| parameter.name);
        format!("RoutineTemplate::{}(): Argument #{} (${name})", self.method.name, index + 1)
    }
}

/// An `App` object that did not come from `RoutineTemplate::app()`.
pub fn no_account() -> Error {
    Error::config(
        "这个 RoutineTemplate\\App 没有账号，请用 RoutineTemplate::app($appid) 取得",
        "this RoutineTemplate\\App has no account; make it with RoutineTemplate::app($appid)",
    )
}

/// An option that should hold a callable holds something else.
pub fn not_callable(option: &str, given: &Input<'_>) -> Error {
    let kind = plain_text(given.type_name());
    Error::Type(Text::new(
        format!("选项 {option} 应为 callable，给出的是 {kind}"),
        format!("option {option} must be of type callable, {kind} given"),
    ))
}

fn utf8(bytes: Cow<'_, [u8]>) -> Option<Cow<'_, str>> {
    match bytes {
        Cow::Borrowed(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Cow::Owned(bytes) => String::from_utf8(bytes).ok().map(Cow::Owned),
    }
}
