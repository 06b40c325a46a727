//! Values of PHP that are ours to let go of. Whoever lets go of an object last runs its destructor, which is the application's
//! code: it may throw, `exit` or end in a fatal error like any other.

use std::mem;
use std::ops::{Deref, DerefMut};

use ext_php_rs::types::Zval;

use super::callable::{guarded, is_ending};

/// A value that is let go of by [`release`].
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct Owned(Zval);

impl Owned {
    /// The value itself, for whoever takes it over.
    pub fn into_inner(mut self) -> Zval {
        mem::take(&mut self.0)
    }
}

impl From<Zval> for Owned {
    fn from(value: Zval) -> Self {
        Self(value)
    }
}

impl Deref for Owned {
    type Target = Zval;

    fn deref(&self) -> &Zval {
        &self.0
    }
}

impl DerefMut for Owned {
    fn deref_mut(&mut self) -> &mut Zval {
        &mut self.0
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        release(mem::take(&mut self.0));
    }
}

/// Lets go of what holds values of PHP. What comes of it is pending afterwards.
pub fn release<T>(values: T) {
    if is_ending() {
        // After a fatal error no code of the application runs any more; the request's memory goes as a whole.
        mem::forget(values);
        return;
    }
    // Pending: an exception is seen at the next look, an end goes on at the edge.
    let _ = guarded(move || drop(values));
}
