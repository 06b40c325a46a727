//! What the processes of one machine know of the route to WeChat.

/// A record, and which one it is. The store only keeps it; `wechat::circuit` gives it its meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// A number that its writer drew at random, 1 to 2^63 - 1: no two records have the same.
    pub version: u64,
    /// The record, text.
    pub record: String,
}
