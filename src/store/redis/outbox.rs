//! The outbox: messages that wait, and what is known of their queues.

use std::time::{Duration, Instant};

use redis::Value;

use super::delivery::read_delivery;
use super::fault::unreadable;
use super::message::message;
use super::name::read_channel;
use super::reply::Items;
use super::script::{Call, ENQUEUE, LEAD, PENDING, QUEUES, SENDER};
use super::{RedisStore, expiry, milliseconds};
use crate::config::Secret;
use crate::store::{Begin, Enqueued, Lead, Owner, Parcel, Queue, Sender, StoreError};

impl RedisStore {
    pub(super) fn put_into_outbox(
        &self,
        begin: &Begin<'_>,
        parcel: &Parcel<'_>,
        until: Instant,
    ) -> Result<Enqueued, StoreError> {
        self.note_account(begin.appid, until)?;
        let call = message(begin)
            .bytes(parcel.body)
            .with(milliseconds(parcel.delay))
            .with(milliseconds(parcel.expires))
            .with(milliseconds(parcel.timeout))
            .with(u8::from(parcel.resend_unknown))
            .with(&parcel.sender.version)
            .with(parcel.sender.settings.reveal());
        let mut items = Items::new(self.run(&ENQUEUE, &call, until)?, "answer")?;
        match items.text()?.as_str() {
            "queued" => Ok(Enqueued::Queued(items.parse()?)),
            "known" => Ok(Enqueued::Known(read_delivery(items.value()?)?)),
            _ => Err(unreadable("answer")),
        }
    }

    pub(super) fn queues_of(&self, appid: &str, until: Instant) -> Result<Vec<Queue>, StoreError> {
        read_queues(appid, self.run(&QUEUES, &Call::new(appid), until)?)
    }

    pub(super) fn queues_of_all(&self, until: Instant) -> Result<Vec<Queue>, StoreError> {
        let accounts = self.noted_accounts(until)?;
        let calls: Vec<Call<'_>> = accounts.iter().map(|account| Call::new(&account.appid)).collect();
        let mut queues = Vec::new();
        let mut failure = None;
        for (account, answer) in accounts.iter().zip(self.run_all(&QUEUES, &calls, until)?) {
            match answer.and_then(|value| read_queues(&account.appid, value)) {
                Ok(found) if found.is_empty() && account.is_old => self.forget_account(&account.appid, until)?,
                Ok(found) => queues.extend(found),
                Err(error) => failure = Some(error),
            }
        }
        match failure {
            Some(error) if queues.is_empty() => Err(error),
            // Messages of other accounts do not wait for one whose data is damaged or newer; its own calls say so.
            _ => Ok(queues),
        }
    }

    pub(super) fn count_pending(&self, appid: &str, until: Instant) -> Result<u64, StoreError> {
        match self.run(&PENDING, &Call::new(appid), until)? {
            Value::Int(count) => u64::try_from(count).map_err(|_| unreadable("count")),
            _ => Err(unreadable("count")),
        }
    }

    pub(super) fn sender_of(&self, appid: &str, until: Instant) -> Result<Option<Sender>, StoreError> {
        let mut items = Items::new(self.run(&SENDER, &Call::new(appid), until)?, "sender")?;
        if items.is_empty() {
            return Ok(None);
        }
        Ok(Some(Sender { version: items.text()?, settings: Secret::new(items.text()?) }))
    }

    pub(super) fn lead_host(
        &self,
        host: &str,
        owner: &Owner,
        ended: Option<&str>,
        lease: Duration,
        until: Instant,
    ) -> Result<Lead, StoreError> {
        let call = Call::new(host).with(owner.as_str()).optional(ended).with(expiry(lease));
        let mut items = Items::new(self.run(&LEAD, &call, until)?, "leader")?;
        Ok(if items.is_empty() { Lead::Mine } else { Lead::Other(items.text()?) })
    }
}

pub(super) fn read_queues(appid: &str, value: Value) -> Result<Vec<Queue>, StoreError> {
    let mut items = Items::new(value, "queues")?;
    let mut queues = Vec::new();
    while !items.is_empty() {
        queues.push(Queue {
            appid: appid.to_owned(),
            channel: read_channel(&items.text()?)?,
            due_in: read_wait(&items.text()?)?,
            lease_in: read_wait(&items.text()?)?,
            sender: items.text()?,
        });
    }
    Ok(queues)
}

/// Milliseconds, or nothing.
fn read_wait(text: &str) -> Result<Option<Duration>, StoreError> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(|wait| Some(Duration::from_millis(wait))).map_err(|_| unreadable("queues"))
}
