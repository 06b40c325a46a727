//! The way of a queued message, from the outbox to its end: the same stages as [`super::send`], for whoever delivers.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::FutureExt;

use super::App;
use super::admission::{MARGIN, Ticket};
use super::close::{self, Words};
use super::post::{CallContext, Posted};
use crate::answer::Answer;
use crate::config::TokenMode;
use crate::connections::Connections;
use crate::error::Error;
use crate::language::Text;
use crate::message::Channel;
use crate::network::deadline::Deadline;
use crate::outbox::backoff;
use crate::process::Process;
use crate::store::handle::Outage;
use crate::store::{Begin, Claim, Claimed, End, Job, MessageId, Settlement, State, UNSURE_LIMIT};
use crate::token::TokenFailure;
use crate::wechat::errcode::Outcome;

/// A deliverer has no caller who waits: its transactions may take as long as the store's patience.
const UNHURRIED: Duration = Duration::from_secs(15);
/// Between a message's own limit and the end of its lease: time to write down how several of them ended.
const LEASE_MARGIN: Duration = Duration::from_secs(10);
/// More in one transaction would make the store's other callers wait.
const CLAIM_LIMIT: usize = 64;
/// WeChat wants messages to one user apart (43108), so the first rest is longer than others'.
const USER_REST: Duration = Duration::from_secs(5);
const WAS_DELIVERED: &str = "43101 after an attempt without a verdict, which had thus delivered it";

/// Who delivers for an account, and with which connections.
#[derive(Clone, Copy)]
pub struct DeliveryContext<'a> {
    /// The process.
    pub process: &'static Process,
    /// The deliverer's own connections.
    pub connections: &'a Connections,
}

/// Why nothing of an account can be sent at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// WeChat cannot be reached.
    Route,
    /// WeChat issues no token.
    Token,
    /// The settings do not do.
    Settings,
    /// The store does not answer.
    Store,
}

impl Hold {
    /// Its name in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Token => "token",
            Self::Settings => "settings",
            Self::Store => "store",
        }
    }
}

/// A message of the outbox that was tried.
pub struct Tried {
    job: Job,
    channel: Channel,
    posted: Posted,
    words: Words,
    fate: Fate,
}

/// What a try means for its message.
enum Fate {
    /// The verdict says it.
    Ends,
    /// A try before had delivered it.
    WasDelivered,
    /// It is tried again after so long.
    Again(Duration),
}

/// What a try says about the account's other messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// WeChat answers.
    Answers,
    /// It does not, or not in time.
    Silent,
    /// It takes no token of the account's.
    NoToken,
}

impl App {
    /// Whether a message that is claimed now would find a way and a token. A token is fetched here, before any message counts
    /// as being sent.
    pub async fn may_deliver(&self, context: DeliveryContext<'_>) -> Result<(), Hold> {
        self.require_account().map_err(|_| Hold::Settings)?;
        let deadline = Deadline::after(self.settings.timeout);
        let call =
            CallContext::over(self, context.process, context.connections, deadline).map_err(|_| Hold::Settings)?;
        if call.wire(self).refusal().is_some() {
            return Err(Hold::Route);
        }
        if self.settings.token_mode == TokenMode::External {
            return Ok(());
        }
        match call.token(self, false).await {
            Ok(_) => Ok(()),
            Err(TokenFailure::Transport(_)) => Err(Hold::Route),
            Err(TokenFailure::Refused { .. }) => Err(Hold::Token),
        }
    }

    /// Takes messages from the outbox; `id` is that of the claim, the same as before if nobody knows what that one has taken.
    pub fn claim(
        &self,
        context: DeliveryContext<'_>,
        id: MessageId,
        channel: Channel,
        limit: usize,
    ) -> Result<Claimed, Outage> {
        let claim = Claim {
            id,
            owner: context.process.owner(),
            appid: &self.settings.appid,
            channel,
            limit: limit.min(CLAIM_LIMIT),
            margin: LEASE_MARGIN + MARGIN,
            retention: self.settings.retention,
        };
        let store = context.connections.store(&self.settings);
        store.run(Deadline::after(UNHURRIED), &context.process.stats, |store, until| store.claim(&claim, until))
    }

    /// Sends one of them. One that trips a fault of ours takes no other with it: nobody knows what became of it.
    pub async fn deliver(&self, context: DeliveryContext<'_>, channel: Channel, job: Job) -> Tried {
        let posted = match AssertUnwindSafe(self.post_job(context, channel, &job)).catch_unwind().await {
            Ok(posted) => {
                context.process.stats.outcome(&posted.result);
                posted
            }
            Err(_) => {
                let text = Text::new("内部错误，消息可能已送达", "internal error, it may have been delivered");
                Posted { result: Err(Error::Transport { text, ambiguous: true }), attempts: 1, pause: None }
            }
        };
        let words = self.words(&posted);
        let fate = fate(&job, &posted);
        Tried { job, channel, posted, words, fate }
    }

    async fn post_job(&self, context: DeliveryContext<'_>, channel: Channel, job: &Job) -> Posted {
        let call = CallContext::over(self, context.process, context.connections, Deadline::after(job.timeout));
        match call.and_then(|call| Ok((call, self.supplied_token(false)?))) {
            Ok((call, supplied)) => {
                self.post(&call, channel, Bytes::copy_from_slice(&job.body), supplied.as_ref()).await
            }
            Err(error) => Posted { result: Err(error), attempts: 0, pause: None },
        }
    }

