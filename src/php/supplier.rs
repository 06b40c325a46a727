//! A token that the application supplies by a callable: `configure(['token' => fn (bool $refresh) => …])`.

use std::rc::Rc;

use ext_php_rs::convert::IntoZval;
use ext_php_rs::types::Zval;

use super::call::no_memory;
use super::callable::{Callable, Interrupted};
use crate::app::{TokenSupplier, supplied};
use crate::config::Secret;
use crate::error::Error;

/// The callable in the `token` of an array that `configure()` was given.
pub fn given(config: &Zval) -> Option<Rc<dyn TokenSupplier>> {
    let callable = Callable::of(config.array()?.get("token")?)?;
    Some(Rc::new(Supplier(callable)))
}

struct Supplier(Callable);

impl TokenSupplier for Supplier {
    fn token(&self, refresh: bool) -> Result<Secret, Error> {
        let argument = refresh.into_zval(false).map_err(no_memory)?;
        let returned = self.0.call(&mut [argument.into()]).map_err(Interrupted::into_error)?;
        supplied(returned.dereference().zend_str().and_then(|text| std::str::from_utf8(text.as_bytes()).ok()))
    }
}
