//! The way of one message through the stages, once.

use bytes::Bytes;

use super::App;
use super::admission::{Admission, MARGIN};
use super::failure::{forked, keeping_the_grant};
use super::post::{CallContext, Posted};
use crate::answer::Answer;
use crate::config::TokenMode;
use crate::error::Error;
use crate::message::{Channel, Message};
use crate::network::deadline::Deadline;
use crate::process::Process;
use crate::store::Grant;
use crate::token::Held;
use crate::wechat::errcode::Outcome;

impl App {
    /// `process` is another one afterwards if the application's code has forked and this is the child.
    pub(super) fn walk(&self, process: &mut &'static Process, message: &Message<'_>) -> Result<Answer, Error> {
        let mut prepared = self.prepare(message)?;
        let deadline = Deadline::after(prepared.timeout);
        let body = match &prepared.content {
            Ok(content) => content.body.clone(),
            Err(answer) => {
                let call = CallContext::new(self, process, deadline)?;
                return Ok(self.leave_refusal(&call, &prepared, answer.clone()));
            }
        };
        // The application's code, which may take its time, fork or end the request: before anything is under way.
        let supplied = self.supplied_token(false)?;
        if !process.is_current() {
            // The parent sends it as well, as it would any other message at which it had forked.
            *process = Process::current()?;
            process.stats.sends.increment();
        }
        let process = *process;
        if prepared.content.as_ref().is_ok_and(|content| !content.changes.is_empty()) {
            process.stats.fitted.increment();
        }
        let call = CallContext::new(self, process, deadline)?;

        let changes = prepared.take_changes();
        prepared.renew_id();
        let mut begin = prepared.begin(self, process);
        begin.lease = deadline.left() + MARGIN;
        let ticket = match self.admit(&call, &mut begin)? {
            Admission::Answered(answer) => return Ok(Answer { changed: changes, ..answer }),
            Admission::Go(ticket) => Some(ticket),
            Admission::Unrecorded => None,
        };
        let channel = prepared.channel;
        let mut posted = process.block_on(self.post(&call, channel, body.clone(), supplied.as_ref()));
        if let (Some(first), Ok(answer)) = (&supplied, &posted.result)
            && answer.outcome == Outcome::TokenStale
        {
            posted = self.post_again(&call, channel, body, first, posted);
            if !process.is_current() {
                // The message is under way in the parent, which writes down how it ends.
                return posted.result;
            }
        }
        self.learn_template(process, &call.store, channel, &prepared.template_id, &posted.result);
        let Some(ticket) = ticket else {
            return posted.result.map(|answer| Answer { changed: changes, ..answer });
        };
        self.close(&call, &begin, &ticket, &posted);
        match posted.result {
            Ok(answer) => Ok(Answer { changed: changes, id: Some(ticket.id), ..answer }),
            Err(error) if ticket.grant == Grant::Reserved => Err(keeping_the_grant(error)),
            Err(error) => Err(error),
        }
    }

    /// Once more with a token that the application supplies anew; its own failure is the result.
    fn post_again(
        &self,
        call: &CallContext<'_>,
        channel: Channel,
        body: Bytes,
        refused: &Held,
        first: Posted,
    ) -> Posted {
        let attempts = first.attempts;
        let supplied = self.supplied_token(true);
        if !call.process.is_current() {
            return Posted { result: supplied.and(Err(forked("send()"))), attempts, pause: None };
        }
        match supplied {
            Ok(Some(other)) if other.token != refused.token => {
                let second = call.process.block_on(self.post(call, channel, body, Some(&other)));
                let attempts = attempts + second.attempts;
                let result = second.result.map(|answer| Answer { attempts, ..answer });
                Posted { result, attempts, pause: second.pause }
            }
            Ok(_) => first,
            Err(error) => Posted { result: Err(error), attempts, pause: None },
        }
    }

    /// The application's token in mode `external`.
    pub(super) fn supplied_token(&self, refresh: bool) -> Result<Option<Held>, Error> {
        if self.settings.token_mode != TokenMode::External {
            return Ok(None);
        }
        match &self.supplier {
            Some(supplier) => Ok(Some(Held::supplied(&supplier.token(refresh)?))),
            // A value does not change by being asked for again.
            None => Ok(Some(Held::supplied(&self.settings.token))),
        }
    }
}
