//! A server that fails, and what the caller is told.

use std::io::Write;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use routine_template::store::*;

use super::message::*;
use super::proxy::lose_an_answer;
use super::redis_server::{RedisServer, free_port};

#[test]
fn scripts_that_the_server_has_forgotten_are_loaded_again() {
    let server = RedisServer::start();
    let store = open(&server.url());
    accept(&store, "one").unwrap();
    server.command("SCRIPT FLUSH");
    accept(&store, "two").unwrap();
    assert_eq!(ledger(&store).accepted, 2);
}

#[test]
fn a_flush_in_the_middle_loses_no_record_and_breaks_no_book() {
    let server = RedisServer::start();
    let store = open(&server.url());
    let owner = Owner::current();
    for (ending, available, accepted) in [
        (Settlement::Spent, 0, 1),
        (Settlement::GivenBack, 0, 0),
        (Settlement::Kept, 0, 0),
        (Settlement::Zero { seen: 7 }, 0, 0),
    ] {
        server.command("FLUSHALL");
        accept(&store, "report").unwrap();
        let message = begin(&owner, Some("order"));
        let Begun::Go { epoch, grant: Grant::Reserved, .. } = store.begin(&message, soon()).unwrap() else {
            panic!("nothing reserved")
        };
        server.command("FLUSHALL");
        let end = End { settlement: ending, ..delivered(Grant::Reserved) };
        for _ in 0..2 {
            store.finish(&message, epoch, &end, soon()).unwrap();
            let row = ledger(&store);
            assert_eq!((row.available, row.accepted, row.reserved), (available, accepted, 0), "{ending:?}");
            assert_eq!(store.usage(APPID, API, DAY, soon()).unwrap().calls, 1);
        }
        let row = store.delivery(APPID, message.id, soon()).unwrap().unwrap();
        assert_eq!((row.state, row.attempts, row.key.as_deref()), (State::Delivered, 1, Some("order")));
        let listed = store.deliveries(APPID, &Filter { limit: 9, ..Filter::default() }, soon()).unwrap();
        assert_eq!(listed, [row]);
    }
    // An accept that came after the flush survives a 43101 to a message from before it.
    server.command("FLUSHALL");
    accept(&store, "report").unwrap();
    let message = begin(&owner, None);
    let end = End { settlement: Settlement::Zero { seen: 7 }, ..delivered(Grant::OnCredit) };
    store.finish(&message, 1, &end, soon()).unwrap();
    let row = ledger(&store);
    assert_eq!((row.available, row.refused), (1, false));
}

#[test]
fn another_message_that_took_the_key_after_a_flush_is_left_alone() {
    let server = RedisServer::start();
    let store = open(&server.url());
    let owner = Owner::current();
    let (first, second) = (begin(&owner, Some("order")), begin(&owner, Some("order")));
    store.begin(&first, soon()).unwrap();
    server.command("FLUSHALL");
    store.begin(&second, soon()).unwrap();
    for _ in 0..2 {
        store.finish(&first, 1, &delivered(Grant::Uncounted), soon()).unwrap();
        assert_eq!(store.usage(APPID, API, DAY, soon()).unwrap().calls, 1);
    }
    assert_eq!(store.delivery(APPID, second.id, soon()).unwrap().unwrap().state, State::Sending);
}

#[test]
fn a_server_killed_and_restarted_costs_no_call() {
    for settings in [&["--appendonly", "yes", "--appendfsync", "always"][..], &[]] {
        let mut server = RedisServer::with(settings);
        let store = open(&server.url());
        accept(&store, "one").unwrap();
        server.kill();
        let error = accept(&store, "two").unwrap_err();
        assert_eq!((error.fault, error.maybe_done), (Fault::Unreachable, true), "{error}");
        let error = accept(&store, "two").unwrap_err();
        assert_eq!((error.fault, error.maybe_done), (Fault::Unreachable, false), "{error}");
        server.restart();
        accept(&store, "two").unwrap();
        server.restart();
        accept(&store, "three").unwrap();
        assert_eq!(ledger(&store).accepted, if settings.is_empty() { 1 } else { 3 });
    }
}

#[test]
fn a_stopped_server_is_a_timeout_and_its_late_answer_is_nobodys() {
    let server = RedisServer::start();
    let store = open(&server.url());
    accept(&store, "one").unwrap();
    server.signal(Signal::SIGSTOP);
    let until = Instant::now() + Duration::from_millis(200);
    let error = failure(&store, until);
    assert_eq!((error.fault, error.maybe_done), (Fault::Timeout, true), "{error}");
    let late = Instant::now().saturating_duration_since(until);
    assert!(late < Duration::from_secs(5), "{late:?} after the deadline");
    // The kernel takes the new connection, but nobody answers on it: a caller with time waits for one exchange only.
    let error = failure(&store, Instant::now() + Duration::from_secs(60));
    assert_eq!(error.fault, Fault::Timeout, "{error}");
    server.signal(Signal::SIGCONT);
    assert_eq!(ledger(&store).accepted, 1);
    let row = accept(&store, "two").unwrap();
    assert_eq!((row.duplicate, row.rows[0].accepted), (false, 2));
}

