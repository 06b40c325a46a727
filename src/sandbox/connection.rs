//! One connection: requests, answers, and the faults that go beneath HTTP.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Method, Request, Response, StatusCode, header};
use futures_util::StreamExt;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, sleep_until};
use tower::ServiceExt;

use super::admin;
use super::body::AnswerBody;
use super::endpoint::{Call, Origin};
use super::fault::FaultKind;
use super::page;
use super::refusal::Refusal;
use super::world::{Busy, Shared};

/// Request bodies beyond this are refused with status 413, as a gateway does.
const LARGEST_BODY: usize = 32 * 1024 * 1024;

/// What the socket, the service and the watchdog of one connection share.
#[derive(Debug)]
pub(super) struct Link {
    shared: Arc<Shared>,
    number: u64,
    peer: IpAddr,
    /// Close with RST instead of FIN.
    reset: AtomicBool,
    /// Requests under way: 0 or 1.
    busy: AtomicU64,
    started: Instant,
    /// When the last request ended, in milliseconds after `started`.
    idle_since: AtomicU64,
    /// Rings when the connection is to be closed after the answer under way.
    close: Notify,
}

impl Link {
    pub(super) fn new(shared: Arc<Shared>, peer: IpAddr) -> Arc<Link> {
        shared.open.fetch_add(1, Ordering::Relaxed);
        let number = shared.numbered.fetch_add(1, Ordering::Relaxed) + 1;
        Arc::new(Link {
            shared,
            number,
            peer,
            reset: AtomicBool::new(false),
            busy: AtomicU64::new(0),
            started: Instant::now(),
            idle_since: AtomicU64::new(0),
            close: Notify::new(),
        })
    }

    fn rest(&self) -> Duration {
        self.started.elapsed().saturating_sub(Duration::from_millis(self.idle_since.load(Ordering::Relaxed)))
    }

    /// Whether no request has been under way for so long.
    fn has_rested(&self, idle: Duration) -> bool {
        self.busy.load(Ordering::Relaxed) == 0 && self.rest() >= idle
    }

    /// The earliest time at which it may have rested for so long.
    fn next_look(&self, idle: Duration) -> Instant {
        let rest = if self.busy.load(Ordering::Relaxed) == 0 { self.rest() } else { Duration::ZERO };
        Instant::now() + idle.saturating_sub(rest).max(Duration::from_millis(1))
    }

    pub(super) fn closes_with_reset(&self) -> bool {
        self.reset.load(Ordering::Relaxed)
    }

