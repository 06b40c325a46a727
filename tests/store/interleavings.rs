//! A buyer, WeChat and a shop: whatever the buyer answers, whichever of the front end and the push tells of it, when and how often,
//! and whatever becomes of those who send, the ledger adds up, counts no accept twice and loses none.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;
use routine_template::message::Channel;
use routine_template::store::*;

use crate::acts::{Act, act};
use crate::engine::Engine;
use crate::generators::config;
use crate::post::{Post, claim, of_job};
use crate::shop::{Going, HOUR, Message, Shop, TEMPLATE, Verdict, now, soon};

on_every_engine!(with engine: whatever_is_told_and_sent_in_whatever_order_the_ledger_is_right);

const BUYER: &str = "buyer";
/// A lease that is over at once.
const BRIEF: Duration = Duration::from_millis(1);

/// One side's word of an answer.
#[derive(Debug, Clone)]
struct Telling {
    source: Source,
    choice: Choice,
    at: Option<Millis>,
    token: String,
}

/// A message that was opened.
struct Open {
    message: Message,
    going: Going,
    /// Whether WeChat accepted it; `None` until it got there.
    accepted: Option<bool>,
    /// How many grants had been reserved when it got there: 43101 says nothing of later ones.
    reservations: u64,
    /// How many 43101 were written down when it was opened.
    zeroes: usize,
}

/// A message that WeChat accepted: whether that is written down, and whether its arrival was told of since.
struct Arrival {
    id: MessageId,
    written: bool,
    told: bool,
}

/// A grant that a message reserved, the how manieth, and whether its lease is over at once.
struct Reservation {
    id: MessageId,
    number: u64,
    doomed: bool,
}

/// What is true, and what the shop was told of it.
struct World<'a> {
    shop: &'a Shop,
    appid: String,
    /// The side that tells of everything. Of the other, some is lost.
    reliable: Source,
    /// When the first answer was given; each further one a second later.
    began: Millis,
    answers: i64,
    /// Messages that WeChat would still accept.
    grants: u64,
    accepts: u64,
    rejects: bool,
    untold: Vec<Telling>,
    told: Vec<Telling>,
    /// Accepts of which the front end and the push have told.
    by_client: u64,
    by_push: u64,
    open: Vec<Open>,
    closed: Vec<(Message, Going, Verdict)>,
    arrivals: Vec<Arrival>,
    reserved: Vec<Reservation>,
    reservations: u64,
    zeroes: usize,
    /// Deliveries that the ledger counts, and those for which it knew of no grant.
    delivered: u64,
    on_credit: u64,
    /// Grants of killed senders that a 43101 of before has taken.
    excused: u64,
}

