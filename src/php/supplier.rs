//! A token that the application supplies by a callable: `configure(['token' => fn (bool $refresh) => …])`.

use std::rc::Rc;

use ext_php_rs::convert::IntoZval;
use ext_php_rs::types::Zval;

use super::callable::Callable;
use crate::app::TokenSupplier;
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
        let failed = || {
            Error::config(
                "设置 token：函数没有返回 access_token",
                "setting token: the callable returned no access_token",
            )
        };
        let argument = refresh.into_zval(false).map_err(|_| failed())?;
        // Its exception is pending and is the one that the application sees.
        let returned = self.0.call(&mut [argument.into()]).map_err(|_| failed())?;
        let text = returned.dereference().zend_str().and_then(|text| std::str::from_utf8(text.as_bytes()).ok());
        match text.map(str::trim) {
            Some(token) if !token.is_empty() && token.len() <= 4096 && !token.contains(char::is_control) => {
                Ok(Secret::new(token.to_owned()))
            }
            _ => Err(Error::config(
                "设置 token：函数应返回 access_token 字符串，返回的是空值或其他类型",
                "setting token: the callable must return the access_token as a string; it returned nothing or something else",
            )),
        }
    }
}
