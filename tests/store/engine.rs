//! Where a store can be. What is tested is written against this only.

use routine_template::store::Store;

/// One empty place, which any number of handles share.
pub trait Engine {
    /// A handle of its own, as another process would have it.
    fn open(&self) -> Box<dyn Store>;
}
