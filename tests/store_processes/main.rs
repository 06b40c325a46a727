//! What holds between processes: races that one of many must win, and work that is killed at any moment.
//!
//! The processes are this test binary itself, see `worker`. `STORE_KILL_ROUNDS` hunts longer than the usual rounds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "clippy takes helpers of a test crate for product code"
)]

/// Tries statements on both engines.
macro_rules! on_both_engines {
    ($($statement:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test] fn $statement() { super::$statement(&$crate::engine::Sqlite::fresh()); })+
        }
        mod redis {
            $(#[test] fn $statement() { super::$statement(&$crate::engine::Redis::fresh()); })+
        }
    };
}

mod crash;
#[path = "../store/engine.rs"]
mod engine;
#[path = "../store/mail.rs"]
#[allow(dead_code, reason = "each test binary uses a part of it")]
mod mail;
mod pack;
#[path = "../store/post.rs"]
#[allow(dead_code, reason = "each test binary uses a part of it")]
mod post;
mod queue_crash;
mod races;
#[path = "../support/redis_server.rs"]
mod redis_server;
#[path = "../store/shop.rs"]
#[allow(dead_code, reason = "each test binary uses a part of it")]
mod shop;
mod told;
mod work;

/// What the other tests start as processes of their own.
#[test]
#[ignore = "started by the other tests"]
fn worker() {
    work::run();
}