    /// Writes down how they ended.
    pub fn settle(&self, context: DeliveryContext<'_>, tried: &[Tried]) -> Result<(), Outage> {
        let begins: Vec<Begin<'_>> = tried.iter().map(|tried| tried.begin(self, context.process)).collect();
        let ends: Vec<End<'_>> = tried.iter().map(Tried::end).collect();
        let all: Vec<_> =
            begins.iter().zip(tried).zip(&ends).map(|((begin, tried), end)| (begin, tried.job.epoch, end)).collect();
        let store = context.connections.store(&self.settings);
        for Tried { job, channel, posted, .. } in tried {
            self.learn_template(context.process, &store, *channel, &job.template_id, &posted.result);
        }
        // Not `run`: what has happened must be written, resting store or not.
        store.insist(Deadline::after(UNHURRIED / 3), &context.process.stats, |store, until| {
            store.finish_all(&all, until)
        })
    }
}

/// Whether it is over with a message, and if not, when it is tried again.
fn fate(job: &Job, posted: &Posted) -> Fate {
    let rest = || backoff::after(job.tries.saturating_add(1));
    let again = match &posted.result {
        // What may have delivered it before had taken the last grant: it was delivered.
        Ok(answer) if answer.errcode == 43101 && job.unsure > 0 => return Fate::WasDelivered,
        // Whatever the token endpoint has against the account: this message has not been refused.
        Ok(answer) if answer.refused_token => Some(rest()),
        Ok(answer) => match answer.outcome {
            Outcome::Delivered
            | Outcome::RefusedUser
            | Outcome::RefusedPayload
            | Outcome::Misconfigured
            | Outcome::Gone
            | Outcome::Unknown => None,
            // The pause of the API holds it up as long as it must.
            Outcome::ThrottledDay | Outcome::ThrottledMinute => Some(backoff::jittered(Duration::from_secs(1))),
            Outcome::ThrottledUser => Some(rest().max(backoff::jittered(USER_REST))),
            Outcome::TokenStale | Outcome::RetryLater => Some(rest()),
        },
        Err(Error::Transport { ambiguous: true, .. }) => {
            (job.resend_unknown && job.unsure.saturating_add(1) < UNSURE_LIMIT).then(rest)
        }
        Err(_) => Some(rest()),
    };
    // Whoever waits for it, and whoever comes after it, learns in time that it has expired.
    again.map_or(Fate::Ends, |rest| Fate::Again(rest.min(job.expires_in)))
}

impl Tried {
    /// How long its lease lasts from the claim on: after that its end is no news.
    pub fn lease(&self) -> Duration {
        self.job.timeout + LEASE_MARGIN + MARGIN
    }

    /// Its queue.
    pub fn channel(&self) -> Channel {
        self.channel
    }

    /// What it says about the account's other messages.
    pub fn finding(&self) -> Finding {
        match &self.posted.result {
            Ok(answer) if answer.refused_token || answer.outcome == Outcome::TokenStale => Finding::NoToken,
            Ok(_) => Finding::Answers,
            Err(_) => Finding::Silent,
        }
    }

    /// Whether it will be tried again.
    pub fn comes_again(&self) -> bool {
        matches!(self.fate, Fate::Again(_))
    }

    /// Id and verdict of a refusal that is neither the buyer's nor this message's alone: something that a person must look at.
    pub fn alarm(&self) -> Option<(MessageId, &Answer)> {
        let answer = self.posted.result.as_ref().ok()?;
        let alarming = matches!(answer.outcome, Outcome::Misconfigured | Outcome::Gone) && !answer.refused_token;
        alarming.then_some((self.job.id, answer))
    }

    fn end(&self) -> End<'_> {
        let Job { id, epoch, grant, seen, .. } = self.job;
        let mut end = close::end(self.channel, &Ticket { id, epoch, grant, seen }, &self.posted, &self.words);
        if self.job.unsure > 0 && end.settlement == Settlement::GivenBack {
            // A former attempt may have spent what it reserved.
            end.settlement = Settlement::Kept;
        }
        match self.fate {
            Fate::Ends => {}
            Fate::WasDelivered => {
                (end.state, end.settlement) = (State::Delivered, Settlement::Spent);
                (end.errcode, end.errmsg) = (Some(0), WAS_DELIVERED);
            }
            Fate::Again(rest) => (end.last_word, end.again) = (false, Some(rest)),
        }
        end
    }

    fn begin<'a>(&'a self, app: &'a App, process: &'a Process) -> Begin<'a> {
        Begin {
            id: self.job.id,
            owner: process.owner(),
            lease: self.job.timeout,
            appid: &app.settings.appid,
            openid: &self.job.openid,
            shown_openid: &self.job.shown_openid,
            template_id: &self.job.template_id,
            channel: self.channel,
            key: self.job.key.as_deref(),
            policy: self.job.policy,
            changed: None,
            payload: None,
            retention: app.settings.retention,
            abandoned: None,
            queued: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::GrantPolicy;
    use crate::store::Grant;

    #[test]
    fn the_rest_before_the_next_try_ends_with_the_message() {
        let left = Duration::from_millis(700);
        let job = Job {
            id: MessageId::new(),
            epoch: 1,
            grant: Grant::Uncounted,
            seen: 0,
            openid: "oUser".to_owned(),
            shown_openid: "oUser".to_owned(),
            template_id: "t".to_owned(),
            key: None,
            policy: GrantPolicy::Certain,
            body: Vec::new(),
            timeout: Duration::from_secs(3),
            tries: 4,
            unsure: 0,
            resend_unknown: false,
            expires_in: left,
        };
        let result = Err(Error::Transport { text: Text::new("", ""), ambiguous: false });
        let posted = Posted { result, attempts: 0, pause: None };
        assert!(matches!(fate(&job, &posted), Fate::Again(rest) if rest == left));
    }
}
