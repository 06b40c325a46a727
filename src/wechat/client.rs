//! One HTTP request at a time on kept-alive connections, and what became of it.
//!
//! reqwest's asynchronous client on a current-thread runtime that only the calling thread drives: no thread of its own,
//! one context switch per request instead of three, and two thirds of the CPU of `reqwest::blocking` (`benches/client.rs`).

use std::error::Error as _;
use std::fmt;
use std::io::ErrorKind;
use std::pin::pin;
use std::time::{Duration, Instant};

use bytes::Bytes;
use nix::errno::Errno;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Url};
use serde::{Deserialize, Serialize};
use tokio::time::timeout_at;

use super::address::Addresses;
use super::tracked_body::{Started, TrackedBody};
use crate::config::Secret;
use crate::error::Error;
use crate::language::{Text, plain_text};
use crate::network::deadline::Deadline;
use crate::network::resolve::SystemResolver;
use crate::network::tls;

/// More than any answer of the API that we call; a larger one is cut off and has no verdict.
const ANSWER_LIMIT: usize = 1024 * 1024;
/// Below the idle limits of the load balancers and NAT gateways that would drop a connection silently.
const IDLE_LIMIT: Duration = Duration::from_secs(50);
/// What says nothing about the other end.
const LOCAL: [Errno; 3] = [Errno::EMFILE, Errno::ENFILE, Errno::ENOMEM];
/// Turns of the runtime: see [`pump`]. Each of them is a system call.
const PUMP: usize = 2;
const USER_AGENT: &str = concat!("RoutineTemplate/", env!("CARGO_PKG_VERSION"));

/// How one request ended. Everything that decides about a retry or a grant goes by these three.
#[derive(Debug)]
pub enum Attempt {
    /// Not one byte was written: sending it again is always safe.
    NotSent(Failure),
    /// It was written, wholly or in part, and there is no complete answer: WeChat may have acted on it.
    Unknown(Failure),
    /// There is an HTTP answer.
    Answered(Reply),
}

impl Attempt {
    /// Whether nothing was even tried, because all hosts are down.
    pub fn was_left_out(&self) -> bool {
        matches!(self, Self::NotSent(failure) if failure.cause == Cause::Circuit)
    }
}

/// Why there is no answer, without address or token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The kind of fault.
    pub cause: Cause,
    /// The system's or the library's own words.
    pub detail: Text,
    /// Whether it was the connection that could not be made: the host's fault, or the way's.
    pub connecting: bool,
}

impl Failure {
    /// A failure on a connection.
    pub fn new(cause: Cause, detail: impl Into<String>) -> Self {
        let detail = plain_text(&detail.into());
        Self { cause, detail: Text::new(detail.clone(), detail), connecting: false }
    }
}

/// What kind of fault it was, so far as it can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The host name has no address.
    Name,
    /// Nobody listens there.
    Refused,
    /// The certificate does not prove the host.
    Certificate,
    /// The deadline passed.
    Timeout,
    /// The connection was closed or reset.
    Closed,
    /// The answer is not one of WeChat's API.
    Answer,
    /// This process has no descriptors or memory left.
    Local,
    /// All hosts are down, so nothing was tried.
    Circuit,
    /// Anything else.
    Other,
}

impl Cause {
    /// Its name in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Refused => "refused",
            Self::Certificate => "certificate",
            Self::Timeout => "timeout",
            Self::Closed => "closed",
            Self::Answer => "answer",
            Self::Local => "local",
            Self::Circuit => "circuit",
            Self::Other => "other",
        }
    }

    /// What it means and what to look at.
    pub fn text(self) -> Text {
        match self {
            Self::Name => {
                Text::new("域名解析失败，请检查 DNS 和 base_url", "the host name was not found, check DNS and base_url")
            }
            Self::Refused => Text::new(
                "连接被拒绝，请检查 base_url、proxy 和防火墙",
                "the connection was refused, check base_url, proxy and firewall",
            ),
            Self::Certificate => Text::new(
                "证书不受信任，请检查 ca_file、服务器时间和中间代理",
                "the certificate is not trusted, check ca_file, the clock and any proxy",
            ),
            Self::Timeout => Text::new("超时", "timed out"),
            Self::Closed => Text::new("连接中断", "the connection broke"),
            Self::Answer => Text::new("回答不是微信接口的格式", "the answer is not in the API's form"),
            Self::Local => {
                Text::new("本进程的文件描述符或内存不足", "this process has no file descriptors or memory left")
            }
            Self::Circuit => {
                Text::new("微信接口暂时不可用，未尝试连接", "WeChat's API is down, so no connection was tried")
            }
            Self::Other => Text::new("网络错误", "network error"),
        }
    }

    fn of(error: &reqwest::Error) -> Self {
        let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(cause) = source {
            if let Some(rustls::Error::InvalidCertificate(_)) = cause.downcast_ref() {
                return Self::Certificate;
            }
            let io = cause.downcast_ref::<std::io::Error>();
            if io.and_then(std::io::Error::raw_os_error).is_some_and(|code| LOCAL.contains(&Errno::from_raw(code))) {
                return Self::Local;
            }
            match io.map(std::io::Error::kind) {
                Some(ErrorKind::ConnectionRefused) => return Self::Refused,
                Some(ErrorKind::TimedOut) => return Self::Timeout,
                Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof) => {
                    return Self::Closed;
                }
                _ if cause.to_string() == "dns error" => return Self::Name,
                _ if cause.to_string().starts_with("connection closed before") => return Self::Closed,
                // What an I/O error wraps is not its source, but the source of its source is; and one may wrap another.
                _ => match io.and_then(std::io::Error::get_ref) {
                    Some(wrapped) => source = Some(wrapped),
                    None => source = cause.source(),
                },
            }
        }
        if error.is_timeout() { Self::Timeout } else { Self::Other }
    }
}

