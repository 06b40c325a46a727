//! What `configure()` and `registerTemplate()` have said in one PHP request. It ends with the request: the next one in
//! the same worker may belong to another shop.

use std::collections::HashMap;
use std::sync::Arc;

use crate::app::App;
use crate::config::{Settings, TokenMode};
use crate::error::Error;
use crate::language::{Language, plain_text};
use crate::message::Input;
use crate::registry::Registry;

/// More accounts than any application configures in one request.
const ACCOUNT_LIMIT: usize = 1000;

/// Accounts, settings and templates of one PHP request.
#[derive(Debug, Clone)]
pub struct Context {
    default: Arc<Settings>,
    others: HashMap<String, Arc<Settings>>,
    registries: HashMap<String, Arc<Registry>>,
}

impl Context {
    /// A fresh context over the settings of php.ini.
    pub fn new(settings: Arc<Settings>) -> Self {
        Self { default: settings, others: HashMap::new(), registries: HashMap::new() }
    }

    /// Changes settings. Without `appid` those of the default account; with another appid the default account changes too,
    /// and nothing that belonged to the former one is carried over.
    /// `supplied` says that the member `token` is a callable, which the edge keeps. Answers the appid that was configured.
    ///
    /// Whoever gives a token without saying where tokens come from means mode `external`.
    pub fn configure(&mut self, appid: Option<&str>, changes: &Input<'_>, supplied: bool) -> Result<String, Error> {
        let wanted = match changes.get("appid") {
            Some(Input::Text(bytes)) => Some(String::from_utf8_lossy(bytes).into_owned()),
            Some(Input::Int(number)) => Some(number.to_string()),
            _ => None,
        };
        if let (Some(own), Some(other)) = (appid, &wanted)
            && own != other
        {
            let other = plain_text(other);
            return Err(Error::config(
                format!("这个对象属于账号 {own}；其他账号请用 RoutineTemplate::app('{other}')"),
                format!("this object is the account {own}; use RoutineTemplate::app('{other}') for another"),
            ));
        }
        let base = match (appid, &wanted) {
            (Some(appid), _) => self.settings(appid)?,
            (None, Some(appid)) => self.settings(appid)?,
            (None, None) => self.default.clone(),
        };
        let gives_token = supplied || changes.get("token").is_some_and(|token| !is_blank(token));
        let mut settings = base.with(changes, supplied)?;
        if gives_token && changes.get("token_mode").is_none() {
            settings.token_mode = TokenMode::External;
        }
        let settings = Arc::new(settings);
        let configured = settings.appid.clone();
        if appid.is_some_and(|appid| appid != self.default.appid) {
            self.remember(settings)?;
        } else {
            let former = std::mem::replace(&mut self.default, settings);
            // Templates may have been registered before the account was named.
            if former.appid.is_empty()
                && let Some(early) = self.registries.remove("")
            {
                let registry = self.registries.entry(self.default.appid.clone()).or_default();
                Arc::make_mut(registry).absorb(&early);
            }
            if !former.appid.is_empty() && former.appid != self.default.appid {
                self.remember(former)?;
            }
        }
        Ok(configured)
    }

    /// The default account, or the one of this appid.
    pub fn app(&self, appid: Option<&str>) -> Result<App, Error> {
        let settings = match appid {
            None => self.default.clone(),
            Some(appid) => self.settings(appid)?,
        };
        let registry = self.registries.get(&settings.appid).cloned().unwrap_or_default();
        Ok(App::new(settings, registry))
    }

    /// The language of error texts.
    pub fn language(&self) -> Language {
        self.default.hint_lang
    }

    /// Names a template of an account, and its fields if `content` is given.
    pub fn register_template(
        &mut self,
        appid: Option<&str>,
        key: &str,
        template_id: &str,
        content: Option<&str>,
    ) -> Result<(), Error> {
        let appid = appid.unwrap_or(&self.default.appid).to_owned();
        Arc::make_mut(self.registries.entry(appid).or_default()).register(key, template_id, content)
    }

    fn settings(&self, appid: &str) -> Result<Arc<Settings>, Error> {
        if appid == self.default.appid {
            return Ok(self.default.clone());
        }
        match self.others.get(appid) {
            Some(settings) => Ok(settings.clone()),
            None if self.default.appid.is_empty() => {
                // The first account of a request may have its secret in php.ini already.
                let pair = Input::Map(vec![(b"appid"[..].into(), Input::text(appid.to_owned()))]);
                Ok(Arc::new(self.default.with(&pair, false)?))
            }
            None => Ok(Arc::new(self.default.for_account(appid)?)),
        }
    }

