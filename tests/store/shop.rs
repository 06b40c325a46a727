//! A shop with two processes: whatever it does, the next thing it does through the other handle.

use std::cell::Cell;
use std::time::{Duration, Instant};

use routine_template::config::GrantPolicy;
use routine_template::message::Channel;
use routine_template::store::*;

use crate::engine::Engine;

pub const APP: &str = "wx0123456789abcdef";
pub const TEMPLATE: &str = "Q7kHqqmHgF0c5wGV2vzGDpFnO1lYzZ_9m3XcYtW8aBc";
pub const API: &str = "/cgi-bin/message/subscribe/send";
pub const DAY: u32 = 20_261_121;
/// A lease, or something to remember, that is over after [`Shop::wait`].
pub const SHORT: Duration = Duration::from_millis(15);
pub const HOUR: Duration = Duration::from_secs(3600);

/// When a call must have ended.
pub fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

/// Milliseconds since 1970.
pub fn now() -> Millis {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

/// A message, with everything that `begin` wants to know.
#[derive(Debug, Clone)]
pub struct Message {
    pub id: MessageId,
    pub owner: Owner,
    pub lease: Duration,
    pub appid: String,
    pub openid: String,
    pub shown_openid: Option<String>,
    pub template: String,
    pub channel: Channel,
    pub key: Option<String>,
    pub policy: GrantPolicy,
    pub changed: Option<String>,
    pub payload: Option<String>,
    pub retention: Duration,
    pub abandoned: Option<(MessageId, u32)>,
}

impl Message {
    pub fn to(openid: &str) -> Self {
        Self {
            id: MessageId::new(),
            owner: Owner::current(),
            lease: HOUR,
            appid: APP.to_owned(),
            openid: openid.to_owned(),
            shown_openid: None,
            template: TEMPLATE.to_owned(),
            channel: Channel::Subscribe,
            key: None,
            policy: GrantPolicy::Certain,
            changed: None,
            payload: None,
            retention: HOUR,
            abandoned: None,
        }
    }

    pub fn keyed(openid: &str, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..Self::to(openid) }
    }

    /// The same message as another call would send it.
    pub fn again(&self) -> Self {
        Self { id: MessageId::new(), ..self.clone() }
    }

    pub fn with_policy(self, policy: GrantPolicy) -> Self {
        Self { policy, ..self }
    }

    pub fn with_lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    pub fn begin(&self) -> Begin<'_> {
        Begin {
            id: self.id,
            owner: &self.owner,
            lease: self.lease,
            appid: &self.appid,
            openid: &self.openid,
            shown_openid: self.shown_openid.as_deref().unwrap_or(&self.openid),
            template_id: &self.template,
            channel: self.channel,
            key: self.key.as_deref(),
            policy: self.policy,
            changed: self.changed.as_deref(),
            payload: self.payload.as_deref(),
            retention: self.retention,
            abandoned: self.abandoned,
        }
    }
}

/// What [`Begun::Go`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Going {
    pub id: MessageId,
    pub epoch: u32,
    pub grant: Grant,
    pub seen: u64,
}

/// How a message ends, all of it but what `begin` said.
#[derive(Debug, Clone)]
pub struct Verdict {
    pub state: State,
    pub last_word: bool,
    pub settlement: fn(u64) -> Settlement,
    pub errcode: Option<i64>,
    pub errmsg: String,
    pub msgid: Option<String>,
    pub rid: Option<String>,
    pub attempts: u32,
    pub pause: Option<Pause>,
}

impl Verdict {
    fn of(state: State, last_word: bool, settlement: fn(u64) -> Settlement, errcode: Option<i64>) -> Self {
        let errmsg = errcode.map_or("timed out", |_| "as WeChat says").to_owned();
        Self { state, last_word, settlement, errcode, errmsg, msgid: None, rid: None, attempts: 1, pause: None }
    }

    pub fn delivered() -> Self {
        let msgid = Some("2817683374268366856".to_owned());
        Self { msgid, ..Self::of(State::Delivered, true, |_| Settlement::Spent, Some(0)) }
    }

    /// The payload is wrong.
    pub fn refused() -> Self {
        Self::of(State::Refused, true, |_| Settlement::GivenBack, Some(47003))
    }

    /// 43101.
    pub fn no_grant() -> Self {
        Self::of(State::Refused, true, |seen| Settlement::Zero { seen }, Some(43101))
    }

    pub fn not_sent() -> Self {
        Self::of(State::NotSent, false, |_| Settlement::GivenBack, None)
    }

    pub fn unknown() -> Self {
        Self::of(State::Unknown, true, |_| Settlement::Kept, None)
    }

    /// Called too often: another try later may well succeed.
    pub fn paused(until: Millis) -> Self {
        let pause = Some(Pause { errcode: 45009, until });
        Self { pause, ..Self::of(State::Refused, false, |_| Settlement::GivenBack, Some(45009)) }
    }

    /// With the API that carries `message`.
    pub fn end(&self, going: Going, message: &Message) -> End<'_> {
        End {
            state: self.state,
            last_word: self.last_word,
            settlement: (self.settlement)(going.seen),
            grant: going.grant,
            errcode: self.errcode,
            errmsg: &self.errmsg,
            msgid: self.msgid.as_deref(),
            rid: self.rid.as_deref(),
            attempts: self.attempts,
            api: message.channel.path(),
            day: DAY,
            pause: self.pause.clone(),
        }
    }
}

/// One place and its handles.
pub struct Shop {
    stores: Vec<Box<dyn Store>>,
    turn: Cell<usize>,
    // Last: the place outlives the handles.
    _engine: Box<dyn Engine>,
}

