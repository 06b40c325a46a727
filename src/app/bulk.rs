//! Many messages at once, on the calling thread: each walks the stages of `send()`, side by side with the others.
//!
//! The bulk goes in steps. A step takes messages from the application, opens them in the store together, lets their requests
//! go, waits until some have come back, closes those together, and hands their answers over. The application's code runs
//! between those parts only, never within a request or a transaction, so it may do whatever it likes, this included.

mod in_flight;
mod lanes;
mod message;
mod options;
mod step;

use std::collections::VecDeque;
use std::fmt::Display;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::stream::FuturesUnordered;

use super::App;
use super::failure::forked;
use super::post::CallContext;
use super::prepare::Prepared;
use crate::answer::Answer;
use crate::error::Error;
use crate::message::{Channel, Input};
use crate::network::deadline::Deadline;
use crate::options::Options;
use crate::process::Process;
use crate::store::{MessageId, Pause};
use crate::token::Held;
use in_flight::{Candidate, Flights};
use lanes::Lanes;
pub use options::{BulkOptions, Ended, Summary};

/// How many messages are read ahead of those that wait behind another of the same receiver.
const LOOK_AHEAD: usize = 1024;
/// How long the application's code runs before the connections are looked after, and a signal is noticed at the latest.
const SLICE: Duration = Duration::from_millis(20);
const TICK: Duration = Duration::from_millis(100);
/// How often a message is sent again that WeChat refused because of the limit per minute.
const TRIES: u8 = 3;

/// The application's side of a bulk. It is asked on the calling thread, and may fail, which ends the bulk: what is in flight is
/// awaited and settled, nothing new is begun, and the failure is the bulk's.
pub trait Caller {
    /// How the application tells its messages apart; error texts show it.
    type Key: Display;

    /// Hands the next message to `take`, or answers `false` if there is none left.
    fn next(&mut self, take: &mut dyn FnMut(Self::Key, Input<'_>)) -> Result<bool, Error>;

    /// How a message ended. They come as they end, not in the order of the messages.
    fn ended(&mut self, key: Self::Key, ended: Ended) -> Result<(), Error>;

    /// Called after answers were handed over.
    fn progressed(&mut self, done: u64) -> Result<(), Error>;

    /// Called between the steps: whether something else wants the bulk to end.
    fn check(&mut self) -> Result<(), Error>;
}

/// A message that has not begun yet.
struct Waiting<K> {
    key: K,
    prepared: Prepared,
    /// How often it was sent again.
    tries: u8,
}

/// The state of one bulk.
struct Bulk<'a, C: Caller> {
    app: &'a App,
    process: &'a Process,
    call: CallContext<'a>,
    caller: &'a mut C,
    defaults: Rc<Options>,
    concurrency: usize,
    /// Whether the token was asked for; the application's own, where it supplies one, and when it was asked to renew it.
    token_asked: bool,
    token: Option<Held>,
    renewed: Option<Instant>,
    exhausted: bool,
    lanes: Lanes<Waiting<C::Key>>,
    /// Messages whose key another call is sending at this moment.
    held: Vec<Candidate<C::Key>>,
    flights: Flights<'a, C::Key>,
    /// The latest deadline of what is in flight.
    latest: Instant,
    /// Nothing begins before the limit per minute has passed.
    rest: Option<Instant>,
    /// The daily limit, for as long as no store knows it.
    day: Option<(Channel, Pause)>,
    ended: VecDeque<(C::Key, Ended)>,
    summary: Summary,
    stopping: bool,
    forked: bool,
}

impl App {
    /// Sends many messages, [`BulkOptions::concurrency`] at a time.
    pub fn send_many<C: Caller>(&self, options: &BulkOptions, caller: &mut C) -> Result<Summary, Error> {
        self.require_account()?;
        let process = Process::current()?;
        let mut bulk = Bulk {
            app: self,
            process,
            call: CallContext::new(self, process, Deadline::after(self.settings.timeout))?,
            caller,
            defaults: Rc::new(options.defaults.clone()),
            concurrency: options.concurrency.unwrap_or(self.settings.concurrency).max(1),
            token_asked: false,
            token: None,
            renewed: None,
            exhausted: false,
            lanes: Lanes::new(),
            held: Vec::new(),
            flights: FuturesUnordered::new(),
            latest: Instant::now(),
            rest: None,
            day: None,
            ended: VecDeque::new(),
            summary: Summary::default(),
            stopping: false,
            forked: false,
        };
        let result = bulk.run();
        if result.is_err() {
            bulk.settle();
        }
        result.map(|()| bulk.summary)
    }
}

impl<C: Caller> Bulk<'_, C> {
    fn run(&mut self) -> Result<(), Error> {
        loop {
            self.ask(C::check)?;
            let more = self.fill()?;
            if self.exhausted && self.is_idle() && self.ended.is_empty() && self.lanes.len() == 0 {
                return Ok(());
            }
            let limit = if more || !self.ended.is_empty() { Duration::ZERO } else { self.until_next_look() };
            let landed = self.wait(limit);
            self.land(landed)?;
            self.report()?;
        }
    }

