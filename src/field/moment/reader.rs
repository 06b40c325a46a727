//! Reads points in time in the many ways in which programs and people write them.

use super::written::{Clock, Date, Point, Style};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joiner {
    Tilde,
    Dash,
}

/// The text that has not been read yet.
pub(super) struct Cursor<'a> {
    pub(super) rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn eat(&mut self, wanted: &str) -> bool {
        self.rest.strip_prefix(wanted).map(|rest| self.rest = rest).is_some()
    }

    fn eat_any(&mut self, wanted: &[&str]) -> bool {
        wanted.iter().any(|wanted| self.eat(wanted))
    }

    pub(super) fn spaces(&mut self) -> usize {
        let rest = self.rest.trim_start_matches(' ');
        let count = self.rest.len() - rest.len();
        self.rest = rest;
        count
    }

    fn digits(&mut self, width: usize) -> Option<&'a str> {
        let count = self.rest.bytes().take(width).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        (!digits.is_empty()).then_some(digits)
    }

    fn number(&mut self, width: usize) -> Option<u32> {
        self.digits(width)?.parse().ok()
    }

    /// Tries a reading; on failure nothing has been read.
    fn attempt<T>(&mut self, reading: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let start = self.rest;
        let result = reading(self);
        if result.is_none() {
            self.rest = start;
        }
        result
    }

    pub(super) fn joiner(&mut self) -> Option<Joiner> {
        let joiner = if self.eat_any(&["~", "至", "到"]) {
            Joiner::Tilde
        } else if self.eat_any(&["--", "-"]) {
            Joiner::Dash
        } else {
            return None;
        };
        self.spaces();
        Some(joiner)
    }

    /// One point in time. `bare_hour` allows `12` for 12:00, which only the end of a range `08~12` may mean.
    pub(super) fn point(&mut self, bare_hour: bool) -> Option<Point<'a>> {
        if let Some(clock) = self.attempt(Self::clock) {
            return Some(Point { date: None, clock: Some(clock), zone: None });
        }
        if let Some(date) = self.attempt(Self::date) {
            let end = self.rest;
            let spaced = self.spaces() > 0;
            let is_iso = !spaced && (self.eat("T") || self.eat("t"));
            let separated = spaced || is_iso || date.style == Style::Chinese;
            let mut clock = if separated { self.attempt(Self::clock) } else { None };
            if clock.is_none() && spaced {
                clock = self.attempt(Self::hour_of_range);
            }
            if clock.is_none() {
                self.rest = end;
            }
            let zone = clock.and_then(|clock| self.attempt(|cursor| cursor.zone(is_iso && clock.second.is_some())));
            return Some(Point { date: Some(date), clock, zone });
        }
        if bare_hour {
            let clock = self.attempt(|cursor| {
                let written = cursor.digits(2)?;
                cursor.rest.is_empty().then(|| whole_hour(written)).flatten()
            })?;
            return Some(Point { date: None, clock: Some(clock), zone: None });
        }
        None
    }

    /// `08` in `2024-07-24 08~12`.
    fn hour_of_range(&mut self) -> Option<Clock<'a>> {
        let written = self.digits(2)?;
        let follows = self.rest.trim_start_matches(' ');
        let is_range = ["~", "至", "到"].iter().any(|joiner| follows.starts_with(joiner));
        is_range.then(|| whole_hour(written)).flatten()
    }

    fn date(&mut self) -> Option<Date<'a>> {
        let first = self.digits(4)?;
        if self.eat("年") {
            // `yyyy年-MM月-dd日` is a format string that people do write.
            self.eat("-");
            self.spaces();
            let month = self.digits(2)?;
            self.eat("月").then_some(())?;
            let day = self.attempt(|cursor| {
                cursor.eat("-");
                cursor.spaces();
                let day = cursor.digits(2)?;
                cursor.eat_any(&["日", "号"]).then_some(day)
            });
            return Some(Date { parts: [Some(first), Some(month), day], style: Style::Chinese });
        }
        if self.eat("月") {
            self.spaces();
            let day = self.digits(2)?;
            self.eat_any(&["日", "号"]).then_some(())?;
            return Some(Date { parts: [None, Some(first), Some(day)], style: Style::Chinese });
        }
        let separator = ['-', '/', '.'].into_iter().find(|&separator| self.eat(separator.encode_utf8(&mut [0; 4])))?;
        let style = Style::Separated(separator);
        let second = self.digits(2)?;
        let third = self.attempt(|cursor| {
            cursor.eat(separator.encode_utf8(&mut [0; 4])).then_some(())?;
            cursor.digits(2)
        });
        match (first.len(), third) {
            (4, third) => Some(Date { parts: [Some(first), Some(second), third], style }),
            (_, None) => Some(Date { parts: [None, Some(first), Some(second)], style }),
            _ => None,
        }
    }

    /// `15:01`, `15:01:02.345`, `15时01分02秒`, `15点`, `下午3:01`, `3:01 PM`.
    fn clock(&mut self) -> Option<Clock<'a>> {
        let before = self.half_of_day();
        self.spaces();
        let written = self.digits(2)?;
        let mut hour: u32 = written.parse().ok()?;
        let mut second = None;
        let minute;
        if self.eat(":") {
            minute = self.number(2)?;
            if self.eat(":") {
                second = Some(self.number(2)?);
                self.attempt(|cursor| {
                    cursor.eat_any(&[".", ","]).then_some(())?;
                    cursor.digits(9)
                });
            }
        } else if self.eat_any(&["时", "点"]) {
            self.spaces();
            if self.eat("半") {
                minute = 30;
            } else {
                minute = self
                    .attempt(|cursor| {
                        let minute = cursor.number(2)?;
                        cursor.eat("分").then_some(minute)
                    })
                    .unwrap_or(0);
                second = self.attempt(|cursor| {
                    let second = cursor.number(2)?;
                    cursor.eat("秒").then_some(second)
                });
                self.eat("整");
            }
        } else {
            return None;
        }
        let half = match before {
            Some(half) => Some(half),
            None => self.attempt(|cursor| {
                cursor.spaces();
                cursor.half_of_day()
            }),
        };
        let mut kept = Some(written).filter(|written| written.len() == 2);
        if let Some(half) = half {
            if !(1..=12).contains(&hour) {
                return None;
            }
            hour = hour % 12 + if half == Half::Afternoon { 12 } else { 0 };
            kept = None;
        }
        (hour <= 24 && minute <= 59 && second.is_none_or(|second| second <= 59)).then_some(())?;
        Some(Clock { hour, written: kept, minute, second })
    }

    fn half_of_day(&mut self) -> Option<Half> {
        if self.eat_any(&["上午", "AM", "am"]) {
            Some(Half::Morning)
        } else if self.eat_any(&["下午", "PM", "pm"]) {
            Some(Half::Afternoon)
        } else {
            None
        }
    }

    /// `Z`, `UTC`, `+08:00`, `+0800`, `+08`; `-05:00` only where it cannot be the end of a range.
    fn zone(&mut self, allow_west: bool) -> Option<i32> {
        self.spaces();
        if self.eat_any(&["Z", "z", "UTC", "GMT"]) && !self.rest.starts_with(['+', '-']) {
            return Some(0);
        }
        let sign = if self.eat("+") {
            1
        } else if allow_west && self.eat("-") {
            -1
        } else {
            return None;
        };
        let hours = self.digits(2).filter(|digits| digits.len() == 2)?;
        self.eat(":");
        let minutes = self.attempt(|cursor| cursor.digits(2).filter(|digits| digits.len() == 2)).unwrap_or("0");
        let (hours, minutes) = (hours.parse::<i32>().ok()?, minutes.parse::<i32>().ok()?);
        (hours <= 14 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Morning,
    Afternoon,
}

fn whole_hour(written: &str) -> Option<Clock<'_>> {
    let hour: u32 = written.parse().ok()?;
    (hour <= 24).then_some(Clock { hour, written: None, minute: 0, second: None })
}
