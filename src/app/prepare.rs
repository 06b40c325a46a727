//! The stages that need neither store nor network: is there a receiver, can WeChat take the fields, what is posted.
//!
//! What comes out owns all it needs, so that it may wait (in a queue, behind another message) when the application's values
//! are gone.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;

use super::App;
use super::admission::{OPENID_LIMIT, TEMPLATE_ID_LIMIT, cut, hashed_openid};
use crate::answer::Answer;
use crate::config::GrantPolicy;
use crate::error::Error;
use crate::field::{self, Change, Checked, Mode};
use crate::fingerprint;
use crate::message::{Channel, Message};
use crate::process::Process;
use crate::store::{Begin, MessageId};
use crate::wechat::api::{MiniProgram, SendBody};
use crate::wechat::data::Data;

/// A message after the checks.
pub(super) struct Prepared {
    /// A new one; a row with the same key keeps its own. Rows sort by it: whoever waits before the message begins calls
    /// [`Prepared::renew_id`] then.
    pub(super) id: MessageId,
    /// The receiver, as he is posted.
    pub(super) touser: String,
    /// The private template id.
    pub(super) template_id: String,
    /// The call that carries it.
    pub(super) channel: Channel,
    /// The application's idempotency key.
    pub(super) key: Option<String>,
    /// When the ledger refuses.
    pub(super) policy: GrantPolicy,
    /// Limit from the moment at which it starts.
    pub(super) timeout: Duration,
    /// What is posted, or the refusal that needs nobody else.
    pub(super) content: Result<Content, Answer>,
    shown_openid: Option<String>,
    retention: Duration,
}

/// What a message consists of that can be sent.
pub(super) struct Content {
    /// What is posted, JSON.
    pub(super) body: Bytes,
    /// What fitting altered.
    pub(super) changes: Vec<Change>,
    /// The same for the row, JSON.
    pub(super) changed: Option<String>,
    /// What was posted, for the row, where the setting `keep_payload` asks for it.
    pub(super) payload: Option<String>,
}

impl Prepared {
    /// The message as the store takes it. The lease is for the caller to set.
    pub(super) fn begin<'a>(&'a self, app: &'a App, process: &'a Process) -> Begin<'a> {
        let openid = cut(&self.touser, OPENID_LIMIT);
        let content = self.content.as_ref().ok();
        Begin {
            id: self.id,
            owner: process.owner(),
            lease: Duration::ZERO,
            appid: &app.settings.appid,
            openid,
            shown_openid: self.shown_openid.as_deref().unwrap_or(openid),
            template_id: cut(&self.template_id, TEMPLATE_ID_LIMIT),
            channel: self.channel,
            key: self.key.as_deref(),
            policy: self.policy,
            changed: content.and_then(|content| content.changed.as_deref()),
            payload: content.and_then(|content| content.payload.as_deref()),
            retention: self.retention,
            abandoned: None,
            queued: false,
        }
    }

    /// Gives it an id of this moment.
    pub(super) fn renew_id(&mut self) {
        self.id = MessageId::new();
    }

    /// What fitting altered, for the answer.
    pub(super) fn take_changes(&mut self) -> Vec<Change> {
        self.content.as_mut().map(|content| std::mem::take(&mut content.changes)).unwrap_or_default()
    }
}

impl App {
    /// Checks a message and brings it into the form in which it is posted.
    pub(super) fn prepare(&self, message: &Message<'_>) -> Result<Prepared, Error> {
        let touser = message.touser.trim();
        let template_id = message.template_id.trim();
        let template_id = self.registry.id(template_id).unwrap_or(template_id);
        let shown_openid =
            self.settings.hash_openid.then(|| hashed_openid(&self.settings.appid, cut(touser, OPENID_LIMIT)));
        let known = self.known_templates();
        let mode = message.options.validate.unwrap_or(self.settings.validate);
        let refused = self.refused_receiver(touser, template_id).or_else(|| match mode {
            Mode::Off => None,
            Mode::Fit | Mode::Strict => self.refused_template(known.as_deref(), template_id, message.options.channel),
        });
        let content = match refused {
            Some(answer) => Err(answer),
            None => {
                let template = self.fields_of(known.as_deref(), template_id);
                let checked = field::check(&message.data, template, mode, message.options.channel);
                self.content(message, touser, template_id, shown_openid.as_deref(), checked)?
            }
        };
        Ok(Prepared {
            id: MessageId::new(),
            touser: touser.to_owned(),
            template_id: template_id.to_owned(),
            channel: message.options.channel,
            key: message.options.key.clone(),
            policy: message.options.grants.unwrap_or(self.settings.grants),
            timeout: message.options.timeout.unwrap_or(self.settings.timeout),
            content,
            shown_openid,
            retention: self.settings.retention,
        })
    }

