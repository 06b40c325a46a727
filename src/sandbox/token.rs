//! Access tokens: the classic and the stable family of every account, and what becomes of a token. What one of the
//! two endpoints does never touches the tokens of the other.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::clock::{Millis, Random, day};
use super::refusal::Refusal;

/// Tokens that are remembered, valid or not; a forgotten one is 40001 like any unknown token.
const REMEMBERED: usize = 10_000;
/// stable_token renews within the last 5 minutes.
const STABLE_WINDOW: Millis = 300_000;
/// stable_token, force_refresh: so often a day.
const FORCED_PER_DAY: u32 = 20;
/// stable_token, force_refresh: so long apart; sooner, the call is answered like the normal mode.
const FORCED_APART: Millis = 30_000;

/// What is to become of tokens that are still good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenEnd {
    /// Their time is over: errcode 42001.
    Expired,
    /// Another one has taken their place: errcode 40001.
    Revoked,
}

/// The tokens of one account and endpoint.
#[derive(Debug, Default)]
pub(super) struct Family {
    current: Option<String>,
    previous: Option<String>,
    forced_day: u64,
    forced_today: u32,
    forced_last: Option<Millis>,
    /// Tokens issued since the start state.
    pub(super) issued: u64,
    /// Successful calls since the start state.
    pub(super) fetches: u64,
}

/// A token with the seconds that it has left.
pub(super) struct Grant {
    pub(super) token: String,
    pub(super) expires_in: u64,
}

#[derive(Debug)]
struct Record {
    appid: Arc<str>,
    expires_at: Millis,
    valid_until: Millis,
}

/// Every token that has been issued.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    records: HashMap<String, Record>,
    order: VecDeque<String>,
}

