//! Results on their way to PHP.

use ext_php_rs::boxed::ZBox;
use ext_php_rs::convert::IntoZval;
use ext_php_rs::error::Error as ZendError;
use ext_php_rs::types::{ZendHashTable, Zval};
use serde_json::Value;

use super::super::value;
use crate::error::Error;

pub(super) fn json(value: &Value) -> Result<Zval, Error> {
    value::json(value).map_err(no_memory)
}

pub(super) fn php(value: impl IntoZval) -> Result<Zval, Error> {
    value.into_zval(false).map_err(no_memory)
}

pub(super) fn array(table: ZBox<ZendHashTable>) -> Result<Zval, ZendError> {
    table.into_zval(false)
}

/// Building a PHP value fails for sizes only that no answer of ours has.
pub(in crate::php) fn no_memory(error: ZendError) -> Error {
    Error::value(format!("结果无法交给 PHP：{error}"), format!("the result cannot be handed to PHP: {error}"))
}
