//! The way of one message through the stages, once.

use std::borrow::Cow;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::App;
use super::failure::{keeping_the_grant, key_taken, under_way, unknown_before};
use super::post::{Line, Posted};
use crate::answer::{Answer, Source};
use crate::config::TokenMode;
use crate::error::Error;
use crate::field::{self, Checked};
use crate::language::{Language, Text, plain_text};
use crate::message::{Channel, Message};
use crate::process::Process;
use crate::quota;
use crate::store::{Begin, Begun, Delivery, End, Grant, LocalRefusal, MessageId, Settlement, State};
use crate::token::Held;
use crate::wechat::api::{Data, MiniProgram, SendBody};
use crate::wechat::deadline::Deadline;
use crate::wechat::errcode::{self, Outcome};

/// WeChat's openids have 28 characters; whatever is longer than this is none.
const OPENID_LIMIT: usize = 128;
/// Template ids have 43; rows keep so much of what is none.
const TEMPLATE_ID_LIMIT: usize = 128;
/// A message whose process has not closed its row this long after its deadline is one of which nobody knows.
const MARGIN: Duration = Duration::from_secs(2);
/// Between two looks at a message with the same key that another call is sending.
const LOOK: Duration = Duration::from_millis(15);

/// The right to send, as the store gave it.
struct Ticket {
    id: MessageId,
    epoch: u32,
    grant: Grant,
    seen: u64,
}

/// What the store says before anything is sent.
enum Gate {
    /// Go, with a row that waits for its end.
    Go(Ticket),
    /// Go; there is no store at this moment.
    Unrecorded,
    /// No: this is the answer.
    Answered(Answer),
}

impl App {
    pub(super) fn walk(&self, process: &Process, message: &Message<'_>) -> Result<Answer, Error> {
        let deadline = Deadline::after(message.options.timeout.unwrap_or(self.settings.timeout));
        let touser = message.touser.trim();
        let template_id = message.template_id.trim();
        let template_id = self.registry.id(template_id).unwrap_or(template_id);
        let line = Line::new(self, process, deadline)?;
        if let Some(answer) = self.refused_receiver(touser, template_id) {
            return self.leave_refusal(&line, message, touser, template_id, answer);
        }
        let mode = message.options.validate.unwrap_or(self.settings.validate);
        let checked = field::check(&message.data, self.registry.template(template_id), mode, message.options.channel);
        if !checked.violations.is_empty() {
            let answer = Answer::refused_payload(checked, self.settings.hint_lang);
            return self.leave_refusal(&line, message, touser, template_id, answer);
        }
        if !checked.changes.is_empty() {
            process.stats.fitted.increment();
        }
        let body = self.body(message, touser, template_id, &checked)?;
        // The application's code, which may take its time or end the request: before anything is under way.
        let supplied = self.supplied_token(false)?;

        let changed = json_of(&checked)?;
        let shown_openid = self.shown_openid(touser);
        let payload = match (self.settings.keep_payload, self.settings.hash_openid) {
            (false, _) => None,
            (true, false) => Some(body.clone()),
            // What the row hides, its payload must not tell.
            (true, true) => Some(self.body(message, &shown_openid, template_id, &checked)?),
        };
        let payload = payload.map(|payload| String::from_utf8_lossy(&payload).into_owned());
        let mut begin = self.begin(process, message, touser, template_id, &shown_openid);
        begin.changed = changed.as_deref();
        begin.payload = payload.as_deref();
        begin.lease = deadline.left() + MARGIN;
        let ticket = match self.pass_gate(&line, &mut begin)? {
            Gate::Answered(answer) => return Ok(Answer { changed: checked.changes, ..answer }),
            Gate::Go(ticket) => Some(ticket),
            Gate::Unrecorded => None,
        };
        let channel = message.options.channel;
        let mut posted = process.block_on(self.post(&line, channel, body.clone(), supplied.as_ref()));
        if let (Some(first), Ok(answer)) = (&supplied, &posted.result)
            && answer.outcome == Outcome::TokenStale
        {
            posted = self.post_again(&line, channel, body, first, posted);
        }
        let Some(ticket) = ticket else {
            return posted.result.map(|answer| Answer { changed: checked.changes, ..answer });
        };
        self.close(&line, &begin, &ticket, &posted);
        match posted.result {
            Ok(answer) => Ok(Answer { changed: checked.changes, id: Some(ticket.id), ..answer }),
            Err(error) if ticket.grant == Grant::Reserved => Err(keeping_the_grant(error)),
            Err(error) => Err(error),
        }
    }

