//! The account: its settings, its token, its quotas, and how this process does.

use std::time::UNIX_EPOCH;

use serde_json::{Map, Value};

use super::super::call::Call;
use super::super::request;
use super::super::returned::Returned;
use crate::error::Error;
use crate::process::Process;
use crate::stats::Stats;

pub(super) fn app(call: &Call<'_>) -> Result<Returned, Error> {
    let appid = call.required_text(0)?;
    if appid.is_empty() {
        return Err(Error::value(
            "RoutineTemplate::app()：$appid 不能为空",
            "RoutineTemplate::app(): Argument #1 ($appid) must not be empty",
        ));
    }
    request::with(|context| context.app(Some(&appid)))?;
    Ok(Returned::Account(appid.into_owned()))
}

pub(super) fn version(_: &Call<'_>) -> Result<Returned, Error> {
    Ok(Returned::Text(env!("CARGO_PKG_VERSION").to_owned()))
}

pub(super) fn configure(call: &Call<'_>) -> Result<Returned, Error> {
    let (changes, supplier) = (call.array(0)?, call.supplier(0));
    request::configure(call.appid, &changes, supplier)?;
    Ok(Returned::Nothing)
}

pub(super) fn access_token(call: &Call<'_>) -> Result<Returned, Error> {
    let refresh = call.flag(0)?;
    call.app()?.access_token(refresh).map(Returned::Text)
}

pub(super) fn quota(call: &Call<'_>) -> Result<Returned, Error> {
    call.app()?.quota(&call.required_text(0)?).map(Returned::Json)
}

pub(super) fn clear_quota(call: &Call<'_>) -> Result<Returned, Error> {
    let path = call.text(0)?;
    call.app()?.clear_quota(path.as_deref()).map(Returned::Json)
}

pub(super) fn rid(call: &Call<'_>) -> Result<Returned, Error> {
    call.app()?.rid(&call.required_text(0)?).map(Returned::Json)
}

pub(super) fn stats(call: &Call<'_>) -> Result<Returned, Error> {
    let app = call.app()?;
    let process = Process::existing();
    let blank = Stats::default();
    let started =
        process.and_then(|process| process.started().duration_since(UNIX_EPOCH).ok()).map_or(0, |age| age.as_secs());
    let mut row = Map::new();
    row.insert("pid".to_owned(), std::process::id().into());
    row.insert("process_started".to_owned(), started.into());
    for (name, value) in process.map_or(&blank, |process| &process.stats).rows() {
        row.insert(name.to_owned(), value.into());
    }
    let (store, route) = (app.store_condition(), app.route_condition());
    let texts: [(&str, Value); 5] = [
        ("store", store.place.into()),
        ("store_state", store.state.into()),
        ("store_error", store.error.into()),
        ("circuit", route.circuit.into()),
        ("host", route.host.into()),
    ];
    row.extend(texts.map(|(name, value)| (name.to_owned(), value)));
    Ok(Returned::Json(Value::Object(row)))
}
