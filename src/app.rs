//! One WeChat account: walks a message through the stages, once.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use crate::answer::{Answer, Source};
use crate::config::{Settings, TokenMode};
use crate::error::Error;
use crate::field::{self, Checked, Mode, Violation};
use crate::language::Text;
use crate::message::{Channel, Input, Message};
use crate::options::Options;
use crate::process::Process;
use crate::registry::Registry;
use crate::token::{Fetch, TokenFailure};
use crate::wechat::api::{self, Data, MiniProgram, SendBody, Verdict};
use crate::wechat::client::{Attempt, Cause, Client, Failure};
use crate::wechat::deadline::Deadline;
use crate::wechat::errcode::{self, Outcome};

/// WeChat's openids have 28 characters; whatever is longer than this is none.
const OPENID_LIMIT: usize = 128;

/// One account with its settings and templates, as the present PHP request knows them.
#[derive(Debug, Clone)]
pub struct App {
    settings: Arc<Settings>,
    registry: Arc<Registry>,
}

impl App {
    /// An account.
    pub fn new(settings: Arc<Settings>, registry: Arc<Registry>) -> Self {
        Self { settings, registry }
    }

    /// Its settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The template id that was registered under a name.
    pub fn template_id(&self, key: &str) -> Option<&str> {
        self.registry.id(key)
    }

    /// What WeChat would certainly refuse on this channel, without any request; empty if nothing.
    pub fn validate(&self, template_id: &str, data: &Input<'_>, channel: Channel) -> Vec<Violation> {
        let template_id = self.registry.id(template_id).unwrap_or(template_id);
        field::check(data, self.registry.template(template_id), Mode::Strict, channel).violations
    }

    /// Sends one message now.
    pub fn send(&self, message: &Message<'_>) -> Result<Answer, Error> {
        self.settings.require_account()?;
        let process = Process::current()?;
        process.stats.sends.increment();
        let result = self.walk(process, message);
        match &result {
            Ok(answer) if answer.outcome == Outcome::Delivered => process.stats.delivered.increment(),
            Ok(answer) if answer.source == Source::Local => process.stats.refused_local.increment(),
            Ok(_) => process.stats.refused_wechat.increment(),
            Err(Error::Transport { ambiguous: true, .. }) => process.stats.transport_unknown.increment(),
            Err(Error::Transport { ambiguous: false, .. }) => process.stats.transport_not_sent.increment(),
            Err(_) => {}
        }
        result
    }

    /// CRMEB's `sendTemplate($openId, $templateId, $link, $dataKey)`: `None` where CRMEB answers `false`.
    pub fn send_template(
        &self,
        openid: &str,
        template_id: &str,
        link: Option<&str>,
        data: Input<'_>,
    ) -> Result<Option<Answer>, Error> {
        if openid.is_empty() || template_id.is_empty() {
            return Ok(None);
        }
        self.send(&Message {
            touser: Cow::Borrowed(openid),
            template_id: Cow::Borrowed(template_id),
            data,
            page: link.map(Cow::Borrowed),
            options: Options::default(),
        })
        .map(Some)
    }

    /// The account's access token, for the shop's other calls to WeChat.
    pub fn access_token(&self, refresh: bool) -> Result<String, Error> {
        self.settings.require_account()?;
        if self.settings.token_mode == TokenMode::External {
            return Ok(self.settings.token.reveal().to_owned());
        }
        let process = Process::current()?;
        let client = process.client(&self.settings)?;
        let slot = process.token(&self.settings);
        let fetch = Fetch {
            client: &client,
            settings: &self.settings,
            stats: &process.stats,
            deadline: Deadline::after(self.settings.timeout),
        };
        let token =
            process.block_on(async { if refresh { slot.refresh(&fetch).await } else { slot.get(&fetch).await } });
        token.map(|token| token.to_string()).map_err(|failure| match failure {
            TokenFailure::Transport(failure) => no_token(&failure, "", ""),
            TokenFailure::Refused { verdict, errcode, .. } => {
                let answer = Answer::from_token_endpoint(errcode, &verdict, false, self.settings.hint_lang);
                let text = answer.in_words();
                match answer.outcome {
                    Outcome::Misconfigured => Error::Config { text, code: errcode },
                    _ => Error::Refused { text, code: errcode },
                }
            }
        })
    }

    fn walk(&self, process: &Process, message: &Message<'_>) -> Result<Answer, Error> {
        let deadline = Deadline::after(message.options.timeout.unwrap_or(self.settings.timeout));
        let hints = self.settings.hint_lang;
        let (touser, template_id) = (message.touser.trim(), message.template_id.trim());
        if touser.is_empty() {
            return Ok(Answer::local(40003, "invalid openid", hints).with_hint(hints.choose(
                "openid 为空，请检查该用户是否登录过小程序。",
                "The openid is empty; check whether this user has ever signed in to the mini program.",
            )));
        }
        if touser.len() > OPENID_LIMIT {
            return Ok(Answer::local(40003, "invalid openid", hints));
        }
        if template_id.is_empty() {
            return Ok(Answer::local(40037, "invalid template_id", hints).with_hint(hints.choose(
                "模板 ID 为空，请检查该通知是否配置了模板（CRMEB：routine_tempid）。",
                "The template id is empty; check whether this notice has a template (CRMEB: routine_tempid).",
            )));
        }
        let template_id = self.registry.id(template_id).unwrap_or(template_id);
        let mode = message.options.validate.unwrap_or(self.settings.validate);
        let checked = field::check(&message.data, self.registry.template(template_id), mode, message.options.channel);
        if !checked.violations.is_empty() {
            return Ok(Answer::refused_payload(checked, hints));
        }
        if !checked.changes.is_empty() {
            process.stats.fitted.increment();
        }
        let body = self.body(message, touser, template_id, &checked)?;
        let client = process.client(&self.settings)?;
        let mut answer = process.block_on(self.deliver(process, &client, message.options.channel, body, deadline))?;
        answer.changed = checked.changes;
        Ok(answer)
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
        serde_json::to_vec(&body).map(Bytes::from).map_err(|error| {
            Error::value(
                format!("消息无法写成 JSON：{error}"),
                format!("the message cannot be written as JSON: {error}"),
            )
        })
    }

