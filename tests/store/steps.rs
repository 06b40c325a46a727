//! What the property test does, and in which order.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;
use routine_template::config::GrantPolicy;
use routine_template::message::Channel;
use routine_template::store::*;

use crate::shop::{HOUR, Message};

pub const USERS: [&str; 2] = ["user", "another user"];
pub const TEMPLATES: [&str; 2] = ["template", "another template"];
pub const CHANNELS: [Channel; 3] = [Channel::Subscribe, Channel::Bizsend, Channel::Template];

#[derive(Debug, Clone)]
pub enum Step {
    Report(Report),
    /// What WeChat says of the newest message to a user that has its msgid.
    Receipt {
        user: &'static str,
        succeeds: bool,
    },
    Begin {
        message: Box<Plan>,
        abandoned: Option<Index>,
    },
    BeginAgain(Index),
    Finish {
        which: Index,
        verdict: u8,
        attempts: u32,
        pause: bool,
    },
    Refuse(Box<Plan>),
    Queue {
        message: Box<Plan>,
        delayed: bool,
        brief: bool,
        stubborn: bool,
    },
    QueueAgain(Index),
    Claim {
        channel: Channel,
        limit: usize,
        quick: bool,
    },
    Again {
        which: Index,
        kept: bool,
        short: bool,
    },
    Wait,
    Clear(Option<Channel>),
}

/// What a user answered, before it has an account.
#[derive(Debug, Clone)]
pub struct Report {
    pub user: &'static str,
    pub choices: Vec<(&'static str, Choice)>,
    pub long_term: bool,
    pub token: Option<u8>,
    pub source: Source,
    /// How long before now he did; what is still to come is told as well.
    pub ago: Option<Millis>,
}

/// A message before it has an id and an account.
#[derive(Debug, Clone)]
pub struct Plan {
    user: &'static str,
    template: &'static str,
    channel: Channel,
    key: Option<u8>,
    policy: GrantPolicy,
    short: bool,
}

impl Plan {
    pub fn message(&self, appid: &str) -> Message {
        Message {
            appid: appid.to_owned(),
            template: self.template.to_owned(),
            channel: self.channel,
            key: self.key.map(|key| format!("order {key}")),
            policy: self.policy,
            lease: if self.short { Duration::from_millis(1) } else { HOUR },
            ..Message::to(self.user)
        }
    }
}

fn plan() -> impl Strategy<Value = Plan> {
    let policies = [GrantPolicy::Off, GrantPolicy::Certain, GrantPolicy::Strict];
    (
        prop::sample::select(&USERS[..]),
        prop::sample::select(&TEMPLATES[..]),
        prop_oneof![8 => Just(Channel::Subscribe), 1 => Just(Channel::Bizsend), 1 => Just(Channel::Template)],
        prop::option::of(0..3u8),
        prop_oneof![1 => Just(policies[0]), 3 => Just(policies[1]), 2 => Just(policies[2])],
        prop::bool::weighted(0.2),
    )
        .prop_map(|(user, template, channel, key, policy, short)| Plan {
            user,
            template,
            channel,
            key,
            policy,
            short,
        })
}

pub fn step() -> impl Strategy<Value = Step> {
    let choice = prop_oneof![5 => Just(Choice::Accept), 1 => Just(Choice::Reject), 1 => Just(Choice::Ban), 1 => Just(Choice::Filter)];
    let choices = prop::collection::vec(choice, 1..3)
        .prop_map(|choices| TEMPLATES.into_iter().zip(choices).collect())
        .prop_flat_map(|choices: Vec<_>| prop_oneof![Just(choices.clone()), Just(choices.into_iter().rev().collect())]);
    let report = (
        prop::sample::select(&USERS[..]),
        choices,
        prop::bool::weighted(0.1),
        prop_oneof![2 => Just(None), 1 => (0..5u8).prop_map(Some)],
        prop_oneof![3 => Just(Source::Client), 3 => Just(Source::Popup), 1 => Just(Source::Change)],
        // So far apart that no clock and no busy machine makes another order of them.
        prop_oneof![4 => Just(None), 2 => Just(Some(0)), 2 => (1..4i64).prop_map(|ago| Some(ago * 100_000)), 1 => Just(Some(-100_000))],
    )
        .prop_map(|(user, choices, long_term, token, source, ago)| {
            Step::Report(Report { user, choices, long_term, token, source, ago })
        });
    let receipt =
        (prop::sample::select(&USERS[..]), any::<bool>()).prop_map(|(user, succeeds)| Step::Receipt { user, succeeds });
    let begin = (plan(), prop::option::weighted(0.3, any::<Index>()))
        .prop_map(|(message, abandoned)| Step::Begin { message: Box::new(message), abandoned });
    let finish = (any::<Index>(), 0..7u8, 0..3u32, prop::bool::weighted(0.3))
        .prop_map(|(which, verdict, attempts, pause)| Step::Finish { which, verdict, attempts, pause });
    let flag = || prop::bool::weighted(0.15);
    let queue = (plan(), flag(), flag(), prop::bool::weighted(0.4))
        .prop_map(|(plan, delayed, brief, stubborn)| Step::Queue { message: Box::new(plan), delayed, brief, stubborn });
    let channel = prop_oneof![4 => Just(Channel::Subscribe), 1 => prop::sample::select(&CHANNELS[..])];
    let claim = (channel, prop_oneof![1 => Just(1usize), 1 => Just(2), 3 => Just(256)], prop::bool::weighted(0.3))
        .prop_map(|(channel, limit, quick)| Step::Claim { channel, limit, quick });
    let again = (any::<Index>(), any::<bool>(), prop::bool::weighted(0.7))
        .prop_map(|(which, kept, short)| Step::Again { which, kept, short });
    prop_oneof![
        8 => queue,
        1 => any::<Index>().prop_map(Step::QueueAgain),
        8 => claim,
        3 => again,
        2 => Just(Step::Wait),
        6 => report,
        1 => receipt,
        8 => begin,
        1 => any::<Index>().prop_map(Step::BeginAgain),
        8 => finish,
        1 => plan().prop_map(|plan| Step::Refuse(Box::new(plan))),
        1 => prop::option::of(prop::sample::select(&CHANNELS[..])).prop_map(Step::Clear),
    ]
}
