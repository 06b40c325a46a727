//! How often an API was called, and until when it rests.

use super::Millis;

/// An API that WeChat has said not to call before a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// 45009 or 45011.
    pub errcode: i64,
    /// When it ends.
    pub until: Millis,
}

/// One API on one day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Calls that were counted.
    pub calls: u64,
    /// The pause that holds now.
    pub pause: Option<Pause>,
}
