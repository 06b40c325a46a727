//! Whole requests, as the web server gets them.

use proptest::prelude::*;
use serde_json::json;

use super::crypto::tests::encrypt;
use super::signature::signature;
use super::*;
use crate::message::Input;

const APPID: &str = "wx5823bf96d3bd56c7";
const NOW: i64 = 1_714_112_445;

/// A push configuration, and who signs with it.
struct Console {
    token: Secret,
    keys: Vec<Secret>,
}

impl Console {
    fn plain() -> Self {
        Self { token: Secret::new("QDG6eK".into()), keys: Vec::new() }
    }

    fn safe() -> Self {
        let key = Secret::new("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C".into());
        Self { keys: vec![key], ..Self::plain() }
    }

    fn take(&self, query: &Query<'_>, body: &[u8]) -> Result<Received, Refusal> {
        self.take_at(query, body, NOW)
    }

    fn take_at(&self, query: &Query<'_>, body: &[u8], now: i64) -> Result<Received, Refusal> {
        receive(query, body, &Account { appid: APPID, token: &self.token, keys: &self.keys }, now)
    }

    fn reason(&self, query: &Query<'_>, body: &[u8]) -> &'static str {
        self.take(query, body).map_or_else(|refusal| refusal.reason.name(), |_| "taken")
    }

    /// What WeChat puts into the address, for a body with this encrypted text.
    fn query(&self, encrypted: Option<&str>) -> Query<'static> {
        let (timestamp, nonce) = (NOW.to_string(), "415670741".to_owned());
        Query {
            signature: Some(signature(&self.token, &[&timestamp, &nonce]).into()),
            msg_signature: encrypted.map(|text| signature(&self.token, &[&timestamp, &nonce, text]).into()),
            timestamp: timestamp.into(),
            nonce: nonce.into(),
            echostr: None,
        }
    }

    /// A request in safe mode with this message.
    fn sealed(&self, message: &[u8]) -> (Query<'static>, String) {
        let encrypted = encrypt(&self.keys[0], message, APPID);
        (self.query(Some(&encrypted)), envelope(&encrypted))
    }
}

fn envelope(encrypted: &str) -> String {
    json!({ "ToUserName": "gh_1", "Encrypt": encrypted }).to_string()
}

fn message(members: Value) -> Received {
    Received::Message(members.as_object().unwrap().clone())
}

#[test]
fn the_published_requests_are_taken_whole() {
    for id in ["A3", "B1", "C3", "D2"] {
        let vector = vectors::named(id);
        let text = |name: &str| vector.text(name).unwrap();
        let query = Query {
            signature: vector.text("signature").map(Into::into),
            msg_signature: Some(text("msg_signature").into()),
            timestamp: text("timestamp").into(),
            nonce: text("nonce").into(),
            echostr: None,
        };
        let (token, keys) = (vector.secret("token"), [vector.secret("encoding_aes_key")]);
        let account = Account { appid: text("appid"), token: &token, keys: &keys };
        let now = text("timestamp").parse::<i64>().unwrap();
        let expected = Received::Message(parse(text("plaintext").as_bytes()).unwrap());
        for body in [
            envelope(text("encrypt")),
            format!(
                "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><Encrypt><![CDATA[{}]]></Encrypt></xml>",
                text("encrypt")
            ),
        ] {
            assert_eq!(receive(&query, body.as_bytes(), &account, now + 3).as_ref(), Ok(&expected), "{id}");
            assert_eq!(receive(&query, body.as_bytes(), &account, now + 601).unwrap_err().reason, Reason::Stale);
        }
    }
}

#[test]
fn the_check_of_the_address_gets_its_echo() {
    let vector = vectors::named("A1");
    let text = |name: &str| vector.text(name).unwrap();
    let query = Query {
        signature: Some(text("signature").into()),
        timestamp: text("timestamp").into(),
        nonce: text("nonce").into(),
        echostr: Some(text("echostr").into()),
        ..Query::default()
    };
    let (token, keys) = (vector.secret("token"), Console::safe().keys);
    for keys in [&[][..], &keys] {
        let account = Account { appid: APPID, token: &token, keys };
        let taken = receive(&query, b"", &account, 1_714_036_504);
        assert_eq!(taken, Ok(Received::Check("4375120948345356249".into())));
    }
}

#[test]
fn an_encrypted_echo_is_decrypted_even_if_its_plus_signs_were_lost() {
    let vector = vectors::named("D1");
    let text = |name: &str| vector.text(name).unwrap();
    for echostr in [text("encrypt").to_owned(), text("encrypt").replace('+', " ")] {
        let query = Query {
            msg_signature: Some(text("msg_signature").into()),
            timestamp: text("timestamp").into(),
            nonce: text("nonce").into(),
            echostr: Some(echostr.into()),
            ..Query::default()
        };
        let (token, keys) = (vector.secret("token"), [vector.secret("encoding_aes_key")]);
        let account = Account { appid: text("appid"), token: &token, keys: &keys };
        let taken = receive(&query, b" \n", &account, 1_409_659_589);
        assert_eq!(taken, Ok(Received::Check("1616140317555161061".into())));
    }
}

