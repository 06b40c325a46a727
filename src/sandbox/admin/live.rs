//! `GET /__admin/events`: what the page shows, as it happens (server-sent events).
//!
//! Nothing is queued for a watcher: it is told that there is news, waits a moment, and reads the newest from the world.
//! However many messages come, it gets a few pieces a second with a bounded number of lines.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::Uri;
use futures_util::stream::{BoxStream, unfold};
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{sleep, timeout};

use super::super::journal::{Message, MessageFilter};
use super::super::world::{Shared, World};
use super::members::BadRequest;
use super::read;

/// Pieces follow each other at this distance.
const PACE: Duration = Duration::from_millis(150);
/// A comment is sent when nothing has happened for so long: a watcher that has gone is noticed by it.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Messages, refused calls and pushes in one piece, each.
const LINES: usize = 50;

/// Users in one piece.
const USERS: usize = 30;
/// Lines of a notification, and characters of a value, that are shown.
const FIELDS: usize = 40;
const VALUE: usize = 500;

/// What goes to one watcher, piece by piece.
pub(in super::super) type Stream = BoxStream<'static, Result<Bytes, Infallible>>;

struct Watcher {
    shared: Arc<Shared>,
    news: watch::Receiver<()>,
    appid: String,
    prefix: String,
    generation: Option<u64>,
    message: u64,
    refused: u64,
    accounts: String,
    users: String,
    pushes: String,
    _place: OwnedSemaphorePermit,
}

/// Watches one account; the parameters are appid and prefix (of the openids that are listed).
pub(super) fn watch(shared: &Arc<Shared>, uri: &Uri) -> Result<Stream, BadRequest> {
    let place = Arc::clone(&shared.listeners).try_acquire_owned().map_err(|_| BadRequest::TooMany)?;
    let news = shared.world.lock().news.subscribe();
    let watcher = Watcher {
        shared: Arc::clone(shared),
        news,
        appid: read::text(uri, "appid").ok_or(BadRequest::Missing("appid"))?,
        prefix: read::text(uri, "prefix").unwrap_or_default(),
        generation: None,
        message: 0,
        refused: 0,
        accounts: String::new(),
        users: String::new(),
        pushes: String::new(),
        _place: place,
    };
    Ok(Box::pin(unfold(watcher, |mut watcher| async move {
        let piece = watcher.next().await?;
        Some((Ok(piece), watcher))
    })))
}

impl Watcher {
    /// The next piece; `None` when the sandbox ends.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.generation.is_some() {
                match timeout(HEARTBEAT, self.news.changed()).await {
                    Ok(changed) => changed.ok()?,
                    Err(_) => return Some(Bytes::from_static(b": still here\n\n")),
                }
                sleep(PACE).await;
            }
            self.news.borrow_and_update();
            let shared = Arc::clone(&self.shared);
            if let Some(piece) = self.read(&shared.world.lock()) {
                return Some(format!("data: {piece}\n\n").into());
            }
        }
    }

    /// What has changed since the last look.
    fn read(&mut self, world: &World) -> Option<Value> {
        let mut piece = json!({"generation": format!("{:016x}", world.generation)});
        if self.generation != Some(world.generation) {
            self.generation = Some(world.generation);
            (self.message, self.refused) = (0, 0);
            self.accounts.clear();
            self.users.clear();
            self.pushes.clear();
        }
        let members = piece.as_object_mut()?;
        let mut put = |name: &str, value: Value| {
            members.insert(name.to_owned(), value);
        };
        if world.journal.total() > self.message {
            let filter = MessageFilter {
                appid: Some(self.appid.clone()),
                since: self.message,
                limit: Some(LINES),
                ..MessageFilter::default()
            };
            self.message = world.journal.total();
            let messages: Vec<Value> = world.messages(&filter).iter().map(shown).collect();
            put("messages", Value::Array(messages));
            put("accepted", json!(world.accounts.get(self.appid.as_str()).map(|account| account.accepted)));
        }
        if world.refused.total() > self.refused {
            put("refused", json!(world.refused.read(Some(&self.appid), self.refused, LINES)));
            self.refused = world.refused.total();
        }
        // These change in place, so that they are compared as a whole.
        let pushes = json!(world.pushes.read(Some(&self.appid), 0, LINES));
        for (name, value, known) in [
            ("accounts", world.read_accounts(), &mut self.accounts),
            ("users", world.users(&self.appid, &self.prefix, USERS), &mut self.users),
            ("pushes", pushes, &mut self.pushes),
        ] {
            let text = value.to_string();
            if *known != text {
                *known = text;
                put(name, value);
            }
        }
        (members.len() > 1).then_some(piece)
    }
}

/// A message as the page shows it. The msgid is text: it is beyond what a JavaScript number holds exactly.
fn shown(message: &Message) -> Value {
    let cut = |text: &str| text.chars().take(VALUE).collect::<String>();
    let fields: Vec<Value> = message
        .fields
        .iter()
        .take(FIELDS)
        .map(|field| json!({"key": cut(&field.key), "label": cut(&field.label), "value": cut(&field.value)}))
        .collect();
    let text = |pointer: &str| message.body.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    // Both given, the mini program goes first.
    let page = text("/miniprogram/pagepath").or_else(|| text("/page"));
    let web = page.or_else(|| text("/url")).is_some_and(|link| link.starts_with("http"));
    json!({
        "number": message.number,
        "time": message.time,
        "appid": message.appid,
        "openid": cut(&message.openid),
        "template_id": message.template_id,
        "title": cut(&message.title),
        "fields": fields,
        "link": cut(page.or_else(|| text("/url")).unwrap_or_default()),
        "web": web,
        "msgid": message.msgid.to_string(),
    })
}
