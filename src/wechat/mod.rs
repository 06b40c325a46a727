//! WeChat's server API: connections, endpoints and errcodes.

pub mod api;
pub mod client;
pub mod deadline;
pub mod errcode;
mod resolve;
mod roots;
mod tracked_body;
