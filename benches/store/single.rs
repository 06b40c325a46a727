//! One process, with ledgers of several sizes.

use criterion::{BenchmarkId, Criterion};
use routine_template::store::Durability;

use crate::place::Place;
use crate::shop::{Sender, fill};

/// How many rows there are.
pub fn sizes() -> Vec<usize> {
    match std::env::var("STORE_BENCH_ROWS") {
        Ok(rows) => rows.split(',').map(|rows| rows.parse().expect("STORE_BENCH_ROWS is numbers")).collect(),
        Err(_) => vec![1_000, 100_000],
    }
}

pub fn run(criterion: &mut Criterion) {
    for rows in sizes() {
        let place = Place::from_environment();
        let store = place.open(Durability::Process);
        fill(&*store, &place, rows);
        let mut sender = Sender::new(rows, 0);
        let mut group = criterion.benchmark_group("store");
        group
            .bench_function(BenchmarkId::new("begin+finish", rows), |bench| bench.iter(|| sender.send(&*store, false)));
        group.bench_function(BenchmarkId::new("begin+finish, key", rows), |bench| {
            bench.iter(|| sender.send(&*store, true));
        });
        let durable = place.open(Durability::Power);
        group.bench_function(BenchmarkId::new("begin+finish, key, power", rows), |bench| {
            bench.iter(|| sender.send(&*durable, true));
        });
        group.bench_function(BenchmarkId::new("grants", rows), |bench| bench.iter(|| sender.look_up(&*store)));
        group.bench_function(BenchmarkId::new("audience of 1000", rows), |bench| bench.iter(|| sender.page(&*store)));
        group.finish();
    }
}