#[test]
fn a_deadline_in_the_past_is_answered_at_once() {
    let server = RedisServer::start();
    let store = open(&server.url());
    let error = failure(&store, Instant::now() - Duration::from_secs(1));
    assert_eq!((error.fault, error.maybe_done), (Fault::Timeout, false), "{error}");
    accept(&store, "one").unwrap();
    let error = failure(&store, Instant::now() - Duration::from_secs(1));
    assert_eq!((error.fault, error.maybe_done), (Fault::Timeout, false), "{error}");
    assert_eq!(ledger(&store).accepted, 1);
}

#[test]
fn a_connection_that_the_server_closed_costs_nothing() {
    let server = RedisServer::start();
    let store = open(&server.url());
    for round in 0..3 {
        accept(&store, &format!("report {round}")).unwrap();
        server.command("CLIENT KILL TYPE normal");
    }
    assert_eq!(ledger(&store).accepted, 3);
}

#[test]
fn a_call_whose_answer_was_lost_is_repeated_without_doing_anything_twice() {
    let server = RedisServer::start();
    let direct = open(&server.url());
    let owner = Owner::current();
    accept(&direct, "warm").unwrap();
    direct.usage(APPID, API, DAY, soon()).unwrap();
    let through = |answers| {
        let (port, proxy) = lose_an_answer(server.port(), answers);
        let store = open(&format!("redis://127.0.0.1:{port}"));
        // The first exchange makes the connection a used one.
        store.usage(APPID, API, DAY, soon()).unwrap();
        (store, proxy)
    };
    let message = begin(&owner, Some("order"));
    // Every script is known to the server, so that one call is one exchange.
    let other = begin(&owner, None);
    let Begun::Go { epoch, grant, .. } = direct.begin(&other, soon()).unwrap() else { panic!("not let go") };
    direct.finish(&other, epoch, &End { settlement: Settlement::GivenBack, ..delivered(grant) }, soon()).unwrap();

    let (store, proxy) = through(1);
    assert!(!accept(&store, "lost").unwrap().duplicate);
    drop(store);
    proxy.join().unwrap();
    assert_eq!(ledger(&direct).accepted, 2);

    let (store, proxy) = through(1);
    let begun = store.begin(&message, soon()).unwrap();
    drop(store);
    proxy.join().unwrap();
    assert_eq!(begun, Begun::Go { id: message.id, epoch: 1, grant: Grant::Reserved, seen: 2 });
    assert_eq!(ledger(&direct).reserved, 1);

    let (store, proxy) = through(1);
    store.finish(&message, 1, &delivered(Grant::Reserved), soon()).unwrap();
    drop(store);
    proxy.join().unwrap();
    let row = ledger(&direct);
    assert_eq!((row.available, row.delivered, row.accepted, row.reserved), (1, 1, 2, 0));
    assert_eq!(direct.usage(APPID, API, DAY, soon()).unwrap().calls, 2);

    let ask = TokenAsk {
        account: "account",
        account_here: "account here",
        owner: &owner,
        held: 0,
        refused: None,
        force: false,
        lease: Duration::from_secs(9),
        fresh: Duration::from_secs(1),
        ended: None,
    };
    direct.token(&TokenAsk { account: "other", ..ask.clone() }, soon()).unwrap();
    let (store, proxy) = through(1);
    assert!(matches!(store.token(&ask, soon()).unwrap(), TokenTurn::Fetch { .. }));
    drop(store);
    proxy.join().unwrap();
    assert!(matches!(direct.token(&ask, soon()).unwrap(), TokenTurn::Busy { .. }));
}

#[test]
fn wrong_credentials_are_told_without_showing_them() {
    let server = RedisServer::with(&["--requirepass", "right"]);
    let port = server.port();
    for url in [
        format!("redis://127.0.0.1:{port}"),
        format!("redis://:whisper@127.0.0.1:{port}"),
        format!("redis://nobody:whisper@127.0.0.1:{port}"),
    ] {
        let error = failure(&open(&url), soon());
        assert_eq!(error.fault, Fault::Unreachable, "{error}");
        assert!(error.detail.contains("password") && !error.detail.contains("whisper"), "{error}");
        assert!(error.detail.contains(&port.to_string()), "{error}");
    }
    accept(&open(&format!("redis://:right@127.0.0.1:{port}/3")), "one").unwrap();
    let error = failure(&open(&format!("redis://:right@127.0.0.1:{port}/99")), soon());
    assert!(error.fault == Fault::Unreachable && error.detail.contains("database"), "{error}");
    let open_to_all = RedisServer::start();
    let error = failure(&open(&format!("redis://:whisper@127.0.0.1:{}", open_to_all.port())), soon());
    assert!(error.fault == Fault::Unreachable && error.detail.contains("password"), "{error}");
}

#[test]
fn the_place_is_shown_without_credentials() {
    let store = open("redis://shop:whisper@cache:7000/2");
    assert_eq!(store.place(), "redis://cache:7000/2");
    let Err(error) = RedisStore::open("redis://:whisper@cache:x", None, soon()) else { panic!("a port x") };
    assert!(error.detail.contains("port") && !error.detail.contains("whisper"), "{error}");
}

