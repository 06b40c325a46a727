//! `token` and what goes with it: the six rules, leases, fences, refusals.

use std::time::Duration;

use routine_template::store::*;

use crate::shop::{HOUR, SHORT, Shop, soon};

on_every_engine!(
    who_asks_first_fetches,
    a_stored_token_serves_until_it_is_due,
    a_token_that_is_due_serves_while_one_renews,
    a_token_that_has_ended_is_none,
    a_refused_token_that_is_no_longer_stored_needs_no_fetch,
    a_refused_token_with_a_newer_fence_needs_no_fetch,
    a_refused_token_that_was_just_issued_again_is_not_fetched_again,
    a_refused_token_that_is_older_is_fetched_anew,
    force_fetches_what_is_not_fresh,
    a_refusal_stands_for_all_who_ask,
    a_refusal_of_this_host_stands_on_this_host,
    a_refusal_does_not_end_a_living_token,
    a_refusal_ends_in_time_and_with_a_token,
    any_token_is_read_back,
);

pub const ACCOUNT: &str = "account";
const HERE: &str = "account here";
pub const NONE: Duration = Duration::ZERO;

/// Who asks, and what for.
pub struct Caller {
    pub owner: Owner,
}

impl Caller {
    pub fn new(name: &str) -> Self {
        Self { owner: Owner::named(name) }
    }

    /// An ask of which nothing is fresh and nothing refused.
    pub fn ask(&self) -> TokenAsk<'_> {
        TokenAsk {
            account: ACCOUNT,
            account_here: HERE,
            owner: &self.owner,
            held: 0,
            refused: None,
            force: false,
            lease: HOUR,
            fresh: NONE,
            ended: None,
        }
    }
}

pub fn turn(shop: &Shop, ask: &TokenAsk<'_>) -> TokenTurn {
    shop.store().token(ask, soon()).unwrap()
}

#[track_caller]
pub fn fetch(shop: &Shop, ask: &TokenAsk<'_>) -> u64 {
    match turn(shop, ask) {
        TokenTurn::Fetch { fence, .. } => fence,
        other => panic!("no Fetch: {other:?}"),
    }
}

#[track_caller]
pub fn token(shop: &Shop, ask: &TokenAsk<'_>) -> StoredToken {
    match turn(shop, ask) {
        TokenTurn::Token(token) => token,
        other => panic!("no Token: {other:?}"),
    }
}

#[track_caller]
pub fn busy(shop: &Shop, ask: &TokenAsk<'_>) -> (String, Duration, Option<StoredToken>) {
    match turn(shop, ask) {
        TokenTurn::Busy { owner, left, current } => (owner, left, current),
        other => panic!("not Busy: {other:?}"),
    }
}

#[track_caller]
fn refused(shop: &Shop, ask: &TokenAsk<'_>) -> StoredRefusal {
    match turn(shop, ask) {
        TokenTurn::Refused(refusal) => refusal,
        other => panic!("not Refused: {other:?}"),
    }
}

pub fn put(shop: &Shop, fence: u64, token: &str, renew_in: Duration, ends_in: Duration) -> bool {
    shop.store().put_token(ACCOUNT, fence, token, renew_in, ends_in, soon()).unwrap()
}

/// Fetches and stores one that lives for two hours and is due after that time.
#[track_caller]
pub fn stored(shop: &Shop, name: &str, renew_in: Duration) -> u64 {
    let caller = Caller::new("first");
    let fence = fetch(shop, &TokenAsk { force: true, ..caller.ask() });
    assert!(put(shop, fence, name, renew_in, 2 * HOUR));
    fence
}

pub fn refuse(shop: &Shop, account: &str, fence: u64, stands: Duration) -> StoredRefusal {
    let refusal = StoredRefusal { errcode: 40164, errmsg: "invalid ip 1.2.3.4 🎉".to_owned(), stands };
    shop.store().refuse_token(ACCOUNT, account, fence, &refusal, soon()).unwrap();
    refusal
}

fn who_asks_first_fetches(shop: &Shop) {
    let (a, b) = (Caller::new("a"), Caller::new("b"));
    fetch(shop, &a.ask());
    for force in [false, true] {
        let (owner, left, current) = busy(shop, &TokenAsk { force, ..b.ask() });
        assert_eq!((owner.as_str(), current), ("a", None));
        assert!(left <= HOUR && left > HOUR - Duration::from_secs(60), "{left:?}");
    }
    let (owner, _, current) = busy(shop, &TokenAsk { refused: Some("old"), held: 0, ..b.ask() });
    assert_eq!((owner.as_str(), current), ("a", None));
}

