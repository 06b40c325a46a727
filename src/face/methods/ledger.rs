//! What users have accepted, and what became of messages.

use super::super::call::Call;
use super::super::returned::Returned;
use crate::error::Error;
use crate::grant::ReportOptions;

pub(super) fn record_grants(call: &Call<'_>) -> Result<Returned, Error> {
    let (openid, result) = (call.required_text(0)?, call.data(1)?);
    let options = ReportOptions::read(&call.array(2)?)?;
    call.app()?.record_grants(&openid, &result, &options).map(Returned::Json)
}

pub(super) fn grants(call: &Call<'_>) -> Result<Returned, Error> {
    let (openid, template_id) = (call.required_text(0)?, call.text(1)?);
    call.app()?.grants(&openid, template_id.as_deref()).map(Returned::Json)
}

pub(super) fn audience(call: &Call<'_>) -> Result<Returned, Error> {
    let (template_id, cursor, limit) = (call.required_text(0)?, call.text(1)?, call.number(2, 1000)?);
    call.app()?.audience(&template_id, cursor.as_deref(), limit).map(Returned::Json)
}

pub(super) fn request_templates(call: &Call<'_>) -> Result<Returned, Error> {
    let (openid, keys, options) = (call.required_text(0)?, call.array(1)?, call.array(2)?);
    call.app()?.request_templates(&openid, &keys, &options).map(Returned::Json)
}

pub(super) fn handle_push(call: &Call<'_>) -> Result<Returned, Error> {
    let (query, body) = (call.array(0)?, call.bytes(1)?);
    call.app()?.handle_push(&query, &body).map(Returned::Json)
}

pub(super) fn record_event(call: &Call<'_>) -> Result<Returned, Error> {
    let message = call.event(0)?;
    call.app()?.record_event(&message).map(Returned::Flag)
}

pub(super) fn status(call: &Call<'_>) -> Result<Returned, Error> {
    let row = call.app()?.status(&call.required_text(0)?)?;
    Ok(row.map_or(Returned::Nothing, Returned::Json))
}

pub(super) fn deliveries(call: &Call<'_>) -> Result<Returned, Error> {
    call.app()?.deliveries(&call.array(0)?).map(Returned::Json)
}
