//! Calls that stop to ask the application something. Such a call runs on a stack of its own (crate `corosensei`), which waits while
//! the PHP side finds the reply.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::ptr;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use serde::Serialize;

use super::answer::{self, EndedRow};
use crate::error::Error;

/// As much as the deepest call needs, TLS and SQLite included; pages are taken as they are touched.
const STACK: usize = 2 * 1024 * 1024;
/// A reply that ends the call.
const INTERRUPTED: &[u8] = b"false";
/// A bulk ends within a few questions once it is interrupted.
const QUESTIONS_TO_THE_END: usize = 10_000;

/// What a call wants to know.
#[derive(Debug, Serialize)]
#[serde(tag = "ask", rename_all = "lowercase")]
pub enum Question {
    /// The token; the reply is `{"token": "…"}`.
    Token {
        /// The number of the callable.
        supplier: u64,
        /// Whether WeChat refused the token before.
        refresh: bool,
    },
    /// The next message of a bulk; the reply is `null` or `{"key": …, "message": …, "tagged": false}`.
    Next {
        /// Messages that have ended meanwhile.
        ended: Vec<EndedRow>,
    },
    /// How far a bulk is; the reply is `true`.
    Progress {
        /// Messages that have ended meanwhile.
        ended: Vec<EndedRow>,
        /// All that have.
        done: u64,
    },
    /// Nothing: PHP is to run its signal handlers; the reply is `true`.
    Check {
        /// Messages that have ended meanwhile.
        ended: Vec<EndedRow>,
    },
}

type Running = Coroutine<Vec<u8>, Question, Vec<u8>>;

thread_local! {
    static YIELDER: Cell<*const Yielder<Vec<u8>, Question>> = const { Cell::new(ptr::null()) };
    // Never dropped: at the end of the thread nobody could answer any more.
    static WAITING: RefCell<ManuallyDrop<Vec<(u64, Running)>>> = const { RefCell::new(ManuallyDrop::new(Vec::new())) };
    static NUMBER: Cell<u64> = const { Cell::new(0) };
    static SPARE: RefCell<Option<DefaultStack>> = const { RefCell::new(None) };
}

/// Asks, from within a call that [`run`] has begun.
pub fn ask(question: Question) -> Result<Vec<u8>, Error> {
    let yielder = YIELDER.get();
    // SAFETY: null, or the yielder of the call on whose stack this runs, which lives as long as that call.
    let reply = unsafe { yielder.as_ref() }.map(|yielder| yielder.suspend(question));
    // Another call may have run meanwhile.
    YIELDER.set(yielder);
    match reply {
        Some(reply) if reply != INTERRUPTED => Ok(reply),
        _ => Err(Error::config("应用代码中断了本次调用", "the application's code has ended this call")),
    }
}

/// Runs a call that may ask, under a number of the caller's, or of ours.
pub fn run(number: Option<u64>, body: impl FnOnce() -> Vec<u8> + 'static) -> Vec<u8> {
    let stack = match SPARE.take().map_or_else(|| DefaultStack::new(STACK), Ok) {
        Ok(stack) => stack,
        Err(error) => {
            let error = Error::config(
                format!("没有内存用于本次调用：{error}"),
                format!("there is no memory for this call: {error}"),
            );
            return answer::of::<()>(Err(&error));
        }
    };
    let running = Running::with_stack(stack, move |yielder, _| {
        YIELDER.set(yielder);
        body()
    });
    let number = number.unwrap_or_else(|| {
        NUMBER.set(NUMBER.get() + 1);
        NUMBER.get()
    });
    go_on(number, running, Vec::new())
}

/// Goes on with a call that has asked.
pub fn resume(number: u64, reply: &[u8]) -> Vec<u8> {
    match take(number) {
        Some(running) => go_on(number, running, reply.to_vec()),
        None => {
            let error = Error::config(
                format!("routine_template_resume：没有编号为 {number} 的调用在等待"),
                format!("routine_template_resume: no call {number} is waiting"),
            );
            answer::of::<()>(Err(&error))
        }
    }
}

/// Ends every call that still waits: the request in which it was made is over.
pub fn end_all() {
    while let Some((_, mut running)) = WAITING.with_borrow_mut(|waiting| waiting.pop()) {
        for _ in 0..QUESTIONS_TO_THE_END {
            if let CoroutineResult::Return(_) = running.resume(INTERRUPTED.to_vec()) {
                break;
            }
        }
        YIELDER.set(ptr::null());
        if !running.done() {
            // Its stack stays as it is: unwinding it would run code that expects an answer.
            std::mem::forget(running);
        }
    }
}