    /// Ends a bulk that failed: what is in flight gets its end in the store.
    fn settle(&mut self) {
        if self.forked {
            // In the child of a fork the connections are the parent's: not even dropping them would be right.
            std::mem::forget(std::mem::take(&mut self.flights));
            return;
        }
        self.stopping = true;
        let end = self.latest.max(Instant::now()) + TICK * 10;
        while !self.flights.is_empty() && Instant::now() < end {
            let landed = self.wait(TICK);
            // A bulk that is stopping asks the application for nothing, so nothing can fail.
            let _ = self.land(landed);
        }
    }

    /// Runs the application's code.
    fn ask<T>(&mut self, question: impl FnOnce(&mut C) -> Result<T, Error>) -> Result<T, Error> {
        let answer = question(self.caller);
        if !self.process.is_current() {
            self.forked = true;
            return answer.and(Err(forked("sendMany()")));
        }
        answer
    }

    /// Takes one message from the application.
    fn take(&mut self) -> Result<(), Error> {
        let (app, defaults) = (self.app, self.defaults.clone());
        let mut taken = None;
        let more = self.ask(|caller| {
            caller.next(&mut |key, value| {
                let prepared = message::read(value, &defaults).and_then(|message| app.prepare(&message));
                taken = Some((key, prepared));
            })
        })?;
        self.exhausted = !more;
        match taken {
            None => {}
            Some((key, Ok(prepared))) => self.sort(Waiting { key, prepared, tries: 0 }),
            Some((key, Err(error))) => {
                let result = Err(message::named(error, &key));
                self.ended.push_back((key, Ended { result, id: None, attempts: 0 }));
            }
        }
        Ok(())
    }

    /// A message that can be sent waits for its turn; any other has its answer.
    fn sort(&mut self, waiting: Waiting<C::Key>) {
        let stats = &self.process.stats;
        stats.sends.increment();
        match &waiting.prepared.content {
            Ok(content) => {
                if !content.changes.is_empty() {
                    stats.fitted.increment();
                }
                let receiver = waiting.prepared.touser.clone();
                self.lanes.admit(&receiver, waiting);
            }
            Err(answer) => {
                let call = self.call.until(Deadline::after(waiting.prepared.timeout));
                let answer = self.app.leave_refusal(&call, &waiting.prepared, answer.clone());
                self.count_end(waiting.key, Ended { id: answer.id, result: Ok(answer), attempts: 0 });
            }
        }
    }

    /// A message that had begun, or was to begin, has ended: the next one of its receiver may start.
    fn end(&mut self, waiting: Waiting<C::Key>, result: Result<Answer, Error>, id: Option<MessageId>, attempts: u32) {
        let Waiting { key, mut prepared, .. } = waiting;
        self.lanes.release(&prepared.touser);
        let result = match result {
            Ok(answer) => Ok(Answer { changed: prepared.take_changes(), ..answer }),
            Err(error) => Err(message::named(error, &key)),
        };
        self.count_end(key, Ended { result, id, attempts });
    }

    fn count_end(&mut self, key: C::Key, ended: Ended) {
        self.process.stats.outcome(&ended.result);
        if !self.stopping {
            self.ended.push_back((key, ended));
        }
    }

    /// Hands over what has ended.
    fn report(&mut self) -> Result<(), Error> {
        if self.ended.is_empty() {
            return Ok(());
        }
        let mut looked_after = Instant::now();
        while let Some((key, ended)) = self.ended.pop_front() {
            self.summary.add(&ended.result);
            self.ask(|caller| caller.ended(key, ended))?;
            if looked_after.elapsed() > SLICE {
                self.look_after_connections();
                looked_after = Instant::now();
            }
        }
        let done = self.summary.total;
        self.ask(|caller| caller.progressed(done))
    }

    fn is_idle(&self) -> bool {
        self.flights.is_empty() && self.held.is_empty()
    }

    /// How long there is nothing to do unless an answer comes.
    fn until_next_look(&self) -> Duration {
        let looks = self.held.iter().map(|candidate| candidate.look).chain(self.rest);
        let next = looks.min().map_or(TICK, |look| look.saturating_duration_since(Instant::now()));
        next.min(TICK)
    }
}
