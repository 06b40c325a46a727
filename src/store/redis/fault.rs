//! What a refusal of the server, or a broken connection, means for the caller.
//!
//! The server's own words are not passed on: for an unknown command it repeats its arguments, and those are openids,
//! tokens and passwords.

use std::io;

use redis::ServerError;

use super::url::Address;
use crate::store::{Fault, StoreError};

/// No connection was made.
pub fn unreachable(address: &Address, error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::TimedOut => StoreError::new(Fault::Timeout, format!("{address}: no connection in time")),
        _ => StoreError::new(Fault::Unreachable, format!("{address}: {error}")),
    }
}

/// The connection broke before there was an answer; `sent` says whether the whole call had been written.
pub fn interrupted(address: &Address, error: &io::Error, sent: bool) -> StoreError {
    let (fault, detail) = match error.kind() {
        io::ErrorKind::TimedOut => (Fault::Timeout, format!("{address}: no answer in time")),
        io::ErrorKind::InvalidData => (Fault::Other, format!("{address}: the answer is not of the Redis protocol")),
        _ => (Fault::Unreachable, format!("{address}: {error}")),
    };
    if sent { StoreError::unsure(fault, detail) } else { StoreError::new(fault, detail) }
}

/// The server refused to run the script, or the script gave up before it had written anything.
pub fn refused(address: &Address, error: &ServerError) -> StoreError {
    let words = format!("{} {}", error.code(), error.details().unwrap_or_default());
    // Redis 6 wraps the code of what failed in a script into an ERR of its own.
    let says = |sign: &str| words.contains(sign);
    let (fault, detail) = if says("RTNEWER") {
        (Fault::TooNew, "the data of this account has a newer schema")
    } else if says("WRONGTYPE") {
        (Fault::Corrupt, "a key rt:{account}:… is of another type than ours")
    } else if says("RTCORRUPT") {
        (Fault::Corrupt, "data under rt:{account}:… cannot be read")
    } else if says("OOM command") {
        (Fault::Full, "maxmemory is reached")
    } else if says("READONLY") {
        (Fault::ReadOnly, "this server is a replica")
    } else if says("MISCONF") {
        (Fault::ReadOnly, "the server cannot save to its disk and takes no writes (MISCONF)")
    } else if says("NOREPLICAS") {
        (Fault::ReadOnly, "the server has too few replicas and takes no writes (NOREPLICAS)")
    } else if says("NOAUTH") || says("unauthenticated") {
        (Fault::Unreachable, "the server wants a password")
    } else if says("WRONGPASS") || says("invalid password") {
        (Fault::Unreachable, "the server refuses this user or password")
    } else if says("NOPERM") {
        (Fault::Unreachable, "the ACL user may not run scripts on keys rt:*")
    } else if says("LOADING") || says("MASTERDOWN") || says("CLUSTERDOWN") || says("TRYAGAIN") || says("BUSY") {
        (Fault::Unreachable, "the server is not ready")
    } else if says("max number of clients") {
        (Fault::Unreachable, "the server has too many clients (maxclients)")
    } else if says("user_script") {
        // An error of Lua itself: it met something that no script of ours has written.
        (Fault::Corrupt, "data under rt:{account}:… is not what it should be")
    } else {
        return StoreError::new(Fault::Other, format!("{address}: the server refuses ({})", code(error)));
    };
    let code = code(error);
    StoreError::new(fault, format!("{address}: {detail} ({code})"))
}

/// The code alone: capitals, so nothing that a user chose.
fn code(error: &ServerError) -> String {
    error.code().chars().filter(char::is_ascii_uppercase).take(16).collect()
}

/// An answer that no script of ours gives.
pub fn unreadable(what: &str) -> StoreError {
    StoreError::new(Fault::Corrupt, format!("unreadable {what}"))
}
