//! Whatever is done in whatever order, an engine answers as the model does, and holds the same rows after each step.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;
use routine_template::message::Channel;
use routine_template::store::*;

use crate::engine::Engine;
use crate::generators::config;
use crate::model::Memory;
use crate::post::{Post, claim, of_job};
use crate::shop::{DAY, Going, HOUR, Message, Shop, Verdict, now, soon};
use crate::steps::{CHANNELS, Report, Step, TEMPLATES, USERS, step};

on_every_engine!(with engine: messages_and_ledger_are_as_the_model_says);

/// After so long, what has a millisecond is over on both sides.
const TICK: Duration = Duration::from_millis(4);

/// An engine and the model beside it.
struct Pair<'a> {
    engine: &'a Shop,
    model: &'a Shop,
    appid: String,
    /// Messages that went.
    gone: Vec<(Message, Going)>,
    /// Messages that were queued.
    posts: Vec<Post>,
}

/// A row without what the documentation leaves open: times, and words about a refusal of our own.
fn comparable(mut row: Delivery) -> Delivery {
    row.begun = 0;
    row.due = row.due.map(|_| 0);
    row.finished = row.finished.filter(|_| row.state != State::Unknown).map(|_| 0);
    if row.state == State::Refused && !row.from_wechat {
        row.errmsg.clear();
    }
    row
}

/// How long something is, as far as machines agree about it.
fn roughly(time: Duration) -> bool {
    time > HOUR / 2
}

fn comparable_answer(begun: Begun) -> Begun {
    match begun {
        Begun::Known(row) => Begun::Known(comparable(row)),
        Begun::UnderWay(row, owner) => Begun::UnderWay(comparable(row), owner),
        other => other,
    }
}

