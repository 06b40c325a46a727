//! One connection to one server.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use redis::{Cmd, ErrorKind, Parser, ServerError, Value};
use rustls::ClientConfig;

use super::fault;
use super::stream::Stream;
use super::url::{Address, Place};
use crate::network::resolve::SystemResolver;
use crate::store::{Fault, StoreError};

/// A connection with nothing under way. After any error it must be dropped: a late answer would be taken for another's.
pub struct Connection {
    stream: Stream,
    parser: Parser,
    /// When its last answer came.
    pub used: Instant,
}

/// A call without an answer.
pub struct Interrupted {
    /// Why.
    pub error: io::Error,
    /// Whether the server may have got the whole call.
    pub sent: bool,
}

impl Connection {
    /// Connects.
    pub fn open(
        address: &Address,
        tls: Option<Arc<ClientConfig>>,
        resolver: &SystemResolver,
        until: Instant,
    ) -> Result<Self, StoreError> {
        let stream =
            Stream::connect(address, tls, resolver, until).map_err(|error| fault::unreachable(address, &error))?;
        Ok(Self { stream, parser: Parser::new(), used: Instant::now() })
    }

    /// Names the user and chooses the database.
    pub fn log_in(&mut self, place: &Place, address: &Address, until: Instant) -> Result<(), StoreError> {
        let mut steps = Vec::with_capacity(2);
        if let Some(password) = &place.password {
            let mut auth = redis::cmd("AUTH");
            if let Some(user) = &place.user {
                auth.arg(user);
            }
            auth.arg(password.reveal());
            steps.push((auth, "user and password"));
        }
        if place.database != 0 {
            let mut select = redis::cmd("SELECT");
            select.arg(place.database);
            steps.push((select, "the number of the database"));
        }
        for (command, what) in steps {
            if let Err(error) = self.ask(&command, address, until)? {
                let meant = fault::refused(address, &error);
                return Err(match meant.fault {
                    Fault::Other => {
                        StoreError::new(Fault::Unreachable, format!("{address}: the server refuses {what}"))
                    }
                    _ => meant,
                });
            }
        }
        Ok(())
    }

    /// A command that changes nothing.
    pub fn ask(
        &mut self,
        command: &Cmd,
        address: &Address,
        until: Instant,
    ) -> Result<Result<Value, ServerError>, StoreError> {
        self.exchange(&command.get_packed_command(), until)
            .map_err(|broken| fault::interrupted(address, &broken.error, false))
    }

    /// Sends one command and reads its answer.
    pub fn exchange(&mut self, packed: &[u8], until: Instant) -> Result<Result<Value, ServerError>, Interrupted> {
        self.send(packed, until)?;
        self.receive(until)
    }

    /// Sends commands whose answers are then received one by one.
    pub fn send(&mut self, packed: &[u8], until: Instant) -> Result<(), Interrupted> {
        self.stream.limit(until);
        self.stream.send(packed).map_err(|error| Interrupted { error, sent: false })
    }

    /// The next answer.
    pub fn receive(&mut self, until: Instant) -> Result<Result<Value, ServerError>, Interrupted> {
        self.stream.limit(until);
        match self.parser.parse_value(&mut self.stream) {
            Ok(Value::ServerError(error)) => Ok(Err(error)),
            Ok(value) => {
                self.used = Instant::now();
                Ok(Ok(value))
            }
            Err(error) => Err(Interrupted { error: io_error(&error), sent: true }),
        }
    }
}

/// The crate wraps the error of the stream; its kind is what counts.
fn io_error(error: &redis::RedisError) -> io::Error {
    if error.is_timeout() {
        return io::ErrorKind::TimedOut.into();
    }
    match error.kind() {
        ErrorKind::Io => io::Error::new(io::ErrorKind::ConnectionReset, error.to_string()),
        _ => io::ErrorKind::InvalidData.into(),
    }
}
