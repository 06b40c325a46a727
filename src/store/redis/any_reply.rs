//! One reply of a server through every reader of replies, as whatever it may have been asked: for the fuzz targets.

use redis::Value;

use super::url::Address;
use super::{claim, delivery, health, ledger, message, note, outbox, refusal, token};
use crate::store::{Delivery, Health, Job, LedgerRow, Note, Queue, StoreError, StoredToken};

/// What the readers made of it.
#[derive(Debug, Default)]
pub struct Replies {
    /// Delivery rows.
    pub deliveries: Vec<Delivery>,
    /// Messages of the outbox.
    pub jobs: Vec<Job>,
    /// Rows of the ledger.
    pub ledger: Vec<LedgerRow>,
    /// Tokens.
    pub tokens: Vec<StoredToken>,
    /// Notes.
    pub notes: Vec<Note>,
    /// What is known of routes.
    pub health: Vec<Health>,
    /// Queues.
    pub queues: Vec<Queue>,
    /// Servers that it sends the caller to.
    pub servers: Vec<String>,
    /// What it could not be.
    pub failures: Vec<StoreError>,
}

impl Replies {
    fn take<T>(&mut self, read: Result<T, StoreError>, into: impl FnOnce(&mut Self, T)) {
        match read {
            Ok(value) => into(self, value),
            Err(error) => self.failures.push(error),
        }
    }
}

/// Reads bytes of the Redis protocol; `None` if they are none.
pub fn read_replies(bytes: &[u8]) -> Option<Replies> {
    let value = redis::parse_redis_value(bytes).ok()?;
    let mut read = Replies::default();
    if let Value::ServerError(error) = &value {
        let here = Address { host: "here".to_owned(), port: 6379 };
        match refusal::Refusal::of(error, &here, false).trouble {
            refusal::Trouble::Moved(there) | refusal::Trouble::Asked(there) => read.servers.push(there.to_string()),
            refusal::Trouble::Migrating => {}
            refusal::Trouble::Repeatable(error) | refusal::Trouble::Final(error) => read.failures.push(error),
        }
        return Some(read);
    }
    read.take(delivery::read_delivery(value.clone()), |read, row| read.deliveries.push(row));
    read.take(message::read_begun(value.clone()), |_, _| {});
    read.take(claim::read_claimed(value.clone()), |read, claimed| read.jobs.extend(claimed.jobs));
    read.take(ledger::read_rows(value.clone()), |read, rows| read.ledger.extend(rows.into_iter().map(|(_, row)| row)));
    read.take(token::read_turn(value.clone()), |_, _| {});
    read.take(token::read_token(value.clone()), |read, token| read.tokens.extend(token));
    read.take(outbox::read_queues("wx1", value.clone()), |read, queues| read.queues.extend(queues));
    read.take(note::read(value.clone()), |read, note| read.notes.extend(note));
    read.take(health::read(value), |read, health| read.health.extend(health));
    Some(read)
}
