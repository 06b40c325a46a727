//! Members of a request body, with errors that name the bad one.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// What is wrong with a request to `/__admin`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum BadRequest {
    #[error("the body is not a JSON object")]
    NotAnObject,
    #[error("{0}: missing")]
    Missing(&'static str),
    #[error("{name}: {reason}")]
    Invalid { name: &'static str, reason: String },
    #[error("{0}: unknown member")]
    Unknown(String),
    #[error("{0}: no such account")]
    NoAccount(&'static str),
    #[error("{0}")]
    Setting(String),
    #[error("{0}")]
    Choice(#[from] super::buyer::ChoiceError),
    #[error("events: too many watch already; close a page")]
    TooMany,
    #[error("path: no such operation")]
    NoOperation,
}

/// The members of a body; each is taken once, and `finish` refuses what is left.
pub(super) struct Members(Map<String, Value>);

impl Members {
    pub(super) fn parse(body: &[u8]) -> Result<Members, BadRequest> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => Ok(Members(members)),
            _ if body.is_empty() => Ok(Members(Map::new())),
            _ => Err(BadRequest::NotAnObject),
        }
    }

    /// The members of an object within a body.
    pub(super) fn of(object: Map<String, Value>) -> Members {
        Members(object)
    }

    pub(super) fn optional<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<Option<T>, BadRequest> {
        self.0
            .remove(name)
            .map(|value| {
                serde_json::from_value(value).map_err(|error| BadRequest::Invalid { name, reason: error.to_string() })
            })
            .transpose()
    }

    pub(super) fn required<T: DeserializeOwned>(&mut self, name: &'static str) -> Result<T, BadRequest> {
        self.optional(name)?.ok_or(BadRequest::Missing(name))
    }

    /// A member that must not be empty.
    pub(super) fn text(&mut self, name: &'static str) -> Result<String, BadRequest> {
        let text: String = self.required(name)?;
        if text.is_empty() {
            return Err(BadRequest::Invalid { name, reason: "empty".to_owned() });
        }
        Ok(text)
    }

    /// A member with one of the given words.
    pub(super) fn choice<T: Copy>(&mut self, name: &'static str, words: &[(&str, T)]) -> Result<Option<T>, BadRequest> {
        let Some(word) = self.optional::<String>(name)? else { return Ok(None) };
        match words.iter().find(|(known, _)| *known == word) {
            Some((_, value)) => Ok(Some(*value)),
            None => {
                let known: Vec<&str> = words.iter().map(|(known, _)| *known).collect();
                Err(BadRequest::Invalid { name, reason: format!("`{word}` is none of {}", known.join(", ")) })
            }
        }
    }

    pub(super) fn finish(self) -> Result<(), BadRequest> {
        match self.0.into_iter().next() {
            Some((name, _)) => Err(BadRequest::Unknown(name)),
            None => Ok(()),
        }
    }
}
