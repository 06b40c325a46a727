//! The store: one process (criterion), then 1, 8 and 32 processes that saturate it (a table).
//!
//! `STORE_BENCH_PLACE` names the place (a directory or a Redis address; a fresh one in the temporary directory by default),
//! `STORE_BENCH_ROWS` the rows (instead of 1000,100000; 10000000 takes 10 GB and five minutes to fill), `STORE_BENCH_SECONDS`
//! how long each line of the table takes (3). `cargo bench --bench store -- processes` makes the table only, `… -- outbox` tries the outbox only.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    missing_docs
)]

mod copies;
mod outbox;
mod place;
mod processes;
mod shop;
mod single;

fn main() {
    if let Ok(worker) = std::env::var(processes::WORKER) {
        return processes::work(&worker);
    }
    let arguments: Vec<String> = std::env::args().collect();
    if !arguments.iter().any(|argument| argument == "processes") {
        let mut criterion = criterion::Criterion::default().configure_from_args();
        if !arguments.iter().any(|argument| argument == "outbox") {
            single::run(&mut criterion);
        }
        outbox::run(&mut criterion);
        criterion.final_summary();
    }
    // With a filter, or as a test of the benchmarks, only what criterion runs is wanted.
    if arguments.iter().skip(1).all(|argument| argument == "--bench" || argument == "processes") {
        processes::table();
    }
}
