//! Counters of one process since it was first used.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// One counter.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub fn increment(&self) {
        self.add(1);
    }

    /// Adds a number.
    pub fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    /// The present value.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What `stats()` reports.
#[derive(Debug, Default)]
pub struct Stats {
    /// Messages handed to `send()` and its like.
    pub sends: Counter,
    /// Messages that `queue()` accepted.
    pub queued: Counter,
    /// Messages that this process took from the outbox.
    pub claimed: Counter,
    /// Messages that this process put back into the outbox to be tried again.
    pub retried: Counter,
    /// Messages that this process found expired in the outbox.
    pub expired: Counter,
    /// Messages that WeChat accepted.
    pub delivered: Counter,
    /// Messages refused here, without a request.
    pub refused_local: Counter,
    /// Messages that WeChat refused.
    pub refused_wechat: Counter,
    /// Messages that certainly did not reach WeChat.
    pub transport_not_sent: Counter,
    /// Messages that may have reached WeChat.
    pub transport_unknown: Counter,
    /// Messages with at least one value that fitting altered.
    pub fitted: Counter,
    /// Messages answered from an earlier call with the same `key`.
    pub duplicates: Counter,
    /// Requests to a token endpoint.
    pub token_fetches: Counter,
    /// Requests to a sending endpoint.
    pub requests: Counter,
    /// Time spent waiting for the sending endpoints, microseconds.
    pub request_microseconds: Counter,
    /// Requests that went on to another host because one could not be connected.
    pub failovers: Counter,
    /// Requests that were left out because all hosts are down.
    pub circuit_refusals: Counter,
    /// Transactions of the store that failed.
    pub store_failures: Counter,
    /// Transactions that were left out while the store rested after a failure.
    pub store_skipped: Counter,
    /// Times that the delivery thread could not be started.
    pub thread_failures: Counter,
    /// Lines that could not be written to `log_file`.
    pub log_failures: Counter,
}

impl Stats {
    /// Counts one request to a sending endpoint.
    pub fn request(&self, took: Duration) {
        self.requests.increment();
        self.request_microseconds.add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// Name and value of every counter, in the order in which they are documented.
    pub fn rows(&self) -> [(&'static str, u64); 21] {
        [
            ("sends", self.sends.get()),
            ("queued", self.queued.get()),
            ("claimed", self.claimed.get()),
            ("retried", self.retried.get()),
            ("expired", self.expired.get()),
            ("delivered", self.delivered.get()),
            ("refused_local", self.refused_local.get()),
            ("refused_wechat", self.refused_wechat.get()),
            ("transport_not_sent", self.transport_not_sent.get()),
            ("transport_unknown", self.transport_unknown.get()),
            ("fitted", self.fitted.get()),
            ("duplicates", self.duplicates.get()),
            ("token_fetches", self.token_fetches.get()),
            ("requests", self.requests.get()),
            ("request_microseconds", self.request_microseconds.get()),
            ("failovers", self.failovers.get()),
            ("circuit_refusals", self.circuit_refusals.get()),
            ("store_failures", self.store_failures.get()),
            ("store_skipped", self.store_skipped.get()),
            ("thread_failures", self.thread_failures.get()),
            ("log_failures", self.log_failures.get()),
        ]
    }
}
