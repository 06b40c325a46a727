//! `time` and `date`: points in time and ranges of them, as WeChat documents them.
//!
//! A `time` may be a bare date (widely sent, never seen refused); a `date` needs its date. Ranges are joined with an ASCII `~`.
//! The check follows the documented forms and lets pass what is only unusual; `repair` turns what programs produce into them.

mod reader;
mod repair;
mod written;

use super::flaw::{Fit, Flaw};
use super::glyph;
use super::table::{FieldType, Kind};

/// Longer texts are no point in time, whatever they hold. In bytes.
const LONGEST: usize = 160;

/// How a text stands to the documented forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Exactly a documented form.
    Documented,
    /// Unusual spacing around documented parts: nobody knows.
    Unusual,
}

/// One point in time, as far as it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Point {
    has_date: bool,
}

pub(super) fn check(row: &FieldType, text: &str) -> Result<(), Flaw> {
    let trimmed = Flaw::unless_filled(text)?;
    match read(trimmed) {
        Some((first, _)) if first.has_date || row.kind == Kind::Time => Ok(()),
        _ => Err(Flaw::format(row)),
    }
}

pub(super) fn fit<'a>(row: &FieldType, text: &'a str) -> Fit<'a> {
    let trimmed = glyph::trim(text);
    if matches!(read(trimmed), Some((_, Form::Documented))) || trimmed.len() > LONGEST {
        return Fit::new(trimmed, "space");
    }
    match repair::repair(trimmed) {
        Some(repaired) if check(row, &repaired).is_ok() => Fit::new(repaired, "date"),
        _ => Fit::new(trimmed, "space"),
    }
}

/// Reads a point or a range; `None` where the text is neither.
fn read(text: &str) -> Option<(Point, Form)> {
    let mut cursor = Cursor { rest: text, form: Form::Documented };
    let first = point(&mut cursor)?;
    let before = cursor.spaces();
    if cursor.rest.is_empty() {
        return Some((first, cursor.form));
    }
    cursor.eat('~').then_some(())?;
    if before + cursor.spaces() > 0 {
        cursor.form = Form::Unusual;
    }
    point(&mut cursor)?;
    cursor.rest.is_empty().then_some((first, cursor.form))
}

fn point(cursor: &mut Cursor<'_>) -> Option<Point> {
    let start = cursor.rest;
    if clock(cursor).is_some() {
        return Some(Point { has_date: false });
    }
    cursor.rest = start;
    let is_chinese = date(cursor)?;
    let end = cursor.rest;
    let spaces = cursor.spaces();
    // 日 ends a date by itself; digits need a space behind them.
    if (spaces > 0 || is_chinese) && cursor.starts_with_digit() {
        clock(cursor)?;
        if spaces != 1 {
            cursor.form = Form::Unusual;
        }
    } else {
        cursor.rest = end;
    }
    Some(Point { has_date: true })
}

/// `y年m月d日`, `y年m月`, `m月d日`, or with `-`, `/`, `.`: `y-m-d`, `y-m`, `m-d`. Answers whether the date is written in Chinese.
fn date(cursor: &mut Cursor<'_>) -> Option<bool> {
    let (first, width) = cursor.number(4)?;
    if cursor.eat('年') {
        if width != 2 && width != 4 {
            return None;
        }
        month(cursor.number(2)?.0)?;
        cursor.eat('月').then_some(())?;
        if cursor.starts_with_digit() {
            day(cursor.number(2)?.0)?;
            cursor.eat('日').then_some(())?;
        }
        return Some(true);
    }
    if cursor.eat('月') {
        month(first)?;
        day(cursor.number(2)?.0)?;
        cursor.eat('日').then_some(())?;
        return Some(true);
    }
    let separator = ['-', '/', '.'].into_iter().find(|&separator| cursor.eat(separator))?;
    let second = cursor.number(2)?.0;
    let before_third = cursor.rest;
    let third = if cursor.eat(separator) { cursor.number(2) } else { None };
    match (width, third) {
        (4, Some((third, _))) => (month(second)?, day(third)?),
        (4, None) => (month(second)?, 1),
        // A year of two digits: unusual, but nobody knows.
        (2, Some((third, _))) => {
            cursor.form = Form::Unusual;
            (month(second)?, day(third)?)
        }
        (1 | 2, None) => (month(first)?, day(second)?),
        _ => return None,
    };
    if third.is_none() {
        cursor.rest = before_third;
    }
    Some(false)
}

fn month(number: u32) -> Option<u32> {
    (1..=12).contains(&number).then_some(number)
}

fn day(number: u32) -> Option<u32> {
    (1..=31).contains(&number).then_some(number)
}

