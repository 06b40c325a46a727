//! The outbox: messages that wait, and who takes them.

use std::time::Duration;

use routine_template::config::GrantPolicy;
use routine_template::message::Channel;
use routine_template::store::*;

use super::message::Row;
use super::{Account, after};

/// What a row has besides while its message is in the outbox.
pub struct Waiting {
    openid: String,
    policy: GrantPolicy,
    body: Vec<u8>,
    timeout: Duration,
    resend_unknown: bool,
    first_due: Millis,
    pub due: Millis,
    /// Without delay: whatever the clock says by now.
    at_once: bool,
    pub gives_up: Millis,
    tries: u32,
    unsure: u32,
    claimed: bool,
}

impl Waiting {
    /// The state once its time is over.
    pub fn end_of_time(&self) -> State {
        if self.unsure > 0 { State::Unknown } else { State::Expired }
    }

    pub fn try_again(&mut self, due: Millis, settlement: Settlement) {
        self.due = due;
        self.at_once = false;
        self.tries += 1;
        self.unsure += u32::from(settlement == Settlement::Kept);
    }

    /// The first of its receiver has the lowest.
    fn place(&self, id: MessageId) -> (bool, Millis, MessageId) {
        (!self.claimed, self.first_due, id)
    }
}

impl Account {
    pub fn enqueue(&mut self, begin: &Begin<'_>, parcel: &Parcel<'_>, now: Millis) -> Enqueued {
        if let Some(row) = self.messages.0.values().find(|row| row.queued && row.opened_by == begin.id) {
            return Enqueued::Queued(row.shown.id);
        }
        let mut id = begin.id;
        if let Some(row) = self.messages.of_key(begin.key, now) {
            id = row.shown.id;
            if row.shown.state == State::Sending && !row.is_sending(now) && row.waiting.is_none() {
                row.lapse(&mut self.ledger);
            }
            if row.waiting.is_some() || row.shown.state == State::Sending || row.last_word {
                return Enqueued::Known(row.reads(now));
            }
        }
        let due = after(now, parcel.delay);
        let row = self.messages.fresh(begin, id, now);
        row.shown.state = State::Queued;
        row.queued = true;
        row.kept_until = Millis::MAX;
        row.waiting = Some(Waiting {
            openid: begin.openid.to_owned(),
            policy: begin.policy,
            body: parcel.body.to_vec(),
            timeout: parcel.timeout,
            resend_unknown: parcel.resend_unknown,
            first_due: due,
            due,
            at_once: parcel.delay.is_zero(),
            gives_up: after(due, parcel.expires),
            tries: 0,
            unsure: 0,
            claimed: false,
        });
        if self.sender.as_ref() != Some(parcel.sender) {
            self.sender = Some(parcel.sender.clone());
        }
        Enqueued::Queued(id)
    }

    pub fn claim(&mut self, claim: &Claim<'_>, now: Millis) -> Claimed {
        if let Some(pause) = self.quota.pause(claim.channel.path(), now) {
            return Claimed { pause: Some(pause), ..Claimed::default() };
        }
        let mut claimed = Claimed::default();
        while let Some(id) = self.next(claim.channel, now) {
            // Those that end on the way count, too: a transaction has an end.
            if claimed.jobs.len() + claimed.ended.len() >= claim.limit {
                claimed.more = true;
                break;
            }
            match self.take(claim, id, now) {
                Ok(job) => claimed.jobs.push(job),
                Err(state) => claimed.ended.push((id, state)),
            }
        }
        claimed
    }

    /// The earliest message of that channel that is due.
    fn next(&self, channel: Channel, now: Millis) -> Option<MessageId> {
        self.first_ones(channel)
            .filter_map(|row| {
                let due = if row.is_claimed() { row.lease_over } else { row.waiting.as_ref()?.due };
                (row.due_in(now).is_zero()).then_some((due, row.shown.id))
            })
            .min()
            .map(|(_, id)| id)
    }

    /// Messages of that channel that are the first of their receivers.
    fn first_ones(&self, channel: Channel) -> impl Iterator<Item = &Row> {
        let waiting = || self.messages.0.values().filter_map(|row| Some((row, row.waiting.as_ref()?)));
        waiting()
            .filter(move |(row, it)| {
                let place = it.place(row.shown.id);
                waiting().all(|(other, of)| of.openid != it.openid || of.place(other.shown.id) >= place)
            })
            .filter_map(move |(row, _)| (row.shown.channel == channel).then_some(row))
    }

