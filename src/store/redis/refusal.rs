//! What a server's refusal means for the way to an answer: another server, another try, or the end.

use redis::{ServerError, ServerErrorKind};

use super::fault;
use super::url::Address;
use crate::store::{Fault, StoreError};

/// How one exchange went, if it brought no answer.
pub enum Trouble {
    /// Ask this server instead.
    Moved(Address),
    /// Ask this server instead, this once.
    Asked(Address),
    /// The slot is being moved: ask again in a moment.
    Migrating,
    /// Nobody has run the script, or it does no harm to run it again; a new connection may do better.
    Repeatable(StoreError),
    /// The end.
    Final(StoreError),
}

/// A refusal, understood.
pub struct Refusal {
    /// What to do.
    pub trouble: Trouble,
    /// Whether the connection is still good.
    pub usable: bool,
}

impl Refusal {
    /// `elsewhere` says whether a new look may find another server for a connection that has been used before.
    pub fn of(error: &ServerError, address: &Address, elsewhere: bool) -> Self {
        let usable = |trouble| Self { trouble, usable: true };
        match error.kind() {
            Some(kind @ (ServerErrorKind::Moved | ServerErrorKind::Ask)) => match target(error, address) {
                None => Self { trouble: Trouble::Final(fault::refused(address, error)), usable: false },
                Some(target) if kind == ServerErrorKind::Moved => usable(Trouble::Moved(target)),
                Some(target) => usable(Trouble::Asked(target)),
            },
            Some(ServerErrorKind::TryAgain) => usable(Trouble::Migrating),
            // A script found that a part of its keys has moved; it reads all of them before it writes any.
            _ if error.details().is_some_and(|words| words.contains("non local key")) => usable(Trouble::Migrating),
            _ => {
                let meant = fault::refused(address, error);
                match meant.fault {
                    // It may have been the master until now.
                    Fault::ReadOnly | Fault::Unreachable if elsewhere => {
                        Self { trouble: Trouble::Repeatable(meant), usable: false }
                    }
                    Fault::ReadOnly | Fault::Unreachable => Self { trouble: Trouble::Final(meant), usable: false },
                    _ => usable(Trouble::Final(meant)),
                }
            }
        }
    }
}

/// `MOVED slot host:port`; without a host it is the one that answers.
fn target(error: &ServerError, from: &Address) -> Option<Address> {
    let place = error.details()?.split_ascii_whitespace().nth(1)?;
    match place.strip_prefix(':').filter(|port| !port.contains(':')) {
        Some(port) => Some(Address { host: from.host.clone(), port: port.parse().ok()? }),
        None => {
            // An IPv6 address stands without brackets.
            let (host, port) = place.rsplit_once(':')?;
            Some(Address { host: host.to_owned(), port: port.parse().ok()? })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent_to(reply: &[u8]) -> Option<String> {
        let here = Address { host: "here".to_owned(), port: 6379 };
        let Ok(redis::Value::ServerError(error)) = redis::parse_redis_value(reply) else { panic!("no refusal") };
        match Refusal::of(&error, &here, false).trouble {
            Trouble::Moved(there) | Trouble::Asked(there) => Some(there.to_string()),
            _ => None,
        }
    }

    #[test]
    fn a_slot_that_has_moved_is_followed_to_whatever_address_the_server_names() {
        for (reply, address) in [
            (&b"-MOVED 3999 10.0.0.2:6381\r\n"[..], Some("10.0.0.2:6381")),
            (b"-ASK 3999 cache-2:6381\r\n", Some("cache-2:6381")),
            (b"-MOVED 3999 :6381\r\n", Some("here:6381")),
            (b"-MOVED 3999 2001:db8::2:6381\r\n", Some("[2001:db8::2]:6381")),
            (b"-MOVED 3999 ::1:6381\r\n", Some("[::1]:6381")),
            (b"-MOVED 3999\r\n", None),
            (b"-MOVED 3999 cache-2:\r\n", None),
            (b"-MOVED 3999 cache-2:65536\r\n", None),
        ] {
            assert_eq!(sent_to(reply).as_deref(), address);
        }
    }
}
