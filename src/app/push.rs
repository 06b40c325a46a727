//! WeChat's message push: what it tells of grants and deliveries goes into the store, the rest to the application.

use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::App;
use super::admission::hashed_openid;
use super::ledger::ledger_row;
use crate::error::Error;
use crate::fingerprint;
use crate::grant;
use crate::language::Text;
use crate::message::Input;
use crate::network::deadline::Deadline;
use crate::push::{self, Account, Answers, Arrival, Arrivals, Event, Query, Reason, Received, Refusal};
use crate::store::{Choice, Filter, GrantReport, Millis, Receipt, Source, State};

/// The push may come before the process that sent the message has closed its row. WeChat waits five seconds for the answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks at the rows.
const PAUSE: Duration = Duration::from_millis(50);
/// What the last look needs of the call's time.
const LAST_LOOK: Duration = Duration::from_millis(300);

/// What a request was, as PHP sees it.
struct Pushed {
    kind: &'static str,
    status: u16,
    reply: String,
    event: Option<String>,
    message: Value,
    fed: Fed,
    error: Option<&'static str>,
    hint: Option<Text>,
}

/// What became of an event in the store.
#[derive(Default)]
struct Fed {
    handled: bool,
    duplicate: bool,
    grants: Map<String, Value>,
    unknown: Map<String, Value>,
    receipts: Vec<Value>,
}

impl App {
    /// Takes a request that WeChat's message push made, and says what to answer and what it was. One that is not WeChat's is
    /// refused in the same form: anybody can make it, so it is no exception.
    pub fn handle_push(&self, query: &Input<'_>, body: &[u8]) -> Result<Value, Error> {
        self.settings.require_appid()?;
        if push::is_container_check(body) {
            return Ok(self.shown(Pushed::checked("success".to_owned())));
        }
        if self.settings.push_token.is_empty() {
            return Err(Error::config(
                "没有设置 push_token：请填写微信后台“消息推送”中的 Token",
                "push_token is not set: it is the Token of the push configuration in WeChat's console",
            ));
        }
        let account = Account {
            appid: &self.settings.appid,
            token: &self.settings.push_token,
            keys: &self.settings.push_aes_keys,
        };
        let now = Timestamp::now().as_second();
        let received = Query::read(query).and_then(|query| push::receive(&query, body, &account, now));
        let pushed = match received {
            Ok(Received::Check(echo)) => Pushed::checked(echo),
            Ok(Received::Message(message)) => self.take(message)?,
            // It was signed by WeChat, so what is wrong is here.
            Err(Refusal { reason: Reason::NoKey, hint }) => return Err(Error::Config { text: hint, code: 0 }),
            Err(refusal) => Pushed::refused(refusal),
        };
        Ok(self.shown(pushed))
    }

    /// Takes a message that the application has decrypted already; answers whether it concerned grants or deliveries and is stored.
    pub fn record_event(&self, message: &Input<'_>) -> Result<bool, Error> {
        self.settings.require_appid()?;
        let members = match message {
            Input::Text(bytes) => push::parse(bytes).map_err(|refusal| no_message(&refusal.hint))?,
            other => match grant::json(other) {
                Value::Object(members) => members,
                _ => return Err(no_message(&Text::new(other.type_name(), other.type_name()))),
            },
        };
        if members.contains_key("Encrypt") && !members.contains_key("MsgType") {
            return Err(no_message(&Text::new(
                "消息是加密的，请用 handlePush()",
                "the message is encrypted; handlePush() takes it",
            )));
        }
        match push::read(&members) {
            Ok(event) => Ok(self.feed(&event)?.handled),
            Err(flaw) => Err(no_message(&flaw)),
        }
    }

    fn take(&self, message: Map<String, Value>) -> Result<Pushed, Error> {
        let event = push::name(&message);
        // WeChat's word is genuine, whatever it lacks: it goes to the application, and WeChat is not asked to repeat it.
        let (fed, hint) = match push::read(&message) {
            Ok(read) => (self.feed(&read)?, read.flaw().cloned()),
            Err(flaw) => (Fed::default(), Some(flaw)),
        };
        let kind = if event.is_some() { "event" } else { "message" };
        Ok(Pushed { event, message: Value::Object(message), fed, hint, ..Pushed::answered(kind, "success".to_owned()) })
    }

