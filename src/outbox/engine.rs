//! Claims messages, sends them, and writes down how they ended: as many at once as the account's window allows, on one thread.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::{Either, FutureExt, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::runtime::Builder;
use tokio::time::{timeout, timeout_at};

use super::accounts::{Accounts, Role};
use super::bell::Bell;
use crate::app::{DeliveryContext, Finding, Hold, Tried};
use crate::config::Settings;
use crate::connections::Connections;
use crate::failpoint::failpoint;
use crate::message::Channel;
use crate::process::Process;
use crate::store::{MessageId, State};
use crate::wechat::client::pump;
use crate::{log, quota};

/// So long verdicts are gathered before they are written together, while others are still awaited.
const GATHERING: Duration = Duration::from_millis(1);
/// Requests in flight of all accounts together: a worker of php-fpm has 1024 descriptors.
const IN_FLIGHT_LIMIT: usize = 256;
/// While a process ends, nothing is claimed that has less time than this, or than a call of its account may take.
const LAST_CALL: Duration = Duration::from_secs(3);
/// With nothing to do, and nobody who rings.
const IDLE: Duration = Duration::from_secs(60);
/// Between two attempts to write down verdicts that the store did not take.
const REPEAT: Duration = Duration::from_secs(1);
/// How many verdicts may wait for a store that fails; the messages of any others will read `unknown`.
const UNWRITTEN_LIMIT: usize = 4096;

type Tasks = FuturesUnordered<Pin<Box<dyn Future<Output = Event>>>>;

/// What a future comes back with.
enum Event {
    /// Whether messages of this account and queue can be sent.
    Asked(usize, Channel, usize, Result<(), Hold>),
    /// A message was tried.
    Tried(usize, Box<Tried>),
}

impl Event {
    fn is_verdict(&self) -> bool {
        matches!(self, Self::Tried(..))
    }
}

/// A verdict that the store has not taken.
struct Unwritten {
    /// The number of its account.
    number: usize,
    tried: Tried,
    /// The message reads `unknown` by then.
    until: Instant,
}

/// The deliverer of one thread.
pub struct Engine {
    process: &'static Process,
    connections: Arc<Connections>,
    bell: Arc<Bell>,
    accounts: Accounts,
    unwritten: VecDeque<Unwritten>,
    write_again: Instant,
}

impl Engine {
    /// One that has nothing to do until the bell rings.
    pub fn new(process: &'static Process, connections: Arc<Connections>, bell: Arc<Bell>, role: Role) -> Self {
        let accounts = Accounts::new(process, connections.clone(), role);
        Self { process, connections, bell, accounts, unwritten: VecDeque::new(), write_again: Instant::now() }
    }

    /// Takes care of the store that these settings name.
    pub fn attend(&mut self, settings: &Arc<Settings>) {
        self.accounts.watch(settings);
    }

