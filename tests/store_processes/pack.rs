//! A pack of worker processes that start together and write down what they see.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::engine::Shared;
use crate::work::{PLACE, RECORD, TASK};

/// The longest that a pack may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Running workers. They are killed when this is dropped.
pub struct Pack {
    records: TempDir,
    workers: Vec<Child>,
}

impl Pack {
    /// Starts workers with these tasks. Each waits until all are ready.
    pub fn start(engine: &dyn Shared, tasks: impl IntoIterator<Item = String>) -> Self {
        let records = tempfile::Builder::new().prefix("records").tempdir().unwrap();
        let mut pack = Self { records, workers: Vec::new() };
        for task in tasks {
            let worker = Command::new(std::env::current_exe().unwrap())
                .args(["--ignored", "--exact", "worker", "--nocapture"])
                .env(PLACE, engine.place())
                .env(TASK, task)
                .env(RECORD, pack.record(pack.workers.len()))
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            pack.workers.push(worker);
        }
        pack.wait_for(|text| !text.is_empty());
        for worker in &mut pack.workers {
            // The end of its input is the signal.
            drop(worker.stdin.take());
        }
        pack
    }

    fn record(&self, worker: usize) -> PathBuf {
        self.records.path().join(worker.to_string())
    }

    /// Until each record is as wanted.
    pub fn wait_for(&self, wanted: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        for worker in 0..self.workers.len() {
            while !wanted(&fs::read_to_string(self.record(worker)).unwrap_or_default()) {
                assert!(Instant::now() < deadline, "a worker does not come on:\n{}", self.read(worker).join("\n"));
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }

    fn read(&self, worker: usize) -> Vec<String> {
        let text = fs::read_to_string(self.record(worker)).unwrap_or_default();
        // The first line says that it is ready. One that was cut off by a kill was never acknowledged.
        text.split_inclusive('\n').skip(1).filter_map(|line| line.strip_suffix('\n')).map(str::to_owned).collect()
    }

    /// Waits until all have ended well, and says what each has written.
    pub fn finish(mut self) -> Vec<Vec<String>> {
        let deadline = Instant::now() + PATIENCE;
        for worker in 0..self.workers.len() {
            let status = loop {
                if let Some(status) = self.workers[worker].try_wait().unwrap() {
                    break status;
                }
                assert!(Instant::now() < deadline, "a worker does not end:\n{}", self.read(worker).join("\n"));
                std::thread::sleep(Duration::from_millis(2));
            };
            assert!(status.success(), "a worker failed ({status}):\n{}", self.read(worker).join("\n"));
        }
        (0..self.workers.len()).map(|worker| self.read(worker)).collect()
    }

    /// SIGKILL to all at once, and what each has written before.
    pub fn kill(mut self) -> Vec<Vec<String>> {
        for worker in &mut self.workers {
            assert_eq!(worker.try_wait().unwrap(), None, "a worker ended by itself");
            worker.kill().unwrap();
        }
        for worker in &mut self.workers {
            worker.wait().unwrap();
        }
        (0..self.workers.len()).map(|worker| self.read(worker)).collect()
    }
}

impl Drop for Pack {
    fn drop(&mut self) {
        for worker in &mut self.workers {
            // Those that have ended cannot be killed, and need not be.
            let _ = worker.kill();
            let _ = worker.wait();
        }
    }
}
