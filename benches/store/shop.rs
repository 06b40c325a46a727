//! A shop whose users have accepted its templates, and what it does.

use std::time::{Duration, Instant};

use routine_template::config::GrantPolicy;
use routine_template::message::Channel;
use routine_template::store::*;

use crate::copies::{self, Copies};
use crate::place::Place;

/// As many templates as a mini program may have.
pub const TEMPLATES: usize = 50;
pub const DAY: u32 = 20_261_121;

pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

pub fn template(number: usize) -> String {
    format!("template-{number:034}")
}

/// Scattered, as openids are; the same as [`openid_of`].
pub fn openid(number: usize) -> String {
    format!("o{:027}", (number as u64 * 2_654_435_761) % (1 << 32))
}

pub fn appid(rows: usize) -> String {
    format!("wx{rows}")
}

pub fn users(rows: usize) -> usize {
    rows.div_ceil(TEMPLATES)
}

/// Each user has accepted each template, and as many messages were delivered.
pub fn fill(store: &dyn Store, place: &Place, rows: usize) {
    match place.directory() {
        None => (0..users(rows)).for_each(|user| accept(store, rows, user)),
        Some(directory) => {
            accept(store, rows, 0);
            Sender::new(rows, 0).send(store, false);
            let ledger = Copies {
                table: "ledger",
                model: "TRUE",
                own: &[
                    ("template", &format!("(SELECT min(id) FROM template) + n % {TEMPLATES}")),
                    ("openid", &openid_of(&format!("(n / {TEMPLATES} + 1)"))),
                ],
            };
            let deliveries = Copies {
                table: "delivery",
                model: "TRUE",
                own: &[
                    ("id", copies::ID),
                    ("call", copies::ID),
                    ("openid", &openid_of(&format!("(n % {})", users(rows)))),
                    ("key", "CASE WHEN n % 2 THEN 'order ' || n END"),
                ],
            };
            copies::add(directory, rows.saturating_sub(TEMPLATES), &[ledger, deliveries]);
        }
    }
}

/// [`openid`] of a number, in SQL.
pub fn openid_of(number: &str) -> String {
    format!("printf('o%027d', {number} * 2654435761 % 4294967296)")
}

fn accept(store: &dyn Store, rows: usize, user: usize) {
    let templates: Vec<String> = (0..TEMPLATES).map(template).collect();
    let choices: Vec<(&str, Choice)> = templates.iter().map(|template| (template.as_str(), Choice::Accept)).collect();
    let report = GrantReport {
        appid: &appid(rows),
        openid: &openid(user),
        choices: &choices,
        long_term: false,
        source: Source::Client,
        at: None,
        token: &format!("fill-{user}"),
        remember: Duration::from_secs(60),
    };
    store.record_grants(&report, soon()).unwrap();
}

/// Sends: reserve, then give back, so that the ledger stays as it is.
pub struct Sender {
    owner: Owner,
    appid: String,
    users: usize,
    templates: Vec<String>,
    openids: Vec<String>,
    count: usize,
}

impl Sender {
    pub fn new(rows: usize, seed: usize) -> Self {
        let users = users(rows);
        // Enough different users that pages of the ledger are seldom met again; made beforehand, not while measuring.
        let openids = (0..4096).map(|number| openid((number * 7919 + seed * 104_729) % users)).collect();
        let templates = (0..TEMPLATES).map(template).collect();
        Self { owner: Owner::current(), appid: appid(rows), users, templates, openids, count: seed }
    }

    pub fn send(&mut self, store: &dyn Store, keyed: bool) {
        self.count += 1;
        let id = MessageId::new();
        let key = keyed.then(|| id.to_string());
        let openid = &self.openids[self.count % self.openids.len()];
        let begin = Begin {
            id,
            owner: &self.owner,
            lease: Duration::from_secs(10),
            appid: &self.appid,
            openid,
            shown_openid: openid,
            template_id: &self.templates[self.count % TEMPLATES],
            channel: Channel::Subscribe,
            key: key.as_deref(),
            policy: GrantPolicy::Certain,
            changed: None,
            payload: None,
            retention: Duration::from_secs(86_400),
            abandoned: None,
            queued: false,
        };
        let Begun::Go { epoch, grant, .. } = store.begin(&begin, soon()).unwrap() else { panic!("not let go") };
        let end = End {
            state: State::Refused,
            last_word: true,
            settlement: Settlement::GivenBack,
            grant,
            errcode: Some(47003),
            from_wechat: true,
            errmsg: "argument invalid!",
            msgid: None,
            rid: Some("5fae3c30-0c6cbc5a-1fd6ed6c"),
            attempts: 1,
            api: Channel::Subscribe.path(),
            day: DAY,
            pause: None,
            again: None,
        };
        store.finish(&begin, epoch, &end, soon()).unwrap();
    }

    pub fn look_up(&mut self, store: &dyn Store) -> usize {
        self.count += 1;
        let openid = openid(self.count % self.users);
        store.grants(&self.appid, &openid, None, soon()).unwrap().len()
    }

    pub fn page(&mut self, store: &dyn Store) -> usize {
        self.count += 1;
        let template = &self.templates[self.count % TEMPLATES];
        store.audience(&self.appid, template, None, 1000, soon()).unwrap().users.len()
    }
}
