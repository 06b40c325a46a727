//! The access token of one account: process memory, then the store, then WeChat. However many processes and hosts find it
//! expired or refused, one of them fetches.

mod account;
mod fetch;

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

pub use account::TokenKey;
pub use fetch::{Fetch, TokenFailure};
use fetch::{Issued, ask_wechat, stands};

use crate::config::{Secret, TokenMode};
use crate::store::{StoredRefusal, StoredToken, TokenAsk, TokenTurn};
use crate::wechat::api::Verdict;
use crate::wechat::client::{Cause, Failure};

/// WeChat rotates a stable token five minutes before its end and keeps both valid that long (endpoint `stable_token`).
const OVERLAP: Duration = Duration::from_secs(300);
/// After a renewal that failed or brought nothing new, the present state stands this long.
const PATIENCE: Duration = Duration::from_secs(5);
/// A forced refresh takes over one that somebody else made this recently.
const JUST_NOW: Duration = Duration::from_millis(500);
/// While another process renews, the old token serves so long before the store is asked again.
const MEANWHILE: Duration = Duration::from_secs(1);
/// Between two looks at a token that another process is fetching.
const LOOK: Duration = Duration::from_millis(15);

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
    // WeChat refused the held token and then issued the same one again: it is not asked before this moment.
    insisted_until: Option<Instant>,
}

/// A token in memory.
#[derive(Clone)]
pub struct Held {
    /// The token.
    pub token: Arc<str>,
    fence: u64,
    ends: Instant,
    renew: Instant,
}

/// Why a caller wants a token.
#[derive(Clone, Copy)]
enum Want<'a> {
    /// To send.
    Any,
    /// WeChat refused this one just now.
    Instead(&'a Held),
    /// Because the application asked for a new one.
    New,
}

impl Want<'_> {
    /// Whether it is the very token that WeChat refused.
    fn refuses(&self, stored: &StoredToken) -> bool {
        matches!(self, Self::Instead(refused) if *refused.token == *stored.token.reveal())
    }
}

impl TokenSlot {
    /// A token that is valid as far as anybody knows here.
    pub async fn get(&self, fetch: &Fetch<'_>) -> Result<Held, TokenFailure> {
        if let Some(held) = self.usable() {
            return Ok(held);
        }
        let _one_at_a_time = self.gate(fetch).await?;
        if let Some(held) = self.usable() {
            return Ok(held);
        }
        let obtained = match self.standing_refusal() {
            Ok(()) => self.obtain(Want::Any, fetch).await,
            Err(standing) => Err(standing),
        };
        match obtained {
            // While the old one lives, a failed renewal costs nobody a message.
            Err(failure) => self.living().ok_or(failure),
            Ok(Some(held)) => Ok(held),
            Ok(None) => Err(TokenFailure::Transport(Failure::new(Cause::Other, "no token"))),
        }
    }

    /// The token to try after WeChat refused one (40001, 40014, 42001): the one that somebody else has fetched meanwhile,
    /// else a new one. `None` if the refused one was fetched only just now and asking again would help nobody.
    pub async fn replace(&self, refused: &Held, fetch: &Fetch<'_>) -> Result<Option<Held>, TokenFailure> {
        let _one_at_a_time = self.gate(fetch).await?;
        {
            let state = self.state.lock();
            match &state.held {
                Some(held) if held.token != refused.token => return Ok(Some(held.clone())),
                _ if state.insisted_until.is_some_and(|until| Instant::now() < until) => return Ok(None),
                _ => {}
            }
        }
        match self.obtain(Want::Instead(refused), fetch).await {
            Ok(Some(held)) => {
                if held.token == refused.token {
                    // WeChat insists on it, so it is worth one more try, but no further fetch.
                    self.state.lock().insisted_until = Some(Instant::now() + PATIENCE);
                }
                Ok(Some(held))
            }
            Ok(None) => Ok(None),
            Err(failure) => {
                // The next message must not be posted with a token that is known to be dead.
                self.state.lock().held.take_if(|held| held.token == refused.token);
                Err(failure)
            }
        }
    }

    /// Asks WeChat, whatever is held; in mode `stable` the answer may be the same token.
    pub async fn refresh(&self, fetch: &Fetch<'_>) -> Result<Held, TokenFailure> {
        let _one_at_a_time = self.gate(fetch).await?;
        self.standing_refusal()?;
        let fetched = self.obtain(Want::New, fetch).await?;
        fetched.ok_or_else(|| TokenFailure::Transport(Failure::new(Cause::Other, "no token")))
    }

