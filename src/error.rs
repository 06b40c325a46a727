//! Why a call ends without a verdict from WeChat. Each variant is one PHP exception class.

use crate::language::{Language, Text};

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting is missing, unknown or wrong, or WeChat says that account and secret do not fit.
    #[error("{text}")]
    Config {
        /// What is wrong and how to put it right.
        text: Text,
        /// WeChat's errcode, or 0 where the fault was found here.
        code: i64,
    },
    /// There was no usable answer.
    #[error("{text}")]
    Transport {
        /// What failed, at which stage.
        text: Text,
        /// Whether the request may have reached WeChat, so that a message may have been delivered.
        ambiguous: bool,
    },
    /// WeChat refused, or certainly would, in a call that has no answer array of its own: `accessToken()`, `queue()`.
    #[error("{text}")]
    Refused {
        /// WeChat's errmsg and what to do.
        text: Text,
        /// WeChat's errcode.
        code: i64,
    },
    /// The store cannot serve a call that is about nothing else.
    #[error("{0}")]
    Store(Text),
    /// An argument has the right type but no usable value.
    #[error("{0}")]
    Value(Text),
    /// An argument has the wrong type.
    #[error("{0}")]
    Type(Text),
}

impl Error {
    /// A fault in the settings that was found here.
    pub fn config(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Config { text: Text::new(zh, en), code: 0 }
    }

    /// An unusable value.
    pub fn value(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::Value(Text::new(zh, en))
    }

    /// The message in one language.
    pub fn message(&self, language: Language) -> &str {
        match self {
            Self::Config { text, .. } | Self::Transport { text, .. } | Self::Refused { text, .. } => text,
            Self::Store(text) | Self::Value(text) | Self::Type(text) => text,
        }
        .in_language(language)
    }
}
