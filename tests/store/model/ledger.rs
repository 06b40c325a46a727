//! What users have accepted, and what has become of it.

use std::collections::{BTreeMap, HashMap, HashSet};

use routine_template::config::GrantPolicy;
use routine_template::store::*;

use super::after;

#[derive(Default)]
pub struct Ledger {
    /// Templates of which an accept was ever reported.
    reported: HashSet<String>,
    /// By template and openid.
    rows: BTreeMap<(String, String), Row>,
    /// Tokens of reports, and until when they are remembered.
    tokens: HashMap<String, Millis>,
}

#[derive(Default)]
struct Row {
    accepted: u64,
    delivered: u64,
    lost: u64,
    /// Accepts that users reported. `accepted` has those that deliveries proved as well.
    reported: u64,
    state: Option<Choice>,
    long_term: bool,
    refused: bool,
    /// When the latest answer was given, and when it was told.
    latest: Option<(Millis, Millis)>,
    /// Accepts of one side that the other has not told of yet: who told, and when.
    unpaired: Vec<(bool, Millis)>,
    /// By message and epoch: when the lease is over, or `None` of a message that nobody will close.
    reserved: HashMap<(MessageId, u32), Option<Millis>>,
}

fn within(told: Millis, now: Millis) -> bool {
    now < after(told, PAIRING)
}

impl Row {
    fn available(&self) -> u64 {
        let gone = self.delivered + self.lost + self.reserved.len() as u64;
        self.accepted.checked_sub(gone).expect("more grants used than there were")
    }

    /// Adds an answer; says whether it is an accept that nobody has told of before.
    fn answer(&mut self, report: &GrantReport<'_>, choice: Choice, now: Millis) -> bool {
        let at = report.at.unwrap_or(now).min(now);
        let is_latest = self.latest.is_none_or(|(latest, told)| !within(told, now) || at / 1000 >= latest / 1000);
        if is_latest {
            let former = self.latest.filter(|(_, told)| within(*told, now)).map_or(at, |(latest, _)| latest);
            self.latest = Some((at.max(former), now));
            self.state = Some(choice);
            match choice {
                Choice::Accept => self.refused = false,
                _ => self.refused |= report.source == Source::Change,
            }
        }
        if choice != Choice::Accept {
            return false;
        }
        if report.long_term {
            self.long_term = true;
        } else if self.is_told_of(report.source != Source::Client, now) {
            return false;
        } else {
            self.accepted += 1;
        }
        self.reported += 1;
        // Refused by 43101, before this accept was known.
        self.refused &= self.state != Some(Choice::Accept);
        true
    }

    /// Whether the other side has told of this accept already; if not, it is remembered.
    fn is_told_of(&mut self, pushed: bool, now: Millis) -> bool {
        self.unpaired.retain(|(_, told)| within(*told, now));
        if self.unpaired.first().is_some_and(|(side, _)| *side != pushed) {
            self.unpaired.remove(0);
            return true;
        }
        self.unpaired.push((pushed, now));
        if self.unpaired.len() > UNPAIRED_LIMIT {
            self.unpaired.remove(0);
        }
        false
    }

    fn show(&self) -> LedgerRow {
        LedgerRow {
            available: self.available(),
            reserved: self.reserved.len() as u64,
            accepted: self.accepted,
            delivered: self.delivered,
            lost: self.lost,
            state: self.state,
            long_term: self.long_term,
            refused: self.refused,
        }
    }
}

impl Ledger {
    pub fn record(&mut self, report: &GrantReport<'_>, now: Millis) -> Recorded {
        let duplicate = self.tokens.get(report.token).is_some_and(|until| *until > now);
        if !duplicate {
            self.tokens.insert(report.token.to_owned(), after(now, report.remember));
            for (template, choice) in report.choices {
                if self.row(template, report.openid).answer(report, *choice, now) {
                    self.reported.insert((*template).to_owned());
                }
            }
        }
        let rows = report.choices.iter().map(|(template, _)| self.row(template, report.openid).show()).collect();
        Recorded { duplicate, rows }
    }

    fn row(&mut self, template: &str, openid: &str) -> &mut Row {
        self.rows.entry((template.to_owned(), openid.to_owned())).or_default()
    }

