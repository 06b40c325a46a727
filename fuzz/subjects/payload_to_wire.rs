//! A message through options, fitting and writing, to the body that is posted.

use std::borrow::Cow;
use std::sync::Arc;

use routine_template::app::App;
use routine_template::config::Settings;
use routine_template::field::table::{FieldType, Kind};
use routine_template::fuzzing::posted_body;
use routine_template::message::{Channel, Input, Message};
use routine_template::options::Options;
use routine_template::registry::Registry;
use serde_json::{Map, Value};

use super::parts;

const SECRETS: [&str; 2] = ["c0ffee0123456789c0ffee0123456789", "90_token-of-the-account-that-no-message-shows"];

/// What every channel may have in its body, and which members belong to one alone.
const MEMBERS: [(&str, &[Channel]); 9] = [
    ("touser", &Channel::ALL),
    ("template_id", &Channel::ALL),
    ("data", &Channel::ALL),
    ("page", &[Channel::Subscribe, Channel::Bizsend]),
    ("url", &[Channel::Template]),
    ("miniprogram", &[Channel::Bizsend, Channel::Template]),
    ("miniprogram_state", &[Channel::Subscribe]),
    ("lang", &[Channel::Subscribe]),
    ("client_msg_id", &[Channel::Template]),
];

/// Receiver, template id, page, options as JSON, then the payload: as JSON text, or key and value in turns. What is posted is JSON
/// with the members of its channel and no other, every field a text of its own, the receiver as he was named, and never a secret.
pub fn payload_to_wire(data: &[u8]) {
    let parts: Vec<&[u8]> = parts(data).collect();
    let part = |index: usize| String::from_utf8_lossy(parts.get(index).copied().unwrap_or_default());
    let given: Value = serde_json::from_slice(parts.get(3).copied().unwrap_or_default()).unwrap_or(Value::Null);
    let Ok(options) = Options::read(&given.into()) else { return };
    let fields = parts.get(4..).unwrap_or_default();
    let data = match fields {
        [] | [_] => Input::Text(Cow::Borrowed(fields.first().copied().unwrap_or_default())),
        pairs => Input::Map(pairs.chunks(2).map(|pair| (Cow::Borrowed(pair[0]), value(pair.get(1)))).collect()),
    };
    let page = Some(part(2)).filter(|page| !page.is_empty());
    let message = Message { touser: part(0), template_id: part(1), data, page, options };
    let account = account();
    let Ok(written) = posted_body(&account, &message) else { return };
    let body = match written {
        Ok(body) => body,
        Err(answer) => {
            assert!(answer.errcode != 0 && answer.attempts == 0, "a refusal that is none: {answer:?}");
            assert!(!answer.errmsg.is_empty() && !answer.hint.is_empty(), "a refusal without words");
            return;
        }
    };
    let read: Map<String, Value> = serde_json::from_slice(&body).expect("what is posted is no JSON object");
    let channel = message.options.channel;
    for (name, member) in &read {
        let allowed = MEMBERS.iter().any(|(member, channels)| member == name && channels.contains(&channel));
        assert!(allowed, "{name} on {channel:?}");
        assert!(!member.is_null(), "{name} is null");
    }
    assert_eq!(read["touser"], message.touser.trim(), "another receiver");
    let template_id = message.template_id.trim();
    assert_eq!(read["template_id"], account.template_id(template_id).unwrap_or(template_id), "another template");
    let fields = read["data"].as_object().expect("data is no object");
    for (key, field) in fields {
        let field = field.as_object().filter(|field| field.len() == 1).expect("a field is more than its value");
        match &field["value"] {
            Value::String(_) => {}
            Value::Number(_) => {
                let kind = FieldType::of(key, channel).map(|row| row.kind);
                assert!(channel == Channel::Bizsend && kind == Some(Kind::Number), "{key} is a JSON number");
            }
            other => panic!("{key} is {other}"),
        }
    }
    // What is read is written the same again: no member was there twice. A number has its digits, which a reader need not keep.
    if !fields.values().any(|field| field["value"].is_number()) {
        assert_eq!(serde_json::to_vec(&read).ok().as_deref(), Some(body.as_ref()), "a reader sees other members");
    }
    let shown = String::from_utf8_lossy(&body);
    for secret in SECRETS {
        let is_given = parts.iter().any(|part| part.windows(secret.len()).any(|piece| piece == secret.as_bytes()));
        assert!(is_given || !shown.contains(secret), "a secret is posted");
    }
}

/// A value of the type that its first byte says.
fn value<'a>(part: Option<&&'a [u8]>) -> Input<'a> {
    let text = part.copied().unwrap_or_default();
    match text.split_first() {
        Some((0, _)) => Input::Null,
        Some((1, rest)) => Input::Bool(!rest.is_empty()),
        Some((2, rest)) => Input::Int(rest.iter().fold(0_i64, |all, byte| all.wrapping_mul(256) + i64::from(*byte))),
        Some((3, rest)) => {
            let bits = rest.iter().fold(0_u64, |all, byte| all.wrapping_mul(256).wrapping_add(u64::from(*byte)));
            Input::Float(f64::from_bits(bits))
        }
        // As CRMEB and EasyWeChat write it: ['value' => …, 'color' => …] or [value, color].
        Some((4, rest)) => Input::Map(vec![
            (Cow::Borrowed(b"value"), Input::Text(Cow::Borrowed(rest))),
            (Cow::Borrowed(b"color"), Input::text("#173177")),
        ]),
        Some((5, rest)) => Input::Map(vec![(Cow::Borrowed(b"0"), Input::Text(Cow::Borrowed(rest)))]),
        _ => Input::Text(Cow::Borrowed(text)),
    }
}

fn account() -> App {
    let settings = Settings::from_pairs([
        ("appid", "wxc0ffee0123456789"),
        ("secret", SECRETS[0]),
        ("token_mode", "external"),
        ("token", SECRETS[1]),
        ("store", "off"),
    ]);
    let mut registry = Registry::default();
    let content = "订单号{{character_string1.DATA}}\n金额{{amount2.DATA}}\n商品{{thing7.DATA}}";
    let _ = registry.register("paid", "a-template-id-of-43-letters-that-is-known00", Some(content));
    App::new(Arc::new(settings.unwrap()), Arc::new(registry))
}
