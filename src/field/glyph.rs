//! What the characters of a value are: Han, emoji, invisible, full-width; and how free text is cleaned and cut.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;

/// A Chinese character in the sense of 汉字, rare and compatibility ones included.
pub(super) fn is_han(character: char) -> bool {
    matches!(character, '\u{4E00}'..='\u{9FFF}' | '\u{3400}'..='\u{4DBF}' | '々' | '〇' | '\u{2E80}'..='\u{2FDF}'
        | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}')
}

/// A Chinese character that every reading of 汉字 includes: what fitting may leave. Iteration marks and radicals are not among them.
pub(super) fn is_ideograph(character: char) -> bool {
    is_han(character) && !matches!(character, '々' | '\u{2E80}'..='\u{2FDF}' | '\u{2FA20}'..='\u{2FFFF}')
}

/// A letter of a script that is neither a WeChat 字母 nor a symbol: Han, kana, bopomofo, Hangul.
pub(super) fn is_wide_letter(character: char) -> bool {
    is_han(character)
        || matches!(character, '\u{3041}'..='\u{3096}' | '\u{30A1}'..='\u{30FA}' | '\u{3105}'..='\u{312F}'
            | '\u{1100}'..='\u{11FF}' | '\u{3131}'..='\u{318E}' | '\u{AC00}'..='\u{D7A3}')
}

/// Emoji that always show as pictures, and the parts that only occur in emoji sequences (skin tones, flags, tags, keycaps).
pub(super) fn is_emoji(character: char) -> bool {
    match character {
        '\0'..='\u{20E2}' => false,
        '\u{1F000}'..='\u{1FAFF}' | '\u{1FC00}'..='\u{1FFFD}' | '\u{E0020}'..='\u{E007F}' | '\u{20E3}' => true,
        '\u{231A}'..='\u{2B55}' => matches!(character,
            '\u{231A}' | '\u{231B}' | '\u{23E9}'..='\u{23EC}' | '\u{23F0}' | '\u{23F3}' | '\u{25FD}' | '\u{25FE}'
            | '\u{2614}' | '\u{2615}' | '\u{2648}'..='\u{2653}' | '\u{267F}' | '\u{2693}' | '\u{26A1}' | '\u{26AA}'
            | '\u{26AB}' | '\u{26BD}' | '\u{26BE}' | '\u{26C4}' | '\u{26C5}' | '\u{26CE}' | '\u{26D4}' | '\u{26EA}'
            | '\u{26F2}' | '\u{26F3}' | '\u{26F5}' | '\u{26FA}' | '\u{26FD}' | '\u{2705}' | '\u{270A}' | '\u{270B}'
            | '\u{2728}' | '\u{274C}' | '\u{274E}' | '\u{2753}'..='\u{2755}' | '\u{2757}' | '\u{2795}'..='\u{2797}'
            | '\u{27B0}' | '\u{27BF}' | '\u{2B1B}' | '\u{2B1C}' | '\u{2B50}' | '\u{2B55}'),
        _ => false,
    }
}

/// Characters that show nothing and say nothing: zero-width and direction marks, variation selectors, private use, non-characters.
pub(super) fn is_invisible(character: char) -> bool {
    match character {
        '\0'..='\u{AC}' => false,
        '\u{AD}'
        | '\u{61C}'
        | '\u{180B}'..='\u{180E}'
        | '\u{200B}'
        | '\u{200E}'
        | '\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}'
        | '\u{FFF9}'..='\u{FFFC}'
        | '\u{E000}'..='\u{F8FF}'
        | '\u{FDD0}'..='\u{FDEF}'
        | '\u{E0000}'..='\u{10FFFF}' => true,
        _ => u32::from(character) & 0xFFFE == 0xFFFE,
    }
}

/// The ASCII twin of a full-width character, and of the spaces, dashes and tildes that input methods produce.
pub(super) fn half_width(character: char) -> Option<char> {
    match character {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(character) - 0xFEE0),
        '\u{3000}' | '\u{A0}' | '\u{2002}'..='\u{200A}' | '\u{202F}' => Some(' '),
        _ => None,
    }
}

/// The digit that a half-width or full-width character stands for.
pub(super) fn digit(character: char) -> Option<u32> {
    half_width(character).unwrap_or(character).to_digit(10)
}

