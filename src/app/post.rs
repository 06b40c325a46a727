//! One message on its way to WeChat: token, post, and what the answer calls for.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use jiff::Timestamp;

use super::App;
use super::failure::{no_token, not_sent, unknown};
use crate::answer::Answer;
use crate::config::TokenMode;
use crate::connections::Connections;
use crate::error::Error;
use crate::failpoint::failpoint;
use crate::message::Channel;
use crate::network::deadline::Deadline;
use crate::process::Process;
use crate::quota;
use crate::store::Pause;
use crate::store::handle::StoreHandle;
use crate::token::{Fetch, Held, TokenFailure, TokenKey, TokenSlot};
use crate::wechat::api::{self, Verdict};
use crate::wechat::client::{Attempt, Cause, Client, Failure};
use crate::wechat::errcode::{self, Outcome};
use crate::wechat::route::Route;
use crate::wechat::wire::Wire;

/// What one call of an account holds on its way to WeChat: the means of its requests ([`Wire`]), and the account's token.
#[derive(Clone)]
pub(super) struct CallContext<'a> {
    pub(super) process: &'a Process,
    pub(super) client: Client,
    pub(super) store: Arc<StoreHandle>,
    pub(super) deadline: Deadline,
    route: Arc<Route>,
    key: Arc<TokenKey>,
    slot: Arc<TokenSlot>,
}

/// What became of a message that was let go.
pub(super) struct Posted {
    /// The verdict, or why there is none.
    pub(super) result: Result<Answer, Error>,
    /// How often it was written to a connection, wholly or in part.
    pub(super) attempts: u32,
    /// The pause that the API's own answer calls for; the limits of a token endpoint are others.
    pub(super) pause: Option<Pause>,
}

impl<'a> CallContext<'a> {
    pub(super) fn new(app: &App, process: &'a Process, deadline: Deadline) -> Result<Self, Error> {
        Self::over(app, process, process.connections(), deadline)
    }

    /// With the connections of a certain thread.
    pub(super) fn over(
        app: &App,
        process: &'a Process,
        connections: &Connections,
        deadline: Deadline,
    ) -> Result<Self, Error> {
        let client = connections.client(&app.settings)?;
        let (key, slot) = process.token(&app.settings);
        Ok(Self {
            process,
            client,
            store: connections.store(&app.settings),
            route: process.route(&app.settings),
            deadline,
            key,
            slot,
        })
    }

    /// The same for a message with a deadline of its own.
    pub(super) fn until(&self, deadline: Deadline) -> Self {
        Self { deadline, ..self.clone() }
    }

    fn fetch<'b>(&'b self, app: &'b App) -> Fetch<'b> {
        Fetch { wire: self.wire(app), key: &self.key, owner: self.process.owner() }
    }

    pub(super) fn wire<'b>(&'b self, app: &'b App) -> Wire<'b> {
        Wire {
            client: &self.client,
            route: &self.route,
            settings: &app.settings,
            store: &self.store,
            stats: &self.process.stats,
            deadline: self.deadline,
        }
    }

    /// A token of this account, from WeChat if need be; with `refresh` whatever is held.
    pub(super) async fn token(&self, app: &App, refresh: bool) -> Result<Held, TokenFailure> {
        let fetch = self.fetch(app);
        if refresh { self.slot.refresh(&fetch).await } else { self.slot.get(&fetch).await }
    }

    /// After the limits of the token endpoints were set back.
    pub(super) fn forget_token_refusal(&self, app: &App) {
        self.slot.forget_refusal(&self.fetch(app));
    }

    /// The token to use after WeChat refused one; `None` where asking again would help nobody.
    pub(super) async fn other_token(&self, app: &App, refused: &Held) -> Result<Option<Held>, TokenFailure> {
        self.slot.replace(refused, &self.fetch(app)).await
    }
}

