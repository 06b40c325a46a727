//! A pushed message as frameworks hand it on: an array, a plain object, a text, or one of their own objects (EasyWeChat's
//! `Collection`), which `foreach` takes.

use std::borrow::Cow;

use ext_php_rs::convert::IntoZval;
use ext_php_rs::types::{ZendHashTable, Zval};

use super::callable::{Callable, Interrupted};
use super::iteration::Elements;
use super::value;
use crate::face::arguments::{Bound, too_deep};
use crate::face::key::Key;
use crate::message::Input;

/// The message; [`Input::Unusable`] if the value is none.
pub fn message(value: &Zval) -> Result<Input<'static>, Interrupted> {
    if let Some(text) = simple_xml(value)? {
        return Ok(text);
    }
    let mut left = Bound::EVENT.members;
    read(value, Bound::EVENT.levels, &mut left)
}

fn read(value: &Zval, levels: usize, left: &mut usize) -> Result<Input<'static>, Interrupted> {
    let value = value.dereference();
    let Some(mut elements) = Elements::of(value)? else {
        return Ok(value::message(value).into_owned());
    };
    if levels == 0 {
        return Ok(too_deep());
    }
    let mut members = Vec::new();
    while let Some((key, element)) = elements.next()? {
        if *left == 0 {
            return Ok(Input::Unusable(Cow::Borrowed("array with too many members")));
        }
        *left -= 1;
        let name = match key {
            Some(Key::Int(number)) => number.to_string().into_bytes(),
            Some(Key::Text(name)) => name,
            // No member of an array has such a name.
            None => continue,
        };
        members.push((Cow::Owned(name), read(&element, levels - 1, left)?));
    }
    Ok(Input::Map(members))
}

/// `foreach` over one does not tell elements from their text, so it is asked for its XML.
fn simple_xml(value: &Zval) -> Result<Option<Input<'static>>, Interrupted> {
    let is_xml = value.object().is_some_and(|object| {
        // By name: looking for the class could run an autoloader.
        object.get_class_name().is_ok_and(|class| class == "SimpleXMLElement")
    });
    if !is_xml {
        return Ok(None);
    }
    let mut pair = ZendHashTable::with_capacity(2);
    let method =
        pair.push(value.shallow_clone()).and_then(|()| pair.push("asXML")).and_then(|()| pair.into_zval(false));
    let Some(method) = method.ok().as_ref().and_then(Callable::of) else { return Ok(None) };
    let text = method.call(&mut [])?;
    Ok(text.zend_str().map(|text| Input::Text(Cow::Owned(text.as_bytes().to_vec()))))
}
