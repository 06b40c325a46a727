//! `/__admin` over HTTP.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};

use super::super::account::{AccountKind, Choice};
use super::super::token::TokenEnd;
use super::super::world::Shared;
use super::change::{AccountChange, QuotaChange, SettingsChange, TemplateChange, TokenKinds};
use super::live::Stream;
use super::members::{BadRequest, Members};
use super::{buyer, fault, guard, live, push, read};

/// What a request is answered.
pub(in super::super) enum Answer {
    /// Status and JSON text.
    Json(StatusCode, String),
    /// Events, until the client goes.
    Live(Stream),
}

/// Answers one request.
pub(in super::super) async fn handle(
    shared: &Arc<Shared>,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Answer {
    let refuse = |status, error: String| Answer::Json(status, json!({"error": error}).to_string());
    if let Err(foreign) = guard::check(headers, shared.sender.allow_remote) {
        return refuse(StatusCode::FORBIDDEN, foreign.to_string());
    }
    let result = match (method.as_str(), operation(uri)) {
        ("GET", "events") => match live::watch(shared, uri) {
            Ok(stream) => return Answer::Live(stream),
            Err(error) => Err(error),
        },
        ("POST", "push") => push::fire(shared, body).await,
        _ => operate(shared, method, uri, body),
    };
    match result {
        Ok(answer) => Answer::Json(StatusCode::OK, answer.to_string()),
        Err(error) => refuse(StatusCode::BAD_REQUEST, error.to_string()),
    }
}

fn operation(uri: &Uri) -> &str {
    uri.path().trim_start_matches("/__admin").trim_matches('/')
}

fn operate(shared: &Arc<Shared>, method: &Method, uri: &Uri, body: &[u8]) -> Result<Value, BadRequest> {
    match (method.as_str(), operation(uri)) {
        ("GET", "accounts") => Ok(shared.world.lock().read_accounts()),
        ("GET", "users") => shared.world.lock().read_users(uri),
        ("GET", "messages") => shared.world.lock().read_messages(uri),
        ("GET", "refused") => shared.world.lock().read_refused(uri),
        ("GET", "pushes") => shared.world.lock().read_pushes(uri),
        ("GET", "grants") => grants(shared, uri),
        ("GET", "counters") => counters(shared),
        ("DELETE", "fault") => {
            shared.world.lock().faults.clear();
            Ok(json!({"ok": true}))
        }
        ("POST", "choose") => buyer::choose(shared, Members::parse(body)?),
        ("POST", operation) => {
            let mut members = Members::parse(body)?;
            match operation {
                "reset" => {
                    members.finish()?;
                    shared.reset();
                }
                "account" => account(shared, members)?,
                "template" => template(shared, members)?,
                "user" => {
                    let (appid, openid) = (known_account(shared, &mut members)?, members.text("openid")?);
                    members.finish()?;
                    shared.world.lock().put_user(&appid, &openid);
                }
                "grant" => grant(shared, members)?,
                "forget_kept" => {
                    let (appid, openid) = (known_account(shared, &mut members)?, members.text("openid")?);
                    members.finish()?;
                    shared.world.lock().forget_kept(&appid, &openid);
                }
                "fault" => fault::queue(shared, members)?,
                "random_faults" => fault::chances(shared, members)?,
                "settings" => settings(shared, members)?,
                "expire_tokens" => expire_tokens(shared, members)?,
                "quota" => quota(shared, members)?,
                "clock" => {
                    let seconds = members.required("advance_seconds")?;
                    members.finish()?;
                    shared.world.lock().advance_clock(Duration::from_secs(seconds));
                }
                _ => return Err(BadRequest::NoOperation),
            }
            Ok(json!({"ok": true}))
        }
        _ => Err(BadRequest::NoOperation),
    }
}

pub(super) fn known_account(shared: &Arc<Shared>, members: &mut Members) -> Result<String, BadRequest> {
    let appid = members.text("appid")?;
    if shared.world.lock().accounts.contains_key(appid.as_str()) {
        Ok(appid)
    } else {
        Err(BadRequest::NoAccount("appid"))
    }
}

fn grants(shared: &Arc<Shared>, uri: &Uri) -> Result<Value, BadRequest> {
    let appid = read::text(uri, "appid").ok_or(BadRequest::Missing("appid"))?;
    let openid = read::text(uri, "openid").ok_or(BadRequest::Missing("openid"))?;
    Ok(json!({"grants": shared.world.lock().grants(&appid, &openid)}))
}

fn counters(shared: &Arc<Shared>) -> Result<Value, BadRequest> {
    serde_json::to_value(shared.counters())
        .map_err(|error| BadRequest::Invalid { name: "counters", reason: error.to_string() })
}

fn account(shared: &Arc<Shared>, mut members: Members) -> Result<(), BadRequest> {
    let appid = members.text("appid")?;
    let kinds = [("miniprogram", AccountKind::MiniProgram), ("official", AccountKind::Official)];
    let push = push::settings(shared, &mut members)?;
    let change = AccountChange {
        push,
        secret: members.optional("secret")?,
        kind: members.choice("kind", &kinds)?,
        token_expires_in: members.optional("token_expires_in")?,
        token_overlap: members.optional("token_overlap")?,
        ip_refused: members.optional("ip_refused")?,
        secret_frozen: members.optional("secret_frozen")?,
        any_openid: members.optional("any_openid")?,
        pages: members.optional("pages")?,
        blacklist: members.optional("blacklist")?,
        template_limit: members.optional("template_limit")?,
    };
    members.finish()?;
    shared.world.lock().change_account(&appid, change);
    Ok(())
}

fn template(shared: &Arc<Shared>, mut members: Members) -> Result<(), BadRequest> {
    let appid = known_account(shared, &mut members)?;
    let long_term = match members.optional::<u8>("type")? {
        None | Some(2) => false,
        Some(3) => true,
        Some(_) => return Err(BadRequest::Invalid { name: "type", reason: "neither 2 nor 3".to_owned() }),
    };
    let change = TemplateChange {
        template_id: members.text("template_id")?,
        title: members.optional("title")?.unwrap_or_default(),
        content: members.text("content")?,
        long_term,
        values: match members.optional::<Value>("values")? {
            // PHP writes an empty map as [].
            None | Some(Value::Null) => Default::default(),
            Some(Value::Array(list)) if list.is_empty() => Default::default(),
            Some(values) => serde_json::from_value(values)
                .map_err(|error| BadRequest::Invalid { name: "values", reason: error.to_string() })?,
        },
    };
    members.finish()?;
    shared.world.lock().put_template(&appid, change);
    Ok(())
}

fn grant(shared: &Arc<Shared>, mut members: Members) -> Result<(), BadRequest> {
    let appid = known_account(shared, &mut members)?;
    let (openid, template_id) = (members.text("openid")?, members.text("template_id")?);
    let choice = members.choice("result", &[("accept", Choice::Accept), ("reject", Choice::Reject)])?;
    let count = members.optional("count")?.unwrap_or(1);
    members.finish()?;
    let choice = choice.ok_or(BadRequest::Missing("result"))?;
    shared.world.lock().put_grant(&appid, &openid, &template_id, choice, count);
    Ok(())
}

fn settings(shared: &Arc<Shared>, mut members: Members) -> Result<(), BadRequest> {
    let change = SettingsChange {
        latency_ms: members.optional("latency_ms")?,
        idle_close_ms: members.optional("idle_close_ms")?,
        tls_accept_delay_ms: members.optional("tls_accept_delay_ms")?,
        close_after_answer: members.optional("close_after_answer")?,
    };
    members.finish()?;
    shared.settings.send_modify(|settings| change.apply(settings));
    Ok(())
}

fn expire_tokens(shared: &Arc<Shared>, mut members: Members) -> Result<(), BadRequest> {
    let appid = known_account(shared, &mut members)?;
    let kinds = [("stable", TokenKinds::Stable), ("classic", TokenKinds::Classic), ("all", TokenKinds::All)];
    let kind = members.choice("kind", &kinds)?.unwrap_or(TokenKinds::All);
    let how = members.choice("how", &[("expired", TokenEnd::Expired), ("revoked", TokenEnd::Revoked)])?;
    members.finish()?;
    shared.world.lock().expire_tokens(&appid, kind, how.unwrap_or(TokenEnd::Expired));
    Ok(())
}

fn quota(shared: &Arc<Shared>, mut members: Members) -> Result<(), BadRequest> {
    let appid = known_account(shared, &mut members)?;
    let path = members.text("path")?;
    let change =
        QuotaChange { daily_limit: members.optional("daily_limit")?, minute_limit: members.optional("minute_limit")? };
    members.finish()?;
    shared.world.lock().change_quota(&appid, &path, change);
    Ok(())
}
