//! The newest pushes with what became of them, and the queue that they wait in.

use std::collections::VecDeque;

use serde::Serialize;
use tokio::sync::mpsc;

use super::super::clock::Millis;
use super::PushEvent;
use super::settings::PushSettings;

/// Pushes that are remembered.
const KEPT: usize = 200;
/// Pushes of different users go out side by side, those of one user one after another.
const LANES: usize = 8;
/// Pushes that may wait in one lane; further ones are dropped, so that a dead endpoint costs no memory.
const WAITING: usize = 256;

/// What became of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PushState {
    /// On its way.
    Waiting,
    /// Answered `success` or nothing, as WeChat asks for; a check of the address with its `echostr`.
    Success,
    /// Status 200 with other words.
    Answered,
    /// No status 200 within five seconds, in three tries.
    Failed,
    /// Not sent: too many were waiting.
    Dropped,
}

/// One push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PushRecord {
    /// 1 for the first push since the start state.
    pub number: u64,
    /// When it was made, in milliseconds since 1970.
    pub time: u64,
    /// Whose event.
    pub appid: String,
    /// The user; empty for a check of the address.
    pub openid: String,
    /// WeChat's name of the event, or `url_check`.
    pub event: String,
    /// The event in plain.
    pub message: String,
    /// Where it goes.
    pub url: String,
    /// How far it is.
    pub state: PushState,
    /// Requests made.
    pub tries: u32,
    /// HTTP status of the last answer.
    pub status: Option<u16>,
    /// The last answer, its beginning.
    pub answer: Option<String>,
    /// Why the last try came to nothing.
    pub error: Option<String>,
    /// From the first request to the last answer.
    pub took_ms: Option<u64>,
}

/// A push ready to go.
#[derive(Debug)]
pub(in super::super) struct Request {
    pub(super) number: u64,
    pub(super) generation: u64,
    pub(super) settings: PushSettings,
    /// URL with signature and all.
    pub(super) url: reqwest::Url,
    /// `None`: the GET that checks the address.
    pub(super) body: Option<String>,
    /// What a check of the address must answer.
    pub(super) echo: Option<String>,
}

/// What came of sending one.
#[derive(Debug)]
pub(super) struct Result {
    pub(super) state: PushState,
    pub(super) tries: u32,
    pub(super) status: Option<u16>,
    pub(super) answer: Option<String>,
    pub(super) error: Option<String>,
    pub(super) took_ms: u64,
}

/// The receiving ends of the lanes.
pub(in super::super) type Lanes = Vec<mpsc::Receiver<Request>>;

/// The pushes of a world.
#[derive(Debug)]
pub(in super::super) struct Pushes {
    records: VecDeque<PushRecord>,
    total: u64,
    lanes: Vec<mpsc::Sender<Request>>,
}

impl Pushes {
    pub(in super::super) fn new() -> (Pushes, Lanes) {
        let (lanes, receivers) = (0..LANES).map(|_| mpsc::channel(WAITING)).unzip();
        (Pushes { records: VecDeque::new(), total: 0, lanes }, receivers)
    }

    pub(in super::super) fn clear(&mut self) {
        self.records.clear();
        self.total = 0;
    }

    /// Remembers a new push; returns its number.
    pub(super) fn add(
        &mut self,
        now: Millis,
        appid: &str,
        openid: &str,
        event: &PushEvent,
        message: String,
        settings: &PushSettings,
    ) -> u64 {
        self.total += 1;
        if self.records.len() >= KEPT {
            self.records.pop_front();
        }
        self.records.push_back(PushRecord {
            number: self.total,
            time: now,
            appid: appid.to_owned(),
            openid: openid.to_owned(),
            event: event.name().to_owned(),
            message,
            url: settings.url.to_string(),
            state: PushState::Waiting,
            tries: 0,
            status: None,
            answer: None,
            error: None,
            took_ms: None,
        });
        self.total
    }

    /// Puts a push into the lane of its user.
    pub(super) fn enqueue(&mut self, request: Request, openid: &str) {
        let sum = openid.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
        let (number, lane) = (request.number, self.lanes.get(sum % LANES));
        if lane.is_none_or(|lane| lane.try_send(request).is_err())
            && let Some(record) = self.get_mut(number)
        {
            record.state = PushState::Dropped;
            record.error = Some(format!("{WAITING} pushes are waiting already"));
        }
    }

    pub(super) fn finish(&mut self, number: u64, result: Result) {
        if let Some(record) = self.get_mut(number) {
            record.state = result.state;
            record.tries = result.tries;
            record.status = result.status;
            record.answer = result.answer;
            record.error = result.error;
            record.took_ms = Some(result.took_ms);
        }
    }

    fn get_mut(&mut self, number: u64) -> Option<&mut PushRecord> {
        self.records.iter_mut().rev().find(|record| record.number == number)
    }

    pub(in super::super) fn get(&self, number: u64) -> Option<&PushRecord> {
        self.records.iter().rev().find(|record| record.number == number)
    }

    /// The kept ones with a higher number, at most the newest `limit`, in order.
    pub(in super::super) fn read(&self, appid: Option<&str>, since: u64, limit: usize) -> Vec<PushRecord> {
        let wanted = |record: &&PushRecord| record.number > since && appid.is_none_or(|appid| record.appid == appid);
        let mut records: Vec<PushRecord> = self.records.iter().rev().filter(wanted).take(limit).cloned().collect();
        records.reverse();
        records
    }
}
