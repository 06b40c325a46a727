//! What a Redis server may answer, or find in keys that somebody else has written.

use std::time::Instant;

use routine_template::answer::Answer;
use routine_template::fuzzing::read_replies;
use routine_template::language::Language;
use routine_template::store::RedisStore;

/// Bytes of the Redis protocol, as every kind of answer, and as an address of a server. What cannot be read is an error that repeats
/// none of it, and a token is shown by nothing.
pub fn redis_reply(data: &[u8]) {
    address(data);
    let Some(read) = read_replies(data) else { return };
    for failure in &read.failures {
        let words = failure.to_string();
        assert!(words.len() < 300 && !words.contains(char::is_control), "{words:?}");
    }
    for server in &read.servers {
        assert!(!server.is_empty(), "sent nowhere");
    }
    for row in &read.deliveries {
        let answer = Answer::from_record(row, row.errcode.unwrap_or(0), Language::English);
        assert!(answer.duplicate && answer.id == Some(row.id));
    }
    for token in &read.tokens {
        assert!(format!("{token:?}").contains("***"), "a token is shown");
    }
    for row in &read.ledger {
        assert!(row.available <= row.accepted, "more is left than was given");
    }
}

/// The same as the setting `store`: what an error or the place shows has no password in it.
fn address(data: &[u8]) {
    let url = String::from_utf8_lossy(data);
    let shown = |url: &str| match RedisStore::open(url, None, Instant::now()) {
        Ok(store) => routine_template::store::Store::place(&store),
        Err(error) => error.to_string(),
    };
    let words = shown(&url);
    let Some((scheme, rest)) = url.split_once("://") else { return };
    let Some((credentials, host)) = rest.rsplit_once('@') else { return };
    let Some((user, password)) = credentials.split_once(':') else { return };
    if password.len() >= 8 && words.contains(password) {
        // Not because it is the password: what else the address says has the same characters.
        let other = shown(&format!("{scheme}://{user}:another@{host}"));
        assert!(other.contains(password), "a password is shown: {words}");
    }
}