    /// Ends a refusal that still stands, here and in the store: WeChat has set its limits back.
    pub fn forget_refusal(&self, fetch: &Fetch<'_>) {
        self.state.lock().refusal = None;
        let over = StoredRefusal { errcode: 0, errmsg: String::new(), stands: Duration::ZERO };
        let (account, no_lease) = (fetch.key.account(), 0);
        // Without the store it ends by itself within a minute; the store handle has counted and reported the failure.
        let _ = fetch.wire.store.run(fetch.wire.deadline.or_a_moment(), fetch.wire.stats, |store, until| {
            store.refuse_token(account, account, no_lease, &over, until)
        });
    }

    async fn gate(&self, fetch: &Fetch<'_>) -> Result<tokio::sync::MutexGuard<'_, ()>, TokenFailure> {
        tokio::time::timeout_at(fetch.wire.deadline.at().into(), self.gate.lock())
            .await
            .map_err(|_| waited_in_vain("another call of this process", fetch))
    }

    /// The held token, if it is not due.
    fn usable(&self) -> Option<Held> {
        let now = Instant::now();
        self.state.lock().held.as_ref().filter(|held| now < held.ends && now < held.renew).cloned()
    }

    /// The held token, due or not, as long as it lives; renewal is left alone for a while.
    fn living(&self) -> Option<Held> {
        let now = Instant::now();
        let mut state = self.state.lock();
        let held = state.held.as_mut().filter(|held| now < held.ends)?;
        held.renew = held.renew.max(now + PATIENCE);
        Some(held.clone())
    }

    fn standing_refusal(&self) -> Result<(), TokenFailure> {
        match &self.state.lock().refusal {
            Some((TokenFailure::Refused { verdict, errcode, .. }, until)) if Instant::now() < *until => {
                Err(TokenFailure::Refused { verdict: verdict.clone(), errcode: *errcode, remembered: true })
            }
            _ => Ok(()),
        }
    }

    /// The store decides whose turn it is; without a store it is ours.
    async fn obtain(&self, want: Want<'_>, fetch: &Fetch<'_>) -> Result<Option<Held>, TokenFailure> {
        let mut ended: Option<String> = None;
        let mut held = match want {
            Want::Instead(refused) => refused.fence,
            _ => self.state.lock().held.as_ref().map_or(0, |held| held.fence),
        };
        loop {
            let ask = TokenAsk {
                account: fetch.key.account(),
                account_here: fetch.key.account_here(),
                owner: fetch.owner,
                held,
                refused: match want {
                    Want::Instead(refused) => Some(&refused.token),
                    _ => None,
                },
                force: matches!(want, Want::New),
                // Shorter than the deadline, so that whoever waits for a process that was killed still has time to fetch.
                lease: fetch.wire.settings.timeout.min(fetch.wire.deadline.total()) * 2 / 3,
                fresh: if matches!(want, Want::New) { JUST_NOW } else { PATIENCE },
                ended: ended.as_deref(),
            };
            let turn =
                fetch.wire.store.run(fetch.wire.deadline, fetch.wire.stats, |store, until| store.token(&ask, until));
            match turn {
                Err(_without_store) => return self.fetch(want, None, fetch).await.map(Some),
                Ok(TokenTurn::Fetch { fence, current }) => {
                    if let (Want::Any, Some(stored)) = (want, current) {
                        // Should the renewal fail, this one goes on.
                        self.hold_stored(&stored, None);
                    }
                    return self.fetch(want, Some(fence), fetch).await.map(Some);
                }
                // Fetched while there was no store, so it has no fence that could tell which is newer; the text tells.
                Ok(TokenTurn::Token(stored)) if held == 0 && want.refuses(&stored) => held = stored.fence,
                Ok(TokenTurn::Token(stored)) => return Ok(Some(self.hold_stored(&stored, None))),
                Ok(TokenTurn::JustFetched) => return Ok(None),
                Ok(TokenTurn::Refused(refusal)) => return Err(self.remember(remembered(refusal))),
                Ok(TokenTurn::Busy { current: Some(stored), .. }) if matches!(want, Want::Any) => {
                    return Ok(Some(self.hold_stored(&stored, Some(MEANWHILE))));
                }
                Ok(TokenTurn::Busy { owner, left, .. }) => {
                    if ended.is_none() && fetch.owner.sees_ended(&owner) {
                        ended = Some(owner);
                        continue;
                    }
                    if fetch.wire.deadline.left() <= LOOK {
                        return Err(waited_in_vain("another process", fetch));
                    }
                    tokio::time::sleep(LOOK.min(left.max(Duration::from_millis(1)))).await;
                }
            }
        }
    }

    async fn fetch(&self, want: Want<'_>, fence: Option<u64>, fetch: &Fetch<'_>) -> Result<Held, TokenFailure> {
        let deadline = match want {
            // The message must still go out with the old one if WeChat does not answer.
            Want::Any if self.living().is_some() => fetch.wire.deadline.half(),
            _ => fetch.wire.deadline,
        };
        let asked = Instant::now();
        let mut result = ask_wechat(fetch, deadline).await;
        // Asking twice is free in mode stable: a connection that broke must not cost a message. One that could not be made has
        // been tried on every host.
        if let Err(TokenFailure::Transport(failure)) = &result
            && !failure.connecting
            && fetch.wire.settings.token_mode == TokenMode::Stable
            && deadline.left() > deadline.total() / 2
        {
            result = ask_wechat(fetch, deadline).await;
        }
        match result {
            Ok(Issued { token, lifetime }) => {
                // A tenth where the lifetime is short: a token with 345 s left is no reason to ask at every message.
                let overlap = OVERLAP.min(lifetime / 10);
                if let Some(fence) = fence {
                    let passed = asked.elapsed();
                    let (renew_in, ends_in) =
                        ((lifetime - overlap).saturating_sub(passed), lifetime.saturating_sub(passed));
                    // Without the store the others ask WeChat themselves; the store handle has counted and reported it.
                    let _ =
                        fetch.wire.store.run(fetch.wire.deadline.or_a_moment(), fetch.wire.stats, |store, until| {
                            store.put_token(fetch.key.account(), fence, &token, renew_in, ends_in, until)
                        });
                }
                let ends = asked + lifetime;
                Ok(self.hold(Held { token, fence: fence.unwrap_or(0), ends, renew: ends - overlap }))
            }
            Err(failure) => {
                if let Some(fence) = fence {
                    self.end_lease(fence, &failure, fetch);
                }
                Err(self.remember(failure))
            }
        }
    }

    fn end_lease(&self, fence: u64, failure: &TokenFailure, fetch: &Fetch<'_>) {
        let key = fetch.key;
        // As above: the store handle has counted and reported a failure, and the lease ends by itself.
        let _ = fetch.wire.store.run(fetch.wire.deadline, fetch.wire.stats, |store, until| match failure {
            TokenFailure::Refused { verdict, errcode, .. } => {
                let refusal =
                    StoredRefusal { errcode: *errcode, errmsg: verdict.errmsg.clone(), stands: stands(*errcode) };
                let account = if fetch::holds_here_only(*errcode) { key.account_here() } else { key.account() };
                store.refuse_token(key.account(), account, fence, &refusal, until)
            }
            TokenFailure::Transport(_) => store.release_token(key.account(), fence, PATIENCE, until),
        });
    }

    fn hold_stored(&self, stored: &StoredToken, renew_in: Option<Duration>) -> Held {
        let now = Instant::now();
        self.hold(Held {
            token: Arc::from(stored.token.reveal()),
            fence: stored.fence,
            ends: now + stored.ends_in,
            renew: now + renew_in.unwrap_or(stored.renew_in.max(MEANWHILE)),
        })
    }

    fn hold(&self, held: Held) -> Held {
        *self.state.lock() = State { held: Some(held.clone()), refusal: None, insisted_until: None };
        held
    }

    fn remember(&self, failure: TokenFailure) -> TokenFailure {
        if let TokenFailure::Refused { errcode, .. } = &failure {
            self.state.lock().refusal = Some((failure.clone(), Instant::now() + stands(*errcode)));
        }
        failure
    }
}

fn remembered(refusal: StoredRefusal) -> TokenFailure {
    let verdict = Verdict { errcode: Some(refusal.errcode), errmsg: refusal.errmsg, ..Verdict::default() };
    TokenFailure::Refused { verdict, errcode: refusal.errcode, remembered: true }
}

fn waited_in_vain(whom: &str, fetch: &Fetch<'_>) -> TokenFailure {
    let waited = format!("{whom} has been fetching it for {} ms", fetch.wire.deadline.total().as_millis());
    TokenFailure::Transport(Failure::new(Cause::Timeout, waited))
}

impl Held {
    /// How long it still lives.
    #[cfg(feature = "cli")]
    pub fn left(&self) -> Duration {
        self.ends.saturating_duration_since(Instant::now())
    }

    /// A token that the application supplied.
    pub fn supplied(token: &Secret) -> Self {
        let now = Instant::now();
        Self { token: Arc::from(token.reveal()), fence: 0, ends: now, renew: now }
    }
}
