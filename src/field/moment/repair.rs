//! Turns the dates and times that programs produce into the forms that WeChat reads, where only one reading is possible.

use jiff::Timestamp;

use super::super::glyph;
use super::reader::{Cursor, Joiner};
use super::written::in_shanghai;
use super::{Form, read};

/// The documented form of a text that is not one, or `None` where it has no meaning or more than one.
pub(super) fn repair(text: &str) -> Option<String> {
    let plain = plain(text);
    let plain = plain.trim_start_matches([':', ',', ' ']);
    if let Some(written) = from_digits(plain) {
        return Some(written);
    }
    if matches!(read(plain), Some((_, Form::Documented))) {
        return Some(plain.to_owned());
    }
    let mut cursor = Cursor { rest: plain };
    let first = cursor.point(false)?;
    cursor.spaces();
    let written = if cursor.rest.is_empty() {
        first.write()?
    } else {
        let joiner = cursor.joiner()?;
        let second = cursor.point(first.date.is_some() && joiner == Joiner::Tilde)?;
        cursor.spaces();
        if !cursor.rest.is_empty() {
            return None;
        }
        format!("{}~{}", first.write()?, second.write()?)
    };
    matches!(read(&written), Some((_, Form::Documented))).then_some(written)
}

/// ASCII where there is an ASCII twin; one kind of dash, tilde and space.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match glyph::half_width(character).unwrap_or(character) {
            '\u{2010}'..='\u{2015}' | '\u{2212}' => plain.push('-'),
            '〜' | '∼' | '˜' | '∽' => plain.push('~'),
            '∶' => plain.push(':'),
            half if half.is_whitespace() => plain.push(' '),
            half if half.is_control() || glyph::is_invisible(half) => {}
            half => plain.push(half),
        }
    }
    plain
}

/// Nothing but digits: seconds or milliseconds since 1970, or a date written without separators.
fn from_digits(text: &str) -> Option<String> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match text.len() {
        // 10 digits begin in 2001 and end in 2286; nobody announces what comes after 2100.
        10 | 13 => {
            let number: i64 = text.parse().ok()?;
            let seconds = if text.len() == 13 { number / 1000 } else { number };
            (1_000_000_000..4_102_444_800).contains(&seconds).then_some(())?;
            in_shanghai(Timestamp::from_second(seconds).ok()?)
        }
        8 | 12 | 14 => {
            let (date, clock) = text.split_at_checked(8)?;
            let (year, rest) = date.split_at_checked(4)?;
            let (month, day) = rest.split_at_checked(2)?;
            (1970..2100).contains(&year.parse::<u32>().ok()?).then_some(())?;
            let mut written = format!("{year}-{month}-{day}");
            if let Some((hour, rest)) = clock.split_at_checked(2) {
                let (minute, second) = rest.split_at_checked(2)?;
                written.push_str(&format!(" {hour}:{minute}"));
                if !second.is_empty() {
                    written.push_str(&format!(":{second}"));
                }
            }
            matches!(read(&written), Some((_, Form::Documented))).then_some(written)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::repair;

    fn repaired(text: &str) -> String {
        repair(text).unwrap_or_else(|| panic!("{text} is not repaired"))
    }

    #[test]
    fn full_width_and_iso_forms_become_documented_ones() {
        assert_eq!(repaired("2021年10月25日 09:00～09:30"), "2021年10月25日 09:00~09:30");
        assert_eq!(repaired("２０２４－０６－２８　２０：５５"), "2024-06-28 20:55");
        assert_eq!(repaired("2026-01-01T10:00"), "2026-01-01 10:00");
        assert_eq!(repaired("2026-01-01T10:00:00.123456"), "2026-01-01 10:00:00");
        assert_eq!(repaired("2019年11月27日16:44"), "2019年11月27日 16:44");
        assert_eq!(repaired("2024-01-01   9:05"), "2024-01-01 09:05");
        assert_eq!(repaired("2024年 6月 28号 20时08分"), "2024年6月28日 20:08");
        assert_eq!(repaired("2024年6月28日 8点半"), "2024年6月28日 08:30");
        assert_eq!(repaired(":2020年4月12日"), "2020年4月12日");
        assert_eq!(repaired("2020年-06月-28日～2020年-06月-30日"), "2020年06月28日~2020年06月30日");
        assert_eq!(repaired("2020年6月-2020年8月"), "2020年6月~2020年8月");
    }

    #[test]
    fn instants_are_told_in_shanghai() {
        assert_eq!(repaired("1708432089"), "2024-02-20 20:28:09");
        assert_eq!(repaired("1708432089530"), "2024-02-20 20:28:09");
        assert_eq!(repaired("2026-01-01T16:30:00Z"), "2026-01-02 00:30:00");
        assert_eq!(repaired("2026-01-01T16:30:00.000Z"), "2026-01-02 00:30:00");
        assert_eq!(repaired("2026-01-01T10:00:00+08:00"), "2026-01-01 10:00:00");
        assert_eq!(repaired("2026-01-01 10:00:00 +0000"), "2026-01-01 18:00:00");
        assert_eq!(repaired("2026-01-01T10:00:00-05:00"), "2026-01-01 23:00:00");
    }

    #[test]
    fn digits_alone_may_be_a_date() {
        assert_eq!(repaired("20240728"), "2024-07-28");
        assert_eq!(repaired("20091225091010"), "2009-12-25 09:10:10");
        for text in ["0", "123456789", "99999999", "20241301", "1", "17084320895301"] {
            assert_eq!(repair(text), None, "{text}");
        }
    }

    #[test]
    fn ranges_are_joined_with_a_tilde_where_they_have_one_reading() {
        assert_eq!(repaired("2022-01-27 15:00-16:00"), "2022-01-27 15:00~16:00");
        assert_eq!(repaired("15:00 - 16:00"), "15:00~16:00");
        assert_eq!(repaired("2025年03月13日 - 2025年03月14日"), "2025年03月13日~2025年03月14日");
        assert_eq!(repaired("2024-01-02-2024-01-03"), "2024-01-02~2024-01-03");
        assert_eq!(repaired("2023年12月08日 17:00至17:30"), "2023年12月08日 17:00~17:30");
        assert_eq!(repaired("2024-07-24 08~12"), "2024-07-24 08:00~12:00");
        assert_eq!(repaired("2024-07-24 08:00 ~ 12:00"), "2024-07-24 08:00~12:00");
        for text in ["01-02-03-04", "2018-01-2018-02", "08~12", "08-12-01", "2024-07-24 08-12"] {
            assert_eq!(repair(text), None, "{text}");
        }
    }

    #[test]
    fn halves_of_the_day_become_hours() {
        assert_eq!(repaired("2024-01-01 03:05 PM"), "2024-01-01 15:05");
        assert_eq!(repaired("2024年1月1日 下午3点"), "2024年1月1日 15:00");
        assert_eq!(repaired("上午12:10"), "00:10");
        assert_eq!(repair("下午15:00"), None);
    }

    #[test]
    fn words_and_impossible_times_are_left_alone() {
        for text in ["时间未知", "2024?06?28? 20:55", "25:00", "2024-13-01", "", "~", "message2", "长期"] {
            assert_eq!(repair(text), None, "{text}");
        }
    }
}
