//! Requests in flight, and the waiting for them.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use tokio::time::{sleep, timeout};

use super::{Bulk, Caller, Waiting};
use crate::app::admission::Ticket;
use crate::app::post::Posted;
use crate::network::deadline::Deadline;
use crate::store::MessageId;
use crate::token::Held;
use crate::wechat::client::pump;

/// A message that is to begin.
pub(super) struct Candidate<K> {
    pub(super) waiting: Waiting<K>,
    pub(super) deadline: Deadline,
    /// Another call was sending its key at the last look.
    pub(super) taken: bool,
    /// The row of that call, if its process has ended.
    pub(super) abandoned: Option<(MessageId, u32)>,
    /// The next look.
    pub(super) look: Instant,
}

impl<K> Candidate<K> {
    /// Its time runs from now on.
    pub(super) fn new(mut waiting: Waiting<K>) -> Self {
        // Also of a message that was refused before: that one keeps its row, and only a key leads back to it.
        waiting.prepared.renew_id();
        let deadline = Deadline::after(waiting.prepared.timeout);
        Self { waiting, deadline, taken: false, abandoned: None, look: Instant::now() }
    }

    /// Whether it has waited for another call all its time.
    pub(super) fn is_over(&self) -> bool {
        self.taken && self.deadline.left().is_zero()
    }
}

/// A message that has begun.
pub(super) struct Flight<K> {
    pub(super) waiting: Waiting<K>,
    pub(super) deadline: Deadline,
    /// `None` while there is no store.
    pub(super) ticket: Option<Ticket>,
    /// The application's token that it went out with.
    pub(super) token: Option<Held>,
    /// Whether that was renewed already, and how often the message was posted before.
    pub(super) renewed: bool,
    pub(super) attempts: u32,
}

/// A flight that has come to its end.
pub(super) struct Landed<K> {
    pub(super) flight: Flight<K>,
    pub(super) posted: Posted,
}

pub(super) type Flights<'a, K> = FuturesUnordered<Pin<Box<dyn Future<Output = Landed<K>> + 'a>>>;

impl<'a, C: Caller> Bulk<'a, C>
where
    C::Key: 'a,
{
    /// Lets a message go. It moves while [`Bulk::wait`] runs, and only then.
    pub(super) fn launch(&mut self, flight: Flight<C::Key>) {
        let (app, call) = (self.app, self.call.until(flight.deadline));
        self.latest = self.latest.max(flight.deadline.at());
        self.flights.push(Box::pin(async move {
            let posted = match &flight.waiting.prepared.content {
                Ok(content) => {
                    let (channel, body) = (flight.waiting.prepared.channel, content.body.clone());
                    app.post(&call, channel, body, flight.token.as_ref()).await
                }
                Err(refused) => Posted { result: Ok(refused.clone()), attempts: 0, pause: None },
            };
            Landed { flight, posted }
        }));
    }

    /// Waits until a flight has landed, but not longer than `limit`, and takes all that have.
    pub(super) fn wait(&mut self, limit: Duration) -> Vec<Landed<C::Key>> {
        let flights = &mut self.flights;
        self.process.block_on(async {
            // What came in while nobody looked: an answer must not be late because the application's code took its time.
            pump().await;
            let mut landed = Vec::new();
            if flights.is_empty() {
                sleep(limit).await;
                return landed;
            }
            // Over without one: there are signals, pauses and keys to look at.
            if let Ok(Some(first)) = timeout(limit, flights.next()).await {
                landed.push(first);
            }
            while let Some(Some(next)) = flights.next().now_or_never() {
                landed.push(next);
            }
            // What has just been let go is written before the application's code runs.
            pump().await;
            landed
        })
    }

    /// Reads and writes what is waiting, without waiting for anything.
    pub(super) fn look_after_connections(&self) {
        if !self.flights.is_empty() {
            self.process.block_on(pump());
        }
    }
}
