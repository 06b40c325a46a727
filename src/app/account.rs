//! What concerns the whole account: its token for the shop's other code, and WeChat's call limits.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::App;
use super::failure::{no_token, unknown};
use super::post::Line;
use crate::answer::Answer;
use crate::config::TokenMode;
use crate::error::Error;
use crate::language::{Text, plain_text};
use crate::process::Process;
use crate::quota;
use crate::token::{Held, TokenFailure};
use crate::wechat::api::{self, Verdict};
use crate::wechat::client::{Attempt, Cause, Failure};
use crate::wechat::deadline::Deadline;
use crate::wechat::errcode::{self, Outcome};

impl App {
    /// The account's access token, for the shop's other calls to WeChat.
    pub fn access_token(&self, refresh: bool) -> Result<String, Error> {
        self.require_account()?;
        let process = Process::current()?;
        let line = Line::new(self, process, Deadline::after(self.settings.timeout))?;
        self.own_token(&line, refresh).map(|held| held.token.to_string())
    }

    /// WeChat's counters of one API (`openapi/quota/get`), and under `local` what was counted and paused here.
    pub fn quota(&self, path: &str) -> Result<Value, Error> {
        let path = path.trim();
        if !path.starts_with('/') {
            return Err(Error::value(
                "quota()：$path 应为接口路径，如 /cgi-bin/message/subscribe/send",
                "quota(): $path is the path of an API, such as /cgi-bin/message/subscribe/send",
            ));
        }
        let mut answer = self.call("/cgi-bin/openapi/quota/get", &json!({ "cgi_path": path }))?;
        let day = quota::day(Timestamp::now());
        let usage = self.stored(|store, until| store.usage(&self.settings.appid, path, day, until));
        let local = match usage {
            Ok(usage) => json!({
                "calls_today": usage.calls,
                "paused_until": usage.pause.as_ref().map(|pause| pause.until / 1000),
                "paused_by": usage.pause.as_ref().map(|pause| pause.errcode),
            }),
            // WeChat's part of the answer stands without ours.
            Err(_) => Value::Null,
        };
        answer.insert("local".to_owned(), local);
        Ok(Value::Object(answer))
    }

    /// Lets WeChat set the account's counters back (`clear_quota`, ten times a month), and ends the pauses here if it did.
    pub fn clear_quota(&self, _path: Option<&str>) -> Result<Value, Error> {
        let mut answer = self.call("/cgi-bin/clear_quota", &json!({ "appid": self.settings.appid }))?;
        if answer.get("errcode").and_then(Value::as_i64) == Some(0) {
            let day = quota::day(Timestamp::now());
            let cleared = self.stored(|store, until| store.clear_quota(&self.settings.appid, None, day, until));
            answer.insert("local".to_owned(), Value::Bool(cleared.is_ok()));
        }
        Ok(Value::Object(answer))
    }

    /// What WeChat knows of one request, by the `rid` of its errmsg (`openapi/rid/get`).
    pub fn rid(&self, _rid: &str) -> Result<Value, Error> {
        Err(Error::config("尚未实现", "not there yet"))
    }

    /// One call of the API with a JSON body; the answer has WeChat's own members, `errcode`, `errmsg` and `hint` always among them.
    pub(super) fn call(&self, path: &'static str, body: &Value) -> Result<Map<String, Value>, Error> {
        self.require_account()?;
        let process = Process::current()?;
        let line = Line::new(self, process, Deadline::after(self.settings.timeout))?;
        let mut token = self.own_token(&line, false)?;
        let mut may_renew = true;
        loop {
            let attempt = process.block_on(api::call(&line.wire(self), path, &token.token, body));
            let reply = match attempt {
                Attempt::Answered(reply) => reply,
                Attempt::NotSent(failure) => return Err(no_answer(path, &failure, false)),
                Attempt::Unknown(failure) => return Err(no_answer(path, &failure, true)),
            };
            let verdict = Verdict::read(&reply).map_err(|reason| unknown(&Failure::new(Cause::Answer, reason)))?;
            let errcode = verdict.errcode.unwrap_or(0);
            if may_renew && errcode::outcome(errcode) == Outcome::TokenStale {
                may_renew = false;
                let other = match self.settings.token_mode {
                    TokenMode::External => self.supplied_token(true)?.filter(|other| other.token != token.token),
                    _ => process
                        .block_on(line.other_token(self, &token))
                        .map_err(|failure| self.refused_token(failure))?,
                };
                if let Some(other) = other {
                    token = other;
                    continue;
                }
            }
            let mut answer: Map<String, Value> = serde_json::from_slice(&reply.body)
                .map_err(|error| unknown(&Failure::new(Cause::Answer, error.to_string())))?;
            answer.insert("errcode".to_owned(), Value::from(errcode));
            answer.insert("errmsg".to_owned(), Value::from(plain_text(&verdict.errmsg)));
            let hint = Answer::from_wechat(errcode, &verdict, 1, self.settings.hint_lang).hint;
            answer.insert("hint".to_owned(), Value::from(hint));
            return Ok(answer);
        }
    }

    /// The application's token, or the account's own.
    pub(super) fn own_token(&self, line: &Line<'_>, refresh: bool) -> Result<Held, Error> {
        if let Some(supplied) = self.supplied_token(refresh)? {
            return Ok(supplied);
        }
        line.process.block_on(line.token(self, refresh)).map_err(|failure| self.refused_token(failure))
    }

    fn refused_token(&self, failure: TokenFailure) -> Error {
        match failure {
            TokenFailure::Transport(failure) => no_token(&failure, "", ""),
            TokenFailure::Refused { verdict, errcode, .. } => {
                let answer = Answer::from_token_endpoint(errcode, &verdict, false, self.settings.hint_lang);
                let text = answer.in_words();
                match answer.outcome {
                    Outcome::Misconfigured => Error::Config { text, code: errcode },
                    _ => Error::Refused { text, code: errcode },
                }
            }
        }
    }
}

fn no_answer(path: &str, failure: &Failure, ambiguous: bool) -> Error {
    let cause = failure.cause.text();
    let text = Text::new(
        format!("{path} 没有结果：{}（{}）", cause.zh, failure.detail.zh),
        format!("{path} has no answer: {} ({})", cause.en, failure.detail.en),
    );
    Error::Transport { text, ambiguous }
}
