//! The store after a message: what its verdict means for the row, the ledger and the quota, in one transaction.

use jiff::Timestamp;

use super::App;
use super::admission::Ticket;
use super::post::{CallContext, Posted};
use crate::answer::Source;
use crate::calendar;
use crate::error::Error;
use crate::language::plain_text;
use crate::message::Channel;
use crate::store::{Begin, End, Settlement, State};
use crate::wechat::errcode::Outcome;

/// Texts that the end of a message refers to.
pub(super) struct Words {
    errmsg: String,
    msgid: Option<String>,
}

impl App {
    pub(super) fn close(&self, call: &CallContext<'_>, begin: &Begin<'_>, ticket: &Ticket, posted: &Posted) {
        let words = self.words(posted);
        let end = end(begin.channel, ticket, posted, &words);
        // The message is out. If its end cannot be written, its lease runs out and the row reads `unknown`; the store
        // handle has counted and reported it.
        let _ = call.store.run(call.deadline.or_a_moment(), &call.process.stats, |store, until| {
            store.finish(begin, ticket.epoch, &end, until)
        });
    }

    /// The texts of [`end`].
    pub(super) fn words(&self, posted: &Posted) -> Words {
        match &posted.result {
            Ok(answer) => {
                Words { errmsg: answer.errmsg.clone(), msgid: answer.msgid.as_ref().map(ToString::to_string) }
            }
            Err(error) => Words { errmsg: plain_text(error.message(self.settings.hint_lang)), msgid: None },
        }
    }
}

/// What the store is told of a message that was let go.
pub(super) fn end<'a>(channel: Channel, ticket: &Ticket, posted: &'a Posted, words: &'a Words) -> End<'a> {
    let mut end = End {
        state: State::NotSent,
        last_word: false,
        settlement: Settlement::GivenBack,
        grant: ticket.grant,
        errcode: None,
        from_wechat: false,
        errmsg: &words.errmsg,
        msgid: words.msgid.as_deref(),
        rid: None,
        attempts: posted.attempts,
        api: channel.path(),
        day: calendar::day(Timestamp::now()),
        pause: posted.pause.clone(),
        again: None,
    };
    match &posted.result {
        Ok(answer) => {
            let delivered = answer.outcome == Outcome::Delivered;
            end.state = if delivered { State::Delivered } else { State::Refused };
            // What concerns this message is final; what concerns the account or the hour is not.
            end.last_word =
                matches!(answer.outcome, Outcome::Delivered | Outcome::RefusedUser | Outcome::RefusedPayload);
            end.settlement = match answer.errcode {
                _ if delivered => Settlement::Spent,
                43101 => Settlement::Zero { seen: ticket.seen },
                _ => Settlement::GivenBack,
            };
            end.errcode = Some(answer.errcode);
            end.from_wechat = answer.source == Source::Wechat;
            end.rid = answer.rid.as_deref();
        }
        Err(Error::Transport { ambiguous: true, .. }) => {
            (end.state, end.last_word, end.settlement) = (State::Unknown, true, Settlement::Kept);
        }
        Err(_) => {}
    }
    end
}
