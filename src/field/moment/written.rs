//! A point in time as a program wrote it, and how it is written for WeChat.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

/// WeChat shows times as they are sent, and its users are on this clock.
const SHANGHAI_HOURS: i8 = 8;

pub(super) fn in_shanghai(instant: Timestamp) -> Option<String> {
    let offset = Offset::from_hours(SHANGHAI_HOURS).ok()?;
    Some(instant.to_zoned(TimeZone::fixed(offset)).strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// A date as it was written: its numbers and what stood between them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Date<'a> {
    pub(super) parts: [Option<&'a str>; 3],
    pub(super) style: Style,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Chinese,
    Separated(char),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Clock<'a> {
    pub(super) hour: u32,
    /// The hour as written, unless a half of the day changed it.
    pub(super) written: Option<&'a str>,
    pub(super) minute: u32,
    pub(super) second: Option<u32>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Point<'a> {
    pub(super) date: Option<Date<'a>>,
    pub(super) clock: Option<Clock<'a>>,
    /// Minutes east of Greenwich.
    pub(super) zone: Option<i32>,
}

impl Point<'_> {
    pub(super) fn write(&self) -> Option<String> {
        if let Some(minutes) = self.zone {
            return self.write_in_shanghai(minutes);
        }
        let mut written = String::new();
        if let Some(date) = &self.date {
            date.write(&mut written);
        }
        if let Some(clock) = &self.clock {
            if !written.is_empty() {
                written.push(' ');
            }
            match clock.written {
                Some(hour) => written.push_str(hour),
                None => written.push_str(&format!("{:02}", clock.hour)),
            }
            written.push_str(&format!(":{:02}", clock.minute));
            if let Some(second) = clock.second {
                written.push_str(&format!(":{second:02}"));
            }
        }
        Some(written)
    }

    /// A time with a zone needs its whole date to be moved to another zone.
    fn write_in_shanghai(&self, minutes: i32) -> Option<String> {
        let clock = self.clock?;
        let [Some(year), Some(month), Some(day)] = self.date?.parts else { return None };
        let local = DateTime::new(
            year.parse().ok()?,
            month.parse().ok()?,
            day.parse().ok()?,
            i8::try_from(clock.hour).ok()?,
            i8::try_from(clock.minute).ok()?,
            i8::try_from(clock.second.unwrap_or(0)).ok()?,
            0,
        )
        .ok()?;
        let offset = Offset::from_seconds(minutes.checked_mul(60)?).ok()?;
        in_shanghai(offset.to_timestamp(local).ok()?)
    }
}

impl Date<'_> {
    fn write(&self, out: &mut String) {
        let [year, month, day] = self.parts;
        match self.style {
            Style::Chinese => {
                for (part, unit) in [(year, '年'), (month, '月'), (day, '日')] {
                    if let Some(part) = part {
                        out.push_str(part);
                        out.push(unit);
                    }
                }
            }
            Style::Separated(separator) => {
                for part in [year, month, day].into_iter().flatten() {
                    if !out.is_empty() {
                        out.push(separator);
                    }
                    out.push_str(part);
                }
            }
        }
    }
}
