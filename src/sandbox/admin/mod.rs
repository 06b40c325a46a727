//! What tests change while the sandbox runs: the same operations as typed methods and under `/__admin`.

mod buyer;
mod change;
mod fault;
mod guard;
mod http;
mod live;
mod members;
mod push;
mod read;

pub use buyer::{ChoiceError, Place};
pub use change::{AccountChange, QuotaChange, SettingsChange, TemplateChange, TokenKinds};
pub(super) use fault::random_faults;
pub(super) use guard::{check_host, is_loopback};
pub(super) use http::{Answer, handle};
pub(super) use live::Stream;
