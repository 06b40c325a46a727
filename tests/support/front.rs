//! A host of WeChat as seen from outside: a port in front of the fake WeChat that can die in several ways and come back.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Bytes go through.
    Forward,
    /// A connection is accepted and closed.
    Close,
    /// A connection is accepted, and nothing ever comes.
    BlackHole,
}

pub struct Front {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    mode: Mutex<Mode>,
    open: Mutex<Vec<TcpStream>>,
    accepted: AtomicUsize,
}

impl Front {
    /// In front of the server at `https://ADDRESS`.
    pub fn of(https_url: &str, mode: Mode) -> Self {
        let target: SocketAddr = https_url.strip_prefix("https://").unwrap().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared =
            Arc::new(Shared { mode: Mutex::new(mode), open: Mutex::default(), accepted: AtomicUsize::default() });
        let serving = shared.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                serving.accepted.fetch_add(1, Ordering::SeqCst);
                // A connection that is gone already is none of our business.
                let _ = serving.serve(client, target);
            }
        });
        Self { address, shared }
    }

    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// What happens from now on; connections that are open end.
    pub fn set(&self, mode: Mode) {
        let mut open = self.shared.open.lock();
        *self.shared.mode.lock() = mode;
        for stream in open.drain(..) {
            // It may have ended by itself.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    fn serve(&self, client: TcpStream, target: SocketAddr) -> io::Result<()> {
        let mut open = self.open.lock();
        match *self.mode.lock() {
            Mode::Close => return Ok(()),
            Mode::BlackHole => open.push(client),
            Mode::Forward => {
                let server = TcpStream::connect(target)?;
                client.set_nodelay(true)?;
                server.set_nodelay(true)?;
                open.extend([client.try_clone()?, server.try_clone()?]);
                pump(client.try_clone()?, server.try_clone()?);
                pump(server, client);
            }
        }
        Ok(())
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        let mut bytes = [0; 16_384];
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            if to.write_all(bytes.get(..length).unwrap()).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}
