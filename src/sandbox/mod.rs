//! A fake WeChat: the endpoints that this product calls, with WeChat's own semantics, strict where a client could be
//! wrong, and able to fail in every way that a network can.
//!
//! It judges the client, so it shares no code with it. Facts come from WeChat's documentation and from published
//! answers; case ids such as `wx-0000acc9` name community posts of developers.weixin.qq.com.
//!
//! Start: [`Sandbox::start`], or `routine-template sandbox`. The interface for tests, `/__admin`, is described in
//! `docs/sandbox.md`; what tests change and read most is a method of [`Sandbox`] as well.

mod account;
mod admin;
mod body;
mod clock;
pub mod command;
mod connection;
mod counters;
mod endpoint;
mod fault;
mod journal;
mod library;
mod page;
mod payload;
mod push;
mod random_faults;
mod refusal;
mod refused_calls;
mod rule;
mod server;
mod socket;
mod template;
mod tls;
mod token;
mod world;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

pub use account::{AccountKind, Choice, Grant};
pub use admin::{AccountChange, ChoiceError, Place, QuotaChange, SettingsChange, TemplateChange, TokenKinds};
pub use counters::{Answers, Connections, Counters, LastRequest, TokenCounters};
pub use fault::{Fault, FaultKind};
pub use journal::{Message, MessageFilter, ShownField};
pub use push::{
    Answered, Oddities, PushEvent, PushFormat, PushMode, PushRecord, PushSettings, PushSettingsError, PushState,
};
pub use random_faults::{FaultChance, RandomFaults, RandomFaultsError};
pub use refused_calls::Refused;
pub use token::TokenEnd;
pub use world::Settings;

use server::Server;
use world::Shared;

/// The mini program of the start state.
pub const DEMO_APPID: &str = "wxc0ffee0123456789";
/// Its AppSecret.
pub const DEMO_SECRET: &str = "0123456789abcdef0123456789abcdef";
/// Its user, who has three accepted grants for every template.
pub const DEMO_OPENID: &str = "oDemoBuyer0000000000000000001";
/// Its order-paid template: character_string1, amount2, time3, thing4.
pub const DEMO_TEMPLATE: &str = "0rdErPaid0000000000000000000000000000000001";
/// The official account (服务号) of the start state.
pub const DEMO_OFFICIAL_APPID: &str = "wxc0ffee0000000000";
/// Its AppSecret.
pub const DEMO_OFFICIAL_SECRET: &str = "fedcba9876543210fedcba9876543210";
/// Its follower, who has three accepted grants.
pub const DEMO_OFFICIAL_OPENID: &str = "oDemoFollower0000000000000001";
/// Id and content of its template; `const4` may be 待发货, 已发货 or 已完成.
pub const DEMO_OFFICIAL_TEMPLATE: (&str, &str) = (
    "0ff1cia10rder000000000000000000000000000001",
    "订单编号{{character_string1.DATA}}\n商品名称{{thing2.DATA}}\n支付金额{{amount3.DATA}}\n订单状态{{const4.DATA}}\n\
     下单时间{{time5.DATA}}",
);

/// How to start a sandbox.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen for plain HTTP; port 0 takes a free one.
    pub http: SocketAddr,
    /// Where to listen for HTTPS.
    pub https: SocketAddr,
    /// Permits addresses that are not loopback.
    pub allow_remote: bool,
    /// The certificate is for this name alone instead of localhost, 127.0.0.1 and ::1.
    pub tls_host: Option<String>,
    /// The certificate ended years ago.
    pub tls_expired: bool,
    /// Threads that serve; with 1, everything runs on one thread.
    pub threads: usize,
    /// Accepted messages that are kept; older ones are dropped, but stay counted.
    pub message_cap: usize,
    /// The endpoint that the account of this appid has from the start, after a reset as well.
    pub push: Option<(String, PushSettings)>,
    /// Faults that requests meet by chance from the start, after a reset as well.
    pub faults: Option<RandomFaults>,
}

impl Default for Options {
    fn default() -> Options {
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        Options {
            http: address,
            https: address,
            allow_remote: false,
            tls_host: None,
            tls_expired: false,
            threads: 1,
            message_cap: 200_000,
            push: None,
            faults: None,
        }
    }
}

