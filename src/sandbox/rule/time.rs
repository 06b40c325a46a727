//! time and date.

/// time: a clock time, with or without the date, or a range of two points joined by an ASCII `~`.
/// A date alone passes (wx-000eeec2, wx-00064858, wx-y3evUYoC: never named). Ranges of whole dates are unsettled
/// (wx-4fQenyqF, wx-5E9MBj; the width of their `~` is unknown) and pass; proven refusals are the full-width `～`
/// (wx-000e6edb-a, gh-snowmeet-fw), `-` as the sign of a range (wx-000e8eb1), hours without minutes (wx-00022e8d),
/// epoch numbers (wx-0004a61f) and `T`.
pub(super) fn is_time(value: &str) -> bool {
    is_point_or_range(value, |point| is_clock(point) || is_day_with_clock(point) || is_day(point))
}

/// date: year, month and day in the spellings of the note under the table, with or without a clock time, or a range.
/// A clock time without a date is none.
pub(super) fn is_date(value: &str) -> bool {
    is_point_or_range(value, |point| is_day_with_clock(point) || is_any_date(point))
}

/// `A`, `A~B`, or a date once with two clock times (`2021年10月25日 09:00~09:30`, wx-000e6edb-b).
fn is_point_or_range(value: &str, is_point: impl Fn(&str) -> bool) -> bool {
    match value.split_once('~') {
        None => is_point(value),
        Some((from, to)) => (is_point(from) && is_point(to)) || (is_day_with_clock(from) && is_clock(to)),
    }
}

/// `HH:MM` or `HH:MM:SS`, 24 hours.
fn is_clock(value: &str) -> bool {
    let mut parts = value.split(':');
    let hour = parts.next().and_then(|hour| number(hour, 1, 2)).is_some_and(|hour| hour < 24);
    let minute = parts.next().and_then(|minute| number(minute, 2, 2)).is_some_and(|minute| minute < 60);
    let second = parts.next().is_none_or(|second| number(second, 2, 2).is_some_and(|second| second < 60));
    hour && minute && second && parts.next().is_none()
}

/// A date that names a day, one space, a clock time.
fn is_day_with_clock(value: &str) -> bool {
    value.split_once(' ').is_some_and(|(date, clock)| is_day(date) && is_clock(clock))
}

fn is_day(value: &str) -> bool {
    date_parts(value).is_some_and(|date| date.day.is_some())
}

fn is_any_date(value: &str) -> bool {
    date_parts(value).is_some()
}

struct Date {
    year: Option<u32>,
    month: u32,
    day: Option<u32>,
}

/// `y年m月d日`, `y年m月`, `m月d日`, or `y-m-d`, `y-m`, `m-d` joined by one of `-`, `/` and `.`.
fn date_parts(value: &str) -> Option<Date> {
    let date = han_date(value).or_else(|| ['-', '/', '.'].into_iter().find_map(|joint| joined_date(value, joint)))?;
    let longest = match date.month {
        2 if date.year.is_none_or(is_leap) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    date.day.is_none_or(|day| (1..=longest).contains(&day)).then_some(date)
}

fn han_date(value: &str) -> Option<Date> {
    let (year, rest) = match value.split_once('年') {
        Some((year, rest)) => (Some(number(year, 4, 4)?), rest),
        None => (None, value),
    };
    let (month, rest) = rest.split_once('月')?;
    let month = number(month, 1, 2)?;
    let day = match rest.strip_suffix('日') {
        Some(day) => Some(number(day, 1, 2)?),
        None if rest.is_empty() && year.is_some() => None,
        None => return None,
    };
    Some(Date { year, month, day })
}

fn joined_date(value: &str, joint: char) -> Option<Date> {
    let mut parts = value.split(joint);
    let (first, second, third) = (parts.next()?, parts.next()?, parts.next());
    if parts.next().is_some() {
        return None;
    }
    match third {
        Some(day) => {
            Some(Date { year: Some(number(first, 4, 4)?), month: number(second, 1, 2)?, day: Some(number(day, 1, 2)?) })
        }
        None if first.len() == 4 => {
            Some(Date { year: Some(number(first, 4, 4)?), month: number(second, 1, 2)?, day: None })
        }
        None => Some(Date { year: None, month: number(first, 1, 2)?, day: Some(number(second, 1, 2)?) }),
    }
}

/// An unsigned number of so many ASCII digits.
fn number(value: &str, shortest: usize, longest: usize) -> Option<u32> {
    ((shortest..=longest).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| value.parse().ok())
        .flatten()
}

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_clock_time_with_or_without_its_date() {
        for accepted in [
            "18:30", // gh-19052935607
            "9:05",
            "15:01:59",
            "2019年10月1日 15:01",        // gh-4714216894
            "2024-01-02 03:04:05",        // wx-9AUxL2oa-ok has this form
            "2021年10月25日 09:00~09:30", // wx-000e6edb-b
            "09:00~09:30",
            "2024-11-01", // wx-000eeec2
            "2026年9月26日",
            "2024-07-24 08:00~12:00",
            "2024-07-24 08:00~2024-07-25 12:00",
            "2026-09-07~2026-09-20",
        ] {
            assert!(is_time(accepted), "{accepted}");
        }
    }

    #[test]
    fn the_proven_refusals_of_time_are_refused() {
        for refused in [
            "2021年10月25日 09:00～09:30", // wx-000e6edb-a, gh-snowmeet-fw
            "15:00-16:00",                 // wx-000e8eb1
            "2025年3月1日-2025年3月2日",   // wx-5E9MBj-1
            "2025年3月1日 - 2025年3月2日", // wx-5E9MBj-2
            "2024-07-24 08~12",            // wx-00022e8d
            "08~12",
            "1708432089530",  // wx-0004a61f
            ":2020年4月12日", // wx-000e64d1
            "2026-01-01T10:00",
            "时间未知",
            "message2", // wx-zlQu5vuU
            "2024-11",
            "24:00",
            "15:60",
            "15:1",
            "2025-04-119 10:44", // wx-000a8ce7
            "2025-02-30 10:44",
            "2025年1月 10:44",
            "15:01 ",
            "2024-01-02  03:04",
            "09:00~",
            "09:00~10:00~11:00",
            "2024?06?28? 20:55", // wx-00086605-sent: the form that mojibake takes
        ] {
            assert!(!is_time(refused), "{refused}");
        }
    }

    #[test]
    fn a_date_takes_every_documented_spelling() {
        for accepted in [
            "2018-01-01",
            "2018/01/01",
            "2018.01.01",
            "2018-01",
            "01-01",
            "2018年1月1日",
            "2018年1月",
            "1月1日",
            "2015年01月05日", // wx-9qvsg8hQ
            "2019-9-5",       // the form of wx-000ca4e0-ok
            "2019-12-25 09:42",
            "2021-06-01 11:22:41", // wx-0002ce6c-obj, wx-0008000f-ok
            "2024-02-29",
            "2026-09-07~2026-09-20",
        ] {
            assert!(is_date(accepted), "{accepted}");
        }
        for refused in [
            "15:01",
            "2018-13-01",
            "2018-02-29",
            "2018-1-1-1",
            "18-01-01-",
            "2018_01_01",
            "20180101",
            "1546300800",
            "2018年",
            "2018-01/01",
            "2018-01-01T00:00:00",
            "2018年1月1日-2018年1月2日", // wx-000408ce-a
        ] {
            assert!(!is_date(refused), "{refused}");
        }
    }
}
