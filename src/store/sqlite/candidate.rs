//! A message that is due, as a claim finds it.

use rusqlite::Row;

use super::code::{Code, read_count};
use super::outbox::{Stay, Wait};
use super::settle::{self, Standing};
use crate::config::GrantPolicy;
use crate::store::Millis;

/// Where a row of the outbox is, in the order in which they are claimed.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) due: Millis,
    pub(super) id: Vec<u8>,
    pub(super) openid: Vec<u8>,
    pub(super) place: Millis,
    pub(super) wait: Wait,
}

/// All that decides about one of them.
pub(super) const CANDIDATE: &str = concat!(
    "SELECT o.policy, o.timeout, o.resend, o.tries, o.body, o.openid, d.gives_up, d.unsure, d.epoch, d.openid, d.template,
       t.name, d.key, d.seen, d.outbox, ",
    settle::standing!(),
    " FROM outbox o CROSS JOIN delivery d ON d.account = o.account AND d.id = o.id
      CROSS JOIN template t ON t.id = d.template LEFT JOIN ledger l ON l.template = d.template AND l.openid = o.openid
      WHERE o.account = ?1 AND o.openid = ?2 AND o.place = ?3 AND o.id = ?4"
);

/// A message as it waits.
pub(super) struct Candidate {
    pub(super) policy: GrantPolicy,
    pub(super) timeout: Millis,
    pub(super) resend_unknown: bool,
    pub(super) tries: u32,
    pub(super) body: Vec<u8>,
    pub(super) openid: String,
    pub(super) gives_up: Millis,
    pub(super) unsure: u32,
    pub(super) epoch: u32,
    pub(super) shown_openid: String,
    pub(super) template: i64,
    pub(super) template_id: String,
    pub(super) key: Option<String>,
    pub(super) seen: u64,
    pub(super) stay: Stay,
    pub(super) standing: Standing,
}

impl Candidate {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            policy: GrantPolicy::read(row, 0)?,
            timeout: row.get(1)?,
            resend_unknown: row.get(2)?,
            tries: row.get(3)?,
            body: row.get(4)?,
            openid: row.get(5)?,
            gives_up: row.get(6)?,
            unsure: row.get(7)?,
            epoch: row.get(8)?,
            shown_openid: row.get(9)?,
            template: row.get(10)?,
            template_id: row.get(11)?,
            key: row.get(12)?,
            seen: read_count(row, 13)?,
            stay: Stay::read(row, 14)?,
            standing: Standing::read(row, 15)?,
        })
    }
}