/// Why a sandbox does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is open to others and `allow_remote` is not set.
    #[error("{0} is not a loopback address; --allow-remote permits it")]
    NotLoopback(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address as given.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// No certificate could be made.
    #[error("cannot make the certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The certificate could not be put to use.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// The address for pushes cannot be used.
    #[error("{0}")]
    Push(#[from] PushSettingsError),
    /// The chances of faults cannot be used.
    #[error("--faults: {0}")]
    Faults(String),
    /// Threads, signals or files failed.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// A running fake WeChat; dropping it stops it at once.
#[derive(Debug)]
pub struct Sandbox {
    shared: Arc<Shared>,
    http: SocketAddr,
    https: SocketAddr,
    ca_pem: String,
    _server: Server,
}

impl Sandbox {
    /// Starts it on threads of its own; it listens when this returns.
    pub fn start(options: Options) -> Result<Sandbox, StartError> {
        let identity = tls::identity(options.tls_host.as_deref(), options.tls_expired)?;
        if let Some((_, settings)) = &options.push {
            settings.require_loopback(options.allow_remote)?;
        }
        let (shared, lanes) = Shared::new(&options);
        let shared = Arc::new(shared);
        let (server, http, https) = Server::start(&options, Arc::clone(&shared), lanes, identity.server)?;
        Ok(Sandbox { shared, http, https, ca_pem: identity.ca_pem, _server: server })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn http_url(&self) -> String {
        format!("http://{}", self.http)
    }

    /// `https://127.0.0.1:PORT`.
    pub fn https_url(&self) -> String {
        format!("https://{}", self.https)
    }

    /// The certificate of the CA that signed the server's, in PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Back to the start state; open connections stay open.
    pub fn reset(&self) {
        self.shared.reset();
    }

    /// Creates or changes an account.
    pub fn account(&self, appid: &str, change: AccountChange) {
        self.shared.world.lock().change_account(appid, change);
    }

    /// Adds or replaces a private template.
    pub fn template(&self, appid: &str, template: TemplateChange) {
        self.shared.world.lock().put_template(appid, template);
    }

    /// Makes an openid known.
    pub fn user(&self, appid: &str, openid: &str) {
        self.shared.world.lock().put_user(appid, openid);
    }

    /// Records what a user answered, `count` times; makes the openid known.
    pub fn grant(&self, appid: &str, openid: &str, template_id: &str, choice: Choice, count: u64) {
        self.shared.world.lock().put_grant(appid, openid, template_id, choice, count);
    }

    /// What a user has left, by template id.
    pub fn grants(&self, appid: &str, openid: &str) -> BTreeMap<String, Grant> {
        self.shared.world.lock().grants(appid, openid)
    }

    /// Queues a fault.
    pub fn fault(&self, fault: Fault) {
        self.shared.world.lock().faults.push(fault);
    }

    /// Lets requests meet faults by chance, in place of the chances before.
    pub fn random_faults(&self, table: RandomFaults) {
        self.shared.world.lock().faults.set_random(table);
    }

    /// Forgets all faults, those by chance as well.
    pub fn clear_faults(&self) {
        self.shared.world.lock().faults.clear();
    }

    /// Changes how connections are treated.
    pub fn settings(&self, change: SettingsChange) {
        self.shared.settings.send_modify(|settings| change.apply(settings));
    }

    /// Ends the tokens that are good now.
    pub fn expire_tokens(&self, appid: &str, kinds: TokenKinds, how: TokenEnd) {
        self.shared.world.lock().expire_tokens(appid, kinds, how);
    }

    /// Limits an API of an account.
    pub fn quota(&self, appid: &str, path: &str, change: QuotaChange) {
        self.shared.world.lock().change_quota(appid, path, change);
    }

    /// Puts WeChat's clock forward: tokens age, quotas renew.
    pub fn advance_clock(&self, by: Duration) {
        self.shared.world.lock().advance_clock(by);
    }

    /// The accepted messages that are kept, in order.
    pub fn messages(&self, filter: &MessageFilter) -> Vec<Message> {
        self.shared.world.lock().messages(filter)
    }

    /// The newest refused calls.
    pub fn refused(&self) -> Vec<Refused> {
        self.shared.world.lock().refused.read(None, 0, usize::MAX)
    }

    /// Lets a buyer answer a popup or change the settings, and pushes what WeChat would push.
    pub fn choose(
        &self,
        appid: &str,
        openid: &str,
        wishes: Vec<Answered>,
        place: Place,
    ) -> Result<Vec<Answered>, ChoiceError> {
        self.shared.world.lock().choose(appid, openid, wishes, place)
    }

    /// Forgets the choices that a buyer has kept, as when the mini program is deleted from the phone.
    pub fn forget_kept(&self, appid: &str, openid: &str) {
        self.shared.world.lock().forget_kept(appid, openid);
    }

    /// Queues an event of an account that has push settings; what becomes of it stands in [`Sandbox::pushes`].
    pub fn push(&self, appid: &str, openid: &str, event: &PushEvent) {
        self.shared.world.lock().push_by_hand(appid, openid, event);
    }

    /// The newest pushes.
    pub fn pushes(&self) -> Vec<PushRecord> {
        self.shared.world.lock().pushes.read(None, 0, usize::MAX)
    }

    /// What was counted since the start state.
    pub fn counters(&self) -> Counters {
        self.shared.counters()
    }
}
