//! The account: its settings, its token, its quotas, and how this process does.

use std::time::UNIX_EPOCH;

use ext_php_rs::types::{ZendHashTable, Zval};

use super::super::call::Call;
use super::super::{class, request, supplier};
use super::result::{array, json, no_memory, php};
use crate::error::Error;
use crate::process::Process;
use crate::stats::Stats;

pub(super) fn app(call: &Call<'_>) -> Result<Zval, Error> {
    let appid = call.required_text(0)?;
    if appid.is_empty() {
        return Err(Error::value(
            "RoutineTemplate::app()：$appid 不能为空",
            "RoutineTemplate::app(): Argument #1 ($appid) must not be empty",
        ));
    }
    request::with(|context| context.app(Some(&appid)))?;
    class::new_app(&appid).map_err(no_memory)
}

pub(super) fn version(_: &Call<'_>) -> Result<Zval, Error> {
    php(env!("CARGO_PKG_VERSION"))
}

pub(super) fn configure(call: &Call<'_>) -> Result<Zval, Error> {
    let changes = call.array(0)?;
    let supplier = call.argument(0).and_then(supplier::given);
    request::configure(call.appid.as_deref(), &changes, supplier)?;
    Ok(Zval::null())
}

pub(super) fn access_token(call: &Call<'_>) -> Result<Zval, Error> {
    let refresh = call.flag(0)?;
    php(request::app(call.appid.as_deref())?.access_token(refresh)?)
}

pub(super) fn quota(call: &Call<'_>) -> Result<Zval, Error> {
    json(&request::app(call.appid.as_deref())?.quota(&call.required_text(0)?)?)
}

pub(super) fn clear_quota(call: &Call<'_>) -> Result<Zval, Error> {
    let path = call.text(0)?;
    json(&request::app(call.appid.as_deref())?.clear_quota(path.as_deref())?)
}

pub(super) fn rid(call: &Call<'_>) -> Result<Zval, Error> {
    json(&request::app(call.appid.as_deref())?.rid(&call.required_text(0)?)?)
}

pub(super) fn stats(call: &Call<'_>) -> Result<Zval, Error> {
    let process = Process::existing();
    let blank = Stats::default();
    let mut row = ZendHashTable::with_capacity(32);
    let started =
        process.and_then(|process| process.started().duration_since(UNIX_EPOCH).ok()).map_or(0, |age| age.as_secs());
    let mut insert = |name: &str, value: u64| row.insert(name, i64::try_from(value).unwrap_or(i64::MAX));
    insert("pid", u64::from(std::process::id())).map_err(no_memory)?;
    insert("process_started", started).map_err(no_memory)?;
    for (name, value) in process.map_or(&blank, |process| &process.stats).rows() {
        insert(name, value).map_err(no_memory)?;
    }
    let app = request::app(call.appid.as_deref())?;
    let condition = app.store_condition();
    row.insert("store", condition.place).map_err(no_memory)?;
    row.insert("store_state", condition.state).map_err(no_memory)?;
    row.insert("store_error", condition.error).map_err(no_memory)?;
    let route = app.route_condition();
    row.insert("circuit", route.circuit).map_err(no_memory)?;
    row.insert("host", route.host).map_err(no_memory)?;
    array(row).map_err(no_memory)
}
