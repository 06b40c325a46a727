//! The outbox of one process, with different numbers of messages in it: what `enqueue` costs an order, and `claim` and
//! `finish` the deliverer.

use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion};
use routine_template::config::{GrantPolicy, Secret};
use routine_template::message::Channel;
use routine_template::store::*;

use crate::copies::{self, Copies};
use crate::place::Place;
use crate::shop::{DAY, openid, openid_of, soon, template};
use crate::single::sizes;

const BATCH: usize = 32;
const HOUR: Duration = Duration::from_secs(3600);
/// As long as that of an order with five fields.
const BODY: usize = 500;

pub fn run(criterion: &mut Criterion) {
    for pending in sizes() {
        let place = Place::from_environment();
        let mut outbox = Outbox::new(place.open(Durability::Process), pending);
        outbox.fill(&place, pending);
        let mut group = criterion.benchmark_group("outbox");
        for durability in [Durability::Process, Durability::Power] {
            outbox.store = place.open(durability);
            let name = |what: &str| BenchmarkId::new(format!("{what}, {durability:?}").to_lowercase(), pending);
            group.bench_function(name("enqueue"), |bench| bench.iter_custom(|rounds| outbox.enqueues(rounds)));
            for limit in [1, BATCH] {
                group.bench_function(name(&format!("claim of {limit}")), |bench| {
                    bench.iter_custom(|rounds| outbox.claims(rounds, limit));
                });
            }
            group.bench_function(name(&format!("finish of {BATCH}")), |bench| {
                bench.iter_custom(|rounds| outbox.finishes(rounds));
            });
        }
        group.finish();
        for durability in [Durability::Process, Durability::Power] {
            outbox.store = place.open(durability);
            outbox.percentiles(durability);
        }
    }
}

struct Outbox {
    store: Box<dyn Store>,
    owner: Owner,
    appid: String,
    sender: Sender,
    template: String,
    count: usize,
}

impl Outbox {
    fn new(store: Box<dyn Store>, pending: usize) -> Self {
        let sender = Sender { version: "1".to_owned(), settings: Secret::new("{}".to_owned()) };
        let appid = format!("wxoutbox{pending}");
        Self { store, owner: Owner::current(), appid, sender, template: template(0), count: 0 }
    }

    fn fill(&mut self, place: &Place, pending: usize) {
        let Some(directory) = place.directory() else {
            for _ in 0..pending {
                self.enqueue();
            }
            return;
        };
        self.enqueue();
        // Receivers of their own, whom the bench never meets.
        let (key, openid) = (("key", "'copy ' || n"), ("openid", openid_of("(n + 1000000000)")));
        let openid = (openid.0, openid.1.as_str());
        let deliveries =
            Copies { table: "delivery", model: "TRUE", own: &[("id", copies::ID), ("call", copies::ID), key, openid] };
        let parcels = Copies { table: "outbox", model: "TRUE", own: &[("id", copies::ID), openid] };
        copies::add(directory, pending - 1, &[deliveries, parcels]);
    }