fn a_stored_token_serves_until_it_is_due(shop: &Shop) {
    let fence = stored(shop, "token", HOUR);
    let caller = Caller::new("b");
    let token = token(shop, &caller.ask());
    assert_eq!((token.token.reveal(), token.fence), ("token", fence));
    let minute = Duration::from_secs(60);
    assert!(token.age < minute, "{token:?}");
    assert!(token.renew_in <= HOUR && token.renew_in > HOUR - minute, "{token:?}");
    assert!(token.ends_in <= 2 * HOUR && token.ends_in > 2 * HOUR - minute, "{token:?}");
}

fn a_token_that_is_due_serves_while_one_renews(shop: &Shop) {
    let first = stored(shop, "token", NONE);
    let (a, b) = (Caller::new("a"), Caller::new("b"));
    let second = fetch(shop, &a.ask());
    assert!(second > first);
    let (_, _, current) = busy(shop, &b.ask());
    let current = current.unwrap();
    assert_eq!((current.token.reveal(), current.fence, current.renew_in), ("token", first, NONE));
    assert!(current.ends_in > HOUR);
    let (_, _, current) = busy(shop, &TokenAsk { force: true, ..b.ask() });
    assert_eq!(current.unwrap().fence, first);
    let (_, _, current) = busy(shop, &TokenAsk { refused: Some("token"), held: first, ..b.ask() });
    assert_eq!(current, None, "the refused one serves nobody");
    assert!(put(shop, second, "next", HOUR, 2 * HOUR));
    assert_eq!(token(shop, &b.ask()).token.reveal(), "next");
}

fn a_token_that_has_ended_is_none(shop: &Shop) {
    let caller = Caller::new("a");
    let fence = fetch(shop, &caller.ask());
    assert!(put(shop, fence, "token", SHORT, SHORT));
    shop.wait();
    let next = fetch(shop, &TokenAsk { fresh: HOUR, ..caller.ask() });
    assert!(next > fence);
    let (_, _, current) = busy(shop, &Caller::new("b").ask());
    assert_eq!(current, None);
    let other = Caller::new("b");
    for ask in [
        TokenAsk { refused: Some("another"), ..other.ask() },
        TokenAsk { refused: Some("token"), fresh: HOUR, held: fence, ..other.ask() },
        TokenAsk { force: true, fresh: HOUR, ..other.ask() },
    ] {
        assert_eq!(busy(shop, &ask).2, None);
    }
    refuse(shop, ACCOUNT, next, HOUR);
    refused(shop, &other.ask());
}

fn a_refused_token_that_is_no_longer_stored_needs_no_fetch(shop: &Shop) {
    let fence = stored(shop, "new", HOUR);
    let caller = Caller::new("b");
    for (held, force) in [(0, false), (fence, false), (fence + 7, true)] {
        let ask = TokenAsk { refused: Some("old"), held, force, ..caller.ask() };
        assert_eq!(token(shop, &ask).token.reveal(), "new");
    }
    // Due or not: it has not failed.
    stored(shop, "due", NONE);
    assert_eq!(token(shop, &TokenAsk { refused: Some("old"), held: fence, ..caller.ask() }).token.reveal(), "due");
}

fn a_refused_token_with_a_newer_fence_needs_no_fetch(shop: &Shop) {
    let fence = stored(shop, "same", HOUR);
    let caller = Caller::new("b");
    // WeChat answers a stable token twice; it was fetched since the caller's failed.
    let ask = TokenAsk { refused: Some("same"), held: fence - 1, ..caller.ask() };
    assert_eq!(token(shop, &ask).fence, fence);
    fetch(shop, &TokenAsk { refused: Some("same"), held: fence, ..caller.ask() });
}

fn a_refused_token_that_was_just_issued_again_is_not_fetched_again(shop: &Shop) {
    let first = stored(shop, "token", HOUR);
    let caller = Caller::new("b");
    let ask = TokenAsk { refused: Some("token"), fresh: HOUR, ..caller.ask() };
    // Young, but WeChat may have issued another one since to somebody else.
    let second = fetch(shop, &TokenAsk { held: first, ..ask.clone() });
    assert!(put(shop, second, "token", HOUR, 2 * HOUR));
    for force in [false, true] {
        let ask = TokenAsk { held: second, force, ..ask.clone() };
        assert_eq!(turn(shop, &ask), TokenTurn::JustFetched);
    }
    assert_eq!(token(shop, &TokenAsk { held: first, ..ask.clone() }).fence, second, "who has not tried that one may");
    shop.wait();
    let third = fetch(shop, &TokenAsk { held: second, fresh: SHORT, ..ask.clone() });
    assert!(put(shop, third, "another", HOUR, 2 * HOUR));
    assert!(put(shop, third, "another", HOUR, 2 * HOUR), "the same call, because its answer was lost");
    let ask = TokenAsk { refused: Some("another"), held: third, ..ask };
    assert!(fetch(shop, &ask) > third, "another one was issued once");
}

