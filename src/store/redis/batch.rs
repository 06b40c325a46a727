//! Several calls of one script in one exchange: one write, then all the answers.

use std::time::Instant;

use redis::{ServerError, ServerErrorKind, Value};

use super::connection::Interrupted;
use super::fault;
use super::link::{EXCHANGE, Link};
use super::refusal::{Refusal, Trouble};
use super::script::{Call, Script};
use super::url::{Address, Kind};
use crate::store::{Fault, StoreError};

/// Calls in one exchange: with more, the last ones might not be answered in the time of one.
const AT_ONCE: usize = 256;

/// A call and its answer, once there is one.
struct Slot<'a, 'b> {
    call: &'a Call<'b>,
    answer: Option<Result<Value, StoreError>>,
    /// The server does not know the script's hash.
    unknown: bool,
    /// It was sent once, and no answer came.
    maybe_done: bool,
}

impl Link {
    /// Runs a script for each call; every call is a transaction of its own and has an answer of its own.
    pub fn call_all(&mut self, script: &Script, calls: &[Call<'_>], until: Instant) -> Vec<Result<Value, StoreError>> {
        let mut slots: Vec<Slot<'_, '_>> =
            calls.iter().map(|call| Slot { call, answer: None, unknown: false, maybe_done: false }).collect();
        // A second time for what has moved, or met a connection that the server had closed; the rest is a matter of single
        // calls, which follow an account wherever it goes.
        for _ in 0..2 {
            self.pass(script, &mut slots, until);
            match slots.iter_mut().find(|slot| slot.answer.is_none()) {
                Some(first) => first.answer = Some(self.call(script, first.call, until)),
                None => break,
            }
        }
        let mut finish = |slot: Slot<'_, '_>| {
            let answer = slot.answer.unwrap_or_else(|| self.call(script, slot.call, until));
            answer.map_err(|error| StoreError { maybe_done: error.maybe_done || slot.maybe_done, ..error })
        };
        slots.into_iter().map(&mut finish).collect()
    }

    /// Asks every server once for what it is thought to have.
    fn pass(&mut self, script: &Script, slots: &mut [Slot<'_, '_>], until: Instant) {
        let mut left: Vec<&mut Slot<'_, '_>> = slots.iter_mut().filter(|slot| slot.answer.is_none()).collect();
        while let Some(first) = left.first() {
            let account = first.call.account;
            let home = self.home(account);
            let (mut here, elsewhere): (Vec<_>, Vec<_>) =
                left.into_iter().partition(|slot| slot.call.account == account || home == self.home(slot.call.account));
            for group in here.chunks_mut(AT_ONCE) {
                if let Err(error) = self.exchange(script, account, group, until) {
                    for slot in group.iter_mut().filter(|slot| slot.answer.is_none()) {
                        slot.answer = Some(Err(error.clone()));
                    }
                }
            }
            left = elsewhere;
        }
    }

    /// What tells whether two accounts are on one server as far as is known; where that is not known, the account itself.
    fn home<'a>(&'a self, account: &'a str) -> Home<'a> {
        match (&self.place.kind, self.homes.get(account)) {
            (Kind::Single | Kind::Sentinel(_), _) => Home::OfAll,
            (Kind::Cluster, Some(address)) => Home::At(address),
            (Kind::Cluster, None) => Home::Of(account),
        }
    }

    fn exchange(
        &mut self,
        script: &Script,
        account: &str,
        group: &mut [&mut Slot<'_, '_>],
        until: Instant,
    ) -> Result<(), StoreError> {
        let (address, mut connection, reused) = self.connect(account, until)?;
        if Instant::now() >= until {
            self.keep(address, connection);
            return Err(StoreError::new(Fault::Timeout, "no time was left"));
        }
        let until = until.min(Instant::now() + EXCHANGE);
        let mut ask = || -> Result<Option<(&str, ServerError)>, Interrupted> {
            let mut refused = None;
            for source_is_sent in [false, true] {
                let asked = |slot: &&mut Slot<'_, '_>| slot.answer.is_none() && (!source_is_sent || slot.unknown);
                let mut packed = Vec::new();
                let mut known = !source_is_sent;
                for slot in group.iter().filter(|slot| asked(slot)) {
                    // The server takes them in turn: what the first one brings the others find.
                    packed.extend(if known { script.by_hash(slot.call) } else { script.by_source(slot.call) });
                    known = true;
                }
                if packed.is_empty() {
                    break;
                }
                connection.send(&packed, until)?;
                for slot in group.iter_mut().filter(|slot| asked(slot)) {
                    slot.unknown = false;
                    match connection.receive(until)? {
                        Ok(value) => slot.answer = Some(Ok(value)),
                        Err(error) if error.kind() == Some(ServerErrorKind::NoScript) => slot.unknown = true,
                        Err(error) => {
                            let refusal = Refusal::of(&error, &address, false);
                            if let (Trouble::Final(meant), true) = (refusal.trouble, refusal.usable) {
                                slot.answer = Some(Err(meant));
                            } else {
                                refused = Some((slot.call.account, error));
                            }
                        }
                    }
                }
            }
            Ok(refused)
        };
        match ask() {
            Ok(None) => {
                self.keep(address, connection);
                Ok(())
            }
            Ok(Some((account, error))) => match self.refused(address, connection, &error, reused) {
                Trouble::Moved(target) => {
                    self.remember(account, target);
                    Ok(())
                }
                Trouble::Asked(_) | Trouble::Migrating | Trouble::Repeatable(_) => Ok(()),
                Trouble::Final(error) => Err(error),
            },
            Err(broken) => {
                self.forget(&address);
                for slot in group.iter_mut().filter(|slot| slot.answer.is_none()) {
                    slot.maybe_done = true;
                }
                let closed = broken.error.kind() != std::io::ErrorKind::TimedOut;
                if reused && closed { Ok(()) } else { Err(fault::interrupted(&address, &broken.error, true)) }
            }
        }
    }
}

/// See [`Link::home`].
#[derive(PartialEq)]
enum Home<'a> {
    OfAll,
    At(&'a Address),
    Of(&'a str),
}
