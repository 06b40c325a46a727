//! RoutineTemplate sends WeChat subscribe messages (小程序订阅消息) from PHP.
//!
//! # The way of a message
//!
//! `RoutineTemplate::send()`, from the PHP call to the array that it returns:
//!
//! 1. `php` (the extension) or `ffi` (the library for PHP's FFI) turns zvals or JSON into [`message::Input`]; nothing else happens there.
//! 2. `face` has every method once, for both: it checks the arguments and makes a [`message::Message`] of them.
//! 3. `context` knows what this PHP request has configured and registered, and gives the account, an [`app::App`].
//! 4. [`app`] walks the message through the stages, once (`app/send.rs`); all that follows is called from there.
//! 5. [`field`] normalises, checks and fits the payload (`app/prepare.rs`); what cannot be sent is answered here: 47003.
//! 6. [`store`] takes key, pause and grant in one transaction (`app/admission.rs`); it may answer 45009, 43101, or an earlier call's answer.
//! 7. [`token`] comes from the process's memory, the store, or WeChat's stable_token: one fetch, whoever asks (`app/post.rs`).
//! 8. [`wechat`] makes one POST, to a host that is up, under a deadline; while all are down it fails at once.
//! 9. [`answer`] says what the errcode means and what to do now ([`wechat::errcode`]).
//! 10. [`store`] settles the grant, records the delivery and counts the call in one transaction (`app/close.rs`).
//!
//! `queue()` ends after 5 with a row in the [`outbox`] (`app/queue.rs`), whose deliverer takes it through 7 to 10 (`app/deliver.rs`);
//! claiming it was 6. `sendMany()` takes many through all of them side by side (`app/bulk.rs`).
//!
//! # The modules
//!
//! | | what is in it | who calls it |
//! |---|---|---|
//! | `php`, `ffi` | the two faces | PHP |
//! | `face`, `context` | methods, arguments, exceptions; one PHP request | the faces |
//! | [`app`] | one account and all that it can do, a subject a file | `face`, `outbox`, `doctor` |
//! | [`outbox`] | delivery of what was queued: the thread, `routine-template work` | `process`, the command line |
//! | [`message`], [`options`], [`answer`], [`error`] | what goes out, what comes back, why there is no verdict | all of the above |
//! | [`field`], [`template`], [`registry`] | WeChat's rules for a payload; the fields of templates, and their names | `app` |
//! | [`template_list`], [`template_library`], `template_cache` | the account's own templates, WeChat's public ones, what this process knows of them | `app` |
//! | [`grant`], [`push`], `quota` | what users and WeChat report, read; pauses | `app` |
//! | [`token`], [`wechat`] | the access token; hosts, connections, endpoints, errcodes | `app` |
//! | [`store`] | what processes and hosts share, in SQLite or Redis; a store that fails never stops a send | `app`, `token`, `wechat`, `outbox` |
//! | [`process`], `connections`, `stats` | what outlives a PHP request and belongs to one pid; a thread's connections; counters | `app`, `outbox` |
//! | [`config`], [`language`], `log`, [`network`], `calendar`, `thread`, `fingerprint`, `lru_cache`, `failpoint` | the ground: none of them knows a message's stages | everybody |
//! | [`doctor`], [`validate`] | commands of `routine-template` | the command line |
//! | [`sandbox`] | a fake WeChat; shares no code with [`field`], so that their agreement means something | the command line, tests |
//! | [`fuzzing`] | doors to readers that nobody else calls from outside | the fuzz targets |
//!
//! Tables are written once: settings in [`config`], errcodes in [`wechat::errcode`], parameter types in [`field`]; docs, stubs,
//! `phpinfo()` and ini entries are made from them. The core knows nothing of PHP: only `php` names a Zend type.

pub mod answer;
pub mod app;
mod calendar;
pub mod config;
mod connections;
#[cfg(any(feature = "php", feature = "ffi"))]
mod context;
#[cfg(feature = "cli")]
pub mod doctor;
pub mod error;
#[cfg(any(feature = "php", feature = "ffi"))]
mod face;
mod failpoint;
#[cfg(feature = "ffi")]
mod ffi;
pub mod field;
mod fingerprint;
#[doc(hidden)]
pub mod fuzzing;
pub mod grant;
pub mod language;
mod log;
mod lru_cache;
pub mod message;
pub mod network;
pub mod options;
pub mod outbox;
#[cfg(feature = "php")]
mod php;
pub mod process;
pub mod push;
mod quota;
pub mod registry;
#[cfg(feature = "cli")]
pub mod sandbox;
mod stats;
pub mod store;
pub mod template;
mod template_cache;
pub mod template_library;
pub mod template_list;
mod thread;
pub mod token;
#[cfg(feature = "cli")]
pub mod validate;
pub mod wechat;