/// The value with full-width characters made half-width, invisible ones and outer white space removed.
///
/// Longer texts than any identifier are only trimmed: they are refused for their length anyway.
pub(super) fn fold(text: &str) -> Cow<'_, str> {
    const LONGEST: usize = 512;
    let trimmed = trim(text);
    if trimmed.is_ascii() || trimmed.len() > LONGEST {
        return Cow::Borrowed(trimmed);
    }
    if !trimmed.chars().any(|character| half_width(character).is_some() || is_invisible(character)) {
        return Cow::Borrowed(trimmed);
    }
    let folded: String = trimmed
        .chars()
        .filter(|&character| !is_invisible(character))
        .map(|character| half_width(character).unwrap_or(character))
        .collect();
    Cow::Owned(trim(&folded).to_owned())
}

/// The text without outer white space, control characters and invisible characters.
pub(super) fn trim(text: &str) -> &str {
    let bytes = text.as_bytes();
    // A printable ASCII character at both ends is the common case of an identifier, an amount, a date.
    if let (Some(first), Some(last)) = (bytes.first(), bytes.last())
        && first.is_ascii_graphic()
        && last.is_ascii_graphic()
    {
        return text;
    }
    text.trim_matches(|character: char| character.is_whitespace() || character.is_control() || is_invisible(character))
}

/// How many characters a text has, counted no further than needed to show that it is far too long.
pub(super) fn count(text: &str) -> usize {
    text.chars().count()
}

/// Whether a text has more than `limit` characters, without reading all of it.
pub(super) fn is_longer(text: &str, limit: usize) -> bool {
    text.len() > limit && text.chars().nth(limit).is_some()
}

/// What becomes of one character of free text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Keep,
    Drop,
    /// Line breaks and other control white space become one space.
    Space,
}

fn fate(character: char, next: Option<char>) -> Fate {
    if matches!(character, '\u{20}'..='\u{7E}') {
        return Fate::Keep;
    }
    if matches!(character, '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}') {
        return Fate::Space;
    }
    if character.is_control() || is_invisible(character) || is_emoji(character) || character == '\u{200D}' {
        return Fate::Drop;
    }
    // A text symbol such as ❤ that the emoji selector turns into a picture.
    if next == Some('\u{FE0F}') && !character.is_alphanumeric() && !character.is_ascii() {
        return Fate::Drop;
    }
    Fate::Keep
}

/// Free text as a field can hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cleaned<'a> {
    /// The text that is left.
    pub(super) text: Cow<'a, str>,
    /// Whether characters were dropped or replaced.
    pub(super) dropped: bool,
    /// Whether the end was cut off.
    pub(super) cut: bool,
}

/// Drops what no field holds (control characters, emoji, invisible ones), makes line breaks spaces, trims, and cuts at `limit`
/// characters, never inside what a reader sees as one character. Reads no more of the text than it needs.
pub(super) fn clean(text: &str, limit: usize) -> Cleaned<'_> {
    let trimmed = trim(text);
    let mut seen = 0;
    let mut characters = trimmed.chars().peekable();
    let mut spotless = true;
    while let Some(character) = characters.next() {
        seen += 1;
        if seen > limit || fate(character, characters.peek().copied()) != Fate::Keep {
            spotless = false;
            break;
        }
    }
    if spotless {
        return Cleaned { text: Cow::Borrowed(trimmed), dropped: false, cut: false };
    }
    rebuild(trimmed, limit)
}

fn rebuild(trimmed: &str, limit: usize) -> Cleaned<'_> {
    let mut kept = String::new();
    let mut length = 0;
    let mut dropped = false;
    let mut gap = Gap::default();
    let mut characters = trimmed.chars().peekable();
    while let Some(character) = characters.next() {
        match fate(character, characters.peek().copied()) {
            Fate::Drop => dropped = true,
            Fate::Space => {
                dropped = true;
                gap.line_break();
            }
            Fate::Keep if character.is_whitespace() => gap.space(character, limit),
            Fate::Keep => {
                if length > 0 {
                    for space in gap.spaces.drain(..) {
                        kept.push(space);
                        length += 1;
                    }
                }
                gap = Gap::default();
                kept.push(character);
                length += 1;
            }
        }
        if length > limit {
            return Cleaned { text: Cow::Owned(cut(&kept, limit).to_owned()), dropped, cut: true };
        }
    }
    Cleaned { text: Cow::Owned(kept), dropped, cut: false }
}

