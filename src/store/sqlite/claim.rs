//! Claims: messages of one queue that are due go to who sends them, or end on the way.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};

use super::candidate::{CANDIDATE, Candidate, Place};
use super::code::{Code, duration, millis, now, number};
use super::delivery::end_of_time;
use super::outbox::{Promoted, Stay, Wait, take_out, text};
use super::settle::{NO_GRANT, Sending};
use super::{account, expired, quota, row};
use crate::message::Channel;
use crate::store::{Claim, Claimed, Grant, Job, MessageId, Millis, State, UNSURE_LIMIT};

/// Those of a queue that wait for the same and are due, the earliest first.
pub(super) const DUE: &str = "SELECT due, id, openid, place FROM outbox INDEXED BY outbox_due
    WHERE account = ?1 AND channel = ?2 AND wait = ?3 AND due <= ?4 ORDER BY due, id LIMIT ?5";

pub(super) fn claim(db: &Connection, claim: &Claim<'_>) -> rusqlite::Result<Claimed> {
    let Some(account) = account::find(db, claim.appid)? else { return Ok(Claimed::default()) };
    let now = now();
    if let Some(pause) = quota::standing_pause(db, account, claim.channel.path(), now)? {
        return Ok(Claimed { pause: Some(pause), ..Claimed::default() });
    }
    let claiming = Claiming { db, claim, account, now };
    let limit = claim.limit.clamp(1, 256);
    let mut due = claiming.due(limit)?;
    let mut claimed = Claimed::default();
    // What ends counts as well, so that the transaction has an end.
    let mut left = limit;
    while let Some(place) = due.pop_first() {
        if left == 0 {
            claimed.more = true;
            break;
        }
        left -= 1;
        match claiming.take(&place)? {
            Outcome::Goes(job) => claimed.jobs.push(*job),
            Outcome::Ends(id, state) => {
                claimed.ended.extend(id.map(|id| (id, state)));
                let next = take_out(db, account, (&place.openid, place.place, &place.id))?;
                due.extend(next.and_then(|next| claiming.place_of(next, &place)));
            }
        }
    }
    expired::DELIVERIES.delete(db, now, 2 * (limit - left))?;
    Ok(claimed)
}

enum Outcome {
    Goes(Box<Job>),
    /// Without an id if nobody would know it.
    Ends(Option<MessageId>, State),
}

struct Claiming<'a> {
    db: &'a Connection,
    claim: &'a Claim<'a>,
    account: i64,
    now: Millis,
}

