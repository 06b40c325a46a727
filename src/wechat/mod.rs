//! WeChat's server API: hosts, connections, endpoints and errcodes.

pub mod api;
pub mod circuit;
pub mod client;
pub mod data;
pub mod errcode;
pub mod route;
mod tracked_body;
pub mod wire;

// Where the send path still looks for it.
pub use crate::network::deadline;
