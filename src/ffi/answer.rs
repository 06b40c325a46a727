//! Answers on their way out: one JSON text each.

use std::cell::RefCell;

use serde::Serialize;

use super::question::Question;
use super::supplier;
use crate::error::Error;
use crate::face::request;
use crate::face::returned::AnswerRow;
use crate::face::thrown::{Class, code};

/// How many answers are kept at most: one, and those of signal handlers that have broken in before it was read.
const KEPT: usize = 16;

thread_local! {
    // By where their lengths went.
    static ANSWERS: RefCell<Vec<(usize, Vec<u8>)>> = const { RefCell::new(Vec::new()) };
}

/// An exception for PHP to throw.
#[derive(Debug, Serialize)]
pub struct Thrown {
    class: &'static str,
    message: String,
    code: i64,
    ambiguous: bool,
}

impl Thrown {
    /// The one that an error becomes.
    pub fn of(error: &Error) -> Self {
        let class = match Class::of(error) {
            Class::Config => "RoutineTemplate\\ConfigException",
            Class::Refused => "RoutineTemplate\\RefusedException",
            Class::Transport => "RoutineTemplate\\TransportException",
            Class::Store => "RoutineTemplate\\StoreException",
            Class::Value => "ValueError",
            Class::Type => "TypeError",
        };
        Self {
            class,
            message: error.message(request::language()).replace('\0', " "),
            code: code(error),
            ambiguous: matches!(error, Error::Transport { ambiguous: true, .. }),
        }
    }
}

/// How a message of a bulk ended.
#[derive(Debug, Serialize)]
pub struct EndedRow {
    /// Its place among the messages, from 0.
    pub position: u64,
    /// Its answer.
    pub answer: AnswerRow,
    /// Why there is no verdict.
    pub exception: Option<Thrown>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Result<'a, V: Serialize> {
    Value(&'a V),
    Error(Thrown),
}

#[derive(Serialize)]
struct Whole<'a, V: Serialize> {
    #[serde(flatten)]
    result: Result<'a, V>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ended: Vec<EndedRow>,
    /// Callables that nothing asks any more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    released: Vec<u64>,
}

#[derive(Serialize)]
struct Asked<'a> {
    call: u64,
    #[serde(flatten)]
    question: &'a Question,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    released: Vec<u64>,
}

/// The answer of a call that has come to its end.
pub fn of<V: Serialize>(result: std::result::Result<&V, &Error>) -> Vec<u8> {
    with_ended(result, Vec::new())
}

/// The same with the messages of a bulk that have not been told of yet.
pub fn with_ended<V: Serialize>(result: std::result::Result<&V, &Error>, ended: Vec<EndedRow>) -> Vec<u8> {
    let result = match result {
        Ok(value) => Result::Value(value),
        Err(error) => Result::Error(Thrown::of(error)),
    };
    text(&Whole { result, ended, released: supplier::released() })
}

/// The answer of a call that asks.
pub fn ask(call: u64, question: &Question) -> Vec<u8> {
    text(&Asked { call, question, released: supplier::released() })
}

/// PHP's own exception for a wrong number of arguments.
pub fn argument_count(message: String) -> Vec<u8> {
    let error = Thrown { class: "ArgumentCountError", message, code: 0, ambiguous: false };
    text(&Whole::<()> { result: Result::Error(error), ended: Vec::new(), released: Vec::new() })
}

/// For a fault of our own. A panic's text may hold anything; where it happened is enough to report it.
pub fn internal(method: &str) -> Vec<u8> {
    let message = format!("internal error in {method}, please report it");
    let error = Thrown { class: "RoutineTemplate\\Exception", message, code: 0, ambiguous: false };
    text(&Whole::<()> { result: Result::Error(error), ended: Vec::new(), released: Vec::new() })
}

fn text(answer: &impl Serialize) -> Vec<u8> {
    // Rows of texts and numbers with names for keys: JSON can hold them all.
    serde_json::to_vec(answer).unwrap_or_default()
}

/// Keeps a text until the next one whose length goes to the same place; answers where it is.
pub fn keep(place: usize, text: Vec<u8>) -> (*const u8, usize) {
    ANSWERS.with_borrow_mut(|answers| {
        answers.retain(|(former, _)| *former != place);
        if answers.len() >= KEPT {
            answers.remove(0);
        }
        let kept = (text.as_ptr(), text.len());
        answers.push((place, text));
        kept
    })
}

/// Lets go of every answer.
pub fn forget() {
    ANSWERS.take();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Vec<(usize, Vec<u8>)> {
        ANSWERS.with_borrow(Clone::clone)
    }

    #[test]
    fn an_answer_stays_while_others_come_whose_lengths_go_elsewhere() {
        let (text, length) = keep(1, b"first".to_vec());
        keep(2, b"second".to_vec());
        keep(2, b"third".to_vec());
        // SAFETY: the answer is still kept.
        assert_eq!(unsafe { std::slice::from_raw_parts(text, length) }, b"first");
        keep(1, b"fourth".to_vec());
        assert_eq!(kept(), [(2, b"third".to_vec()), (1, b"fourth".to_vec())]);
    }

    #[test]
    fn answers_that_nobody_comes_back_for_are_not_kept_for_ever() {
        for place in 0..KEPT * 3 {
            keep(place, vec![0; 10]);
        }
        assert_eq!(kept().len(), KEPT);
        forget();
        assert!(kept().is_empty());
    }
}
