//! Messages: opening and closing.

use std::time::Instant;

use redis::Value;

use super::delivery::read_delivery;
use super::fault::unreadable;
use super::name::{grant_name, policy_name, read_grant};
use super::reply::Items;
use super::script::{BEGIN, Call, FINISH, REFUSE};
use super::{RedisStore, expiry, milliseconds};
use crate::store::{Begin, Begun, End, LocalRefusal, MessageId, Pause, Settlement, StoreError};

impl RedisStore {
    pub(super) fn open_message(&self, begin: &Begin<'_>, until: Instant) -> Result<Begun, StoreError> {
        read_begun(self.run(&BEGIN, &message(begin), until)?)
    }

    pub(super) fn open_messages(&self, begins: &[Begin<'_>], until: Instant) -> Result<Vec<Begun>, StoreError> {
        let calls: Vec<Call<'_>> = begins.iter().map(message).collect();
        self.run_together(&BEGIN, &calls, until)?.into_iter().map(read_begun).collect()
    }

    pub(super) fn close_message(
        &self,
        begin: &Begin<'_>,
        epoch: u32,
        end: &End<'_>,
        until: Instant,
    ) -> Result<(), StoreError> {
        self.run(&FINISH, &closing(begin, epoch, end), until).map(drop)
    }

    pub(super) fn close_messages(
        &self,
        ends: &[(&Begin<'_>, u32, &End<'_>)],
        until: Instant,
    ) -> Result<(), StoreError> {
        let calls: Vec<Call<'_>> = ends.iter().map(|(begin, epoch, end)| closing(begin, *epoch, end)).collect();
        self.run_together(&FINISH, &calls, until).map(drop)
    }

    pub(super) fn refuse_message(
        &self,
        begin: &Begin<'_>,
        refusal: &LocalRefusal<'_>,
        until: Instant,
    ) -> Result<MessageId, StoreError> {
        let call = message(begin).with(refusal.errcode).with(refusal.errmsg);
        Items::new(self.run(&REFUSE, &call, until)?, "answer")?.parse()
    }
}

/// The arguments that message.lua reads.
pub(super) fn message<'a>(begin: &Begin<'a>) -> Call<'a> {
    let abandoned = begin.abandoned.map(|(id, epoch)| format!("{id}.{epoch}")).unwrap_or_default();
    Call::new(begin.appid)
        .with(begin.id)
        .with(begin.owner.as_str())
        .with(milliseconds(begin.lease))
        .with(begin.openid)
        .with(begin.shown_openid)
        .with(begin.template_id)
        .with(begin.channel.name())
        .optional(begin.key)
        .with(policy_name(begin.policy))
        .optional(begin.changed)
        .optional(begin.payload)
        .with(expiry(begin.retention))
        .with(abandoned)
        .with(u8::from(begin.counts_grants()))
        .with(begin.channel.path())
}

/// The arguments that finish.lua reads.
fn closing<'a>(begin: &Begin<'a>, epoch: u32, end: &End<'_>) -> Call<'a> {
    let (settlement, seen) = match end.settlement {
        Settlement::Spent => ("spent", 0),
        Settlement::GivenBack => ("back", 0),
        Settlement::Zero { seen } => ("zero", seen),
        Settlement::Kept => ("kept", 0),
    };
    message(begin)
        .with(epoch)
        .with(end.state.name())
        .with(u8::from(end.last_word))
        .with(settlement)
        .with(seen)
        .with(grant_name(end.grant))
        .optional(end.errcode)
        .with(end.errmsg)
        .optional(end.msgid)
        .optional(end.rid)
        .with(end.attempts)
        .with(end.api)
        .with(end.day)
        .optional(end.pause.as_ref().map(|pause| format!("{} {}", pause.errcode, pause.until)))
        .with(u8::from(end.from_wechat))
        .with(end.again.map_or_else(String::new, |wait| milliseconds(wait).to_string()))
}

pub(super) fn read_begun(value: Value) -> Result<Begun, StoreError> {
    let mut items = Items::new(value, "answer")?;
    Ok(match items.text()?.as_str() {
        "go" => Begun::Go {
            id: items.parse()?,
            epoch: items.parse()?,
            grant: read_grant(&items.text()?)?,
            seen: items.parse()?,
        },
        "paused" => {
            let id = items.parse()?;
            Begun::Paused { id, pause: Pause { errcode: items.parse()?, until: items.parse()? } }
        }
        "no_grant" => Begun::NoGrant { id: items.parse()?, certain: items.text()? == "1" },
        "known" => Begun::Known(read_delivery(items.value()?)?),
        "under_way" => {
            let owner = items.text()?;
            Begun::UnderWay(read_delivery(items.value()?)?, owner)
        }
        _ => return Err(unreadable("answer")),
    })
}
