//! What a check has found.

use serde_json::{Map, Value};

use crate::language::{Language, Text};

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// All is well.
    Ok,
    /// It was not looked at: something else must be put right first, or there is nothing to look at.
    Skip,
    /// Messages go out, but somebody should look at it.
    Warn,
    /// Messages do not go out, or may be lost.
    Fail,
}

impl Level {
    /// The value of `level` in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skip => "skip",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }

    /// The word in front of the line.
    pub fn label(self, language: Language) -> &'static str {
        match self {
            Self::Ok => language.choose("正常", "ok"),
            Self::Skip => language.choose("跳过", "skip"),
            Self::Warn => language.choose("注意", "warn"),
            Self::Fail => language.choose("失败", "FAIL"),
        }
    }
}

/// What a check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// The value of `check` in JSON, and the English label.
    pub name: &'static str,
    /// The Chinese label.
    pub zh: &'static str,
}

/// The subjects, in the order in which they are shown.
pub mod subject {
    use super::Subject;

    pub const SETTINGS: Subject = Subject { name: "settings", zh: "设置" };
    pub const PHP: Subject = Subject { name: "php", zh: "PHP" };
    pub const PUSH: Subject = Subject { name: "push", zh: "消息推送" };
    pub const STORE: Subject = Subject { name: "store", zh: "存储" };
    pub const QUEUE: Subject = Subject { name: "queue", zh: "队列" };
    pub const DNS: Subject = Subject { name: "dns", zh: "域名解析" };
    pub const TLS: Subject = Subject { name: "tls", zh: "加密连接" };
    pub const ROOTS: Subject = Subject { name: "roots", zh: "根证书" };
    pub const CLOCK: Subject = Subject { name: "clock", zh: "时钟" };
    pub const WHITELIST: Subject = Subject { name: "whitelist", zh: "IP 白名单" };
    pub const SECRET: Subject = Subject { name: "secret", zh: "AppSecret" };
    pub const TOKEN: Subject = Subject { name: "token", zh: "令牌" };
    pub const QUOTA: Subject = Subject { name: "quota", zh: "调用额度" };
    pub const ROUTE: Subject = Subject { name: "route", zh: "暂停熔断" };
    pub const TEMPLATES: Subject = Subject { name: "templates", zh: "模板" };
}

/// One line of the report.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What was looked at.
    pub subject: Subject,
    /// How it ended.
    pub level: Level,
    /// What was found.
    pub text: Text,
    /// What to do now.
    pub remedy: Option<Text>,
    /// The same for programs.
    pub facts: Map<String, Value>,
}

impl Finding {
    /// A finding without a remedy.
    pub fn new(subject: Subject, level: Level, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { subject, level, text: Text::new(zh, en), remedy: None, facts: Map::new() }
    }

    /// All is well.
    pub fn ok(subject: Subject, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(subject, Level::Ok, zh, en)
    }

    /// Worth a look.
    pub fn warn(subject: Subject, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(subject, Level::Warn, zh, en)
    }

    /// To be put right.
    pub fn fail(subject: Subject, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(subject, Level::Fail, zh, en)
    }

    /// Not looked at.
    pub fn skip(subject: Subject, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self::new(subject, Level::Skip, zh, en)
    }

    /// Not looked at because of what another check has found.
    pub fn after(subject: Subject, cause: Subject) -> Self {
        Self::skip(subject, format!("先处理“{}”", cause.zh), format!("{} comes first", cause.name))
            .fact("after", cause.name)
    }

    /// With the remedy.
    pub fn remedy(mut self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.remedy = Some(Text::new(zh, en));
        self
    }

    /// With one more member for programs.
    pub fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }
}
