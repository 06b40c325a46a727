//! The store before a message: key, pause and ledger in one transaction, which says go or answers in WeChat's place.

use std::thread;
use std::time::Duration;

use super::App;
use super::failure::{key_taken, under_way, unknown_before};
use super::post::CallContext;
use super::prepare::Prepared;
use crate::answer::Answer;
use crate::calendar;
use crate::error::Error;
use crate::fingerprint;
use crate::language::{Language, Text, plain_text};
use crate::network::deadline::Deadline;
use crate::store::{Begin, Begun, Delivery, Grant, LocalRefusal, MessageId, Pause, State};
use crate::wechat::errcode;

/// WeChat's openids have 28 characters; whatever is longer than this is none.
pub(super) const OPENID_LIMIT: usize = 128;
/// Template ids have 43; rows keep so much of what is none.
pub(super) const TEMPLATE_ID_LIMIT: usize = 128;
/// A message whose process has not closed its row this long after its deadline is one of which nobody knows.
pub(super) const MARGIN: Duration = Duration::from_secs(2);
/// Between two looks at a message with the same key that another call is sending.
pub(super) const LOOK: Duration = Duration::from_millis(15);

/// The right to send, as the store gave it.
pub(super) struct Ticket {
    pub(super) id: MessageId,
    pub(super) epoch: u32,
    pub(super) grant: Grant,
    pub(super) seen: u64,
}

/// What the store says before anything is sent.
pub(super) enum Admission {
    /// Go, with a row that waits for its end.
    Go(Ticket),
    /// Go; there is no store at this moment.
    Unrecorded,
    /// No: this is the answer.
    Answered(Answer),
}

/// A look at the store: decided, or not yet.
pub(super) enum AdmissionPoll {
    /// The store has spoken.
    Decided(Admission),
    /// Another call is sending a message with this key.
    Taken {
        /// Its process has ended, as the next look will say: no need to wait for it.
        abandoned: bool,
    },
}

impl App {
    /// A message that was refused before the store was asked leaves its row all the same.
    pub(super) fn leave_refusal(&self, call: &CallContext<'_>, prepared: &Prepared, answer: Answer) -> Answer {
        let begin = prepared.begin(self, call.process);
        let refusal = LocalRefusal { errcode: answer.errcode, errmsg: &answer.errmsg };
        let left =
            call.store.run(call.deadline, &call.process.stats, |store, until| store.refuse(&begin, &refusal, until));
        // Without a store there is no row and so no id; the store handle has counted and reported it.
        Answer { id: left.ok(), ..answer }
    }

    /// Key, pause and ledger, in one transaction.
    pub(super) fn admit(&self, call: &CallContext<'_>, begin: &mut Begin<'_>) -> Result<Admission, Error> {
        let mut taken = false;
        loop {
            let begun = call.store.run(call.deadline, &call.process.stats, |store, until| store.begin(begin, until));
            match self.judge(begin, begun.ok(), taken, call.deadline)? {
                AdmissionPoll::Decided(admission) => return Ok(admission),
                AdmissionPoll::Taken { abandoned: true } => {}
                AdmissionPoll::Taken { abandoned: false } => thread::sleep(LOOK),
            }
            taken = true;
        }
    }

