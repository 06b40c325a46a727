//! clear_quota, openapi/quota and openapi/rid.

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::super::account::AccountKind;
use super::super::clock::Millis;
use super::super::refusal::Refusal;
use super::super::world::World;
use super::{Answer, Call, ENDPOINTS, Outcome, send};

/// clear_quota and its v2 share ten calls a month; quota/clear has fifty.
const CLEAR_QUOTA_PER_MONTH: u32 = 10;
const CLEAR_PATH_PER_MONTH: u32 = 50;
/// rid/get tells of seven days.
const RID_LIFETIME: Millis = 7 * 86_400_000;
/// The published daily limits, told by quota/get where none is set up: 10,000,000 subscribe messages without WeChat
/// Pay, 100,000 template messages. They are not enforced unless a test sets a limit.
const DAILY: [(&str, u64); 4] = [
    (send::SUBSCRIBE, 10_000_000),
    (send::BIZSEND, 10_000_000),
    (send::TEMPLATE, 100_000),
    ("/cgi-bin/stable_token", 500_000),
];

fn ok() -> Outcome {
    Ok(Answer::from(r#"{"errcode":0,"errmsg":"ok"}"#.to_owned()))
}

fn body(call: &Call) -> Result<Map<String, Value>, Refusal> {
    if call.body.is_empty() {
        return Err(Refusal::of(44002));
    }
    serde_json::from_slice(&call.body).map_err(|_| Refusal::of(47001))
}

fn text(body: &Map<String, Value>, key: &str) -> Option<String> {
    body.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// A path of a known endpoint, in the body's cgi_path: of this kind of account, and none under /sns.
fn cgi_path(body: &Map<String, Value>, kind: AccountKind) -> Result<&'static str, Refusal> {
    let path = text(body, "cgi_path").ok_or_else(|| Refusal::of(76021))?;
    if path.starts_with("/sns/") {
        return Err(Refusal::of(76022));
    }
    let known = ENDPOINTS.iter().map(|(known, _)| *known).find(|known| *known == path);
    let known = known.ok_or_else(|| Refusal::of(76021))?;
    let foreign = match kind {
        AccountKind::MiniProgram => [send::BIZSEND, send::TEMPLATE, send::ONE_TIME].contains(&known),
        AccountKind::Official => known == send::SUBSCRIBE,
    };
    if foreign { Err(Refusal::of(76022)) } else { Ok(known) }
}

/// `clear_quota`, with a token.
pub(super) fn clear_quota(world: &mut World, call: &Call) -> Outcome {
    let appid = world.authorise(call, &Method::POST)?;
    if text(&body(call)?, "appid").as_deref() != Some(&appid) {
        return Err(Refusal::of(40013));
    }
    clear_all(world, &appid)
}

/// `clear_quota/v2`, with the secret, in the query or in the body.
pub(super) fn clear_quota_by_secret(world: &mut World, call: &Call) -> Outcome {
    call.require(&Method::POST)?;
    let body: Map<String, Value> = serde_json::from_slice(&call.body).unwrap_or_default();
    let parameter = |name: &str| {
        call.query(name).map(|value| value.into_owned()).filter(|value| !value.is_empty()).or_else(|| text(&body, name))
    };
    let appid = parameter("appid").ok_or_else(|| Refusal::of(41002))?;
    let secret = parameter("appsecret").ok_or_else(|| Refusal::of(41004))?;
    let account = world.accounts.get(appid.as_str()).ok_or_else(|| Refusal::of(40013))?;
    if account.secret != secret {
        return Err(Refusal::of(40125));
    }
    clear_all(world, &appid)
}

fn clear_all(world: &mut World, appid: &str) -> Outcome {
    let now = world.clock.now();
    let account = world.owner(appid)?;
    if !account.clear_quota.take(CLEAR_QUOTA_PER_MONTH, now) {
        return Err(Refusal::of(48006));
    }
    account.usage.values_mut().for_each(super::super::account::Usage::clear);
    ok()
}

/// `openapi/quota/get`.
pub(super) fn quota(world: &mut World, call: &Call) -> Outcome {
    let appid = world.authorise(call, &Method::POST)?;
    let body = body(call)?;
    let now = world.clock.now();
    let account = world.owner(&appid)?;
    let path = cgi_path(&body, account.kind)?;
    let usage = account.usage(path);
    let (used, this_minute) = usage.used(now);
    let published = DAILY.iter().find(|(known, _)| *known == path).map_or(100_000, |(_, limit)| *limit);
    let daily = usage.daily_limit.unwrap_or(published);
    let mut answer = json!({
        "errcode": 0, "errmsg": "ok",
        "quota": {"daily_limit": daily, "used": used, "remain": daily.saturating_sub(used)},
    });
    if let (Some(limit), Some(members)) = (usage.minute_limit, answer.as_object_mut()) {
        let rate = json!({"call_count": limit.saturating_sub(this_minute), "refresh_second": 60 - now / 1000 % 60});
        members.insert("rate_limit".to_owned(), rate);
    }
    Ok(Answer::from(answer.to_string()))
}

/// `openapi/quota/clear`.
pub(super) fn clear_path(world: &mut World, call: &Call) -> Outcome {
    let appid = world.authorise(call, &Method::POST)?;
    let body = body(call)?;
    let now = world.clock.now();
    let account = world.owner(&appid)?;
    let path = cgi_path(&body, account.kind)?;
    if !account.clear_path.take(CLEAR_PATH_PER_MONTH, now) {
        return Err(Refusal::of(45009));
    }
    account.usage(path).clear();
    ok()
}

/// `openapi/rid/get`.
pub(super) fn rid(world: &mut World, call: &Call) -> Outcome {
    let appid = world.authorise(call, &Method::POST)?;
    let rid = text(&body(call)?, "rid").ok_or_else(|| Refusal::of(76002))?;
    let parts: Vec<&str> = rid.split('-').collect();
    if parts.len() != 3
        || !parts.iter().all(|part| part.len() == 8 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
    {
        return Err(Refusal::of(76002));
    }
    let known = world.refused.find(&rid).ok_or_else(|| Refusal::of(76001))?;
    if known.appid.as_ref() != Some(&appid) {
        return Err(Refusal::of(76003));
    }
    if world.clock.now().saturating_sub(known.refused.time) > RID_LIFETIME {
        return Err(Refusal::of(76004));
    }
    Ok(Answer::from(json!({"errcode": 0, "errmsg": "ok", "request": known.request}).to_string()))
}
