//! A call whose time is up ends. It may answer rightly or fail with a typed error, but it neither hangs nor lies.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use routine_template::message::Channel;
use routine_template::store::*;

use crate::post::{Post, claim};
use crate::shop::{API, APP, DAY, HOUR, Message, Shop, TEMPLATE, Verdict, counts, soon};

on_every_engine!(
    calls_that_are_too_late_end,
    what_was_too_late_is_done_wholly_or_not_at_all,
    what_was_queued_too_late_can_be_queued_again,
);

/// Longer than any machine takes to notice that time is up.
const BOUND: Duration = Duration::from_secs(8);

fn too_late() -> Instant {
    Instant::now().checked_sub(Duration::from_secs(1)).unwrap_or_else(Instant::now)
}

/// Runs it on a thread of its own, so that a call that hangs is a failure and not a test that never ends.
fn bounded(act: impl FnOnce(&dyn Store) + Send, shop: &Shop) {
    let store = shop.store();
    std::thread::scope(|scope| {
        let (done, wait) = mpsc::channel();
        scope.spawn(move || {
            act(store);
            done.send(()).unwrap();
        });
        // The scope would wait for a thread that hangs; leaving the process is the only way to say so.
        if wait.recv_timeout(BOUND).is_err_and(|error| error == mpsc::RecvTimeoutError::Timeout) {
            std::process::abort();
        }
    });
}

fn calls_that_are_too_late_end(shop: &Shop) {
    shop.accept("user");
    let message = Message::to("user");
    let going = shop.go(&message);
    let (verdict, late) = (Verdict::delivered(), too_late());
    let owner = Owner::current();
    let post = Post::to("user");
    bounded(
        |store| {
            let choices = [(TEMPLATE, Choice::Accept)];
            let report = GrantReport {
                appid: APP,
                openid: "user",
                choices: &choices,
                long_term: false,
                source: Source::Client,
                at: None,
                token: "late",
                remember: HOUR,
            };
            let ask = TokenAsk {
                account: "account",
                account_here: "here",
                owner: &owner,
                held: 0,
                refused: None,
                force: false,
                lease: HOUR,
                fresh: HOUR,
                ended: None,
            };
            let refusal = StoredRefusal { errcode: 40013, errmsg: "invalid appid".to_owned(), stands: HOUR };
            let begin = message.begin();
            let failures = [
                store.begin(&Message::to("user").begin(), late).err(),
                store.finish(&begin, going.epoch, &verdict.end(going, &message), late).err(),
                store.begin_all(&[Message::to("user").begin()], late).err(),
                store.finish_all(&[(&begin, going.epoch, &verdict.end(going, &message))], late).err(),
                store.enqueue(&post.message.begin(), &post.parcel(), late).err(),
                store.claim(&claim(APP, Channel::Subscribe, 10, &owner), late).err(),
                store.queues(None, late).err(),
                store.pending(APP, late).err(),
                store.sender(APP, late).err(),
                store.lead("host", &owner, None, HOUR, late).err(),
                store.refuse(&begin, &LocalRefusal { errcode: 47003, errmsg: "wrong" }, late).err(),
                store.delivery(APP, message.id, late).err(),
                store.deliveries(APP, &Filter { limit: 10, ..Filter::default() }, late).err(),
                store.record_grants(&report, late).err(),
                store.grants(APP, "user", None, late).err(),
                store.audience(APP, TEMPLATE, None, 10, late).err(),
                store.token(&ask, late).err(),
                store.put_token("account", 1, "token", HOUR, HOUR, late).err(),
                store.refuse_token("account", "here", 1, &refusal, late).err(),
                store.release_token("account", 1, HOUR, late).err(),
                store.usage(APP, API, DAY, late).err(),
                store.clear_quota(APP, None, DAY, late).err(),
            ];
            for error in failures.into_iter().flatten() {
                assert_eq!(error.fault, Fault::Timeout, "{error}");
            }
        },
        shop,
    );
}

fn what_was_too_late_is_done_wholly_or_not_at_all(shop: &Shop) {
    shop.accept("user");
    let message = Message::to("user");
    let late = shop.store().begin(&message.begin(), too_late());
    let (row, ledger) = (shop.delivery(message.id), shop.row("user"));
    match &late {
        Ok(Begun::Go { .. }) => assert!(row.is_some() && ledger.reserved == 1),
        Err(error) if !error.maybe_done => assert!(row.is_none() && ledger.reserved == 0, "{ledger:?}"),
        Err(_) => assert_eq!(u64::from(row.is_some()), ledger.reserved),
        Ok(other) => panic!("{other:?}"),
    }
    let going = shop.go(&message);
    assert_eq!((going.id, going.grant), (message.id, Grant::Reserved));
    let verdict = Verdict::delivered();
    let late = shop.store().finish(&message.begin(), going.epoch, &verdict.end(going, &message), too_late());
    let (row, ledger) = (shop.row_with(message.id), shop.row("user"));
    match late {
        Ok(()) => assert_eq!((row.state, ledger.delivered), (State::Delivered, 1)),
        Err(error) if !error.maybe_done => assert_eq!((row.state, ledger.reserved), (State::Sending, 1)),
        Err(_) => assert_eq!(row.state == State::Delivered, ledger.delivered == 1),
    }
    shop.finish(&message, going, &verdict);
    assert_eq!(counts(&shop.row("user")), crate::shop::books(1, 0, 0, 1, 0));
    assert_eq!(shop.store().usage(APP, API, DAY, soon()).unwrap().calls, 1);
}

fn what_was_queued_too_late_can_be_queued_again(shop: &Shop) {
    let post = Post::keyed("user", "order 1");
    let late = shop.store().enqueue(&post.message.begin(), &post.parcel(), too_late());
    let pending = shop.pending();
    match late {
        Ok(queued) => assert_eq!((queued, pending), (Enqueued::Queued(post.message.id), 1)),
        Err(error) => assert!(error.maybe_done || pending == 0, "{error}"),
    }
    assert_eq!(shop.queue(&post), post.message.id);
    assert_eq!(shop.job().id, post.message.id);
}
