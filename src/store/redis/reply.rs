//! Reading what scripts answer: arrays of strings.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use redis::Value;

use super::fault::unreadable;
use crate::store::StoreError;

/// The items of an array, taken one after another.
pub struct Items {
    items: std::vec::IntoIter<Value>,
    what: &'static str,
}

impl Items {
    /// Of an array; nothing counts as an empty one. `what` names it in errors.
    pub fn new(value: Value, what: &'static str) -> Result<Self, StoreError> {
        match value {
            Value::Array(items) => Ok(Self { items: items.into_iter(), what }),
            Value::Nil => Ok(Self { items: Vec::new().into_iter(), what }),
            _ => Err(unreadable(what)),
        }
    }

    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.items.len() == 0
    }

    /// The next one as it is.
    pub fn value(&mut self) -> Result<Value, StoreError> {
        self.items.next().ok_or_else(|| unreadable(self.what))
    }

    /// The next one as text.
    pub fn text(&mut self) -> Result<String, StoreError> {
        let what = self.what;
        match self.value()? {
            Value::BulkString(bytes) => String::from_utf8(bytes).map_err(|_| unreadable(what)),
            Value::SimpleString(text) => Ok(text),
            Value::Int(number) => Ok(number.to_string()),
            _ => Err(unreadable(what)),
        }
    }

    /// The next one as it was stored.
    pub fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        match self.value()? {
            Value::BulkString(bytes) => Ok(bytes),
            _ => Err(unreadable(self.what)),
        }
    }

    /// The next one if it may be missing: empty, or `=` and the value.
    pub fn optional(&mut self) -> Result<Option<String>, StoreError> {
        let mut text = self.text()?;
        if text.is_empty() {
            return Ok(None);
        }
        text.remove(0);
        Ok(Some(text))
    }

    /// The next one as something that is written as text.
    pub fn parse<T: FromStr>(&mut self) -> Result<T, StoreError> {
        self.text()?.parse().map_err(|_| unreadable(self.what))
    }

    /// The next one as a time in milliseconds.
    pub fn duration(&mut self) -> Result<Duration, StoreError> {
        self.parse().map(Duration::from_millis)
    }
}

/// Names and values.
pub struct Fields {
    fields: HashMap<String, String>,
    what: &'static str,
}

impl Fields {
    /// Of an array of names and values in turn.
    pub fn new(value: Value, what: &'static str) -> Result<Self, StoreError> {
        let mut items = Items::new(value, what)?;
        let mut fields = HashMap::with_capacity(24);
        while !items.is_empty() {
            fields.insert(items.text()?, items.text()?);
        }
        Ok(Self { fields, what })
    }

    /// A value that may be missing.
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.fields.remove(name)
    }

    /// A value that must be there.
    pub fn require(&mut self, name: &str) -> Result<String, StoreError> {
        self.take(name).ok_or_else(|| unreadable(self.what))
    }

    /// The same, read as something that is written as text.
    pub fn parse<T: FromStr>(&mut self, name: &str) -> Result<T, StoreError> {
        self.require(name)?.parse().map_err(|_| unreadable(self.what))
    }

    /// The same of a value that may be missing.
    pub fn parse_optional<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, StoreError> {
        self.take(name).map(|text| text.parse().map_err(|_| unreadable(self.what))).transpose()
    }
}
