//! One store as a deliverer knows it: whether it adopts what others have left there, and when it looks again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::accounts::Role;
use super::backoff::jittered;
use crate::app::DeliveryContext;
use crate::config::Settings;
use crate::network::deadline::Deadline;
use crate::store::handle::Outage;
use crate::store::{Lead, Queue};

/// How long one process adopts before it has to say so again; another takes its place when it is over, or at once when it has
/// ended.
const LEASE: Duration = Duration::from_secs(10);
/// Between two questions whether somebody adopts.
const ASK: Duration = Duration::from_secs(3);
/// Between two looks of the one who adopts: what another process has queued for later is not rung for.
const ADOPTING: Duration = Duration::from_secs(1);
/// Between two looks of a worker, who is not rung for at all: right after something was there, and later.
const WORKING: Duration = Duration::from_millis(10);
const WATCHING: Duration = Duration::from_millis(100);
/// A store that fails is left alone so long.
const REST: Duration = Duration::from_secs(1);
/// No transaction of a look takes longer.
const PATIENCE: Duration = Duration::from_secs(15);

/// A store.
pub struct StoreWatch {
    pub settings: Arc<Settings>,
    pub next_look: Instant,
    leads: bool,
    lead_again: Instant,
    /// How much this process had claimed at the last look.
    claimed: u64,
}

impl StoreWatch {
    /// One that was not looked at yet. A thread that was just rung for has something better to do first.
    pub fn new(settings: Arc<Settings>, role: Role) -> Self {
        let now = Instant::now();
        let next_look = match role {
            Role::Thread => now + jittered(ASK) / 3,
            Role::Worker => now,
        };
        Self { settings, next_look, leads: false, lead_again: now, claimed: 0 }
    }

    /// Whether what cannot be sent now is taken care of here.
    pub fn adopts(&self, role: Role) -> bool {
        self.leads || role == Role::Worker
    }

    /// The queues that may hold something for this deliverer.
    pub fn look(&mut self, context: DeliveryContext<'_>, role: Role) -> Vec<Queue> {
        if role == Role::Thread && Instant::now() >= self.lead_again {
            self.leads = self.lead(context);
            self.lead_again = Instant::now() + jittered(ASK);
        }
        if !self.adopts(role) {
            self.next_look = self.lead_again;
            return Vec::new();
        }
        match self.queues(context) {
            Ok(queues) => {
                let due: Vec<Queue> = queues.iter().filter(|queue| wait(queue).is_zero()).cloned().collect();
                let soonest = queues.iter().map(wait).filter(|wait| !wait.is_zero()).min();
                // What is due and cannot be sent is no reason to hurry.
                let claimed = context.process.stats.claimed.get();
                let pace = match role {
                    Role::Thread => ADOPTING,
                    Role::Worker if claimed == self.claimed => WATCHING,
                    Role::Worker => WORKING,
                };
                self.claimed = claimed;
                self.next_look = Instant::now() + soonest.unwrap_or(pace).min(pace);
                due
            }
            // The store handle has counted and reported it.
            Err(_) => {
                self.next_look = Instant::now() + REST;
                Vec::new()
            }
        }
    }

    fn queues(&self, context: DeliveryContext<'_>) -> Result<Vec<Queue>, Outage> {
        let store = context.connections.store(&self.settings);
        store.run(Deadline::after(PATIENCE), &context.process.stats, |store, until| store.queues(None, until))
    }

    fn lead(&self, context: DeliveryContext<'_>) -> bool {
        let owner = context.process.owner();
        let store = context.connections.store(&self.settings);
        let ask = |ended: Option<&str>| {
            store.run(Deadline::after(PATIENCE), &context.process.stats, |store, until| {
                store.lead(owner.host(), owner, ended, LEASE, until)
            })
        };
        match ask(None) {
            Ok(Lead::Mine) => true,
            Ok(Lead::Other(other)) if owner.sees_ended(&other) => ask(Some(&other)) == Ok(Lead::Mine),
            // Without a store nobody adopts anything.
            Ok(Lead::Other(_)) | Err(_) => false,
        }
    }
}

/// How long until something of a queue can be claimed.
fn wait(queue: &Queue) -> Duration {
    match (queue.due_in, queue.lease_in) {
        (Some(due), Some(lease)) => due.min(lease),
        (one, other) => one.or(other).unwrap_or(Duration::MAX),
    }
}
