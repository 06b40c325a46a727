//! The listeners and the thread that runs them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::connection::{self, Link};
use super::endpoint;
use super::push::{self, Lanes};
use super::socket::Socket;
use super::world::Shared;
use super::{Options, StartError};

/// A client that does not finish its TLS handshake in this time is let go.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Connections that may wait for accept: a herd of cold workers must not meet SYN retries.
const BACKLOG: u32 = 4096;
/// After an accept that failed (out of descriptors, say), so long until the next.
const PAUSE: Duration = Duration::from_millis(10);

/// The running thread; stopped and joined when dropped.
#[derive(Debug)]
pub(super) struct Server {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Listens on an address; anything but loopback must be asked for.
fn listen(address: SocketAddr, allow_remote: bool) -> Result<TcpListener, StartError> {
    if !address.ip().is_loopback() && !allow_remote {
        return Err(StartError::NotLoopback(address));
    }
    let listen = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    listen().map_err(|source| StartError::Bind { address, source })
}

impl Server {
    /// Listens, then serves on a thread of its own; returns the addresses for HTTP and HTTPS.
    pub(super) fn start(
        options: &Options,
        shared: Arc<Shared>,
        lanes: Lanes,
        tls: Arc<ServerConfig>,
    ) -> Result<(Server, SocketAddr, SocketAddr), StartError> {
        let runtime = runtime(options.threads)?;
        let (http, https) = {
            let _guard = runtime.enter();
            (listen(options.http, options.allow_remote)?, listen(options.https, options.allow_remote)?)
        };
        let (http_address, https_address) = (http.local_addr()?, https.local_addr()?);
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("sandbox".to_owned()).spawn(move || {
            {
                let _guard = runtime.enter();
                for lane in lanes {
                    tokio::spawn(push::run(Arc::clone(&shared), lane));
                }
            }
            runtime.block_on(run(shared, (http, https), tls, stopped));
            runtime.shutdown_timeout(Duration::from_millis(100));
        })?;
        Ok((Server { stop: Some(stop), thread: Some(thread) }, http_address, https_address))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of that thread has been reported by the panic hook.
            let _ = thread.join();
        }
    }
}

fn runtime(threads: usize) -> io::Result<Runtime> {
    let mut builder = if threads > 1 { Builder::new_multi_thread() } else { Builder::new_current_thread() };
    builder.worker_threads(threads.max(1)).thread_name("sandbox").enable_all().build()
}

async fn run(
    shared: Arc<Shared>,
    listeners: (TcpListener, TcpListener),
    tls: Arc<ServerConfig>,
    stopped: oneshot::Receiver<()>,
) {
    let router = endpoint::router().with_state(Arc::clone(&shared));
    let acceptor = TlsAcceptor::from(tls);
    tokio::select! {
        // The sender is dropped, or was: either way it is over.
        _ = stopped => {}
        () = accept(listeners.0, Arc::clone(&shared), router.clone(), None) => {}
        () = accept(listeners.1, shared, router, Some(acceptor)) => {}
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, router: Router, tls: Option<TlsAcceptor>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let counter = if tls.is_some() { &shared.https } else { &shared.http };
                counter.fetch_add(1, Ordering::Relaxed);
                let link = Link::new(Arc::clone(&shared), peer.ip());
                tokio::spawn(connect(stream, link, Arc::clone(&shared), router.clone(), tls.clone()));
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}

async fn connect(stream: TcpStream, link: Arc<Link>, shared: Arc<Shared>, router: Router, tls: Option<TlsAcceptor>) {
    // Without it an answer in two segments may wait for the client's delayed ACK; a socket that refuses is closed anyway.
    let _ = stream.set_nodelay(true);
    let socket = Socket::new(stream, Arc::clone(&link));
    let Some(acceptor) = tls else {
        return connection::serve(socket, link, router).await;
    };
    let delay = shared.settings.borrow().tls_accept_delay_ms;
    if delay > 0 {
        sleep(Duration::from_millis(delay)).await;
    }
    // A client that refuses our certificate ends here, as it should.
    if let Ok(Ok(stream)) = timeout(HANDSHAKE, acceptor.accept(socket)).await {
        connection::serve(stream, link, router).await;
    }
}
