//! What is special to the Redis engine, against real servers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy takes helpers of a test crate for product code"
)]

#[path = "../support/redis_server.rs"]
mod redis_server;

mod evicted;
mod faults;
mod interrupted;
mod listing;
mod message;
mod parcel;
mod proxy;
mod recent;
mod scripts;
mod servers;
mod spread;
mod topologies;
