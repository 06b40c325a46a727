//! What every store does, whatever its engine: each statement of `routine_template::store` is tried here on SQLite, on
//! Redis, and on a model of the documentation in memory, which shows that the statements agree with each other.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy takes helpers of a test crate for product code"
)]

/// Tries statements on every engine: functions of a `&Shop`, or `with engine` of a `Box<dyn Engine>`.
macro_rules! on_every_engine {
    (with engine: $($statement:ident),+ $(,)?) => {
        on_every_engine!(@ model, $crate::model::Memory::default(), $($statement)+);
        on_every_engine!(@ sqlite, $crate::engine::Sqlite::fresh(), $($statement)+);
        on_every_engine!(@ redis, $crate::engine::Redis::fresh(), $($statement)+);
    };
    (@ $engine:ident, $fresh:expr, $($statement:ident)+) => {
        mod $engine {
            $(#[test] fn $statement() { super::$statement(Box::new($fresh)); })+
        }
    };
    (& $engine:ident, $fresh:expr, $($statement:ident)+) => {
        mod $engine {
            $(#[test] fn $statement() { super::$statement(&$crate::shop::Shop::at(Box::new($fresh))); })+
        }
    };
    ($($statement:ident),+ $(,)?) => {
        on_every_engine!(& model, $crate::model::Memory::default(), $($statement)+);
        on_every_engine!(& sqlite, $crate::engine::Sqlite::fresh(), $($statement)+);
        on_every_engine!(& redis, $crate::engine::Redis::fresh(), $($statement)+);
    };
}

mod accounts;
mod acts;
mod audience;
mod batches;
mod claims;
mod deadlines;
mod deliveries;
mod engine;
#[path = "../generators/mod.rs"]
#[allow(dead_code, reason = "most of it makes payloads")]
mod generators;
mod health;
mod interleavings;
mod keys;
mod lanes;
mod leads;
mod leases;
mod mail;
mod messages;
mod model;
mod notes;
mod outcomes;
mod pairing;
mod post;
mod property;
mod queued_keys;
mod queueing;
mod queues;
mod quota;
mod receipts;
#[path = "../support/redis_server.rs"]
mod redis_server;
mod reports;
mod rows;
mod settling;
mod shop;
mod steps;
mod token_property;
mod tokens;
mod unsure;
mod zero;
