//! One request to WeChat: the first host that is up, and the next one where it cannot be connected.
//!
//! A request moves on only while nothing of it was written.

use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::Url;

use super::api::Verdict;
use super::client::{Attempt, Cause, Client, Failure, Reply};
use super::route::Route;
use crate::config::Settings;
use crate::network::deadline::Deadline;
use crate::stats::Stats;
use crate::store::handle::StoreHandle;

/// A caller who waits for less proves nothing about the host.
const CONNECT_PROOF: Duration = Duration::from_millis(250);
const ANSWER_PROOF: Duration = Duration::from_millis(500);

/// The means of a request: connections, hosts, and whom to tell what came of it.
#[derive(Clone, Copy)]
pub struct Wire<'a> {
    /// Connections.
    pub client: &'a Client,
    /// Hosts.
    pub route: &'a Route,
    /// The account.
    pub settings: &'a Settings,
    /// The store.
    pub store: &'a StoreHandle,
    /// Counters.
    pub stats: &'a Stats,
    /// The deadline of the whole call.
    pub deadline: Deadline,
}

/// One request under way.
pub(super) struct Trip {
    pub(super) host: usize,
    pub(super) claim: Option<u64>,
    pub(super) tried: Vec<usize>,
}

/// What an attempt says about its host.
pub(super) enum Evidence {
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

impl Evidence {
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
            let attempt = match route.key().hosts().get(trip.host) {
                Some(host) => self.client.exchange(url(host), body.clone(), self.deadline, limit).await,
                None => Attempt::NotSent(Failure::new(Cause::Other, "no host")),
            };
            let evidence = Evidence::of(&attempt, began.elapsed());
            if may_repeat && self.deserves_another(&trip, &evidence) {
                may_repeat = false;
                continue;
            }
            route.learn(self, &trip, &evidence);
            let failure = match attempt {
                Attempt::NotSent(failure) if matches!(evidence, Evidence::Unreachable(_) | Evidence::Unconnected) => {
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
    fn deserves_another(&self, trip: &Trip, evidence: &Evidence) -> bool {
        let passing = match evidence {
            Evidence::Stale => true,
            Evidence::Unreachable(Cause::Closed | Cause::Other) => {
                self.route.key().hosts().len() == 1 && trip.claim.is_none()
            }
            _ => false,
        };
        passing && self.deadline.left() > self.deadline.total() / 2
    }

    /// Why no request can go out now, found without one.
    pub fn refusal(&self) -> Option<Failure> {
        self.route.refusal(self)
    }

    /// Half of what is left, where there is another host to turn to: the first one keeps the time that `connect_timeout_ms`
    /// gives it (from abroad a handshake may well take that long), and the last one still has a chance.
    fn connect_limit(&self, trip: &Trip) -> Duration {
        let left = self.deadline.left();
        if self.route.candidates(trip).is_empty() { left } else { left / 2 }
    }
}
