//! thing, short_thing, letter, symbol, character_string, phrase.

use super::character::{is_emoji, is_han, is_symbol, is_unprintable};

/// Nothing to show: only white space, or only circled glyphs, which WeChat strips (wx-000c026f: "①" is "empty").
pub(super) fn is_blank(value: &str) -> bool {
    value.chars().all(|character| character.is_whitespace() || matches!(character, '\u{2460}'..='\u{24FF}'))
}

/// thing: 汉字, digits, letters and symbols, counted in characters. Newlines, control characters and emoji are refused:
/// the strict reading, as only lists of causes name them and no log does.
pub(super) fn is_free_text(value: &str, limit: usize) -> bool {
    value.chars().count() <= limit && !value.chars().any(|character| is_unprintable(character) || is_emoji(character))
}

/// letter: up to 32 letters.
pub(super) fn is_letters(value: &str) -> bool {
    value.len() <= 32 && value.chars().all(|character| character.is_ascii_alphabetic())
}

/// symbol: up to 5 symbols.
pub(super) fn is_symbols(value: &str) -> bool {
    value.chars().count() <= 5 && value.chars().all(is_symbol)
}

/// character_string: up to 32 digits, letters or symbols. A space passes (wx-0004a61f: `125 mmHg` was not named),
/// 汉字 never do.
pub(super) fn is_character_string(value: &str) -> bool {
    value.chars().count() <= 32
        && value.chars().all(|character| character.is_ascii_alphanumeric() || character == ' ' || is_symbol(character))
}

/// phrase: up to 5 characters, 汉字 alone.
pub(super) fn is_phrase(value: &str) -> bool {
    value.chars().count() <= 5 && value.chars().all(is_han)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_holds_20_characters_whatever_they_are() {
        assert!(is_free_text("您的投诉报修已处理完成,很高兴为您服务!", 20)); // wx-9AUxL2oa-ok: exactly 20
        assert!(is_free_text("生菜 1.20/斤 X 5 ", 20)); // wx-0000acc9-ok
        assert!(is_free_text("123", 20)); // wx-000a62a8-obj
        assert!(is_free_text("通达-3.7 键邦-1.6 澳洋-2.4", 20));
        assert!(is_free_text(&"𠮷".repeat(20), 20));
        assert!(!is_free_text(&"字".repeat(21), 20)); // wx-0000acc9: 21 characters
        assert!(!is_free_text("361童鞋男童鞋子【规格:27,颜色:深红】", 20)); // wx-99yW5prn-bad: 22
    }

    #[test]
    fn a_thing_is_one_line_without_pictures() {
        assert!(!is_free_text("第一行\n第二行", 20));
        assert!(!is_free_text("甲\t乙", 20));
        assert!(!is_free_text("恭喜🎉", 20));
        assert!(!is_free_text("零宽\u{200B}", 20));
        assert!(is_free_text("五星★好评", 20));
    }

    #[test]
    fn a_character_string_has_no_han_and_at_most_32_characters() {
        assert!(is_character_string("SF150383222222")); // wx-000ca4e0-ok
        assert!(is_character_string("20200728-IT0000025-0003"));
        assert!(is_character_string("125 mmHg")); // wx-0004a61f
        assert!(is_character_string(&"9".repeat(32)));
        assert!(!is_character_string(&"9".repeat(33)));
        assert!(!is_character_string("车位-256")); // wx-0002020d
        assert!(!is_character_string("北京")); // wx-000ccc2a
        assert!(!is_character_string("１２３"));
    }

    #[test]
    fn a_phrase_is_one_to_five_han() {
        for accepted in ["通过", "未支付", "配送中", "审核成功", "助手已掉线"] {
            assert!(is_phrase(accepted), "{accepted}"); // wx-0008000f-ok and others, csdn-132844136
        }
        // wx-00064858 (6), wx-0000a01e, wx-00008a0e, wx-000a060b, wx-00086605-sent.
        for refused in ["待支付审核中", "111", "13笔", "EMS", "???", "处理中…", "已 完成"] {
            assert!(!is_phrase(refused), "{refused}");
        }
    }

    #[test]
    fn letters_and_symbols_keep_to_their_own_kind() {
        assert!(is_letters("abcXYZ"));
        assert!(!is_letters("abc1") && !is_letters("a b") && !is_letters(&"a".repeat(33)));
        assert!(is_symbols("+-*/!"));
        assert!(!is_symbols("+-*/!?") && !is_symbols("a") && !is_symbols("+ -"));
    }
}
