//! The steps of a message at which a process may end. Nothing is compiled for them but with the feature `failpoints`.

/// A step was reached. With the feature, a test decides what happens there (crate `fail`).
macro_rules! failpoint {
    ($name:literal) => {
        #[cfg(feature = "failpoints")]
        fail::fail_point!($name);
    };
}

pub(crate) use failpoint;
