//! Leases to fetch a token, and their fences.

use std::time::Duration;

use routine_template::store::*;

use crate::shop::{HOUR, SHORT, Shop, soon};
use crate::tokens::{ACCOUNT, Caller, NONE, busy, fetch, put, refuse, stored, token, turn};

on_every_engine!(
    a_lease_is_over_in_time,
    a_lease_ends_with_its_owner,
    fences_grow_for_ever,
    an_older_token_never_replaces_a_newer_one,
    release_hands_the_turn_on,
    release_lets_a_living_token_rest,
    a_former_holder_does_not_end_the_lease_of_the_next,
);

fn release(shop: &Shop, fence: u64, rest: Duration) {
    shop.store().release_token(ACCOUNT, fence, rest, soon()).unwrap();
}

fn a_lease_is_over_in_time(shop: &Shop) {
    let (a, b) = (Caller::new("a"), Caller::new("b"));
    let first = fetch(shop, &TokenAsk { lease: SHORT, ..a.ask() });
    shop.wait();
    assert!(fetch(shop, &b.ask()) > first);
    assert_eq!(busy(shop, &a.ask()).0, "b");
}

fn a_lease_ends_with_its_owner(shop: &Shop) {
    let (a, b, c) = (Caller::new("a"), Caller::new("b"), Caller::new("c"));
    let first = fetch(shop, &a.ask());
    assert_eq!(busy(shop, &TokenAsk { ended: Some("c"), ..b.ask() }).0, "a", "somebody else has ended");
    assert_eq!(busy(shop, &TokenAsk { ended: Some(""), ..b.ask() }).0, "a");
    assert!(fetch(shop, &TokenAsk { ended: Some("a"), ..b.ask() }) > first);
    assert_eq!(busy(shop, &TokenAsk { ended: Some("a"), ..c.ask() }).0, "b", "one heir");
}

fn fences_grow_for_ever(shop: &Shop) {
    let caller = Caller::new("a");
    let mut last = 0;
    for round in 0..12 {
        let fence = fetch(shop, &TokenAsk { force: true, ..caller.ask() });
        assert!(fence > last, "{fence} after {last}");
        last = fence;
        match round % 4 {
            0 => assert!(put(shop, fence, "token", HOUR, 2 * HOUR)),
            1 => release(shop, fence, NONE),
            2 => {
                refuse(shop, ACCOUNT, fence, SHORT);
                shop.wait();
            }
            _ => {
                assert!(put(shop, fence, "token", NONE, SHORT));
                shop.wait();
            }
        }
    }
}

fn an_older_token_never_replaces_a_newer_one(shop: &Shop) {
    let (a, b, c) = (Caller::new("a"), Caller::new("b"), Caller::new("c"));
    let first = fetch(shop, &a.ask());
    let second = fetch(shop, &TokenAsk { ended: Some("a"), ..b.ask() });
    assert!(put(shop, second, "newer", HOUR, 2 * HOUR));
    for _ in 0..2 {
        assert!(!put(shop, first, "older", HOUR, 2 * HOUR));
        assert_eq!(token(shop, &c.ask()).token.reveal(), "newer");
    }
    assert!(put(shop, second, "newer", HOUR, 2 * HOUR), "a repeat of the newest");
    // Nor once the newer one has ended.
    assert!(put(shop, second, "newer", SHORT, SHORT));
    shop.wait();
    assert!(!put(shop, first, "older", HOUR, 2 * HOUR));
    assert!(fetch(shop, &c.ask()) > second);
}

fn release_hands_the_turn_on(shop: &Shop) {
    let (a, b) = (Caller::new("a"), Caller::new("b"));
    let first = fetch(shop, &a.ask());
    release(shop, first, HOUR);
    let second = fetch(shop, &b.ask());
    assert!(second > first, "there is no token that could rest");
    release(shop, second, NONE);
    fetch(shop, &a.ask());
}

fn release_lets_a_living_token_rest(shop: &Shop) {
    let first = stored(shop, "token", NONE);
    let (a, b) = (Caller::new("a"), Caller::new("b"));
    let rest = Duration::from_millis(400);
    let fence = fetch(shop, &a.ask());
    let started = std::time::Instant::now();
    release(shop, fence, rest);
    let turn = turn(shop, &b.ask());
    if started.elapsed() < rest {
        assert!(matches!(&turn, TokenTurn::Token(token) if token.fence == first && token.renew_in <= rest), "{turn:?}");
        std::thread::sleep(2 * rest);
        assert!(fetch(shop, &b.ask()) > fence);
    }
}

fn a_former_holder_does_not_end_the_lease_of_the_next(shop: &Shop) {
    let (a, b, c) = (Caller::new("a"), Caller::new("b"), Caller::new("c"));
    let first = fetch(shop, &a.ask());
    let second = fetch(shop, &TokenAsk { ended: Some("a"), ..b.ask() });
    release(shop, first, NONE);
    assert_eq!(busy(shop, &c.ask()).0, "b");
    refuse(shop, "somewhere else", first, HOUR);
    assert_eq!(busy(shop, &c.ask()).0, "b");
    assert!(put(shop, first, "older", NONE, 2 * HOUR), "nothing newer is stored yet");
    let (owner, _, current) = busy(shop, &c.ask());
    assert_eq!((owner.as_str(), current.unwrap().token.reveal()), ("b", "older"));
    assert!(put(shop, second, "newer", HOUR, 2 * HOUR));
    assert_eq!(token(shop, &c.ask()).token.reveal(), "newer");
}
