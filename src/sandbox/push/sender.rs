//! From an event to the endpoint's answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use once_cell::sync::OnceCell;
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::super::world::{Shared, World};
use super::envelope::{encrypt, signature};
use super::event::{Envelope, PushEvent, cdata};
use super::record::{PushRecord, PushState, Request, Result};
use super::settings::{PushFormat, PushMode};

/// WeChat waits so long for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// And asks so often.
const TRIES: u32 = 3;
/// Bytes of an answer that are read.
const ANSWER: usize = 64 * 1024;
/// Characters of an answer that are remembered.
const SHOWN: usize = 1000;

/// The HTTP client of the pushes, made when first used.
#[derive(Debug, Default)]
pub(in super::super) struct Sender {
    client: OnceCell<Client>,
    pub(in super::super) allow_remote: bool,
}

impl Sender {
    pub(in super::super) fn new(allow_remote: bool) -> Sender {
        Sender { client: OnceCell::new(), allow_remote }
    }

    fn client(&self) -> std::result::Result<&Client, String> {
        self.client.get_or_try_init(|| {
            let roots = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect::<RootCertStore>();
            let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .map_err(|error| error.to_string())?
                .with_root_certificates(roots)
                .with_no_client_auth();
            Client::builder()
                .no_proxy()
                .redirect(Policy::none())
                .timeout(PATIENCE)
                .user_agent("Mozilla/4.0")
                // A shop's endpoint may be `php -S`, which serves one connection after another.
                .pool_max_idle_per_host(0)
                .tls_backend_preconfigured(tls)
                .build()
                .map_err(|error| reason(&error))
        })
    }
}

/// How an event is to differ from one that WeChat would push now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Oddities {
    /// Signed at this time (seconds since 1970) instead of now.
    pub timestamp: Option<u64>,
}

impl World {
    /// Writes, signs and encrypts an event. `None` if the account has no endpoint.
    pub(in super::super) fn prepare_push(
        &mut self,
        appid: &str,
        openid: &str,
        event: &PushEvent,
        oddities: Oddities,
    ) -> Option<Request> {
        let account = self.accounts.get(appid)?;
        let (settings, to) = (account.push.clone()?, account.original_id());
        let now = self.clock.now();
        let seconds = oddities.timestamp.unwrap_or(now / 1000);
        let (timestamp, nonce) = (seconds.to_string(), (self.random.next() % 10_000_000_000).to_string());
        let mut url = settings.url.clone();
        let signed = signature(vec![&settings.token, &timestamp, &nonce]);
        url.query_pairs_mut()
            .append_pair("signature", &signed)
            .append_pair("timestamp", &timestamp)
            .append_pair("nonce", &nonce);
        let generation = self.generation;
        if *event == PushEvent::UrlCheck {
            let echo = self.random.next().to_string();
            url.query_pairs_mut().append_pair("echostr", &echo);
            let number = self.pushes.add(now, appid, openid, event, String::new(), &settings);
            return Some(Request { number, generation, settings, url, body: None, echo: Some(echo) });
        }
        url.query_pairs_mut().append_pair("openid", openid);
        let envelope = Envelope { to: &to, from: openid, seconds };
        let plain = event.write(envelope, settings.format, None);
        let body = match (settings.mode, &settings.aes_key) {
            (PushMode::Plain, _) | (_, None) => plain.clone(),
            (mode, Some(key)) => {
                let mut random = [0; 16];
                random.iter_mut().zip(self.random.characters(16).bytes()).for_each(|(to, from)| *to = from);
                let secret = encrypt(key, random, &plain, appid);
                url.query_pairs_mut()
                    .append_pair("encrypt_type", "aes")
                    .append_pair("msg_signature", &signature(vec![&settings.token, &timestamp, &nonce, &secret]));
                match (mode, settings.format) {
                    (PushMode::Compat, format) => event.write(envelope, format, Some(("Encrypt", secret))),
                    (_, PushFormat::Xml) => format!(
                        "<xml>\n<ToUserName>{}</ToUserName>\n<Encrypt>{}</Encrypt>\n</xml>",
                        cdata(&to),
                        cdata(&secret)
                    ),
                    (_, PushFormat::Json) => serde_json::json!({"ToUserName": to, "Encrypt": secret}).to_string(),
                }
            }
        };
        let number = self.pushes.add(now, appid, openid, event, plain, &settings);
        Some(Request { number, generation, settings, url, body: Some(body), echo: None })
    }