#[test]
fn nobody_at_the_address_is_unreachable() {
    for url in [format!("redis://127.0.0.1:{}", free_port()), "redis://no-such-host.invalid".to_owned()] {
        let error = failure(&open(&url), soon());
        assert_eq!((error.fault, error.maybe_done), (Fault::Unreachable, false), "{error}");
    }
    // Something else listens there.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let _ = client.unwrap().write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let error = failure(&open(&format!("redis://127.0.0.1:{port}")), soon());
    assert!(matches!(error.fault, Fault::Other | Fault::Unreachable), "{error}");
}

#[test]
fn a_full_server_is_full_and_half_writes_nothing() {
    let server = RedisServer::with(&["--maxmemory-policy", "noeviction"]);
    let store = open(&server.url());
    accept(&store, "one").unwrap();
    let owner = Owner::current();
    let message = begin(&owner, None);
    let Begun::Go { epoch, grant, .. } = store.begin(&message, soon()).unwrap() else { panic!("not let go") };
    let before = server.cli(&["--raw", "DUMP", &format!("rt:{{{APPID}}}:l:{OPENID}")]);
    server.command("CONFIG SET maxmemory 1");
    for _ in 0..2 {
        assert_eq!(failure(&store, soon()).fault, Fault::Full);
        assert_eq!(accept(&store, "two").unwrap_err().fault, Fault::Full);
        assert_eq!(store.finish(&message, epoch, &delivered(grant), soon()).unwrap_err().fault, Fault::Full);
    }
    assert_eq!(ledger(&store).reserved, 1);
    assert_eq!(server.cli(&["--raw", "DUMP", &format!("rt:{{{APPID}}}:l:{OPENID}")]), before);
    server.command("CONFIG SET maxmemory 0");
    store.finish(&message, epoch, &delivered(grant), soon()).unwrap();
    accept(&store, "two").unwrap();
    let row = ledger(&store);
    assert_eq!((row.accepted, row.delivered, row.available), (2, 1, 1));
}

#[test]
fn a_replica_is_read_only_until_it_is_a_master() {
    let master = RedisServer::start();
    let replica = RedisServer::with(&["--replicaof", "127.0.0.1", &master.port().to_string()]);
    let store = open(&replica.url());
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let error = accept(&store, "one").unwrap_err();
        if error.fault == Fault::ReadOnly {
            break;
        }
        assert!(error.fault == Fault::Unreachable && Instant::now() < deadline, "{error}");
    }
    replica.command("REPLICAOF NO ONE");
    accept(&store, "one").unwrap();
}

#[test]
fn stray_types_and_damaged_data_are_corrupt_and_change_nothing() {
    let server = RedisServer::start();
    let store = open(&server.url());
    let owner = Owner::current();
    let prefix = format!("rt:{{{APPID}}}:");
    for stray in
        ["v", "p", "t", "d", &format!("l:{OPENID}"), &format!("r:{OPENID}"), &format!("e:{TEMPLATE}"), "k:order"]
    {
        server.command("FLUSHALL");
        server.cli(&["RPUSH", &format!("{prefix}{stray}"), "stray"]);
        let keys = server.cli(&["DBSIZE"]);
        let error = store.begin(&begin(&owner, Some("order")), soon()).unwrap_err();
        assert_eq!(error.fault, Fault::Corrupt, "{stray}: {error}");
        assert_eq!(server.cli(&["DBSIZE"]), keys, "{stray}");
    }
    server.command("FLUSHALL");
    server.cli(&["HSET", &format!("{prefix}l:{OPENID}"), TEMPLATE, "rubbish"]);
    for error in [failure(&store, soon()), accept(&store, "one").unwrap_err()] {
        assert_eq!(error.fault, Fault::Corrupt, "{error}");
        assert!(!error.detail.contains(OPENID) && !error.detail.contains("rubbish"), "{error}");
    }
    assert_eq!(store.grants(APPID, OPENID, None, soon()).unwrap_err().fault, Fault::Corrupt);
    let message = begin(&owner, None);
    server.cli(&["HSET", &format!("{prefix}m:{}", message.id), "colour", "red"]);
    assert_eq!(store.begin(&message, soon()).unwrap_err().fault, Fault::Corrupt);
    assert_eq!(store.delivery(APPID, message.id, soon()).unwrap_err().fault, Fault::Corrupt);
}

#[test]
fn data_of_a_newer_version_is_left_alone() {
    let server = RedisServer::start();
    let store = open(&server.url());
    accept(&store, "one").unwrap();
    server.cli(&["SET", &format!("rt:{{{APPID}}}:v"), "2"]);
    for error in [failure(&store, soon()), store.grants(APPID, OPENID, None, soon()).unwrap_err()] {
        assert_eq!(error.fault, Fault::TooNew, "{error}");
    }
    // Another account is not concerned.
    assert!(store.grants("wx2", OPENID, None, soon()).unwrap().is_empty());
}
