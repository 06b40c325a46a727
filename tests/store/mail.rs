//! Messages and their ends, with what most tests do not care about filled in.

use std::time::Duration;

use routine_template::config::GrantPolicy;
use routine_template::message::Channel;
use routine_template::store::*;

use crate::shop::{APP, DAY, HOUR, TEMPLATE};

/// A message, with everything that `begin` wants to know.
#[derive(Debug, Clone)]
pub struct Message {
    pub id: MessageId,
    pub owner: Owner,
    pub lease: Duration,
    pub appid: String,
    pub openid: String,
    pub shown_openid: Option<String>,
    pub template: String,
    pub channel: Channel,
    pub key: Option<String>,
    pub policy: GrantPolicy,
    pub changed: Option<String>,
    pub payload: Option<String>,
    pub retention: Duration,
    pub abandoned: Option<(MessageId, u32)>,
    pub queued: bool,
}

impl Message {
    pub fn to(openid: &str) -> Self {
        Self {
            id: MessageId::new(),
            owner: Owner::current(),
            lease: HOUR,
            appid: APP.to_owned(),
            openid: openid.to_owned(),
            shown_openid: None,
            template: TEMPLATE.to_owned(),
            channel: Channel::Subscribe,
            key: None,
            policy: GrantPolicy::Certain,
            changed: None,
            payload: None,
            retention: HOUR,
            abandoned: None,
            queued: false,
        }
    }

    pub fn keyed(openid: &str, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..Self::to(openid) }
    }

    /// The same message as another call would send it.
    pub fn again(&self) -> Self {
        Self { id: MessageId::new(), ..self.clone() }
    }

    pub fn with_policy(self, policy: GrantPolicy) -> Self {
        Self { policy, ..self }
    }

    pub fn with_lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    pub fn begin(&self) -> Begin<'_> {
        Begin {
            id: self.id,
            owner: &self.owner,
            lease: self.lease,
            appid: &self.appid,
            openid: &self.openid,
            shown_openid: self.shown_openid.as_deref().unwrap_or(&self.openid),
            template_id: &self.template,
            channel: self.channel,
            key: self.key.as_deref(),
            policy: self.policy,
            changed: self.changed.as_deref(),
            payload: self.payload.as_deref(),
            retention: self.retention,
            abandoned: self.abandoned,
            queued: self.queued,
        }
    }
}

/// What [`Begun::Go`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Going {
    pub id: MessageId,
    pub epoch: u32,
    pub grant: Grant,
    pub seen: u64,
}

/// How a message ends, all of it but what `begin` said.
#[derive(Debug, Clone)]
pub struct Verdict {
    pub state: State,
    pub last_word: bool,
    pub settlement: fn(u64) -> Settlement,
    pub errcode: Option<i64>,
    pub errmsg: String,
    pub msgid: Option<String>,
    pub rid: Option<String>,
    pub attempts: u32,
    pub pause: Option<Pause>,
    pub again: Option<Duration>,
}

impl Verdict {
    fn of(state: State, last_word: bool, settlement: fn(u64) -> Settlement, errcode: Option<i64>) -> Self {
        let errmsg = errcode.map_or("timed out", |_| "as WeChat says").to_owned();
        Self {
            state,
            last_word,
            settlement,
            errcode,
            errmsg,
            msgid: None,
            rid: None,
            attempts: 1,
            pause: None,
            again: None,
        }
    }

    pub fn delivered() -> Self {
        let msgid = Some("2817683374268366856".to_owned());
        Self { msgid, ..Self::of(State::Delivered, true, |_| Settlement::Spent, Some(0)) }
    }

    /// The payload is wrong.
    pub fn refused() -> Self {
        Self::of(State::Refused, true, |_| Settlement::GivenBack, Some(47003))
    }

    /// 43101.
    pub fn no_grant() -> Self {
        Self::of(State::Refused, true, |seen| Settlement::Zero { seen }, Some(43101))
    }

    pub fn not_sent() -> Self {
        Self::of(State::NotSent, false, |_| Settlement::GivenBack, None)
    }

    pub fn unknown() -> Self {
        Self::of(State::Unknown, true, |_| Settlement::Kept, None)
    }

    /// Called too often: another try later may well succeed.
    pub fn paused(until: Millis) -> Self {
        let pause = Some(Pause { errcode: 45009, until });
        Self { pause, ..Self::of(State::Refused, false, |_| Settlement::GivenBack, Some(45009)) }
    }

    /// The same, of a message of the outbox that is to be tried again after so long.
    pub fn again(self, wait: Duration) -> Self {
        Self { again: Some(wait), last_word: false, ..self }
    }

    /// With the API that carries `message`.
    pub fn end(&self, going: Going, message: &Message) -> End<'_> {
        End {
            state: self.state,
            last_word: self.last_word,
            settlement: (self.settlement)(going.seen),
            grant: going.grant,
            errcode: self.errcode,
            from_wechat: self.errcode.is_some() && self.attempts > 0,
            errmsg: &self.errmsg,
            msgid: self.msgid.as_deref(),
            rid: self.rid.as_deref(),
            attempts: self.attempts,
            api: message.channel.path(),
            day: DAY,
            pause: self.pause.clone(),
            again: self.again,
        }
    }
}
