//! WeChat's calendar: days, months and moments in Asia/Shanghai, in which it counts calls and ends pauses.

use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};

use crate::store::Millis;

/// Asia/Shanghai has had no other offset since 1991.
const SHANGHAI: i8 = 8;

/// A moment as clocks in China show it.
pub fn shanghai(moment: Timestamp) -> Zoned {
    moment.to_zoned(TimeZone::fixed(Offset::constant(SHANGHAI)))
}

/// The day of a moment, `yyyymmdd`.
pub fn day(now: Timestamp) -> u32 {
    let date = shanghai(now).date();
    let (year, month, day) = (date.year().unsigned_abs(), date.month().unsigned_abs(), date.day().unsigned_abs());
    u32::from(year) * 10_000 + u32::from(month) * 100 + u32::from(day)
}

/// The month of a moment, `yyyymm`.
pub fn month(now: Timestamp) -> u32 {
    day(now) / 100
}

/// A moment as a person reads it.
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
}
