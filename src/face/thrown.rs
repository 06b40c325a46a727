//! Which exception a failed call becomes. `php/` registers the classes, `ffi/src/exceptions.php` declares them.

use crate::error::Error;

/// A class of exceptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// `RoutineTemplate\ConfigException`.
    Config,
    /// `RoutineTemplate\RefusedException`.
    Refused,
    /// `RoutineTemplate\TransportException`.
    Transport,
    /// `RoutineTemplate\StoreException`.
    Store,
    /// PHP's `ValueError`.
    Value,
    /// PHP's `TypeError`.
    Type,
}

impl Class {
    /// That of an error.
    pub fn of(error: &Error) -> Self {
        match error {
            Error::Config { .. } => Self::Config,
            Error::Refused { .. } => Self::Refused,
            Error::Transport { .. } => Self::Transport,
            Error::Store(_) => Self::Store,
            Error::Value(_) => Self::Value,
            Error::Type(_) => Self::Type,
        }
    }
}

/// What `getCode()` answers: WeChat's errcode, else 0.
pub fn code(error: &Error) -> i64 {
    match error {
        Error::Config { code, .. } | Error::Refused { code, .. } => *code,
        _ => 0,
    }
}
