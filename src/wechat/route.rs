//! The way of one request to WeChat: which host, the next one where it cannot be connected, none while all of them are down.
//!
//! A request moves on to another host only while nothing of it was written. What is found out ([`Circuit`]) is shared through
//! the store by all processes of the machine: hosts, resolver, firewall and proxy are the same for all of them, and those of
//! another machine are not, even if it shares the store. The store is read when this process has heard nothing for a second,
//! and written when something changes; where there is none, each process goes by what it has seen itself.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use parking_lot::Mutex;
use reqwest::Url;
use uuid::Uuid;

use super::api::Verdict;
use super::circuit::{Circuit, Position, Report, Way};
use super::client::{Attempt, Cause, Client, Failure, Reply};
use super::deadline::Deadline;
use crate::config::Settings;
use crate::language::Text;
use crate::log;
use crate::quota::shown;
use crate::stats::Stats;
use crate::store::keeper::Keeper;
use crate::store::{Health, Millis};

mod key;

pub use key::RouteKey;

/// What this process has seen or read holds so long.
const GLANCE: Duration = Duration::from_secs(1);
/// A caller who waits for less proves nothing about the host.
const CONNECT_PROOF: Duration = Duration::from_millis(250);
const ANSWER_PROOF: Duration = Duration::from_millis(500);
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

/// What one call takes along to reach WeChat.
#[derive(Clone, Copy)]
pub struct Wire<'a> {
    /// Connections.
    pub client: &'a Client,
    /// Hosts.
    pub route: &'a Route,
    /// The account.
    pub settings: &'a Settings,
    /// The store.
    pub keeper: &'a Keeper,
    /// Counters.
    pub stats: &'a Stats,
    /// The deadline of the whole call.
    pub deadline: Deadline,
}

/// For `stats()`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// `closed`, `open` or `half_open`.
    pub circuit: &'static str,
    /// The host that requests go to; `None` while the circuit is not closed.
    pub host: Option<String>,
}

/// One request under way.
struct Trip {
    host: usize,
    claim: Option<u64>,
    tried: Vec<usize>,
}

/// What an attempt says about its host.
enum Finding {
    /// WeChat answered.
    Answered,
    /// Written, and no answer of WeChat's.
    Silent(Cause),
    /// No connection.
    Unreachable(Cause),
    /// No connection, but that is not the host's fault.
    Unconnected,
    /// A connection broke before anything was written: it had been idle.
    Stale,
    /// Nothing.
    Nothing,
}

impl Finding {
    fn of(attempt: &Attempt, took: Duration) -> Self {
        match attempt {
            Attempt::NotSent(failure) if !failure.connecting => Self::Stale,
            Attempt::NotSent(failure) => match failure.cause {
                Cause::Local => Self::Nothing,
                Cause::Timeout if took < CONNECT_PROOF => Self::Unconnected,
                cause => Self::Unreachable(cause),
            },
            Attempt::Unknown(failure) if failure.cause == Cause::Timeout && took < ANSWER_PROOF => Self::Nothing,
            Attempt::Unknown(failure) => Self::Silent(failure.cause),
            Attempt::Answered(reply) if is_answer(reply) => Self::Answered,
            // What a gateway refuses may be the fault of this one message.
            Attempt::Answered(reply) if (400..500).contains(&reply.status) => Self::Nothing,
            Attempt::Answered(_) => Self::Silent(Cause::Answer),
        }
    }
}

/// Whether WeChat itself has spoken: an errcode is an answer, whatever it says.
fn is_answer(reply: &Reply) -> bool {
    let body = reply.body.trim_ascii();
    // Nearly always; to read it here would be to read it twice.
    (reply.status == 200 && body.starts_with(b"{") && body.ends_with(b"}")) || Verdict::read(reply).is_ok()
}

