//! The ledger of grants.

use std::time::Instant;

use redis::Value;
use uuid::Uuid;

use super::fault::unreadable;
use super::reply::Items;
use super::script::{AUDIENCE, Call, GRANTS, RECORD_GRANTS};
use super::{RedisStore, expiry};
use crate::store::{Choice, GrantReport, LedgerRow, PAIRING, Page, Recorded, Source, StoreError, UNPAIRED_LIMIT};

/// Users that one script looks at: some hundreds of microseconds in which Redis serves nobody else.
const AT_ONCE: usize = 1000;

impl RedisStore {
    pub(super) fn add_grants(&self, report: &GrantReport<'_>, until: Instant) -> Result<Recorded, StoreError> {
        // The call has a name, so that one whose answer was lost does not take itself for a duplicate.
        let mut call = Call::new(report.appid)
            .with(report.openid)
            .with(u8::from(report.long_term))
            .with(Uuid::now_v7())
            .with(report.token)
            .with(expiry(report.remember))
            .with(if report.source.is_push() { 'p' } else { 'c' })
            .with(u8::from(report.source == Source::Change))
            .optional(report.at)
            .with(expiry(PAIRING))
            .with(UNPAIRED_LIMIT);
        for (template, choice) in report.choices {
            call = call.with(template).with(letter(*choice));
        }
        let mut items = Items::new(self.run(&RECORD_GRANTS, &call, until)?, "ledger")?;
        let duplicate = items.text()? == "1";
        let mut rows = Vec::with_capacity(report.choices.len());
        while !items.is_empty() {
            rows.push(read_row(&items.text()?)?);
        }
        Ok(Recorded { duplicate, rows })
    }

    pub(super) fn ledger_of(
        &self,
        appid: &str,
        openid: &str,
        template_id: Option<&str>,
        until: Instant,
    ) -> Result<Vec<(String, LedgerRow)>, StoreError> {
        let call = Call::new(appid).with(openid).optional(template_id);
        let mut rows = read_rows(self.run(&GRANTS, &call, until)?)?;
        rows.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(rows)
    }

    pub(super) fn page(
        &self,
        appid: &str,
        template_id: &str,
        cursor: Option<&str>,
        limit: usize,
        until: Instant,
    ) -> Result<Page, StoreError> {
        let limit = limit.clamp(1, 10_000);
        let mut users: Vec<(String, u64)> = Vec::new();
        let mut behind = cursor.map(str::to_owned);
        // One user more than asked for tells whether there is another page.
        while users.len() <= limit {
            let wanted = (limit + 1 - users.len()).min(AT_ONCE);
            let call = Call::new(appid).with(template_id).optional(behind.as_deref()).with(wanted);
            let mut items = Items::new(self.run(&AUDIENCE, &call, until)?, "audience")?;
            let seen: usize = items.parse()?;
            behind = Some(items.text()?);
            while !items.is_empty() {
                users.push((items.text()?, items.parse()?));
            }
            if seen < wanted {
                return Ok(Page { users, cursor: None });
            }
        }
        users.truncate(limit);
        let cursor = users.last().map(|(openid, _)| openid.clone());
        Ok(Page { users, cursor })
    }
}

fn letter(choice: Choice) -> char {
    match choice {
        Choice::Accept => 'a',
        Choice::Reject => 'r',
        Choice::Ban => 'b',
        Choice::Filter => 'f',
    }
}

/// Template ids and rows in turn.
pub(super) fn read_rows(value: Value) -> Result<Vec<(String, LedgerRow)>, StoreError> {
    let mut items = Items::new(value, "ledger")?;
    let mut rows = Vec::new();
    while !items.is_empty() {
        rows.push((items.text()?, read_row(&items.text()?)?));
    }
    Ok(rows)
}

/// `accepted delivered reserved lost reported state long_term refused`.
fn read_row(text: &str) -> Result<LedgerRow, StoreError> {
    let corrupt = || unreadable("ledger row");
    let mut parts = text.split(' ');
    let mut number = || parts.next().and_then(|part| part.parse::<u64>().ok()).ok_or_else(corrupt);
    let (accepted, delivered, reserved, lost, _reported) = (number()?, number()?, number()?, number()?, number()?);
    let mut rest = parts;
    let (Some(state), Some(long_term), Some(refused), None) = (rest.next(), rest.next(), rest.next(), rest.next())
    else {
        return Err(corrupt());
    };
    let state = match state {
        "a" => Some(Choice::Accept),
        "r" => Some(Choice::Reject),
        "b" => Some(Choice::Ban),
        "f" => Some(Choice::Filter),
        "-" => None,
        _ => return Err(corrupt()),
    };
    Ok(LedgerRow {
        available: accepted.saturating_sub(delivered).saturating_sub(reserved).saturating_sub(lost),
        reserved,
        accepted,
        delivered,
        lost,
        state,
        long_term: long_term == "1",
        refused: refused == "1",
    })
}
