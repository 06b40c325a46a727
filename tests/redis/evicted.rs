//! An outbox of which the server, or somebody at it, has taken or spoilt a part.

use std::time::Duration;

use routine_template::store::*;

use super::message::*;
use super::parcel::*;
use super::redis_server::RedisServer;

fn names(server: &RedisServer) -> Vec<String> {
    let mut names: Vec<_> = server.cli(&["--raw", "KEYS", "*"]).lines().map(str::to_owned).collect();
    names.sort();
    names
}

#[test]
fn nothing_of_a_message_that_waits_expires_and_nothing_remains_in_the_outbox_of_one_that_has_ended() {
    let server = RedisServer::start();
    let store = open(&server.url());
    let owner = Owner::current();
    let sender = Sender { version: "1".to_owned(), settings: routine_template::config::Secret::new("{}".to_owned()) };
    let message = Begin { retention: Duration::from_millis(1), ..begin(&owner, Some("order")) };
    let parcel = Parcel {
        body: &[0xFF; 300],
        delay: Duration::ZERO,
        expires: Duration::from_secs(3600),
        timeout: Duration::from_secs(60),
        resend_unknown: false,
        sender: &sender,
    };
    store.enqueue(&message, &parcel, soon()).unwrap();
    let row = key(&format!("m:{}", message.id));
    let (keys, body) = ([&*row, &key("k:order")], key(&format!("b:{}", message.id)));
    for key in keys.into_iter().chain([&*body]) {
        assert_eq!(server.cli(&["--raw", "PTTL", key]).trim(), "-1", "{key}");
    }
    let jobs = claimed(&store).jobs;
    assert_eq!((jobs.len(), jobs[0].body.as_slice()), (1, parcel.body));
    for key in keys.into_iter().chain([&*body]) {
        assert_eq!(server.cli(&["--raw", "PTTL", key]).trim(), "-1", "{key}");
    }
    deliver(&store, APPID, &jobs).unwrap();
    for key in keys {
        assert!(server.cli(&["--raw", "PTTL", key]).trim().parse::<u64>().is_ok(), "{key}");
    }
    // A row that was in the outbox takes no more memory than any other.
    assert_eq!(server.cli(&["--raw", "OBJECT", "ENCODING", &row]).trim(), "listpack");
    let of_the_outbox =
        |name: &String| ["b:", "w:", "o:", "f:", "q:", "n:", "s:"].iter().any(|kind| name.starts_with(&key(kind)));
    let left: Vec<_> = names(&server).into_iter().filter(of_the_outbox).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_clock_that_was_set_back_holds_up_nothing_that_was_due_at_once() {
    let server = RedisServer::start();
    let store = open(&server.url());
    let (first, second) = (queue(&store, "a"), queue(&store, "b"));
    // As if they had been queued before that.
    for (id, user) in [(first, "a"), (second, "b")] {
        server.cli(&["ZINCRBY", &key("n:subscribe"), "86400000", &format!("{id}{user}")]);
    }
    assert_eq!(store.queues(Some(APPID), soon()).unwrap()[0].due_in, Some(Duration::ZERO));
    assert_eq!(ids(&claimed(&store)), [first, second]);
}

#[test]
fn a_lost_row_is_dropped_and_the_next_message_to_its_receiver_goes() {
    let server = RedisServer::start();
    let store = open(&server.url());
    let of_one = [0; 5].map(|_| queue(&store, "one"));
    let delayed = queue_for(&store, APPID, "late", Duration::from_secs(3000)).unwrap();
    let other = queue(&store, "other");
    for id in [of_one[0], of_one[1], of_one[3], delayed] {
        server.cli(&["DEL", &key(&format!("m:{id}"))]);
    }
    let next = claimed(&store);
    assert_eq!(ids(&next), [of_one[2], other]);
    assert_eq!(next.ended, []);
    deliver(&store, APPID, &next.jobs).unwrap();
    let last = claimed(&store);
    assert_eq!(ids(&last), [of_one[4]]);
    // One that was lost under way is no trouble to whoever ends it.
    server.cli(&["DEL", &key(&format!("m:{}", of_one[4]))]);
    deliver(&store, APPID, &last.jobs).unwrap();
    assert_eq!(store.delivery(APPID, of_one[4], soon()).unwrap().unwrap().state, State::Delivered);
    // A message to a receiver whose first one was lost goes at once.
    let after = queue(&store, "late");
    assert_eq!(ids(&claimed(&store)), [after]);
}

#[test]
fn what_cannot_be_read_is_set_aside_and_holds_up_nothing() {
    let server = RedisServer::start();
    let store = open(&server.url());
    accept(&store, "report").unwrap();
    let spoil = |number: usize, id: MessageId| {
        let (row, body) = (key(&format!("m:{id}")), key(&format!("b:{id}")));
        let commands: &[&[&str]] = match number {
            0 => &[&["HSET", &row, "epoch", "rubbish"]],
            1 => &[&["HDEL", &row, "template"]],
            2 => &[&["HSET", &row, "ends", "1e3"]],
            3 => &[&["HSET", &row, "policy", "rubbish"]],
            4 => &[&["HSET", &row, "to", "somebody else"]],
            5 => &[&["DEL", &body]],
            6 => &[&["DEL", &body], &["LPUSH", &body, "stray"]],
            _ => &[&["HSET", &key("l:user 7"), TEMPLATE, "rubbish"]],
        };
        for command in commands {
            server.cli(command);
        }
    };
    let mut bad = Vec::new();
    let mut good = Vec::new();
    for number in 0..8 {
        let user = format!("user {number}");
        let id = queue(&store, &user);
        good.push(queue(&store, &user));
        spoil(number, id);
        bad.push((id, State::NotSent));
    }
    // Whose ledger cannot be read gets nothing; the others get what comes next.
    bad.push((good.pop().unwrap(), State::NotSent));
    let claimed = claimed(&store);
    assert_eq!(claimed.ended, bad);
    assert_eq!(ids(&claimed), good);
    assert_eq!(store.pending(APPID, soon()).unwrap(), good.len() as u64);
    for (id, _) in bad.iter().skip(2) {
        let row = store.delivery(APPID, *id, soon()).unwrap().unwrap();
        assert_eq!(row.state, State::NotSent);
        assert!(server.cli(&["--raw", "PTTL", &key(&format!("m:{id}"))]).trim().parse::<u64>().is_ok());
    }
}

#[test]
fn a_row_in_whose_place_something_else_is_is_let_be() {
    let server = RedisServer::start();
    let store = open(&server.url());
    let (id, next) = (queue(&store, "user"), queue(&store, "user"));
    let row = key(&format!("m:{id}"));
    server.cli(&["DEL", &row]);
    server.cli(&["LPUSH", &row, "stray"]);
    let brought = claimed(&store);
    assert_eq!((ids(&brought), &brought.ended), (vec![next], &Vec::new()));
    assert_eq!(server.cli(&["--raw", "TYPE", &row]).trim(), "list");
}

#[test]
fn messages_find_their_places_again_when_the_sets_of_a_queue_are_lost() {
    let server = RedisServer::start();
    let store = open(&server.url());
    let first = [queue(&store, "a"), queue(&store, "b")];
    let second = [queue(&store, "a"), queue(&store, "b")];
    let late = queue_for(&store, APPID, "late", Duration::from_secs(3000)).unwrap();
    for lost in [&["n:subscribe"][..], &["n:subscribe", "w:a", "w:b"], &["w:a", "n:subscribe", "q:subscribe"]] {
        for name in lost {
            server.cli(&["DEL", &key(name)]);
        }
        server.cli(&["DEL", &key("q:subscribe")]);
        assert_eq!(claimed(&store), Claimed::default());
        let due = store.queues(Some(APPID), soon()).unwrap();
        assert_eq!(due[0].due_in, Some(Duration::ZERO), "{lost:?}");
        assert_eq!(server.cli(&["--raw", "ZRANGE", &key("q:subscribe"), "0", "-1"]).trim(), format!("{late}late"));
    }
    let jobs = claimed(&store).jobs;
    assert_eq!(jobs.iter().map(|job| job.id).collect::<Vec<_>>(), first);
    server.cli(&["DEL", &key("f:subscribe"), &key("q:subscribe"), &key("w:a")]);
    assert_eq!(claimed(&store), Claimed::default());
    assert!(store.queues(Some(APPID), soon()).unwrap()[0].lease_in.is_some());
    deliver(&store, APPID, &jobs).unwrap();
    assert_eq!(ids(&claimed(&store)), second);
}

#[test]
fn a_lane_that_was_lost_gives_one_receiver_no_two_messages_in_one_claim() {
    let server = RedisServer::start();
    let store = open(&server.url());
    accept(&store, "one").unwrap();
    accept(&store, "two").unwrap();
    let first = queue(&store, OPENID);
    server.cli(&["DEL", &key(&format!("w:{OPENID}"))]);
    let second = queue(&store, OPENID);
    assert_eq!(ids(&claimed(&store)), [first]);
    assert_eq!(ids(&claimed(&store)), [second]);
    let row = ledger(&store);
    assert_eq!((row.available, row.reserved, row.accepted), (0, 2, 2));
}

#[test]
fn a_full_server_takes_no_message_and_gives_none_and_loses_none() {
    let server = RedisServer::with(&["--maxmemory-policy", "noeviction"]);
    let store = open(&server.url());
    let id = queue(&store, "user");
    let before = names(&server);
    server.command("CONFIG SET maxmemory 1");
    for _ in 0..2 {
        let error = queue_for(&store, APPID, "another", Duration::ZERO).unwrap_err();
        assert_eq!((error.fault, error.maybe_done), (Fault::Full, false), "{error}");
        let error = store.claim(&claim(APPID, &Owner::current()), soon()).unwrap_err();
        assert_eq!((error.fault, error.maybe_done), (Fault::Full, false), "{error}");
    }
    assert_eq!((store.pending(APPID, soon()).unwrap(), names(&server)), (1, before));
    server.command("CONFIG SET maxmemory 0");
    let jobs = claimed(&store).jobs;
    assert_eq!((jobs.len(), jobs[0].id), (1, id));
    server.command("CONFIG SET maxmemory 1");
    assert_eq!(deliver(&store, APPID, &jobs).unwrap_err().fault, Fault::Full);
    server.command("CONFIG SET maxmemory 0");
    deliver(&store, APPID, &jobs).unwrap();
    assert_eq!(store.pending(APPID, soon()).unwrap(), 0);
}

#[test]
fn stray_types_in_the_outbox_are_corrupt_and_change_nothing() {
    let server = RedisServer::start();
    let store = open(&server.url());
    for stray in ["o:subscribe", "n:subscribe", "q:subscribe", "f:subscribe", "w:user", "sender"] {
        server.command("FLUSHALL");
        server.cli(&["RPUSH", &key(stray), "stray"]);
        let keys = names(&server);
        let error = queue_for(&store, APPID, "user", Duration::ZERO).unwrap_err();
        assert_eq!(error.fault, Fault::Corrupt, "{stray}: {error}");
        let mut left = names(&server);
        left.retain(|name| name != "rt:{outbox}:accounts");
        assert_eq!(left, keys, "{stray}");
    }
    server.command("FLUSHALL");
    let id = queue(&store, "user");
    server.cli(&["RPUSH", &key("f:subscribe"), "stray"]);
    let error = store.claim(&claim(APPID, &Owner::current()), soon()).unwrap_err();
    assert_eq!(error.fault, Fault::Corrupt, "{error}");
    server.cli(&["DEL", &key("f:subscribe")]);
    assert_eq!(ids(&claimed(&store)), [id]);
}
