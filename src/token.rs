//! The access token of one account: held in the process, fetched by one caller, renewed only by who still holds the
//! one that failed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::config::{Secret, Settings, TokenMode};
use crate::stats::Stats;
use crate::wechat::api::{self, Verdict};
use crate::wechat::client::{Attempt, Cause, Client, Failure};
use crate::wechat::deadline::Deadline;
use crate::wechat::errcode::{self, Outcome};

/// WeChat rotates a stable token five minutes before its end and keeps both valid that long (endpoint `stable_token`).
const OVERLAP: Duration = Duration::from_secs(300);
/// After a renewal that failed or brought nothing new, the present state stands this long.
const PATIENCE: Duration = Duration::from_secs(5);
/// Lifetime where WeChat names none.
const DEFAULT_LIFETIME: u64 = 7200;

/// Whose token: another secret of the same account is another key, so that it proves itself at WeChat.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TokenKey {
    appid: String,
    secret: Secret,
    mode: TokenMode,
    host: String,
}

impl TokenKey {
    /// The key of the account in these settings.
    pub fn of(settings: &Settings) -> Self {
        Self {
            appid: settings.appid.clone(),
            secret: settings.secret.clone(),
            mode: settings.token_mode,
            host: settings.base_url.as_str().to_owned(),
        }
    }
}

/// What a caller needs to fetch a token.
pub struct Fetch<'a> {
    /// Connections.
    pub client: &'a Client,
    /// The account.
    pub settings: &'a Settings,
    /// Counts the fetches.
    pub stats: &'a Stats,
    /// The deadline of the whole call.
    pub deadline: Deadline,
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

/// The token of one account in this process.
#[derive(Default)]
pub struct TokenSlot {
    state: Mutex<State>,
    // Held across the fetch, so that of several threads one fetches and the others find its result.
    gate: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    refusal: Option<(TokenFailure, Instant)>,
    // No further renewal of a token that still lives before this moment: the last one failed.
    renew_after: Option<Instant>,
    // WeChat refused the held token and then issued the same one again: it is not asked before this moment.
    insisted_until: Option<Instant>,
}

struct Held {
    token: Arc<str>,
    ends: Instant,
    renew: Instant,
}

impl TokenSlot {
    /// A token that is valid as far as anybody knows here.
    pub async fn get(&self, fetch: &Fetch<'_>) -> Result<Arc<str>, TokenFailure> {
        if let Some(token) = self.usable(false) {
            return Ok(token);
        }
        let _one_at_a_time = self.gate(fetch).await?;
        if let Some(token) = self.usable(false) {
            return Ok(token);
        }
        self.standing_refusal()?;
        match self.fetch(fetch).await {
            // While the old one lives, a failed renewal costs nobody a message.
            Err(failure) => self.usable(true).ok_or(failure),
            fetched => fetched,
        }
    }

    /// The token to try after WeChat refused one (40001, 40014, 42001): the one that somebody else has fetched meanwhile,
    /// else a new one. `None` if the refused one was fetched only just now and asking again would help nobody.
    pub async fn replace(&self, refused: &str, fetch: &Fetch<'_>) -> Result<Option<Arc<str>>, TokenFailure> {
        let _one_at_a_time = self.gate(fetch).await?;
        {
            let state = self.state.lock();
            match &state.held {
                Some(held) if *held.token != *refused => return Ok(Some(held.token.clone())),
                _ if state.insisted_until.is_some_and(|until| Instant::now() < until) => return Ok(None),
                _ => {}
            }
        }
        match self.fetch(fetch).await {
            Ok(token) => {
                if *token == *refused {
                    // WeChat insists on it, so it is worth one more try, but no further fetch.
                    self.state.lock().insisted_until = Some(Instant::now() + PATIENCE);
                }
                Ok(Some(token))
            }
            Err(failure) => {
                // The next message must not be posted with a token that is known to be dead.
                self.state.lock().held.take_if(|held| *held.token == *refused);
                Err(failure)
            }
        }
    }

    /// Asks WeChat, whatever is held; in mode `stable` the answer may be the same token.
    pub async fn refresh(&self, fetch: &Fetch<'_>) -> Result<Arc<str>, TokenFailure> {
        let _one_at_a_time = self.gate(fetch).await?;
        self.standing_refusal()?;
        self.fetch(fetch).await
    }

