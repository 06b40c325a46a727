//! Character classes that the rules are made of.

/// 汉字: the unified ideographs with their extensions, the compatibility block and 〇.
pub(super) fn is_han(character: char) -> bool {
    matches!(u32::from(character),
        0x3007 | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x2_0000..=0x2_FA1F | 0x3_0000..=0x3_23AF)
}

/// What cannot be shown in one line: control characters, line and paragraph separators, invisible format characters,
/// private use, noncharacters.
pub(super) fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(u32::from(character),
            0xAD | 0x061C | 0x180E | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFEFF | 0xFFF9..=0xFFFB
            | 0xE000..=0xF8FF | 0xF_0000..=0x10_FFFF | 0xE_0000..=0xE_FFFF | 0xFDD0..=0xFDEF)
        || u32::from(character) & 0xFFFE == 0xFFFE
}

/// Emoji: everything that is shown as a colour picture by default, and the selectors and joiners that make pictures
/// of other characters. `★` and `♥` alone are ordinary symbols.
pub(super) fn is_emoji(character: char) -> bool {
    matches!(u32::from(character),
        0x1_F000..=0x1_FAFF | 0x1_FC00..=0x1_FFFD | 0xFE00..=0xFE0F | 0x20E3
        | 0x231A | 0x231B | 0x23E9..=0x23EC | 0x23F0 | 0x23F3 | 0x25FD | 0x25FE | 0x2614 | 0x2615 | 0x2648..=0x2653
        | 0x267F | 0x2693 | 0x26A1 | 0x26AA | 0x26AB | 0x26BD | 0x26BE | 0x26C4 | 0x26C5 | 0x26CE | 0x26D4 | 0x26EA
        | 0x26F2 | 0x26F3 | 0x26F5 | 0x26FA | 0x26FD | 0x2705 | 0x270A | 0x270B | 0x2728 | 0x274C | 0x274E
        | 0x2753..=0x2755 | 0x2757 | 0x2795..=0x2797 | 0x27B0 | 0x27BF | 0x2B1B | 0x2B1C | 0x2B50 | 0x2B55)
}

/// A symbol: neither letter, digit, 汉字 nor space, and printable (note under the table: no newline, no control character).
pub(super) fn is_symbol(character: char) -> bool {
    !character.is_alphanumeric()
        && !character.is_whitespace()
        && !is_han(character)
        && !is_unprintable(character)
        && !is_emoji(character)
        && !is_combining(character)
}

/// A Latin letter, with or without accent.
pub(super) fn is_latin(character: char) -> bool {
    character.is_ascii_alphabetic() || (matches!(u32::from(character), 0xC0..=0x24F) && character.is_alphabetic())
}

/// Combining diacritical marks: what text of another charset often turns into.
fn is_combining(character: char) -> bool {
    matches!(u32::from(character), 0x0300..=0x036F | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0xFE20..=0xFE2F)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn han_covers_the_extensions_and_the_round_zero_but_no_kana() {
        assert!("汉〇䶮𠮷".chars().all(is_han));
        assert!(!"あア한a1，".chars().any(is_han));
    }

    #[test]
    fn symbols_are_neither_text_nor_pictures_nor_invisible() {
        assert!("+-_.,，。（）【】￥¥~～★/&#@!…—".chars().all(is_symbol));
        assert!(!"a1汉 \n\u{200B}😀\u{FE0F}\u{368}".chars().any(is_symbol));
    }

    #[test]
    fn pictures_are_emoji_and_plain_stars_are_not() {
        assert!("😀🎉⭐✅❌\u{FE0F}\u{1F1E8}".chars().all(is_emoji));
        assert!(!"★☆♥→①汉a1".chars().any(is_emoji));
    }
}
