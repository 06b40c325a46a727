//! WeChat's server API: hosts, connections, endpoints and errcodes.

mod address;
pub mod api;
pub mod circuit;
pub mod client;
pub mod data;
pub mod errcode;
pub mod route;
mod tracked_body;
pub mod wire;
