//! Delivery of what `queue()` has accepted.
//!
//! ```text
//! app/queue     validates, writes one durable row, rings the bell
//! deliverer     the thread of this process, started by the first ring
//! bell          how it is woken
//! engine        claims, sends and settles, as much at once as may be
//! accounts      whom it serves
//! account       one account's queues and rests
//! store_watch   one store: who adopts, and when to look
//! sender        an account's settings, for a process that was never told
//! app/deliver   the stages of one message, the same as for `send()`
//! backoff       when it is tried again
//! command       `routine-template work`, the same engine as a service of its own
//! drain         when a run from cron is over
//! ```
//!
//! Whoever queued a message sends it at once, from its own thread. Of all processes of a host one adopts what is left over:
//! messages that are to be tried again or later, and those of processes that have ended. Which one is a matter of a lease in the
//! store. A message may be claimed by anybody, but by one only; nothing else is needed for several deliverers to get along.
//!
//! Until a message is claimed, the end of a process costs it nothing. From the claim to the written verdict it counts as being
//! sent: if the process ends in between, nobody knows whether it arrived, and it is not sent again unless it was asked for.

mod account;
mod accounts;
pub mod backoff;
mod bell;
#[cfg(feature = "cli")]
pub mod command;
mod deliverer;
#[cfg(feature = "cli")]
mod drain;
mod engine;
pub mod sender;
mod store_watch;

pub use accounts::Role;
pub use bell::{Bell, Ring};
pub use deliverer::Deliverer;
pub use engine::Engine;
