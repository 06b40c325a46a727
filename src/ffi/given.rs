//! The arguments of a call, read from its text.

use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::json_input::Within;
use super::supplier;
use super::tagged;
use crate::app::TokenSupplier;
use crate::error::Error;
use crate::face::arguments::{Arguments, Bound};
use crate::message::Input;

/// The text of a call.
#[derive(Debug, Deserialize)]
pub struct CallText<'a> {
    /// The method's name.
    #[serde(borrow)]
    pub method: Cow<'a, str>,
    /// The account of an `App` object.
    #[serde(borrow, default)]
    pub appid: Option<Cow<'a, str>>,
    /// The arguments.
    #[serde(borrow)]
    arguments: &'a RawValue,
    /// Whether they are tagged.
    #[serde(default)]
    tagged: bool,
    /// The caller's own number for it, if it asks.
    #[serde(default)]
    pub call: Option<u64>,
    /// What `sendMany()` is to know of its messages, which the PHP side keeps.
    #[serde(default)]
    pub bulk: Option<BulkText>,
}

/// See [`CallText::bulk`].
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct BulkText {
    /// Whether a callable takes the answers.
    pub each: bool,
    /// Whether one wants to know how far it is.
    pub progress: bool,
}

struct Argument<'a> {
    value: Cell<Option<Input<'a>>>,
    is_array: bool,
    supplier: Option<u64>,
}

/// The arguments.
pub struct Given<'a>(Vec<Argument<'a>>);

impl<'a> Given<'a> {
    /// Those of a call.
    pub fn read(call: &CallText<'a>) -> Result<Self, serde_json::Error> {
        // The PHP side has made plain arrays of whatever `foreach` takes.
        let bound = if call.method == "recordEvent" { Bound::EVENT } else { Bound::ARGUMENT };
        if !call.tagged {
            let mut reader = serde_json::Deserializer::from_str(call.arguments.get());
            return reader.deserialize_seq(Plain(bound)).map(Self);
        }
        let values: Vec<Value> = serde_json::from_str(call.arguments.get())?;
        let argument = |value: &Value| Argument {
            is_array: tagged::is_array(value),
            supplier: tagged::callable(value, "token"),
            value: Cell::new(Some(tagged::input(value, bound))),
        };
        Ok(Self(values.iter().map(argument).collect()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl Arguments for Given<'_> {
    fn take(&self, index: usize) -> Option<Input<'_>> {
        self.0.get(index)?.value.take()
    }

    fn is_array(&self, index: usize) -> bool {
        self.0.get(index).is_some_and(|argument| argument.is_array)
    }

    fn event(&self, index: usize) -> Result<Input<'static>, Error> {
        Ok(self.take(index).unwrap_or(Input::Null).into_owned())
    }

    fn supplier(&self, index: usize) -> Option<Rc<dyn TokenSupplier>> {
        supplier::of(self.0.get(index)?.supplier?)
    }
}

struct Plain(Bound);

impl<'de> Visitor<'de> for Plain {
    type Value = Vec<Argument<'de>>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a list of arguments")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut arguments = Vec::with_capacity(6);
        while let Some(value) = items.next_element_seed(Within(self.0))? {
            // Objects are tagged, so what has members is an array; so is one that is too large.
            let is_array = matches!(value, Input::Map(_) | Input::Unusable(_));
            arguments.push(Argument { value: Cell::new(Some(value)), is_array, supplier: None });
        }
        Ok(arguments)
    }
}
