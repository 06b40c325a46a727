//! The store after a message: what its verdict means for the row, the ledger and the quota, in one transaction.

use std::time::Duration;

use jiff::Timestamp;

use super::App;
use super::gate::Ticket;
use super::post::{Line, Posted};
use crate::answer::Source;
use crate::error::Error;
use crate::language::{Language, plain_text};
use crate::quota;
use crate::store::{Begin, End, Grant, Pause, Settlement, State};
use crate::wechat::errcode::Outcome;

/// How a message ended, as the store is told.
pub(super) struct Closing {
    pub(super) state: State,
    pub(super) last_word: bool,
    pub(super) settlement: Settlement,
    pub(super) errcode: Option<i64>,
    pub(super) errmsg: String,
    pub(super) again: Option<Duration>,
    grant: Grant,
    from_wechat: bool,
    msgid: Option<String>,
    rid: Option<String>,
    attempts: u32,
    pause: Option<Pause>,
}

impl Closing {
    /// What became of a message that took `grant`, when so many accepts had been `seen`.
    pub(super) fn of(posted: &Posted, grant: Grant, seen: u64, language: Language) -> Self {
        let mut closing = Self {
            state: State::NotSent,
            last_word: false,
            settlement: Settlement::GivenBack,
            errcode: None,
            errmsg: String::new(),
            again: None,
            grant,
            from_wechat: false,
            msgid: None,
            rid: None,
            attempts: posted.attempts,
            pause: posted.pause.clone(),
        };
        match &posted.result {
            Ok(answer) => {
                let delivered = answer.outcome == Outcome::Delivered;
                closing.state = if delivered { State::Delivered } else { State::Refused };
                // What concerns this message is final; what concerns the account or the hour is not.
                closing.last_word =
                    matches!(answer.outcome, Outcome::Delivered | Outcome::RefusedUser | Outcome::RefusedPayload);
                closing.settlement = match answer.errcode {
                    _ if delivered => Settlement::Spent,
                    43101 => Settlement::Zero { seen },
                    _ => Settlement::GivenBack,
                };
                closing.errcode = Some(answer.errcode);
                closing.from_wechat = answer.source == Source::Wechat;
                closing.errmsg.clone_from(&answer.errmsg);
                closing.msgid = answer.msgid.as_ref().map(ToString::to_string);
                closing.rid.clone_from(&answer.rid);
            }
            Err(error) => {
                if matches!(error, Error::Transport { ambiguous: true, .. }) {
                    (closing.state, closing.last_word, closing.settlement) = (State::Unknown, true, Settlement::Kept);
                }
                closing.errmsg = plain_text(error.message(language));
            }
        }
        closing
    }

    /// As the store takes it.
    pub(super) fn end(&self, begin: &Begin<'_>) -> End<'_> {
        End {
            state: self.state,
            last_word: self.last_word,
            settlement: self.settlement,
            grant: self.grant,
            errcode: self.errcode,
            from_wechat: self.from_wechat,
            errmsg: &self.errmsg,
            msgid: self.msgid.as_deref(),
            rid: self.rid.as_deref(),
            attempts: self.attempts,
            api: begin.channel.path(),
            day: quota::day(Timestamp::now()),
            pause: self.pause.clone(),
            again: self.again,
        }
    }
}

impl App {
    pub(super) fn close(&self, line: &Line<'_>, begin: &Begin<'_>, ticket: &Ticket, posted: &Posted) {
        let closing = Closing::of(posted, ticket.grant, ticket.seen, self.settings.hint_lang);
        let end = closing.end(begin);
        // The message is out. If its end cannot be written, its lease runs out and the row reads `unknown`; the keeper has
        // counted and reported it.
        let _ = line.keeper.run(line.deadline.or_a_moment(), &line.process.stats, |store, until| {
            store.finish(begin, ticket.epoch, &end, until)
        });
    }
}