impl Claiming<'_> {
    /// More than enough of those that are due.
    fn due(&self, limit: usize) -> rusqlite::Result<BTreeSet<Place>> {
        let mut due = BTreeSet::new();
        for (wait, until) in [(Wait::Nothing, Millis::MAX), (Wait::Time, self.now), (Wait::Lease, self.now)] {
            let rows = i64::try_from(limit + 1).unwrap_or(i64::MAX);
            let mut statement = self.db.prepare_cached(DUE)?;
            let mut rows =
                statement.query(params![self.account, self.claim.channel.code(), wait.code(), until, rows])?;
            while let Some(row) = rows.next()? {
                due.insert(Place {
                    due: row.get(0)?,
                    id: row.get_ref(1)?.as_bytes()?.to_vec(),
                    openid: row.get_ref(2)?.as_bytes()?.to_vec(),
                    place: row.get(3)?,
                    wait,
                });
            }
        }
        Ok(due)
    }

    /// The next one of the same receiver, if it is of this queue and due.
    fn place_of(&self, next: Promoted, former: &Place) -> Option<Place> {
        let Promoted { due, id, place, channel, wait } = next;
        let is_due = channel == self.claim.channel.code() && (wait == Wait::Nothing || due <= self.now);
        is_due.then(|| Place { due, id, openid: former.openid.clone(), place, wait })
    }

    /// The rules of [`crate::store::Store::claim`].
    fn take(&self, place: &Place) -> rusqlite::Result<Outcome> {
        let id = <[u8; 16]>::try_from(place.id.as_slice()).ok().map(MessageId::from_bytes);
        let found = self
            .db
            .prepare_cached(CANDIDATE)?
            .query_row(params![self.account, text(&place.openid), place.place, place.id], Candidate::read)
            .optional();
        let (id, candidate) = match (id, found) {
            (Some(id), Ok(Some(candidate))) => (id, candidate),
            // Something in it cannot be read, or belongs to nothing.
            (id, Ok(_)) => return self.set_aside(id, place.wait),
            (id, Err(error)) if error.sqlite_error().is_none() => return self.set_aside(id, place.wait),
            (_, Err(error)) => return Err(error),
        };
        if candidate.stay != Stay::Within {
            return Ok(Outcome::Ends(None, State::Unknown));
        }
        let sending = Sending {
            id,
            epoch: candidate.epoch.saturating_add(1),
            template: candidate.template,
            openid: &candidate.openid,
        };
        let is_over = candidate.gives_up <= self.now;
        // Its lease is over.
        let lapsed = u32::from(place.wait == Wait::Lease);
        let unsure = candidate.unsure.saturating_add(lapsed);
        if lapsed > 0 && (is_over || !candidate.resend_unknown || unsure >= UNSURE_LIMIT) {
            Sending { epoch: candidate.epoch, ..sending }.keep(self.db)?;
            return self.end(id, State::Unknown);
        }
        if is_over {
            return self.end(id, end_of_time(unsure));
        }
        let lease = self.now.saturating_add(candidate.timeout).saturating_add(millis(self.claim.margin));
        let counts = self.claim.channel != Channel::Template;
        let (grant, seen) = if unsure > 0 {
            let grant = match counts && candidate.standing.reported {
                true if sending.take_over(self.db, candidate.epoch, lease)? => Grant::Reserved,
                true => Grant::OnCredit,
                false => Grant::Uncounted,
            };
            (grant, candidate.seen)
        } else {
            match candidate.standing.grant(self.claim.channel, candidate.policy) {
                Ok(grant) => (grant, if counts { candidate.standing.reports } else { 0 }),
                Err(_) => return self.refuse(id),
            }
        };
        if grant == Grant::Reserved && unsure == 0 {
            sending.reserve(self.db, lease)?;
        }
        let epoch = sending.epoch;
        let tries = candidate.tries.saturating_add(lapsed);
        self.go(place, epoch, (tries, unsure), (grant, seen), lease)?;
        Ok(Outcome::Goes(Box::new(Job {
            id,
            epoch,
            grant,
            seen,
            openid: candidate.openid,
            shown_openid: candidate.shown_openid,
            template_id: candidate.template_id,
            key: candidate.key,
            policy: candidate.policy,
            body: candidate.body,
            timeout: duration(candidate.timeout),
            tries,
            unsure,
            resend_unknown: candidate.resend_unknown,
            expires_in: duration(candidate.gives_up.saturating_sub(self.now)),
        })))
    }

    /// It is under way.
    fn go(
        &self,
        place: &Place,
        epoch: u32,
        (tries, unsure): (u32, u32),
        (grant, seen): (Grant, u64),
        lease: Millis,
    ) -> rusqlite::Result<()> {
        self.db
            .prepare_cached(
                "UPDATE outbox SET place = 0, wait = ?5, due = ?6, tries = ?7
                 WHERE account = ?1 AND openid = ?2 AND place = ?3 AND id = ?4",
            )?
            .execute(params![
                self.account,
                text(&place.openid),
                place.place,
                place.id,
                Wait::Lease.code(),
                lease,
                tries
            ])?;
        self.db
            .prepare_cached(
                "UPDATE delivery SET state = ?3, epoch = ?4, owner = ?5, lease = ?6, taken = ?7, seen = ?8, begun = ?9,
                   unsure = ?10, missed = missed | ?11
                 WHERE account = ?1 AND id = ?2",
            )?
            .execute(params![
                self.account,
                place.id,
                State::Sending.code(),
                epoch,
                self.claim.owner.as_str(),
                lease,
                grant.code(),
                number(seen),
                self.now,
                unsure,
                if place.wait == Wait::Lease { row::bit(epoch.saturating_sub(1)) } else { 0 },
            ])
            .map(drop)
    }

    /// Its last word; what its last attempt brought stays in the row.
    fn end(&self, id: MessageId, state: State) -> rusqlite::Result<Outcome> {
        self.db
            .prepare_cached(
                "UPDATE delivery SET state = ?3, last_word = 1, owner = '', finished = ?4, expires = ?5, outbox = ?6,
                   receiver = NULL
                 WHERE account = ?1 AND id = ?2",
            )?
            .execute(params![self.account, id.as_bytes(), state.code(), self.now, self.expires(), Stay::Left.code()])?;
        Ok(Outcome::Ends(Some(id), state))
    }

    /// The ledger has nothing for it, which is not the last word.
    fn refuse(&self, id: MessageId) -> rusqlite::Result<Outcome> {
        self.db
            .prepare_cached(
                "UPDATE delivery SET state = ?3, last_word = 0, finished = ?4, expires = ?5, outbox = ?6, receiver = NULL,
                   errcode = ?7, errmsg = '', from_wechat = 0, msgid = NULL, rid = NULL
                 WHERE account = ?1 AND id = ?2",
            )?
            .execute(params![
                self.account,
                id.as_bytes(),
                State::Refused.code(),
                self.now,
                self.expires(),
                Stay::Left.code(),
                NO_GRANT,
            ])?;
        Ok(Outcome::Ends(Some(id), State::Refused))
    }

    /// What was under way may have arrived, readable or not.
    fn set_aside(&self, id: Option<MessageId>, wait: Wait) -> rusqlite::Result<Outcome> {
        let state = if wait == Wait::Lease { State::Unknown } else { State::NotSent };
        id.map_or(Ok(Outcome::Ends(None, state)), |id| self.end(id, state))
    }

    fn expires(&self) -> Millis {
        self.now.saturating_add(millis(self.claim.retention))
    }
}