    fn feed(&self, event: &Event) -> Result<Fed, Error> {
        match event {
            Event::Answers(answers) => self.record_answers(answers),
            Event::Arrivals(arrivals) => self.record_arrivals(arrivals),
            Event::Other => Ok(Fed::default()),
        }
    }

    fn record_answers(&self, answers: &Answers) -> Result<Fed, Error> {
        let deadline = Deadline::after(self.settings.timeout);
        let unknown = answers.rejected.iter().map(|(id, reason)| (id.clone(), Value::from(*reason))).collect();
        let mut fed = Fed { unknown, ..Fed::default() };
        let all: Vec<(&str, Choice)> = answers.choices.iter().map(|(id, choice)| (id.as_str(), *choice)).collect();
        // Long-term subscriptions are known as such by the account's own list only.
        let known = self.known_templates();
        let lasts = |id: &str| known.as_ref().is_some_and(|list| list.is_long_term(id));
        let (lasting, single): (Vec<_>, Vec<_>) = all.iter().copied().partition(|(id, _)| lasts(id));
        let mut duplicates = 0;
        // Of the whole event: what lasts may be known when WeChat repeats it, and was not before, or in another process.
        let token = token(answers);
        let parts: Vec<_> = [(single, false, token.clone()), (lasting, true, format!("{token} lasting"))]
            .into_iter()
            .filter(|(part, ..)| !part.is_empty())
            .collect();
        for (choices, long_term, token) in &parts {
            let report = GrantReport {
                appid: &self.settings.appid,
                openid: &answers.openid,
                choices,
                long_term: *long_term,
                source: answers.source,
                at: Some(moment(answers.created)),
                token,
                remember: self.settings.retention,
            };
            let recorded = self.stored_by(deadline, |store, until| store.record_grants(&report, until))?;
            duplicates += usize::from(recorded.duplicate);
            let rows = choices.iter().zip(&recorded.rows);
            fed.grants.extend(rows.map(|((id, _), row)| ((*id).to_owned(), ledger_row(row))));
        }
        fed.handled = !parts.is_empty();
        // One whose first half only was stored before is not: the rest of it was new.
        fed.duplicate = fed.handled && duplicates == parts.len();
        Ok(fed)
    }

    fn record_arrivals(&self, arrivals: &Arrivals) -> Result<Fed, Error> {
        let deadline = Deadline::after(self.settings.timeout);
        let patience = Instant::now() + PATIENCE.min(deadline.left().saturating_sub(LAST_LOOK));
        let hashed = self.settings.hash_openid.then(|| hashed_openid(&self.settings.appid, &arrivals.openid));
        let receiver = hashed.as_deref().unwrap_or(&arrivals.openid);
        let mut fed = Fed::default();
        for arrival in &arrivals.items {
            let receipt = Receipt {
                appid: &self.settings.appid,
                shown_openid: receiver,
                msgid: &arrival.msgid,
                text: &arrival.text,
                at: moment(arrivals.created),
            };
            let id = self.write_receipt(&receipt, patience, deadline)?;
            fed.handled |= id.is_some();
            fed.receipts.push(shown_receipt(arrival, id));
        }
        Ok(fed)
    }

    /// Writes a receipt into its row. While a message to this user is under way, its row does not have its msgid yet.
    fn write_receipt(
        &self,
        receipt: &Receipt<'_>,
        patience: Instant,
        deadline: Deadline,
    ) -> Result<Option<String>, Error> {
        let under_way =
            Filter { openid: Some(receipt.shown_openid), state: Some(State::Sending), limit: 1, ..Filter::default() };
        let mut last = false;
        loop {
            let id = self.stored_by(deadline, |store, until| store.receipt(receipt, until))?;
            if id.is_some() || last {
                return Ok(id.map(|id| id.to_string()));
            }
            let rows = self.stored_by(deadline, |store, until| store.deliveries(receipt.appid, &under_way, until))?;
            // A row may have been closed between the two, so there is one more look in any case.
            last = rows.is_empty() || Instant::now() >= patience;
            if !last {
                thread::sleep(PAUSE);
            }
        }
    }

