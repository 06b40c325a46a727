//! One WeChat account: everything that an application can ask of it. Each file here is one subject.

mod account;
mod api_path;

mod admission;
mod bulk;
mod clear_quota;
mod close;
mod count;
mod deliver;
#[cfg(feature = "cli")]
mod diagnosis;
mod failure;
pub(crate) mod fuzzing;
mod ledger;
mod official;
mod post;
mod prepare;
mod push;
mod queue;
mod quota;
mod records;
mod request_templates;
mod rid;
mod send;
mod sync_templates;
mod template_list;
mod templates;

pub use bulk::{BulkOptions, Caller, Ended, Summary};
pub use deliver::{DeliveryContext, Finding, Hold, Tried};
#[cfg(feature = "cli")]
pub use diagnosis::TokenFound;
pub use official::OneTime;

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use self::prepare::Prepared;
use crate::answer::Answer;
use crate::config::{Secret, Settings, StorePlace};
use crate::error::Error;
use crate::field::{self, Mode, Violation};
use crate::message::{Channel, Input, Message};
use crate::network::deadline::Deadline;
use crate::options::Options;
use crate::process::Process;
use crate::registry::Registry;
use crate::store::handle::{Condition, Outage, StoreHandle};
use crate::store::{Store, StoreError};
use crate::wechat::route::{self, Route, RouteKey};

/// What supplies the token where the application keeps it (`token_mode` external). It may run the application's code, so it
/// is asked before a message is under way, or after WeChat has refused the token that the message went out with.
pub trait TokenSupplier {
    /// The token now; `refresh` after WeChat refused the one before.
    fn token(&self, refresh: bool) -> Result<Secret, Error>;
}

/// The token that an application's callable has returned, if it is one.
pub fn supplied(returned: Option<&str>) -> Result<Secret, Error> {
    match returned.map(str::trim) {
        Some(token) if !token.is_empty() && token.len() <= 4096 && !token.contains(char::is_control) => {
            Ok(Secret::new(token.to_owned()))
        }
        _ => Err(Error::config(
            "设置 token：函数应返回 access_token 字符串，返回的是空值或其他类型",
            "setting token: the callable must return the access_token as a string; it returned nothing or something else",
        )),
    }
}

/// One account with its settings and templates, as the present PHP request knows them.
#[derive(Clone)]
pub struct App {
    settings: Arc<Settings>,
    registry: Arc<Registry>,
    supplier: Option<Rc<dyn TokenSupplier>>,
}

impl fmt::Debug for App {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("App").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl App {
    /// An account.
    pub fn new(settings: Arc<Settings>, registry: Arc<Registry>) -> Self {
        Self { settings, registry, supplier: None }
    }

    /// The same, with its token from the application instead of the setting `token`.
    pub fn with_supplier(self, supplier: Rc<dyn TokenSupplier>) -> Self {
        Self { supplier: Some(supplier), ..self }
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
        let known = self.known_templates();
        field::check(data, self.fields_of(known.as_deref(), template_id), Mode::Strict, channel).violations
    }

    /// Sends one message now.
    pub fn send(&self, message: &Message<'_>) -> Result<Answer, Error> {
        self.require_account()?;
        let mut process = Process::current()?;
        process.stats.sends.increment();
        let result = self.walk(&mut process, message);
        process.stats.outcome(&result);
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

    /// Where this account's store is and how it does, in this process.
    pub fn store_condition(&self) -> Condition {
        match (&self.settings.store, Process::existing()) {
            (StorePlace::Off, _) => Condition { state: "off", ..Condition::default() },
            (_, Some(process)) => process.connections().store(&self.settings).condition(),
            (_, None) => Condition { state: "unused", ..Condition::default() },
        }
    }

    /// Which of WeChat's hosts is used, and whether any is.
    pub fn route_condition(&self) -> route::Condition {
        let Some(process) = Process::existing() else {
            return Route::new(RouteKey::of(&self.settings)).condition();
        };
        let route = process.route(&self.settings);
        route.read(
            &process.connections().store(&self.settings),
            &process.stats,
            Deadline::after(self.settings.timeout),
        );
        route.condition()
    }

    fn require_account(&self) -> Result<(), Error> {
        self.settings.require_account(self.supplier.is_some())
    }

    /// One transaction for a call that is about nothing but the store.
    fn stored<T>(
        &self,
        transaction: impl FnOnce(&dyn Store, std::time::Instant) -> Result<T, StoreError>,
    ) -> Result<T, Error> {
        self.stored_by(Deadline::after(self.settings.timeout), transaction)
    }

    /// The same for a call of several transactions, which have one deadline.
    fn stored_by<T>(
        &self,
        deadline: Deadline,
        transaction: impl FnOnce(&dyn Store, std::time::Instant) -> Result<T, StoreError>,
    ) -> Result<T, Error> {
        self.settings.require_appid()?;
        let process = Process::current()?;
        let store: Arc<StoreHandle> = process.connections().store(&self.settings);
        store.insist(deadline, &process.stats, transaction).map_err(|outage| match outage {
            Outage::Off => Error::config(
                "设置 store 为 off，没有可查询或写入的数据",
                "the setting store is off: there is nothing to ask or to write to",
            ),
            Outage::Failed(error) => failure::store(&error, store.condition().place.as_deref()),
        })
    }
}
