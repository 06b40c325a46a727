//! Host names: the system's resolver, on a thread of its own, so that a slow DNS server cannot outlast the deadline.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Instant;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::thread::spawn_without_signals;

/// Look-ups under way at once. One that DNS does not answer goes on after the call that wanted it has given up; a
/// worker that goes on sending must not heap up such threads.
const LIMIT: usize = 4;

/// Asks the system's resolver (`/etc/hosts` and nsswitch included). A thread lives only as long as its look-up.
#[derive(Debug, Default)]
pub struct SystemResolver {
    under_way: Arc<AtomicUsize>,
}

impl SystemResolver {
    /// The addresses of a host, for a caller without a runtime; he waits until `until` and no longer.
    pub fn wait(&self, host: &str, port: u16, until: Instant) -> io::Result<Vec<SocketAddr>> {
        let place = Place::take(&self.under_way).ok_or_else(busy)?;
        let host = host.to_owned();
        let (answer, waiting) = mpsc::sync_channel(1);
        spawn(move || {
            let _place = place;
            // A receiver that gave up at its deadline is no error.
            let _ = answer.send((host.as_str(), port).to_socket_addrs().map(Iterator::collect));
        })?;
        waiting
            .recv_timeout(until.saturating_duration_since(Instant::now()))
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the host name was not resolved in time"))?
    }
}

fn busy() -> io::Error {
    io::Error::other("earlier look-ups are still waiting for DNS")
}

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let place = Place::take(&self.under_way);
        Box::pin(async move {
            let place = place.ok_or_else(busy)?;
            let (answer, waiting) = tokio::sync::oneshot::channel();
            spawn(move || {
                let _place = place;
                // Port 0 is replaced by the port of the URL. A receiver that gave up at its deadline is no error.
                let _ = answer.send((name.as_str(), 0).to_socket_addrs());
            })?;
            let addresses =
                waiting.await.map_err(|_| io::Error::other("the resolver thread ended without an answer"))??;
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

/// One of the look-ups under way.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(under_way: &Arc<AtomicUsize>) -> Option<Self> {
        let place = Self(under_way.clone());
        (under_way.fetch_add(1, Ordering::AcqRel) < LIMIT).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn spawn(body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    spawn_without_signals("routine-resolve", 256 * 1024, body).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_four_lookups_are_under_way_at_once() {
        let resolver = SystemResolver::default();
        let places: Vec<_> = (0..LIMIT).map(|_| Place::take(&resolver.under_way).unwrap()).collect();
        assert!(Place::take(&resolver.under_way).is_none());
        drop(places);
        assert!(Place::take(&resolver.under_way).is_some());
        assert_eq!(resolver.under_way.load(Ordering::Acquire), 0);
    }
}