    async fn gate(&self, fetch: &Fetch<'_>) -> Result<tokio::sync::MutexGuard<'_, ()>, TokenFailure> {
        tokio::time::timeout_at(fetch.deadline.at().into(), self.gate.lock()).await.map_err(|_| {
            let waited = format!("another call has been fetching it for {} ms", fetch.deadline.total().as_millis());
            TokenFailure::Transport(Failure::new(Cause::Timeout, waited))
        })
    }

    fn usable(&self, although_due: bool) -> Option<Arc<str>> {
        let state = self.state.lock();
        let now = Instant::now();
        let held = state.held.as_ref().filter(|held| now < held.ends)?;
        let due = now >= held.renew && state.renew_after.is_none_or(|until| now >= until);
        (!due || although_due).then(|| held.token.clone())
    }

    fn standing_refusal(&self) -> Result<(), TokenFailure> {
        let state = self.state.lock();
        match &state.refusal {
            Some((TokenFailure::Refused { verdict, errcode, .. }, until)) if Instant::now() < *until => {
                Err(TokenFailure::Refused { verdict: verdict.clone(), errcode: *errcode, remembered: true })
            }
            _ => Ok(()),
        }
    }

    async fn fetch(&self, fetch: &Fetch<'_>) -> Result<Arc<str>, TokenFailure> {
        let asked = Instant::now();
        let mut result = ask(fetch).await;
        // Asking twice is free in mode stable: a connection that broke must not cost a message.
        if let Err(TokenFailure::Transport(_)) = &result
            && fetch.settings.token_mode == TokenMode::Stable
            && fetch.deadline.left() > fetch.deadline.total() / 2
        {
            result = ask(fetch).await;
        }
        let mut state = self.state.lock();
        match result {
            Ok((token, lifetime)) => {
                let ends = asked + lifetime;
                // A tenth where the lifetime is short: a token with 345 s left is no reason to ask at every message.
                let renew = ends - OVERLAP.min(lifetime / 10);
                *state = State {
                    held: Some(Held { token: token.clone(), ends, renew }),
                    refusal: None,
                    renew_after: None,
                    insisted_until: None,
                };
                Ok(token)
            }
            Err(failure) => {
                state.renew_after = Some(Instant::now() + PATIENCE);
                if let TokenFailure::Refused { errcode, .. } = &failure {
                    let stands = match errcode::find_for_token_request(*errcode)
                        .map_or(Outcome::Misconfigured, |row| row.outcome)
                    {
                        Outcome::RetryLater => Duration::from_secs(1),
                        Outcome::ThrottledDay => Duration::from_secs(60),
                        _ => PATIENCE,
                    };
                    state.refusal = Some((failure.clone(), Instant::now() + stands));
                }
                Err(failure)
            }
        }
    }
}

async fn ask(fetch: &Fetch<'_>) -> Result<(Arc<str>, Duration), TokenFailure> {
    fetch.stats.token_fetches.increment();
    match api::fetch_token(fetch.client, fetch.settings, fetch.deadline).await {
        Attempt::NotSent(failure) | Attempt::Unknown(failure) => Err(TokenFailure::Transport(failure)),
        Attempt::Answered(reply) => match Verdict::read(&reply) {
            Err(reason) => Err(TokenFailure::Transport(Failure::new(Cause::Answer, reason))),
            Ok(verdict) => issued(verdict),
        },
    }
}

fn issued(verdict: Verdict) -> Result<(Arc<str>, Duration), TokenFailure> {
    let valid =
        |token: &&str| !token.is_empty() && token.len() <= 2048 && token.bytes().all(|byte| byte.is_ascii_graphic());
    match (verdict.errcode.unwrap_or(0), verdict.access_token.as_ref().map(Secret::reveal).filter(valid)) {
        (0, Some(token)) => {
            let lifetime = verdict.expires_in.unwrap_or(DEFAULT_LIFETIME).clamp(1, DEFAULT_LIFETIME);
            Ok((Arc::from(token), Duration::from_secs(lifetime)))
        }
        (0, None) => Err(TokenFailure::Transport(Failure::new(Cause::Answer, "no usable access_token"))),
        (errcode, _) => Err(TokenFailure::Refused { verdict, errcode, remembered: false }),
    }
}