    /// Rule 3 of `begin`: what is taken and how many accepts had been reported, or whether the refusal is certain.
    pub fn take(
        &mut self,
        begin: &Begin<'_>,
        message: (MessageId, u32),
        lease_over: Millis,
    ) -> Result<(Grant, u64), bool> {
        if !begin.counts_grants() {
            return Ok((Grant::Uncounted, 0));
        }
        let reported = self.reported.contains(begin.template_id);
        let row = self.row(begin.template_id, begin.openid);
        if row.refused && reported && begin.policy != GrantPolicy::Off {
            return Err(true);
        }
        let grant = if row.long_term && row.state == Some(Choice::Accept) {
            Grant::LongTerm
        } else if row.available() > 0 {
            row.reserved.insert(message, Some(lease_over));
            Grant::Reserved
        } else if begin.policy == GrantPolicy::Strict {
            return Err(false);
        } else if reported {
            Grant::OnCredit
        } else {
            Grant::Uncounted
        };
        Ok((grant, row.reported))
    }

    /// Rule 4 of `claim`, for a message of which an attempt was unknown.
    pub fn take_over(
        &mut self,
        begin: &Begin<'_>,
        id: MessageId,
        (former, epoch): (u32, u32),
        lease_over: Millis,
    ) -> Grant {
        if !begin.counts_grants() || !self.reported.contains(begin.template_id) {
            return Grant::Uncounted;
        }
        let row = self.row(begin.template_id, begin.openid);
        match row.reserved.remove(&(id, former)) {
            Some(_) => {
                row.reserved.insert((id, epoch), Some(lease_over));
                Grant::Reserved
            }
            None => Grant::OnCredit,
        }
    }

    /// Nobody will close that message any more.
    pub fn abandon(&mut self, message: (MessageId, u32)) {
        for row in self.rows.values_mut() {
            if let Some(lease_over) = row.reserved.get_mut(&message) {
                *lease_over = None;
            }
        }
    }

    /// The table at `finish`.
    pub fn settle(&mut self, begin: &Begin<'_>, message: (MessageId, u32), end: &End<'_>, now: Millis) {
        if end.grant == Grant::Uncounted {
            return;
        }
        let row = self.row(begin.template_id, begin.openid);
        match end.settlement {
            Settlement::Spent => {
                // A reservation that a 43101 to another message took is no grant any more.
                if row.reserved.remove(&message).is_none() {
                    row.accepted += 1;
                }
                row.delivered += 1;
                row.refused = false;
            }
            Settlement::GivenBack => {
                row.reserved.remove(&message);
            }
            Settlement::Kept => {
                if let Some(lease_over) = row.reserved.get_mut(&message) {
                    *lease_over = None;
                }
            }
            Settlement::Zero { seen } => {
                let before = row.reserved.len();
                row.reserved.retain(|other, lease_over| {
                    *other != message && lease_over.is_some_and(|lease_over| lease_over > now)
                });
                row.lost += (before - row.reserved.len()) as u64;
                let later = row.reported - seen;
                row.lost += row.available().saturating_sub(later);
                row.refused |= later == 0;
            }
        }
    }

    pub fn of_user(&self, openid: &str, template: Option<&str>) -> Vec<(String, LedgerRow)> {
        self.rows
            .iter()
            .filter(|((of, user), _)| user == openid && template.is_none_or(|template| template == of))
            .map(|((of, _), row)| (of.clone(), row.show()))
            .collect()
    }

    pub fn audience(&self, template: &str, cursor: Option<&str>, limit: usize) -> Page {
        let mut users: Vec<_> = self
            .rows
            .iter()
            .filter(|((of, user), _)| of == template && cursor.is_none_or(|cursor| user.as_str() > cursor))
            .filter(|(_, row)| {
                row.available() > 0 || (row.long_term && row.state == Some(Choice::Accept) && !row.refused)
            })
            .map(|((_, user), row)| (user.clone(), row.available().max(1)))
            .collect();
        let more = users.len() > limit;
        users.truncate(limit);
        let cursor = users.last().filter(|_| more).map(|(user, _)| user.clone());
        Page { users, cursor }
    }
}
