//! Everything that the sandbox knows, and the way from a call to its answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::{Semaphore, watch};

use super::account::{Account, AccountKind, Choice};
use super::clock::{Clock, Millis, Random};
use super::counters::{Connections, Counters, Ledger, TokenCounters};
use super::endpoint::{Answer, Call, Outcome, Reply};
use super::fault::Faults;
use super::journal::{Journal, Message, MessageFilter};
use super::push::{Lanes, PushSettings, Pushes, Sender};
use super::random_faults::RandomFaults;
use super::refusal::Refusal;
use super::refused_calls::{self, Refusals, Refused};
use super::template::{CRMEB, Template};
use super::token::Tokens;
use super::{
    DEMO_APPID, DEMO_OFFICIAL_APPID, DEMO_OFFICIAL_OPENID, DEMO_OFFICIAL_SECRET, DEMO_OPENID, DEMO_SECRET, Options,
};

/// Pages that may watch at the same time.
const LISTENERS: usize = 16;
/// msgids start here: like WeChat's, beyond what a double holds exactly.
const FIRST_MSGID: u64 = 3_248_682_510_344_192_008;

/// How the server behaves towards its connections.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// Milliseconds between processing and answer, on every endpoint.
    pub latency_ms: u64,
    /// A connection that is idle for so many milliseconds is closed; `None` for never.
    pub idle_close_ms: Option<u64>,
    /// Milliseconds between TCP accept and TLS handshake.
    pub tls_accept_delay_ms: u64,
    /// Every connection is closed after one answer, without `Connection: close` having announced it.
    pub close_after_answer: bool,
}

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) world: Mutex<World>,
    pub(super) settings: watch::Sender<Settings>,
    pub(super) http: AtomicU64,
    pub(super) https: AtomicU64,
    pub(super) open: AtomicU64,
    pub(super) numbered: AtomicU64,
    pub(super) sender: Sender,
    /// A place for every open `/__admin/events`.
    pub(super) listeners: Arc<Semaphore>,
}

/// The state behind the one lock; no await happens under it.
#[derive(Debug)]
pub(super) struct World {
    pub(super) clock: Clock,
    pub(super) random: Random,
    pub(super) accounts: BTreeMap<Arc<str>, Account>,
    pub(super) tokens: Tokens,
    pub(super) faults: Faults,
    pub(super) ledger: Ledger,
    pub(super) journal: Journal,
    pub(super) refused: Refusals,
    pub(super) pushes: Pushes,
    /// Another one after every reset.
    pub(super) generation: u64,
    /// Rings whenever the page would show something new.
    pub(super) news: watch::Sender<()>,
    /// The endpoint that the account of this appid has from the start.
    start_push: Option<(String, PushSettings)>,
    /// The chances that faults have from the start.
    start_faults: Option<RandomFaults>,
    msgid: u64,
}

impl Shared {
    /// The second part is for the tasks that send pushes.
    pub(super) fn new(options: &Options) -> (Shared, Lanes) {
        let (pushes, lanes) = Pushes::new();
        let shared = Shared {
            world: Mutex::new(World::new(options, pushes)),
            settings: watch::Sender::new(Settings::default()),
            http: AtomicU64::new(0),
            https: AtomicU64::new(0),
            open: AtomicU64::new(0),
            numbered: AtomicU64::new(0),
            sender: Sender::new(options.allow_remote),
            listeners: Arc::new(Semaphore::new(LISTENERS)),
        };
        (shared, lanes)
    }

    /// Back to the start state; connections stay open.
    pub(super) fn reset(&self) {
        self.world.lock().reset();
        self.settings.send_replace(Settings::default());
        self.http.store(0, Ordering::Relaxed);
        self.https.store(0, Ordering::Relaxed);
    }

    pub(super) fn counters(&self) -> Counters {
        let connections = Connections {
            http: self.http.load(Ordering::Relaxed),
            https: self.https.load(Ordering::Relaxed),
            open: self.open.load(Ordering::Relaxed),
        };
        Counters { connections, ..self.world.lock().counters() }
    }

    /// Processes a call under the lock.
    pub(super) fn answer(self: &Arc<Self>, endpoint: fn(&mut World, &Call) -> Outcome, call: &Call) -> Reply {
        let mut world = self.world.lock();
        let outcome = endpoint(&mut world, call);
        world.reply(outcome, call, self)
    }
}

impl World {
    fn new(options: &Options, pushes: Pushes) -> World {
        let mut world = World {
            clock: Clock::default(),
            random: Random::new(),
            accounts: BTreeMap::new(),
            tokens: Tokens::default(),
            faults: Faults::default(),
            ledger: Ledger::default(),
            journal: Journal::new(options.message_cap),
            refused: Refusals::default(),
            pushes,
            generation: 0,
            news: watch::Sender::new(()),
            start_push: options.push.clone(),
            start_faults: options.faults.clone(),
            msgid: FIRST_MSGID,
        };
        world.generation = world.random.next();
        world.start();
        world
    }

    fn reset(&mut self) {
        self.clock = Clock::default();
        self.accounts.clear();
        self.tokens = Tokens::default();
        self.faults = Faults::default();
        self.ledger = Ledger::default();
        self.journal.clear();
        self.refused = Refusals::default();
        self.pushes.clear();
        self.generation = self.random.next();
        self.start();
        self.changed();
    }