impl Wire<'_> {
    /// `POST` with a JSON body, or `GET` without one; `url` builds the address on a host.
    pub async fn request(&self, url: impl Fn(&Url) -> Url, body: Option<Bytes>) -> Attempt {
        let route = self.route;
        let mut trip = match route.depart(self) {
            Ok(trip) => trip,
            Err(failure) => return Attempt::NotSent(failure),
        };
        let mut first_failure: Option<Failure> = None;
        let mut may_repeat = true;
        loop {
            let began = Instant::now();
            let limit = self.connect_limit(&trip);
            let attempt = match route.key.hosts().get(trip.host) {
                Some(host) => self.client.exchange(url(host), body.clone(), self.deadline, limit).await,
                None => Attempt::NotSent(Failure::new(Cause::Other, "no host")),
            };
            let finding = Finding::of(&attempt, began.elapsed());
            if may_repeat && self.deserves_another(&trip, &finding) {
                may_repeat = false;
                continue;
            }
            route.learn(self, &trip, &finding);
            let failure = match attempt {
                Attempt::NotSent(failure) if matches!(finding, Finding::Unreachable(_) | Finding::Unconnected) => {
                    failure
                }
                other => return other,
            };
            let failure = first_failure.get_or_insert(failure).clone();
            trip.tried.push(trip.host);
            match route.candidates(&trip).first() {
                Some(next) if !self.deadline.left().is_zero() => {
                    self.stats.failovers.increment();
                    trip.host = *next;
                }
                _ => {
                    route.give_back(self, &trip);
                    return Attempt::NotSent(failure);
                }
            }
        }
    }

    /// Whether to try the same host once more: nothing was written, and it is no verdict on the host, or there is no other.
    fn deserves_another(&self, trip: &Trip, finding: &Finding) -> bool {
        let passing = match finding {
            Finding::Stale => true,
            Finding::Unreachable(Cause::Closed | Cause::Other) => {
                self.route.key.hosts().len() == 1 && trip.claim.is_none()
            }
            _ => false,
        };
        passing && self.deadline.left() > self.deadline.total() / 2
    }

    /// Why no request can go out now, found without one.
    pub fn refusal(&self) -> Option<Failure> {
        self.route.glance(self);
        let view = self.route.view.lock();
        match view.circuit.way(now()) {
            Way::Shut => Some(self.route.shut(&view.circuit, self.stats)),
            Way::Up(_) | Way::Due(_) => None,
        }
    }

    /// Each host that may still be tried gets as much as the others, and the answer of the last one as much again.
    fn connect_limit(&self, trip: &Trip) -> Duration {
        match self.route.candidates(trip).len() {
            0 => self.deadline.left(),
            others => self.deadline.left() / u32::try_from(others + 2).unwrap_or(u32::MAX),
        }
    }
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
        self.read(wire.keeper, wire.stats, wire.deadline);
    }

    fn glance(&self, wire: &Wire<'_>) {
        if !self.view.lock().heard.is_some_and(|heard| heard.elapsed() < GLANCE) {
            self.look(wire);
        }
    }

    /// The same outside a call.
    pub fn read(&self, keeper: &Keeper, stats: &Stats, deadline: Deadline) {
        let read = keeper.run(deadline, stats, |store, until| store.health(self.key.name(), until));
        match read {
            Ok(health) => self.adopt(health),
            // Without a store each process goes by what it has seen; the keeper has counted and reported the failure.
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
            view.circuit = read.filter(|read| read.len() == hosts).unwrap_or_else(|| Circuit::new(hosts));
            view.version = health.version;
        }
    }

    /// The host to begin with.
    fn depart(&self, wire: &Wire<'_>) -> Result<Trip, Failure> {
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

    fn learn(&self, wire: &Wire<'_>, trip: &Trip, finding: &Finding) {
        let (host, claim) = (trip.host, trip.claim);
        let (_, chance) = random();
        let report = |cause| Report { host, claim, cause, now: now(), chance };
        match finding {
            Finding::Answered => {
                let mut view = self.view.lock();
                // An answer is as good as a look.
                view.heard = Some(Instant::now());
                let news = claim.is_some() || view.circuit.is_news(host);
                drop(view);
                if news {
                    self.change(wire, |circuit| circuit.answered(host, claim, now()));
                }
            }
            Finding::Silent(cause) => {
                self.change(wire, |circuit| circuit.silent(&report(*cause)));
            }
            Finding::Unreachable(cause) => {
                self.change(wire, |circuit| circuit.unreachable(&report(*cause)));
            }
            Finding::Unconnected => {}
            Finding::Stale | Finding::Nothing => self.give_back(wire, trip),
        }
    }

    fn give_back(&self, wire: &Wire<'_>, trip: &Trip) {
        if trip.claim.is_some() {
            self.change(wire, |circuit| circuit.release(trip.claim, now()));
        }
    }

    /// Hosts that a request may turn to if the present one cannot be connected.
    fn candidates(&self, trip: &Trip) -> Vec<usize> {
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
            let put = wire.keeper.run(wire.deadline.or_a_moment(), wire.stats, |store, until| {
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
