//! Setting WeChat's counters back: all of an account, or those of one API.

pub(super) mod record;
mod turn;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::App;
use super::account::{errcode_in, members, no_answer};
use super::api_path;
use super::post::CallContext;
use crate::answer::{Answer, Source};
use crate::calendar;
use crate::error::Error;
use crate::network::deadline::Deadline;
use crate::process::Process;
use crate::wechat::api::{self, CLEAR_QUOTA_BY_SECRET, Question, Verdict};
use crate::wechat::client::Attempt;
use record::{Done, Ending, Record, Target};
use turn::Turn;

/// Refusals of a token that the secret alone does not meet: no token is left for today or this minute, or the account may have none.
const WITHOUT_TOKEN: [i64; 3] = [45009, 45011, 50004];
/// An errcode that says that a parameter is not where it was looked for: appid, appsecret.
const MISSING: [i64; 2] = [41002, 41004];

impl App {
    /// Lets WeChat set the counters back and ends the pauses here if it did. Of the whole account (`clear_quota`, with the secret
    /// where no token is to be had: `clear_quota/v2`), ten times a month; with `path` of one API (`openapi/quota/clear`), fifty times.
    pub fn clear_quota(&self, path: Option<&str>) -> Result<Value, Error> {
        let path = path.map(|path| api_path::read("clearQuota", path)).transpose()?;
        let target = path.as_deref().map_or(Target::Account, Target::Path);
        self.settings.require_appid()?;
        if self.settings.secret.is_empty() || target != Target::Account {
            self.require_account()?;
        }
        let process = Process::current()?;
        let call = CallContext::new(self, process, Deadline::after(self.settings.timeout))?;
        match self.claim_clearing(&call, target)? {
            Turn::Done(done, record) => Ok(self.cleared(target, self.told(&done), Source::Local, true, Some(&record))),
            Turn::NoneLeft(record) => {
                Ok(self.cleared(target, self.none_left(target), Source::Local, false, Some(&record)))
            }
            Turn::Uncounted => {
                let answer = self.ask_to_clear(&call, target)?;
                Ok(self.cleared(target, answer, Source::Wechat, false, None))
            }
            Turn::Ours(claim) => {
                let asked = self.ask_to_clear(&call, target);
                let ending = match &asked {
                    Ok(answer) => Ending::Verdict(
                        errcode_in(answer).unwrap_or(0),
                        answer.get("errmsg").and_then(Value::as_str).unwrap_or_default(),
                    ),
                    Err(Error::Transport { ambiguous: true, .. }) => Ending::Unknown,
                    Err(_) => Ending::NotSent,
                };
                let record = self.close_clearing(&call, target, claim, &ending);
                Ok(self.cleared(target, asked?, Source::Wechat, false, Some(&record)))
            }
        }
    }

    fn ask_to_clear(&self, call: &CallContext<'_>, target: Target<'_>) -> Result<Map<String, Value>, Error> {
        if let Target::Path(path) = target {
            return self.ask_along(call, "/cgi-bin/openapi/quota/clear", Question::Post(&json!({ "cgi_path": path })));
        }
        let body = json!({ "appid": self.settings.appid });
        let asked =
            self.require_account().and_then(|()| self.ask_along(call, "/cgi-bin/clear_quota", Question::Post(&body)));
        match asked {
            // 0: the application has not supplied the token that it was to supply.
            Err(Error::Refused { code, .. } | Error::Config { code, .. })
                if !self.settings.secret.is_empty() && (code == 0 || WITHOUT_TOKEN.contains(&code)) =>
            {
                self.ask_by_secret(call)
            }
            asked => asked,
        }
    }

    fn ask_by_secret(&self, call: &CallContext<'_>) -> Result<Map<String, Value>, Error> {
        let mut in_query = false;
        loop {
            let attempt = call.process.block_on(api::clear_quota_by_secret(&call.wire(self), in_query));
            let reply = match attempt {
                Attempt::Answered(reply) => reply,
                Attempt::NotSent(failure) => return Err(no_answer(CLEAR_QUOTA_BY_SECRET, &failure, false)),
                Attempt::Unknown(failure) => return Err(no_answer(CLEAR_QUOTA_BY_SECRET, &failure, true)),
            };
            let (errcode, answer) = self.read_answer(CLEAR_QUOTA_BY_SECRET, &reply, true)?;
            if errcode == 0 {
                call.forget_token_refusal(self);
            }
            if in_query || !MISSING.contains(&errcode) {
                return Ok(answer);
            }
            in_query = true;
        }
    }

    /// The verdict that another process got.
    fn told(&self, done: &Done) -> Map<String, Value> {
        let verdict = Verdict { errcode: Some(done.errcode), errmsg: done.errmsg.clone(), ..Verdict::default() };
        members(&Answer::from_wechat(done.errcode, &verdict, 0, self.settings.hint_lang))
    }

    /// What WeChat would say: 48006, or 45009 of `openapi/quota/clear`.
    fn none_left(&self, target: Target<'_>) -> Map<String, Value> {
        let hints = self.settings.hint_lang;
        members(&match target {
            Target::Account => Answer::local(48006, "forbid to clear quota because of reaching the limit", hints),
            Target::Path(_) => {
                Answer::local(45009, "reach max api monthly quota limit", hints).with_hint(hints.choose(
                    "本月按接口清零的 50 次已用完，可用不带参数的 clearQuota() 清零整个账号（每月 10 次），或等北京时间零点恢复。",
                    "The fifty clearings by API of this month are used up; clearQuota() without a path clears the whole account (ten a month), or wait for midnight Beijing time.",
                ))
            }
        })
    }

    /// The answer with our part of it; ends the pauses here if WeChat has done it.
    fn cleared(
        &self,
        target: Target<'_>,
        mut answer: Map<String, Value>,
        source: Source,
        duplicate: bool,
        record: Option<&Record>,
    ) -> Value {
        let done = errcode_in(&answer) == Some(0);
        // Also where another process was told: a worker that met 45009 in the meantime has paused the API once more.
        let ended = done && {
            let day = calendar::day(Timestamp::now());
            self.stored(|store, until| store.clear_quota(&self.settings.appid, target.path(), day, until)).is_ok()
        };
        if done {
            let hint = self.settings.hint_lang.choose(
                "调用次数已清零，本机的暂停也已解除。",
                "The counters are set back, and pauses here have ended.",
            );
            answer.insert("hint".to_owned(), Value::from(hint));
        }
        let used = record.map(|record| record.used(target));
        let local = json!({
            "used_this_month": used,
            "left_this_month": used.map(|used| target.limit().saturating_sub(used)),
            "pauses_ended": ended,
        });
        answer.insert("source".to_owned(), Value::from(source.name()));
        answer.insert("duplicate".to_owned(), Value::from(duplicate));
        answer.insert("local".to_owned(), local);
        Value::Object(answer)
    }
}
