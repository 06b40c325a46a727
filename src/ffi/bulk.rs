//! `sendMany()`: its messages and callables are on the PHP side, which is asked for them.

use std::fmt;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::answer::{self, EndedRow, Thrown};
use super::given::BulkText;
use super::question::{self, Question};
use super::{json_input, settings, tagged};
use crate::app::{BulkOptions, Caller, Ended};
use crate::error::Error;
use crate::face::arguments::Bound;
use crate::face::call::{Call, not_callable};
use crate::face::ctrl_c::CtrlC;
use crate::face::key::Key;
use crate::face::returned::{AnswerRow, Counts};
use crate::language::Language;
use crate::message::Input;

/// How long PHP waits for its turn at most, to run signal handlers and to see `max_execution_time`.
const TURN: Duration = Duration::from_millis(20);
/// How many answers wait for the next question at most.
const ENDED_LIMIT: usize = 256;

/// The body of the method.
pub fn send_many(call: &Call<'_>, bulk: Option<BulkText>) -> Vec<u8> {
    let mut ended = Vec::new();
    let result = sent(call, bulk, &mut ended);
    answer::with_ended(result.as_ref(), ended)
}

fn sent(call: &Call<'_>, bulk: Option<BulkText>, ended: &mut Vec<EndedRow>) -> Result<Counts, Error> {
    let options = call.array(1)?;
    let wrong = ["each", "progress"].into_iter().find_map(|name| given(&options, name));
    let options = BulkOptions::read(options)?;
    if let Some(error) = wrong {
        return Err(error);
    }
    let app = call.app()?;
    let bulk = bulk.ok_or_else(|| call.wrong_type(0))?;
    let mut caller = Application {
        bulk,
        position: 0,
        ended: std::mem::take(ended),
        asked: Instant::now(),
        hints: app.settings().hint_lang,
        ctrl_c: CtrlC::watch(settings::is_command_line()),
    };
    let result = app.send_many(&options, &mut caller).map(Counts::from);
    let Application { ended: left, ctrl_c, .. } = caller;
    *ended = left;
    ctrl_c.end();
    result
}

/// A callable has been taken out on the PHP side; what is still there is none.
fn given(options: &Input<'_>, name: &str) -> Option<Error> {
    options.get(name).filter(|value| **value != Input::Null).map(|value| not_callable(name, value))
}

struct Application {
    bulk: BulkText,
    position: u64,
    /// What the next question takes along.
    ended: Vec<EndedRow>,
    asked: Instant,
    hints: Language,
    ctrl_c: CtrlC,
}

/// A message's place among all, and its own key.
struct Place {
    position: u64,
    key: Option<Key>,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => key.fmt(formatter),
            None => self.position.fmt(formatter),
        }
    }
}

/// The reply to [`Question::Next`].
#[derive(Deserialize)]
struct NextText<'a> {
    /// Tagged; `null` where it cannot be one of an array.
    key: Value,
    #[serde(borrow)]
    message: &'a RawValue,
    #[serde(default)]
    tagged: bool,
}

impl NextText<'_> {
    fn key(&self) -> Option<Key> {
        match tagged::input(&self.key, Bound::MESSAGE) {
            Input::Int(number) => Some(Key::Int(number)),
            Input::Text(bytes) => Some(Key::Text(bytes.into_owned())),
            _ => None,
        }
    }

    fn message(&self) -> Result<Input<'_>, serde_json::Error> {
        if self.tagged {
            let value: Value = serde_json::from_str(self.message.get())?;
            return Ok(tagged::input(&value, Bound::MESSAGE));
        }
        json_input::read(self.message.get(), Bound::MESSAGE)
    }
}

impl Application {
    fn ask(&mut self, question: impl FnOnce(Vec<EndedRow>) -> Question) -> Result<Vec<u8>, Error> {
        let reply = question::ask(question(std::mem::take(&mut self.ended)));
        self.asked = Instant::now();
        reply
    }
}

impl Caller for Application {
    type Key = Place;

    fn next(&mut self, take: &mut dyn FnMut(Place, Input<'_>)) -> Result<bool, Error> {
        let reply = self.ask(|ended| Question::Next { ended })?;
        let next: Option<NextText<'_>> = serde_json::from_slice(&reply).map_err(unreadable)?;
        let Some(next) = next else { return Ok(false) };
        let place = Place { position: self.position, key: next.key() };
        self.position += 1;
        take(place, next.message().map_err(unreadable)?);
        Ok(true)
    }

    fn ended(&mut self, place: Place, ended: Ended) -> Result<(), Error> {
        let (answer, error) = AnswerRow::of_bulk(ended, self.hints);
        self.ended.push(EndedRow { position: place.position, answer, exception: error.as_ref().map(Thrown::of) });
        if self.bulk.each || self.ended.len() >= ENDED_LIMIT {
            self.ask(|ended| Question::Check { ended })?;
        }
        Ok(())
    }

    fn progressed(&mut self, done: u64) -> Result<(), Error> {
        if self.bulk.progress {
            self.ask(|ended| Question::Progress { ended, done })?;
        }
        Ok(())
    }

    fn check(&mut self) -> Result<(), Error> {
        self.ctrl_c.check()?;
        if self.asked.elapsed() >= TURN {
            self.ask(|ended| Question::Check { ended })?;
        }
        Ok(())
    }
}

#[allow(clippy::needless_pass_by_value)] // for `map_err`
fn unreadable(error: serde_json::Error) -> Error {
    Error::config(
        format!("routine_template_resume：不是所要求的 JSON（{error}）"),
        format!("routine_template_resume: not the JSON that is expected ({error})"),
    )
}
