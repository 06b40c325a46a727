//! The side of the workers: which task, where, and what they write down.

use std::fs::File;
use std::io::{Read, Write};

use routine_template::store::Source;

use crate::{crash, queue_crash, races};

/// The place to open.
pub const PLACE: &str = "STORE_WORKER_PLACE";
/// What to do: a word and its arguments.
pub const TASK: &str = "STORE_WORKER_TASK";
/// The file to write to.
pub const RECORD: &str = "STORE_WORKER_RECORD";

/// What a worker writes down, line by line. Each line is with the kernel before the next thing is done, so that it
/// outlives the process.
pub struct Record(File);

impl Record {
    pub fn line(&mut self, line: impl AsRef<str>) {
        let line = line.as_ref().to_owned() + "\n";
        self.0.write_all(line.as_bytes()).unwrap();
    }

    /// Says that the worker is ready, and waits until all are.
    pub fn ready(&mut self) {
        self.line("ready");
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    }
}

/// A worker process.
pub fn run() {
    let [Ok(place), Ok(task), Ok(record)] = [PLACE, TASK, RECORD].map(std::env::var) else {
        // `cargo test -- --ignored` starts it by itself: there is nothing to do.
        return;
    };
    let mut record = Record(File::options().append(true).create(true).open(record).unwrap());
    let words: Vec<&str> = task.split(' ').collect();
    match words[..] {
        ["take"] => races::take(&place, &mut record),
        ["send"] => races::send(&place, &mut record),
        ["report", own] => races::report(&place, own, &mut record),
        ["tell", "client", own] => races::tell(&place, Source::Client, own, &mut record),
        ["tell", "push", own] => races::tell(&place, Source::Popup, own, &mut record),
        ["fetch", lock] => races::fetch(&place, Some(lock), &mut record),
        ["steal"] => races::fetch(&place, None, &mut record),
        ["crash_queue", name] => queue_crash::work(&place, name, &mut record),
        ["crash", name] => crash::work(&place, name, &mut record),
        _ => panic!("no such task: {task}"),
    }
}

/// Random enough to mix what workers do.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: &str) -> Self {
        // FNV-1a.
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self(seed.bytes().fold(0xcbf2_9ce4_8422_2325, mix) | 1)
    }

    /// 0 … `sides` − 1.
    pub fn roll(&mut self, sides: u64) -> u64 {
        // Xorshift.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }
}
