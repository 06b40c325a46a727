//! What a bulk as a whole wants, and what became of it.

use crate::answer::Answer;
use crate::config::parse_concurrency;
use crate::error::Error;
use crate::message::Input;
use crate::options::Options;
use crate::store::MessageId;
use crate::wechat::errcode::Outcome;

/// The `$options` of `sendMany()`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BulkOptions {
    /// What each message wants that does not say otherwise.
    pub defaults: Options,
    /// How many requests are in flight at once; `None` means as the settings say.
    pub concurrency: Option<usize>,
}

impl BulkOptions {
    /// Reads the array. Its callables (`progress`, `each`) are the edge's.
    pub fn read(options: Input<'_>) -> Result<Self, Error> {
        let mut concurrency = None;
        let mut defaults = Vec::new();
        let members = match options {
            Input::Map(members) => members,
            other => return Options::read_for_send(&other).map(|defaults| Self { defaults, concurrency: None }),
        };
        for (name, value) in members {
            match (name.as_ref(), value) {
                (b"progress" | b"each", _) | (_, Input::Null) => {}
                (b"concurrency", value) => {
                    let number = match value {
                        Input::Int(_) | Input::Text(_) => parse_concurrency(&value.shown()),
                        _ => None,
                    };
                    concurrency = Some(number.ok_or_else(|| wrong_concurrency(&value))?);
                }
                (b"key", _) => {
                    return Err(Error::value(
                        "sendMany()：选项 key 属于单条消息，请写在该消息的 options 中",
                        "sendMany(): option key belongs to one message; put it into that message's options",
                    ));
                }
                (_, value) => defaults.push((name, value)),
            }
        }
        Ok(Self { defaults: Options::read_for_send(&Input::Map(defaults))?, concurrency })
    }
}

fn wrong_concurrency(value: &Input<'_>) -> Error {
    let shown: String = crate::language::plain_text(&value.shown()).chars().take(64).collect();
    Error::value(
        format!("选项 concurrency 只能是 1 … 256，给出的是“{shown}”"),
        format!("option concurrency is 1 … 256, \"{shown}\" given"),
    )
}

/// How one message of a bulk ended.
#[derive(Debug)]
pub struct Ended {
    /// The verdict, or why there is none.
    pub result: Result<Answer, Error>,
    /// The id of its delivery row, also where there is no verdict.
    pub id: Option<MessageId>,
    /// How often it was posted.
    pub attempts: u32,
}

/// How many messages of a bulk ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// All of them.
    pub total: u64,
    /// WeChat has accepted them, now or at an earlier call with the same key.
    pub delivered: u64,
    /// WeChat, or the check here, has refused them.
    pub refused: u64,
    /// They may have reached WeChat.
    pub unknown: u64,
    /// They certainly did not.
    pub not_sent: u64,
}

impl Summary {
    pub(super) fn add(&mut self, result: &Result<Answer, Error>) {
        self.total += 1;
        let count = match result {
            Ok(answer) if answer.outcome == Outcome::Delivered => &mut self.delivered,
            Ok(_) => &mut self.refused,
            Err(Error::Transport { ambiguous: true, .. }) => &mut self.unknown,
            Err(_) => &mut self.not_sent,
        };
        *count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &'static str, value: Input<'static>) -> Result<BulkOptions, Error> {
        BulkOptions::read(Input::Map(vec![(name.as_bytes().into(), value)]))
    }

    #[test]
    fn a_bulk_takes_the_options_of_a_message_and_its_own() {
        assert_eq!(read("concurrency", Input::Int(8)).unwrap().concurrency, Some(8));
        assert_eq!(read("concurrency", Input::text("256")).unwrap().concurrency, Some(256));
        assert_eq!(read("state", Input::text("trial")).unwrap().defaults.state, Some("trial"));
        assert_eq!(read("each", Input::Unusable("Closure".into())).unwrap(), BulkOptions::default());
        for wrong in [Input::Int(0), Input::Int(257), Input::Bool(true), Input::text("many")] {
            assert!(read("concurrency", wrong).unwrap_err().to_string().contains("1 … 256"));
        }
        assert!(read("key", Input::text("k")).unwrap_err().to_string().contains("one message"));
        let unknown = read("timeout", Input::Int(1)).unwrap_err().to_string();
        assert!(
            unknown.contains("timeout_ms") && unknown.contains("sendMany(): concurrency, progress, each"),
            "{unknown}"
        );
    }
}
