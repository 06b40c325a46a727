//! The same of tokens: whoever asks, stores, refuses or releases, and in whatever order.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;
use routine_template::store::*;

use crate::engine::Engine;
use crate::generators::config;
use crate::model::Memory;
use crate::shop::{HOUR, Shop, soon};

on_every_engine!(with engine: tokens_are_as_the_model_says);

/// Over after [`pass`].
const MOMENT: Duration = Duration::from_millis(1);

fn pass() {
    std::thread::sleep(Duration::from_millis(4));
}

#[derive(Debug, Clone)]
enum Step {
    Ask {
        here: u8,
        held: Option<Index>,
        refused: Option<u8>,
        force: bool,
        short: bool,
        fresh: bool,
        ended: Option<Index>,
    },
    Put {
        fence: Option<Index>,
        token: u8,
        due: bool,
        ends: bool,
    },
    Refuse {
        fence: Option<Index>,
        here: Option<u8>,
        short: bool,
    },
    Release {
        fence: Option<Index>,
        rest: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let ask = (
        0..2u8,
        prop::option::of(any::<Index>()),
        prop::option::weighted(0.4, 0..3u8),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.3),
        any::<bool>(),
        prop::option::weighted(0.3, any::<Index>()),
    )
        .prop_map(|(here, held, refused, force, short, fresh, ended)| Step::Ask {
            here,
            held,
            refused,
            force,
            short,
            fresh,
            ended,
        });
    // The last fence is the one that counts; the others come late.
    let fence = || prop_oneof![3 => Just(None), 1 => any::<Index>().prop_map(Some)];
    let put = (fence(), 0..3u8, any::<bool>(), prop::bool::weighted(0.2))
        .prop_map(|(fence, token, due, ends)| Step::Put { fence, token, due, ends });
    let refuse = (fence(), prop::option::of(0..2u8), any::<bool>()).prop_map(|(fence, here, short)| Step::Refuse {
        fence,
        here,
        short,
    });
    let release = (fence(), any::<bool>()).prop_map(|(fence, rest)| Step::Release { fence, rest });
    prop_oneof![6 => ask, 3 => put, 1 => refuse, 1 => release]
}

/// A fence as the engine and as the model call it, and who got it.
struct Fence {
    engine: u64,
    model: u64,
    owner: String,
}

struct Pair<'a> {
    engine: &'a Shop,
    model: &'a Shop,
    account: String,
    /// Newest first.
    fences: Vec<Fence>,
}

/// An answer without exact times, and with the fence's place instead of the fence.
fn comparable(turn: &TokenTurn, place: impl Fn(u64) -> Option<usize>) -> String {
    let about = |time: Duration| match time.as_secs() {
        0 if time.is_zero() => "over",
        0..1800 => "soon",
        _ => "long",
    };
    let stored = |token: &StoredToken| {
        let (renew, ends) = (about(token.renew_in), about(token.ends_in));
        format!("{} of {:?}, renew {renew}, ends {ends}", token.token.reveal(), place(token.fence))
    };
    match turn {
        TokenTurn::Token(token) => format!("Token {}", stored(token)),
        TokenTurn::JustFetched => "JustFetched".to_owned(),
        // Which of two that stand is shown is left open.
        TokenTurn::Refused(refusal) => format!("Refused {}", about(refusal.stands)),
        TokenTurn::Fetch { current, .. } => format!("Fetch {:?}", current.as_ref().map(stored)),
        TokenTurn::Busy { owner, left, current } => {
            format!("Busy {owner} {} {:?}", about(*left), current.as_ref().map(stored))
        }
    }
}

