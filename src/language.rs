//! Texts for developers, in Chinese and in English.

use std::fmt;

/// The language of hints, violations and exceptions (setting `hint_lang`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// Simplified Chinese.
    #[default]
    Chinese,
    /// English.
    English,
}

impl Language {
    /// The one that `LC_ALL`, `LC_MESSAGES` or `LANG` of the environment asks for, in this order: Chinese if it is, else English.
    pub fn of_environment() -> Self {
        let set =
            ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(std::env::var_os).find(|value| !value.is_empty());
        if set.is_some_and(|value| value.to_string_lossy().starts_with("zh")) { Self::Chinese } else { Self::English }
    }

    /// The one of two wordings that this language asks for.
    pub fn choose<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Chinese => zh,
            Self::English => en,
        }
    }
}

/// One text in both languages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    /// Simplified Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Text {
    /// A text.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    /// The wording in one language.
    pub fn in_language(&self, language: Language) -> &str {
        language.choose(&self.zh, &self.en)
    }
}

/// For logs and tests of the core; PHP gets one language.
impl fmt::Display for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} / {}", self.zh, self.en)
    }
}

/// Text from the network on its way into PHP strings and logs: bounded, one line.
pub(crate) fn plain_text(text: &str) -> String {
    text.chars().take(1000).map(|character| if character.is_control() { ' ' } else { character }).collect()
}
