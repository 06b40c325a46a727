//! `sendMany()`: messages from an `iterable`, answers into an array or to a callable.

use std::fmt;

use ext_php_rs::boxed::ZBox;
use ext_php_rs::convert::IntoZval;
use ext_php_rs::ffi::{zend_hash_index_update, zend_hash_str_update};
use ext_php_rs::types::{ZendHashTable, Zval};

use super::call::Call;
use super::callable::{Callable, Interrupted, guarded, is_interrupted};
use super::ctrl_c::CtrlC;
use super::iteration::{Elements, Key};
use super::owned::{Owned, release};
use super::{interrupt, request, value};
use crate::app::{BulkOptions, Caller, Ended, Summary};
use crate::error::Error;
use crate::language::{Language, Text, plain_text};
use crate::message::Input;

/// The body of the method.
pub fn send_many(call: &Call<'_>) -> Result<Zval, Error> {
    let options = BulkOptions::read(call.array(1)?)?;
    let (each, progress) = (callable(call, "each")?, callable(call, "progress")?);
    let app = request::app(call.appid.as_deref())?;
    let messages = call.iterable(0)?;
    let total = match &messages {
        Elements::Array(_) => call.argument(0).and_then(Zval::array).map(ZendHashTable::len),
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
        ctrl_c: CtrlC::watch(),
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
        None => counts(&summary).and_then(|counts| counts.into_zval(false)),
    });
    returned.map_err(Interrupted::into_error)?.map_err(super::methods::no_memory)
}

fn counts(summary: &Summary) -> ext_php_rs::error::Result<ZBox<ZendHashTable>> {
    let rows = [
        ("total", summary.total),
        ("delivered", summary.delivered),
        ("refused", summary.refused),
        ("unknown", summary.unknown),
        ("not_sent", summary.not_sent),
    ];
    let mut array = ZendHashTable::with_capacity(8);
    for (name, count) in rows {
        array.insert(name, i64::try_from(count).unwrap_or(i64::MAX))?;
    }
    Ok(array)
}

/// The callable in one of the options.
fn callable(call: &Call<'_>, option: &str) -> Result<Option<Callable>, Error> {
    let given = call.argument(1).and_then(Zval::array).and_then(|options| options.get(option));
    let Some(given) = given.map(Zval::dereference).filter(|given| !given.is_null()) else {
        return Ok(None);
    };
    match Callable::of(given) {
        Some(callable) => Ok(Some(callable)),
        None => {
            let input = value::input(given);
            let kind = plain_text(input.type_name());
            Err(Error::Type(Text::new(
                format!("选项 {option} 应为 callable，给出的是 {kind}"),
                format!("option {option} must be of type callable, {kind} given"),
            )))
        }
    }
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
        let answer = guarded(|| value::bulk_answer(&ended, hints)).map_err(Interrupted::into_error)?;
        let answer = Owned::from(answer.map_err(super::methods::no_memory)?);
        let taken = match &self.each {
            Some(each) => each.call(&mut [answer, place.shown().value().into()]).map(drop),
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
        if let Some(signal) = self.ctrl_c.caught() {
            let text = Text::new(
                format!("sendMany() 被信号 {signal} 中断"),
                format!("sendMany() was ended by signal {signal}"),
            );
            return Err(Error::Refused { text, code: 0 });
        }
        interrupt::honour().map_err(Interrupted::into_error)
    }
}
