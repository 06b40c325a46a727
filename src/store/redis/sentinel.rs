//! Sentinel: who is the master now.

use std::time::Instant;

use redis::Value;

use super::connection::Connection;
use super::fault;
use super::link::{EXCHANGE, Link};
use super::url::{Address, Place};
use crate::store::{Fault, StoreError};

impl Link {
    /// Asks the sentinels in turn. One that has not noticed yet may name a dead or former master: then the next is asked.
    pub(super) fn find_master(
        &mut self,
        name: &str,
        until: Instant,
    ) -> Result<(Address, Connection, bool), StoreError> {
        let mut failure = StoreError::new(Fault::Unreachable, "no sentinel knows this master");
        for sentinel in self.place.addresses.clone() {
            let found = self.ask_sentinel(&sentinel, name, until).and_then(|master| {
                let opened = self.open(master.clone(), until)?;
                self.master = Some(master);
                Ok(opened)
            });
            match found {
                Ok(opened) => return Ok(opened),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    fn ask_sentinel(&mut self, sentinel: &Address, name: &str, until: Instant) -> Result<Address, StoreError> {
        let (until, tls) = (until.min(Instant::now() + EXCHANGE), self.tls()?);
        let mut question = redis::cmd("SENTINEL");
        question.arg("get-master-addr-by-name").arg(name);
        let mut connection = Connection::open(sentinel, tls, &self.resolver, until)?;
        let mut answer = connection.ask(&question, sentinel, until)?;
        if matches!(&answer, Err(error) if error.code() == "NOAUTH") {
            let place = Place { database: 0, ..self.place.clone() };
            connection.log_in(&place, sentinel, until)?;
            answer = connection.ask(&question, sentinel, until)?;
        }
        let unknown =
            || StoreError::new(Fault::Unreachable, format!("the sentinel {sentinel} does not know this master"));
        match answer.map_err(|error| fault::refused(sentinel, &error))? {
            Value::Array(parts) => match parts.as_slice() {
                [Value::BulkString(host), Value::BulkString(port)] => {
                    let (host, port) = (String::from_utf8_lossy(host), String::from_utf8_lossy(port));
                    Ok(Address { host: host.into_owned(), port: port.parse().map_err(|_| unknown())? })
                }
                _ => Err(unknown()),
            },
            _ => Err(unknown()),
        }
    }
}

/// Whether the server says that it is a master.
pub fn is_master(connection: &mut Connection, address: &Address, until: Instant) -> Result<bool, StoreError> {
    let role = connection.ask(&redis::cmd("ROLE"), address, until)?;
    Ok(match role {
        Ok(Value::Array(parts)) => matches!(parts.first(), Some(Value::BulkString(role)) if role == b"master"),
        Ok(_) => false,
        // A user without the right to ask: a replica will refuse the first write.
        Err(_) => true,
    })
}