/// An HTTP answer as received.
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The body, at most 1 MiB.
    pub body: Vec<u8>,
}

/// The body may hold a token.
impl fmt::Debug for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "HTTP {} with {} bytes", self.status, self.body.len())
    }
}

/// What distinguishes one client from another: connections are shared by all accounts with the same values.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientKey {
    /// Extra CA certificates, PEM.
    pub ca_file: Option<String>,
    /// `http://host:port` of a proxy.
    pub proxy: Option<Secret>,
    /// Limit for name, TCP and TLS together.
    pub connect_timeout: Duration,
}

/// Connections to WeChat that outlive the PHP request. Belongs to the process that made it; never used after a fork.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    pub(super) addresses: Addresses,
}

impl Client {
    /// Builds a client; no connection is opened yet.
    pub fn new(key: &ClientKey) -> Result<Self, Error> {
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::client_config(key.ca_file.as_deref())?)
            .user_agent(USER_AGENT)
            .connect_timeout(key.connect_timeout)
            .pool_idle_timeout(IDLE_LIMIT)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .http1_only()
            .dns_resolver(SystemResolver::default())
            // The environment of a CGI process is the visitor's (httpoxy), so only the setting counts.
            .no_proxy();
        if let Some(proxy) = &key.proxy {
            let proxy = reqwest::Proxy::all(proxy.reveal())
                .map_err(describe)
                .map_err(|error| Error::config(format!("设置 proxy：{error}"), format!("setting proxy: {error}")))?;
            builder = builder.proxy(proxy);
        }
        let http = builder.build().map_err(describe).map_err(|error| {
            Error::config(format!("HTTP 客户端无法启动：{error}"), format!("the HTTP client cannot be built: {error}"))
        })?;
        Ok(Self { http, addresses: Addresses::default() })
    }

    /// `POST` with a JSON body, or `GET` without one; a `GET` only for calls that may be repeated freely. A connection that is
    /// not there after `connect` counts as failed (that of a `GET` after the setting's limit).
    pub async fn exchange(&self, url: Url, body: Option<Bytes>, deadline: Deadline, connect: Duration) -> Attempt {
        let Some(body) = body else {
            return self.run(self.http.get(url), deadline, connect, || true).await;
        };
        let started = Started::default();
        let request = self
            .http
            .request(Method::POST, url)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))
            .body(reqwest::Body::wrap(TrackedBody::new(body, started.clone())));
        self.run(request, deadline, connect, move || started.get()).await
    }

    async fn run(
        &self,
        request: reqwest::RequestBuilder,
        deadline: Deadline,
        connect: Duration,
        started: impl Fn() -> bool,
    ) -> Attempt {
        // Between two calls nobody polls the connections: let the runtime see first which ones the server has closed, and which
        // one has just become free again.
        pump().await;
        let mut exchange = pin!(read(request));
        let began = Instant::now();
        let connected_by = deadline.at().min(began + connect);
        let result = match timeout_at(connected_by.into(), &mut exchange).await {
            Err(_) if started() => timeout_at(deadline.at().into(), &mut exchange).await,
            result => result,
        };
        let mut failure = match result {
            Ok(Ok(Some(reply))) => return Attempt::Answered(reply),
            Ok(Ok(None)) => Failure::new(Cause::Answer, format!("more than {ANSWER_LIMIT} bytes")),
            Ok(Err(error)) => {
                let never_connected = error.is_connect();
                let failure = Failure::new(Cause::of(&error), describe(error));
                if never_connected {
                    return Attempt::NotSent(Failure { connecting: true, ..failure });
                }
                failure
            }
            Err(_) => Failure::new(Cause::Timeout, format!("{} ms", began.elapsed().as_millis())),
        };
        if started() {
            return Attempt::Unknown(failure);
        }
        failure.connecting = failure.cause == Cause::Timeout;
        Attempt::NotSent(failure)
    }
}

/// Lets the runtime look after its connections, without waiting for anything: one turn runs the connections that were woken before
/// and looks at the sockets, the next one runs those that it woke.
pub async fn pump() {
    for _ in 0..PUMP {
        tokio::task::yield_now().await;
    }
}

/// Sends a request and reads the answer; `None` if it is longer than any of the API's.
async fn read(request: reqwest::RequestBuilder) -> reqwest::Result<Option<Reply>> {
    let mut response = request.send().await?;
    let status = response.status().as_u16();
    let mut body = Vec::with_capacity(response.content_length().unwrap_or(256).min(4096) as usize);
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > ANSWER_LIMIT {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(Reply { status, body }))
}

/// The chain of causes in one line. The URL is left out: it carries the access token.
fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // rustls adds the address of its manual to some texts.
        let cause_text = cause_text.split(": https://").next().unwrap_or_default();
        if !text.contains(cause_text) {
            text.push_str(": ");
            text.push_str(cause_text);
        }
        source = cause.source();
    }
    text
}
