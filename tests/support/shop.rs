//! A shop at a fake WeChat of its own, with a store of its own.
#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{ReentrantMutex, ReentrantMutexGuard};
use routine_template::answer::Answer;
use routine_template::app::App;
use routine_template::config::Settings;
use routine_template::error::Error;
use routine_template::message::{Input, Message};
use routine_template::options::Options;
use routine_template::registry::Registry;
use routine_template::sandbox::{
    self, AccountChange, Choice, DEMO_APPID, DEMO_OPENID, DEMO_SECRET, DEMO_TEMPLATE, Fault, FaultKind, MessageFilter,
    Sandbox,
};

pub const SEND: &str = "/cgi-bin/message/subscribe/send";
pub const STABLE_TOKEN: &str = "/cgi-bin/stable_token";

// All threads of a process share its runtime. A PHP process has one thread, so tests that look at connections take turns.
static TURN: ReentrantMutex<()> = ReentrantMutex::new(());

/// For a test that has no shop.
pub fn turn() -> ReentrantMutexGuard<'static, ()> {
    TURN.lock()
}

pub struct Shop {
    _turn: ReentrantMutexGuard<'static, ()>,
    pub wechat: Sandbox,
    directory: tempfile::TempDir,
    pub ca_file: String,
}

impl Shop {
    pub fn open() -> Self {
        let turn = turn();
        let wechat = Sandbox::start(sandbox::Options::default()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let ca_file = directory.path().join("ca.pem");
        std::fs::write(&ca_file, wechat.ca_pem()).unwrap();
        let ca_file = ca_file.to_str().unwrap().to_owned();
        Self { _turn: turn, wechat, directory, ca_file }
    }

    /// A shop whose buyers have accepted without end.
    pub fn open_to_all() -> Self {
        let shop = Self::open();
        shop.wechat.account(DEMO_APPID, AccountChange { any_openid: Some(true), ..AccountChange::default() });
        shop
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn store(&self) -> PathBuf {
        self.path("store")
    }

    /// The settings of this shop, as child processes get them.
    pub fn settings(&self, changes: &[(&str, &str)]) -> Vec<(String, String)> {
        let base = [
            ("appid", DEMO_APPID.to_owned()),
            ("secret", DEMO_SECRET.to_owned()),
            ("base_url", self.wechat.https_url()),
            ("ca_file", self.ca_file.clone()),
            ("store", self.store().to_str().unwrap().to_owned()),
            ("hint_lang", "en".to_owned()),
        ];
        let own = base.into_iter().map(|(name, value)| (name.to_owned(), value));
        own.chain(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))).collect()
    }

    pub fn app(&self, changes: &[(&str, &str)]) -> App {
        self.app_with(changes, Registry::default())
    }

    pub fn app_with(&self, changes: &[(&str, &str)], registry: Registry) -> App {
        app_of(&self.settings(changes), registry)
    }

    pub fn fault(&self, path: &str, times: Option<u64>, kind: FaultKind) {
        self.wechat.fault(Fault { path: path.into(), times, kind });
    }

    pub fn requests(&self, path: &str) -> u64 {
        self.wechat.counters().requests.get(path).copied().unwrap_or(0)
    }

    pub fn delivered(&self) -> usize {
        self.wechat.messages(&MessageFilter::default()).len()
    }

    /// The buyer answers in the mini program, `count` times, and WeChat knows.
    pub fn buyer_accepts(&self, count: u64) {
        self.wechat.grant(DEMO_APPID, DEMO_OPENID, DEMO_TEMPLATE, Choice::Accept, count);
    }

    /// How many grants WeChat still has of the buyer.
    pub fn left_at_wechat(&self) -> u64 {
        self.wechat.grants(DEMO_APPID, DEMO_OPENID).get(DEMO_TEMPLATE).map_or(0, |grant| grant.available)
    }
}

pub fn app_of(settings: &[(String, String)], registry: Registry) -> App {
    let pairs = settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    App::new(Arc::new(Settings::from_pairs(pairs).unwrap()), Arc::new(registry))
}

pub fn map(members: &[(&'static str, &'static str)]) -> Input<'static> {
    Input::Map(members.iter().map(|(key, value)| (key.as_bytes().into(), Input::text(*value))).collect())
}

pub fn order() -> Input<'static> {
    map(&[("character_string1", "cp1"), ("amount2", "¥1.00"), ("time3", "2026-11-21 10:00"), ("thing4", "茶")])
}

pub fn message(data: Input<'static>) -> Message<'static> {
    Message {
        touser: DEMO_OPENID.into(),
        template_id: DEMO_TEMPLATE.into(),
        data,
        page: None,
        options: Options::default(),
    }
}

pub fn send(app: &App) -> Result<Answer, Error> {
    app.send(&message(order()))
}

pub fn send_with_key(app: &App, key: &str) -> Result<Answer, Error> {
    app.send(&Message { options: Options { key: Some(key.to_owned()), ..Options::default() }, ..message(order()) })
}

pub fn ambiguous(result: Result<Answer, Error>) -> bool {
    match result {
        Err(Error::Transport { ambiguous, .. }) => ambiguous,
        other => panic!("{other:?}"),
    }
}

pub fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
