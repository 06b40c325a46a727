//! One request to a token endpoint, and what its answer means.

use std::sync::Arc;
use std::time::Duration;

use super::{PATIENCE, TokenKey};
use crate::config::Secret;
use crate::network::deadline::Deadline;
use crate::store::Owner;
use crate::wechat::api::{self, Verdict};
use crate::wechat::client::{Attempt, Cause, Failure};
use crate::wechat::errcode::{self, Outcome};
use crate::wechat::wire::Wire;

/// Lifetime where WeChat names none, in seconds.
const DEFAULT_LIFETIME: u64 = 7200;

/// What a caller needs to get a token.
pub struct Fetch<'a> {
    /// The account, its store and the way to WeChat.
    pub wire: Wire<'a>,
    /// The account's name in the store.
    pub key: &'a TokenKey,
    /// This process.
    pub owner: &'a Owner,
}

/// Why there is no token. In no case has a message been sent.
#[derive(Debug, Clone)]
pub enum TokenFailure {
    /// WeChat refused to issue one.
    Refused {
        /// WeChat's verdict.
        verdict: Verdict,
        /// Its errcode.
        errcode: i64,
        /// Whether this is an earlier refusal that still stands, so that WeChat was not asked again.
        remembered: bool,
    },
    /// WeChat could not be asked.
    Transport(Failure),
}

/// A token as WeChat issued it.
pub(super) struct Issued {
    pub(super) token: Arc<str>,
    pub(super) lifetime: Duration,
}

/// Asks the endpoint of the account's mode.
pub(super) async fn ask_wechat(fetch: &Fetch<'_>, deadline: Deadline) -> Result<Issued, TokenFailure> {
    let wire = Wire { deadline, ..fetch.wire };
    // Of many who find no token each fetches in turn; those behind the first shall know what it found.
    wire.route.look(&wire);
    let attempt = api::fetch_token(&wire).await;
    if !attempt.was_left_out() {
        wire.stats.token_fetches.increment();
    }
    match attempt {
        Attempt::NotSent(failure) | Attempt::Unknown(failure) => Err(TokenFailure::Transport(failure)),
        Attempt::Answered(reply) => match Verdict::read(&reply) {
            Err(reason) => Err(TokenFailure::Transport(Failure::new(Cause::Answer, reason))),
            Ok(verdict) => issued(verdict),
        },
    }
}

/// How long a refusal is remembered instead of asking again.
pub(super) fn stands(errcode: i64) -> Duration {
    match errcode::find_for_token_request(errcode).map_or(Outcome::Misconfigured, |row| row.outcome) {
        Outcome::RetryLater => Duration::from_secs(1),
        Outcome::ThrottledDay => Duration::from_secs(60),
        _ => PATIENCE,
    }
}

/// Refusals that concern this host's IP address, so that another host may well be served.
pub(super) fn holds_here_only(errcode: i64) -> bool {
    matches!(errcode, 40164 | 89503 | 89506 | 89507)
}

fn issued(verdict: Verdict) -> Result<Issued, TokenFailure> {
    let valid =
        |token: &&str| !token.is_empty() && token.len() <= 2048 && token.bytes().all(|byte| byte.is_ascii_graphic());
    match (verdict.errcode.unwrap_or(0), verdict.access_token.as_ref().map(Secret::reveal).filter(valid)) {
        (0, Some(token)) => {
            let lifetime = verdict.expires_in.unwrap_or(DEFAULT_LIFETIME).clamp(1, DEFAULT_LIFETIME);
            Ok(Issued { token: Arc::from(token), lifetime: Duration::from_secs(lifetime) })
        }
        (0, None) => Err(TokenFailure::Transport(Failure::new(Cause::Answer, "no usable access_token"))),
        (errcode, _) => Err(TokenFailure::Refused { verdict, errcode, remembered: false }),
    }
}
