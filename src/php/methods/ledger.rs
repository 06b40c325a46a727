//! What users have accepted, and what became of messages.

use ext_php_rs::types::Zval;

use super::super::call::Call;
use super::super::request;
use super::result::{json, php};
use crate::error::Error;
use crate::grant::ReportOptions;

pub(super) fn record_grants(call: &Call<'_>) -> Result<Zval, Error> {
    let (openid, result) = (call.required_text(0)?, call.data(1)?);
    let options = ReportOptions::read(&call.array(2)?)?;
    json(&request::app(call.appid.as_deref())?.record_grants(&openid, &result, &options)?)
}

pub(super) fn grants(call: &Call<'_>) -> Result<Zval, Error> {
    let (openid, template_id) = (call.required_text(0)?, call.text(1)?);
    json(&request::app(call.appid.as_deref())?.grants(&openid, template_id.as_deref())?)
}

pub(super) fn audience(call: &Call<'_>) -> Result<Zval, Error> {
    let (template_id, cursor, limit) = (call.required_text(0)?, call.text(1)?, call.number(2, 1000)?);
    json(&request::app(call.appid.as_deref())?.audience(&template_id, cursor.as_deref(), limit)?)
}

pub(super) fn request_templates(call: &Call<'_>) -> Result<Zval, Error> {
    let (openid, keys, options) = (call.required_text(0)?, call.array(1)?, call.array(2)?);
    json(&request::app(call.appid.as_deref())?.request_templates(&openid, &keys, &options)?)
}

pub(super) fn handle_push(call: &Call<'_>) -> Result<Zval, Error> {
    let (query, body) = (call.array(0)?, call.bytes(1)?);
    json(&request::app(call.appid.as_deref())?.handle_push(&query, body)?)
}

pub(super) fn record_event(call: &Call<'_>) -> Result<Zval, Error> {
    let message = call.event(0)?;
    php(request::app(call.appid.as_deref())?.record_event(&message)?)
}

pub(super) fn status(call: &Call<'_>) -> Result<Zval, Error> {
    let row = request::app(call.appid.as_deref())?.status(&call.required_text(0)?)?;
    json(&row.unwrap_or_default())
}

pub(super) fn deliveries(call: &Call<'_>) -> Result<Zval, Error> {
    json(&request::app(call.appid.as_deref())?.deliveries(&call.array(0)?)?)
}
