//! The account's list of templates: fetched once for all processes, kept in the store, known to every message.
//!
//! A message never fetches it. It uses what this process knows, and once a minute that is compared with the store.

mod shared_list;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::App;
use super::account::errcode_in;
use super::admission::LOOK;
use super::failure::{no_list, refused};
use crate::answer::Answer;
use crate::config::StorePlace;
use crate::error::Error;
use crate::message::Channel;
use crate::network::deadline::Deadline;
use crate::process::Process;
use crate::quota;
use crate::store::handle::StoreHandle;
use crate::template::Template;
use crate::template_list::TemplateList;
use crate::wechat::api::Question;
use crate::wechat::errcode::{self, Outcome};
use shared_list::{Claim, SharedList};

const GET_TEMPLATE: &str = "/wxaapi/newtmpl/gettemplate";
/// How long a look may keep a message waiting.
const GLANCE: Duration = Duration::from_millis(150);

/// Which list will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// One of the last 24 hours.
    Fresh,
    /// One that is fetched from now on.
    New,
}

impl App {
    /// The account's templates as far as they are known here, without any request; `None` before they were first fetched.
    pub fn known_templates(&self) -> Option<Arc<TemplateList>> {
        if self.settings.appid.is_empty() {
            return None;
        }
        let process = Process::current().ok()?;
        let cache = process.templates(&self.settings);
        if self.settings.store != StorePlace::Off && cache.takes_a_look() {
            self.shared_list(process).look();
        }
        cache.list()
    }

    /// The fields of a template. WeChat's own list comes before what the application has registered: an id never changes its fields,
    /// but a shop's row may have got another id.
    pub(super) fn fields_of<'a>(&'a self, known: Option<&'a TemplateList>, template_id: &str) -> Option<&'a Template> {
        known.and_then(|list| list.template(template_id)).or_else(|| self.registry.template(template_id))
    }

    /// The answer to a message with a template that the account certainly does not have.
    pub(super) fn refused_template(
        &self,
        known: Option<&TemplateList>,
        template_id: &str,
        channel: Channel,
    ) -> Option<Answer> {
        if !is_listed(channel) || known.is_some_and(|list| list.get(template_id).is_some()) {
            return None;
        }
        if !self.certainly_lacks_template(known, template_id) {
            return None;
        }
        let (hints, appid) = (self.settings.hint_lang, &self.settings.appid);
        let zh = format!(
            "账号 {appid} 没有该模板（已被删除，或属于别的账号），没有请求微信；请从 templates() 或后台「订阅消息」的「我的模板」取正确的 ID，若刚在后台添加则先调用 templates(true)。"
        );
        let en = format!(
            "The account {appid} has no such template (it was deleted, or belongs to another account), so WeChat was not asked; take the id from templates() or from My Templates on the Subscribe Messages page of the console, and call templates(true) if it was added there just now."
        );
        Some(Answer::local(40037, "invalid template_id", hints).with_hint(hints.choose(&zh, &en)))
    }

    /// Whether the account certainly has no such template.
    pub(super) fn certainly_lacks_template(&self, known: Option<&TemplateList>, template_id: &str) -> bool {
        let Ok(process) = Process::current() else { return false };
        // The first use of an id counts from before any list is known.
        let known_for = process.templates(&self.settings).known_for(template_id);
        known.is_some_and(|list| list.certainly_lacks(template_id, known_for))
    }

    /// What a verdict on a message teaches about its template.
    pub(super) fn learn_template(
        &self,
        process: &Process,
        store: &Arc<StoreHandle>,
        channel: Channel,
        template_id: &str,
        verdict: &Result<Answer, Error>,
    ) {
        if is_listed(channel) && matches!(verdict, Ok(answer) if answer.errcode == 40037) {
            let shared = SharedList { store: store.clone(), ..self.shared_list(process) };
            shared.change(|list| list.refusing(template_id));
        }
    }

