//! Messages that can be told apart, the store they wait in, and what WeChat has of them.
#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::HashMap;
use std::time::{Duration, Instant};

use routine_template::app::App;
use routine_template::error::Error;
use routine_template::message::{Input, Message};
use routine_template::options::{Options, QueueOptions};
use routine_template::registry::Registry;
use routine_template::sandbox::MessageFilter;
use serde_json::Value;

use super::redis_server::RedisServer;
use super::support::{Shop, app_of, message};

/// Where messages wait.
pub enum Engine {
    /// In the shop's directory.
    Sqlite,
    /// On a server.
    Redis(RedisServer),
}

/// A shop and its store.
pub struct Place {
    pub shop: Shop,
    pub engine: Engine,
}

impl Place {
    /// One place with each engine.
    pub fn both(open: impl Fn() -> Shop) -> [Place; 2] {
        // As many databases as a test may want stores of.
        let server = RedisServer::with(&["--databases", "64"]);
        [Engine::Sqlite, Engine::Redis(server)].map(|engine| Place { shop: open(), engine })
    }

    /// The engine's name.
    pub fn name(&self) -> &'static str {
        match self.engine {
            Engine::Sqlite => "SQLite",
            Engine::Redis(_) => "Redis",
        }
    }

    /// The value of setting `store`, for one of several stores (below 64).
    pub fn store(&self, number: usize) -> String {
        match &self.engine {
            Engine::Sqlite => self.shop.path(&format!("store{number}")).to_str().unwrap().to_owned(),
            Engine::Redis(server) => format!("{}/{number}", server.url()),
        }
    }

    /// Settings for the first store.
    pub fn settings(&self, changes: &[(&str, &str)]) -> Vec<(String, String)> {
        let store = self.store(0);
        let mut all = vec![("store", store.as_str())];
        all.extend(changes);
        self.shop.settings(&all)
    }

    pub fn app(&self, changes: &[(&str, &str)]) -> App {
        app_of(&self.settings(changes), Registry::default())
    }
}

/// A message of which WeChat's record tells which one it is: `name` (letters, digits, hyphens) is its key and in its text.
pub fn named(openid: &str, name: &str, queue: QueueOptions) -> Message<'static> {
    let members = [("character_string1", name), ("amount2", "¥1.00"), ("time3", "2026-11-21 10:00"), ("thing4", "茶")];
    let data = members.map(|(key, value)| (key.as_bytes().to_vec().into(), Input::text(value.to_owned())));
    let options = Options { key: Some(name.to_owned()), queue, ..Options::default() };
    Message { touser: openid.to_owned().into(), options, ..message(Input::Map(data.to_vec())) }
}

/// What WeChat has accepted.
pub struct Record {
    /// How often, by the message's name.
    pub times: HashMap<String, usize>,
    /// Names by receiver, in the order in which they came.
    pub lanes: HashMap<String, Vec<String>>,
}

impl Record {
    pub fn of(shop: &Shop) -> Self {
        let mut record = Self { times: HashMap::new(), lanes: HashMap::new() };
        for message in shop.wechat.messages(&MessageFilter::default()) {
            let name = message.data["character_string1"]["value"].as_str().unwrap();
            *record.times.entry(name.to_owned()).or_default() += 1;
            record.lanes.entry(message.openid).or_default().push(name.to_owned());
        }
        record
    }

    pub fn times(&self, name: &str) -> usize {
        self.times.get(name).copied().unwrap_or(0)
    }

    /// Names that it has more than once.
    pub fn repeated(&self) -> impl Iterator<Item = &str> {
        self.times.iter().filter(|(_, times)| **times > 1).map(|(name, _)| name.as_str())
    }
}

/// What a store answers; on a very busy machine it may need to be asked again, and a long list comes in many exchanges.
pub fn answered<T>(ask: impl Fn() -> Result<T, Error>) -> T {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        match ask() {
            Ok(answer) => return answer,
            Err(error) => assert!(Instant::now() < end, "{error:?}"),
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The row of the message of that name.
pub fn row_of(app: &App, name: &str) -> Option<Value> {
    let filter = Input::Map(vec![(b"key".into(), Input::text(name.to_owned()))]);
    answered(|| app.deliveries(&filter)).as_array().unwrap().first().cloned()
}

/// The state of a message by its id, as PHP shows it.
pub fn state(app: &App, id: &str) -> String {
    answered(|| app.status(id)).map_or("lost".to_owned(), |row| row["state"].as_str().unwrap().to_owned())
}

/// A count from the environment, for a longer hunt.
pub fn from_environment(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|count| count.parse().ok()).unwrap_or(usual)
}
