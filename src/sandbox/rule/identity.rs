//! phone_number, car_number, name.

use super::character::{is_han, is_latin, is_symbol};

/// phone_number: up to 17 digits and symbols; letters and 汉字 are refused. Spaces and symbols are not told apart in
/// the table, so a plain space counts as a symbol.
pub(super) fn is_phone_number(value: &str) -> bool {
    value.chars().count() <= 17
        && value.chars().all(|character| character.is_ascii_digit() || character == ' ' || is_symbol(character))
        && !value.contains('…')
}

/// car_number: up to 8; the first and the last may be 汉字, all others are letters and digits.
pub(super) fn is_car_number(value: &str) -> bool {
    let count = value.chars().count();
    count <= 8
        && value.chars().enumerate().all(|(place, character)| {
            character.is_ascii_alphanumeric() || (is_han(character) && (place == 0 || place + 1 == count))
        })
}

/// name: up to 20 letters or symbols, or up to 10 characters as soon as 汉字 are among them. Digits are refused
/// (wx-6zhqyMV3 `user25`, wx-_hfEsrwS `用户410774`), and so is a name of symbols alone, which is how text of a
/// wrong charset fails here. A space and the middle dot are taken for symbols.
pub(super) fn is_name(value: &str) -> bool {
    let known = |character: char| is_han(character) || is_latin(character) || is_symbol(character) || character == ' ';
    let limit = if value.chars().any(is_han) { 10 } else { 20 };
    value.chars().count() <= limit
        && value.chars().all(known)
        && value.chars().any(|character| is_han(character) || is_latin(character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_number_is_digits_and_symbols_up_to_17() {
        for accepted in ["13800138000", "+86-0766-66888866", "138****9000", "(0766) 66888"] {
            assert!(is_phone_number(accepted), "{accepted}");
        }
        for refused in ["15隐私保护7851", "400-CALL-NOW", "1".repeat(18).as_str(), "１３８"] {
            assert!(!is_phone_number(refused), "{refused}");
        }
    }

    #[test]
    fn a_plate_has_han_at_its_ends_only() {
        for accepted in ["粤A8Z888挂", "浙J9X09F", "粤AD12345", "A12345"] {
            assert!(is_car_number(accepted), "{accepted}");
        }
        for refused in ["粤A8Z8888挂", "粤港A888", "粤A·8888", "粤A 8888", "粤A8…"] {
            assert!(!is_car_number(refused), "{refused}");
        }
    }

    #[test]
    fn a_name_has_no_digits() {
        for refused in ["user25", "用户410774", "订阅消息内容1", "用户o4o4-3", "138****9000", "--"] {
            assert!(!is_name(refused), "{refused}"); // wx-6zhqyMV3, wx-_hfEsrwS, wx-00044699, gh-71291175238
        }
        for accepted in ["小海", "heh", "Niya", "O'Neil-Smith", "Mary Ann", "阿凡提·买买提"] {
            assert!(is_name(accepted), "{accepted}");
        }
    }

    #[test]
    fn a_name_holds_10_characters_with_han_and_20_without() {
        assert!(is_name(&"张".repeat(10)) && !is_name(&"张".repeat(11)));
        assert!(is_name(&"a".repeat(20)) && !is_name(&"a".repeat(21)));
        assert!(is_name("王abcdefghi") && !is_name("王abcdefghij"));
    }
}