    /// Notes that the account has a template more than the list.
    pub(super) fn outdate_templates(&self) -> Result<(), Error> {
        let shared = self.unhurried_list(Process::current()?);
        // Others may have a list that this process has never needed.
        shared.look();
        shared.change(TemplateList::outdated);
        Ok(())
    }

    /// Notes that the account has lost a template: WeChat would refuse its id.
    pub(super) fn forget_template(&self, template_id: &str) -> Result<(), Error> {
        let shared = self.unhurried_list(Process::current()?);
        shared.look();
        shared.change(|list| list.without(template_id)?.refusing(template_id));
        Ok(())
    }

    /// The list, from WeChat if need be. Of several processes that need it at once one asks.
    pub(super) fn template_list(&self, wanted: Wanted) -> Result<Arc<TemplateList>, Error> {
        self.require_account()?;
        let process = Process::current()?;
        let shared = self.unhurried_list(process);
        let (asked, deadline) = (Instant::now(), Deadline::after(self.settings.timeout));
        let good = |list: &Arc<TemplateList>| match wanted {
            Wanted::Fresh => list.is_fresh(),
            Wanted::New => list.age() < asked.elapsed(),
        };
        loop {
            shared.look();
            if let Some(list) = shared.cache.list().filter(good) {
                return Ok(list);
            }
            let claim = match shared.claim(deadline) {
                Claim::Free(claim) => claim,
                Claim::Taken if deadline.left() > LOOK => {
                    thread::sleep(LOOK);
                    continue;
                }
                // Whoever asks for a new one is not given an old one in silence.
                Claim::Taken => {
                    let old = shared.cache.list().filter(|_| wanted == Wanted::Fresh);
                    return old.ok_or_else(|| no_list(deadline.total()));
                }
            };
            // Whoever had the claim before may have fetched it between our look and our claim.
            shared.look();
            let list = match shared.cache.list().filter(good) {
                Some(list) => Ok(list),
                None => self.fetch_templates(&shared),
            };
            shared.release(claim);
            return list;
        }
    }

    fn fetch_templates(&self, shared: &SharedList<'_>) -> Result<Arc<TemplateList>, Error> {
        let asked = Instant::now();
        let answer = self.ask(GET_TEMPLATE, Question::Get(&[]))?;
        let errcode = errcode_in(&answer).unwrap_or(0);
        let outcome = errcode::outcome(errcode);
        if let (Outcome::ThrottledDay | Outcome::ThrottledMinute, Some(old)) = (outcome, shared.cache.list()) {
            // WeChat tells no more for now, and what it has told is still the best there is.
            let rest = quota::pause(outcome, errcode, Timestamp::now()).map(|pause| quota::left(pause.until));
            shared.change(|list| Some(list.resting(rest.unwrap_or_default())));
            return Ok(shared.cache.list().unwrap_or(old));
        }
        if errcode != 0 {
            return Err(refused(&answer));
        }
        let list = answer.get("data").and_then(|data| TemplateList::from_answer(data, asked));
        list.map(|list| shared.publish(list)).ok_or_else(|| super::failure::no_data(GET_TEMPLATE))
    }

    fn shared_list<'a>(&'a self, process: &'a Process) -> SharedList<'a> {
        SharedList {
            appid: &self.settings.appid,
            process,
            cache: process.templates(&self.settings),
            store: process.connections().store(&self.settings),
            glance: GLANCE.min(self.settings.timeout / 10),
        }
    }

    /// For a call that is about the list and nothing else.
    fn unhurried_list<'a>(&'a self, process: &'a Process) -> SharedList<'a> {
        SharedList { glance: self.settings.timeout / 3, ..self.shared_list(process) }
    }
}

/// Whether its templates are those of `gettemplate`; the messages of channel `template` have a list of their own.
fn is_listed(channel: Channel) -> bool {
    matches!(channel, Channel::Subscribe | Channel::Bizsend)
}
