//! One connection to a host of the API, step by step, so that what fails can be told apart.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use reqwest::Url;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use crate::network::resolve::SystemResolver;
use crate::thread::spawn_without_signals;

/// Longest head of an answer.
const HEAD_LIMIT: u64 = 16 * 1024;
const STACK: usize = 1024 * 1024;

/// How far it came.
#[derive(Debug, Clone, Default)]
pub struct Probe {
    /// The host's addresses; that of the proxy where there is one.
    pub addresses: Vec<SocketAddr>,
    /// The certificates that the host sent, DER, its own first.
    pub chain: Vec<Vec<u8>>,
    /// TLS version.
    pub protocol: Option<String>,
    /// By how many seconds the clock of this host is ahead of the other's.
    pub ahead: Option<f64>,
    /// Name, TCP and TLS together.
    pub took: Duration,
    /// Where it ended.
    pub failure: Option<Stop>,
}

/// The step that failed, with the system's own words.
#[derive(Debug, Clone)]
pub enum Stop {
    /// The name has no address.
    Name(String),
    /// No connection.
    Connect(String),
    /// The certificate does not prove the host.
    Certificate(String),
    /// TLS failed otherwise.
    Tls(String),
    /// The connection is there, but nothing answered like a web server.
    Answer(String),
}

/// What a probe needs beside the host.
#[derive(Clone)]
pub struct Way {
    /// Trusted certificates.
    pub tls: Arc<ClientConfig>,
    /// The proxy.
    pub proxy: Option<Url>,
}

/// Probes all hosts at once; none takes longer than `until`.
pub fn all(hosts: &[Url], way: &Way, until: Instant) -> Vec<Probe> {
    let begun: Vec<_> = hosts
        .iter()
        .map(|host| {
            let (host, way) = (host.clone(), way.clone());
            let (answer, waiting) = mpsc::sync_channel(1);
            let thread = spawn_without_signals("routine-probe", STACK, move || {
                // Whoever waited may have given up.
                let _ = answer.send(one(&host, &way, until));
            });
            thread.map(|_| waiting)
        })
        .collect();
    begun
        .into_iter()
        .map(|waiting| {
            let failed = |text: String| Probe { failure: Some(Stop::Connect(text)), ..Probe::default() };
            match waiting {
                // A moment more than the probe itself has.
                Ok(waiting) => waiting
                    .recv_timeout(left(until) + Duration::from_millis(300))
                    .unwrap_or_else(|_| failed("timed out".to_owned())),
                Err(error) => failed(error.to_string()),
            }
        })
        .collect()
}

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

fn one(host: &Url, way: &Way, until: Instant) -> Probe {
    let mut probe = Probe::default();
    let began = Instant::now();
    if let Err(stop) = walk(host, way, until, began, &mut probe) {
        probe.failure = Some(stop);
    }
    probe
}

fn walk(host: &Url, way: &Way, until: Instant, began: Instant, probe: &mut Probe) -> Result<(), Stop> {
    let goal = way.proxy.as_ref().unwrap_or(host);
    let (name, port) = (bare_host(goal), goal.port_or_known_default().unwrap_or(443));
    probe.addresses = SystemResolver::default()
        .wait(&name, port, until)
        .map_err(|error| Stop::Name(error.to_string()))
        .and_then(|found| if found.is_empty() { Err(Stop::Name("no address".to_owned())) } else { Ok(found) })?;
    let mut stream = connect(&probe.addresses, until).map_err(|error| Stop::Connect(error.to_string()))?;
    if let Some(proxy) = &way.proxy {
        tunnel(&mut stream, proxy, host, until).map_err(|error| Stop::Connect(format!("proxy: {error}")))?;
    }
    if host.scheme() != "https" {
        probe.took = began.elapsed();
        return ask(&mut stream, host, probe);
    }
    let server = ServerName::try_from(bare_host(host)).map_err(|error| Stop::Tls(error.to_string()))?;
    let mut connection =
        ClientConnection::new(way.tls.clone(), server).map_err(|error| Stop::Tls(error.to_string()))?;
    while connection.is_handshaking() {
        limit(&stream, until).map_err(|error| Stop::Tls(error.to_string()))?;
        connection.complete_io(&mut stream).map_err(tls_stop)?;
    }
    probe.took = began.elapsed();
    probe.chain =
        connection.peer_certificates().unwrap_or_default().iter().map(|certificate| certificate.to_vec()).collect();
    probe.protocol = connection.protocol_version().and_then(|version| version.as_str()).map(str::to_owned);
    limit(&stream, until).map_err(|error| Stop::Answer(error.to_string()))?;
    ask(&mut StreamOwned::new(connection, stream), host, probe)
}

