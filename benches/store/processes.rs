//! Several processes that do nothing but begin and finish messages, as fast as the store lets them.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use routine_template::store::Durability;

use crate::place::{self, Place};
use crate::shop::{Sender, fill};

/// Set in a worker: which one it is.
pub const WORKER: &str = "STORE_BENCH_WORKER";
const KEYED: &str = "STORE_BENCH_KEYED";
const POWER: &str = "STORE_BENCH_POWER";
const NAME: &str = "STORE_BENCH_NAME";
const SECONDS: &str = "STORE_BENCH_SECONDS";
const ROWS: usize = 100_000;

fn seconds() -> u64 {
    std::env::var(SECONDS).ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(3)
}

/// Sends until the time is over, and writes how long each took, in microseconds.
pub fn work(worker: &str) {
    let is = |name: &str| std::env::var_os(name).is_some();
    let durability = if is(POWER) { Durability::Power } else { Durability::Process };
    let store = place::open(Path::new(&std::env::var_os(NAME).unwrap()), durability);
    let keyed = is(KEYED);
    let mut sender = Sender::new(ROWS, worker.parse().unwrap());
    let mut took = Vec::new();
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(seconds()) {
        let before = Instant::now();
        sender.send(&*store, keyed);
        took.push(u32::try_from(before.elapsed().as_micros()).unwrap());
    }
    let bytes: Vec<u8> = took.iter().flat_map(|micros| micros.to_le_bytes()).collect();
    std::io::stdout().write_all(&bytes).unwrap();
}

fn start(worker: usize, name: &Path, keyed: bool, power: bool) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env(WORKER, worker.to_string()).env(NAME, name).stdout(Stdio::piped());
    for (variable, wanted) in [(KEYED, keyed), (POWER, power)] {
        if wanted {
            command.env(variable, "1");
        } else {
            command.env_remove(variable);
        }
    }
    command.spawn().unwrap()
}

/// Prints the table.
pub fn table() {
    let place = Place::from_environment();
    fill(&*place.open(Durability::Process), &place, ROWS);
    println!("\nbegin+finish, {ROWS} rows, {} s each", seconds());
    println!("| processes | what | sends/s | p50 | p99 | p99.9 | max | slowest process's share |");
    println!("|---|---|---|---|---|---|---|---|");
    for (what, keyed, power) in [("no key", false, false), ("key, process", true, false), ("key, power", true, true)] {
        for processes in [1, 8, 32] {
            let workers: Vec<Child> = (0..processes).map(|worker| start(worker, place.name(), keyed, power)).collect();
            // Each is read by a thread of its own: one that waits for its pipe would hold nobody up, but end late.
            let readers: Vec<_> =
                workers.into_iter().map(|worker| std::thread::spawn(|| worker.wait_with_output().unwrap())).collect();
            let took: Vec<Vec<u32>> = readers
                .into_iter()
                .map(|reader| {
                    let output = reader.join().unwrap();
                    assert!(output.status.success(), "a worker failed");
                    output.stdout.chunks_exact(4).map(|micros| u32::from_le_bytes(micros.try_into().unwrap())).collect()
                })
                .collect();
            let fewest = took.iter().map(Vec::len).min().unwrap_or(0);
            let mut all = took.concat();
            all.sort_unstable();
            let at = |share: f64| shown(all[((all.len() - 1) as f64 * share) as usize]);
            println!(
                "| {processes} | {what} | {:.0} | {} | {} | {} | {} | {:.2} |",
                all.len() as f64 / seconds() as f64,
                at(0.5),
                at(0.99),
                at(0.999),
                at(1.0),
                fewest as f64 * f64::from(u32::try_from(processes).unwrap()) / all.len() as f64,
            );
        }
    }
}

fn shown(micros: u32) -> String {
    if micros < 1000 { format!("{micros} µs") } else { format!("{:.1} ms", f64::from(micros) / 1000.0) }
}
