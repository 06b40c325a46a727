//! `sendMany()`: messages from an `iterable`, answers into an array or to a callable.

use std::ffi::CStr;
use std::fmt;

use ext_php_rs::boxed::ZBox;
use ext_php_rs::convert::IntoZval;
use ext_php_rs::error::Result as ZendResult;
use ext_php_rs::ffi::{sapi_module, zend_hash_index_update, zend_hash_str_update};
use ext_php_rs::types::{ZendHashTable, Zval};

use super::call::{Given, no_memory};
use super::callable::{Callable, Interrupted, guarded, is_interrupted};
use super::iteration::{Elements, key_value};
use super::owned::{Owned, release};
use super::{exception, interrupt, serialize, value};
use crate::app::{BulkOptions, Caller, Ended};
use crate::error::Error;
use crate::face::call::{Call, not_callable};
use crate::face::ctrl_c::CtrlC;
use crate::face::key::Key;
use crate::face::returned::{AnswerRow, Counts};
use crate::language::Language;
use crate::message::Input;

/// The body of the method.
pub fn send_many(call: &Call<'_>, given: &Given<'_>) -> Result<Zval, Error> {
    let options = BulkOptions::read(call.array(1)?)?;
    let (each, progress) = (callable(given, "each")?, callable(given, "progress")?);
    let app = call.app()?;
    let messages = iterable(call, given)?;
    let total = match &messages {
        Elements::Array(_) => given.zval(0).and_then(Zval::array).map(ZendHashTable::len),
        Elements::Iterator(_) => None,
    };
    let mut caller = Application {
        by_key: matches!(messages, Elements::Array(_)),
        messages,
        position: 0,
        answers: each.is_none().then(ZendHashTable::new),
        each,
        progress,
        total: total.and_then(|total| i64::try_from(total).ok()),
        hints: app.settings().hint_lang,
        ctrl_c: CtrlC::watch(is_command_line()),
    };
    let result = app.send_many(&options, &mut caller);
    let Application { answers, ctrl_c, messages, each, progress, .. } = caller;
    // Before the signal: a generator's `finally`, or a destructor, may have something to say about it.
    drop((messages, each, progress));
    let summary = match result {
        Ok(summary) => summary,
        Err(error) => {
            release(answers);
            ctrl_c.end();
            return Err(error);
        }
    };
    ctrl_c.end();
    let returned = guarded(|| match answers {
        Some(answers) => answers.into_zval(false),
        None => serialize::zval(&Counts::from(summary)),
    });
    returned.map_err(Interrupted::into_error)?.map_err(no_memory)
}

/// The messages: an array, or an object that `foreach` takes.
fn iterable<'a>(call: &Call<'_>, given: &Given<'a>) -> Result<Elements<'a>, Error> {
    let value = given.zval(0);
    match value.map(Elements::of).transpose().map_err(Interrupted::into_error)?.flatten() {
        Some(elements) => Ok(elements),
        None => Err(call.wrong_type(0)),
    }
}

fn is_command_line() -> bool {
    // SAFETY: the name is a literal of the SAPI, set before any module is loaded.
    unsafe {
        let name = sapi_module.name;
        !name.is_null() && CStr::from_ptr(name) == c"cli"
    }
}

/// The callable in one of the options.
fn callable(given: &Given<'_>, option: &str) -> Result<Option<Callable>, Error> {
    let given = given.zval(1).and_then(Zval::array).and_then(|options| options.get(option));
    let Some(given) = given.map(Zval::dereference).filter(|given| !given.is_null()) else {
        return Ok(None);
    };
    match Callable::of(given) {
        Some(callable) => Ok(Some(callable)),
        None => Err(not_callable(option, &value::input(given))),
    }
}