    fn shown(&self, pushed: Pushed) -> Value {
        let fed = pushed.fed;
        let hint = pushed.hint.as_ref().map_or("", |hint| hint.in_language(self.settings.hint_lang));
        json!({
            "kind": pushed.kind,
            "status": pushed.status,
            "reply": pushed.reply,
            "event": pushed.event,
            "handled": fed.handled,
            "duplicate": fed.duplicate,
            "message": pushed.message,
            "grants": fed.grants,
            "unknown": fed.unknown,
            "receipts": fed.receipts,
            "error": pushed.error,
            "hint": hint,
        })
    }
}

impl Pushed {
    fn answered(kind: &'static str, reply: String) -> Self {
        let fed = Fed::default();
        Self { kind, status: 200, reply, event: None, message: Value::Null, fed, error: None, hint: None }
    }

    fn checked(reply: String) -> Self {
        Self::answered("verify", reply)
    }

    /// The answer gives no reason: what forged a request learns nothing from it.
    fn refused(refusal: Refusal) -> Self {
        Self {
            status: refusal.reason.status(),
            error: Some(refusal.reason.name()),
            hint: Some(refusal.hint),
            ..Self::answered("refused", String::new())
        }
    }
}

fn shown_receipt(arrival: &Arrival, id: Option<String>) -> Value {
    let msgid = arrival.msgid.parse::<i64>().map_or_else(|_| Value::from(arrival.msgid.as_str()), Value::from);
    json!({ "msgid": msgid, "template_id": arrival.template_id, "receipt": arrival.text, "id": id })
}

/// When the user answered. `CreateTime` counts whole seconds, so it was at any moment of that one: its end is taken, or an answer
/// would look older than one that the front end has told of in the same second, before it. It cannot have been after now.
fn moment(created: i64) -> Millis {
    created.saturating_mul(1000).saturating_add(999).min(Timestamp::now().as_millisecond())
}

/// WeChat repeats an event until it is answered, and tells events apart by `FromUserName` and `CreateTime`. With its content, this is
/// what it is known by, whatever way it comes.
fn token(answers: &Answers) -> String {
    let created = answers.created.to_string();
    let source = match answers.source {
        Source::Client => "client",
        Source::Popup => "popup",
        Source::Change => "change",
    };
    let mut items: Vec<(&str, &str)> =
        answers.choices.iter().map(|(id, choice)| (id.as_str(), choice.name())).collect();
    items.sort_unstable();
    let mut parts = vec![answers.openid.as_str(), created.as_str(), source];
    parts.extend(items.iter().flat_map(|(id, choice)| [*id, *choice]));
    format!("push {}", fingerprint::of(&parts))
}

fn no_message(detail: &Text) -> Error {
    Error::value(
        format!("recordEvent()：$message 应为微信推送并已解密的消息（数组、对象、JSON 或 XML）：{}", detail.zh),
        format!(
            "recordEvent(): $message is a message that WeChat pushed, decrypted, as array, object, JSON or XML: {}",
            detail.en
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(created: i64, choices: &[(&str, Choice)]) -> String {
        let choices = choices.iter().map(|(id, choice)| ((*id).to_owned(), *choice)).collect();
        token(&Answers { source: Source::Popup, openid: "o1".into(), created, choices, rejected: Vec::new() })
    }

    #[test]
    fn the_same_event_has_the_same_name_in_whatever_order_its_items_come() {
        let (yes, no) = (("a", Choice::Accept), ("b", Choice::Reject));
        assert_eq!(answers(1, &[yes, no]), answers(1, &[no, yes]));
        assert_ne!(answers(1, &[yes, no]), answers(2, &[yes, no]));
        assert_ne!(answers(1, &[yes]), answers(1, &[yes, no]));
        assert_ne!(answers(1, &[("a", Choice::Reject)]), answers(1, &[yes]));
    }

    #[test]
    fn an_answer_is_at_the_end_of_its_second_but_never_in_the_future() {
        assert_eq!(moment(1_714_112_445), 1_714_112_445_999);
        assert!(moment(253_402_300_799) <= Timestamp::now().as_millisecond());
    }
}
