//! What every store does, whatever its engine: each statement of `routine_template::store` is tried here on SQLite, on
//! Redis, and on a model of the documentation in memory, which shows that the statements agree with each other.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy takes helpers of a test crate for product code"
)]

/// Tries statements, functions of a `&Shop`, on every engine.
macro_rules! on_every_engine {
    ($($statement:ident),+ $(,)?) => {
        mod model {
            $(#[test] fn $statement() { super::$statement(&$crate::shop::Shop::at(Box::new($crate::model::Memory::default()))); })+
        }
    };
}

mod accounts;
mod audience;
mod deadlines;
mod deliveries;
mod engine;
mod keys;
mod messages;
mod model;
mod quota;
mod reports;
mod rows;
mod settling;
mod shop;
mod tokens;