    async fn deliver(
        &self,
        process: &Process,
        client: &Client,
        channel: Channel,
        body: Bytes,
        deadline: Deadline,
    ) -> Result<Answer, Error> {
        let external = self.settings.token_mode == TokenMode::External;
        let slot = process.token(&self.settings);
        let fetch = Fetch { client, settings: &self.settings, stats: &process.stats, deadline };
        let mut token: Arc<str> = if external {
            Arc::from(self.settings.token.reveal())
        } else {
            match slot.get(&fetch).await {
                Ok(token) => token,
                Err(failure) => return self.without_token(failure, 0),
            }
        };
        let mut may_renew = !external;
        let mut may_repeat = true;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let asked = Instant::now();
            let attempt = api::send(client, &self.settings, channel, &token, body.clone(), deadline).await;
            process.stats.request(asked.elapsed());
            let reply = match attempt {
                Attempt::NotSent(_) if may_repeat && deadline.left() > deadline.total() / 2 => {
                    may_repeat = false;
                    continue;
                }
                Attempt::NotSent(failure) => return Err(not_sent(&failure)),
                Attempt::Unknown(failure) => return Err(unknown(&failure)),
                Attempt::Answered(reply) => reply,
            };
            let verdict = Verdict::read(&reply).map_err(|reason| unknown(&Failure::new(Cause::Answer, reason)))?;
            let errcode = match verdict.errcode {
                Some(errcode) => errcode,
                // An absent errcode means 0, but not in an object that has nothing of an answer at all.
                None if verdict.msgid.is_some() || verdict.errmsg == "ok" => 0,
                None => return Err(unknown(&Failure::new(Cause::Answer, "neither errcode nor msgid"))),
            };
            if may_renew && errcode::outcome(errcode) == Outcome::TokenStale {
                may_renew = false;
                match slot.replace(&token, &fetch).await {
                    Ok(Some(other)) => {
                        token = other;
                        continue;
                    }
                    // Asked only just now: the refusal stands, and it is the answer.
                    Ok(None) => {}
                    Err(failure) => return self.without_token(failure, attempts),
                }
            }
            let answer = Answer::from_wechat(errcode, &verdict, attempts, self.settings.hint_lang);
            return Ok(match answer.outcome {
                Outcome::TokenStale if external => answer.with_hint(self.settings.hint_lang.choose(
                    "token 由应用提供，请用 configure() 更新 token 后再发。",
                    "The application supplies the token; give configure() a new one, then send again.",
                )),
                // A renewal has been tried already.
                Outcome::TokenStale => answer.with_hint(self.settings.hint_lang.choose(
                    "微信仍然拒绝刚取到的 access_token，请核对 configure() 里的 appid 和 secret 是否属于同一账号。",
                    "WeChat refuses the access_token that it has just issued; check that appid and secret in configure() belong together.",
                )),
                _ => answer,
            });
        }
    }

    /// What a message comes to that has no token: certainly not delivered, and WeChat's refusal is the answer if there is one.
    fn without_token(&self, failure: TokenFailure, attempts: u32) -> Result<Answer, Error> {
        match failure {
            TokenFailure::Transport(failure) => Err(no_token(&failure, "消息没有发出：", "Not sent: ")),
            TokenFailure::Refused { verdict, errcode, remembered } => {
                let answer = Answer::from_token_endpoint(errcode, &verdict, remembered, self.settings.hint_lang);
                Ok(Answer { attempts, ..answer })
            }
        }
    }
}

fn transport(zh: &str, en: &str, failure: &Failure, ambiguous: bool) -> Error {
    let (cause, detail) = (failure.cause.text(), &failure.detail);
    let text = Text::new(format!("{zh}{}（{detail}）", cause.zh), format!("{en}{} ({detail})", cause.en));
    Error::Transport { text, ambiguous }
}

fn not_sent(failure: &Failure) -> Error {
    transport("消息没有发出，可以稍后重试：", "Not sent, safe to try again later: ", failure, false)
}

fn no_token(failure: &Failure, zh: &str, en: &str) -> Error {
    transport(&format!("{zh}没有取到 access_token，"), &format!("{en}no access token, "), failure, false)
}

fn unknown(failure: &Failure) -> Error {
    transport(
        "请求已发出但没有结果，消息可能已送达，请勿自动重发：",
        "Sent, but there is no verdict; it may have been delivered, never resend it by itself: ",
        failure,
        true,
    )
}