    /// Rules 2 to 5.
    fn take(&mut self, claim: &Claim<'_>, id: MessageId, now: Millis) -> Result<Job, State> {
        let row = self.messages.0.get_mut(&id).expect("it was found");
        let waiting = row.waiting.as_mut().expect("it waits");
        let lapsed = row.shown.state == State::Sending;
        let expired = now >= waiting.gives_up;
        let goes_on = waiting.resend_unknown && waiting.unsure + 1 < UNSURE_LIMIT && !expired;
        if lapsed {
            if !goes_on {
                row.lapse(&mut self.ledger);
                row.close(claim, now);
                return Err(State::Unknown);
            }
            waiting.try_again(now, Settlement::Kept);
        }
        if expired {
            row.shown.state = waiting.end_of_time();
            row.last_word = true;
            row.close(claim, now);
            return Err(row.shown.state);
        }
        let (former, epoch) = (row.shown.epoch, row.shown.epoch + 1);
        let lease_over = after(after(now, waiting.timeout), claim.margin);
        let begin = Begin {
            id,
            owner: claim.owner,
            lease: Duration::ZERO,
            appid: claim.appid,
            openid: &waiting.openid,
            shown_openid: &row.shown.openid,
            template_id: &row.shown.template_id,
            channel: row.shown.channel,
            key: None,
            policy: waiting.policy,
            changed: None,
            payload: None,
            retention: claim.retention,
            abandoned: None,
            queued: true,
        };
        let taken = if waiting.unsure > 0 {
            Ok((self.ledger.take_over(&begin, id, (former, epoch), lease_over), row.seen))
        } else {
            self.ledger.take(&begin, (id, epoch), lease_over)
        };
        let Ok((grant, seen)) = taken else {
            row.refuse(43101, "", now);
            (row.shown.from_wechat, row.shown.msgid, row.shown.rid) = (false, None, None);
            row.close(claim, now);
            return Err(State::Refused);
        };
        waiting.claimed = true;
        (row.grant, row.seen, row.lease_over) = (grant, seen, lease_over);
        row.owner = claim.owner.as_str().to_owned();
        row.shown.state = State::Sending;
        row.shown.epoch = epoch;
        row.shown.begun = now;
        Ok(Job {
            id,
            epoch,
            grant,
            seen,
            openid: waiting.openid.clone(),
            shown_openid: row.shown.openid.clone(),
            template_id: row.shown.template_id.clone(),
            key: row.shown.key.clone(),
            policy: waiting.policy,
            body: waiting.body.clone(),
            timeout: waiting.timeout,
            tries: waiting.tries,
            unsure: waiting.unsure,
            resend_unknown: waiting.resend_unknown,
            expires_in: Duration::from_millis(u64::try_from(waiting.gives_up - now).unwrap_or(0)),
        })
    }

    pub fn queues(&self, appid: &str, now: Millis) -> Vec<Queue> {
        let of = |channel: Channel| {
            self.messages.0.values().find(|row| row.waiting.is_some() && row.shown.channel == channel)?;
            // One that waits behind another is due when that has ended.
            let soonest = |claimed: bool| {
                self.first_ones(channel).filter(|row| row.is_claimed() == claimed).map(|row| row.due_in(now)).min()
            };
            Some(Queue {
                appid: appid.to_owned(),
                channel,
                due_in: soonest(false),
                lease_in: soonest(true),
                sender: self.sender.as_ref().map(|sender| sender.version.clone()).unwrap_or_default(),
            })
        };
        Channel::ALL.into_iter().filter_map(of).collect()
    }

    pub fn pending(&self) -> u64 {
        self.messages.0.values().filter(|row| row.waiting.is_some()).count() as u64
    }
}

impl Row {
    fn is_claimed(&self) -> bool {
        self.shown.state == State::Sending
    }

    /// How soon it can be claimed, if it is the first.
    fn due_in(&self, now: Millis) -> Duration {
        let at_once = self.waiting.as_ref().filter(|waiting| waiting.at_once && !self.is_claimed());
        let due = if self.is_claimed() { self.lease_over } else { self.waiting.as_ref().map_or(0, |it| it.due) };
        Duration::from_millis(u64::try_from(due - now).unwrap_or(0)) * u32::from(at_once.is_none())
    }

    /// It ends here, and leaves the outbox.
    fn close(&mut self, claim: &Claim<'_>, now: Millis) {
        self.waiting = None;
        self.shown.finished = Some(now);
        self.kept_until = after(now, claim.retention);
    }
}
