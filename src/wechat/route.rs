//! WeChat's hosts as this process knows them.
//!
//! What is found out ([`Circuit`]) is shared through the store by all processes of the machine: hosts, resolver, firewall and
//! proxy are the same for all of them. Those of another machine are not, even if it shares the store: one with a broken
//! resolver must not silence the others. The store is read when this process has heard nothing for a second, and written when
//! something changes; where there is none, each process goes by what it has seen itself.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use uuid::Uuid;

use super::circuit::{Circuit, Position, Report, Way};
use super::client::{Cause, Failure};
use super::wire::{Evidence, Trip, Wire};
use crate::calendar::shown;
use crate::language::Text;
use crate::log;
use crate::network::deadline::Deadline;
use crate::stats::Stats;
use crate::store::handle::StoreHandle;
use crate::store::{Health, Millis};

mod key;

pub use key::RouteKey;

/// What this process has seen or read holds so long.
const GLANCE: Duration = Duration::from_secs(1);
/// Time for whoever tries a host to write down what he found.
const MARGIN: Duration = Duration::from_secs(1);
/// How often a change is tried that others anticipate.
const RACES: usize = 8;

/// The hosts of the API, and how they do.
pub struct Route {
    key: RouteKey,
    view: Mutex<View>,
}

/// What this process knows.
struct View {
    circuit: Circuit,
    /// Of the record in the store that it comes from; 0 if there is none.
    version: u64,
    heard: Option<Instant>,
}

/// For `stats()`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// `closed`, `open` or `half_open`.
    pub circuit: &'static str,
    /// The host that requests go to; `None` while the circuit is not closed.
    pub host: Option<String>,
}

impl Route {
    /// A route of which nothing is known yet.
    pub fn new(key: RouteKey) -> Self {
        let circuit = Circuit::new(key.hosts().len());
        Self { key, view: Mutex::new(View { circuit, version: 0, heard: None }) }
    }

    /// Which route it is.
    pub fn key(&self) -> &RouteKey {
        &self.key
    }

    /// What this process knows of it.
    pub fn condition(&self) -> Condition {
        let circuit = &self.view.lock().circuit;
        let position = circuit.position(now());
        let host = match position {
            Position::Closed => Some(self.key.label(circuit.active().unwrap_or(0))),
            Position::Open | Position::HalfOpen => None,
        };
        Condition { circuit: position.name(), host }
    }

    /// Reads what all know, whatever was heard lately.
    pub fn look(&self, wire: &Wire<'_>) {
        self.read(wire.store, wire.stats, wire.deadline);
    }

    fn glance(&self, wire: &Wire<'_>) {
        if self.view.lock().heard.is_none_or(|heard| heard.elapsed() >= GLANCE) {
            self.look(wire);
        }
    }

    /// Why no request can go out now, found without one.
    pub(super) fn refusal(&self, wire: &Wire<'_>) -> Option<Failure> {
        self.glance(wire);
        let view = self.view.lock();
        match view.circuit.way(now()) {
            Way::Shut => Some(self.shut(&view.circuit, wire.stats)),
            Way::Up(_) | Way::Due(_) => None,
        }
    }

    /// The same outside a call.
    pub fn read(&self, store: &StoreHandle, stats: &Stats, deadline: Deadline) {
        let read = store.run(deadline, stats, |store, until| store.health(self.key.name(), until));
        match read {
            Ok(health) => self.adopt(health),
            // Without a store each process goes by what it has seen; the store handle has counted and reported the failure.
            Err(_) => self.view.lock().heard = Some(Instant::now()),
        }
    }

    /// Takes over what the store says. What cannot be read, or is of another list of hosts, counts as nothing known.
    fn adopt(&self, health: Option<Health>) {
        let mut view = self.view.lock();
        view.heard = Some(Instant::now());
        let hosts = self.key.hosts().len();
        let Some(health) = health else {
            if view.version != 0 {
                (view.version, view.circuit) = (0, Circuit::new(hosts));
            }
            return;
        };
        if health.version != view.version {
            let read = serde_json::from_str::<Circuit>(&health.record).ok();
            view.circuit = read.filter(|read| read.has(hosts)).unwrap_or_else(|| Circuit::new(hosts));
            view.version = health.version;
        }
    }

    /// The host to begin with.
    pub(super) fn depart(&self, wire: &Wire<'_>) -> Result<Trip, Failure> {
        self.glance(wire);
        let mut trip = Trip { host: 0, claim: None, tried: Vec::new() };
        if let Way::Up(host) = self.view.lock().circuit.way(now()) {
            trip.host = host;
            return Ok(trip);
        }
        let (claim, _) = random();
        let lease = millis(wire.deadline.left() + MARGIN);
        let way = self.change(wire, |circuit| {
            let now = now();
            let way = circuit.way(now);
            if let Way::Due(host) = way {
                circuit.claim(host, claim, now, lease);
            }
            way
        });
        match way {
            Some(Way::Up(host)) => trip.host = host,
            Some(Way::Due(host)) => (trip.host, trip.claim) = (host, Some(claim)),
            // Whoever loses every race meets others who try.
            Some(Way::Shut) | None => return Err(self.shut(&self.view.lock().circuit, wire.stats)),
        }
        Ok(trip)
    }

