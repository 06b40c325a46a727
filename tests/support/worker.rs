//! `routine-template work` inside the test's process, for as many stores as a test has.
#![allow(dead_code, clippy::unwrap_used)]

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use routine_template::config::Settings;
use routine_template::outbox::{Bell, Engine, Role};
use routine_template::process::Process;

pub struct Worker {
    bell: Arc<Bell>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Delivers what waits in these stores (values of the setting `store`).
    pub fn start(stores: Vec<String>) -> Self {
        let bell = Arc::new(Bell::default());
        let heard = bell.clone();
        let thread = std::thread::spawn(move || {
            let mut engine = Engine::new(Process::current().unwrap(), Arc::default(), heard, Role::Worker);
            for store in &stores {
                engine.attend(&Arc::new(Settings::from_pairs([("store", store.as_str())]).unwrap()));
            }
            engine.run().unwrap();
        });
        Self { bell, thread: Some(thread) }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.bell.stop(Instant::now() + Duration::from_secs(20));
        // A panic of its own has been printed.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
