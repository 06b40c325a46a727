//! number and amount.

use super::Edition;

/// Currency signs that an amount may start with, half and full width.
const CURRENCY: &str = "¥￥$＄€£￡₩￦₹₽฿₫₱₦₺₴₪";

/// number: up to 32 digits, one decimal point allowed. No sign: wx-000ca405-neg is refused and passes without its
/// minus, and staff had `+10` moved to another type.
pub(super) fn is_number(value: &str) -> bool {
    matches!(digits(value), Some(1..=32))
}

/// amount: at most one currency sign, digits with or without decimals, 元 allowed behind them. The sign is optional
/// (wx-000c82cf-ok "5"). Decimals count as digits: wx-00044acf, 9+2 digits, is refused where 10 are allowed.
/// Thousands commas and a minus are in no row of the table and are refused.
pub(super) fn is_amount(value: &str, edition: Edition) -> bool {
    let limit = match edition {
        Edition::MiniProgram => 10,
        Edition::OfficialAccount => 12,
    };
    let value = value.strip_prefix(|first| CURRENCY.contains(first)).unwrap_or(value);
    let value = value.strip_suffix('元').unwrap_or(value);
    digits(value).is_some_and(|count| count <= limit)
}

/// How many digits a plain decimal has; `None` if it is none.
fn digits(value: &str) -> Option<usize> {
    let (whole, fraction) = match value.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (value, None),
    };
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (plain(whole) && fraction.is_none_or(plain)).then(|| whole.len() + fraction.map_or(0, str::len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_unsigned_and_decimal() {
        for accepted in ["0", "339208499", "3.5", "1234567890123456"] {
            assert!(is_number(accepted), "{accepted}"); // wx-0000acc9-ok: 16 digits
        }
        // wx-000ca405-neg; staff on "+10"; wx-00064888.
        for refused in ["-1", "+10", "1,000", "1.", ".5", "1.2.3", "1e3", "12 ", "１２", "RE12023080300184", "3次"] {
            assert!(!is_number(refused), "{refused}");
        }
        assert!(is_number(&"9".repeat(32)) && !is_number(&"9".repeat(33)));
    }

    #[test]
    fn an_amount_has_ten_digits_on_subscribe_send_and_twelve_on_official_accounts() {
        assert!(is_amount("1234567890", Edition::MiniProgram));
        assert!(is_amount("12345678.90", Edition::MiniProgram));
        assert!(!is_amount("656887888.00", Edition::MiniProgram)); // wx-00044acf
        assert!(is_amount("656887888.00", Edition::OfficialAccount));
        assert!(is_amount("123456789012", Edition::OfficialAccount));
        assert!(!is_amount("1234567890123", Edition::OfficialAccount));
    }

    #[test]
    fn an_amount_may_carry_one_sign_in_front_and_yuan_behind() {
        // wx-000c82cf-ok, csdn-105796680-ok, wx-6yyJ9Y5C, wx-3-TBCwA4-ok, official example.
        for accepted in ["5", "0元", "1.12元", "¥0.01", "￥100", "¥12.3元", "$3", "€1.50"] {
            assert!(is_amount(accepted, Edition::MiniProgram), "{accepted}");
        }
        // wx-00080800-b and the rows of the table.
        for refused in ["100万元", "-1", "1,000.00", "¥¥1", "¥", "元", "1元元", "¥ 1", "1.", "1e3", "人民币1", "1.0.0"]
        {
            assert!(!is_amount(refused, Edition::MiniProgram), "{refused}");
        }
    }
}
