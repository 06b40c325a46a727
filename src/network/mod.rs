//! What every connection needs, to WeChat as to Redis: an end of its waiting, an address, and TLS.

pub mod deadline;
pub(crate) mod resolve;
pub(crate) mod tls;
