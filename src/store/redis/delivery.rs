//! The record: what became of messages.

use std::time::Instant;

use redis::Value;

use super::RedisStore;
use super::fault::unreadable;
use super::name::read_channel;
use super::reply::{Fields, Items};
use super::script::{Call, DELIVERIES, DELIVERY, RECEIPT};
use crate::store::{Delivery, Filter, MessageId, RECEIPT_ROWS, Receipt, State, StoreError};

/// Rows that one script looks at: a few milliseconds in which Redis serves nobody else.
const AT_ONCE: usize = 500;
/// Rows that one answer brings: with what they keep of the payload, a slow line and a busy machine take them in well within the
/// time of one exchange.
const SHOWN: usize = 100;

impl RedisStore {
    pub(super) fn find_delivery(
        &self,
        appid: &str,
        id: MessageId,
        until: Instant,
    ) -> Result<Option<Delivery>, StoreError> {
        match self.run(&DELIVERY, &Call::new(appid).with(id), until)? {
            Value::Nil => Ok(None),
            row => read_delivery(row).map(Some),
        }
    }

    pub(super) fn list_deliveries(
        &self,
        appid: &str,
        filter: &Filter<'_>,
        until: Instant,
    ) -> Result<Vec<Delivery>, StoreError> {
        let limit = filter.limit.clamp(1, 1000);
        let since = MessageId::floor(filter.since.unwrap_or(0));
        let mut before = filter.before.map(|id| id.to_string()).unwrap_or_default();
        let mut rows = Vec::new();
        loop {
            let call = Call::new(appid)
                .optional(filter.openid)
                .optional(filter.template_id)
                .optional(filter.key)
                .optional(filter.state.map(State::name))
                .with(&before)
                .with(since)
                .with((limit - rows.len()).min(SHOWN))
                .with(AT_ONCE);
            let mut items = Items::new(self.run(&DELIVERIES, &call, until)?, "rows")?;
            before = items.text()?;
            while !items.is_empty() {
                rows.push(read_delivery(items.value()?)?);
            }
            if before.is_empty() || rows.len() >= limit {
                return Ok(rows);
            }
        }
    }

    pub(super) fn write_receipt(&self, receipt: &Receipt<'_>, until: Instant) -> Result<Option<MessageId>, StoreError> {
        let call = Call::new(receipt.appid)
            .with(receipt.shown_openid)
            .with(receipt.msgid)
            .with(receipt.text)
            .with(RECEIPT_ROWS);
        let mut items = Items::new(self.run(&RECEIPT, &call, until)?, "receipt")?;
        if items.is_empty() { Ok(None) } else { items.parse().map(Some) }
    }
}

/// A row as scripts show it.
pub(super) fn read_delivery(value: Value) -> Result<Delivery, StoreError> {
    let mut fields = Fields::new(value, "delivery row")?;
    let state = State::from_name(&fields.require("state")?).ok_or_else(|| unreadable("state"))?;
    Ok(Delivery {
        id: fields.parse("id")?,
        epoch: fields.parse("epoch")?,
        openid: fields.require("openid")?,
        template_id: fields.require("template")?,
        channel: read_channel(&fields.require("channel")?)?,
        key: fields.take("key"),
        state,
        errcode: fields.parse_optional("errcode")?,
        errmsg: fields.take("errmsg").unwrap_or_default(),
        from_wechat: fields.take("wechat").is_some(),
        msgid: fields.take("msgid"),
        rid: fields.take("rid"),
        attempts: fields.parse_optional("attempts")?.unwrap_or(0),
        changed: fields.take("changed"),
        payload: fields.take("payload"),
        begun: fields.parse("begun")?,
        finished: fields.parse_optional("finished")?,
        due: if state == State::Queued { fields.parse_optional("due")? } else { None },
        receipt: fields.take("receipt"),
    })
}
