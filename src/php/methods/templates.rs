//! Templates: names that the application gives them, and the account's own.

use ext_php_rs::types::Zval;

use super::super::call::Call;
use super::super::{request, value};
use super::result::{json, php};
use crate::error::Error;
use crate::message::Input;

pub(super) fn register_template(call: &Call<'_>) -> Result<Zval, Error> {
    let (key, template_id, content) = (call.required_text(0)?, call.required_text(1)?, call.text(2)?);
    request::with(|context| context.register_template(call.appid.as_deref(), &key, &template_id, content.as_deref()))?;
    Ok(Zval::null())
}

pub(super) fn template_id(call: &Call<'_>) -> Result<Zval, Error> {
    let key = call.required_text(0)?;
    let app = request::app(call.appid.as_deref())?;
    php(app.template_id(&key))
}

pub(super) fn templates(call: &Call<'_>) -> Result<Zval, Error> {
    let refresh = call.flag(0)?;
    json(&request::app(call.appid.as_deref())?.templates(refresh)?)
}

pub(super) fn add_template(call: &Call<'_>) -> Result<Zval, Error> {
    let (tid, keywords, scene) = (call.required_text(0)?, call.array(1)?, call.required_text(2)?);
    php(request::app(call.appid.as_deref())?.add_template(&tid, &keywords, &scene)?)
}

pub(super) fn delete_template(call: &Call<'_>) -> Result<Zval, Error> {
    request::app(call.appid.as_deref())?.delete_template(&call.required_text(0)?)?;
    Ok(Zval::null())
}

pub(super) fn categories(call: &Call<'_>) -> Result<Zval, Error> {
    json(&request::app(call.appid.as_deref())?.categories()?)
}

pub(super) fn public_templates(call: &Call<'_>) -> Result<Zval, Error> {
    let categories = match call.argument(0).map(value::input) {
        Some(one @ Input::Int(_)) => one,
        _ => call.data(0)?,
    };
    let (start, limit) = (call.number(1, 0)?, call.number(2, 30)?);
    json(&request::app(call.appid.as_deref())?.public_templates(&categories, start, limit)?)
}

pub(super) fn public_keywords(call: &Call<'_>) -> Result<Zval, Error> {
    json(&request::app(call.appid.as_deref())?.public_keywords(&call.required_text(0)?)?)
}

pub(super) fn sync_templates(call: &Call<'_>) -> Result<Zval, Error> {
    let (wanted, options) = (call.array(0)?, call.array(1)?);
    json(&request::app(call.appid.as_deref())?.sync_templates(&wanted, &options)?)
}
