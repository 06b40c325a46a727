//! Messages of the outbox on their way to whoever sends them.

use std::time::Instant;

use redis::Value;

use super::fault::unreadable;
use super::name::{read_grant, read_policy};
use super::reply::Items;
use super::script::{CLAIM, Call};
use super::{RedisStore, expiry, milliseconds};
use crate::message::Channel;
use crate::store::{Claim, Claimed, Job, Pause, State, StoreError, UNSURE_LIMIT};

/// Messages that one script looks at: some milliseconds in which Redis serves nobody else.
const AT_ONCE: usize = 256;

impl RedisStore {
    pub(super) fn claim_messages(&self, claim: &Claim<'_>, until: Instant) -> Result<Claimed, StoreError> {
        let call = Call::new(claim.appid)
            .with(claim.id)
            .with(claim.owner.as_str())
            .with(claim.channel.name())
            .with(claim.channel.path())
            .with(claim.limit.clamp(1, AT_ONCE))
            .with(milliseconds(claim.margin))
            .with(expiry(claim.retention))
            .with(u8::from(claim.channel != Channel::Template))
            .with(UNSURE_LIMIT);
        let claimed = read_claimed(self.run(&CLAIM, &call, until)?)?;
        if !claimed.jobs.is_empty() {
            // Should the note of an account have been lost, those who send its messages make it again. Without it they are
            // sent all the same.
            let _ = self.note_account(claim.appid, until);
        }
        Ok(claimed)
    }
}

pub(super) fn read_claimed(value: Value) -> Result<Claimed, StoreError> {
    let mut items = Items::new(value, "claim")?;
    match items.text()?.as_str() {
        "paused" => {
            let pause = Pause { errcode: items.parse()?, until: items.parse()? };
            Ok(Claimed { pause: Some(pause), ..Claimed::default() })
        }
        "claimed" => {
            let mut claimed = Claimed { more: items.text()? == "1", ..Claimed::default() };
            let mut jobs = Items::new(items.value()?, "claim")?;
            while !jobs.is_empty() {
                claimed.jobs.push(read_job(jobs.value()?)?);
            }
            let mut ended = Items::new(items.value()?, "claim")?;
            while !ended.is_empty() {
                let mut message = Items::new(ended.value()?, "claim")?;
                let id = message.parse()?;
                let state = State::from_name(&message.text()?).ok_or_else(|| unreadable("state"))?;
                claimed.ended.push((id, state));
            }
            Ok(claimed)
        }
        _ => Err(unreadable("claim")),
    }
}

fn read_job(value: Value) -> Result<Job, StoreError> {
    let mut items = Items::new(value, "message")?;
    Ok(Job {
        id: items.parse()?,
        epoch: items.parse()?,
        grant: read_grant(&items.text()?)?,
        seen: items.parse()?,
        openid: items.text()?,
        shown_openid: items.text()?,
        template_id: items.text()?,
        key: items.optional()?,
        policy: read_policy(&items.text()?)?,
        body: items.bytes()?,
        timeout: items.duration()?,
        tries: items.parse()?,
        unsure: items.parse()?,
        resend_unknown: items.text()? == "1",
        expires_in: items.duration()?,
    })
}
