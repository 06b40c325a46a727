//! Messages: opening, closing, and the record.

use std::time::Instant;

use redis::Value;

use super::fault::unreadable;
use super::reply::{Fields, Items};
use super::script::{BEGIN, Call, DELIVERIES, DELIVERY, FINISH, REFUSE};
use super::{RedisStore, expiry, milliseconds};
use crate::config::GrantPolicy;
use crate::message::Channel;
use crate::store::{
    Begin, Begun, Delivery, End, Filter, Grant, LocalRefusal, MessageId, Pause, Settlement, State, StoreError,
};

/// Rows that one script looks at: a few milliseconds in which Redis serves nobody else.
const AT_ONCE: usize = 500;

impl RedisStore {
    pub(super) fn open_message(&self, begin: &Begin<'_>, until: Instant) -> Result<Begun, StoreError> {
        let mut items = Items::new(self.run(&BEGIN, &message(begin), until)?, "answer")?;
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

    pub(super) fn close_message(
        &self,
        begin: &Begin<'_>,
        epoch: u32,
        end: &End<'_>,
        until: Instant,
    ) -> Result<(), StoreError> {
        let (settlement, seen) = match end.settlement {
            Settlement::Spent => ("spent", 0),
            Settlement::GivenBack => ("back", 0),
            Settlement::Zero { seen } => ("zero", seen),
            Settlement::Kept => ("kept", 0),
        };
        let call = message(begin)
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
            .with(u8::from(end.from_wechat));
        self.run(&FINISH, &call, until).map(drop)
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
                .with(limit - rows.len())
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
}

/// The arguments that message.lua reads.
fn message<'a>(begin: &Begin<'a>) -> Call<'a> {
    let policy = match begin.policy {
        GrantPolicy::Off => "off",
        GrantPolicy::Certain => "certain",
        GrantPolicy::Strict => "strict",
    };
    let abandoned = begin.abandoned.map(|(id, epoch)| format!("{id}.{epoch}")).unwrap_or_default();
    Call::new(begin.appid)
        .with(begin.id)
        .with(begin.owner.as_str())
        .with(milliseconds(begin.lease))
        .with(begin.openid)
        .with(begin.shown_openid)
        .with(begin.template_id)
        .with(channel_name(begin.channel))
        .optional(begin.key)
        .with(policy)
        .optional(begin.changed)
        .optional(begin.payload)
        .with(expiry(begin.retention))
        .with(abandoned)
        .with(u8::from(begin.counts_grants()))
        .with(begin.channel.path())
}

fn channel_name(channel: Channel) -> &'static str {
    match channel {
        Channel::Subscribe => "subscribe",
        Channel::Bizsend => "bizsend",
        Channel::Template => "template",
    }
}

fn read_channel(name: &str) -> Result<Channel, StoreError> {
    [Channel::Subscribe, Channel::Bizsend, Channel::Template]
        .into_iter()
        .find(|channel| channel_name(*channel) == name)
        .ok_or_else(|| unreadable("channel"))
}

fn grant_name(grant: Grant) -> &'static str {
    match grant {
        Grant::Reserved => "reserved",
        Grant::OnCredit => "on_credit",
        Grant::LongTerm => "long_term",
        Grant::Uncounted => "uncounted",
    }
}

fn read_grant(name: &str) -> Result<Grant, StoreError> {
    [Grant::Reserved, Grant::OnCredit, Grant::LongTerm, Grant::Uncounted]
        .into_iter()
        .find(|grant| grant_name(*grant) == name)
        .ok_or_else(|| unreadable("grant"))
}

fn read_delivery(value: Value) -> Result<Delivery, StoreError> {
    let mut fields = Fields::new(value, "delivery row")?;
    Ok(Delivery {
        id: fields.parse("id")?,
        epoch: fields.parse("epoch")?,
        openid: fields.require("openid")?,
        template_id: fields.require("template")?,
        channel: read_channel(&fields.require("channel")?)?,
        key: fields.take("key"),
        state: State::from_name(&fields.require("state")?).ok_or_else(|| unreadable("state"))?,
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
        due: None,
    })
}