    /// Once more with a token that the application supplies anew; its own failure is the result.
    fn post_again(&self, line: &Line<'_>, channel: Channel, body: Bytes, refused: &Held, first: Posted) -> Posted {
        let attempts = first.attempts;
        match self.supplied_token(true) {
            Ok(Some(other)) if other.token != refused.token => {
                let second = line.process.block_on(self.post(line, channel, body, Some(&other)));
                let attempts = attempts + second.attempts;
                Posted { result: second.result.map(|answer| Answer { attempts, ..answer }), attempts }
            }
            Ok(_) => first,
            Err(error) => Posted { result: Err(error), attempts },
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

    fn refused_receiver(&self, touser: &str, template_id: &str) -> Option<Answer> {
        let hints = self.settings.hint_lang;
        if touser.is_empty() {
            return Some(Answer::local(40003, "invalid openid", hints).with_hint(hints.choose(
                "openid 为空，请检查该用户是否登录过小程序。",
                "The openid is empty; check whether this user has ever signed in to the mini program.",
            )));
        }
        if touser.len() > OPENID_LIMIT {
            return Some(Answer::local(40003, "invalid openid", hints));
        }
        template_id.is_empty().then(|| {
            Answer::local(40037, "invalid template_id", hints).with_hint(hints.choose(
                "模板 ID 为空，请检查该通知是否配置了模板（CRMEB：routine_tempid）。",
                "The template id is empty; check whether this notice has a template (CRMEB: routine_tempid).",
            ))
        })
    }

    fn begin<'a>(
        &'a self,
        process: &'a Process,
        message: &'a Message<'_>,
        touser: &'a str,
        template_id: &'a str,
        shown_openid: &'a str,
    ) -> Begin<'a> {
        Begin {
            id: MessageId::new(),
            owner: process.owner(),
            lease: Duration::ZERO,
            appid: &self.settings.appid,
            openid: cut(touser, OPENID_LIMIT),
            shown_openid,
            template_id: cut(template_id, TEMPLATE_ID_LIMIT),
            channel: message.options.channel,
            key: message.options.key.as_deref(),
            policy: message.options.grants.unwrap_or(self.settings.grants),
            changed: None,
            payload: None,
            retention: self.settings.retention,
            abandoned: None,
        }
    }

