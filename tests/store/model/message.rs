//! Messages: rows, keys, epochs.

use std::collections::{BTreeMap, HashSet};

use routine_template::store::*;

use super::ledger::Ledger;
use super::outbox::Waiting;
use super::{Account, after};

#[derive(Default)]
pub struct Messages(pub BTreeMap<MessageId, Row>);

pub struct Row {
    pub shown: Delivery,
    /// The id of the call that opened it last: that call can be repeated.
    pub opened_by: MessageId,
    pub owner: String,
    pub lease_over: Millis,
    pub last_word: bool,
    pub grant: Grant,
    pub seen: u64,
    pub kept_until: Millis,
    /// Epochs whose calls are counted.
    counted: HashSet<u32>,
    /// Unknown for no other reason than that its lease was over.
    pub lapsed: bool,
    /// Whether the call that opened it last was `enqueue`.
    pub queued: bool,
    /// While it is in the outbox.
    pub waiting: Option<Waiting>,
}

impl Row {
    pub fn is_sending(&self, now: Millis) -> bool {
        self.shown.state == State::Sending && now < self.lease_over
    }

    pub fn reads(&self, now: Millis) -> Delivery {
        let mut shown = self.shown.clone();
        if shown.state == State::Sending && !self.is_sending(now) {
            shown.state = State::Unknown;
        }
        if let Some(waiting) = self.waiting.as_ref().filter(|_| shown.state == State::Queued) {
            if now >= waiting.gives_up {
                shown.state = waiting.end_of_time();
            } else {
                shown.due = Some(waiting.due);
            }
        }
        shown
    }

    fn go(&self) -> Begun {
        Begun::Go { id: self.shown.id, epoch: self.shown.epoch, grant: self.grant, seen: self.seen }
    }

    pub fn refuse(&mut self, errcode: i64, errmsg: &str, now: Millis) {
        self.shown.state = State::Refused;
        self.shown.errcode = Some(errcode);
        self.shown.errmsg = errmsg.to_owned();
        self.shown.finished = Some(now);
    }

    /// Nobody closed it in time.
    pub fn lapse(&mut self, ledger: &mut Ledger) {
        self.shown.state = State::Unknown;
        self.last_word = true;
        self.lapsed = true;
        self.waiting = None;
        ledger.abandon((self.shown.id, self.shown.epoch));
    }
}

impl Messages {
    pub fn of_key(&mut self, key: Option<&str>, now: Millis) -> Option<&mut Row> {
        let key = key?;
        self.0.values_mut().find(|row| row.shown.key.as_deref() == Some(key) && now < row.kept_until)
    }

    pub fn delivery(&self, id: MessageId, now: Millis) -> Option<Delivery> {
        self.0.get(&id).filter(|row| now < row.kept_until).map(|row| row.reads(now))
    }

    pub fn deliveries(&self, filter: &Filter<'_>, now: Millis) -> Vec<Delivery> {
        let fits = |row: &Delivery| {
            filter.openid.is_none_or(|openid| row.openid == openid)
                && filter.template_id.is_none_or(|template| row.template_id == template)
                && filter.key.is_none_or(|key| row.key.as_deref() == Some(key))
                && filter.state.is_none_or(|state| row.state == state)
                && filter.before.is_none_or(|before| row.id < before)
                && filter.since.is_none_or(|since| row.id >= MessageId::floor(since))
        };
        let rows = self.0.values().rev().filter(|row| now < row.kept_until).map(|row| row.reads(now));
        rows.filter(fits).take(filter.limit).collect()
    }

    pub fn receive(&mut self, receipt: &Receipt<'_>, now: Millis) -> Option<MessageId> {
        let rows = self.0.values_mut().rev().filter(|row| now < row.kept_until);
        let mut newest = rows.filter(|row| row.shown.openid == receipt.shown_openid).take(RECEIPT_ROWS);
        let row = newest.find(|row| row.shown.msgid.as_deref() == Some(receipt.msgid))?;
        row.shown.receipt.get_or_insert_with(|| receipt.text.to_owned());
        Some(row.shown.id)
    }