    fn start(&mut self) {
        if let Some(table) = self.start_faults.clone() {
            self.faults.set_random(table);
        }
        let shop = self.account(DEMO_APPID);
        DEMO_SECRET.clone_into(&mut shop.secret);
        for (id, title, content) in CRMEB {
            shop.put_template(Template::new(id, title, content, 2, Vec::new()));
            shop.grant(DEMO_OPENID, id, Choice::Accept, 3);
        }
        let official = self.account(DEMO_OFFICIAL_APPID);
        official.kind = AccountKind::Official;
        DEMO_OFFICIAL_SECRET.clone_into(&mut official.secret);
        let (id, content) = super::DEMO_OFFICIAL_TEMPLATE;
        let values = vec![("const4".to_owned(), ["待发货", "已发货", "已完成"].map(str::to_owned).to_vec())];
        official.put_template(Template::new(id, "订单状态通知", content, 2, values));
        official.grant(DEMO_OFFICIAL_OPENID, id, Choice::Accept, 3);
        if let Some((appid, settings)) = self.start_push.clone() {
            self.account(&appid).push = Some(settings);
        }
    }

    /// Tells those who watch that there is something new.
    pub(super) fn changed(&self) {
        if self.news.receiver_count() > 0 {
            self.news.send_replace(());
        }
    }

    /// The accepted messages that the filter takes, with what their notifications show.
    pub(super) fn messages(&self, filter: &MessageFilter) -> Vec<Message> {
        self.journal.read(filter, |appid, template_id| self.accounts.get(appid)?.template(template_id))
    }

    /// The account with this appid; made if there is none.
    pub(super) fn account(&mut self, appid: &str) -> &mut Account {
        let appid: Arc<str> = appid.into();
        self.accounts.entry(Arc::clone(&appid)).or_insert_with(|| Account::new(&appid))
    }

    pub(super) fn next_msgid(&mut self) -> u64 {
        self.msgid += 1;
        self.msgid
    }

    fn counters(&self) -> Counters {
        let tokens = self.accounts.iter().map(|(appid, account)| {
            let counters = TokenCounters {
                classic_fetches: account.classic.fetches,
                stable_fetches: account.stable.fetches,
                stable_issued: account.stable.issued,
                classic_issued: account.classic.issued,
            };
            (appid.to_string(), counters)
        });
        Counters {
            tokens: tokens.collect(),
            messages: self.journal.total(),
            faults_pending: self.faults.pending(),
            faults_met: self.faults.met(),
            ..self.ledger.read()
        }
    }

    /// Turns an outcome into the answer that goes out, and counts it.
    pub(super) fn reply(&mut self, outcome: Outcome, call: &Call, shared: &Arc<Shared>) -> Reply {
        match outcome {
            Ok(Answer { body, appid, occupies }) => {
                self.ledger.answer(0);
                let busy = occupies.zip(appid).and_then(|(openid, appid)| self.occupy(shared, appid, openid));
                Reply::new(body, busy)
            }
            Err(refusal) => Reply::new(self.refuse(refusal, call), None),
        }
    }

    /// Writes a refusal with a new rid, and remembers it.
    pub(super) fn refuse(&mut self, refusal: Refusal, call: &Call) -> String {
        self.ledger.answer(refusal.errcode);
        let now = self.clock.now();
        let rid = self.random.rid(now);
        let told =
            Told { errcode: refusal.errcode, errmsg: format!("{} rid: {rid}", refusal.errmsg), field: refusal.field };
        let mut answer = json!({"errcode": told.errcode, "errmsg": told.errmsg});
        if let (Some((key, value)), Some(members)) = (refusal.extra.map(|extra| *extra), answer.as_object_mut()) {
            members.insert(key.to_owned(), value);
        }
        let answer = answer.to_string();
        self.remember(rid, &answer, call, now, told);
        answer
    }

    fn remember(&mut self, rid: String, answer: &str, call: &Call, now: Millis, told: Told) {
        let appid = call.access_token().and_then(|token| self.tokens.check(Some(&token), now).ok());
        let request = json!({
            "invoke_time": now / 1000,
            "cost_in_ms": 1,
            // As it came, token and all: nothing says that WeChat hides it.
            "request_url": format!("https://api.weixin.qq.com{}", call.uri),
            // The beginning is enough to recognise a request; a thousand whole bodies are too much to keep.
            "request_body": String::from_utf8_lossy(call.body.get(..2048).unwrap_or(&call.body)),
            "response_body": answer,
            "client_ip": call.peer.to_string(),
        });
        let account = appid.as_ref().and_then(|appid| self.accounts.get(appid));
        let refused = Refused {
            time: now,
            appid: appid.as_deref().map(str::to_owned),
            errcode: told.errcode,
            errmsg: told.errmsg,
            ..Refused::of(call, account, told.field)
        };
        self.refused.push(refused_calls::Entry { rid, appid, request, refused });
        self.changed();
    }

    fn occupy(&mut self, shared: &Arc<Shared>, appid: Arc<str>, openid: String) -> Option<Busy> {
        let account = self.accounts.get_mut(&appid)?;
        account.busy.insert(openid.clone());
        Some(Busy { shared: Arc::clone(shared), appid, openid })
    }
}

/// A refusal as it was answered.
struct Told {
    errcode: i64,
    errmsg: String,
    field: Option<String>,
}

/// Keeps an openid occupied (43108) while the answer to a send is still under way.
#[derive(Debug)]
pub(super) struct Busy {
    shared: Arc<Shared>,
    appid: Arc<str>,
    openid: String,
}

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(account) = self.shared.world.lock().accounts.get_mut(&self.appid) {
            account.busy.remove(&self.openid);
        }
    }
}
