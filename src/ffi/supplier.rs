//! A token that the application supplies by a callable, which the PHP side keeps under a number.

use std::cell::RefCell;
use std::rc::Rc;

use serde::Deserialize;

use super::question::{self, Question};
use crate::app::{TokenSupplier, supplied};
use crate::config::Secret;
use crate::error::Error;

thread_local! {
    static RELEASED: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
}

/// The supplier that asks this callable.
pub fn of(callable: u64) -> Option<Rc<dyn TokenSupplier>> {
    Some(Rc::new(Supplier(callable)))
}

/// The callables that nothing asks any more, once.
pub fn released() -> Vec<u64> {
    RELEASED.take()
}

/// Drops the numbers of the request before: the next one counts from the beginning again.
pub fn forget() {
    drop(RELEASED.take());
}

struct Supplier(u64);

impl Drop for Supplier {
    fn drop(&mut self) {
        // At the end of the thread there is nobody to tell.
        let _ = RELEASED.try_with(|released| released.borrow_mut().push(self.0));
    }
}

#[derive(Deserialize)]
struct Reply {
    token: Option<String>,
}

impl TokenSupplier for Supplier {
    fn token(&self, refresh: bool) -> Result<Secret, Error> {
        let reply = question::ask(Question::Token { supplier: self.0, refresh })?;
        let reply: Option<Reply> = serde_json::from_slice(&reply).ok();
        supplied(reply.and_then(|reply| reply.token).as_deref())
    }
}
