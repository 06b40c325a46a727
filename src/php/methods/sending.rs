//! Messages that go out.

use std::time::Duration;

use ext_php_rs::types::Zval;

use super::super::call::Call;
use super::super::{request, value};
use super::result::{array, json, no_memory, php};
use crate::app::OneTime;
use crate::error::Error;
use crate::message::{Input, Message};
use crate::options::Options;

/// Longest wait of `flush()`, in milliseconds: an hour.
const FLUSH_LIMIT: u64 = 3_600_000;

pub(super) fn send(call: &Call<'_>) -> Result<Zval, Error> {
    let message = message(call, Options::read_for_send)?;
    let app = request::app(call.appid.as_deref())?;
    let answer = app.send(&message)?;
    value::answer(&answer, app.settings().hint_lang).map_err(no_memory)
}

pub(super) fn queue(call: &Call<'_>) -> Result<Zval, Error> {
    let message = message(call, Options::read)?;
    php(request::app(call.appid.as_deref())?.queue(&message)?)
}

fn message<'a>(call: &Call<'a>, options: fn(&Input<'_>) -> Result<Options, Error>) -> Result<Message<'a>, Error> {
    Ok(Message {
        touser: call.required_text(0)?,
        template_id: call.required_text(1)?,
        data: call.data(2)?,
        page: call.text(3)?,
        options: options(&call.array(4)?)?,
    })
}

pub(super) fn flush(call: &Call<'_>) -> Result<Zval, Error> {
    let wanted = call.number(0, 5000)?;
    let patience = u64::try_from(wanted).ok().filter(|wanted| *wanted <= FLUSH_LIMIT).ok_or_else(|| {
        Error::value(
            format!("RoutineTemplate::flush()：$timeoutMs 应为 0 到 {FLUSH_LIMIT}（毫秒）"),
            format!("RoutineTemplate::flush(): Argument #1 ($timeoutMs) is 0 … {FLUSH_LIMIT} (milliseconds)"),
        )
    })?;
    let left = request::app(call.appid.as_deref())?.flush(Duration::from_millis(patience))?;
    php(i64::try_from(left).unwrap_or(i64::MAX))
}

pub(super) fn send_template(call: &Call<'_>) -> Result<Zval, Error> {
    let (openid, template_id) = (call.text(0)?.unwrap_or_default(), call.text(1)?.unwrap_or_default());
    let (link, data) = (call.text(2)?, call.data(3)?);
    let app = request::app(call.appid.as_deref())?;
    match app.send_template(&openid, &template_id, link.as_deref(), data)? {
        Some(answer) => value::answer(&answer, app.settings().hint_lang).map_err(no_memory),
        None => php(false),
    }
}

pub(super) fn validate(call: &Call<'_>) -> Result<Zval, Error> {
    let (template_id, data, options) = (call.required_text(0)?, call.data(1)?, Options::read(&call.array(2)?)?);
    let app = request::app(call.appid.as_deref())?;
    let violations = app.validate(&template_id, &data, options.channel);
    value::violations(&violations, app.settings().hint_lang).and_then(array).map_err(no_memory)
}

pub(super) fn send_one_time(call: &Call<'_>) -> Result<Zval, Error> {
    let (openid, template_id, scene) = (call.required_text(0)?, call.required_text(1)?, call.required_text(2)?);
    let (title, content, options) = (call.required_text(3)?, call.data(4)?, call.array(5)?);
    json(&request::app(call.appid.as_deref())?.send_one_time(&OneTime {
        openid: &openid,
        template_id: &template_id,
        scene: &scene,
        title: &title,
        content: &content,
        options: &options,
    })?)
}

pub(super) fn uniform_send(call: &Call<'_>) -> Result<Zval, Error> {
    json(&request::app(call.appid.as_deref())?.uniform_send())
}

pub(super) fn wxopen_template_send(call: &Call<'_>) -> Result<Zval, Error> {
    json(&request::app(call.appid.as_deref())?.wxopen_template_send())
}