    fn touch(&self) {
        let since = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.idle_since.store(since, Ordering::Relaxed);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.shared.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The request gets no answer and the connection ends.
#[derive(Debug, thiserror::Error)]
#[error("the connection is dropped on purpose")]
struct Dropped;

/// Serves one connection until either side closes it.
pub(super) async fn serve<S>(stream: S, link: Arc<Link>, router: Router)
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let mut settings = link.shared.settings.subscribe();
    let service_link = Arc::clone(&link);
    let service = service_fn(move |request| respond(request, Arc::clone(&service_link), router.clone()));
    // One buffer for head and body: one write, and one TLS record, per answer.
    let mut connection = pin!(http1::Builder::new().writev(false).serve_connection(TokioIo::new(stream), service));
    loop {
        let idle = settings.borrow_and_update().idle_close_ms.map(Duration::from_millis);
        let too_long = async {
            match idle {
                Some(idle) => sleep_until(link.next_look(idle)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            // Broken connections are what half of this server is for; there is nobody to tell.
            _ = connection.as_mut() => return,
            () = link.close.notified() => connection.as_mut().graceful_shutdown(),
            changed = settings.changed() => if changed.is_err() { return },
            () = too_long => if idle.is_some_and(|idle| link.has_rested(idle)) {
                connection.as_mut().graceful_shutdown();
            },
        }
    }
}

/// Ends the mark of a request under way, however it ends.
struct Underway(Arc<Link>);

impl Drop for Underway {
    fn drop(&mut self) {
        self.0.busy.fetch_sub(1, Ordering::Relaxed);
        self.0.touch();
    }
}

async fn respond(request: Request<Incoming>, link: Arc<Link>, router: Router) -> Result<Response<AnswerBody>, Dropped> {
    link.busy.fetch_add(1, Ordering::Relaxed);
    let underway = Underway(Arc::clone(&link));
    let (parts, body) = request.into_parts();
    // Read first, so that closing the connection never leaves unread bytes that would turn FIN into RST.
    let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else {
        return Ok(plain(StatusCode::PAYLOAD_TOO_LARGE, "413 Request Entity Too Large"));
    };
    let body = body.to_bytes();
    if parts.uri.path().starts_with("/__admin") {
        return Ok(match admin::handle(&link.shared, &parts.method, &parts.uri, &parts.headers, &body).await {
            admin::Answer::Json(status, text) => json(status, AnswerBody::whole(text.into())),
            // It is under way as long as somebody watches.
            admin::Answer::Live(events) => live(events, underway),
        });
    }
    if parts.uri.path() == "/" && parts.method == Method::GET {
        return Ok(match admin::check_host(&parts.headers, link.shared.sender.allow_remote) {
            Ok(()) => page::answer(),
            Err(_) => plain(StatusCode::FORBIDDEN, "403 Forbidden"),
        });
    }
    answer(parts, body, &link, router).await
}

/// Everything that is not `/__admin`: counts, faults, latency, the endpoint itself.
async fn answer(
    mut parts: axum::http::request::Parts,
    body: Bytes,
    link: &Arc<Link>,
    router: Router,
) -> Result<Response<AnswerBody>, Dropped> {
    let shared = &link.shared;
    let (fault, date) = {
        let mut world = shared.world.lock();
        world.ledger.request(parts.uri.path(), std::mem::take(&mut parts.headers), body.clone());
        (world.faults.take(parts.uri.path()), world.clock.date())
    };
    let (delay, close_after) = {
        let settings = shared.settings.borrow();
        (Duration::from_millis(settings.latency_ms), settings.close_after_answer)
    };
    let delay = match &fault {
        Some(FaultKind::Latency { ms }) => delay.saturating_add(Duration::from_millis(*ms)),
        _ => delay,
    };
    let processed = match &fault {
        Some(fault) if !fault.is_processed() => None,
        _ => {
            let origin = Origin { peer: link.peer, connection: link.number, delay };
            let (mut request, uri) = (Request::new(Body::from(body.clone())), parts.uri.clone());
            *request.method_mut() = parts.method.clone();
            *request.uri_mut() = uri;
            request.extensions_mut().insert(origin);
            Some(process(request, router).await)
        }
    };
    let busy = processed.as_ref().and_then(|(_, busy)| busy.clone());
    let text = processed.map(|(text, _)| text).unwrap_or_default();
    if !delay.is_zero() {
        sleep(delay).await;
    }
    drop(busy);
    let mut answer = match fault {
        None | Some(FaultKind::Latency { .. }) => json(StatusCode::OK, AnswerBody::whole(text)),
        Some(FaultKind::DropBefore | FaultKind::DropAfter) => return Err(Dropped),
        Some(FaultKind::ResetBefore | FaultKind::ResetAfter) => {
            link.reset.store(true, Ordering::Relaxed);
            return Err(Dropped);
        }
        Some(FaultKind::HalfAnswer) => json(StatusCode::OK, AnswerBody::half(&text)),
        Some(FaultKind::HttpStatus { status }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            plain(status, "<html><head><title>Error</title></head><body><center><h1>Error</h1></center></body></html>")
        }
        Some(FaultKind::Garbage) => plain(StatusCode::OK, "<html><body>\u{fffd}{\"errcode\":0,</body></html>"),
        Some(FaultKind::SlowBytes { ms_per_byte }) => {
            json(StatusCode::OK, AnswerBody::slow(text, Duration::from_millis(ms_per_byte)))
        }
        Some(FaultKind::Hang) => std::future::pending().await,
        Some(FaultKind::Errcode { errcode, errmsg }) => {
            let call =
                Call { method: parts.method, uri: parts.uri, body, peer: link.peer, connection: link.number, delay };
            json(StatusCode::OK, AnswerBody::whole(asked_for(shared, errcode, errmsg, &call).into()))
        }
        Some(FaultKind::HugeAnswer { bytes }) => json(StatusCode::OK, AnswerBody::huge(bytes)),
    };
    if let Some(date) = date {
        answer.headers_mut().insert(header::DATE, date);
    }
    if close_after {
        link.close.notify_one();
    }
    Ok(answer)
}

fn asked_for(shared: &Arc<Shared>, errcode: i64, errmsg: Option<String>, call: &Call) -> String {
    let refusal = match errmsg {
        Some(errmsg) => Refusal::with(errcode, errmsg),
        None => Refusal::of(errcode),
    };
    shared.world.lock().refuse(refusal, call)
}

/// Runs the endpoint; the second part keeps the openid occupied until it is dropped.
async fn process(request: Request<Body>, router: Router) -> (Bytes, Option<Arc<Busy>>) {
    // Neither a Router nor a body in memory can fail.
    let Ok(response) = router.oneshot(request).await;
    let (parts, body) = response.into_parts();
    let text = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    (text, parts.extensions.get::<Arc<Busy>>().cloned())
}

fn json(status: StatusCode, body: AnswerBody) -> Response<AnswerBody> {
    with_type(status, "application/json; encoding=utf-8", body)
}

fn live(events: admin::Stream, underway: Underway) -> Response<AnswerBody> {
    let events = events.map(move |piece| {
        let _underway = &underway;
        piece
    });
    let mut response =
        with_type(StatusCode::OK, "text/event-stream; charset=utf-8", AnswerBody::Live(Box::pin(events)));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<AnswerBody> {
    with_type(status, "text/html", AnswerBody::whole(Bytes::from_static(text.as_bytes())))
}

fn with_type(status: StatusCode, content_type: &'static str, body: AnswerBody) -> Response<AnswerBody> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
