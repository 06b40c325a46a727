//! How much a body may hold: whoever finds the address can send one.

/// Largest body. WeChat's have some kilobytes.
pub const SIZE_LIMIT: usize = 1024 * 1024;
/// Deepest nesting. An event has four levels.
pub const DEPTH_LIMIT: usize = 16;
/// Most values, of all levels together.
const VALUE_LIMIT: usize = 10_000;

/// The body has more than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {VALUE_LIMIT} values, or more than {DEPTH_LIMIT} levels")]
pub struct Exceeded;

/// What is left of it while a body is read.
#[derive(Debug)]
pub struct Budget {
    values: usize,
}

impl Budget {
    /// The whole.
    pub fn whole() -> Self {
        Self { values: VALUE_LIMIT }
    }

    /// Takes one value at a depth.
    pub fn take(&mut self, depth: usize) -> Result<(), Exceeded> {
        self.values = self.values.checked_sub(1).filter(|_| depth <= DEPTH_LIMIT).ok_or(Exceeded)?;
        Ok(())
    }
}
