//! Message push (消息推送): WeChat's events on their way to the shop's endpoint.
//!
//! An event is written as XML or JSON, signed and, where the account asks for it, encrypted, and posted. WeChat waits
//! five seconds for an answer and tries three times with the same body.

mod envelope;
mod event;
mod record;
mod sender;
mod settings;

pub use event::{Answered, PushEvent};
pub use record::{PushRecord, PushState};
pub use settings::{PushFormat, PushMode, PushSettings, PushSettingsError};

pub(super) use record::{Lanes, Pushes};
pub use sender::Oddities;
pub(super) use sender::{Sender, deliver, run};
