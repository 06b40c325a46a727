//! `POST /__admin/push` and the push members of `POST /__admin/account`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::push::{Oddities, PushEvent, PushFormat, PushMode, PushSettings, PushSettingsError, deliver};
use super::super::world::Shared;
use super::buyer::answers;
use super::members::{BadRequest, Members};

/// How often one push may be repeated.
const REPEATS: u32 = 10;

/// Pushes an event by hand; answers when the endpoint has, with what it said.
pub(super) async fn fire(shared: &Arc<Shared>, body: &[u8]) -> Result<Value, BadRequest> {
    let mut members = Members::parse(body)?;
    let appid = super::http::known_account(shared, &mut members)?;
    let event = event(&mut members)?;
    let openid = if event == PushEvent::UrlCheck { String::new() } else { members.text("openid")? };
    let repeat = members.optional("repeat")?.unwrap_or(1);
    if !(1..=REPEATS).contains(&repeat) {
        return Err(BadRequest::Invalid { name: "repeat", reason: format!("not within 1 to {REPEATS}") });
    }
    let oddities = Oddities { timestamp: members.optional("timestamp")? };
    members.finish()?;
    let request = shared.world.lock().prepare_push(&appid, &openid, &event, oddities);
    let request = request.ok_or(BadRequest::Invalid {
        name: "appid",
        reason: "the account has no push_url; set it with /__admin/account or --push-url".to_owned(),
    })?;
    let record = deliver(shared, request, repeat).await;
    Ok(json!({"ok": true, "push": record}))
}

fn event(members: &mut Members) -> Result<PushEvent, BadRequest> {
    let words = [
        "subscribe_msg_popup_event",
        "subscribe_msg_change_event",
        "subscribe_msg_sent_event",
        "TEMPLATESENDJOBFINISH",
        "url_check",
    ];
    let words: Vec<(&str, &str)> = words.iter().map(|word| (*word, *word)).collect();
    let event = members.choice("event", &words)?.ok_or(BadRequest::Missing("event"))?;
    Ok(match event {
        "subscribe_msg_popup_event" => {
            PushEvent::Popup { list: answers(members, "templates")?, scene: members.optional("scene")?.unwrap_or(0) }
        }
        "subscribe_msg_change_event" => PushEvent::Change { list: answers(members, "templates")? },
        "subscribe_msg_sent_event" => PushEvent::Sent {
            template_id: members.text("template_id")?,
            msgid: members.required("msgid")?,
            error_code: members.optional("error_code")?.unwrap_or(0),
            error_status: members.optional("error_status")?.unwrap_or_else(|| "success".to_owned()),
        },
        "TEMPLATESENDJOBFINISH" => PushEvent::JobFinish {
            msgid: members.required("msgid")?,
            status: members.optional("status")?.unwrap_or_else(|| "success".to_owned()),
        },
        _ => PushEvent::UrlCheck,
    })
}

/// The push members of an account; `None` if none is given. The others need a push_url beside them.
pub(super) fn settings(
    shared: &Arc<Shared>,
    members: &mut Members,
) -> Result<Option<Option<PushSettings>>, BadRequest> {
    let url = members.optional::<Option<String>>("push_url")?;
    let token = members.optional::<String>("push_token")?;
    let aes_key = members.optional::<Option<String>>("push_aes_key")?.flatten();
    let modes = [("plain", PushMode::Plain), ("compat", PushMode::Compat), ("safe", PushMode::Safe)];
    let mode = members.choice("push_mode", &modes)?;
    let format = members.choice("push_format", &[("xml", PushFormat::Xml), ("json", PushFormat::Json)])?;
    let automatic = members.optional::<bool>("push_automatic")?;
    let url = match url {
        Some(Some(url)) => url,
        Some(None) => return Ok(Some(None)),
        None if token.is_some() || aes_key.is_some() || mode.is_some() || format.is_some() || automatic.is_some() => {
            return Err(BadRequest::Missing("push_url"));
        }
        None => return Ok(None),
    };
    let token = token.ok_or(BadRequest::Missing("push_token"))?;
    let settings =
        PushSettings::new(&url, &token, aes_key.as_deref(), mode.unwrap_or_default(), format.unwrap_or_default())?;
    settings.require_loopback(shared.sender.allow_remote)?;
    Ok(Some(Some(if automatic == Some(false) { settings.by_hand_alone() } else { settings })))
}

impl From<PushSettingsError> for BadRequest {
    fn from(error: PushSettingsError) -> BadRequest {
        BadRequest::Setting(error.to_string())
    }
}
