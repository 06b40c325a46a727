//! Numbers as text: PHP floats the way their users mean them, and thousands separators.

/// Why a float has no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoText {
    /// NaN or an infinity.
    #[error("not a finite number")]
    NotFinite,
    /// An integer beyond 2^53: PHP has already lost its last digits.
    #[error("beyond the precision of a float")]
    LostDigits,
    /// Too large or too small to be written without an exponent.
    #[error("out of range")]
    OutOfRange,
}

/// Digits that `echo` shows (PHP's `precision`), which hides the noise of binary arithmetic: `0.1 + 0.2` is 0.3.
const ECHO_DIGITS: usize = 14;
/// Above so many digits the shortest exact form is noise, not what was meant.
const MEANT_DIGITS: usize = 15;

/// A float in plain decimal, never with an exponent.
pub(super) fn float_text(value: f64) -> Result<String, NoText> {
    if !value.is_finite() {
        return Err(NoText::NotFinite);
    }
    if value == 0.0 {
        return Ok("0".to_owned());
    }
    let size = value.abs();
    if !(1e-15..1e32).contains(&size) {
        return Err(NoText::OutOfRange);
    }
    let significant = significant_digits(value);
    if value.fract() == 0.0 {
        let exact = 9_007_199_254_740_992.0;
        if size >= exact && significant > MEANT_DIGITS {
            return Err(NoText::LostDigits);
        }
        return Ok(format!("{value}"));
    }
    if significant <= MEANT_DIGITS {
        return Ok(format!("{value}"));
    }
    let rounded: f64 = format!("{value:.*e}", ECHO_DIGITS - 1).parse().unwrap_or(value);
    Ok(format!("{rounded}"))
}

fn significant_digits(value: f64) -> usize {
    format!("{value:e}").chars().take_while(|&character| character != 'e').filter(char::is_ascii_digit).count()
}

/// `0.5` for `.5` and `5` for `5.`: the same number with digits on both sides of its point, or none.
pub(super) fn with_both_sides(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once('.')?;
    let is_digits = |part: &str| !part.is_empty() && part.len() <= 64 && part.bytes().all(|byte| byte.is_ascii_digit());
    match (whole.is_empty(), fraction.is_empty()) {
        (true, false) if is_digits(fraction) => Some(format!("0.{fraction}")),
        (false, true) if is_digits(whole) => Some(whole.to_owned()),
        _ => None,
    }
}

/// The number without its thousands separators, if it has any and every group has three digits.
pub(super) fn without_thousands(text: &str) -> Option<String> {
    if text.len() > 128 || !text.contains(',') {
        return None;
    }
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !(1..=3).contains(&first.len()) || !is_digits(first) || !groups.all(|group| group.len() == 3 && is_digits(group))
    {
        return None;
    }
    if fraction.is_some_and(|fraction| !is_digits(fraction)) {
        return None;
    }
    Some(text.replace(',', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: f64) -> String {
        float_text(value).unwrap()
    }

    #[test]
    fn floats_read_as_they_were_meant() {
        assert_eq!(text(0.1 + 0.2), "0.3");
        assert_eq!(text(19.9 * 100.0), "1990");
        assert_eq!(text(1.0), "1");
        assert_eq!(text(-0.0), "0");
        assert_eq!(text(0.01), "0.01");
        assert_eq!(text(656_887_888.0), "656887888");
        assert_eq!(text(12.50), "12.5");
        assert_eq!(text(-3.75), "-3.75");
    }

    #[test]
    fn no_float_is_written_with_an_exponent() {
        assert_eq!(text(1e15), "1000000000000000");
        assert_eq!(text(1e20), "100000000000000000000");
        assert_eq!(text(1e-7), "0.0000001");
    }

    #[test]
    fn a_float_that_has_lost_digits_is_no_number() {
        assert_eq!(float_text(12_345_678_901_234_567_890.0), Err(NoText::LostDigits));
        assert_eq!(float_text(f64::NAN), Err(NoText::NotFinite));
        assert_eq!(float_text(f64::NEG_INFINITY), Err(NoText::NotFinite));
        assert_eq!(float_text(1e300), Err(NoText::OutOfRange));
    }

    #[test]
    fn only_well_formed_thousands_are_joined() {
        assert_eq!(without_thousands("1,234.56").as_deref(), Some("1234.56"));
        assert_eq!(without_thousands("12,345,678").as_deref(), Some("12345678"));
        for text in ["1,23", "1234,567", "1,234,", ",123", "1.234,56", "1234"] {
            assert_eq!(without_thousands(text), None, "{text}");
        }
    }
}
