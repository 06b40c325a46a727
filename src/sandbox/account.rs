//! One WeChat account: settings, templates, users with their grants, quotas.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde::Serialize;

use super::clock::{Millis, day, minute};
use super::push::PushSettings;
use super::refusal::Refusal;
use super::template::Template;
use super::token::Family;

/// The kind of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountKind {
    /// Mini program: subscribe/send.
    MiniProgram,
    /// Official account (服务号): subscribe/bizsend and template/send.
    Official,
}

/// A user's last word about a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// `accept`: one more message (one-time), or from now on (long-term).
    Accept,
    /// `reject`: none any more.
    Reject,
}

/// What a user has left to receive of one template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// Messages that may still be sent; of a long-term template, whether any may (1) or none (0).
    pub available: u64,
    /// The user's last word.
    pub state: Choice,
}

/// Calls of one API today and in this minute, with their limits.
#[derive(Debug, Default)]
pub(super) struct Usage {
    pub(super) daily_limit: Option<u64>,
    pub(super) minute_limit: Option<u64>,
    day: u64,
    today: u64,
    minute: u64,
    this_minute: u64,
}

impl Usage {
    /// Counts one call, or refuses it.
    pub(super) fn count(&mut self, now: Millis) -> Result<(), Refusal> {
        self.roll(now);
        if self.daily_limit.is_some_and(|limit| self.today >= limit) {
            return Err(Refusal::of(45009));
        }
        if self.minute_limit.is_some_and(|limit| self.this_minute >= limit) {
            return Err(Refusal::of(45011));
        }
        self.today += 1;
        self.this_minute += 1;
        Ok(())
    }

    /// Calls since midnight in Asia/Shanghai, and in this minute.
    pub(super) fn used(&mut self, now: Millis) -> (u64, u64) {
        self.roll(now);
        (self.today, self.this_minute)
    }

    /// Starts today's count again (clear_quota).
    pub(super) fn clear(&mut self) {
        self.today = 0;
        self.this_minute = 0;
    }

    fn roll(&mut self, now: Millis) {
        if self.day != day(now) {
            self.day = day(now);
            self.today = 0;
        }
        if self.minute != minute(now) {
            self.minute = minute(now);
            self.this_minute = 0;
        }
    }
}

/// A call that is counted by the month: clear_quota and quota/clear.
#[derive(Debug, Default)]
pub(super) struct Monthly {
    month: u64,
    used: u32,
}

impl Monthly {
    /// Takes one of `limit` calls of this month (of thirty days: the calendar is not the point here).
    pub(super) fn take(&mut self, limit: u32, now: Millis) -> bool {
        let month = day(now) / 30;
        if self.month != month {
            self.month = month;
            self.used = 0;
        }
        if self.used >= limit {
            return false;
        }
        self.used += 1;
        true
    }
}

/// One account with everything that belongs to it.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) appid: Arc<str>,
    pub(super) secret: String,
    pub(super) kind: AccountKind,
    /// Lifetime of new tokens, in seconds.
    pub(super) token_expires_in: u64,
    /// How long a classic token outlives the next fetch, in seconds.
    pub(super) token_overlap: u64,
    pub(super) ip_refused: bool,
    pub(super) secret_frozen: bool,
    pub(super) any_openid: bool,
    pub(super) pages: Option<Vec<String>>,
    pub(super) blacklist: Vec<String>,
    pub(super) template_limit: usize,
    pub(super) templates: Vec<Template>,
    pub(super) users: BTreeMap<String, HashMap<String, Grant>>,
    pub(super) classic: Family,
    pub(super) stable: Family,
    pub(super) usage: HashMap<String, Usage>,
    pub(super) clear_quota: Monthly,
    pub(super) clear_path: Monthly,
    /// Openids with a send under way.
    pub(super) busy: HashSet<String>,
    /// client_msg_id of template/send by (openid, id): when, and which msgid it got.
    pub(super) client_ids: HashMap<(String, String), (Millis, u64)>,
    /// Messages that were accepted.
    pub(super) accepted: u64,
    /// Where events are pushed; `None` for nowhere.
    pub(super) push: Option<PushSettings>,
    /// What users have ticked 总是保持以上选择 for, by openid and template id.
    pub(super) kept: HashMap<(String, String), Choice>,
}

impl Account {
    pub(super) fn new(appid: &str) -> Account {
        Account {
            appid: appid.into(),
            secret: String::new(),
            kind: AccountKind::MiniProgram,
            token_expires_in: 7200,
            token_overlap: 300,
            ip_refused: false,
            secret_frozen: false,
            any_openid: false,
            pages: None,
            blacklist: Vec::new(),
            template_limit: 25,
            templates: Vec::new(),
            users: BTreeMap::new(),
            classic: Family::default(),
            stable: Family::default(),
            usage: HashMap::new(),
            clear_quota: Monthly::default(),
            clear_path: Monthly::default(),
            busy: HashSet::new(),
            client_ids: HashMap::new(),
            accepted: 0,
            push: None,
            kept: HashMap::new(),
        }
    }