    /// What the store's word means for a message. `taken` says that another call was sending it a moment ago; no word means that
    /// there is no store at this moment.
    pub(super) fn judge(
        &self,
        begin: &mut Begin<'_>,
        begun: Option<Begun>,
        taken: bool,
        deadline: Deadline,
    ) -> Result<AdmissionPoll, Error> {
        let hints = self.settings.hint_lang;
        let (id, answer) = match begun {
            // What another call was sending a moment ago must not be sent as well.
            None if taken => {
                let waited = deadline.total().saturating_sub(deadline.left());
                return Err(under_way(&plain_text(begin.key.unwrap_or_default()), waited.as_millis()));
            }
            // No store stops no message.
            None => return Ok(AdmissionPoll::Decided(Admission::Unrecorded)),
            Some(Begun::Go { id, epoch, grant, seen }) => {
                return Ok(AdmissionPoll::Decided(Admission::Go(Ticket { id, epoch, grant, seen })));
            }
            Some(Begun::Known(row)) => {
                same_message(begin, &row)?;
                let key = plain_text(begin.key.unwrap_or_default());
                return match (row.state, row.errcode) {
                    (State::Delivered | State::Refused, Some(errcode)) => {
                        Ok(AdmissionPoll::Decided(Admission::Answered(Answer::from_record(&row, errcode, hints))))
                    }
                    _ => Err(unknown_before(&key, &row.errmsg)),
                };
            }
            Some(Begun::UnderWay(row, owner)) => {
                same_message(begin, &row)?;
                if row.state == State::Sending && begin.abandoned.is_none() && begin.owner.sees_ended(&owner) {
                    begin.abandoned = Some((row.id, row.epoch));
                    return Ok(AdmissionPoll::Taken { abandoned: true });
                }
                if deadline.left() <= LOOK {
                    let key = plain_text(begin.key.unwrap_or_default());
                    return Err(under_way(&key, deadline.total().as_millis()));
                }
                return Ok(AdmissionPoll::Taken { abandoned: false });
            }
            Some(Begun::Paused { id, pause }) => (id, self.paused(&pause)),
            Some(Begun::NoGrant { id, certain }) => {
                let refused = Answer::local(43101, "user refuse to accept the msg", hints);
                (id, refused.with_hint(no_grant_hint(certain, hints)))
            }
        };
        Ok(AdmissionPoll::Decided(Admission::Answered(Answer { id: Some(id), ..answer })))
    }

    /// The answer while the API rests.
    pub(super) fn paused(&self, pause: &Pause) -> Answer {
        let hints = self.settings.hint_lang;
        let words = errcode::find(pause.errcode).map_or("", |row| row.text);
        let hint = paused_hint(pause.errcode, &calendar::shown(pause.until));
        Answer::local(pause.errcode, words, hints).with_hint(hint.in_language(hints))
    }
}

/// A key that was used for another message would silently swallow this one.
pub(super) fn same_message(begin: &Begin<'_>, row: &Delivery) -> Result<(), Error> {
    // The row may be older than the present value of `hash_openid`.
    let same_user = row.openid == begin.openid || row.openid == hashed_openid(begin.appid, begin.openid);
    if same_user && row.template_id == begin.template_id && row.channel == begin.channel {
        Ok(())
    } else {
        Err(key_taken(&plain_text(begin.key.unwrap_or_default())))
    }
}

fn paused_hint(errcode: i64, until: &str) -> Text {
    Text::new(
        format!("微信已限制该接口（{errcode}），北京时间 {until} 之前不再请求；可用 clearQuota() 提前恢复。"),
        format!(
            "WeChat has limited this API ({errcode}); no request is made before {until} (Asia/Shanghai), clearQuota() ends it sooner."
        ),
    )
}

fn no_grant_hint(certain: bool, hints: Language) -> &'static str {
    if certain {
        hints.choose(
            "微信已答复该用户对此模板没有可用授权，此后也没有新的允许；请在小程序里再次 wx.requestSubscribeMessage 并用 recordGrants() 上报结果。",
            "WeChat has said that this user has no grant left for this template, and no accept was reported since; ask again with wx.requestSubscribeMessage and report the result with recordGrants().",
        )
    } else {
        hints.choose(
            "账本中该用户对此模板的授权次数为 0（grants=strict）；请用 recordGrants() 上报 wx.requestSubscribeMessage 的结果。",
            "The ledger has no grant of this user for this template (grants=strict); report the results of wx.requestSubscribeMessage with recordGrants().",
        )
    }
}

/// So much of a text as a row keeps, whole characters only.
pub(super) fn cut(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// What rows hold instead of the openid (setting `hash_openid`). The appid is in it, so rows of two accounts cannot be joined.
pub(super) fn hashed_openid(appid: &str, openid: &str) -> String {
    fingerprint::of(&[appid, openid])
}