    pub(super) fn learn(&self, wire: &Wire<'_>, trip: &Trip, evidence: &Evidence) {
        let (host, claim) = (trip.host, trip.claim);
        let report = |cause| Report { host, claim, cause, now: now(), chance: random().1 };
        match evidence {
            Evidence::Answered => {
                let mut view = self.view.lock();
                // An answer is as good as a look.
                view.heard = Some(Instant::now());
                let news = claim.is_some() || view.circuit.is_news(host);
                drop(view);
                if news {
                    self.change(wire, |circuit| circuit.answered(host, claim, now()));
                }
            }
            Evidence::Silent(cause) => {
                self.change(wire, |circuit| circuit.silent(&report(*cause)));
            }
            Evidence::Unreachable(cause) => {
                self.change(wire, |circuit| circuit.unreachable(&report(*cause)));
            }
            Evidence::Unconnected => {}
            Evidence::Stale | Evidence::Nothing => self.give_back(wire, trip),
        }
    }

    pub(super) fn give_back(&self, wire: &Wire<'_>, trip: &Trip) {
        if trip.claim.is_some() {
            self.change(wire, |circuit| circuit.release(trip.claim, now()));
        }
    }

    /// Hosts that a request may turn to if the present one cannot be connected.
    pub(super) fn candidates(&self, trip: &Trip) -> Vec<usize> {
        let (view, now) = (self.view.lock(), now());
        let untried = |host: &usize| *host != trip.host && !trip.tried.contains(host);
        let hosts = (0..self.key.hosts().len()).filter(untried);
        hosts.filter(|host| view.circuit.may_follow(*host, trip.claim, now)).collect()
    }

    /// Changes what is known, here and for all; `None` if others were faster every time.
    fn change<T>(&self, wire: &Wire<'_>, apply: impl Fn(&mut Circuit) -> T) -> Option<T> {
        for _ in 0..RACES {
            let (before, seen) = {
                let view = self.view.lock();
                (view.circuit.clone(), view.version)
            };
            let mut after = before.clone();
            let told = apply(&mut after);
            if after == before {
                return Some(told);
            }
            let Ok(record) = serde_json::to_string(&after) else { return None };
            let (version, _) = random();
            let health = Health { version, record };
            let put = wire.store.run(wire.deadline.or_a_moment(), wire.stats, |store, until| {
                store.put_health(self.key.name(), seen, &health, until)
            });
            match put {
                Ok(stands) if stands.as_ref().map(|stands| stands.version) != Some(version) => self.adopt(stands),
                result => {
                    let mut view = self.view.lock();
                    view.circuit = after.clone();
                    view.heard = Some(Instant::now());
                    if result.is_ok() {
                        view.version = version;
                    }
                    drop(view);
                    self.tell(wire, &before, &after);
                    return Some(told);
                }
            }
        }
        None
    }

    /// One line for each change of the circuit or of the host, by the process that made it.
    fn tell(&self, wire: &Wire<'_>, before: &Circuit, after: &Circuit) {
        let now = now();
        let hosts = self.key.labels();
        let line = match (before.outage(now), after.outage(now)) {
            (None, Some((_, _, cause))) => {
                self.write(wire, "circuit_open", &[("hosts", &hosts), ("cause", cause.name())])
            }
            (Some((since, ..)), None) => {
                self.write(wire, "circuit_closed", &[("hosts", &hosts), ("since", &shown(since))])
            }
            (None, None) => match (before.active(), after.active()) {
                (Some(from), Some(to)) if from != to => {
                    let cause = after.cause(from).map_or("recovered", Cause::name);
                    let (from, to) = (self.key.label(from), self.key.label(to));
                    self.write(wire, "failover", &[("from", &from), ("to", &to), ("cause", cause)])
                }
                _ => return,
            },
            (Some(_), Some(_)) => return,
        };
        if line.is_err() {
            wire.stats.log_failures.increment();
        }
    }

    fn write(&self, wire: &Wire<'_>, event: &str, details: &[(&str, &str)]) -> std::io::Result<()> {
        log::write(wire.settings.log_file.as_deref(), event, details)
    }

    fn shut(&self, circuit: &Circuit, stats: &Stats) -> Failure {
        stats.circuit_refusals.increment();
        let hosts = self.key.labels();
        let now = now();
        let (since, next, cause) = circuit.outage(now).unwrap_or((now, None, Cause::Other));
        let (since, cause) = (shown(since), cause.text());
        let (next_zh, next_en) = match next {
            Some(next) => (format!("{} 再试", shown(next)), format!("next try {}", shown(next))),
            None => ("正在重试".to_owned(), "being tried again now".to_owned()),
        };
        let text = Text::new(
            format!("{hosts} 自 {since} 起：{}；{next_zh}", cause.zh),
            format!("{hosts} since {since}: {}; {next_en} (Asia/Shanghai)", cause.en),
        );
        Failure { cause: Cause::Circuit, detail: text, connecting: true }
    }
}

fn now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

/// A number for a claim or a record, and one byte.
fn random() -> (u64, u8) {
    let (_, bits) = Uuid::now_v7().as_u64_pair();
    ((bits >> 8 & (u64::MAX >> 1)).max(1), u8::try_from(bits & 0xff).unwrap_or(0))
}
