//! What WeChat says of a message after it has accepted it (`subscribe_msg_sent_event`, `TEMPLATESENDJOBFINISH`).

use super::Millis;

/// How many of a receiver's newest rows are searched for a message.
pub const RECEIPT_ROWS: usize = 200;

/// The arrival of one message, or its failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt<'a> {
    /// The account.
    pub appid: &'a str,
    /// The receiver, as delivery rows show him.
    pub shown_openid: &'a str,
    /// WeChat's id of the message.
    pub msgid: &'a str,
    /// `success`, or WeChat's words for the failure.
    pub text: &'a str,
    /// When WeChat said so.
    pub at: Millis,
}
