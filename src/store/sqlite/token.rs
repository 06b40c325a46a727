//! Access tokens: the newest one, whose turn it is to fetch the next, and WeChat's refusals.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::code::{duration, millis, number, read_count};
use crate::config::Secret;
use crate::store::{Millis, StoredRefusal, StoredToken, TokenAsk, TokenTurn};

struct Row {
    token: Option<String>,
    fence: u64,
    fetched: Millis,
    /// WeChat issued the token that was stored already.
    again: bool,
    renew: Millis,
    ends: Millis,
    owner: String,
    lease_fence: u64,
    lease: Millis,
}

impl Row {
    fn current(&self, now: Millis) -> Option<StoredToken> {
        let token = self.token.as_ref().filter(|_| self.ends > now)?;
        Some(StoredToken {
            token: Secret::new(token.clone()),
            fence: self.fence,
            age: duration(now.saturating_sub(self.fetched)),
            renew_in: duration(self.renew.saturating_sub(now)),
            ends_in: duration(self.ends.saturating_sub(now)),
        })
    }
}

/// The answer that changes nothing; `None` if the caller shall have the lease.
pub(super) fn look(db: &Connection, ask: &TokenAsk<'_>, now: Millis) -> rusqlite::Result<Option<TokenTurn>> {
    let Some(row) = find(db, ask.account)? else {
        return Ok(standing_refusal(db, ask, now)?.map(TokenTurn::Refused));
    };
    let current = row.current(now);
    if let (Some(refused), Some(token)) = (ask.refused, &current) {
        if token.token.reveal() != refused || token.fence > ask.held {
            return Ok(Some(TokenTurn::Token(token.clone())));
        }
        if row.again && token.age < ask.fresh {
            return Ok(Some(TokenTurn::JustFetched));
        }
    }
    // From here on the refused token is none.
    let current = current.filter(|token| ask.refused != Some(token.token.reveal()));
    if let Some(token) = &current {
        let serves = if ask.force { token.age < ask.fresh } else { ask.refused.is_none() && !token.renew_in.is_zero() };
        if serves {
            return Ok(Some(TokenTurn::Token(token.clone())));
        }
    }
    if let Some(refusal) = standing_refusal(db, ask, now)? {
        return Ok(Some(match current {
            Some(token) if !ask.force => TokenTurn::Token(token),
            _ => TokenTurn::Refused(refusal),
        }));
    }
    if row.lease > now && ask.ended != Some(row.owner.as_str()) {
        return Ok(Some(TokenTurn::Busy { owner: row.owner, left: duration(row.lease.saturating_sub(now)), current }));
    }
    Ok(None)
}

/// The same, and gives the lease to the caller.
pub(super) fn ask(db: &Connection, ask: &TokenAsk<'_>, now: Millis) -> rusqlite::Result<TokenTurn> {
    if let Some(turn) = look(db, ask, now)? {
        return Ok(turn);
    }
    let row = find(db, ask.account)?;
    let last = row.as_ref().map_or(0, |row| row.fence.max(row.lease_fence));
    let current = row.and_then(|row| row.current(now)).filter(|token| ask.refused != Some(token.token.reveal()));
    // The time, or one more: above the fences of a store that was lost, too.
    let fence = u64::try_from(now).unwrap_or(0).max(last + 1);
    db.prepare_cached(
        "INSERT INTO token (account, owner, lease_fence, lease) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (account)
         DO UPDATE SET owner = excluded.owner, lease_fence = excluded.lease_fence, lease = excluded.lease",
    )?
    .execute(params![ask.account, ask.owner.as_str(), number(fence), now.saturating_add(millis(ask.lease))])?;
    Ok(TokenTurn::Fetch { fence, current })
}

/// What the holder of a lease has fetched.
pub(super) struct Fetched<'a> {
    pub(super) account: &'a str,
    pub(super) fence: u64,
    pub(super) token: &'a str,
    pub(super) renew_in: Duration,
    pub(super) ends_in: Duration,
}