impl Shop {
    pub fn at(engine: Box<dyn Engine>) -> Self {
        Self { stores: vec![engine.open(), engine.open()], turn: Cell::new(0), _engine: engine }
    }

    pub fn store(&self) -> &dyn Store {
        self.turn.set((self.turn.get() + 1) % self.stores.len());
        self.stores[self.turn.get()].as_ref()
    }

    /// Until what was to last [`SHORT`] is over.
    pub fn wait(&self) {
        std::thread::sleep(3 * SHORT);
    }

    pub fn begin(&self, message: &Message) -> Begun {
        self.store().begin(&message.begin(), soon()).unwrap()
    }

    /// Begins what must go.
    #[track_caller]
    pub fn go(&self, message: &Message) -> Going {
        match self.begin(message) {
            Begun::Go { id, epoch, grant, seen } => Going { id, epoch, grant, seen },
            other => panic!("no Go: {other:?}"),
        }
    }

    /// Begins what must be known.
    #[track_caller]
    pub fn known(&self, message: &Message) -> Delivery {
        match self.begin(message) {
            Begun::Known(delivery) => delivery,
            other => panic!("not Known: {other:?}"),
        }
    }

    /// Begins what must be under way.
    #[track_caller]
    pub fn under_way(&self, message: &Message) -> (Delivery, String) {
        match self.begin(message) {
            Begun::UnderWay(delivery, owner) => (delivery, owner),
            other => panic!("not UnderWay: {other:?}"),
        }
    }

    pub fn finish(&self, message: &Message, going: Going, verdict: &Verdict) {
        self.store().finish(&message.begin(), going.epoch, &verdict.end(going, message), soon()).unwrap();
    }

    #[track_caller]
    pub fn send(&self, message: &Message, verdict: &Verdict) -> Going {
        let going = self.go(message);
        self.finish(message, going, verdict);
        going
    }

    /// Begins what the ledger must refuse, and says whether that is certain.
    #[track_caller]
    pub fn no_grant(&self, message: &Message) -> (MessageId, bool) {
        match self.begin(message) {
            Begun::NoGrant { id, certain } => (id, certain),
            other => panic!("no NoGrant: {other:?}"),
        }
    }

    pub fn refuse(&self, message: &Message, errcode: i64, errmsg: &str) -> MessageId {
        self.store().refuse(&message.begin(), &LocalRefusal { errcode, errmsg }, soon()).unwrap()
    }

    /// A report that was never made before.
    pub fn report(&self, openid: &str, choices: &[(&str, Choice)], long_term: bool) -> Recorded {
        self.report_once(openid, choices, long_term, &MessageId::new().to_string())
    }

    pub fn report_once(&self, openid: &str, choices: &[(&str, Choice)], long_term: bool, token: &str) -> Recorded {
        let report = GrantReport { appid: APP, openid, choices, long_term, token, remember: HOUR };
        self.store().record_grants(&report, soon()).unwrap()
    }

    /// One accept of the usual template.
    pub fn accept(&self, openid: &str) {
        self.report(openid, &[(TEMPLATE, Choice::Accept)], false);
    }

    /// Some accept by somebody, so that the template is reported.
    pub fn reported(&self) {
        self.accept("somebody else");
    }

    /// The user's row of the usual template.
    #[track_caller]
    pub fn row(&self, openid: &str) -> LedgerRow {
        self.row_of(APP, openid, TEMPLATE)
    }

    #[track_caller]
    pub fn row_of(&self, appid: &str, openid: &str, template: &str) -> LedgerRow {
        let rows = self.store().grants(appid, openid, Some(template), soon()).unwrap();
        assert!(rows.len() <= 1 && rows.iter().all(|(of, _)| of == template), "{rows:?}");
        let row = rows.into_iter().next().map(|(_, row)| row).unwrap_or_default();
        assert_eq!(row.available + row.delivered + row.reserved + row.lost, row.accepted, "the books: {row:?}");
        row
    }

    pub fn delivery(&self, id: MessageId) -> Option<Delivery> {
        self.store().delivery(APP, id, soon()).unwrap()
    }

    /// A row that must be there.
    #[track_caller]
    pub fn row_with(&self, id: MessageId) -> Delivery {
        self.delivery(id).expect("the row is missing")
    }

    pub fn deliveries(&self, filter: &Filter<'_>) -> Vec<Delivery> {
        self.store().deliveries(APP, filter, soon()).unwrap()
    }

    pub fn usage(&self, api: &str) -> Usage {
        self.store().usage(APP, api, DAY, soon()).unwrap()
    }

    /// An audience, page by page.
    pub fn audience(&self, appid: &str, template: &str, limit: usize) -> Vec<(String, u64)> {
        let mut users = Vec::new();
        let mut cursor = None;
        for _ in 0..10_000 {
            let page = self.store().audience(appid, template, cursor.as_deref(), limit, soon()).unwrap();
            assert!(page.users.len() <= limit, "{} of {limit}", page.users.len());
            users.extend(page.users);
            match page.cursor {
                Some(next) => cursor = Some(next),
                None => return users,
            }
        }
        panic!("the audience has no end");
    }
}

/// What a row of the ledger says, as far as it is counted.
pub fn counts(row: &LedgerRow) -> [(&'static str, u64); 5] {
    [
        ("accepted", row.accepted),
        ("available", row.available),
        ("reserved", row.reserved),
        ("delivered", row.delivered),
        ("lost", row.lost),
    ]
}

/// The same, from the numbers.
pub fn books(accepted: u64, available: u64, reserved: u64, delivered: u64, lost: u64) -> [(&'static str, u64); 5] {
    counts(&LedgerRow { accepted, available, reserved, delivered, lost, ..LedgerRow::default() })
}
