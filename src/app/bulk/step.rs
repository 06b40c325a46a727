//! The two ends of a step: messages begin together, and are closed together.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::in_flight::{Candidate, Flight, Landed};
use super::{Bulk, Caller, LOOK_AHEAD, SLICE, TRIES, Waiting};
use crate::answer::Answer;
use crate::app::admission::{Admission, AdmissionPoll, LOOK, MARGIN};
use crate::app::close::end;
use crate::app::failure::{keeping_the_grant, under_way};
use crate::app::post::Posted;
use crate::app::prepare::Prepared;
use crate::config::TokenMode;
use crate::error::Error;
use crate::language::plain_text;
use crate::network::deadline::Deadline;
use crate::store::{Begin, Begun, End, Grant, Pause};
use crate::wechat::errcode::Outcome;

/// The errcodes of the limits per day and per minute.
const DAY: i64 = 45009;
const MINUTE: i64 = 45011;
/// A pause of the limit per minute lasts so long at least and at most, whatever two clocks make of it.
const SHORTEST_REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(61);
/// After a renewal that brought the same token, the application is not asked again for so long.
const PATIENCE: Duration = Duration::from_secs(5);

impl<'a, C: Caller> Bulk<'a, C>
where
    C::Key: 'a,
{
    /// Begins as many messages as there is room for. Answers whether there was no time to look for more.
    pub(super) fn fill(&mut self) -> Result<bool, Error> {
        let began = Instant::now();
        if self.rest.is_some_and(|rest| began < rest) {
            return Ok(false);
        }
        self.rest = None;
        let mut more = false;
        let mut start = Vec::new();
        while self.flights.len() + self.held.len() + start.len() < self.concurrency {
            if let Some(waiting) = self.lanes.next() {
                start.push(waiting);
                continue;
            }
            if self.exhausted || self.lanes.len() >= LOOK_AHEAD {
                break;
            }
            if self.ended.len() >= self.concurrency || began.elapsed() > SLICE {
                more = true;
                break;
            }
            self.take()?;
        }
        if !start.is_empty() {
            self.ask_for_token()?;
        }
        let now = Instant::now();
        let mut candidates: Vec<_> = self.held.extract_if(.., |candidate| candidate.look <= now).collect();
        candidates.extend(start.into_iter().map(Candidate::new));
        self.begin(candidates);
        Ok(more)
    }

    /// One token for all, before anything is under way.
    fn ask_for_token(&mut self) -> Result<(), Error> {
        if std::mem::replace(&mut self.token_asked, true) {
            return Ok(());
        }
        if self.app.settings.token_mode == TokenMode::External {
            let app = self.app;
            self.token = self.ask(|_| app.supplied_token(false))?;
            return self.ask(C::check);
        }
        let call = self.call.until(Deadline::after(self.app.settings.timeout));
        if call.wire(self.app).refusal().is_none() {
            // Where there is none, each message finds out for itself, and says so in its answer.
            let _ = self.process.block_on(call.token(self.app, false));
        }
        Ok(())
    }

    /// Key, pause and ledger of several messages, in one go; what may go is let go.
    fn begin(&mut self, candidates: Vec<Candidate<C::Key>>) {
        let (over, candidates): (Vec<_>, Vec<_>) = candidates.into_iter().partition(Candidate::is_over);
        for candidate in over {
            let key = plain_text(candidate.waiting.prepared.key.as_deref().unwrap_or_default());
            let error = under_way(&key, candidate.deadline.total().as_millis());
            self.end(candidate.waiting, Err(error), None, 0);
        }
        // Not the shortest: one message in a hurry would let all others go without a record, and without their keys.
        let Some(deadline) = candidates.iter().map(|candidate| candidate.deadline).max_by_key(Deadline::at) else {
            return;
        };
        let (app, process) = (self.app, self.process);
        let mut begins: Vec<Begin<'_>> = candidates
            .iter()
            .map(|candidate| Begin {
                lease: candidate.deadline.left() + MARGIN,
                abandoned: candidate.abandoned,
                ..candidate.waiting.prepared.begin(app, process)
            })
            .collect();
        let begun = self.call.store.run(deadline, &process.stats, |store, until| store.begin_all(&begins, until)).ok();
        let mut words = begun.into_iter().flatten();
        let judged: Vec<_> = candidates
            .iter()
            .zip(&mut begins)
            .map(|(candidate, begin)| {
                let begun = words.next();
                let pause = match &begun {
                    Some(Begun::Paused { pause, .. }) => Some(pause.clone()),
                    _ => None,
                };
                let passage = app.judge(begin, begun, candidate.taken, candidate.deadline);
                (passage, pause, begin.abandoned)
            })
            .collect();
        for (candidate, (passage, pause, abandoned)) in candidates.into_iter().zip(judged) {
            match passage {
                Ok(AdmissionPoll::Taken { .. }) => {
                    let look = Instant::now() + if abandoned == candidate.abandoned { LOOK } else { Duration::ZERO };
                    self.held.push(Candidate { taken: true, abandoned, look, ..candidate });
                }
                Ok(AdmissionPoll::Decided(admission)) => self.pass(candidate, admission, pause),
                Err(error) => self.end(candidate.waiting, Err(error), None, 0),
            }
        }
    }

    fn pass(&mut self, candidate: Candidate<C::Key>, admission: Admission, pause: Option<Pause>) {
        let Candidate { waiting, deadline, .. } = candidate;
        let ticket = match admission {
            Admission::Go(ticket) => Some(ticket),
            Admission::Unrecorded => match self.limit_of_the_day(&waiting) {
                Some(answer) => return self.end(waiting, Ok(answer), None, 0),
                None => None,
            },
            Admission::Answered(answer) => {
                return match pause.filter(|pause| self.may_send_again(&waiting, pause)) {
                    Some(pause) => self.send_again(waiting, &pause),
                    None => {
                        let (id, attempts) = (answer.id, answer.attempts);
                        self.end(waiting, Ok(answer), id, attempts);
                    }
                };
            }
        };
        self.launch(Flight { waiting, deadline, ticket, token: self.token.clone(), renewed: false, attempts: 0 });
    }

    /// Closes what has landed. What the application's token was too old for goes once more with a new one.
    pub(super) fn land(&mut self, landed: Vec<Landed<C::Key>>) -> Result<(), Error> {
        let (mut stale, mut over) = (Vec::new(), Vec::new());
        for Landed { flight, mut posted } in landed {
            posted.attempts += flight.attempts;
            if let Ok(answer) = &mut posted.result {
                answer.attempts = posted.attempts;
            }
            let refused = matches!(&posted.result, Ok(answer) if answer.outcome == Outcome::TokenStale);
            if refused && flight.token.is_some() && !flight.renewed && !self.stopping {
                stale.push(Landed { flight, posted });
            } else {
                over.push(Landed { flight, posted });
            }
        }
        self.close(over);
        if stale.is_empty() { Ok(()) } else { self.renew(stale) }
    }

    fn renew(&mut self, stale: Vec<Landed<C::Key>>) -> Result<(), Error> {
        let current = self.token.as_ref().map(|token| token.token.clone());
        let dead = |landed: &Landed<C::Key>| landed.flight.token.as_ref().map(|token| token.token.clone()) == current;
        let lately = self.renewed.is_some_and(|at| at.elapsed() < PATIENCE);
        let mut failure = None;
        if stale.iter().any(dead) && !lately {
            self.renewed = Some(Instant::now());
            let app = self.app;
            match self.ask(|_| app.supplied_token(true)) {
                Ok(token) => self.token = token,
                Err(error) => failure = Some(error),
            }
        }
        if let Err(error) = self.ask(C::check) {
            // The application has ended the bulk. In the child of a fork nothing of this is ours any more.
            if !self.forked {
                self.stopping = true;
                self.close(stale);
            }
            return Err(error);
        }
        let token = self.token.clone();
        let mut over = Vec::new();
        for Landed { flight, mut posted } in stale {
            let newer =
                token.as_ref().filter(|token| flight.token.as_ref().is_some_and(|old| old.token != token.token));
            match (newer, &failure) {
                (Some(token), None) => {
                    let attempts = posted.attempts;
                    self.launch(Flight { token: Some(token.clone()), renewed: true, attempts, ..flight });
                }
                (_, Some(error)) => {
                    posted.result = Err(error.clone());
                    over.push(Landed { flight, posted });
                }
                (None, None) => over.push(Landed { flight, posted }),
            }
        }
        self.close(over);
        Ok(())
    }

    /// Writes the ends down in one go, and decides which message has its answer and which one goes again.
    fn close(&mut self, over: Vec<Landed<C::Key>>) {
        if over.is_empty() {
            return;
        }
        for Landed { flight, posted } in &over {
            let Prepared { channel, template_id, .. } = &flight.waiting.prepared;
            self.app.learn_template(self.process, &self.call.store, *channel, template_id, &posted.result);
        }
        self.write_ends(&over);
        for Landed { flight, posted } in over {
            let Flight { waiting, ticket, .. } = flight;
            let Posted { result, attempts, pause } = posted;
            if let Some(pause) = pause {
                if self.may_send_again(&waiting, &pause) {
                    self.send_again(waiting, &pause);
                    continue;
                }
                if pause.errcode == DAY {
                    self.day = Some((waiting.prepared.channel, pause));
                }
            }
            let id = ticket.as_ref().map(|ticket| ticket.id);
            let result = match result {
                Ok(answer) => Ok(Answer { id, ..answer }),
                Err(error) if ticket.is_some_and(|ticket| ticket.grant == Grant::Reserved) => {
                    Err(keeping_the_grant(error))
                }
                Err(error) => Err(error),
            };
            self.end(waiting, result, id, attempts);
        }
    }

    fn write_ends(&self, over: &[Landed<C::Key>]) {
        let (app, process) = (self.app, self.process);
        let recorded = || over.iter().filter_map(|landed| Some((landed, landed.flight.ticket.as_ref()?)));
        let words: Vec<_> = recorded().map(|(landed, _)| app.words(&landed.posted)).collect();
        let begins: Vec<Begin<'_>> =
            recorded().map(|(landed, _)| landed.flight.waiting.prepared.begin(app, process)).collect();
        let ends: Vec<End<'_>> = recorded()
            .zip(&words)
            .map(|((landed, ticket), words)| end(landed.flight.waiting.prepared.channel, ticket, &landed.posted, words))
            .collect();
        let all: Vec<(&Begin<'_>, u32, &End<'_>)> =
            recorded().zip(&begins).zip(&ends).map(|(((_, ticket), begin), end)| (begin, ticket.epoch, end)).collect();
        if all.is_empty() {
            return;
        }
        // As at the end of one message: what cannot be written reads `unknown` when its lease is over.
        let deadline = Deadline::after(app.settings.timeout).or_a_moment();
        let _ = self.call.store.run(deadline, &process.stats, |store, until| store.finish_all(&all, until));
    }

    /// Without a store the bulk itself remembers that WeChat takes no more today.
    fn limit_of_the_day(&self, waiting: &Waiting<C::Key>) -> Option<Answer> {
        let (channel, pause) = self.day.as_ref()?;
        let stands = *channel == waiting.prepared.channel && pause.until > Timestamp::now().as_millisecond();
        stands.then(|| self.app.paused(pause))
    }

    fn may_send_again(&self, waiting: &Waiting<C::Key>, pause: &Pause) -> bool {
        pause.errcode == MINUTE && waiting.tries < TRIES && !self.stopping
    }

    /// The whole bulk rests until the limit per minute has passed.
    fn send_again(&mut self, mut waiting: Waiting<C::Key>, pause: &Pause) {
        let left = u64::try_from(pause.until - Timestamp::now().as_millisecond()).unwrap_or(0);
        let rest = Instant::now() + Duration::from_millis(left).clamp(SHORTEST_REST, LONGEST_REST);
        self.rest = self.rest.max(Some(rest));
        waiting.tries += 1;
        self.lanes.again(waiting);
    }
}
