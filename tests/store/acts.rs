//! What a buyer, WeChat and those who send do, in any order.

use proptest::prelude::*;
use proptest::sample::Index;
use routine_template::config::GrantPolicy;
use routine_template::store::Choice;

#[derive(Debug, Clone)]
pub enum Act {
    /// The buyer answers; whether the side that may be silent tells of it.
    Answer {
        choice: Choice,
        both_tell: bool,
    },
    /// He switches the template off where WeChat itself asks; whether the push comes.
    SwitchOff {
        told: bool,
    },
    /// What was not told yet reaches the shop, or what was told does once more.
    Tell(Index),
    TellAgain(Index),
    /// A message is opened, by a sender who may be killed, or queued.
    Open {
        policy: GrantPolicy,
        doomed: bool,
    },
    Queue {
        doomed: bool,
    },
    Claim,
    /// WeChat gets a message that was opened.
    Post(Index),
    /// Its sender writes down what WeChat answered, or that it never got there.
    Close(Index),
    CloseAgain(Index),
    /// Its sender is killed.
    Kill(Index),
    /// WeChat tells of the arrival of a message that it accepted.
    Arrive(Index),
}

pub fn act() -> impl Strategy<Value = Act> {
    let which = any::<Index>;
    let policy =
        prop_oneof![3 => Just(GrantPolicy::Certain), 1 => Just(GrantPolicy::Strict), 1 => Just(GrantPolicy::Off)];
    let choice = prop_oneof![9 => Just(Choice::Accept), 1 => Just(Choice::Reject)];
    prop_oneof![
        6 => (choice, prop::bool::weighted(0.8)).prop_map(|(choice, both_tell)| Act::Answer { choice, both_tell }),
        1 => any::<bool>().prop_map(|told| Act::SwitchOff { told }),
        10 => which().prop_map(Act::Tell),
        2 => which().prop_map(Act::TellAgain),
        5 => (policy, prop::bool::weighted(0.2)).prop_map(|(policy, doomed)| Act::Open { policy, doomed }),
        3 => prop::bool::weighted(0.2).prop_map(|doomed| Act::Queue { doomed }),
        4 => Just(Act::Claim),
        7 => which().prop_map(Act::Post),
        6 => which().prop_map(Act::Close),
        1 => which().prop_map(Act::CloseAgain),
        1 => which().prop_map(Act::Kill),
        3 => which().prop_map(Act::Arrive),
    ]
}