impl World<'_> {
    fn row(&self) -> LedgerRow {
        self.shop.row_of(&self.appid, BUYER, TEMPLATE)
    }

    /// The buyer's answer, and who will tell of it.
    fn answers(&mut self, choice: Choice, sources: &[Source]) {
        self.answers += 1;
        // Somewhat ago: the front end, which cannot say when, seems the later one.
        let at = self.began + self.answers * 1000;
        for source in sources {
            let token = format!("{source:?} {}", self.answers);
            let at = source.is_push().then_some(at);
            self.untold.push(Telling { source: *source, choice, at, token });
        }
    }

    fn tell(&mut self, telling: &Telling, again: bool) {
        let before = self.row();
        let report = GrantReport {
            appid: &self.appid,
            openid: BUYER,
            choices: &[(TEMPLATE, telling.choice)],
            long_term: false,
            source: telling.source,
            at: telling.at,
            token: &telling.token,
            remember: HOUR,
        };
        let recorded = self.shop.store().record_grants(&report, soon()).unwrap();
        let row = self.row();
        assert_eq!((recorded.duplicate, &recorded.rows[0]), (again, &row));
        if again {
            assert_eq!(row, before, "told twice by one side");
            return;
        }
        if telling.choice == Choice::Accept {
            let side = if telling.source.is_push() { &mut self.by_push } else { &mut self.by_client };
            *side += 1;
        }
        self.told.push(telling.clone());
    }

    fn opens(&mut self, message: Message, going: Going, doomed: bool) {
        if going.grant == Grant::Reserved {
            self.reservations += 1;
            self.reserved.push(Reservation { id: going.id, number: self.reservations, doomed });
        }
        self.open.push(Open { message, going, accepted: None, reservations: 0, zeroes: self.zeroes });
    }

    fn posts(&mut self, which: Index) {
        let waiting: Vec<usize> = (0..self.open.len()).filter(|place| self.open[*place].accepted.is_none()).collect();
        let Some(place) = (!waiting.is_empty()).then(|| *which.get(&waiting)) else { return };
        let accepts = self.grants > 0;
        self.grants -= u64::from(accepts);
        let open = &mut self.open[place];
        (open.accepted, open.reservations) = (Some(accepts), self.reservations);
        if accepts {
            self.arrivals.push(Arrival { id: open.going.id, written: false, told: false });
        }
    }

    fn closes(&mut self, place: usize) {
        let open = self.open.remove(place);
        let Open { message, going, .. } = open;
        let verdict = match open.accepted {
            Some(true) => Verdict { msgid: Some(going.id.to_string()), ..Verdict::delivered() },
            Some(false) => Verdict::no_grant(),
            None => Verdict::not_sent(),
        };
        let before = self.row();
        self.shop.finish(&message, going, &verdict);
        let row = self.row();
        let learned = row.accepted - before.accepted;
        if open.accepted == Some(true) && going.grant != Grant::Uncounted {
            self.delivered += 1;
            self.on_credit += learned;
            assert!(learned <= 1, "{before:?} {row:?}");
            let has_its_own = going.grant == Grant::Reserved && open.zeroes == self.zeroes;
            assert!(!has_its_own || learned == 0, "a grant that was reserved is none of before: {before:?} {row:?}");
        } else {
            assert_eq!(learned, 0, "{before:?} {row:?}");
        }
        assert!(open.accepted == Some(false) || row.lost == before.lost, "{before:?} {row:?}");
        if open.accepted == Some(false) && going.grant != Grant::Uncounted {
            self.zeroes += 1;
            // It takes what nobody will close, also where that is a grant of later.
            let later = self.reserved.iter().filter(|one| one.doomed && one.number > open.reservations).count();
            self.excused += (later as u64).min(row.lost - before.lost);
        }
        for arrival in self.arrivals.iter_mut().filter(|arrival| arrival.id == going.id) {
            arrival.written = true;
        }
        self.reserved.retain(|one| one.id != going.id);
        self.closed.push((message, going, verdict));
    }

    fn arrives(&mut self, which: Index) {
        if self.arrivals.is_empty() {
            return;
        }
        let place = which.index(self.arrivals.len());
        let arrival = &mut self.arrivals[place];
        let msgid = arrival.id.to_string();
        let receipt = Receipt { appid: &self.appid, shown_openid: BUYER, msgid: &msgid, text: "success", at: now() };
        // Of one whose sender is not done with it nobody knows the number.
        assert_eq!(self.shop.store().receipt(&receipt, soon()), Ok(arrival.written.then_some(arrival.id)));
        arrival.told |= arrival.written;
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Answer { choice, both_tell } => {
                if *choice == Choice::Accept {
                    self.grants += 1;
                    self.accepts += 1;
                } else {
                    self.rejects = true;
                }
                let other = if self.reliable == Source::Client { Source::Popup } else { Source::Client };
                let sides = [self.reliable, other];
                self.answers(*choice, &sides[..if *both_tell { 2 } else { 1 }]);
            }
            Act::SwitchOff { told } => {
                self.grants = 0;
                self.answers(Choice::Reject, if *told { &[Source::Change] } else { &[] });
            }
            Act::Tell(which) => {
                if !self.untold.is_empty() {
                    let telling = self.untold.remove(which.index(self.untold.len()));
                    self.tell(&telling, false);
                }
            }
            Act::TellAgain(which) => {
                if let Some(telling) = (!self.told.is_empty()).then(|| which.get(&self.told).clone()) {
                    self.tell(&telling, true);
                }
            }
            Act::Open { policy, doomed } => {
                let lease = if *doomed { BRIEF } else { HOUR };
                let message = Message { appid: self.appid.clone(), lease, policy: *policy, ..Message::to(BUYER) };
                if let Begun::Go { id, epoch, grant, seen } = self.shop.begin(&message) {
                    self.opens(message, Going { id, epoch, grant, seen }, *doomed);
                }
            }
            Act::Queue { doomed } => {
                let message = Message { appid: self.appid.clone(), ..Message::to(BUYER) };
                let timeout = if *doomed { BRIEF } else { HOUR };
                self.shop.queue(&Post { timeout, ..Post::of(message) });
            }
            Act::Claim => {
                let owner = Owner::current();
                let claim = claim(&self.appid, Channel::Subscribe, 4, &owner);
                for job in self.shop.store().claim(&claim, soon()).unwrap().jobs {
                    let message = Message { appid: self.appid.clone(), ..of_job(&job, Channel::Subscribe) };
                    let going = Going { id: job.id, epoch: job.epoch, grant: job.grant, seen: job.seen };
                    self.opens(message, going, job.timeout == BRIEF);
                }
            }
            Act::Post(which) => self.posts(*which),
            Act::Close(which) => {
                if !self.open.is_empty() {
                    self.closes(which.index(self.open.len()));
                }
            }
            Act::CloseAgain(which) => {
                if let Some((message, going, verdict)) = (!self.closed.is_empty()).then(|| which.get(&self.closed)) {
                    let before = self.row();
                    self.shop.finish(message, *going, verdict);
                    assert_eq!(self.row(), before, "the end of a message counts once");
                }
            }
            Act::Kill(which) => {
                if !self.open.is_empty() {
                    self.open.remove(which.index(self.open.len()));
                }
            }
            Act::Arrive(which) => self.arrives(*which),
        }
    }

    /// What holds at every moment. `Shop::row_of` sees to it that the books add up.
    fn is_right(&self) {
        let row = self.row();
        let told = self.by_client.max(self.by_push);
        assert_eq!(
            row.accepted,
            told + self.on_credit,
            "told by client {}, by push {}: {row:?}",
            self.by_client,
            self.by_push
        );
        assert_eq!(row.delivered, self.delivered, "{row:?}");
        assert!(row.reserved <= self.reserved.len() as u64, "{row:?}");
    }

    /// When everything was told, and all who still live have closed their messages.
    fn ends(&mut self) {
        while let Some(telling) = self.untold.pop() {
            self.tell(&telling, false);
            self.is_right();
        }
        while !self.open.is_empty() {
            self.closes(0);
            self.is_right();
        }
        let row = self.row();
        assert_eq!(row.accepted - self.on_credit, self.accepts, "no accept is lost, none counted twice: {row:?}");
        let known = row.available + row.reserved + self.excused;
        assert!(known >= self.grants, "WeChat would accept {}: {row:?}", self.grants);
        // An answer of neither kind may stand between an accept and a switch that are told in the wrong order.
        assert!(self.grants == 0 || !row.refused || self.rejects, "WeChat would accept {}: {row:?}", self.grants);
        for Arrival { id, told, .. } in &self.arrivals {
            let row = self.shop.store().delivery(&self.appid, *id, soon()).unwrap().unwrap();
            assert_eq!(row.receipt.is_some(), *told, "{row:?}");
        }
    }
}

fn whatever_is_told_and_sent_in_whatever_order_the_ledger_is_right(engine: Box<dyn Engine>) {
    let shop = Shop::at(engine);
    let cases = (any::<bool>(), prop::collection::vec(act(), 1..80));
    let outcome = TestRunner::new(config(150)).run(&cases, |(pushed, acts)| {
        let mut world = World {
            shop: &shop,
            appid: MessageId::new().to_string(),
            reliable: if pushed { Source::Popup } else { Source::Client },
            began: now() - 500_000,
            answers: 0,
            grants: 0,
            accepts: 0,
            rejects: false,
            untold: Vec::new(),
            told: Vec::new(),
            by_client: 0,
            by_push: 0,
            open: Vec::new(),
            closed: Vec::new(),
            arrivals: Vec::new(),
            reserved: Vec::new(),
            reservations: 0,
            zeroes: 0,
            delivered: 0,
            on_credit: 0,
            excused: 0,
        };
        for act in &acts {
            world.act(act);
            world.is_right();
        }
        world.ends();
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
