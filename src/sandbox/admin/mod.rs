//! What tests change while the sandbox runs: the same operations as typed methods and under `/__admin`.

mod change;
mod http;
mod members;

pub use change::{AccountChange, QuotaChange, SettingsChange, TemplateChange, TokenKinds};
pub(super) use http::handle;