    /// Queues an event that somebody asked for.
    pub(in super::super) fn push_by_hand(&mut self, appid: &str, openid: &str, event: &PushEvent) {
        if let Some(request) = self.prepare_push(appid, openid, event, Oddities::default()) {
            self.pushes.enqueue(request, openid);
            self.changed();
        }
    }

    /// Queues an event that the account's own doings cause.
    pub(in super::super) fn push(&mut self, appid: &str, openid: &str, event: &PushEvent) {
        let automatic = self.accounts.get(appid).and_then(|account| account.push.as_ref());
        if automatic.is_some_and(|settings| settings.automatic)
            && let Some(request) = self.prepare_push(appid, openid, event, Oddities::default())
        {
            self.pushes.enqueue(request, openid);
        }
    }
}

/// Sends what comes down one lane until the sandbox ends.
pub(in super::super) async fn run(shared: Arc<Shared>, mut lane: mpsc::Receiver<Request>) {
    while let Some(request) = lane.recv().await {
        if shared.world.lock().generation == request.generation {
            deliver(&shared, request, 1).await;
        }
    }
}

/// Sends one push, `repeat` times the same; what became of the last is remembered and returned.
pub(in super::super) async fn deliver(shared: &Arc<Shared>, request: Request, repeat: u32) -> Option<PushRecord> {
    let mut last = None;
    for _ in 0..repeat {
        let result = attempt_all(&shared.sender, &request).await;
        let mut world = shared.world.lock();
        // After a reset the number belongs to another push.
        if world.generation != request.generation {
            return None;
        }
        world.pushes.finish(request.number, result);
        last = world.pushes.get(request.number).cloned();
        world.changed();
    }
    last
}

async fn attempt_all(sender: &Sender, request: &Request) -> Result {
    let started = Instant::now();
    let mut result = Result { state: PushState::Failed, tries: 0, status: None, answer: None, error: None, took_ms: 0 };
    let permitted = request.settings.require_loopback(sender.allow_remote).map_err(|error| error.to_string());
    match permitted.and_then(|()| sender.client()) {
        Err(error) => result.error = Some(error),
        Ok(client) => {
            while result.tries < TRIES && result.state == PushState::Failed {
                result.tries += 1;
                match timeout(PATIENCE, exchange(client, request)).await {
                    Ok(Ok((status, answer))) => {
                        result.state = judge(status, &answer, request.echo.as_deref());
                        result.status = Some(status);
                        result.answer = Some(answer.chars().take(SHOWN).collect());
                        result.error = (status != 200).then(|| format!("status {status}"));
                    }
                    Ok(Err(error)) if !error.is_timeout() => result.error = Some(reason(&error)),
                    Ok(Err(_)) | Err(_) => result.error = Some("no answer within 5 seconds".to_owned()),
                }
            }
        }
    }
    result.took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    result
}

async fn exchange(client: &Client, request: &Request) -> std::result::Result<(u16, String), reqwest::Error> {
    let url: Url = request.url.clone();
    let outgoing = match &request.body {
        None => client.get(url),
        Some(body) => {
            let kind = match request.settings.format {
                PushFormat::Xml => "text/xml",
                PushFormat::Json => "application/json",
            };
            client.post(url).header("Content-Type", kind).body(body.clone())
        }
    };
    let mut response = outgoing.send().await?;
    let mut bytes = Vec::new();
    while bytes.len() < ANSWER
        && let Some(chunk) = response.chunk().await?
    {
        bytes.extend_from_slice(&chunk);
    }
    bytes.truncate(ANSWER);
    Ok((response.status().as_u16(), String::from_utf8_lossy(&bytes).into_owned()))
}

fn judge(status: u16, answer: &str, echo: Option<&str>) -> PushState {
    match echo {
        _ if status != 200 => PushState::Failed,
        // Raw: a byte order mark or a newline in front of it fails the real check as well.
        Some(echo) if answer == echo => PushState::Success,
        Some(_) => PushState::Answered,
        None if answer.is_empty() || answer == "success" => PushState::Success,
        None => PushState::Answered,
    }
}

/// The innermost cause; the outer ones repeat the URL with its signature.
fn reason(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
