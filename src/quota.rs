//! Days and pauses of WeChat's call limits.

use std::time::Duration;

use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};

use crate::store::{Millis, Pause};
use crate::wechat::errcode::Outcome;

/// WeChat counts its days in Asia/Shanghai, which has had no other offset since 1991.
const SHANGHAI: i8 = 8;

fn shanghai(now: Timestamp) -> jiff::Zoned {
    now.to_zoned(TimeZone::fixed(Offset::constant(SHANGHAI)))
}

/// The day of a moment, `yyyymmdd` in Asia/Shanghai.
pub fn day(now: Timestamp) -> u32 {
    let date = shanghai(now).date();
    let (year, month, day) = (date.year().unsigned_abs(), date.month().unsigned_abs(), date.day().unsigned_abs());
    u32::from(year) * 10_000 + u32::from(month) * 100 + u32::from(day)
}

/// The month of a moment, `yyyymm` in Asia/Shanghai.
pub fn month(now: Timestamp) -> u32 {
    day(now) / 100
}

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

/// The end of a pause as a person reads it, Asia/Shanghai.
pub fn shown(at: Millis) -> String {
    Timestamp::from_millisecond(at).map(|at| shanghai(at).strftime("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_ends_at_midnight_in_shanghai() {
        assert_eq!(day(at("2026-11-21T15:59:59.999Z")), 20_261_121);
        assert_eq!(day(at("2026-11-21T16:00:00Z")), 20_261_122);
        assert_eq!(day(at("2026-12-31T16:00:00Z")), 20_270_101);
        assert_eq!([month(at("2026-11-30T15:59:59Z")), month(at("2026-11-30T16:00:00Z"))], [202_611, 202_612]);
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