    fn begin<'a>(&'a self, id: MessageId, openid: &'a str, key: Option<&'a str>) -> Begin<'a> {
        Begin {
            id,
            owner: &self.owner,
            lease: HOUR,
            appid: &self.appid,
            openid,
            shown_openid: openid,
            template_id: &self.template,
            channel: Channel::Subscribe,
            key,
            policy: GrantPolicy::Certain,
            changed: None,
            payload: None,
            retention: HOUR,
            abandoned: None,
            queued: true,
        }
    }

    /// One message to a receiver of its own, with a key as an order has one; how long that took.
    fn enqueue(&mut self) -> Duration {
        self.count += 1;
        let (id, receiver, key) = (MessageId::new(), openid(self.count), format!("order {}", self.count));
        let parcel = Parcel {
            body: &[b'x'; BODY],
            delay: Duration::ZERO,
            expires: HOUR,
            timeout: HOUR,
            resend_unknown: false,
            sender: &self.sender,
        };
        let begin = self.begin(id, &receiver, Some(&key));
        let start = Instant::now();
        let queued = self.store.enqueue(&begin, &parcel, soon()).unwrap();
        let took = start.elapsed();
        assert_eq!(queued, Enqueued::Queued(id));
        took
    }

    fn claim(&self, limit: usize) -> Vec<Job> {
        let claim = Claim {
            id: MessageId::new(),
            owner: &self.owner,
            appid: &self.appid,
            channel: Channel::Subscribe,
            limit,
            margin: HOUR,
            retention: HOUR,
        };
        let jobs = self.store.claim(&claim, soon()).unwrap().jobs;
        assert_eq!(jobs.len(), limit);
        jobs
    }

    fn finish(&self, jobs: &[Job], again: Option<Duration>) -> Duration {
        let begins: Vec<_> = jobs.iter().map(|job| self.begin(job.id, &job.openid, job.key.as_deref())).collect();
        let end = End {
            state: State::Delivered,
            last_word: true,
            settlement: Settlement::Spent,
            grant: Grant::Uncounted,
            errcode: Some(0),
            from_wechat: true,
            errmsg: "ok",
            msgid: Some("2817683374268366856"),
            rid: None,
            attempts: 1,
            api: Channel::Subscribe.path(),
            day: DAY,
            pause: None,
            again,
        };
        let ends: Vec<_> = jobs.iter().zip(&begins).map(|(job, begin)| (begin, job.epoch, &end)).collect();
        let start = Instant::now();
        self.store.finish_all(&ends, soon()).unwrap();
        start.elapsed()
    }

    /// As many as came are delivered, so that as many wait as before.
    fn enqueues(&mut self, rounds: u64) -> Duration {
        let mut took = Duration::ZERO;
        for round in 1..=rounds {
            took += self.enqueue();
            if round % BATCH as u64 == 0 {
                self.finish(&self.claim(BATCH), None);
            }
        }
        for _ in 0..rounds % BATCH as u64 {
            self.finish(&self.claim(1), None);
        }
        took
    }

    /// What was claimed is put back.
    fn claims(&mut self, rounds: u64, limit: usize) -> Duration {
        let mut took = Duration::ZERO;
        for _ in 0..rounds {
            let start = Instant::now();
            let jobs = self.claim(limit);
            took += start.elapsed();
            self.finish(&jobs, Some(Duration::ZERO));
        }
        took
    }

    fn finishes(&mut self, rounds: u64) -> Duration {
        let mut took = Duration::ZERO;
        for _ in 0..rounds {
            let jobs = self.claim(BATCH);
            took += self.finish(&jobs, None);
            for _ in 0..BATCH {
                self.enqueue();
            }
        }
        took
    }

    /// Prints what single calls of `enqueue` took, and what they wrote.
    fn percentiles(&mut self, durability: Durability) {
        const CALLS: usize = 4096;
        let (mut took, mut written) = (Vec::with_capacity(CALLS), 0);
        let pending = self.store.pending(&self.appid, soon()).unwrap();
        for _ in 0..CALLS / BATCH {
            let before = bytes_written();
            took.extend((0..BATCH).map(|_| self.enqueue()));
            written += bytes_written() - before;
            self.finish(&self.claim(BATCH), None);
        }
        took.sort_unstable();
        let at = |share: f64| took[((CALLS - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
        println!(
            "enqueue, {durability:?}, {pending} pending: p50 {:.0} µs, p99 {:.0} µs, p99.9 {:.0} µs, {:.1} KiB written",
            at(0.5),
            at(0.99),
            at(0.999),
            written as f64 / CALLS as f64 / 1024.0
        );
    }
}

/// What this process has handed to `write`.
fn bytes_written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    io.lines().find_map(|line| line.strip_prefix("wchar: ")).and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
}