#[test]
fn an_echo_that_could_do_something_in_a_page_is_not_given() {
    let console = Console::plain();
    for echostr in ["<script>alert(1)</script>", "a b", "云", &"1".repeat(129)] {
        let query = Query { echostr: Some(echostr.to_owned().into()), ..console.query(None) };
        assert_eq!(console.reason(&query, b""), "malformed", "{echostr}");
    }
}

#[test]
fn a_plain_message_is_taken_with_its_signature_only() {
    let console = Console::plain();
    let body = br#"{"MsgType":"event","Event":"x"}"#;
    let query = console.query(None);
    assert_eq!(console.take(&query, body), Ok(message(json!({ "MsgType": "event", "Event": "x" }))));
    assert_eq!(
        console.reason(&Query { signature: Some("0".repeat(40).into()), ..query.clone() }, body),
        "bad_signature"
    );
    assert_eq!(console.reason(&Query { nonce: "1".into(), ..query.clone() }, body), "bad_signature");
    assert_eq!(
        console.reason(&Query { timestamp: (NOW + 1).to_string().into(), ..query.clone() }, body),
        "bad_signature"
    );
    assert_eq!(console.reason(&Query { signature: None, ..query }, body), "unsigned");
}

#[test]
fn where_there_is_a_key_plain_members_never_count() {
    let console = Console::safe();
    let plain = br#"{"MsgType":"event","Event":"forged"}"#;
    let query = console.query(None);
    assert_eq!(console.reason(&query, plain), "not_encrypted");
    let forged = Query { signature: Some("0".repeat(40).into()), ..query };
    assert_eq!(console.reason(&forged, plain), "bad_signature", "a stranger learns nothing of the configuration");

    // Compat mode: both are there.
    let encrypted = encrypt(&console.keys[0], br#"{"MsgType":"event","Event":"genuine"}"#, APPID);
    let both = json!({ "MsgType": "event", "Event": "forged", "Encrypt": encrypted }).to_string();
    let taken = console.take(&console.query(Some(&encrypted)), both.as_bytes());
    assert_eq!(taken, Ok(message(json!({ "MsgType": "event", "Event": "genuine" }))));
}

#[test]
fn the_signature_of_the_time_does_not_stand_for_that_of_the_text() {
    let console = Console::safe();
    let (query, body) = console.sealed(b"{\"MsgType\":\"event\"}");
    assert_eq!(console.reason(&Query { msg_signature: None, ..query.clone() }, body.as_bytes()), "unsigned");
    let other = envelope(&encrypt(&console.keys[0], b"{\"MsgType\":\"text\"}", APPID));
    assert_eq!(console.reason(&query, other.as_bytes()), "bad_signature");
    // And needs no company.
    assert_eq!(console.reason(&Query { signature: None, ..query }, body.as_bytes()), "taken");
}

#[test]
fn without_a_key_compat_mode_is_read_as_plain_and_safe_mode_asks_for_the_key() {
    let (plain, safe) = (Console::plain(), Console::safe());
    let encrypted = encrypt(&safe.keys[0], b"{\"MsgType\":\"text\"}", APPID);
    let query = safe.query(Some(&encrypted));
    let both = json!({ "MsgType": "text", "Encrypt": encrypted }).to_string();
    assert_eq!(plain.take(&query, both.as_bytes()), Ok(message(json!({ "MsgType": "text" }))));
    assert_eq!(plain.reason(&query, envelope(&encrypted).as_bytes()), "no_key");
    let other = envelope(&encrypt(&safe.keys[0], b"{}", APPID));
    assert_eq!(plain.reason(&query, other.as_bytes()), "bad_signature", "only WeChat makes our settings an exception");
}

#[test]
fn a_key_that_was_replaced_opens_what_was_under_way() {
    let old = Console::safe();
    let new = Secret::new("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG".into());
    let (query, body) = old.sealed(b"{\"MsgType\":\"text\"}");
    let replaced = Console { keys: vec![new.clone(), old.keys[0].clone()], ..Console::plain() };
    assert_eq!(replaced.reason(&query, body.as_bytes()), "taken");
    let gone = Console { keys: vec![new], ..Console::plain() };
    assert_eq!(gone.reason(&query, body.as_bytes()), "undecryptable");
}

#[test]
fn a_message_for_another_account_is_refused_with_the_same_status() {
    let console = Console::safe();
    for appid in ["wx134c8103faa5a59e", "", "wx5823bf96d3bd56c7 ", "wx5823bf96d3bd56c"] {
        let encrypted = encrypt(&console.keys[0], b"{\"MsgType\":\"text\"}", appid);
        let refusal = console.take(&console.query(Some(&encrypted)), envelope(&encrypted).as_bytes()).unwrap_err();
        assert_eq!(refusal.reason, Reason::WrongAppid);
        assert_eq!(refusal.reason.status(), Reason::Undecryptable.status());
    }
}

#[test]
fn what_was_signed_at_another_time_is_stale_and_its_hint_speaks_of_the_clock() {
    let console = Console::safe();
    let (query, body) = console.sealed(b"{\"MsgType\":\"text\"}");
    for (now, taken) in
        [(NOW - 600, true), (NOW + 600, true), (NOW - 601, false), (NOW + 601, false), (i64::MIN, false)]
    {
        match console.take_at(&query, body.as_bytes(), now) {
            Ok(_) => assert!(taken, "{now}"),
            Err(refusal) => {
                assert!(!taken, "{now}");
                assert_eq!(refusal.reason, Reason::Stale);
                assert!(refusal.hint.en.contains("clock") && refusal.hint.zh.contains("时钟"));
            }
        }
    }
}

#[test]
fn what_is_no_message_is_malformed_outside_and_inside() {
    let console = Console::safe();
    let (plain, query) = (Console::plain(), Console::plain().query(None));
    for bad in [&b""[..], b"[]", b"x", b"{", b"<xml>", b"<xml>x</xml>", b"\xd4\xc6", b"{\"a\":\"\xff\"}", b"null"] {
        assert_eq!(console.reason(&query, bad), "malformed", "{bad:?}");
        assert_eq!(plain.reason(&query, bad), "malformed", "{bad:?}");
        let (query, body) = console.sealed(bad);
        assert_eq!(console.reason(&query, body.as_bytes()), "malformed", "{bad:?}");
    }
    let large = vec![b' '; 1024 * 1024 + 1];
    assert_eq!(plain.reason(&query, &large), "too_large");
    assert_eq!(parse(&large).unwrap_err().reason, Reason::TooLarge, "nor from the application");
}

#[test]
fn a_byte_order_mark_and_white_space_do_no_harm() {
    let plain = Console::plain();
    for body in ["\u{FEFF}<xml><MsgType>text</MsgType></xml>\n", " {\"MsgType\":\"text\"}\0"] {
        assert_eq!(
            plain.take(&plain.query(None), body.as_bytes()),
            Ok(message(json!({ "MsgType": "text" }))),
            "{body}"
        );
    }
}

#[test]
fn the_check_of_a_container_is_known_by_its_body() {
    assert!(is_container_check(br#"{"action":"CheckContainerPath"}"#));
    for other in [&br#"{"action":"x"}"#[..], b"", b"<xml><a/></xml>", br#"{"Action":"CheckContainerPath"}"#] {
        assert!(!is_container_check(other));
    }
}

#[test]
fn nothing_secret_is_in_what_is_printed() {
    let console = Console::safe();
    let account = Account { appid: APPID, token: &console.token, keys: &console.keys };
    let printed = format!("{account:?}");
    assert!(!printed.contains("QDG6eK") && !printed.contains("jWmYm7"), "{printed}");
}

proptest! {
    #[test]
    fn any_change_of_an_encrypted_text_is_a_bad_signature(at in any::<usize>(), with in "[A-Za-z0-9+/=]") {
        let console = Console::safe();
        let encrypted = encrypt(&console.keys[0], b"{\"MsgType\":\"event\"}", APPID);
        let at = at % encrypted.len();
        let mut changed = encrypted.clone();
        changed.replace_range(at..=at, &with);
        prop_assume!(changed != encrypted);
        prop_assert_eq!(console.reason(&console.query(Some(&encrypted)), envelope(&changed).as_bytes()), "bad_signature");
    }

    #[test]
    fn any_bytes_at_all_are_refused_and_never_more(
        body in proptest::collection::vec(any::<u8>(), 0..400), text in ".{0,60}", echo in proptest::option::of(".{0,60}"),
    ) {
        let member = |name: &'static str, value: &str| (name.as_bytes().into(), Input::text(value.to_owned()));
        let mut members = vec![member("signature", &text), member("msg_signature", &text), member("timestamp", "1714112445"),
            member("nonce", &text)];
        members.extend(echo.map(|echo| member("echostr", &echo)));
        let query = Input::Map(members);
        for console in [Console::plain(), Console::safe()] {
            if let Ok(query) = Query::read(&query) {
                prop_assert!(console.take(&query, &body).is_err());
            }
            let (query, sealed) = (console.query(None), String::from_utf8_lossy(&body));
            let _ = console.take(&query, sealed.as_bytes());
        }
    }
}