pub(super) fn put(db: &Connection, fetched: &Fetched<'_>, now: Millis) -> rusqlite::Result<bool> {
    let stored = db
        .prepare_cached(
            "INSERT INTO token (account, fence, token, fetched, renew, ends) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (account) DO UPDATE SET fence = excluded.fence, token = excluded.token,
               again = CASE WHEN excluded.fence = token.fence THEN token.again
                 ELSE coalesce(token.token = excluded.token, 0) END,
               fetched = excluded.fetched, renew = excluded.renew, ends = excluded.ends
             WHERE excluded.fence >= token.fence",
        )?
        .execute(params![
            fetched.account,
            number(fetched.fence),
            fetched.token,
            now,
            now.saturating_add(millis(fetched.renew_in)),
            now.saturating_add(millis(fetched.ends_in)),
        ])?;
    end_lease(db, fetched.account, fetched.fence)?;
    if stored == 0 {
        return Ok(false);
    }
    db.prepare_cached("DELETE FROM refusal WHERE account = ?1 OR stands <= ?2")?
        .execute(params![fetched.account, now])?;
    // The tokens of secrets that were replaced.
    db.prepare_cached("DELETE FROM token WHERE ends <= ?1 AND lease <= ?1 AND account <> ?2")?
        .execute(params![now, fetched.account])?;
    Ok(true)
}

pub(super) fn refuse(
    db: &Connection,
    (ask_account, account): (&str, &str),
    fence: u64,
    refusal: &StoredRefusal,
    now: Millis,
) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR REPLACE INTO refusal (account, errcode, errmsg, stands) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![account, refusal.errcode, refusal.errmsg, now.saturating_add(millis(refusal.stands))])?;
    end_lease(db, ask_account, fence).map(drop)
}

pub(super) fn release(db: &Connection, account: &str, fence: u64, rest: Duration, now: Millis) -> rusqlite::Result<()> {
    if end_lease(db, account, fence)? {
        db.prepare_cached("UPDATE token SET renew = max(renew, ?2) WHERE account = ?1")?
            .execute(params![account, now.saturating_add(millis(rest))])?;
    }
    Ok(())
}

/// Whether that fence held the lease.
fn end_lease(db: &Connection, account: &str, fence: u64) -> rusqlite::Result<bool> {
    let ended = db
        .prepare_cached(
            "UPDATE token SET owner = NULL, lease = 0 WHERE account = ?1 AND lease_fence = ?2 AND lease <> 0",
        )?
        .execute(params![account, number(fence)])?;
    Ok(ended > 0)
}

fn find(db: &Connection, account: &str) -> rusqlite::Result<Option<Row>> {
    db.prepare_cached(
        "SELECT token, fence, fetched, again, renew, ends, owner, lease_fence, lease FROM token WHERE account = ?1",
    )?
    .query_row([account], |row| {
        Ok(Row {
            token: row.get(0)?,
            fence: read_count(row, 1)?,
            fetched: row.get(2)?,
            again: row.get(3)?,
            renew: row.get(4)?,
            ends: row.get(5)?,
            owner: row.get::<_, Option<String>>(6)?.unwrap_or_default(),
            lease_fence: read_count(row, 7)?,
            lease: row.get(8)?,
        })
    })
    .optional()
}

fn standing_refusal(db: &Connection, ask: &TokenAsk<'_>, now: Millis) -> rusqlite::Result<Option<StoredRefusal>> {
    db.prepare_cached(
        "SELECT errcode, errmsg, stands FROM refusal WHERE account IN (?1, ?2) AND stands > ?3
         ORDER BY stands DESC LIMIT 1",
    )?
    .query_row(params![ask.account, ask.account_here, now], |row| {
        Ok(StoredRefusal {
            errcode: row.get(0)?,
            errmsg: row.get(1)?,
            stands: duration(row.get::<_, Millis>(2)?.saturating_sub(now)),
        })
    })
    .optional()
}