impl Tokens {
    /// Whose token this is, if it is good now.
    pub(super) fn check(&self, token: Option<&str>, now: Millis) -> Result<Arc<str>, Refusal> {
        let token = token.filter(|token| !token.is_empty()).ok_or_else(|| Refusal::of(41001))?;
        match self.records.get(token) {
            Some(record) if now < record.valid_until => Ok(Arc::clone(&record.appid)),
            Some(record) if now >= record.expires_at => Err(Refusal::of(42001)),
            Some(_) => Err(Refusal::of(40001)),
            // Open: WeChat does not say where 40014 ends and 40001 begins. What cannot be a token at all is 40014.
            None if token.len() < 16
                || !token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) =>
            {
                Err(Refusal::of(40014))
            }
            None => Err(Refusal::of(40001)),
        }
    }

    fn issue(
        &mut self,
        family: &mut Family,
        appid: &Arc<str>,
        lifetime: Millis,
        now: Millis,
        random: &mut Random,
    ) -> String {
        let token = format!("{}_{}", 70 + random.next() % 30, random.characters(133));
        while self.order.len() >= REMEMBERED {
            if let Some(oldest) = self.order.pop_front() {
                self.records.remove(&oldest);
            }
        }
        self.order.push_back(token.clone());
        let expires_at = now.saturating_add(lifetime);
        self.records.insert(token.clone(), Record { appid: Arc::clone(appid), expires_at, valid_until: expires_at });
        family.issued += 1;
        family.previous = family.current.replace(token.clone());
        token
    }

    /// Ends a token not later than `at`. Reaching its own time keeps it 42001; being replaced makes it 40001.
    fn end(&mut self, token: Option<&str>, at: Millis) {
        if let Some(record) = token.and_then(|token| self.records.get_mut(token)) {
            record.valid_until = record.valid_until.min(at);
        }
    }

    /// Milliseconds that the current token of a family has left; 0 without one.
    fn remaining(&self, family: &Family, now: Millis) -> Millis {
        let record = family.current.as_deref().and_then(|token| self.records.get(token));
        record.map_or(0, |record| record.valid_until.saturating_sub(now))
    }

    /// `GET /cgi-bin/token`: always a new token. The one before lives on for `overlap`, the one before that is over.
    pub(super) fn fetch_classic(
        &mut self,
        family: &mut Family,
        appid: &Arc<str>,
        lifetime: Millis,
        overlap: Millis,
        now: Millis,
        random: &mut Random,
    ) -> Grant {
        self.end(family.previous.as_deref(), now);
        self.end(family.current.as_deref(), now.saturating_add(overlap));
        family.fetches += 1;
        let token = self.issue(family, appid, lifetime, now, random);
        Grant { token, expires_in: lifetime / 1000 }
    }

    /// `POST /cgi-bin/stable_token`.
    pub(super) fn fetch_stable(
        &mut self,
        family: &mut Family,
        appid: &Arc<str>,
        lifetime: Millis,
        force: bool,
        now: Millis,
        random: &mut Random,
    ) -> Result<Grant, Refusal> {
        let forced = force && self.may_force(family, now)?;
        family.fetches += 1;
        let remaining = self.remaining(family, now);
        // Half the lifetime where a test sets one so short that the last five minutes would be all of it.
        let renew = remaining <= STABLE_WINDOW.min(lifetime / 2);
        if let Some(token) = family.current.as_ref().filter(|_| !forced && !renew) {
            return Ok(Grant { token: token.clone(), expires_in: remaining / 1000 });
        }
        if forced {
            // 强制刷新 "会导致上次获取的 access_token 失效": at once, and both of them.
            self.end(family.previous.as_deref(), now);
            self.end(family.current.as_deref(), now);
        }
        let token = self.issue(family, appid, lifetime, now, random);
        Ok(Grant { token, expires_in: lifetime / 1000 })
    }

    /// Whether a force_refresh takes effect now. The 21st of a day is refused with 45009; the documented
    /// answer within 30 seconds is the unchanged token.
    fn may_force(&self, family: &mut Family, now: Millis) -> Result<bool, Refusal> {
        if family.forced_last.is_some_and(|last| now.saturating_sub(last) < FORCED_APART) {
            return Ok(false);
        }
        if family.forced_day != day(now) {
            family.forced_day = day(now);
            family.forced_today = 0;
        }
        if family.forced_today >= FORCED_PER_DAY {
            return Err(Refusal::of(45009));
        }
        family.forced_today += 1;
        family.forced_last = Some(now);
        Ok(true)
    }

    /// Ends the tokens of a family now.
    pub(super) fn expire(&mut self, family: &mut Family, how: TokenEnd, now: Millis) {
        for token in [family.current.take(), family.previous.take()].into_iter().flatten() {
            if let Some(record) = self.records.get_mut(&token).filter(|record| now < record.valid_until) {
                record.valid_until = now;
                if how == TokenEnd::Expired {
                    record.expires_at = now;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Millis = 3_600_000;

    struct Bench {
        tokens: Tokens,
        family: Family,
        random: Random,
        appid: Arc<str>,
    }

    impl Bench {
        fn new() -> Bench {
            Bench { tokens: Tokens::default(), family: Family::default(), random: Random::new(), appid: "wx".into() }
        }

        fn classic(&mut self, now: Millis) -> String {
            self.tokens.fetch_classic(&mut self.family, &self.appid, 2 * HOUR, 300_000, now, &mut self.random).token
        }

        fn stable(&mut self, force: bool, now: Millis) -> Result<Grant, Refusal> {
            self.tokens.fetch_stable(&mut self.family, &self.appid, 2 * HOUR, force, now, &mut self.random)
        }

        fn errcode(&self, token: &str, now: Millis) -> i64 {
            self.tokens.check(Some(token), now).map_or_else(|refusal| refusal.errcode, |_| 0)
        }
    }

    #[test]
    fn a_classic_fetch_ends_the_previous_token_after_the_overlap_and_the_one_before_at_once() {
        let mut bench = Bench::new();
        let (first, second) = (bench.classic(0), bench.classic(1000));
        assert_eq!((bench.errcode(&first, 300_999), bench.errcode(&first, 301_000)), (0, 40001));
        let third = bench.classic(2000);
        assert_eq!(
            (bench.errcode(&first, 2000), bench.errcode(&second, 2000), bench.errcode(&third, 2000)),
            (40001, 0, 0)
        );
        assert_eq!(bench.errcode(&third, 2000 + 2 * HOUR), 42001);
    }

    #[test]
    fn the_stable_token_stays_until_its_last_five_minutes_and_both_are_good_in_them() {
        let mut bench = Bench::new();
        let first = bench.stable(false, 0).unwrap();
        let again = bench.stable(false, HOUR).unwrap();
        assert_eq!((again.token.as_str(), again.expires_in), (first.token.as_str(), 3600));
        let late = 2 * HOUR - 300_000;
        let next = bench.stable(false, late).unwrap();
        assert_ne!(next.token, first.token);
        assert_eq!(next.expires_in, 7200);
        assert_eq!((bench.errcode(&first.token, late), bench.errcode(&next.token, late)), (0, 0));
        assert_eq!(bench.errcode(&first.token, 2 * HOUR), 42001);
    }

    #[test]
    fn a_forced_refresh_kills_the_old_token_counts_to_twenty_a_day_and_keeps_thirty_seconds() {
        let mut bench = Bench::new();
        let first = bench.stable(false, 0).unwrap().token;
        let second = bench.stable(true, 0).unwrap().token;
        assert_ne!(first, second);
        assert_eq!(bench.errcode(&first, 0), 40001);
        assert_eq!(bench.stable(true, 29_999).unwrap().token, second);
        for turn in 1..20 {
            assert!(bench.stable(true, turn * 30_000).is_ok(), "{turn}");
        }
        assert_eq!(bench.stable(true, 600_000).err().map(|refusal| refusal.errcode), Some(45009));
        assert!(bench.stable(true, 600_000 + 24 * HOUR).is_ok());
    }

    #[test]
    fn ended_tokens_say_why_and_the_next_fetch_issues_another() {
        let mut bench = Bench::new();
        let first = bench.stable(false, 0).unwrap().token;
        bench.tokens.expire(&mut bench.family, TokenEnd::Expired, 10);
        assert_eq!(bench.errcode(&first, 10), 42001);
        let second = bench.stable(false, 20).unwrap().token;
        bench.tokens.expire(&mut bench.family, TokenEnd::Revoked, 30);
        assert_eq!(bench.errcode(&second, 30), 40001);
        assert_ne!(bench.stable(false, 40).unwrap().token, second);
    }

    #[test]
    fn unknown_tokens_are_40001_and_what_is_no_token_40014() {
        let bench = Bench::new();
        assert_eq!(bench.errcode(&"A".repeat(136), 0), 40001);
        assert_eq!(bench.errcode("short", 0), 40014);
        assert_eq!(bench.errcode("a token with spaces and more", 0), 40014);
        assert_eq!(bench.errcode("", 0), 41001);
        assert_eq!(bench.tokens.check(None, 0).unwrap_err().errcode, 41001);
    }

    #[test]
    fn the_memory_of_tokens_is_bounded() {
        let mut bench = Bench::new();
        for now in 0..(REMEMBERED as u64 + 50) {
            bench.classic(now);
        }
        assert_eq!((bench.tokens.records.len(), bench.tokens.order.len()), (REMEMBERED, REMEMBERED));
    }
}
