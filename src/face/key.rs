//! Keys of PHP's arrays.

use std::fmt;

use crate::language::plain_text;

/// A key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// An int.
    Int(i64),
    /// A string: any bytes.
    Text(Vec<u8>),
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(number) => number.fmt(formatter),
            Self::Text(bytes) => {
                let shown: String = plain_text(&String::from_utf8_lossy(bytes)).chars().take(64).collect();
                write!(formatter, "“{shown}”")
            }
        }
    }
}
