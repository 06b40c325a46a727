//! The connections of one store: finds the server that has an account, and repeats what may be repeated.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::{ServerError, ServerErrorKind, Value};
use rustls::ClientConfig;

use super::connection::Connection;
use super::fault;
use super::refusal::{Refusal, Trouble};
use super::script::{Call, Script};
use super::sentinel::is_master;
use super::url::{Address, Kind, Place};
use crate::network::resolve::SystemResolver;
use crate::network::tls;
use crate::store::{Fault, StoreError};

/// The longest that one exchange, or one connection with its handshake, may take: a server that is slower than this must
/// not use up the time of the message.
pub(super) const EXCHANGE: Duration = Duration::from_millis(500);
/// A firewall may have forgotten a connection that nobody used for so long, without telling either side.
const IDLE: Duration = Duration::from_secs(60);
/// Accounts and servers that are remembered; a shop has a handful of either.
const REMEMBERED: usize = 64;
/// How often one call follows a cluster to another node.
const REDIRECTS: usize = 5;

/// Connections by server. Used under a lock.
pub struct Link {
    pub(super) place: Place,
    ca_file: Option<String>,
    tls: Option<Arc<ClientConfig>>,
    pub(super) resolver: SystemResolver,
    connections: HashMap<Address, Connection>,
    /// Where the master is (Sentinel).
    pub(super) master: Option<Address>,
    /// Which node has an account (cluster).
    pub(super) homes: HashMap<String, Address>,
    /// Nodes of the cluster that are known beside those of the URL.
    nodes: Vec<Address>,
}

impl Link {
    /// Nothing is connected yet.
    pub fn new(place: Place, ca_file: Option<String>) -> Self {
        Self {
            place,
            ca_file,
            tls: None,
            resolver: SystemResolver::default(),
            connections: HashMap::new(),
            master: None,
            homes: HashMap::new(),
            nodes: Vec::new(),
        }
    }

    /// Runs a script. Every script may be repeated, so a call that met a connection which the server had closed is made
    /// once more on a new one.
    pub fn call(&mut self, script: &Script, call: &Call<'_>, until: Instant) -> Result<Value, StoreError> {
        let mut repeated = false;
        let mut maybe_done = false;
        let mut asking = None;
        for _ in 0..REDIRECTS {
            let trouble = match self.attempt(script, call, asking.take(), until) {
                Ok(value) => return Ok(value),
                Err(trouble) => trouble,
            };
            match trouble {
                Trouble::Moved(address) => self.remember(call.account, address),
                Trouble::Asked(address) => asking = Some(address),
                Trouble::Migrating => pause(until),
                Trouble::Repeatable(error) if !repeated => {
                    repeated = true;
                    maybe_done |= error.maybe_done;
                }
                Trouble::Repeatable(mut error) | Trouble::Final(mut error) => {
                    error.maybe_done |= maybe_done;
                    return Err(error);
                }
            }
        }
        let error = StoreError::new(Fault::Unreachable, "the cluster is moving this account from node to node");
        Err(StoreError { maybe_done, ..error })
    }

    fn attempt(
        &mut self,
        script: &Script,
        call: &Call<'_>,
        asking: Option<Address>,
        until: Instant,
    ) -> Result<Value, Trouble> {
        let once = asking.is_some();
        let (address, mut connection, reused) = match asking {
            Some(address) => self.open(address, until).map_err(Trouble::Final)?,
            None => self.connect(call.account, until).map_err(Trouble::Final)?,
        };
        let until = until.min(Instant::now() + EXCHANGE);
        let mut answer = if once {
            ask_once(&mut connection, script, call, until)
        } else {
            connection.exchange(&script.by_hash(call), until)
        };
        if matches!(&answer, Ok(Err(error)) if error.kind() == Some(ServerErrorKind::NoScript)) {
            answer = connection.exchange(&script.by_source(call), until);
        }
        match answer {
            Ok(Ok(value)) => {
                self.keep(address, connection);
                Ok(value)
            }
            Ok(Err(error)) => Err(self.refused(address, connection, &error, reused)),
            Err(broken) => {
                self.forget(&address);
                let closed = broken.error.kind() != std::io::ErrorKind::TimedOut;
                let error = fault::interrupted(&address, &broken.error, broken.sent);
                Err(if reused && closed { Trouble::Repeatable(error) } else { Trouble::Final(error) })
            }
        }
    }

