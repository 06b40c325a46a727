//! What users answered lately: how long Redis keeps it.

use std::time::Duration;

use routine_template::store::*;

use super::message::*;
use super::parcel::key;
use super::redis_server::RedisServer;

fn tell(store: &RedisStore, source: Source, choice: Choice, at: Option<Millis>) -> LedgerRow {
    let report = GrantReport {
        appid: APPID,
        openid: OPENID,
        choices: &[(TEMPLATE, choice)],
        long_term: false,
        source,
        at,
        token: &MessageId::new().to_string(),
        remember: Duration::from_secs(60),
    };
    store.record_grants(&report, soon()).unwrap().rows.remove(0)
}

fn now() -> Millis {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

#[test]
fn what_was_told_before_the_window_has_no_counterpart_and_is_no_latest_answer() {
    let server = RedisServer::start();
    let store = open(&server.url());
    let window = Millis::try_from(PAIRING.as_millis()).unwrap();
    let recent = |answered: Millis, told: Millis, accepts: &[Millis]| {
        let accepts: Vec<_> = accepts.iter().map(ToString::to_string).collect();
        let text = format!("{answered} {told} c {}", accepts.join(" "));
        server.cli(&["HSET", &key(&format!("i:{OPENID}")), TEMPLATE, &text]);
    };
    // Two of three accepts are over; and nobody is held to a time that is far ahead, because a clock was set back.
    let (over, ahead) = (now() - window - 1000, now() + 3 * window);
    for told in [over, ahead] {
        recent(told, told, &[told, told, now()]);
        let before = ledger(&store).accepted;
        let rows = [0; 2].map(|_| tell(&store, Source::Popup, Choice::Accept, Some(now() - 1000)));
        assert_eq!(rows.map(|row| row.accepted - before), [0, 1]);
    }
    // What is older than the latest answer is not, once that one is forgotten.
    let at = now() - 5000;
    recent(at + 4000, now(), &[]);
    assert_eq!(tell(&store, Source::Popup, Choice::Reject, Some(at)).state, Some(Choice::Accept));
    for told in [over, now() + 60_000] {
        recent(at + 4000, told, &[]);
        let other = if told == over { Choice::Reject } else { Choice::Ban };
        assert_eq!(tell(&store, Source::Popup, other, Some(at)).state, Some(other));
    }
    recent(at + 4000, over, &[]);
    assert_eq!(tell(&store, Source::Popup, Choice::Reject, Some(at)).state, Some(Choice::Reject));
}

#[test]
fn what_was_told_lately_goes_by_itself() {
    let server = RedisServer::start();
    let store = open(&server.url());
    for choice in [Choice::Accept, Choice::Reject] {
        tell(&store, Source::Client, choice, None);
        let left: u128 = server.cli(&["--raw", "PTTL", &key(&format!("i:{OPENID}"))]).trim().parse().unwrap();
        assert!((1..=PAIRING.as_millis()).contains(&left), "{left}");
    }
}

#[test]
fn what_cannot_be_read_of_it_is_corrupt_and_changes_nothing() {
    let server = RedisServer::start();
    let store = open(&server.url());
    let name = key(&format!("i:{OPENID}"));
    server.cli(&["HSET", &name, TEMPLATE, "rubbish"]);
    assert_eq!(accept(&store, "one").unwrap_err().fault, Fault::Corrupt);
    server.cli(&["DEL", &name]);
    server.cli(&["RPUSH", &name, "stray"]);
    assert_eq!(accept(&store, "one").unwrap_err().fault, Fault::Corrupt);
    server.cli(&["DEL", &name]);
    assert_eq!(server.cli(&["DBSIZE"]).trim(), "0");
    assert!(!accept(&store, "one").unwrap().duplicate);
    server.cli(&["SET", &key("note:list"), "stray"]);
    let note = Note { version: 1, text: "text".to_owned(), age: Duration::ZERO };
    let put = store.put_note(APPID, "list", 0, &note, Duration::from_secs(60), soon());
    assert_eq!(put.unwrap_err().fault, Fault::Corrupt);
    assert_eq!(store.note(APPID, "list", soon()).unwrap_err().fault, Fault::Corrupt);
}
