//! Tokens, leases to fetch one, and WeChat's refusals.

use std::collections::HashMap;
use std::time::Duration;

use routine_template::config::Secret;
use routine_template::store::*;

use super::after;

#[derive(Default)]
pub struct Tokens {
    stored: HashMap<String, Token>,
    leases: HashMap<String, Lease>,
    fences: HashMap<String, u64>,
    refusals: HashMap<String, (StoredRefusal, Millis)>,
}

#[derive(Clone)]
struct Token {
    token: String,
    fence: u64,
    fetched: Millis,
    due: Millis,
    ends: Millis,
    /// Whether it was stored already when it was put.
    again: bool,
}

struct Lease {
    owner: String,
    fence: u64,
    over: Millis,
}

fn between(from: Millis, to: Millis) -> Duration {
    Duration::from_millis(u64::try_from(to - from).unwrap_or(0))
}

impl Token {
    fn show(&self, now: Millis) -> StoredToken {
        StoredToken {
            token: Secret::new(self.token.clone()),
            fence: self.fence,
            age: between(self.fetched, now),
            renew_in: between(now, self.due),
            ends_in: between(now, self.ends),
        }
    }
}

impl Tokens {
    pub fn ask(&mut self, ask: &TokenAsk<'_>, now: Millis) -> TokenTurn {
        let token = self.stored.get(ask.account).filter(|token| now < token.ends);
        let shown = |token: &Token| TokenTurn::Token(token.show(now));
        let is_refused = |token: &Token| ask.refused == Some(token.token.as_str());
        if let Some(token) = token {
            let fresh = between(token.fetched, now) < ask.fresh;
            if ask.refused.is_some() {
                if !is_refused(token) || token.fence > ask.held {
                    return shown(token);
                }
                if token.again && fresh {
                    return TokenTurn::JustFetched;
                }
            }
            if ask.force && fresh {
                return shown(token);
            }
            if ask.refused.is_none() && !ask.force && now < token.due {
                return shown(token);
            }
        }
        let serves = token.filter(|token| !is_refused(token));
        let refusals = [ask.account, ask.account_here].map(|account| self.refusals.get(account));
        if let Some((refusal, over)) = refusals.into_iter().flatten().find(|(_, over)| now < *over) {
            return match serves.filter(|_| !ask.force) {
                Some(token) => shown(token),
                None => TokenTurn::Refused(StoredRefusal { stands: between(now, *over), ..refusal.clone() }),
            };
        }
        let lease = self.leases.get(ask.account).filter(|lease| now < lease.over);
        if let Some(lease) = lease.filter(|lease| ask.ended != Some(lease.owner.as_str())) {
            return TokenTurn::Busy {
                owner: lease.owner.clone(),
                left: between(now, lease.over),
                current: serves.map(|token| token.show(now)),
            };
        }
        let fence = self.fences.entry(ask.account.to_owned()).or_default();
        *fence += 1;
        let lease = Lease { owner: ask.owner.as_str().to_owned(), fence: *fence, over: after(now, ask.lease) };
        self.leases.insert(ask.account.to_owned(), lease);
        TokenTurn::Fetch { fence: *fence, current: serves.map(|token| token.show(now)) }
    }

    fn end_lease(&mut self, account: &str, fence: u64) {
        if self.leases.get(account).is_some_and(|lease| lease.fence == fence) {
            self.leases.remove(account);
        }
    }

    pub fn put(
        &mut self,
        account: &str,
        fence: u64,
        token: &str,
        renew_in: Duration,
        ends_in: Duration,
        now: Millis,
    ) -> bool {
        self.end_lease(account, fence);
        if self.stored.get(account).is_some_and(|stored| stored.fence > fence) {
            return false;
        }
        self.refusals.remove(account);
        let (due, ends) = (after(now, renew_in), after(now, ends_in));
        let former = self.stored.get(account).filter(|stored| now < stored.ends);
        // The same call once more is not the same token once more.
        let again =
            former.is_some_and(|former| if former.fence == fence { former.again } else { former.token == token });
        let token = Token { token: token.to_owned(), fence, fetched: now, due, ends, again };
        self.stored.insert(account.to_owned(), token);
        true
    }

    pub fn refuse(&mut self, asked: &str, account: &str, fence: u64, refusal: &StoredRefusal, now: Millis) {
        self.end_lease(asked, fence);
        self.refusals.insert(account.to_owned(), (refusal.clone(), after(now, refusal.stands)));
    }

    pub fn release(&mut self, account: &str, fence: u64, rest: Duration, now: Millis) {
        if self.leases.get(account).is_none_or(|lease| lease.fence != fence) {
            return;
        }
        self.end_lease(account, fence);
        if let Some(token) = self.stored.get_mut(account) {
            token.due = token.due.max(after(now, rest));
        }
    }
}