impl Pair<'_> {
    fn begin(&mut self, message: Message) {
        let [engine, model] = [self.engine, self.model].map(|shop| comparable_answer(shop.begin(&message)));
        assert_eq!(engine, model, "begin");
        if message.lease < HOUR {
            std::thread::sleep(Duration::from_millis(4));
        }
        if let Begun::Go { id, epoch, grant, seen } = engine {
            self.gone.push((message, Going { id, epoch, grant, seen }));
        }
    }

    fn row(&self, id: MessageId) -> Option<Delivery> {
        self.model.store().delivery(&self.appid, id, soon()).unwrap()
    }

    fn queue(&mut self, post: Post) {
        let [engine, model] = [self.engine, self.model].map(|shop| match shop.enqueue(&post) {
            Enqueued::Known(row) => Enqueued::Known(comparable(row)),
            queued => queued,
        });
        assert_eq!(engine, model, "enqueue");
        // Two messages that are queued within a millisecond may be so in either order.
        std::thread::sleep(TICK);
        self.posts.push(post);
    }

    fn claim(&mut self, channel: Channel, limit: usize, quick: bool) {
        let owner = Owner::current();
        let margin = if quick { Duration::ZERO } else { HOUR };
        let claim = Claim { margin, ..claim(&self.appid, channel, limit, &owner) };
        let [engine, model] = [self.engine, self.model].map(|shop| {
            let mut claimed = shop.store().claim(&claim, soon()).unwrap();
            for job in &mut claimed.jobs {
                assert!(job.expires_in <= 2 * HOUR);
                job.expires_in = Duration::from_secs(u64::from(roughly(job.expires_in)));
            }
            claimed
        });
        assert_eq!(engine, model, "claim");
        for job in engine.jobs {
            let message = Message { appid: self.appid.clone(), ..of_job(&job, channel) };
            self.gone.push((message, Going { id: job.id, epoch: job.epoch, grant: job.grant, seen: job.seen }));
        }
        std::thread::sleep(TICK);
    }

    fn again(&self, which: Index, kept: bool, short: bool) {
        let queued: Vec<_> = self.gone.iter().filter(|(message, _)| message.queued).collect();
        let Some((message, going)) = (!queued.is_empty()).then(|| which.get(&queued)) else { return };
        let verdict = if kept { Verdict::unknown() } else { Verdict::not_sent() };
        let verdict = verdict.again(if short { TICK / 2 } else { HOUR });
        self.engine.finish(message, *going, &verdict);
        self.model.finish(message, *going, &verdict);
        std::thread::sleep(TICK);
    }

    fn finish(&self, which: Index, verdict: u8, attempts: u32, pause: bool) {
        let Some((message, going)) = (!self.gone.is_empty()).then(|| which.get(&self.gone)) else { return };
        let mut verdict = match verdict {
            0 | 1 => Verdict::delivered(),
            2 => Verdict::refused(),
            3 => Verdict::no_grant(),
            4 => Verdict::not_sent(),
            5 => Verdict::unknown(),
            _ => Verdict { last_word: false, ..Verdict::unknown() },
        };
        verdict.attempts = attempts;
        // Whether an answer that comes too late for its row still pauses the API is left open.
        let open = self.row(going.id).is_some_and(|row| row.epoch == going.epoch && row.state == State::Sending);
        if pause && open {
            verdict.pause = Some(Pause { errcode: 45009, until: now() + 3_600_000 });
        }
        self.engine.finish(message, *going, &verdict);
        self.model.finish(message, *going, &verdict);
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Report(Report { user, choices, long_term, token, source, ago }) => {
                let token = token.map_or_else(|| MessageId::new().to_string(), |token| token.to_string());
                let report = GrantReport {
                    appid: &self.appid,
                    openid: user,
                    choices,
                    long_term: *long_term,
                    source: *source,
                    at: ago.map(|ago| now() - ago),
                    token: &token,
                    remember: HOUR,
                };
                let [engine, model] =
                    [self.engine, self.model].map(|shop| shop.store().record_grants(&report, soon()).unwrap());
                assert_eq!(engine, model, "record_grants");
            }
            Step::Receipt { user, succeeds } => {
                let msgid = Verdict::delivered().msgid.unwrap();
                let text = if *succeeds { "success" } else { "system failure" };
                let receipt = Receipt { appid: &self.appid, shown_openid: user, msgid: &msgid, text, at: now() };
                let [engine, model] =
                    [self.engine, self.model].map(|shop| shop.store().receipt(&receipt, soon()).unwrap());
                assert_eq!(engine, model, "receipt");
            }
            Step::Begin { message, abandoned } => {
                let mut message = message.message(&self.appid);
                if let Some(which) = abandoned.filter(|_| !self.gone.is_empty()) {
                    let (_, going) = which.get(&self.gone);
                    message.abandoned = Some((going.id, going.epoch));
                }
                self.begin(message);
            }
            Step::BeginAgain(which) => {
                let Some((message, going)) = (!self.gone.is_empty()).then(|| which.get(&self.gone)) else { return };
                // What a repeat without a key means once the message is closed is left open, and so is one of `enqueue`.
                let is_open = || self.row(going.id).is_some_and(|row| row.state == State::Sending);
                if message.key.is_some() || (!message.queued && is_open()) {
                    self.begin(message.clone());
                }
            }
            Step::Finish { which, verdict, attempts, pause } => self.finish(*which, *verdict, *attempts, *pause),
            Step::Refuse(plan) => {
                let message = plan.message(&self.appid);
                let [engine, model] = [self.engine, self.model].map(|shop| shop.refuse(&message, 47003, "wrong"));
                assert_eq!(engine, model, "refuse");
            }
            Step::Queue { message, delayed, brief, stubborn } => {
                let message = message.message(&self.appid);
                // What is brief is over after a tick, and what is delayed is due then.
                let post = Post {
                    timeout: Duration::from_millis(1),
                    expires: if *brief { Duration::from_millis(1) } else { HOUR },
                    resend_unknown: *stubborn,
                    ..Post::of(message)
                };
                let wait = Duration::from_millis(1);
                self.queue(if *delayed { post.delayed(wait) } else { post });
            }
            Step::QueueAgain(which) => {
                if let Some(post) = (!self.posts.is_empty()).then(|| which.get(&self.posts).clone()) {
                    self.queue(post);
                }
            }
            Step::Claim { channel, limit, quick } => self.claim(*channel, *limit, *quick),
            Step::Again { which, kept, short } => self.again(*which, *kept, *short),
            Step::Wait => std::thread::sleep(2 * TICK),
            Step::Clear(channel) => {
                for shop in [self.engine, self.model] {
                    shop.store().clear_quota(&self.appid, channel.map(Channel::path), DAY, soon()).unwrap();
                }
            }
        }
    }

    /// Everything that can be read.
    fn compare(&self) {
        for user in USERS {
            let [engine, model] = [self.engine, self.model].map(|shop| {
                let mut rows = shop.store().grants(&self.appid, user, None, soon()).unwrap();
                // Whether a row that says nothing is there is left open.
                rows.retain(|(_, row)| *row != LedgerRow::default());
                rows
            });
            assert_eq!(engine, model, "grants of {user}");
        }
        for template in TEMPLATES {
            let [engine, model] = [self.engine, self.model].map(|shop| shop.audience(&self.appid, template, 1));
            assert_eq!(engine, model, "audience of {template}");
        }
        let filter = Filter { limit: 1000, ..Filter::default() };
        let [engine, model] = [self.engine, self.model].map(|shop| {
            let rows = shop.store().deliveries(&self.appid, &filter, soon()).unwrap();
            rows.into_iter().map(comparable).collect::<Vec<_>>()
        });
        assert_eq!(engine, model, "deliveries");
        let [engine, model] = [self.engine, self.model].map(|shop| {
            let store = shop.store();
            let mut queues = store.queues(Some(&self.appid), soon()).unwrap();
            queues.sort_by_key(|queue| queue.channel.path());
            let queues: Vec<_> = queues
                .into_iter()
                .map(|queue| (queue.channel, queue.due_in.map(roughly), queue.lease_in.map(roughly), queue.sender))
                .collect();
            (queues, store.pending(&self.appid, soon()).unwrap(), store.sender(&self.appid, soon()).unwrap())
        });
        assert_eq!(engine, model, "outbox");
        for channel in CHANNELS {
            let [engine, model] = [self.engine, self.model]
                .map(|shop| shop.store().usage(&self.appid, channel.path(), DAY, soon()).unwrap());
            assert_eq!(engine, model, "usage of {channel:?}");
        }
    }
}

fn messages_and_ledger_are_as_the_model_says(engine: Box<dyn Engine>) {
    let (engine, model) = (Shop::at(engine), Shop::at(Box::new(Memory::default())));
    let steps = prop::collection::vec(step(), 1..50);
    let outcome = TestRunner::new(config(150)).run(&steps, |steps| {
        // Each case has an account of its own.
        let appid = MessageId::new().to_string();
        let mut pair = Pair { engine: &engine, model: &model, appid, gone: Vec::new(), posts: Vec::new() };
        for step in &steps {
            pair.take(step);
            pair.compare();
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
