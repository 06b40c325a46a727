//! `GET /cgi-bin/token` and `POST /cgi-bin/stable_token`.

use std::sync::Arc;

use axum::http::Method;
use serde_json::{Value, json};

use super::super::refusal::Refusal;
use super::super::token::Grant;
use super::super::world::World;
use super::{Call, Outcome};

/// Always a new token; the previous one ends after the account's overlap.
pub(super) fn classic(world: &mut World, call: &Call) -> Outcome {
    call.require(&Method::GET)?;
    let text = |name| call.query(name).map(|value| value.into_owned());
    let appid = world.authenticate(call, text("grant_type"), text("appid"), text("secret"))?;
    let World { clock, random, accounts, tokens, .. } = world;
    let account = accounts.get_mut(&appid).ok_or_else(|| Refusal::of(40013))?;
    let (lifetime, overlap) =
        (account.token_expires_in.saturating_mul(1000), account.token_overlap.saturating_mul(1000));
    let grant = tokens.fetch_classic(&mut account.classic, &appid, lifetime, overlap, clock.now(), random);
    Ok(answer(&grant).into())
}

/// The same token until its last five minutes, or a forced new one.
pub(super) fn stable(world: &mut World, call: &Call) -> Outcome {
    call.require(&Method::POST)?;
    if call.body.is_empty() {
        return Err(Refusal::of(44002));
    }
    let body: Value = serde_json::from_slice(&call.body).map_err(|_| Refusal::of(47001))?;
    let members = body.as_object().ok_or_else(|| Refusal::of(47001))?;
    let text = |name: &str| members.get(name).and_then(Value::as_str).map(str::to_owned);
    let force = match members.get("force_refresh") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(force)) => *force,
        Some(_) => return Err(Refusal::of(47001)),
    };
    let appid = world.authenticate(call, text("grant_type"), text("appid"), text("secret"))?;
    let World { clock, random, accounts, tokens, .. } = world;
    let account = accounts.get_mut(&appid).ok_or_else(|| Refusal::of(40013))?;
    let lifetime = account.token_expires_in.saturating_mul(1000);
    let grant = tokens.fetch_stable(&mut account.stable, &appid, lifetime, force, clock.now(), random)?;
    Ok(answer(&grant).into())
}

fn answer(grant: &Grant) -> String {
    json!({"access_token": grant.token, "expires_in": grant.expires_in}).to_string()
}

impl World {
    /// Checks what both endpoints are given, in the order of the documented errcodes, and counts the call.
    fn authenticate(
        &mut self,
        call: &Call,
        grant_type: Option<String>,
        appid: Option<String>,
        secret: Option<String>,
    ) -> Result<Arc<str>, Refusal> {
        if grant_type.as_deref() != Some("client_credential") {
            return Err(Refusal::of(40002));
        }
        let appid = appid.filter(|appid| !appid.is_empty()).ok_or_else(|| Refusal::of(41002))?;
        let now = self.clock.now();
        let account = self.accounts.get_mut(appid.as_str()).ok_or_else(|| Refusal::of(40013))?;
        let secret = secret.filter(|secret| !secret.is_empty()).ok_or_else(|| Refusal::of(41004))?;
        // The table names 40243 for /cgi-bin/token alone; a frozen secret cannot be good at the other endpoint either.
        if account.secret_frozen {
            return Err(Refusal::of(40243));
        }
        if secret != account.secret {
            return Err(Refusal::of(40125));
        }
        if account.ip_refused {
            let ip = call.peer;
            return Err(Refusal::with(40164, format!("invalid ip {ip} ipv6 ::ffff:{ip}, not in whitelist")));
        }
        account.count_call(call.path(), now)?;
        Ok(Arc::clone(&account.appid))
    }
}