    pub fn fresh(&mut self, begin: &Begin<'_>, id: MessageId, now: Millis) -> &mut Row {
        let former = self.0.remove(&id);
        let (epoch, attempts, counted) =
            former.map_or((1, 0, HashSet::new()), |row| (row.shown.epoch + 1, row.shown.attempts, row.counted));
        let shown = Delivery {
            id,
            epoch,
            openid: begin.shown_openid.to_owned(),
            template_id: begin.template_id.to_owned(),
            channel: begin.channel,
            key: begin.key.map(str::to_owned),
            state: State::Sending,
            errcode: None,
            errmsg: String::new(),
            from_wechat: false,
            msgid: None,
            rid: None,
            attempts,
            changed: begin.changed.map(str::to_owned),
            payload: begin.payload.map(str::to_owned),
            begun: now,
            finished: None,
            due: None,
            receipt: None,
        };
        self.0.entry(id).or_insert(Row {
            shown,
            opened_by: begin.id,
            owner: begin.owner.as_str().to_owned(),
            lease_over: after(now, begin.lease),
            last_word: false,
            grant: Grant::Uncounted,
            seen: 0,
            kept_until: after(now, begin.retention),
            counted,
            lapsed: false,
            queued: false,
            waiting: None,
        })
    }
}

impl Account {
    pub fn begin(&mut self, begin: &Begin<'_>, now: Millis) -> Begun {
        let repeated = |row: &&Row| !row.queued && row.opened_by == begin.id && row.shown.key.as_deref() == begin.key;
        if let Some(row) = self.messages.0.values().filter(|row| row.is_sending(now)).find(repeated) {
            return row.go();
        }
        let mut id = begin.id;
        if let Some(row) = self.messages.of_key(begin.key, now) {
            id = row.shown.id;
            let message = (id, row.shown.epoch);
            if row.is_sending(now) && begin.abandoned != Some(message) {
                return Begun::UnderWay(row.shown.clone(), row.owner.clone());
            }
            if row.shown.state == State::Sending {
                if row.waiting.is_some() {
                    row.kept_until = after(now, begin.retention);
                }
                row.lapse(&mut self.ledger);
            }
            let reads = row.reads(now);
            if reads.state == State::Queued {
                return Begun::UnderWay(reads, String::new());
            }
            if row.last_word || row.waiting.is_some() {
                return Begun::Known(reads);
            }
        }
        let pause = self.quota.pause(begin.channel.path(), now);
        let row = self.messages.fresh(begin, id, now);
        if let Some(pause) = pause {
            row.refuse(pause.errcode, "", now);
            return Begun::Paused { id, pause };
        }
        match self.ledger.take(begin, (id, row.shown.epoch), row.lease_over) {
            Ok((grant, seen)) => {
                (row.grant, row.seen) = (grant, seen);
                row.go()
            }
            Err(certain) => {
                row.refuse(43101, "", now);
                Begun::NoGrant { id, certain }
            }
        }
    }

    pub fn finish(&mut self, begin: &Begin<'_>, epoch: u32, end: &End<'_>, now: Millis) {
        let id = self.messages.of_key(begin.key, now).map_or(begin.id, |row| row.shown.id);
        let Some(row) = self.messages.0.get_mut(&id) else {
            return self.quota.count(end.api, end.day, end.attempts);
        };
        if row.counted.insert(epoch) {
            self.quota.count(end.api, end.day, end.attempts);
        }
        if row.shown.epoch != epoch || !(row.shown.state == State::Sending || row.lapsed) {
            return;
        }
        row.lapsed = false;
        (row.shown.state, row.last_word) = match (end.again, &mut row.waiting) {
            (Some(wait), Some(waiting)) => {
                waiting.try_again(after(now, wait), end.settlement);
                (State::Queued, false)
            }
            (Some(_), None) => (State::NotSent, false),
            (None, _) => {
                row.waiting = None;
                (end.state, end.last_word)
            }
        };
        if row.waiting.is_none() {
            row.kept_until = after(now, begin.retention);
        }
        let shown = &mut row.shown;
        shown.errcode = end.errcode;
        shown.errmsg = end.errmsg.to_owned();
        shown.from_wechat = end.from_wechat;
        shown.msgid = end.msgid.map(str::to_owned);
        shown.rid = end.rid.map(str::to_owned);
        shown.attempts += end.attempts;
        shown.finished = Some(now);
        if let Some(pause) = &end.pause {
            self.quota.pauses.insert(end.api.to_owned(), pause.clone());
        }
        self.ledger.settle(begin, (id, epoch), end, now);
    }

    pub fn refuse(&mut self, begin: &Begin<'_>, refusal: &LocalRefusal<'_>, now: Millis) -> MessageId {
        let mut id = begin.id;
        if let Some(row) = self.messages.of_key(begin.key, now) {
            id = row.shown.id;
            if row.shown.state == State::Sending || row.last_word || row.waiting.is_some() {
                return id;
            }
        }
        self.messages.fresh(begin, id, now).refuse(refusal.errcode, refusal.errmsg, now);
        id
    }
}
