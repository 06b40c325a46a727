//! Messages that go out.

use std::time::Duration;

use super::super::call::Call;
use super::super::returned::{AnswerRow, Returned, ViolationRow};
use crate::app::OneTime;
use crate::error::Error;
use crate::message::{Input, Message};
use crate::options::Options;

/// Longest wait of `flush()`, in milliseconds: an hour.
const FLUSH_LIMIT: u64 = 3_600_000;

pub(super) fn send(call: &Call<'_>) -> Result<Returned, Error> {
    let message = message(call, Options::read_for_send)?;
    let app = call.app()?;
    let answer = app.send(&message)?;
    Ok(Returned::Answer(AnswerRow::of(answer, app.settings().hint_lang)))
}

pub(super) fn queue(call: &Call<'_>) -> Result<Returned, Error> {
    let message = message(call, Options::read)?;
    call.app()?.queue(&message).map(Returned::Text)
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

pub(super) fn flush(call: &Call<'_>) -> Result<Returned, Error> {
    let wanted = call.number(0, 5000)?;
    let patience = u64::try_from(wanted).ok().filter(|wanted| *wanted <= FLUSH_LIMIT).ok_or_else(|| {
        Error::value(
            format!("RoutineTemplate::flush()：$timeoutMs 应为 0 到 {FLUSH_LIMIT}（毫秒）"),
            format!("RoutineTemplate::flush(): Argument #1 ($timeoutMs) is 0 … {FLUSH_LIMIT} (milliseconds)"),
        )
    })?;
    let left = call.app()?.flush(Duration::from_millis(patience))?;
    Ok(Returned::number(left))
}

pub(super) fn send_template(call: &Call<'_>) -> Result<Returned, Error> {
    let (openid, template_id) = (call.text(0)?.unwrap_or_default(), call.text(1)?.unwrap_or_default());
    let (link, data) = (call.text(2)?, call.data(3)?);
    let app = call.app()?;
    let answer = app.send_template(&openid, &template_id, link.as_deref(), data)?;
    Ok(answer.map_or(Returned::Flag(false), |answer| Returned::Answer(AnswerRow::of(answer, app.settings().hint_lang))))
}

pub(super) fn validate(call: &Call<'_>) -> Result<Returned, Error> {
    let (template_id, data, options) = (call.required_text(0)?, call.data(1)?, Options::read(&call.array(2)?)?);
    let app = call.app()?;
    let violations = app.validate(&template_id, &data, options.channel);
    Ok(Returned::Violations(ViolationRow::all(violations, app.settings().hint_lang)))
}

pub(super) fn send_one_time(call: &Call<'_>) -> Result<Returned, Error> {
    let (openid, template_id, scene) = (call.required_text(0)?, call.required_text(1)?, call.required_text(2)?);
    let (title, content, options) = (call.required_text(3)?, call.data(4)?, call.array(5)?);
    let message = OneTime {
        openid: &openid,
        template_id: &template_id,
        scene: &scene,
        title: &title,
        content: &content,
        options: &options,
    };
    call.app()?.send_one_time(&message).map(Returned::Json)
}

pub(super) fn uniform_send(call: &Call<'_>) -> Result<Returned, Error> {
    Ok(Returned::Json(call.app()?.uniform_send()))
}

pub(super) fn wxopen_template_send(call: &Call<'_>) -> Result<Returned, Error> {
    Ok(Returned::Json(call.app()?.wxopen_template_send()))
}