/// Without the brackets of an IPv6 address.
fn bare_host(url: &Url) -> String {
    url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned()
}

fn limit(stream: &TcpStream, until: Instant) -> io::Result<()> {
    let left = left(until);
    if left.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    stream.set_read_timeout(Some(left))?;
    stream.set_write_timeout(Some(left))
}

fn connect(addresses: &[SocketAddr], until: Instant) -> io::Result<TcpStream> {
    let mut failure = io::Error::from(io::ErrorKind::TimedOut);
    // Two are enough to get past one that is dead.
    for address in addresses.iter().take(2) {
        let time = left(until) / 2;
        if time.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(address, time) {
            Ok(stream) => {
                limit(&stream, until)?;
                return Ok(stream);
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn tunnel(stream: &mut TcpStream, proxy: &Url, host: &Url, until: Instant) -> io::Result<()> {
    let goal = format!("{}:{}", host.host_str().unwrap_or_default(), host.port_or_known_default().unwrap_or(443));
    let mut request = format!("CONNECT {goal} HTTP/1.1\r\nHost: {goal}\r\n");
    if !proxy.username().is_empty() {
        let login = format!("{}:{}", decoded(proxy.username()), decoded(proxy.password().unwrap_or_default()));
        request.push_str(&format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode(login)));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes())?;
    // Byte by byte: what follows the head belongs to TLS.
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        limit(stream, until)?;
        let mut byte = [0];
        if stream.read(&mut byte)? == 0 || head.len() as u64 > HEAD_LIMIT {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        head.extend_from_slice(&byte);
    }
    let head = String::from_utf8_lossy(&head);
    let status = head.split(' ').nth(1).unwrap_or_default();
    if status == "200" { Ok(()) } else { Err(io::Error::other(format!("HTTP {status}"))) }
}

/// What `%40` in user and password of a proxy stands for.
fn decoded(text: &str) -> String {
    let query = format!("x:?v={}", text.replace('+', "%2B").replace('&', "%26"));
    let url = Url::parse(&query).ok();
    url.and_then(|url| Some(url.query_pairs().next()?.1.into_owned())).unwrap_or_else(|| text.to_owned())
}

fn tls_stop(error: io::Error) -> Stop {
    let text = error.to_string();
    let text = text.split(": https://").next().unwrap_or_default().to_owned();
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(_)) => Stop::Certificate(text),
        _ => Stop::Tls(text),
    }
}

/// One request, for the date of its answer.
fn ask(stream: &mut (impl Read + Write), host: &Url, probe: &mut Probe) -> Result<(), Stop> {
    let failed = |error: io::Error| Stop::Answer(error.to_string());
    let (name, port) =
        (host.host_str().unwrap_or_default(), host.port().map(|port| format!(":{port}")).unwrap_or_default());
    let agent = env!("CARGO_PKG_VERSION");
    let request = format!(
        "HEAD / HTTP/1.1\r\nHost: {name}{port}\r\nUser-Agent: RoutineTemplate/{agent}\r\nConnection: close\r\n\r\n"
    );
    let asked = Timestamp::now();
    stream.write_all(request.as_bytes()).and_then(|()| stream.flush()).map_err(failed)?;
    let mut head = Vec::new();
    let mut part = [0; 1024];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && (head.len() as u64) < HEAD_LIMIT {
        match stream.read(&mut part) {
            Ok(0) => break,
            Ok(length) => head.extend_from_slice(part.get(..length).unwrap_or_default()),
            Err(error) if head.is_empty() => return Err(failed(error)),
            // What came is enough if the date is in it.
            Err(_) => break,
        }
    }
    let answered = Timestamp::now();
    let head = String::from_utf8_lossy(&head);
    if !head.starts_with("HTTP/1.") {
        return Err(Stop::Answer("not HTTP".to_owned()));
    }
    let date = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("date"))
        .and_then(|(_, date)| jiff::fmt::rfc2822::parse(date.trim()).ok());
    // Half way between question and answer; the date has whole seconds only, so half a second is added on average.
    let here = (asked.as_millisecond() + answered.as_millisecond()) as f64 / 2000.0;
    probe.ahead = date.map(|date| here - (date.timestamp().as_second() as f64 + 0.5));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_login_of_a_proxy_is_decoded() {
        assert_eq!(decoded("p%40ss+%26word"), "p@ss+&word");
        assert_eq!(decoded("plain"), "plain");
    }
}
