//! One message, and what tests do with it.

use std::time::{Duration, Instant};

use routine_template::config::GrantPolicy;
use routine_template::message::Channel;
use routine_template::store::*;

pub const APPID: &str = "wx0123456789abcdef";
pub const OPENID: &str = "oUser-1_of:a}{shop";
pub const TEMPLATE: &str = "Template_1";
pub const DAY: u32 = 20_261_121;
pub const API: &str = "/cgi-bin/message/subscribe/send";

/// A store at this URL.
pub fn open(url: &str) -> RedisStore {
    RedisStore::open(url, None, soon()).unwrap()
}

/// Time enough for anything that works.
pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

/// A message of this user.
pub fn begin<'a>(owner: &'a Owner, key: Option<&'a str>) -> Begin<'a> {
    Begin {
        id: MessageId::new(),
        owner,
        lease: Duration::from_secs(10),
        appid: APPID,
        openid: OPENID,
        shown_openid: OPENID,
        template_id: TEMPLATE,
        channel: Channel::Subscribe,
        key,
        policy: GrantPolicy::Certain,
        changed: None,
        payload: Some("{\"thing1\":\"好的 😀\"}"),
        retention: Duration::from_secs(86_400),
        abandoned: None,
        queued: false,
    }
}

/// Delivered.
pub fn delivered(grant: Grant) -> End<'static> {
    End {
        state: State::Delivered,
        last_word: true,
        settlement: Settlement::Spent,
        grant,
        errcode: Some(0),
        from_wechat: true,
        errmsg: "ok",
        msgid: Some("36893488147419103233"),
        rid: None,
        attempts: 1,
        api: API,
        day: DAY,
        pause: None,
        again: None,
    }
}

/// One accept of this user.
pub fn accept(store: &RedisStore, token: &str) -> Result<Recorded, StoreError> {
    store.record_grants(
        &GrantReport {
            appid: APPID,
            openid: OPENID,
            choices: &[(TEMPLATE, Choice::Accept)],
            long_term: false,
            source: Source::Client,
            at: None,
            token,
            remember: Duration::from_secs(60),
        },
        soon(),
    )
}

/// A call of a store that is expected to fail.
pub fn failure(store: &RedisStore, until: Instant) -> StoreError {
    store.begin(&begin(&Owner::current(), None), until).unwrap_err()
}

/// The one ledger row of this user.
pub fn ledger(store: &RedisStore) -> LedgerRow {
    store.grants(APPID, OPENID, Some(TEMPLATE), soon()).unwrap().pop().map(|(_, row)| row).unwrap_or_default()
}