impl Pair<'_> {
    fn both(&self) -> [(&dyn Store, bool); 2] {
        [(self.engine.store(), true), (self.model.store(), false)]
    }

    fn fence(&self, which: Option<Index>) -> Option<&Fence> {
        match which.filter(|_| !self.fences.is_empty()) {
            Some(which) => Some(which.get(&self.fences)),
            None => self.fences.first(),
        }
    }

    fn ask(&mut self, step: &Step, turn: usize) {
        let Step::Ask { here, held, refused, force, short, fresh, ended } = step else { return };
        // A caller of its own for each ask: what becomes of a second one by the holder of the lease is left open.
        let owner = Owner::named(&format!("caller {turn}"));
        let here = format!("{} {here}", self.account);
        let refused = refused.map(|token| format!("token {token}"));
        let held = held.and_then(|which| self.fence(Some(which)));
        let ended = ended.and_then(|which| self.fence(Some(which))).map(|fence| fence.owner.clone());
        let [engine, model] = self.both().map(|(store, is_engine)| {
            let held = held.map_or(0, |fence| if is_engine { fence.engine } else { fence.model });
            let ask = TokenAsk {
                account: &self.account,
                account_here: &here,
                owner: &owner,
                held,
                refused: refused.as_deref(),
                force: *force,
                lease: if *short { MOMENT } else { HOUR },
                fresh: if *fresh { HOUR } else { Duration::ZERO },
                ended: ended.as_deref(),
            };
            store.token(&ask, soon()).unwrap()
        });
        let fences = &self.fences;
        let place = |of: fn(&Fence) -> u64| move |fence| fences.iter().rev().position(|other| of(other) == fence);
        assert_eq!(comparable(&engine, place(|fence| fence.engine)), comparable(&model, place(|fence| fence.model)));
        if let (TokenTurn::Fetch { fence: engine, .. }, TokenTurn::Fetch { fence: model, .. }) = (engine, model) {
            assert!(self.fences.iter().all(|fence| fence.engine < engine), "{engine} is not above all before");
            self.fences.insert(0, Fence { engine, model, owner: owner.as_str().to_owned() });
        }
    }

    fn take(&mut self, step: &Step, turn: usize) {
        match step {
            Step::Ask { .. } => self.ask(step, turn),
            Step::Put { fence, token, due, ends } => {
                let Some(fence) = self.fence(*fence) else { return };
                let renew_in = if *due { Duration::ZERO } else { HOUR };
                let ends_in = if *ends { MOMENT } else { HOUR };
                let [engine, model] = self.both().map(|(store, is_engine)| {
                    let number = if is_engine { fence.engine } else { fence.model };
                    let token = format!("token {token}");
                    store.put_token(&self.account, number, &token, renew_in.min(ends_in), ends_in, soon()).unwrap()
                });
                assert_eq!(engine, model, "put_token");
            }
            Step::Refuse { fence, here, short } => {
                let Some(fence) = self.fence(*fence) else { return };
                let account = here.map_or_else(|| self.account.clone(), |here| format!("{} {here}", self.account));
                let errmsg = format!("refusal {turn}");
                let stands = if *short { MOMENT } else { HOUR };
                for (store, is_engine) in self.both() {
                    let number = if is_engine { fence.engine } else { fence.model };
                    let refusal = StoredRefusal { errcode: 40125, errmsg: errmsg.clone(), stands };
                    store.refuse_token(&self.account, &account, number, &refusal, soon()).unwrap();
                }
            }
            Step::Release { fence, rest } => {
                let Some(fence) = self.fence(*fence) else { return };
                let rest = if *rest { HOUR } else { Duration::ZERO };
                for (store, is_engine) in self.both() {
                    let number = if is_engine { fence.engine } else { fence.model };
                    store.release_token(&self.account, number, rest, soon()).unwrap();
                }
            }
        }
        pass();
    }
}

fn tokens_are_as_the_model_says(engine: Box<dyn Engine>) {
    let (engine, model) = (Shop::at(engine), Shop::at(Box::new(Memory::default())));
    let steps = prop::collection::vec(step(), 1..25);
    let outcome = TestRunner::new(config(60)).run(&steps, |steps| {
        let account = MessageId::new().to_string();
        let mut pair = Pair { engine: &engine, model: &model, account, fences: Vec::new() };
        for (turn, step) in steps.iter().enumerate() {
            pair.take(step, turn);
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