/// The array for one message, with `exception` where there is no verdict.
fn answer_of(ended: Ended, hints: Language) -> ZendResult<Zval> {
    let (row, error) = AnswerRow::of_bulk(ended, hints);
    let mut answer = serialize::zval(&row)?;
    let exception = error.as_ref().map(exception::object).transpose()?;
    if let Some(members) = answer.array_mut() {
        members.insert("exception", exception)?;
    }
    Ok(answer)
}

/// What the application's code has left behind, a destructor as well.
fn pending() -> Result<(), Error> {
    if is_interrupted() { Err(Interrupted.into_error()) } else { Ok(()) }
}

struct Application<'a> {
    messages: Elements<'a>,
    /// Whether the answers have the keys of the messages: an array's are unique, a generator's need not be.
    by_key: bool,
    position: i64,
    /// `None` where `each` takes them.
    answers: Option<ZBox<ZendHashTable>>,
    each: Option<Callable>,
    progress: Option<Callable>,
    total: Option<i64>,
    hints: Language,
    ctrl_c: CtrlC,
}

/// A message's place among all, and its own key.
struct Place {
    position: i64,
    key: Option<Key>,
}

impl Place {
    /// As error texts and `each` have it.
    fn shown(&self) -> Key {
        self.key.clone().unwrap_or(Key::Int(self.position))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown().fmt(formatter)
    }
}

impl Application<'_> {
    /// Writes into the array of answers. The first writing of a place gives it its order.
    fn put(&mut self, place: &Place, answer: Owned) -> Result<(), Interrupted> {
        let Some(answers) = &mut self.answers else { return Ok(()) };
        let mut answer = answer.into_inner();
        let table: *mut ZendHashTable = &raw mut **answers;
        let value = &raw mut answer;
        let key = place.key.as_ref().filter(|_| self.by_key);
        // SAFETY: table and value are live; the table takes over what the value holds, which is forgotten below.
        let written = guarded(move || unsafe {
            match key {
                Some(Key::Text(bytes)) => zend_hash_str_update(table, bytes.as_ptr().cast(), bytes.len(), value),
                Some(Key::Int(number)) => zend_hash_index_update(table, number.cast_unsigned(), value),
                None => zend_hash_index_update(table, place.position.cast_unsigned(), value),
            };
        });
        std::mem::forget(answer);
        written
    }
}

impl Caller for Application<'_> {
    type Key = Place;

    fn next(&mut self, take: &mut dyn FnMut(Place, Input<'_>)) -> Result<bool, Error> {
        let Some((key, message)) = self.messages.next().map_err(Interrupted::into_error)? else {
            return Ok(false);
        };
        let place = Place { position: self.position, key };
        self.position += 1;
        self.put(&place, Owned::default()).map_err(Interrupted::into_error)?;
        take(place, value::message(&message));
        drop(message);
        pending().map(|()| true)
    }

    fn ended(&mut self, place: Place, ended: Ended) -> Result<(), Error> {
        let hints = self.hints;
        let answer = guarded(|| answer_of(ended, hints)).map_err(Interrupted::into_error)?;
        let answer = Owned::from(answer.map_err(no_memory)?);
        let taken = match &self.each {
            Some(each) => each.call(&mut [answer, key_value(&place.shown()).into()]).map(drop),
            None => self.put(&place, answer),
        };
        taken.map_err(Interrupted::into_error)?;
        pending()
    }

    fn progressed(&mut self, done: u64) -> Result<(), Error> {
        let Some(progress) = &self.progress else { return Ok(()) };
        let (mut count, mut total) = (Zval::new(), Zval::null());
        count.set_long(i64::try_from(done).unwrap_or(i64::MAX));
        if let Some(number) = self.total {
            total.set_long(number);
        }
        progress.call(&mut [count.into(), total.into()]).map(drop).map_err(Interrupted::into_error)?;
        pending()
    }

    fn check(&mut self) -> Result<(), Error> {
        pending()?;
        self.ctrl_c.check()?;
        interrupt::honour().map_err(Interrupted::into_error)
    }
}