/// White space that has been read and counts only once something visible follows.
#[derive(Default)]
struct Gap {
    spaces: Vec<char>,
    broken: bool,
}

impl Gap {
    fn line_break(&mut self) {
        if !self.broken {
            self.spaces.clear();
            self.spaces.push(' ');
            self.broken = true;
        }
    }

    fn space(&mut self, character: char, limit: usize) {
        if !self.broken && self.spaces.len() <= limit {
            self.spaces.push(character);
        }
    }
}

/// The longest beginning of at most `limit` characters that ends between two graphemes.
pub(super) fn cut(text: &str, limit: usize) -> &str {
    let Some((end, next)) = text.char_indices().nth(limit) else { return text };
    // The grapheme that holds the first character too many starts where the text may end.
    let window = text.get(..end + next.len_utf8()).unwrap_or(text);
    let boundary = window.grapheme_indices(true).next_back().map_or(0, |(start, _)| start);
    let kept = if boundary > 0 {
        boundary
    } else {
        // One letter under more marks than the field has room: the letter stays, its marks go.
        text.chars().next().map_or(0, char::len_utf8)
    };
    text.get(..kept).unwrap_or_default().trim_end()
}

/// A value for an error text: at most 40 characters, without anything that could disturb a terminal or a log line.
pub(super) fn shorten(text: &str) -> String {
    const SHOWN: usize = 40;
    let mut shown: String = text
        .chars()
        .take(SHOWN)
        .map(|character| match character {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
            _ if character.is_control() || is_invisible(character) => '\u{FFFD}',
            _ => character,
        })
        .collect();
    if is_longer(text, SHOWN) {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(text: &str, limit: usize) -> String {
        clean(text, limit).text.into_owned()
    }

    #[test]
    fn clean_text_is_borrowed() {
        assert!(matches!(clean("订单已支付 A-1", 20).text, Cow::Borrowed("订单已支付 A-1")));
    }

    #[test]
    fn emoji_sequences_go_as_a_whole() {
        assert_eq!(cleaned("小明👨‍👩‍👧‍👦🇨🇳👍🏽❤️1️⃣🏴󠁧󠁢󠁥󠁮󠁧󠁿", 20), "小明1");
    }

    #[test]
    fn text_symbols_that_are_no_emoji_stay() {
        assert_eq!(cleaned("★特价★ ©2024 A→B ☎", 20), "★特价★ ©2024 A→B ☎");
    }

    #[test]
    fn a_line_break_becomes_one_space() {
        assert_eq!(cleaned("第一行 \r\n\r\n 第二行\n", 20), "第一行 第二行");
        assert_eq!(cleaned("a  b", 20), "a  b");
    }

    #[test]
    fn the_cut_never_falls_inside_a_grapheme() {
        assert_eq!(cut("abe\u{301}f", 3), "ab");
        assert_eq!(cut("abe\u{301}f", 4), "abe\u{301}");
        assert_eq!(cut("👨‍👩‍👧x", 5), "👨‍👩‍👧");
        assert_eq!(cut("x👨‍👩‍👧", 5), "x");
        assert_eq!(cut("🇨🇳🇨🇳", 3), "🇨🇳");
        assert_eq!(cut("\u{1100}\u{1161}\u{11A8}\u{1100}\u{1161}\u{11A8}", 4), "\u{1100}\u{1161}\u{11A8}");
        assert_eq!(cut("ab cd", 3), "ab");
    }

    #[test]
    fn a_letter_under_too_many_marks_keeps_the_letter() {
        let zalgo = format!("e{}", "\u{301}".repeat(50));
        assert_eq!(cleaned(&zalgo, 20), "e");
    }

    #[test]
    fn white_space_at_the_end_does_not_count() {
        let cleaned = clean("12345     \u{200B}", 5);
        assert_eq!((cleaned.text.as_ref(), cleaned.cut), ("12345", false));
    }

    #[test]
    fn shown_values_are_short_and_harmless() {
        let shown = shorten(&format!("a\u{1b}[31m\n{}", "长".repeat(1000)));
        assert!(shown.chars().count() == 41 && !shown.chars().any(char::is_control), "{shown}");
    }
}
