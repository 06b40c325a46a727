//! Calls of the outbox, and calls in one exchange, whose script or connection is gone in the middle.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use routine_template::store::*;

use super::message::*;
use super::parcel::*;
use super::proxy::lose_an_answer;
use super::redis_server::RedisServer;
use super::servers::wait_for;

/// Messages to as many users, each of whom has one grant.
fn messages<'a>(store: &RedisStore, owner: &'a Owner, users: &'a [String]) -> Vec<Begin<'a>> {
    let open = |openid: &'a String| {
        store
            .record_grants(
                &GrantReport {
                    appid: APPID,
                    openid,
                    choices: &[(TEMPLATE, Choice::Accept)],
                    long_term: false,
                    source: Source::Client,
                    at: None,
                    token: openid,
                    remember: Duration::from_secs(60),
                },
                soon(),
            )
            .unwrap();
        Begin { openid, shown_openid: openid, ..begin(owner, None) }
    };
    users.iter().map(open).collect()
}

fn users(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("user {number}")).collect()
}

fn books(store: &RedisStore, openid: &str) -> (u64, u64, u64, u64) {
    let row = store.grants(APPID, openid, Some(TEMPLATE), soon()).unwrap().pop().unwrap().1;
    (row.accepted, row.available, row.reserved, row.delivered)
}

fn calls(store: &RedisStore) -> u64 {
    store.usage(APPID, API, DAY, soon()).unwrap().calls
}

