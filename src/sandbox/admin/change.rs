//! The operations themselves.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::account::{AccountKind, Choice, Grant};
use super::super::push::PushSettings;
use super::super::template::Template;
use super::super::token::TokenEnd;
use super::super::world::{Settings, World};

/// Creates or changes an account; `None` leaves a member as it is (or at its default).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// The AppSecret.
    pub secret: Option<String>,
    /// Default: mini program.
    pub kind: Option<AccountKind>,
    /// Lifetime of the tokens issued from now on, in seconds; default 7200.
    pub token_expires_in: Option<u64>,
    /// How long a classic token outlives the next fetch, in seconds; default 300.
    pub token_overlap: Option<u64>,
    /// Token calls are answered 40164.
    pub ip_refused: Option<bool>,
    /// Token calls are answered 40243.
    pub secret_frozen: Option<bool>,
    /// Every openid is known and has unlimited grants.
    pub any_openid: Option<bool>,
    /// The pages of app.json; `Some(None)` accepts every page again.
    pub pages: Option<Option<Vec<String>>>,
    /// Words that are answered 45168.
    pub blacklist: Option<Vec<String>>,
    /// Private templates that the account may have (200012); default 25.
    pub template_limit: Option<usize>,
    /// Where events are pushed; `Some(None)` for nowhere.
    pub push: Option<Option<PushSettings>>,
}

/// A private template to add, or to put in place of the one with the same id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplateChange {
    /// `priTmplId`.
    pub template_id: String,
    /// Its title.
    pub title: String,
    /// Its content, such as `"订单号{{character_string1.DATA}}\n金额{{amount2.DATA}}"`.
    pub content: String,
    /// Long-term (type 3) instead of one-time (type 2).
    pub long_term: bool,
    /// The approved values of enum, enum_string and const fields by key.
    pub values: BTreeMap<String, Vec<String>>,
}

/// Limits of one API of one account; `None` leaves one as it is, `Some(None)` takes it away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QuotaChange {
    /// Calls a day, then 45009.
    pub daily_limit: Option<Option<u64>>,
    /// Calls a minute, then 45011.
    pub minute_limit: Option<Option<u64>>,
}

/// New settings; `None` leaves one as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SettingsChange {
    /// See [`Settings::latency_ms`].
    pub latency_ms: Option<u64>,
    /// See [`Settings::idle_close_ms`]; `Some(None)` for never.
    pub idle_close_ms: Option<Option<u64>>,
    /// See [`Settings::tls_accept_delay_ms`].
    pub tls_accept_delay_ms: Option<u64>,
    /// See [`Settings::close_after_answer`].
    pub close_after_answer: Option<bool>,
}

/// Which tokens are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKinds {
    /// Those of `stable_token`.
    Stable,
    /// Those of `token`.
    Classic,
    /// Both.
    All,
}

impl SettingsChange {
    pub(in super::super) fn apply(self, settings: &mut Settings) {
        settings.latency_ms = self.latency_ms.unwrap_or(settings.latency_ms);
        settings.idle_close_ms = self.idle_close_ms.unwrap_or(settings.idle_close_ms);
        settings.tls_accept_delay_ms = self.tls_accept_delay_ms.unwrap_or(settings.tls_accept_delay_ms);
        settings.close_after_answer = self.close_after_answer.unwrap_or(settings.close_after_answer);
    }
}

fn put<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

impl World {
    pub(in super::super) fn change_account(&mut self, appid: &str, change: AccountChange) {
        let account = self.account(appid);
        put(&mut account.secret, change.secret);
        put(&mut account.kind, change.kind);
        put(&mut account.token_expires_in, change.token_expires_in);
        put(&mut account.token_overlap, change.token_overlap);
        put(&mut account.ip_refused, change.ip_refused);
        put(&mut account.secret_frozen, change.secret_frozen);
        put(&mut account.any_openid, change.any_openid);
        put(&mut account.pages, change.pages);
        put(&mut account.blacklist, change.blacklist);
        put(&mut account.template_limit, change.template_limit);
        put(&mut account.push, change.push);
        self.changed();
    }

    pub(in super::super) fn put_template(&mut self, appid: &str, change: TemplateChange) {
        let TemplateChange { template_id, title, content, long_term, values } = change;
        let kind = if long_term { 3 } else { 2 };
        let template = Template::new(&template_id, &title, &content, kind, values.into_iter().collect());
        self.account(appid).put_template(template);
        self.changed();
    }

    pub(in super::super) fn put_user(&mut self, appid: &str, openid: &str) {
        self.account(appid).users.entry(openid.to_owned()).or_default();
        self.changed();
    }

    pub(in super::super) fn put_grant(
        &mut self,
        appid: &str,
        openid: &str,
        template_id: &str,
        choice: Choice,
        count: u64,
    ) {
        self.account(appid).grant(openid, template_id, choice, count);
        self.changed();
    }

    pub(in super::super) fn grants(&self, appid: &str, openid: &str) -> BTreeMap<String, Grant> {
        self.accounts.get(appid).map(|account| account.grants(openid)).unwrap_or_default()
    }

    pub(in super::super) fn expire_tokens(&mut self, appid: &str, kinds: TokenKinds, how: TokenEnd) {
        let now = self.clock.now();
        let World { accounts, tokens, .. } = self;
        if let Some(account) = accounts.get_mut(appid) {
            if kinds != TokenKinds::Stable {
                tokens.expire(&mut account.classic, how, now);
            }
            if kinds != TokenKinds::Classic {
                tokens.expire(&mut account.stable, how, now);
            }
        }
    }

    pub(in super::super) fn change_quota(&mut self, appid: &str, path: &str, change: QuotaChange) {
        let usage = self.account(appid).usage(path);
        put(&mut usage.daily_limit, change.daily_limit);
        put(&mut usage.minute_limit, change.minute_limit);
    }

    pub(in super::super) fn advance_clock(&mut self, by: Duration) {
        self.clock.advance(by);
    }
}
