//! Enumerations as the numbers that the tables hold, and numbers as Rust has them. A number once given is never reused.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::types::Type;
use rusqlite::{Error, Row};

use super::outbox::{Stay, Wait};
use crate::config::GrantPolicy;
use crate::message::Channel;
use crate::store::{Choice, Grant, MessageId, Millis, State};

const STATES: [State; 7] =
    [State::Sending, State::Delivered, State::Refused, State::NotSent, State::Unknown, State::Queued, State::Expired];
const CHANNELS: [Channel; 3] = [Channel::Subscribe, Channel::Bizsend, Channel::Template];
const CHOICES: [Choice; 4] = [Choice::Accept, Choice::Reject, Choice::Ban, Choice::Filter];
const GRANTS: [Grant; 4] = [Grant::Reserved, Grant::OnCredit, Grant::LongTerm, Grant::Uncounted];
const POLICIES: [GrantPolicy; 3] = [GrantPolicy::Off, GrantPolicy::Certain, GrantPolicy::Strict];
const WAITS: [Wait; 3] = [Wait::Nothing, Wait::Time, Wait::Lease];
const STAYS: [Stay; 3] = [Stay::Never, Stay::Within, Stay::Left];

/// An enumeration that the tables hold as a number.
pub(super) trait Code: Copy + PartialEq + 'static {
    /// All values, in the order of their numbers.
    const ALL: &'static [Self];

    /// Its number.
    fn code(self) -> i64 {
        Self::ALL.iter().zip(0..).find_map(|(value, code)| (*value == self).then_some(code)).unwrap_or(-1)
    }

    /// The value of a number, if it is one's.
    fn from_code(code: i64) -> Option<Self> {
        usize::try_from(code).ok().and_then(|index| Self::ALL.get(index)).copied()
    }

    /// From a column.
    fn read(row: &Row<'_>, column: usize) -> rusqlite::Result<Self> {
        let code: i64 = row.get(column)?;
        Self::from_code(code).ok_or(Error::IntegralValueOutOfRange(column, code))
    }
}

impl Code for State {
    const ALL: &'static [Self] = &STATES;
}

impl Code for Channel {
    const ALL: &'static [Self] = &CHANNELS;
}

impl Code for Choice {
    const ALL: &'static [Self] = &CHOICES;
}

impl Code for Grant {
    const ALL: &'static [Self] = &GRANTS;
}

impl Code for GrantPolicy {
    const ALL: &'static [Self] = &POLICIES;
}

impl Code for Wait {
    const ALL: &'static [Self] = &WAITS;
}

impl Code for Stay {
    const ALL: &'static [Self] = &STAYS;
}

/// A column that may be NULL.
pub(super) fn read_optional<T: Code>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    match row.get::<_, Option<i64>>(column)? {
        Some(_) => T::read(row, column).map(Some),
        None => Ok(None),
    }
}

/// A count or fence, never negative.
pub(super) fn read_count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| Error::IntegralValueOutOfRange(column, number))
}

/// An id of 16 bytes.
pub(super) fn read_id(row: &Row<'_>, column: usize) -> rusqlite::Result<MessageId> {
    let bytes: Vec<u8> = row.get(column)?;
    let length = bytes.len();
    <[u8; 16]>::try_from(bytes)
        .map(MessageId::from_bytes)
        .map_err(|_| Error::FromSqlConversionFailure(column, Type::Blob, format!("an id of {length} bytes").into()))
}

/// A count as SQLite keeps it.
pub(super) fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A duration in the unit of the tables.
pub(super) fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

/// A difference of two times as a duration; nothing if it is negative.
pub(super) fn duration(millis: Millis) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// The clock of this engine. With the feature `failpoints`, a test can set it: so many milliseconds ahead (`clock`).
pub(super) fn now() -> Millis {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis);
    #[cfg(feature = "failpoints")]
    fail::fail_point!("clock", |ahead| now + ahead.and_then(|ahead| ahead.parse::<Millis>().ok()).unwrap_or(0));
    now
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_own_number() {
        let mut codes = State::ALL.map(Code::code).to_vec();
        codes.sort_unstable();
        assert_eq!(codes, (0..7).collect::<Vec<i64>>());
    }
}