    fn shown_openid<'a>(&self, touser: &'a str) -> Cow<'a, str> {
        if self.settings.hash_openid {
            Cow::Owned(hashed_openid(&self.settings.appid, cut(touser, OPENID_LIMIT)))
        } else {
            Cow::Borrowed(cut(touser, OPENID_LIMIT))
        }
    }

    /// A message that was refused before the store was asked leaves its row all the same.
    fn leave_refusal(
        &self,
        line: &Line<'_>,
        message: &Message<'_>,
        touser: &str,
        template_id: &str,
        answer: Answer,
    ) -> Result<Answer, Error> {
        let shown_openid = self.shown_openid(touser);
        let begin = self.begin(line.process, message, touser, template_id, &shown_openid);
        let refusal = LocalRefusal { errcode: answer.errcode, errmsg: &answer.errmsg };
        let left =
            line.keeper.run(line.deadline, &line.process.stats, |store, until| store.refuse(&begin, &refusal, until));
        // Without a store there is no row and so no id; the keeper has counted and reported it.
        Ok(Answer { id: left.ok(), ..answer })
    }

    /// Key, pause and ledger, in one transaction.
    fn pass_gate(&self, line: &Line<'_>, begin: &mut Begin<'_>) -> Result<Gate, Error> {
        let hints = self.settings.hint_lang;
        loop {
            let begun = line.keeper.run(line.deadline, &line.process.stats, |store, until| store.begin(begin, until));
            let (id, answer) = match begun {
                // No store stops no message.
                Err(_) => return Ok(Gate::Unrecorded),
                Ok(Begun::Go { id, epoch, grant, seen }) => return Ok(Gate::Go(Ticket { id, epoch, grant, seen })),
                Ok(Begun::Known(row)) => {
                    same_message(begin, &row)?;
                    let key = plain_text(begin.key.unwrap_or_default());
                    return match (row.state, row.errcode) {
                        (State::Delivered | State::Refused, Some(errcode)) => {
                            Ok(Gate::Answered(Answer::from_record(&row, errcode, hints)))
                        }
                        _ => Err(unknown_before(&key, &row.errmsg)),
                    };
                }
                Ok(Begun::UnderWay(row, owner)) => {
                    same_message(begin, &row)?;
                    if begin.abandoned.is_none() && begin.owner.sees_ended(&owner) {
                        begin.abandoned = Some((row.id, row.epoch));
                        continue;
                    }
                    if line.deadline.left() <= LOOK {
                        let key = plain_text(begin.key.unwrap_or_default());
                        return Err(under_way(&key, line.deadline.total().as_millis()));
                    }
                    thread::sleep(LOOK);
                    continue;
                }
                Ok(Begun::Paused { id, pause }) => {
                    let until = quota::shown(pause.until);
                    let words = errcode::find(pause.errcode).map_or("", |row| row.text);
                    let hint = paused_hint(pause.errcode, &until);
                    (id, Answer::local(pause.errcode, words, hints).with_hint(hint.in_language(hints)))
                }
                Ok(Begun::NoGrant { id, certain }) => {
                    let refused = Answer::local(43101, "user refuse to accept the msg", hints);
                    (id, refused.with_hint(no_grant_hint(certain, hints)))
                }
            };
            return Ok(Gate::Answered(Answer { id: Some(id), ..answer }));
        }
    }

    fn close(&self, line: &Line<'_>, begin: &Begin<'_>, ticket: &Ticket, posted: &Posted) {
        let now = Timestamp::now();
        let mut end = End {
            state: State::NotSent,
            last_word: false,
            settlement: Settlement::GivenBack,
            grant: ticket.grant,
            errcode: None,
            errmsg: "",
            msgid: None,
            rid: None,
            attempts: posted.attempts,
            api: begin.channel.path(),
            day: quota::day(now),
            pause: None,
        };
        let (msgid, errmsg);
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
                end.errmsg = &answer.errmsg;
                msgid = answer.msgid.as_ref().map(ToString::to_string);
                end.msgid = msgid.as_deref();
                end.rid = answer.rid.as_deref();
                if answer.source == Source::Wechat && posted.attempts > 0 {
                    end.pause = quota::pause(answer.outcome, answer.errcode, now);
                }
            }
            Err(error) => {
                if matches!(error, Error::Transport { ambiguous: true, .. }) {
                    (end.state, end.last_word, end.settlement) = (State::Unknown, true, Settlement::Kept);
                }
                errmsg = plain_text(error.message(self.settings.hint_lang));
                end.errmsg = &errmsg;
            }
        }
        // The message is out. If its end cannot be written, its lease runs out and the row reads `unknown`; the keeper has
        // counted and reported it.
        let _ = line.keeper.run(line.deadline.or_a_moment(), &line.process.stats, |store, until| {
            store.finish(begin, ticket.epoch, &end, until)
        });
    }

    fn body(&self, message: &Message<'_>, touser: &str, template_id: &str, checked: &Checked) -> Result<Bytes, Error> {
        let options = &message.options;
        let page = message.page.as_deref().map(str::trim).filter(|page| !page.is_empty());
        let (page, url) = match options.channel {
            // A leading slash is what several posts name as the cause of 41030.
            Channel::Subscribe => (page.map(|page| page.strip_prefix('/').unwrap_or(page)), None),
            Channel::Bizsend => (page, None),
            Channel::Template => (None, page),
        };
        let for_mini_program = options.channel == Channel::Subscribe;
        let body = SendBody {
            touser,
            template_id,
            page,
            url,
            miniprogram: options
                .miniprogram
                .as_ref()
                .map(|target| MiniProgram { appid: &target.appid, pagepath: target.pagepath.as_deref() }),
            data: Data(&checked.fields),
            miniprogram_state: for_mini_program.then(|| options.state.unwrap_or(self.settings.state)),
            lang: for_mini_program.then(|| options.lang.unwrap_or(self.settings.lang)),
        };
        serde_json::to_vec(&body).map(Bytes::from).map_err(no_json)
    }
}

fn json_of(checked: &Checked) -> Result<Option<String>, Error> {
    if checked.changes.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(&checked.changes).map(Some).map_err(no_json)
}

fn no_json(error: serde_json::Error) -> Error {
    Error::value(format!("消息无法写成 JSON：{error}"), format!("the message cannot be written as JSON: {error}"))
}

/// A key that was used for another message would silently swallow this one.
fn same_message(begin: &Begin<'_>, row: &Delivery) -> Result<(), Error> {
    // The setting `hash_openid` may have been another one when the row was written.
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
fn cut(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// What rows hold instead of the openid (setting `hash_openid`). The appid is in it, so rows of two accounts cannot be joined.
pub(super) fn hashed_openid(appid: &str, openid: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(appid);
    hash.update([0]);
    hash.update(openid);
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
