//! RoutineTemplate sends WeChat subscribe messages (小程序订阅消息) from PHP.
//!
//! # The way of a message
//!
//! ```text
//! php/, ffi/ zvals, or JSON -> Input                             nothing else happens at the edge
//! face       the methods: Input -> Message                       the same for both
//! context    which account, which settings, which templates    one PHP request
//! app        walks the message through the stages below, once
//! field      normalise, check and fit the payload               -> local answer 47003 if it cannot be sent
//! store      one transaction: key, pause, grant                 -> local answer 45009, 43101, or the earlier one
//! token      process memory -> store -> WeChat's stable_token   one fetch, whoever asks
//! wechat     one POST to a host that is up, under a deadline     -> an exception at once while all are down
//! answer     errcode -> Outcome: what it means, what to do now
//! store      one transaction: grant settled, delivery recorded, quota counted
//! ```
//!
//! # Layout
//!
//! [`config`] is the table of settings, [`wechat::errcode`] the table of errcodes, [`field`] the table of parameter types.
//! [`push`] reads what WeChat sends on its own. [`store`] is what processes and hosts share; a store that fails never stops a send.
//! [`process`] owns what outlives a request and belongs to one pid. The core knows nothing of PHP: only `php/` names a Zend type.
//! `doctor` and `validate` are commands of `routine-template`; `sandbox` is a fake WeChat for tests, the demo and shop developers, and
//! shares no code with [`field`]. [`fuzzing`] lets the fuzz targets in to readers that nobody else calls from outside.

pub mod answer;
pub mod app;
pub mod config;
pub mod context;
#[cfg(feature = "cli")]
pub mod doctor;
pub mod error;
#[cfg(any(feature = "php", feature = "ffi"))]
mod face;
#[cfg(feature = "ffi")]
mod ffi;
pub mod field;
mod fingerprint;
#[doc(hidden)]
pub mod fuzzing;
pub mod grant;
pub mod language;
pub mod log;
pub mod message;
pub mod options;
pub mod outbox;
#[cfg(feature = "php")]
mod php;
pub mod process;
pub mod push;
pub mod quota;
pub mod reach;
mod recent;
pub mod registry;
#[cfg(feature = "cli")]
pub mod sandbox;
pub mod stats;
mod step;
pub mod store;
pub mod template;
mod template_cache;
pub mod template_library;
pub mod template_list;
pub mod thread;
pub mod token;
#[cfg(feature = "cli")]
pub mod validate;
pub mod wechat;
