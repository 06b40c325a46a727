//! WeChat's server API: connections, endpoints and errcodes.

pub mod api;
pub mod client;
pub mod deadline;
pub mod errcode;
pub(crate) mod resolve;
pub(crate) mod roots;
mod tracked_body;
