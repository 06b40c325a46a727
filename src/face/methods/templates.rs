//! Templates: names that the application gives them, and the account's own.

use super::super::call::Call;
use super::super::request;
use super::super::returned::Returned;
use crate::error::Error;

pub(super) fn register_template(call: &Call<'_>) -> Result<Returned, Error> {
    let (key, template_id, content) = (call.required_text(0)?, call.required_text(1)?, call.text(2)?);
    request::with(|context| context.register_template(call.appid, &key, &template_id, content.as_deref()))?;
    Ok(Returned::Nothing)
}

pub(super) fn template_id(call: &Call<'_>) -> Result<Returned, Error> {
    let key = call.required_text(0)?;
    Ok(call.app()?.template_id(&key).map_or(Returned::Nothing, |id| Returned::Text(id.to_owned())))
}

pub(super) fn templates(call: &Call<'_>) -> Result<Returned, Error> {
    let refresh = call.flag(0)?;
    call.app()?.templates(refresh).map(Returned::Json)
}

pub(super) fn add_template(call: &Call<'_>) -> Result<Returned, Error> {
    let (tid, keywords, scene) = (call.required_text(0)?, call.array(1)?, call.required_text(2)?);
    call.app()?.add_template(&tid, &keywords, &scene).map(Returned::Text)
}

pub(super) fn delete_template(call: &Call<'_>) -> Result<Returned, Error> {
    call.app()?.delete_template(&call.required_text(0)?)?;
    Ok(Returned::Nothing)
}

pub(super) fn categories(call: &Call<'_>) -> Result<Returned, Error> {
    call.app()?.categories().map(Returned::Json)
}

pub(super) fn public_templates(call: &Call<'_>) -> Result<Returned, Error> {
    let (categories, start, limit) = (call.data_or_number(0)?, call.number(1, 0)?, call.number(2, 30)?);
    call.app()?.public_templates(&categories, start, limit).map(Returned::Json)
}

pub(super) fn public_keywords(call: &Call<'_>) -> Result<Returned, Error> {
    call.app()?.public_keywords(&call.required_text(0)?).map(Returned::Json)
}

pub(super) fn sync_templates(call: &Call<'_>) -> Result<Returned, Error> {
    let (wanted, options) = (call.array(0)?, call.array(1)?);
    call.app()?.sync_templates(&wanted, &options).map(Returned::Json)
}