    /// Delivers until it is told to stop.
    pub fn run(mut self) -> io::Result<()> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        runtime.block_on(self.serve());
        Ok(())
    }

    async fn serve(&mut self) {
        let mut tasks = Tasks::new();
        loop {
            let (rings, stop) = self.bell.take();
            for ring in rings {
                self.accounts.hear(ring);
            }
            let now = Instant::now();
            match stop {
                None => self.accounts.look(now),
                Some(until) if now >= until => return,
                Some(_) => self.accounts.leave_others(),
            }
            self.write_again(now);
            self.ask(&mut tasks, now);
            let wake = match stop {
                None => self.accounts.wakes(now).unwrap_or(now + IDLE),
                Some(_) if tasks.is_empty() && self.unwritten.is_empty() && !self.accounts.is_busy(now) => return,
                Some(until) => until,
            };
            let wake = if self.unwritten.is_empty() { wake } else { wake.min(self.write_again) };
            let events = self.wait(&mut tasks, wake).await;
            self.handle(events, &mut tasks);
        }
    }

    /// Looks for a way and a token for whoever could send something.
    fn ask(&mut self, tasks: &mut Tasks, now: Instant) {
        let mut places = IN_FLIGHT_LIMIT.saturating_sub(self.accounts.in_flight());
        for (number, account) in self.accounts.iter_mut() {
            if places == 0 {
                return;
            }
            let Some((channel, free)) = account.ready(now) else { continue };
            let free = free.min(places);
            places -= free;
            account.asking = true;
            let (app, process, connections) = (account.app.clone(), self.process, self.connections.clone());
            tasks.push(Box::pin(async move {
                let asked = app.may_deliver(DeliveryContext { process, connections: &connections });
                // A fault of ours holds up this account and no other.
                let may = AssertUnwindSafe(asked).catch_unwind().await.unwrap_or(Err(Hold::Settings));
                Event::Asked(number, channel, free, may)
            }));
        }
    }

    /// Waits until something happens; what happens at nearly the same time is gathered.
    async fn wait(&self, tasks: &mut Tasks, wake: Instant) -> Vec<Event> {
        let mut events = Vec::new();
        if !tasks.is_empty() {
            // The store may have kept this thread for a while: an answer that has come in meanwhile is not late.
            pump().await;
        }
        {
            let rung = pin!(self.bell.wait());
            let happens = async {
                let first = if tasks.is_empty() {
                    rung.await;
                    None
                } else {
                    match select(rung, tasks.next()).await {
                        Either::Left(_) => None,
                        Either::Right((event, _)) => event,
                    }
                };
                events.extend(first);
            };
            // The time is over when there is something to look at; nothing that has come back is lost by it.
            let _ = timeout_at(wake.into(), happens).await;
        }
        if events.is_empty() || !events.iter().all(Event::is_verdict) {
            return events;
        }
        let gather = async {
            while let Some(event) = tasks.next().await {
                let goes_on = event.is_verdict();
                events.push(event);
                if !goes_on {
                    break;
                }
            }
        };
        // As above.
        let _ = timeout(GATHERING, gather).await;
        events
    }

    fn handle(&mut self, events: Vec<Event>, tasks: &mut Tasks) {
        let mut tried: Vec<(usize, Vec<Tried>)> = Vec::new();
        for event in events {
            match event {
                Event::Asked(number, channel, free, may) => self.asked(number, channel, free, may, tasks),
                Event::Tried(number, one) => match tried.iter_mut().find(|(of, _)| *of == number) {
                    Some((_, batch)) => batch.push(*one),
                    None => tried.push((number, vec![*one])),
                },
            }
        }
        for (number, batch) in tried {
            self.tried(number, batch);
        }
    }

    fn asked(&mut self, number: usize, channel: Channel, free: usize, may: Result<(), Hold>, tasks: &mut Tasks) {
        let stopping = self.bell.stops_at();
        let context = DeliveryContext { process: self.process, connections: &self.connections };
        let adopts = self.accounts.adopts(number);
        let Some(account) = self.accounts.get_mut(number) else { return };
        account.asking = false;
        if let Some(until) = stopping {
            // What is claimed now must have the time to come to its end.
            let needs = account.app.settings().timeout.min(LAST_CALL);
            if until.saturating_duration_since(Instant::now()) < needs {
                account.leave_others(false);
            }
            if !account.wants(channel) {
                return;
            }
        }
        if let Err(hold) = may {
            if account.hold(hold) {
                let settings = account.app.settings();
                say(self.process, settings, "queue_held", &[("appid", &settings.appid), ("cause", hold.name())]);
            }
            // Of all who cannot send now, one tries again.
            if stopping.is_some() || !adopts {
                account.leave();
            }
            return;
        }
        failpoint!("claiming");
        let claim = account.claim(channel);
        let claimed = match account.app.claim(context, claim, channel, free) {
            Ok(claimed) => claimed,
            // It may have taken messages: the next claim is this one again.
            Err(_) => {
                account.hold(Hold::Store);
                return;
            }
        };
        account.claimed(channel);
        if !claimed.jobs.is_empty() {
            failpoint!("claimed");
        }
        if let Some(pause) = &claimed.pause {
            account.pause(channel, quota::left(pause.until));
            return;
        }
        if !claimed.more {
            account.is_empty(channel, claimed.jobs.is_empty() && claimed.ended.is_empty());
        }
        if !claimed.ended.is_empty() {
            // Those behind them may be first now.
            account.want(channel, false);
        }
        self.process.stats.claimed.add(claimed.jobs.len() as u64);
        account.in_flight += claimed.jobs.len();
        report(self.process, account.app.settings(), &claimed.ended);
        for job in claimed.jobs {
            let (app, process, connections) = (account.app.clone(), self.process, self.connections.clone());
            tasks.push(Box::pin(async move {
                let tried = app.deliver(DeliveryContext { process, connections: &connections }, channel, job).await;
                Event::Tried(number, Box::new(tried))
            }));
        }
    }

    fn tried(&mut self, number: usize, batch: Vec<Tried>) {
        let Some(account) = self.accounts.get_mut(number) else { return };
        account.in_flight = account.in_flight.saturating_sub(batch.len());
        if batch.iter().any(|tried| tried.finding() == Finding::NoToken) {
            account.hold(Hold::Token);
        }
        for tried in &batch {
            account.found(tried.finding());
            // The same user's next message may be first now.
            account.want(tried.channel(), false);
            if tried.comes_again() {
                self.process.stats.retried.increment();
            }
        }
        let settings = account.app.settings();
        for (id, answer) in batch.iter().filter_map(Tried::alarm) {
            let (id, errcode) = (id.to_string(), answer.errcode.to_string());
            let details = [("id", id.as_str()), ("errcode", &errcode), ("errmsg", &answer.errmsg)];
            say(self.process, settings, "queue_refused", &details);
        }
        self.write(number, batch);
    }

    fn write(&mut self, number: usize, batch: Vec<Tried>) {
        let context = DeliveryContext { process: self.process, connections: &self.connections };
        let Some(account) = self.accounts.get_mut(number) else { return };
        failpoint!("settling");
        if account.app.settle(context, &batch).is_ok() {
            failpoint!("settled");
            return;
        }
        // The store handle has counted and reported it. Verdicts are worth more than new messages.
        account.hold(Hold::Store);
        let now = Instant::now();
        self.write_again = now + REPEAT;
        for tried in batch.into_iter().take(UNWRITTEN_LIMIT.saturating_sub(self.unwritten.len())) {
            let until = now + tried.lease();
            self.unwritten.push_back(Unwritten { number, tried, until });
        }
    }

    /// One by one: a verdict that the store never takes holds up no other.
    fn write_again(&mut self, now: Instant) {
        if self.write_again > now {
            return;
        }
        while let Some(unwritten) = self.unwritten.pop_front() {
            let context = DeliveryContext { process: self.process, connections: &self.connections };
            let Some(account) = self.accounts.get_mut(unwritten.number) else { continue };
            if account.app.settle(context, std::slice::from_ref(&unwritten.tried)).is_err() {
                self.write_again = Instant::now() + REPEAT;
                if Instant::now() < unwritten.until {
                    self.unwritten.push_back(unwritten);
                }
                return;
            }
        }
    }
}

/// Messages that ended without being sent.
fn report(process: &Process, settings: &Settings, ended: &[(MessageId, State)]) {
    for (id, state) in ended {
        let (event, counter) = match state {
            State::Expired => ("queue_expired", &process.stats.expired),
            State::Unknown => ("queue_unknown", &process.stats.transport_unknown),
            State::NotSent => ("queue_set_aside", &process.stats.transport_not_sent),
            _ => ("queue_refused", &process.stats.refused_local),
        };
        counter.increment();
        say(process, settings, event, &[("id", &id.to_string())]);
    }
}

pub(super) fn say(process: &Process, settings: &Settings, event: &str, details: &[(&str, &str)]) {
    if log::write(settings.log_file.as_deref(), event, details).is_err() {
        process.stats.log_failures.increment();
    }
}
