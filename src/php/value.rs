//! PHP values to [`Input`].

use std::borrow::Cow;

use ext_php_rs::types::{ZendHashTable, Zval};
use ext_php_rs::zend::ce;

use crate::face::arguments::{Bound, too_deep, too_many};
use crate::message::Input;

/// A PHP value as the core takes it. Strings are borrowed; what no message can hold keeps its type's name.
pub fn input(value: &Zval) -> Input<'_> {
    within(value, Bound::ARGUMENT)
}

/// A whole message, which has `data` one level below.
pub fn message(value: &Zval) -> Input<'_> {
    within(value, Bound::MESSAGE)
}

fn within(value: &Zval, bound: Bound) -> Input<'_> {
    let value = value.dereference();
    if let Some(text) = value.zend_str() {
        return Input::Text(Cow::Borrowed(text.as_bytes()));
    }
    if let Some(number) = value.long() {
        return Input::Int(number);
    }
    if let Some(number) = value.double() {
        return Input::Float(number);
    }
    if let Some(flag) = value.bool() {
        return Input::Bool(flag);
    }
    if value.is_null() {
        return Input::Null;
    }
    if let Some(members) = value.array() {
        return map(members, bound);
    }
    if let Some(object) = value.object() {
        // Only a plain object: asking any other for its properties may run PHP code.
        if std::ptr::eq(object.get_class_entry(), ce::stdclass())
            && let Ok(members) = object.get_properties()
        {
            return map(members, bound);
        }
        return Input::object(&object.get_class_name().unwrap_or_default());
    }
    if value.is_resource() {
        return Input::Unusable(Cow::Borrowed("resource"));
    }
    Input::Null
}

fn map(members: &ZendHashTable, bound: Bound) -> Input<'_> {
    if bound.levels == 0 {
        return too_deep();
    }
    if members.len() > bound.members {
        return too_many(members.len());
    }
    let mut read = Vec::with_capacity(members.len());
    // `next_zval` is the one iterator that takes keys which are not UTF-8.
    let mut iterator = members.iter();
    while let Some((key, value)) = iterator.next_zval() {
        let key = match (key.zend_str(), key.long()) {
            (Some(text), _) => text.as_bytes().to_vec(),
            (None, Some(number)) => number.to_string().into_bytes(),
            (None, None) => continue,
        };
        read.push((Cow::Owned(key), within(value, bound.below())));
    }
    Input::Map(read)
}
