//! What workers wrote down before they were killed, and what follows for the store.

use std::collections::{BTreeMap, HashMap};

use routine_template::store::*;

use crate::crash::{begin, finish, message, receipt, report, verdict};
use crate::shop::{APP, Going, Message, soon};

/// What the records say of one message.
pub struct Sent {
    message: Message,
    /// From the acknowledgement, or from the repeat.
    going: Option<Going>,
    verdict: Option<String>,
    pub finished: bool,
    /// Whether WeChat told of its arrival, and whether that was acknowledged.
    arrived: Option<bool>,
}

/// What the records say of one side's word of an accept.
pub struct Accept {
    openid: String,
    side: String,
    acknowledged: bool,
}

/// What the records of a round say.
#[derive(Default)]
pub struct Told {
    /// By token.
    reports: HashMap<String, Accept>,
    pub sent: BTreeMap<MessageId, Sent>,
    pub acknowledged: usize,
}

fn grant(name: &str) -> Grant {
    let all = [Grant::Reserved, Grant::OnCredit, Grant::LongTerm, Grant::Uncounted];
    all.into_iter().find(|grant| format!("{grant:?}") == name).unwrap()
}

impl Told {
    pub fn read(records: &[Vec<String>]) -> Self {
        let mut told = Self::default();
        for line in records.iter().flatten() {
            told.acknowledged += usize::from(line.contains("! "));
            let words: Vec<&str> = line.split(' ').collect();
            let id: MessageId = words[1].parse().unwrap();
            match words[..] {
                ["report?", token, openid, side] => {
                    let (openid, side) = (openid.to_owned(), side.to_owned());
                    told.reports.insert(token.to_owned(), Accept { openid, side, acknowledged: false });
                }
                ["report!", token] => told.reports.get_mut(token).unwrap().acknowledged = true,
                ["begin?", _, openid, keyed] => {
                    let message = message(id, openid, keyed == "true");
                    told.sent.insert(id, Sent { message, going: None, verdict: None, finished: false, arrived: None });
                }
                ["begin!", _, epoch, name, seen] => {
                    let (epoch, seen) = (epoch.parse().unwrap(), seen.parse().unwrap());
                    told.sent.get_mut(&id).unwrap().going = Some(Going { id, epoch, grant: grant(name), seen });
                }
                ["finish?", _, name] => told.sent.get_mut(&id).unwrap().verdict = Some(name.to_owned()),
                ["finish!", _] => told.sent.get_mut(&id).unwrap().finished = true,
                ["receipt?", _] => told.sent.get_mut(&id).unwrap().arrived = Some(false),
                ["receipt!", _] => told.sent.get_mut(&id).unwrap().arrived = Some(true),
                _ => panic!("what is {line:?}?"),
            }
        }
        told
    }

    /// The books of one user as far as they are certain: accepted and delivered at least, reserved at least and at most.
    pub fn acknowledged_of(&self, openid: &str) -> [u64; 4] {
        let mut books = [0, 0, 0, 0];
        let [accepted, delivered, least, most] = &mut books;
        let told_by = |side: &str| {
            let reports = self.reports.values().filter(|report| report.acknowledged && report.openid == openid);
            reports.filter(|report| report.side == side).count() as u64
        };
        // An accept of which both have told is one.
        *accepted += told_by("client").max(told_by("push"));
        let (mut reserved, mut settled, mut settling, mut beginning) = (0, 0, 0, 0);
        for sent in self.sent.values().filter(|sent| sent.message.openid == openid) {
            let Some(going) = sent.going else {
                beginning += 1;
                continue;
            };
            let is_delivered = sent.verdict.as_deref() == Some("delivered");
            let gives_back = is_delivered || sent.verdict.as_deref() == Some("not_sent");
            if going.grant == Grant::Reserved {
                reserved += 1;
                settled += u64::from(sent.finished && gives_back);
                settling += u64::from(!sent.finished && gives_back);
            }
            if sent.finished && is_delivered && going.grant != Grant::Uncounted {
                *delivered += 1;
                *accepted += u64::from(going.grant == Grant::OnCredit);
            }
        }
        *least = reserved - settled - settling;
        *most = reserved - settled + beginning;
        books
    }

    /// Acknowledged messages whose row is not as it was acknowledged.
    pub fn lost_rows(&self, store: &dyn Store) -> usize {
        let is_there = |(id, sent): &(&MessageId, &Sent)| {
            let row = store.delivery(APP, **id, soon()).unwrap();
            let state = row.as_ref().map(|row| row.state);
            let ended = sent.verdict.as_deref().map(|name| verdict(name).state);
            let has_receipt = row.as_ref().is_some_and(|row| row.receipt.is_some());
            if sent.arrived.map_or(has_receipt, |acknowledged| acknowledged && !has_receipt) {
                return false;
            }
            match (sent.going, sent.finished) {
                (Some(_), true) => state == ended,
                (Some(_), false) => state == Some(State::Sending) || (ended.is_some() && state == ended),
                (None, _) => state.is_none_or(|state| state == State::Sending),
            }
        };
        self.sent.iter().filter(|sent| !is_there(sent)).count()
    }

    /// Does again what was under way when its worker was killed.
    pub fn repeat(&mut self, store: &dyn Store) -> usize {
        let mut repeated = 0;
        for (token, told) in &mut self.reports {
            if !std::mem::replace(&mut told.acknowledged, true) {
                report(store, &told.openid, &told.side, token);
                repeated += 1;
            }
        }
        for sent in self.sent.values_mut() {
            if sent.going.is_none() {
                sent.going = Some(begin(store, &sent.message));
                repeated += 1;
            }
            if let (Some(going), Some(name), false) = (sent.going, &sent.verdict, sent.finished) {
                finish(store, &sent.message, going, name);
                sent.finished = true;
                repeated += 1;
            }
            if sent.arrived == Some(false) {
                receipt(store, &sent.message);
                sent.arrived = Some(true);
                repeated += 1;
            }
        }
        repeated
    }
}
