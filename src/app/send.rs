//! The way of one message through the stages, once.

use bytes::Bytes;

use super::App;
use super::failure::keeping_the_grant;
use super::gate::{Gate, MARGIN, OPENID_LIMIT};
use super::post::{Line, Posted};
use crate::answer::Answer;
use crate::config::TokenMode;
use crate::error::Error;
use crate::field::{self, Checked};
use crate::message::{Channel, Message};
use crate::process::Process;
use crate::store::Grant;
use crate::token::Held;
use crate::wechat::api::{Data, MiniProgram, SendBody};
use crate::wechat::deadline::Deadline;
use crate::wechat::errcode::Outcome;

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
