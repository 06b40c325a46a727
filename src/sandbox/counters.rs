//! What the sandbox has seen.

use std::collections::{BTreeMap, HashMap};

use axum::body::Bytes;
use axum::http::HeaderMap;
use serde::Serialize;

/// Paths that are told apart; requests of any further path count under `other`.
const PATHS: usize = 256;

/// Everything that was counted since the start state.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Counters {
    /// Connections.
    pub connections: Connections,
    /// Requests by path, `/__admin` left out.
    pub requests: BTreeMap<String, u64>,
    /// Answers by what they said. A request whose answer a fault swallowed counts as well.
    pub answers: Answers,
    /// Token calls by appid.
    pub tokens: BTreeMap<String, TokenCounters>,
    /// Accepted messages, exactly, whether still kept or not.
    pub messages: u64,
    /// How many requests will still meet a fault; one that is set for ever counts as 1.
    pub faults_pending: u64,
    /// How many requests have met a fault, by its name.
    pub faults_met: BTreeMap<String, u64>,
    /// The newest request of every path.
    pub last_request: BTreeMap<String, LastRequest>,
}

/// Connections that were accepted, and how many are open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Connections {
    /// Accepted on the plain listener.
    pub http: u64,
    /// Accepted on the TLS listener, failed handshakes included.
    pub https: u64,
    /// Open now.
    pub open: u64,
}

/// Answers by errcode.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Answers {
    /// errcode (0 for success) to count.
    pub errcode: BTreeMap<i64, u64>,
}

/// Token calls of one account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct TokenCounters {
    /// Successful calls of `/cgi-bin/token`.
    pub classic_fetches: u64,
    /// Successful calls of `/cgi-bin/stable_token`.
    pub stable_fetches: u64,
    /// Different stable tokens.
    pub stable_issued: u64,
    /// Different classic tokens.
    pub classic_issued: u64,
}

/// A request as it arrived, without its query (that is where the access_token is).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LastRequest {
    /// Header fields, names in lower case; several of one name joined by `, `.
    pub headers: BTreeMap<String, String>,
    /// The body; bytes that are not UTF-8 as U+FFFD.
    pub body: String,
}

/// The counters as they are kept while requests run.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    requests: HashMap<String, Requests>,
    answers: BTreeMap<i64, u64>,
}

#[derive(Debug, Default)]
struct Requests {
    count: u64,
    headers: HeaderMap,
    body: Bytes,
}

impl Ledger {
    pub(super) fn request(&mut self, path: &str, headers: HeaderMap, body: Bytes) {
        let requests = if self.requests.contains_key(path) {
            self.requests.get_mut(path)
        } else {
            let path = if self.requests.len() < PATHS { path } else { "other" };
            Some(self.requests.entry(path.to_owned()).or_default())
        };
        if let Some(requests) = requests {
            requests.count += 1;
            requests.headers = headers;
            requests.body = body;
        }
    }

    pub(super) fn answer(&mut self, errcode: i64) {
        *self.answers.entry(errcode).or_default() += 1;
    }

    /// The part of the counters that is kept here.
    pub(super) fn read(&self) -> Counters {
        Counters {
            requests: self.requests.iter().map(|(path, requests)| (path.clone(), requests.count)).collect(),
            answers: Answers { errcode: self.answers.clone() },
            last_request: self.requests.iter().map(|(path, requests)| (path.clone(), requests.last())).collect(),
            ..Counters::default()
        }
    }
}

impl Requests {
    fn last(&self) -> LastRequest {
        let mut headers = BTreeMap::<String, String>::new();
        for (name, value) in &self.headers {
            let value = String::from_utf8_lossy(value.as_bytes());
            headers
                .entry(name.as_str().to_owned())
                .and_modify(|known| {
                    known.push_str(", ");
                    known.push_str(&value);
                })
                .or_insert_with(|| value.clone().into_owned());
        }
        LastRequest { headers, body: String::from_utf8_lossy(&self.body).into_owned() }
    }
}