/// `H:MM` or `H:MM:SS` on a clock of 24 hours.
fn clock(cursor: &mut Cursor<'_>) -> Option<()> {
    let (hour, _) = cursor.number(2)?;
    cursor.eat(':').then_some(())?;
    let (minute, width) = cursor.number(2)?;
    if hour > 24 || minute > 59 || width != 2 {
        return None;
    }
    if cursor.eat(':') {
        let (second, width) = cursor.number(2)?;
        if second > 60 || width != 2 {
            return None;
        }
    }
    Some(())
}

/// The text that has not been read yet.
struct Cursor<'a> {
    rest: &'a str,
    form: Form,
}

impl Cursor<'_> {
    fn eat(&mut self, wanted: char) -> bool {
        self.rest.strip_prefix(wanted).map(|rest| self.rest = rest).is_some()
    }

    /// A number of at most `width` digits, and how many it has.
    fn number(&mut self, width: usize) -> Option<(u32, usize)> {
        let digits = self.rest.bytes().take(width).take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.rest.split_at_checked(digits)?;
        self.rest = rest;
        Some((number.parse().ok()?, digits))
    }

    fn starts_with_digit(&self) -> bool {
        self.rest.as_bytes().first().is_some_and(u8::is_ascii_digit)
    }

    fn spaces(&mut self) -> usize {
        let rest = self.rest.trim_start_matches(' ');
        let count = self.rest.len() - rest.len();
        self.rest = rest;
        count
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::FIELD_TYPES;
    use super::*;

    fn row(prefix: &str) -> &'static FieldType {
        FIELD_TYPES.iter().find(|row| row.prefix == prefix).unwrap()
    }

    #[test]
    fn the_documented_forms_pass_in_both_types() {
        for text in [
            "2019年10月1日 15:01",
            "2019年10月1日",
            "2019年10月",
            "10月1日",
            "2018-01-01",
            "2018/01/01",
            "2018.01.01",
            "2018-01",
            "01-01",
            "2023-2-2",
            "2024-06-23 20:29:53",
            "2020-06-22 15:36",
            "2021年10月25日 09:00~09:30",
            "2026-09-07~2026-09-20",
            "2025-03-13 12:00~2025-03-14 14:00",
            "2019年11月27日16:44",
            "2024年2月29日  9:05",
        ] {
            assert!(check(row("time"), text).is_ok(), "time {text}");
            assert!(check(row("date"), text).is_ok(), "date {text}");
        }
    }

    #[test]
    fn a_clock_time_is_a_time_but_no_date() {
        for text in ["15:01", "9:05", "06:00:00~08:30:00", "24:00"] {
            assert!(check(row("time"), text).is_ok(), "{text}");
            assert_eq!(check(row("date"), text).unwrap_err().rule, "format", "{text}");
        }
    }

    #[test]
    fn what_wechat_refuses_is_refused() {
        for text in [
            "2021年10月25日 09:00～09:30",
            "2022-01-27 15:00-16:00",
            "2025年03月13日-2025年03月14日",
            "2025年03月13日 - 2025年03月14日",
            "2024-07-24 08~12",
            "1708432089530",
            "1708432089",
            ":2020年4月12日",
            "时间未知",
            "2026-01-01T10:00",
            "2024?06?28? 20:55",
            "message2",
            "-",
            "25:00",
            "12:60",
            "2024-13-01",
            "2024-01-32",
            "2025-04-119 10:44",
            "2024",
            "2024年",
            "2024-01-01 ~",
            "~2024-01-01",
            "10:00~11:00~12:00",
            "2024-01-0110:00",
        ] {
            assert_eq!(check(row("time"), text).unwrap_err().rule, "format", "{text}");
            assert_eq!(check(row("date"), text).unwrap_err().rule, "format", "{text}");
        }
        assert_eq!(check(row("time"), " ").unwrap_err().rule, "empty");
    }

    #[test]
    fn a_documented_value_is_not_touched() {
        for text in ["2023-2-2", "2024-06-23 20:29:53", "15:01", "2021年10月25日 09:00~09:30"] {
            assert_eq!(fit(row("time"), text).value, text);
        }
        assert_eq!(fit(row("date"), " 2023-2-2\n").value, "2023-2-2");
    }

    #[test]
    #[cfg_attr(miri, ignore = "millions of steps")]
    fn a_text_of_any_length_is_read_in_bounded_time() {
        let long = "2024-01-01 ".repeat(1_000_000);
        assert!(check(row("time"), &long).is_err());
        assert_eq!(fit(row("time"), &long).value.len(), long.len() - 1);
    }
}
