//! Why a request to the push address is not taken. Anybody can send one, so this is an answer and no exception.

use crate::language::Text;

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It has no signature, timestamp or nonce.
    Unsigned,
    /// Its signature is not the account's.
    BadSignature,
    /// It was signed too long ago, or in the future.
    Stale,
    /// It is not encrypted, and the account's pushes are.
    NotEncrypted,
    /// It is genuine and encrypted, and the account has no key: a fault of the settings, not of the request.
    NoKey,
    /// No key of the account opens it.
    Undecryptable,
    /// It is for another account.
    WrongAppid,
    /// It is no message.
    Malformed,
    /// It is larger than any message.
    TooLarge,
}

impl Reason {
    /// The name that PHP shows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::BadSignature => "bad_signature",
            Self::Stale => "stale",
            Self::NotEncrypted => "not_encrypted",
            Self::NoKey => "no_key",
            Self::Undecryptable => "undecryptable",
            Self::WrongAppid => "wrong_appid",
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
        }
    }

    /// The HTTP status to answer with. All that has to do with keys gets the same one, so that the answer tells nobody how far a
    /// forged text came.
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed => 400,
            Self::TooLarge => 413,
            _ => 403,
        }
    }
}

/// A refusal, with what to do about it if the request was genuine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub reason: Reason,
    /// What to look at, for the shop's developer.
    pub hint: Text,
}

impl Refusal {
    /// A refusal.
    pub fn new(reason: Reason, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { reason, hint: Text::new(zh, en) }
    }

    pub(super) fn malformed(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(Reason::Malformed, zh, en)
    }
}
