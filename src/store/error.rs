//! Why the store cannot serve.

use crate::language::Text;

/// What kind of fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Directory or server cannot be reached or opened.
    Unreachable,
    /// It did not answer in time, or other processes held it too long.
    Timeout,
    /// No space left.
    Full,
    /// It can be read only.
    ReadOnly,
    /// What is stored there is damaged, or is no store of ours.
    Corrupt,
    /// A newer version of RoutineTemplate has written it.
    TooNew,
    /// Anything else.
    Other,
}

impl Fault {
    /// Its name in `stats()` and the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Full => "full",
            Self::ReadOnly => "read_only",
            Self::Corrupt => "corrupt",
            Self::TooNew => "too_new",
            Self::Other => "other",
        }
    }

    /// What it means and what to look at.
    pub fn text(self) -> Text {
        match self {
            Self::Unreachable => Text::new(
                "打不开，请检查 store 的路径（或 Redis 地址）和权限",
                "cannot be opened, check the path (or Redis address) of store and its permissions",
            ),
            Self::Timeout => Text::new("没有及时响应", "did not answer in time"),
            Self::Full => {
                Text::new("磁盘（或 Redis 内存）已满，请清理空间", "disk (or Redis memory) is full, make room")
            }
            Self::ReadOnly => Text::new(
                "只读，请检查目录、文件的属主和权限",
                "can be read only, check owner and permissions of the directory and its files",
            ),
            Self::Corrupt => Text::new("内容已损坏或不是本扩展的数据", "is damaged or not a store of this extension"),
            Self::TooNew => Text::new(
                "由更新版本的 RoutineTemplate 写入，请升级本机扩展",
                "was written by a newer RoutineTemplate, upgrade the one on this host",
            ),
            Self::Other => Text::new("出错", "failed"),
        }
    }
}

/// A transaction that was not done, or (only where [`StoreError::maybe_done`] says so) may have been.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {detail}", fault.name())]
pub struct StoreError {
    /// The kind of fault.
    pub fault: Fault,
    /// The engine's own words, without credentials, tokens or openids.
    pub detail: String,
    /// Whether the transaction may have been done although no answer came.
    pub maybe_done: bool,
}

impl StoreError {
    /// A transaction that certainly was not done.
    pub fn new(fault: Fault, detail: impl Into<String>) -> Self {
        Self { fault, detail: crate::language::plain_text(&detail.into()), maybe_done: false }
    }

    /// One of which nobody knows.
    pub fn unsure(fault: Fault, detail: impl Into<String>) -> Self {
        Self { maybe_done: true, ..Self::new(fault, detail) }
    }
}