    pub(super) fn refused_receiver(&self, touser: &str, template_id: &str) -> Option<Answer> {
        let hints = self.settings.hint_lang;
        if touser.is_empty() {
            return Some(Answer::local(40003, "invalid openid", hints).with_hint(hints.choose(
                "openid 为空，请检查该用户是否登录过小程序。",
                "The openid is empty; check whether this user has ever signed in to the mini program.",
            )));
        }
        if touser.len() > OPENID_LIMIT {
            return Some(Answer::local(40003, "invalid openid", hints));
        }
        template_id.is_empty().then(|| {
            Answer::local(40037, "invalid template_id", hints).with_hint(hints.choose(
                "模板 ID 为空，请检查该通知是否配置了模板（CRMEB：routine_tempid）。",
                "The template id is empty; check whether this notice has a template (CRMEB: routine_tempid).",
            ))
        })
    }

    fn content(
        &self,
        message: &Message<'_>,
        touser: &str,
        template_id: &str,
        shown_openid: Option<&str>,
        checked: Checked,
    ) -> Result<Result<Content, Answer>, Error> {
        if !checked.violations.is_empty() {
            return Ok(Err(Answer::refused_payload(checked, self.settings.hint_lang)));
        }
        let body = self.body(message, touser, template_id, &checked)?;
        let payload = match (self.settings.keep_payload, shown_openid) {
            (false, _) => None,
            (true, None) => Some(body.clone()),
            // What the row hides, its payload must not tell.
            (true, Some(shown_openid)) => Some(self.body(message, shown_openid, template_id, &checked)?),
        };
        let payload = payload.map(|payload| String::from_utf8_lossy(&payload).into_owned());
        let changed = json_of(&checked)?;
        Ok(Ok(Content { body, changes: checked.changes, changed, payload }))
    }

    fn body(&self, message: &Message<'_>, touser: &str, template_id: &str, checked: &Checked) -> Result<Bytes, Error> {
        let options = &message.options;
        let page = message.page.as_deref().map(str::trim).filter(|page| !page.is_empty());
        let (page, url) = match options.channel {
            // A leading slash is what several posts name as the cause of 41030.
            Channel::Subscribe => (page.map(|page| page.strip_prefix('/').unwrap_or(page)), None),
            Channel::Bizsend => (page, None),
            Channel::Template => (None, page),
        };
        let for_mini_program = options.channel == Channel::Subscribe;
        let client_msg_id = options.key.as_deref().filter(|_| options.channel == Channel::Template).map(client_msg_id);
        let body = SendBody {
            touser,
            template_id,
            page,
            url,
            miniprogram: options
                .miniprogram
                .as_ref()
                .map(|target| MiniProgram { appid: &target.appid, pagepath: target.pagepath.as_deref() }),
            data: Data { fields: &checked.fields, channel: options.channel },
            miniprogram_state: for_mini_program.then(|| options.state.unwrap_or(self.settings.state)),
            lang: for_mini_program.then(|| options.lang.unwrap_or(self.settings.lang)),
            client_msg_id: client_msg_id.as_deref(),
        };
        serde_json::to_vec(&body).map(Bytes::from).map_err(no_json)
    }
}

/// The key as `template/send` takes it for `client_msg_id`. Its length and its letters are not published, so what is not plain
/// and short becomes the same short name each time.
fn client_msg_id(key: &str) -> Cow<'_, str> {
    const LONGEST: usize = 32;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if key.len() <= LONGEST && key.bytes().all(is_plain) {
        Cow::Borrowed(key)
    } else {
        Cow::Owned(fingerprint::of(&[key]))
    }
}

fn json_of(checked: &Checked) -> Result<Option<String>, Error> {
    if checked.changes.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(&checked.changes).map(Some).map_err(no_json)
}

fn no_json(error: serde_json::Error) -> Error {
    Error::value(format!("消息无法写成 JSON：{error}"), format!("the message cannot be written as JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_plain_key_is_the_client_msg_id_and_any_other_has_one_of_32_digits() {
        assert_eq!(client_msg_id("order-20261121-paid"), "order-20261121-paid");
        assert_eq!(client_msg_id(&"k".repeat(32)), "k".repeat(32));
        for key in [&"k".repeat(33), "订单1", "order 1", "order/1"] {
            let id = client_msg_id(key);
            assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
            assert_eq!(id, client_msg_id(key));
        }
        assert_ne!(client_msg_id("order/1"), client_msg_id("order/2"));
    }
}
