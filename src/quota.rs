//! Pauses that WeChat's call limits ask for.

use std::time::Duration;

use jiff::{Timestamp, ToSpan};

use crate::calendar::shanghai;
use crate::store::{Millis, Pause};
use crate::wechat::errcode::Outcome;

/// The pause that an answer calls for: 45009 until midnight, 45011 until the next minute.
pub fn pause(outcome: Outcome, errcode: i64, now: Timestamp) -> Option<Pause> {
    let until: Millis = match outcome {
        Outcome::ThrottledDay => shanghai(now)
            .start_of_day()
            .and_then(|midnight| midnight.checked_add(1.day()))
            .ok()?
            .timestamp()
            .as_millisecond(),
        Outcome::ThrottledMinute => (now.as_millisecond().div_euclid(60_000) + 1) * 60_000,
        _ => return None,
    };
    Some(Pause { errcode, until })
}

/// How long a pause lasts from now.
pub fn left(until: Millis) -> Duration {
    Duration::from_millis(u64::try_from(until.saturating_sub(Timestamp::now().as_millisecond())).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::shown;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_daily_limit_rests_until_midnight_and_that_of_the_minute_until_the_next() {
        let midnight = pause(Outcome::ThrottledDay, 45009, at("2026-11-21T10:30:15.500Z")).unwrap();
        assert_eq!(midnight, Pause { errcode: 45009, until: at("2026-11-21T16:00:00Z").as_millisecond() });
        assert_eq!(shown(midnight.until), "2026-11-22 00:00:00");
        let minute = pause(Outcome::ThrottledMinute, 45011, at("2026-11-21T10:30:15.500Z")).unwrap();
        assert_eq!(minute.until, at("2026-11-21T10:31:00Z").as_millisecond());
        let just = pause(Outcome::ThrottledMinute, 45011, at("2026-11-21T10:30:00Z")).unwrap();
        assert_eq!(just.until, at("2026-11-21T10:31:00Z").as_millisecond());
    }

    #[test]
    fn no_other_outcome_pauses() {
        for outcome in [Outcome::Delivered, Outcome::RefusedUser, Outcome::ThrottledUser, Outcome::RetryLater] {
            assert_eq!(pause(outcome, 1, at("2026-11-21T10:30:15Z")), None);
        }
    }
}