impl App {
    /// Posts a message, with the application's token or with the account's own, which is renewed once if WeChat refuses it.
    pub(super) async fn post(
        &self,
        call: &CallContext<'_>,
        channel: Channel,
        body: Bytes,
        supplied: Option<&Held>,
    ) -> Posted {
        let (mut attempts, mut pause) = (0, None);
        let result = self.attempt(call, channel, body, supplied, &mut attempts, &mut pause).await;
        Posted { result, attempts, pause }
    }

    async fn attempt(
        &self,
        call: &CallContext<'_>,
        channel: Channel,
        body: Bytes,
        supplied: Option<&Held>,
        attempts: &mut u32,
        pause: &mut Option<Pause>,
    ) -> Result<Answer, Error> {
        let wire = call.wire(self);
        if let Some(failure) = wire.refusal() {
            return Err(not_sent(&failure));
        }
        let mut token = match supplied {
            Some(token) => token.clone(),
            None => match call.token(self, false).await {
                Ok(token) => token,
                Err(failure) => return self.without_token(failure, 0),
            },
        };
        let mut may_renew = supplied.is_none();
        loop {
            failpoint!("posting");
            let asked = Instant::now();
            let attempt = api::send(&wire, channel, &token.token, body.clone()).await;
            if !attempt.was_left_out() {
                call.process.stats.request(asked.elapsed());
            }
            let reply = match attempt {
                Attempt::NotSent(failure) => return Err(not_sent(&failure)),
                Attempt::Unknown(failure) => {
                    *attempts += 1;
                    return Err(unknown(&failure));
                }
                Attempt::Answered(reply) => reply,
            };
            *attempts += 1;
            failpoint!("answered");
            let verdict = Verdict::read(&reply).map_err(|reason| unknown(&Failure::new(Cause::Answer, reason)))?;
            let errcode = match verdict.errcode {
                Some(errcode) => errcode,
                // An absent errcode means 0, but not in an object that has nothing of an answer at all.
                None if verdict.msgid.is_some() || verdict.errmsg == "ok" => 0,
                None => return Err(unknown(&Failure::new(Cause::Answer, "neither errcode nor msgid"))),
            };
            if may_renew && errcode::outcome(errcode) == Outcome::TokenStale {
                may_renew = false;
                match call.other_token(self, &token).await {
                    Ok(Some(other)) => {
                        token = other;
                        continue;
                    }
                    // Asked only just now: the refusal stands, and it is the answer.
                    Ok(None) => {}
                    Err(failure) => return self.without_token(failure, *attempts),
                }
            }
            let answer = Answer::from_wechat(errcode, &verdict, *attempts, self.settings.hint_lang);
            *pause = quota::pause(answer.outcome, errcode, Timestamp::now());
            return Ok(match answer.outcome {
                Outcome::TokenStale => answer.with_hint(self.stale_hint()),
                _ => answer,
            });
        }
    }

    fn stale_hint(&self) -> &'static str {
        let hints = self.settings.hint_lang;
        if self.settings.token_mode == TokenMode::External {
            return hints.choose(
                "token 由应用提供，请用 configure() 更新 token 后再发。",
                "The application supplies the token; give configure() a new one, then send again.",
            );
        }
        // A renewal has been tried already.
        hints.choose(
            "微信仍然拒绝刚取到的 access_token，请核对 configure() 里的 appid 和 secret 是否属于同一账号。",
            "WeChat refuses the access_token that it has just issued; check that appid and secret in configure() belong together.",
        )
    }

    /// What a message comes to that has no token: certainly not delivered, and WeChat's refusal is the answer if there is one.
    fn without_token(&self, failure: TokenFailure, attempts: u32) -> Result<Answer, Error> {
        match failure {
            TokenFailure::Transport(failure) => Err(no_token(&failure, "消息没有发出：", "Not sent: ")),
            TokenFailure::Refused { verdict, errcode, remembered } => {
                let answer = Answer::from_token_endpoint(errcode, &verdict, remembered, self.settings.hint_lang);
                Ok(Answer { attempts, ..answer })
            }
        }
    }
}
