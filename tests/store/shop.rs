//! A shop with two processes: whatever it does, the next thing it does through the other handle.

use std::cell::Cell;
use std::time::{Duration, Instant};

use routine_template::store::*;

use crate::engine::Engine;
pub use crate::mail::{Going, Message, Verdict};

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

/// One place and its handles.
pub struct Shop {
    stores: Vec<Box<dyn Store>>,
    turn: Cell<usize>,
    // Last: the place outlives the handles.
    engine: Box<dyn Engine>,
}

impl Shop {
    pub fn at(engine: Box<dyn Engine>) -> Self {
        Self { stores: vec![engine.open(), engine.open()], turn: Cell::new(0), engine }
    }

    pub fn store(&self) -> &dyn Store {
        self.turn.set((self.turn.get() + 1) % self.stores.len());
        self.stores[self.turn.get()].as_ref()
    }

    /// One handle more.
    pub fn another(&self) -> Box<dyn Store> {
        self.engine.open()
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
        let report = GrantReport {
            appid: APP,
            openid,
            choices,
            long_term,
            source: Source::Client,
            at: None,
            token,
            remember: HOUR,
        };
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