fn a_refused_token_that_is_older_is_fetched_anew(shop: &Shop) {
    let fence = stored(shop, "token", HOUR);
    shop.wait();
    let (a, b) = (Caller::new("a"), Caller::new("b"));
    let ask = TokenAsk { refused: Some("token"), held: fence, fresh: SHORT, ..a.ask() };
    assert!(fetch(shop, &ask) > fence);
    let (owner, _, current) = busy(shop, &TokenAsk { owner: &b.owner, ..ask });
    assert_eq!((owner.as_str(), current), ("a", None));
    assert_eq!(token(shop, &b.ask()).token.reveal(), "token", "who has not seen it fail may try it");
}

fn force_fetches_what_is_not_fresh(shop: &Shop) {
    let fence = stored(shop, "token", HOUR);
    let caller = Caller::new("b");
    let ask = TokenAsk { force: true, fresh: HOUR, ..caller.ask() };
    assert_eq!(token(shop, &ask).fence, fence);
    shop.wait();
    assert!(fetch(shop, &TokenAsk { fresh: SHORT, ..ask }) > fence);
}

fn a_refusal_stands_for_all_who_ask(shop: &Shop) {
    let (a, b) = (Caller::new("a"), Caller::new("b"));
    let fence = fetch(shop, &a.ask());
    let refusal = refuse(shop, ACCOUNT, fence, HOUR);
    for ask in [
        a.ask(),
        b.ask(),
        TokenAsk { force: true, ..b.ask() },
        TokenAsk { refused: Some("old"), ..b.ask() },
        TokenAsk { account_here: "another host", ..b.ask() },
    ] {
        let shown = refused(shop, &ask);
        assert_eq!((shown.errcode, &shown.errmsg), (refusal.errcode, &refusal.errmsg));
        assert!(shown.stands <= HOUR && shown.stands > HOUR - Duration::from_secs(60), "{shown:?}");
    }
}

fn a_refusal_of_this_host_stands_on_this_host(shop: &Shop) {
    let (a, b) = (Caller::new("a"), Caller::new("b"));
    let fence = fetch(shop, &a.ask());
    refuse(shop, HERE, fence, HOUR);
    refused(shop, &b.ask());
    let elsewhere = TokenAsk { account_here: "account there", ..b.ask() };
    let next = fetch(shop, &elsewhere);
    assert!(next > fence, "the lease of the refused one has ended");
    refused(shop, &a.ask());
    assert!(put(shop, next, "token", HOUR, 2 * HOUR));
    assert_eq!(token(shop, &a.ask()).token.reveal(), "token");
}

fn a_refusal_does_not_end_a_living_token(shop: &Shop) {
    let first = stored(shop, "token", NONE);
    let (a, b) = (Caller::new("a"), Caller::new("b"));
    let fence = fetch(shop, &a.ask());
    refuse(shop, ACCOUNT, fence, HOUR);
    assert_eq!(token(shop, &b.ask()).fence, first, "due, and not renewed meanwhile");
    refused(shop, &TokenAsk { force: true, ..b.ask() });
    refused(shop, &TokenAsk { refused: Some("token"), held: first, ..b.ask() });
    assert_eq!(token(shop, &TokenAsk { refused: Some("old"), held: 0, ..b.ask() }).fence, first);
    assert_eq!(token(shop, &TokenAsk { force: true, fresh: HOUR, ..b.ask() }).fence, first, "rule 2 comes first");
}

fn a_refusal_ends_in_time_and_with_a_token(shop: &Shop) {
    let (a, b) = (Caller::new("a"), Caller::new("b"));
    let first = fetch(shop, &a.ask());
    let slow = fetch(shop, &TokenAsk { ended: Some("a"), ..b.ask() });
    refuse(shop, ACCOUNT, first, Duration::from_millis(400));
    std::thread::sleep(Duration::from_millis(500));
    let (owner, ..) = busy(shop, &a.ask());
    assert_eq!(owner, "b", "a refusal ends the lease of its own fence only");
    refuse(shop, ACCOUNT, slow, HOUR);
    refused(shop, &a.ask());
    assert!(put(shop, slow, "token", NONE, 2 * HOUR));
    assert!(fetch(shop, &a.ask()) > slow, "a token that was issued is the end of the refusal");
}

fn any_token_is_read_back(shop: &Shop) {
    let caller = Caller::new("a:{}'\"\\ 🎉");
    for text in ["a", "88_x-Y:{}'\"\\%|", "🎉", &"t".repeat(2048), "0"] {
        let fence = fetch(shop, &TokenAsk { force: true, ..caller.ask() });
        assert_eq!(busy(shop, &TokenAsk { force: true, ..Caller::new("b").ask() }).0, caller.owner.as_str());
        assert!(put(shop, fence, text, HOUR, 2 * HOUR));
        assert_eq!(token(shop, &caller.ask()).token.reveal(), text);
    }
}
