//! The access token: turns, leases and refusals.

use std::time::{Duration, Instant};

use redis::Value;
use uuid::Uuid;

use super::fault::unreadable;
use super::reply::Items;
use super::script::{Call, PUT_TOKEN, REFUSE_TOKEN, RELEASE_TOKEN, TOKEN};
use super::{RedisStore, expiry, milliseconds};
use crate::config::Secret;
use crate::store::{StoreError, StoredRefusal, StoredToken, TokenAsk, TokenTurn};

impl RedisStore {
    pub(super) fn ask_token(&self, ask: &TokenAsk<'_>, until: Instant) -> Result<TokenTurn, StoreError> {
        // The call has a name, so that one which got the lease and whose answer was lost gets the same answer again.
        let call = Call::new(ask.account)
            .with(Uuid::now_v7())
            .with(ask.owner.as_str())
            .with(ask.held)
            .optional(ask.refused)
            .with(u8::from(ask.force))
            .with(milliseconds(ask.lease))
            .with(milliseconds(ask.fresh))
            .optional(ask.ended)
            .with(ask.account)
            .with(ask.account_here);
        read_turn(self.run(&TOKEN, &call, until)?)
    }

    pub(super) fn store_token(
        &self,
        account: &str,
        fence: u64,
        token: &str,
        renew_in: Duration,
        ends_in: Duration,
        until: Instant,
    ) -> Result<bool, StoreError> {
        let call = Call::new(account)
            .with(fence)
            .with(token)
            .with(milliseconds(renew_in))
            .with(milliseconds(ends_in))
            .with(account);
        match self.run(&PUT_TOKEN, &call, until)? {
            Value::Int(stored) => Ok(stored == 1),
            _ => Err(unreadable("answer")),
        }
    }

    pub(super) fn store_refusal(
        &self,
        ask_account: &str,
        account: &str,
        fence: u64,
        refusal: &StoredRefusal,
        until: Instant,
    ) -> Result<(), StoreError> {
        let call = Call::new(ask_account)
            .with(account)
            .with(fence)
            .with(refusal.errcode)
            .with(&refusal.errmsg)
            .with(expiry(refusal.stands));
        self.run(&REFUSE_TOKEN, &call, until).map(drop)
    }

    pub(super) fn end_lease(
        &self,
        account: &str,
        fence: u64,
        rest: Duration,
        until: Instant,
    ) -> Result<(), StoreError> {
        let call = Call::new(account).with(fence).with(milliseconds(rest));
        self.run(&RELEASE_TOKEN, &call, until).map(drop)
    }
}

pub(super) fn read_turn(value: Value) -> Result<TokenTurn, StoreError> {
    let mut items = Items::new(value, "turn")?;
    Ok(match items.text()?.as_str() {
        "token" => TokenTurn::Token(read_token(items.value()?)?.ok_or_else(|| unreadable("token"))?),
        "just_fetched" => TokenTurn::JustFetched,
        "refused" => {
            let (errcode, stands) = (items.parse()?, items.duration()?);
            TokenTurn::Refused(StoredRefusal { errcode, stands, errmsg: items.text()? })
        }
        "fetch" => TokenTurn::Fetch { fence: items.parse()?, current: read_token(items.value()?)? },
        "busy" => {
            TokenTurn::Busy { owner: items.text()?, left: items.duration()?, current: read_token(items.value()?)? }
        }
        _ => return Err(unreadable("turn")),
    })
}

pub(super) fn read_token(value: Value) -> Result<Option<StoredToken>, StoreError> {
    let mut items = Items::new(value, "token")?;
    if items.is_empty() {
        return Ok(None);
    }
    Ok(Some(StoredToken {
        token: Secret::new(items.text()?),
        fence: items.parse()?,
        age: items.duration()?,
        renew_in: items.duration()?,
        ends_in: items.duration()?,
    }))
}