    /// What a refusal means; the connection is kept if it is still good.
    pub(super) fn refused(
        &mut self,
        address: Address,
        connection: Connection,
        error: &ServerError,
        reused: bool,
    ) -> Trouble {
        let refusal = Refusal::of(error, &address, reused && self.place.kind != Kind::Single);
        if refusal.usable {
            self.keep(address, connection);
        } else {
            self.forget(&address);
        }
        refusal.trouble
    }

    /// A connection to the server that has the account, and whether it has been used before.
    pub(super) fn connect(&mut self, account: &str, until: Instant) -> Result<(Address, Connection, bool), StoreError> {
        match self.place.kind.clone() {
            Kind::Single => {
                let address = self.place.addresses.first().cloned();
                self.open(address.ok_or_else(|| StoreError::new(Fault::Unreachable, "no address"))?, until)
            }
            Kind::Sentinel(name) => match self.master.clone() {
                Some(master) => self.open(master, until),
                None => self.find_master(&name, until),
            },
            Kind::Cluster => {
                let mut failure = None;
                for address in self.candidates(account) {
                    match self.open(address.clone(), until) {
                        Ok(opened) => return Ok(opened),
                        Err(error) => {
                            self.forget(&address);
                            failure = Some(error);
                        }
                    }
                }
                Err(failure.unwrap_or_else(|| StoreError::new(Fault::Unreachable, "no node of the cluster answers")))
            }
        }
    }

    /// Nodes in the order in which to ask them for an account.
    fn candidates(&self, account: &str) -> Vec<Address> {
        let mut found: Vec<Address> = Vec::new();
        let connected = self.connections.keys();
        for address in
            self.homes.get(account).into_iter().chain(connected).chain(&self.place.addresses).chain(&self.nodes)
        {
            if !found.contains(address) {
                found.push(address.clone());
            }
        }
        found
    }

    pub(super) fn open(&mut self, address: Address, until: Instant) -> Result<(Address, Connection, bool), StoreError> {
        if let Some(connection) = self.connections.remove(&address)
            && connection.used.elapsed() < IDLE
        {
            return Ok((address, connection, true));
        }
        let (until, tls) = (until.min(Instant::now() + EXCHANGE), self.tls()?);
        let mut connection = Connection::open(&address, tls, &self.resolver, until)
            .and_then(|mut connection| connection.log_in(&self.place, &address, until).map(|()| connection))
            .inspect_err(|_| self.master = None)?;
        if matches!(self.place.kind, Kind::Sentinel(_)) && !is_master(&mut connection, &address, until)? {
            self.master = None;
            return Err(StoreError::new(Fault::ReadOnly, format!("{address} is not the master any more")));
        }
        Ok((address, connection, false))
    }

    pub(super) fn tls(&mut self) -> Result<Option<Arc<ClientConfig>>, StoreError> {
        if self.place.tls && self.tls.is_none() {
            let config = tls::client_config(self.ca_file.as_deref())
                .map_err(|error| StoreError::new(Fault::Unreachable, error.to_string()))?;
            self.tls = Some(Arc::new(config));
        }
        Ok(self.tls.clone())
    }

    pub(super) fn keep(&mut self, address: Address, connection: Connection) {
        if self.connections.len() >= REMEMBERED {
            self.connections.clear();
        }
        self.connections.insert(address, connection);
    }

    /// The server at this address is not what it was.
    pub(super) fn forget(&mut self, address: &Address) {
        self.connections.remove(address);
        self.homes.retain(|_, home| home != address);
        if self.master.as_ref() == Some(address) {
            self.master = None;
        }
    }

    pub(super) fn remember(&mut self, account: &str, address: Address) {
        if self.homes.len() >= REMEMBERED {
            self.homes.clear();
        }
        if !self.nodes.contains(&address) && self.nodes.len() < REMEMBERED {
            self.nodes.push(address.clone());
        }
        self.homes.insert(account.to_owned(), address);
    }
}

/// A node that is taking a slot over answers a call that says so.
fn ask_once(
    connection: &mut Connection,
    script: &Script,
    call: &Call<'_>,
    until: Instant,
) -> Result<Result<Value, ServerError>, super::connection::Interrupted> {
    let asking = redis::cmd("ASKING").get_packed_command();
    match connection.exchange(&asking, until)? {
        Ok(_) => connection.exchange(&script.by_source(call), until),
        refused => Ok(refused),
    }
}

fn pause(until: Instant) {
    let left = until.saturating_duration_since(Instant::now());
    std::thread::sleep(left.min(Duration::from_millis(10)));
}