    fn remember(&mut self, settings: Arc<Settings>) -> Result<(), Error> {
        if self.others.len() >= ACCOUNT_LIMIT && !self.others.contains_key(&settings.appid) {
            return Err(Error::config(
                format!("一次请求内的账号超过 {ACCOUNT_LIMIT} 个"),
                format!("more than {ACCOUNT_LIMIT} accounts in one request"),
            ));
        }
        self.others.insert(settings.appid.clone(), settings);
        Ok(())
    }
}

fn is_blank(value: &Input<'_>) -> bool {
    match value {
        Input::Text(bytes) => bytes.is_empty(),
        other => *other == Input::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&'static str, &'static str)]) -> Input<'static> {
        Input::Map(pairs.iter().map(|(name, value)| (name.as_bytes().into(), Input::text(*value))).collect())
    }

    fn context() -> Context {
        Context::new(Arc::new(Settings::from_pairs([]).unwrap()))
    }

    #[test]
    fn a_second_account_takes_over_nothing_of_the_first() {
        let mut context = context();
        context.configure(None, &pairs(&[("appid", "wx1"), ("secret", "s1"), ("timeout_ms", "700")]), false).unwrap();
        context.configure(None, &pairs(&[("appid", "wx2")]), false).unwrap();
        let second = context.app(None).unwrap();
        assert_eq!(second.settings().appid, "wx2");
        assert!(second.settings().secret.is_empty());
        assert_eq!(second.settings().timeout.as_millis(), 700);
        assert_eq!(context.app(Some("wx1")).unwrap().settings().secret.reveal(), "s1");
    }

    #[test]
    fn each_account_is_configured_through_its_own_object() {
        let mut context = context();
        context.configure(None, &pairs(&[("appid", "wx1"), ("secret", "s1")]), false).unwrap();
        context.configure(Some("wx2"), &pairs(&[("secret", "s2")]), false).unwrap();
        assert_eq!(context.app(None).unwrap().settings().appid, "wx1");
        assert_eq!(context.app(Some("wx2")).unwrap().settings().secret.reveal(), "s2");
        assert!(context.configure(Some("wx2"), &pairs(&[("appid", "wx3")]), false).is_err());
    }

    #[test]
    fn templates_belong_to_one_account() {
        let mut context = context();
        context.configure(None, &pairs(&[("appid", "wx1"), ("secret", "s1")]), false).unwrap();
        context.register_template(None, "ORDER_PAY_SUCCESS", "tpl1", None).unwrap();
        context.register_template(Some("wx2"), "ORDER_PAY_SUCCESS", "tpl2", None).unwrap();
        assert_eq!(context.app(None).unwrap().template_id("ORDER_PAY_SUCCESS"), Some("tpl1"));
        assert_eq!(context.app(Some("wx2")).unwrap().template_id("ORDER_PAY_SUCCESS"), Some("tpl2"));
        assert_eq!(context.app(Some("wx3")).unwrap().template_id("ORDER_PAY_SUCCESS"), None);
    }

    #[test]
    fn templates_that_were_registered_before_the_account_was_named_belong_to_it() {
        let mut context = context();
        context.register_template(None, "ORDER_PAY_SUCCESS", "tpl1", None).unwrap();
        context.configure(None, &pairs(&[("appid", "wx1"), ("secret", "s1")]), false).unwrap();
        assert_eq!(context.app(None).unwrap().template_id("ORDER_PAY_SUCCESS"), Some("tpl1"));
        context.configure(None, &pairs(&[("appid", "wx2")]), false).unwrap();
        assert_eq!(context.app(None).unwrap().template_id("ORDER_PAY_SUCCESS"), None);
    }

    #[test]
    fn a_token_from_the_application_means_mode_external_unless_another_is_named() {
        let mut context = context();
        context.configure(None, &pairs(&[("appid", "wx1"), ("token", "t1")]), false).unwrap();
        assert_eq!(context.app(None).unwrap().settings().token_mode, TokenMode::External);
        context.configure(None, &pairs(&[("token", "t1"), ("token_mode", "stable")]), false).unwrap();
        assert_eq!(context.app(None).unwrap().settings().token_mode, TokenMode::Stable);
        assert_eq!(context.configure(Some("wx2"), &pairs(&[("token", "")]), true).unwrap(), "wx2");
        assert_eq!(context.app(Some("wx2")).unwrap().settings().token_mode, TokenMode::External);
    }

    #[test]
    fn a_refused_change_changes_nothing() {
        let mut context = context();
        context.configure(None, &pairs(&[("appid", "wx1"), ("secret", "s1")]), false).unwrap();
        assert!(context.configure(None, &pairs(&[("appid", "wx2"), ("lang", "xx")]), false).is_err());
        assert_eq!(context.app(None).unwrap().settings().appid, "wx1");
    }
}