    /// The account's name in pushes (`ToUserName`), made from its appid.
    pub(super) fn original_id(&self) -> String {
        let tail: String = self.appid.chars().skip(2).take(12).collect();
        format!("gh_{tail}")
    }

    pub(super) fn template(&self, id: &str) -> Option<&Template> {
        self.templates.iter().find(|template| template.id == id)
    }

    /// Adds a template or puts it in the place of the one with its id.
    pub(super) fn put_template(&mut self, template: Template) {
        match self.templates.iter_mut().find(|known| known.id == template.id) {
            Some(known) => *known = template,
            None => self.templates.push(template),
        }
    }

    pub(super) fn knows(&self, openid: &str) -> bool {
        !openid.is_empty() && (self.any_openid || self.users.contains_key(openid))
    }

    /// Whether a message of this template may be sent to the user now.
    pub(super) fn may_send(&self, openid: &str, template: &str) -> bool {
        self.any_openid
            || self.users.get(openid).and_then(|grants| grants.get(template)).is_some_and(|grant| grant.available > 0)
    }

    /// Takes the grant that a delivered message costs.
    pub(super) fn take_grant(&mut self, openid: &str, template: &str) {
        if self.template(template).is_some_and(Template::is_long_term) {
            return;
        }
        if let Some(grant) = self.users.get_mut(openid).and_then(|grants| grants.get_mut(template)) {
            grant.available = grant.available.saturating_sub(1);
        }
    }

    /// Records what the user answered, `count` times; creates the user.
    pub(super) fn grant(&mut self, openid: &str, template: &str, choice: Choice, count: u64) {
        let long_term = self.template(template).is_some_and(Template::is_long_term);
        let grants = self.users.entry(openid.to_owned()).or_default();
        let grant = grants.entry(template.to_owned()).or_insert(Grant { available: 0, state: choice });
        grant.state = choice;
        grant.available = match choice {
            Choice::Reject => 0,
            Choice::Accept if long_term => 1,
            Choice::Accept => grant.available.saturating_add(count),
        };
    }

    /// The user's grants by template id.
    pub(super) fn grants(&self, openid: &str) -> BTreeMap<String, Grant> {
        self.users
            .get(openid)
            .map(|grants| grants.iter().map(|(id, grant)| (id.clone(), *grant)).collect())
            .unwrap_or_default()
    }

    /// The usage of an API; made when it is first limited or asked for.
    pub(super) fn usage(&mut self, path: &str) -> &mut Usage {
        self.usage.entry(path.to_owned()).or_default()
    }

    /// Counts one call of an API, or refuses it.
    pub(super) fn count_call(&mut self, path: &str, now: Millis) -> Result<(), Refusal> {
        match self.usage.get_mut(path) {
            Some(usage) => usage.count(now),
            None => self.usage(path).count(now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(kind: u8) -> Account {
        let mut account = Account::new("wx");
        account.put_template(Template::new("t", "", "{{thing1.DATA}}", kind, vec![]));
        account
    }

    #[test]
    fn accepts_add_up_a_message_takes_one_and_a_reject_ends_all() {
        let mut account = account(2);
        account.grant("o", "t", Choice::Accept, 2);
        account.take_grant("o", "t");
        assert!(account.may_send("o", "t"));
        account.take_grant("o", "t");
        assert!(!account.may_send("o", "t"));
        account.grant("o", "t", Choice::Accept, 5);
        account.grant("o", "t", Choice::Reject, 1);
        assert_eq!(account.grants("o").get("t"), Some(&Grant { available: 0, state: Choice::Reject }));
    }

    #[test]
    fn a_long_term_grant_never_runs_out_until_it_is_rejected() {
        let mut account = account(3);
        account.grant("o", "t", Choice::Accept, 1);
        for _ in 0..5 {
            account.take_grant("o", "t");
        }
        assert!(account.may_send("o", "t"));
        account.grant("o", "t", Choice::Reject, 1);
        assert!(!account.may_send("o", "t"));
    }

    #[test]
    fn limits_of_the_day_and_of_the_minute_end_with_them() {
        let mut usage = Usage { daily_limit: Some(3), minute_limit: Some(2), ..Usage::default() };
        let noon = 1_700_000_000_000 / 60_000 * 60_000;
        assert!(usage.count(noon).is_ok() && usage.count(noon).is_ok());
        assert_eq!(usage.count(noon).unwrap_err().errcode, 45011);
        assert!(usage.count(noon + 60_000).is_ok());
        assert_eq!(usage.count(noon + 120_000).unwrap_err().errcode, 45009);
        assert!(usage.count(noon + 86_400_000).is_ok());
    }
}
