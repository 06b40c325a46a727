//! The arguments of a call as a face hands them over.

use std::rc::Rc;

use crate::app::TokenSupplier;
use crate::error::Error;
use crate::message::Input;

/// How much of a value is read. What is beyond becomes [`too_deep`] or [`too_many`].
#[derive(Debug, Clone, Copy)]
pub struct Bound {
    /// Levels of arrays, so that circles end.
    pub levels: usize,
    /// Members of one array.
    pub members: usize,
}

impl Bound {
    /// An argument: `data`, its fields, their members, and one level that is certainly wrong. No template has nearly as many fields.
    pub const ARGUMENT: Self = Self { levels: 4, members: 1000 };
    /// A whole message, which has `data` one level below.
    pub const MESSAGE: Self = Self { levels: 5, members: 1000 };
    /// A pushed message: itself, the wrapper of its list, the list, EasyWeChat's `item`, one item, and one to spare. A generator need
    /// not end by itself.
    pub const EVENT: Self = Self { levels: 6, members: 10_000 };

    /// For the members of an array.
    pub fn below(self) -> Self {
        Self { levels: self.levels.saturating_sub(1), ..self }
    }
}

/// What the application gave. Each argument is taken once.
pub trait Arguments {
    /// The one at a position; `None` if it was left out.
    fn take(&self, index: usize) -> Option<Input<'_>>;

    /// Whether it is an array: [`Input::Map`] may also be a plain object.
    fn is_array(&self, index: usize) -> bool;

    /// A pushed message: any object that `foreach` takes will do.
    fn event(&self, index: usize) -> Result<Input<'static>, Error>;

    /// The callable that supplies the token, where the settings at this position hold one.
    fn supplier(&self, index: usize) -> Option<Rc<dyn TokenSupplier>>;
}

/// An array that is deeper than its bound.
pub fn too_deep<'a>() -> Input<'a> {
    Input::Unusable("array nested too deeply".into())
}

/// An array with more members than its bound.
pub fn too_many<'a>(members: usize) -> Input<'a> {
    Input::Unusable(format!("array with {members} members").into())
}
