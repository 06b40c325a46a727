//! A TCP connection, plain or encrypted, in which every wait ends at one moment.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::url::Address;
use crate::network::resolve::SystemResolver;

/// An open connection.
pub enum Stream {
    /// `redis://`.
    Plain(Timed),
    /// `rediss://`.
    Encrypted(Box<StreamOwned<ClientConnection, Timed>>),
}

impl Stream {
    /// Connects, and shakes hands if there is a TLS configuration.
    pub fn connect(
        address: &Address,
        tls: Option<Arc<ClientConfig>>,
        resolver: &SystemResolver,
        until: Instant,
    ) -> io::Result<Self> {
        let timed = Timed { socket: connect(address, resolver, until)?, until };
        let Some(config) = tls else { return Ok(Self::Plain(timed)) };
        let name = ServerName::try_from(address.host.clone()).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(ClientConnection::new(config, name).map_err(io::Error::other)?, timed);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Self::Encrypted(Box::new(stream)))
    }

    /// Until when the following reads and writes may last.
    pub fn limit(&mut self, until: Instant) {
        match self {
            Self::Plain(timed) => timed.until = until,
            Self::Encrypted(stream) => stream.sock.until = until,
        }
    }

    /// Writes everything.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(timed) => timed.write_all(bytes),
            Self::Encrypted(stream) => {
                stream.write_all(bytes)?;
                stream.flush()
            }
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(timed) => timed.read(buffer),
            Self::Encrypted(stream) => stream.read(buffer),
        }
    }
}

/// A socket whose operations all end at the same moment, however many there are.
pub struct Timed {
    socket: TcpStream,
    until: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Option<Duration>> {
        match self.until.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
            left => Ok(Some(left)),
        }
    }
}

/// Repeats what a signal interrupted; a socket's time-out has one name.
fn uninterrupted(mut operation: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        return match operation() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(io::ErrorKind::TimedOut.into()),
            other => other,
        };
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        uninterrupted(|| {
            self.socket.set_read_timeout(self.left()?)?;
            self.socket.read(buffer)
        })
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        uninterrupted(|| {
            self.socket.set_write_timeout(self.left()?)?;
            self.socket.write(bytes)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

fn connect(address: &Address, resolver: &SystemResolver, until: Instant) -> io::Result<TcpStream> {
    let addresses = match address.host.parse::<IpAddr>() {
        Ok(ip) => vec![SocketAddr::new(ip, address.port)],
        Err(_) => resolver.wait(&address.host, address.port, until)?,
    };
    let mut failure = io::Error::other("the name has no address");
    for address in addresses {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match TcpStream::connect_timeout(&address, left) {
            Ok(socket) => {
                socket.set_nodelay(true)?;
                return Ok(socket);
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}
