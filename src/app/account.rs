//! What concerns the whole account: its token for the shop's other code, and its calls that carry no message.

use serde_json::{Map, Value};

use super::App;
use super::failure::{forked, no_token};
use super::post::CallContext;
use crate::answer::Answer;
use crate::config::TokenMode;
use crate::error::Error;
use crate::language::{Text, plain_text};
use crate::network::deadline::Deadline;
use crate::process::Process;
use crate::token::{Held, TokenFailure};
use crate::wechat::api::{self, Question, Verdict};
use crate::wechat::client::{Attempt, Cause, Failure, Reply};
use crate::wechat::errcode::{self, Outcome};

/// What the calls here are answered with, beside errcode and errmsg.
const CONTENTS: [&str; 5] = ["msgid", "priTmplId", "data", "quota", "request"];

impl App {
    /// The account's access token, for the shop's other calls to WeChat.
    pub fn access_token(&self, refresh: bool) -> Result<String, Error> {
        self.require_account()?;
        let process = Process::current()?;
        let call = CallContext::new(self, process, Deadline::after(self.settings.timeout))?;
        self.own_token(&call, refresh).map(|held| held.token.to_string())
    }

    /// One call of the API with a JSON body; the answer has WeChat's own members, `errcode`, `errmsg` and `hint` always among them.
    pub(super) fn call(&self, path: &'static str, body: &Value) -> Result<Map<String, Value>, Error> {
        self.ask(path, Question::Post(body))
    }

    /// The same of any call that takes a token.
    pub(super) fn ask(&self, path: &'static str, question: Question<'_>) -> Result<Map<String, Value>, Error> {
        self.require_account()?;
        let process = Process::current()?;
        let call = CallContext::new(self, process, Deadline::after(self.settings.timeout))?;
        self.ask_along(&call, path, question)
    }

    /// The same within something that has begun already.
    pub(super) fn ask_along(
        &self,
        call: &CallContext<'_>,
        path: &'static str,
        question: Question<'_>,
    ) -> Result<Map<String, Value>, Error> {
        // A GET that got no answer has changed nothing.
        let changes = matches!(question, Question::Post(_));
        let process = call.process;
        let mut token = self.own_token(call, false)?;
        // The application's code may have forked: the connections, and the call itself, are the parent's.
        let is_ours = || if process.is_current() { Ok(()) } else { Err(forked(path)) };
        is_ours()?;
        let mut may_renew = true;
        loop {
            let attempt = process.block_on(api::call(&call.wire(self), path, &token.token, question));
            let reply = match attempt {
                Attempt::Answered(reply) => reply,
                Attempt::NotSent(failure) => return Err(no_answer(path, &failure, false)),
                Attempt::Unknown(failure) => return Err(no_answer(path, &failure, changes)),
            };
            let (errcode, answer) = self.read_answer(path, &reply, changes)?;
            if may_renew && errcode::outcome(errcode) == Outcome::TokenStale {
                may_renew = false;
                let other = match self.settings.token_mode {
                    TokenMode::External => self.supplied_token(true)?.filter(|other| other.token != token.token),
                    _ => process
                        .block_on(call.other_token(self, &token))
                        .map_err(|failure| self.refused_token(failure))?,
                };
                is_ours()?;
                if let Some(other) = other {
                    token = other;
                    continue;
                }
            }
            return Ok(answer);
        }
    }

    /// An answer with `errcode`, `errmsg` and `hint` in it, and its errcode; `changes` as in a transport error.
    pub(super) fn read_answer(
        &self,
        path: &str,
        reply: &Reply,
        changes: bool,
    ) -> Result<(i64, Map<String, Value>), Error> {
        let no_verdict = |reason: String| no_answer(path, &Failure::new(Cause::Answer, reason), changes);
        let verdict = Verdict::read(reply).map_err(no_verdict)?;
        let mut answer: Map<String, Value> =
            serde_json::from_slice(&reply.body).map_err(|error| no_verdict(error.to_string()))?;
        let errcode = match verdict.errcode {
            Some(errcode) => errcode,
            // As of a message: an absent errcode means 0, but not in an object that has nothing of an answer at all.
            None if verdict.errmsg == "ok" || CONTENTS.iter().any(|name| answer.contains_key(*name)) => 0,
            None => return Err(no_verdict(format!("neither errcode nor {}", CONTENTS.join(", ")))),
        };
        answer.insert("errcode".to_owned(), Value::from(errcode));
        answer.insert("errmsg".to_owned(), Value::from(plain_text(&verdict.errmsg)));
        let hint = Answer::from_wechat(errcode, &verdict, 1, self.settings.hint_lang).hint;
        answer.insert("hint".to_owned(), Value::from(hint));
        Ok((errcode, answer))
    }

    /// The application's token, or the account's own.
    pub(super) fn own_token(&self, call: &CallContext<'_>, refresh: bool) -> Result<Held, Error> {
        if let Some(supplied) = self.supplied_token(refresh)? {
            return Ok(supplied);
        }
        call.process.block_on(call.token(self, refresh)).map_err(|failure| self.refused_token(failure))
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

/// The errcode of an answer that carries no message.
pub(super) fn errcode_in(answer: &Map<String, Value>) -> Option<i64> {
    answer.get("errcode").and_then(Value::as_i64)
}

/// A verdict of our own with the members that every such answer has.
pub(super) fn members(answer: &Answer) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("errcode".to_owned(), Value::from(answer.errcode));
    members.insert("errmsg".to_owned(), Value::from(answer.errmsg.as_str()));
    members.insert("hint".to_owned(), Value::from(answer.hint.as_str()));
    members
}

/// WeChat's part of a call that carries no message is missing.
pub(super) fn no_answer(path: &str, failure: &Failure, ambiguous: bool) -> Error {
    let cause = failure.cause.text();
    let text = Text::new(
        format!("{path} 没有结果：{}（{}）", cause.zh, failure.detail.zh),
        format!("{path} has no answer: {} ({})", cause.en, failure.detail.en),
    );
    Error::Transport { text, ambiguous }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Settings;
    use crate::registry::Registry;

    fn read(body: &Value) -> Result<i64, Error> {
        let app = App::new(Settings::from_pairs([("appid", "wx1")]).unwrap().into(), Registry::default().into());
        let reply = Reply { status: 200, body: body.to_string().into_bytes() };
        app.read_answer("/cgi-bin/message/template/subscribe", &reply, true).map(|(errcode, _)| errcode)
    }

    #[test]
    fn an_object_that_has_nothing_of_an_answer_is_no_success() {
        for body in [json!({}), json!({ "code": 401, "message": "sign in" }), json!({ "errmsg": "moved" })] {
            assert!(matches!(read(&body), Err(Error::Transport { ambiguous: true, .. })), "{body}");
        }
    }

    #[test]
    fn without_an_errcode_what_the_call_is_for_is_success() {
        for body in [
            json!({ "errmsg": "ok" }),
            json!({ "msgid": 3_248_682_510_344_192_008_i64 }),
            json!({ "priTmplId": "t1" }),
            json!({ "data": [], "count": 0 }),
            json!({ "quota": { "daily_limit": 1 } }),
            json!({ "request": {} }),
        ] {
            assert_eq!(read(&body).unwrap(), 0, "{body}");
        }
        assert_eq!(read(&json!({ "errcode": 40003 })).unwrap(), 40003);
    }
}