/// Begins all, in the order of the messages.
fn go(store: &RedisStore, begins: &[Begin<'_>]) -> Vec<(u32, Grant)> {
    let begun = store.begin_all(begins, soon()).unwrap();
    assert_eq!(begun.len(), begins.len());
    let go = |(begin, begun): (&Begin<'_>, &Begun)| match begun {
        Begun::Go { id, epoch, grant, .. } if *id == begin.id => (*epoch, *grant),
        other => panic!("not let go: {other:?}"),
    };
    begins.iter().zip(&begun).map(go).collect()
}

fn end(store: &RedisStore, begins: &[Begin<'_>], gone: &[(u32, Grant)]) -> Result<(), StoreError> {
    let ends: Vec<_> = gone.iter().map(|(_, grant)| delivered(*grant)).collect();
    let all: Vec<_> =
        begins.iter().zip(gone).zip(&ends).map(|((begin, (epoch, _)), end)| (begin, *epoch, end)).collect();
    store.finish_all(&all, soon())
}

#[test]
fn scripts_that_the_server_has_forgotten_are_loaded_in_the_middle_of_an_exchange() {
    let server = RedisServer::start();
    let store = open(&server.url());
    let (owner, users) = (Owner::current(), users(600));
    let begins = messages(&store, &owner, &users);
    let known = server.command("SCRIPT EXISTS 0");
    assert!(known.starts_with('*'), "{known}");
    // Never loaded, forgotten, and there.
    for part in begins.chunks(200) {
        let gone = go(&store, part);
        assert!(gone.iter().all(|went| *went == (1, Grant::Reserved)));
        server.command("SCRIPT FLUSH");
        end(&store, part, &gone).unwrap();
    }
    assert!(users.iter().all(|user| books(&store, user) == (1, 0, 0, 1)));
    assert_eq!(calls(&store), 600);
    // One exchange has a bound, a batch has none.
    let again: Vec<_> = begins.iter().map(|begin| Begin { id: MessageId::new(), ..begin.clone() }).collect();
    let gone = go(&store, &again);
    assert!(gone.iter().all(|went| *went == (1, Grant::OnCredit)));
    end(&store, &again, &gone).unwrap();
    assert_eq!(calls(&store), 1200);
}

#[test]
fn an_exchange_whose_answers_were_lost_is_repeated_without_doing_anything_twice() {
    let server = RedisServer::start();
    let direct = open(&server.url());
    let (owner, users) = (Owner::current(), users(8));
    let begins = messages(&direct, &owner, &users);
    let through = || {
        let (port, proxy) = lose_an_answer(server.port(), 1);
        let store = open(&format!("redis://127.0.0.1:{port}"));
        // The first exchange makes the connection a used one.
        store.usage(APPID, API, DAY, soon()).unwrap();
        (store, proxy)
    };
    // Every script is known to the server, so that a batch is one exchange.
    direct.usage(APPID, API, DAY, soon()).unwrap();
    let warm = Begin { id: MessageId::new(), openid: "warm", shown_openid: "warm", ..begins[0].clone() };
    let gone = go(&direct, std::slice::from_ref(&warm));
    end(&direct, &[warm], &gone).unwrap();

    let (store, proxy) = through();
    let gone = go(&store, &begins);
    drop(store);
    proxy.join().unwrap();
    assert!(gone.iter().all(|went| *went == (1, Grant::Reserved)));
    assert!(users.iter().all(|user| books(&direct, user) == (1, 0, 1, 0)));

    let (store, proxy) = through();
    end(&store, &begins, &gone).unwrap();
    drop(store);
    proxy.join().unwrap();
    assert!(users.iter().all(|user| books(&direct, user) == (1, 0, 0, 1)));
    assert_eq!(calls(&direct), 9);
}

#[test]
fn a_claim_whose_answer_was_lost_brings_the_same_messages_and_nobody_else_gets_them() {
    let server = RedisServer::start();
    let direct = open(&server.url());
    let queued = ["a", "b", "c"].map(|user| queue(&direct, user));
    assert_eq!(claimed(&open(&server.url())).jobs.len(), 3, "the script is known");
    server.command("FLUSHDB");
    let queued_again = ["a", "b", "c"].map(|user| queue(&direct, user));
    assert_ne!(queued, queued_again);
    direct.usage(APPID, API, DAY, soon()).unwrap();
    let (port, proxy) = lose_an_answer(server.port(), 1);
    let store = open(&format!("redis://127.0.0.1:{port}"));
    store.usage(APPID, API, DAY, soon()).unwrap();
    let owner = Owner::current();
    let first = claim(APPID, &owner);
    let brought = store.claim(&first, soon()).unwrap();
    assert_eq!(ids(&brought), queued_again);
    assert!(brought.jobs.iter().all(|job| (job.epoch, job.tries) == (2, 0)), "{brought:?}");
    drop(store);
    proxy.join().unwrap();
    assert_eq!(claimed(&direct), Claimed::default());
    // Repeated by its caller, even when some have ended meanwhile.
    deliver(&direct, APPID, &brought.jobs[..1]).unwrap();
    assert_eq!(ids(&direct.claim(&first, soon()).unwrap()), queued_again[1..]);
    deliver(&direct, APPID, &brought.jobs).unwrap();
    assert_eq!(direct.claim(&first, soon()).unwrap(), Claimed::default());
    assert_eq!((calls(&direct), direct.pending(APPID, soon()).unwrap()), (3, 0));
}

/// Runs `call` while the server holds writes back, closes all connections meanwhile, and lets it go on.
fn with_connections_closed<T>(server: &RedisServer, store: &RedisStore, call: impl FnOnce() -> T + Send) -> T
where
    T: Send,
{
    store.usage(APPID, API, DAY, soon()).unwrap();
    server.command("CLIENT PAUSE 60000 WRITE");
    std::thread::scope(|scope| {
        let call = scope.spawn(call);
        wait_for("the call", || server.cli(&["INFO", "clients"]).contains("blocked_clients:1"));
        server.command("CLIENT KILL TYPE normal");
        server.command("CLIENT UNPAUSE");
        call.join().unwrap()
    })
}

#[test]
fn connections_that_are_closed_in_the_middle_lose_nothing_and_hand_nothing_out_twice() {
    let server = RedisServer::start();
    let store = open(&server.url());
    let queued: Vec<_> = users(20).iter().map(|user| queue(&store, user)).collect();
    let brought = with_connections_closed(&server, &store, || claimed(&store));
    assert_eq!(ids(&brought), queued);
    assert!(brought.jobs.iter().all(|job| job.epoch == 2), "{brought:?}");
    assert_eq!(claimed(&store), Claimed::default());
    with_connections_closed(&server, &store, || deliver(&store, APPID, &brought.jobs)).unwrap();
    assert_eq!((calls(&store), store.pending(APPID, soon()).unwrap()), (20, 0));
    let (owner, users) = (Owner::current(), users(20));
    let begins = messages(&store, &owner, &users);
    let gone = with_connections_closed(&server, &store, || go(&store, &begins));
    with_connections_closed(&server, &store, || end(&store, &begins, &gone)).unwrap();
    assert!(users.iter().all(|user| books(&store, user) == (1, 0, 0, 1)));
    assert_eq!(calls(&store), 40);
}

#[test]
fn a_batch_that_nobody_answers_may_have_been_done_and_can_be_repeated() {
    let mut server = RedisServer::with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let store = open(&server.url());
    let (owner, users) = (Owner::current(), users(5));
    let begins = messages(&store, &owner, &users);
    let error = store.begin_all(&begins, Instant::now() - Duration::from_secs(1)).unwrap_err();
    assert_eq!((error.fault, error.maybe_done), (Fault::Timeout, false), "{error}");
    server.signal(Signal::SIGSTOP);
    let error = store.begin_all(&begins, Instant::now() + Duration::from_millis(200)).unwrap_err();
    assert_eq!((error.fault, error.maybe_done), (Fault::Timeout, true), "{error}");
    server.signal(Signal::SIGCONT);
    let gone = go(&store, &begins);
    server.kill();
    let error = end(&store, &begins, &gone).unwrap_err();
    assert_eq!((error.fault, error.maybe_done), (Fault::Unreachable, true), "{error}");
    let error = end(&store, &begins, &gone).unwrap_err();
    assert_eq!((error.fault, error.maybe_done), (Fault::Unreachable, false), "{error}");
    server.restart();
    end(&store, &begins, &gone).unwrap();
    assert!(users.iter().all(|user| books(&store, user) == (1, 0, 0, 1)));
}

#[test]
fn one_damaged_row_fails_its_batch_but_not_the_messages_beside_it() {
    let server = RedisServer::start();
    let store = open(&server.url());
    let (owner, users) = (Owner::current(), users(3));
    let begins = messages(&store, &owner, &users);
    server.cli(&["HSET", &key("l:user 1"), TEMPLATE, "rubbish"]);
    let error = store.begin_all(&begins, soon()).unwrap_err();
    assert_eq!((error.fault, error.maybe_done), (Fault::Corrupt, true), "{error}");
    let gone = go(&store, &[begins[0].clone(), begins[2].clone()]);
    assert_eq!(gone, [(1, Grant::Reserved); 2]);
    assert_eq!((books(&store, "user 0"), books(&store, "user 2")), ((1, 0, 1, 0), (1, 0, 1, 0)));
}
