//! An `iterable` of PHP, element by element: an array, or anything that `foreach` takes.

use ext_php_rs::ffi::{ZEND_RESULT_CODE_SUCCESS, zend_object_iterator};
use ext_php_rs::types::{ZendStr, Zval};
use ext_php_rs::zend::ce;

use super::callable::{Interrupted, guarded, is_ending, is_interrupted};
use super::owned::Owned;
use crate::face::key::Key;

unsafe extern "C" {
    fn zend_iterator_dtor(iterator: *mut zend_object_iterator);
}

/// The key in a value; `None` where it cannot be one of an array.
fn key_in(value: &Zval) -> Option<Key> {
    match (value.zend_str(), value.long()) {
        (Some(text), _) => Some(Key::Text(text.as_bytes().to_vec())),
        (None, number) => number.map(Key::Int),
    }
}

/// A key as PHP has it.
pub fn key_value(key: &Key) -> Zval {
    let mut value = Zval::new();
    match key {
        Key::Int(number) => value.set_long(*number),
        Key::Text(bytes) => value.set_zend_string(ZendStr::new(bytes, false)),
    }
    value
}

/// Where the elements come from. Each is asked for when it is wanted, never before.
pub enum Elements<'a> {
    /// The array of the call, which lives as long as that does.
    Array(ext_php_rs::types::array::Iter<'a>),
    /// Code of the application, most often.
    Iterator(Iterator),
}

impl<'a> Elements<'a> {
    /// Those of a value; `Ok(None)` if it has none.
    pub fn of(value: &'a Zval) -> Result<Option<Self>, Interrupted> {
        if let Some(array) = value.array() {
            return Ok(Some(Self::Array(array.iter())));
        }
        let traversable = value.object().is_some_and(|object| object.instance_of(ce::traversable()));
        if traversable { Iterator::of(value).map(|iterator| Some(Self::Iterator(iterator))) } else { Ok(None) }
    }

    /// The next one. The key is `None` where it cannot be one of an array.
    pub fn next(&mut self) -> Result<Option<(Option<Key>, Owned)>, Interrupted> {
        match self {
            Self::Array(array) => {
                Ok(array.next_zval().map(|(key, value)| (key_in(&key), value.shallow_clone().into())))
            }
            Self::Iterator(iterator) => {
                Ok(iterator.next()?.map(|(key, value)| (key.as_ref().and_then(|key| key_in(key)), value)))
            }
        }
    }
}

/// The engine's own iterator over an object.
pub struct Iterator {
    iterator: *mut zend_object_iterator,
    begun: bool,
    // What is iterated over must live as long.
    _object: Owned,
}

impl Iterator {
    fn of(value: &Zval) -> Result<Self, Interrupted> {
        let mut object = Owned::from(value.shallow_clone());
        let place = &raw mut *object;
        // SAFETY: the value holds an object, and lives across the call, which may run `getIterator()` of the application.
        let iterator = guarded(move || unsafe {
            let class = (*place).object().map(|object| std::ptr::from_ref(object.get_class_entry()));
            match class.and_then(|class| Some((class, (*class).get_iterator?))) {
                Some((class, get_iterator)) => get_iterator(class.cast_mut(), place, 0),
                None => std::ptr::null_mut(),
            }
        })?;
        if iterator.is_null() { Err(Interrupted) } else { Ok(Self { iterator, begun: false, _object: object }) }
    }

    /// As `foreach` does it, but the iterator goes on only when the next element is wanted.
    fn next(&mut self) -> Result<Option<(Option<Owned>, Owned)>, Interrupted> {
        let (iterator, begun) = (self.iterator, std::mem::replace(&mut self.begun, true));
        // SAFETY: the iterator is live until it is released in `drop`. Its functions may run the application's code; after each the
        // pending exception is looked at, as they may return nothing then.
        guarded(move || unsafe {
            let functions = (*iterator).funcs.as_ref()?;
            if begun {
                functions.move_forward?(iterator);
            } else if let Some(rewind) = functions.rewind {
                rewind(iterator);
            }
            if is_interrupted() || functions.valid?(iterator) != ZEND_RESULT_CODE_SUCCESS || is_interrupted() {
                return None;
            }
            let value = Owned::from(functions.get_current_data?(iterator).as_ref()?.dereference().shallow_clone());
            let key = functions.get_current_key.filter(|_| !is_interrupted()).map(|get_current_key| {
                let mut key = Owned::default();
                get_current_key(iterator, &raw mut *key);
                key
            });
            Some((key, value))
        })
    }
}

impl Drop for Iterator {
    fn drop(&mut self) {
        if is_ending() {
            // After a fatal error no code of the application runs any more; the request's memory goes as a whole.
            return;
        }
        let iterator = self.iterator;
        // SAFETY: released once. A generator that is not at its end runs its `finally` here; what comes of that goes on at the edge.
        let _ = guarded(move || unsafe { zend_iterator_dtor(iterator) });
    }
}