fn take(number: u64) -> Option<Running> {
    WAITING.with_borrow_mut(|waiting| {
        let place = waiting.iter().position(|(waits, _)| *waits == number)?;
        Some(waiting.remove(place).1)
    })
}

fn go_on(number: u64, mut running: Running, reply: Vec<u8>) -> Vec<u8> {
    let went = running.resume(reply);
    // Outside of a call there is nobody to ask, and the yielder goes with its call.
    YIELDER.set(ptr::null());
    match went {
        CoroutineResult::Return(text) => {
            SPARE.set(Some(running.into_stack()));
            text
        }
        CoroutineResult::Yield(question) => {
            let text = answer::ask(number, &question);
            WAITING.with_borrow_mut(|waiting| waiting.push((number, running)));
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::cell::RefCell;
    use std::rc::Rc;

    fn read(text: &[u8]) -> Value {
        serde_json::from_slice(text).unwrap()
    }

    fn asking(times: usize, heard: Rc<RefCell<Vec<String>>>) -> Value {
        read(&run(None, move || {
            for _ in 0..times {
                match ask(Question::Check { ended: vec![] }) {
                    Ok(reply) => heard.borrow_mut().push(String::from_utf8(reply).unwrap()),
                    Err(error) => return answer::of::<()>(Err(&error)),
                }
            }
            answer::of(Ok(&heard.borrow().len()))
        }))
    }

    #[test]
    fn a_call_goes_on_where_it_has_asked() {
        let heard = Rc::new(RefCell::new(vec![]));
        let first = asking(2, heard.clone());
        assert_eq!(first["ask"], "check");
        let number = first["call"].as_u64().unwrap();
        assert_eq!(read(&resume(number, b"\"a\""))["call"], number);
        assert_eq!(read(&resume(number, b"\"b\"")), json!({"value": 2}));
        assert_eq!(*heard.borrow(), ["\"a\"", "\"b\""]);
        assert!(read(&resume(number, b"true"))["error"].is_object(), "it has ended");
    }

    #[test]
    fn a_caller_may_number_its_calls_itself_and_so_end_one_whose_question_it_has_not_seen() {
        let left = Rc::new(());
        let kept = left.clone();
        let unseen = run(Some(4711), move || {
            let _kept = kept;
            answer::of(ask(Question::Check { ended: vec![] }).map(|_| 1).as_ref())
        });
        assert_eq!(read(&unseen)["call"], 4711);
        assert!(read(&resume(4711, INTERRUPTED))["error"].is_object());
        assert_eq!(Rc::strong_count(&left), 1);
    }

    #[test]
    fn calls_that_begin_while_another_waits_do_not_disturb_it() {
        let (outer, inner) = (Rc::new(RefCell::new(vec![])), Rc::new(RefCell::new(vec![])));
        let outer_number = asking(1, outer.clone())["call"].as_u64().unwrap();
        let inner_number = asking(1, inner.clone())["call"].as_u64().unwrap();
        assert_eq!(read(&resume(outer_number, b"\"outer\"")), json!({"value": 1}));
        assert_eq!(read(&resume(inner_number, b"\"inner\"")), json!({"value": 1}));
        assert_eq!((outer.borrow()[0].as_str(), inner.borrow()[0].as_str()), ("\"outer\"", "\"inner\""));
    }

    #[test]
    fn nobody_is_asked_outside_of_a_call() {
        let number = asking(1, Rc::default())["call"].as_u64().unwrap();
        assert!(ask(Question::Check { ended: vec![] }).is_err(), "the call waits");
        assert_eq!(read(&resume(number, b"true")), json!({"value": 1}));
        assert!(ask(Question::Check { ended: vec![] }).is_err(), "the call has ended");
    }

    #[test]
    fn the_next_request_ends_what_the_one_before_has_left_waiting() {
        let left = Rc::new(RefCell::new(vec![]));
        let number = asking(3, left.clone())["call"].as_u64().unwrap();
        end_all();
        assert_eq!(Rc::strong_count(&left), 1, "everything of the call is gone");
        assert!(read(&resume(number, b"true"))["error"].is_object());
    }
}
