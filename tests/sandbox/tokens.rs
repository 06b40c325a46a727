//! Both token endpoints.

use super::*;

#[test]
fn a_classic_fetch_replaces_the_token_and_the_old_one_ends_after_the_overlap() {
    let bench = Bench::new();
    let first = bench.classic();
    let second = bench.classic();
    assert_ne!(first, second);
    assert_eq!(bench.send_errcode(&first, &message()), 0);
    bench.sandbox.advance_clock(Duration::from_secs(301));
    let refused = bench.send(&first, &message());
    assert_eq!(errcode(&refused), 40001);
    assert!(errmsg(&refused).starts_with("invalid credential, access_token is invalid or not latest"), "{refused}");
    assert_eq!(bench.send_errcode(&second, &message()), 0);
    bench.sandbox.advance_clock(Duration::from_secs(7200));
    assert_eq!(bench.send_errcode(&second, &message()), 42001);
}

#[test]
fn an_overlap_of_zero_ends_the_old_token_at_once() {
    let bench = Bench::new();
    bench.sandbox.account(DEMO_APPID, AccountChange { token_overlap: Some(0), ..AccountChange::default() });
    let first = bench.classic();
    bench.classic();
    assert_eq!(bench.send_errcode(&first, &message()), 40001);
}

#[test]
fn the_stable_token_is_shared_and_isolated_from_the_classic_one() {
    let bench = Bench::new();
    let stable = bench.stable();
    bench.sandbox.advance_clock(Duration::from_secs(100));
    let again = bench.stable_of(DEMO_APPID, DEMO_SECRET);
    assert_eq!(again["access_token"], stable.as_str());
    assert!((7095..=7100).contains(&again["expires_in"].as_u64().unwrap()), "{again}");
    bench.classic();
    bench.classic();
    assert_eq!(bench.send_errcode(&stable, &message()), 0);
    let counters = bench.sandbox.counters().tokens[DEMO_APPID];
    assert_eq!((counters.stable_fetches, counters.stable_issued), (2, 1));
    assert_eq!((counters.classic_fetches, counters.classic_issued), (2, 2));
}

#[test]
fn both_stable_tokens_are_good_in_the_last_five_minutes() {
    let bench = Bench::new();
    let old = bench.stable();
    bench.sandbox.advance_clock(Duration::from_secs(6950));
    let new = bench.stable();
    assert_ne!(old, new);
    assert_eq!((bench.send_errcode(&old, &message()), bench.send_errcode(&new, &message())), (0, 0));
}

#[test]
fn tokens_are_ended_on_demand_in_both_ways() {
    let bench = Bench::new();
    for (how, code) in [(TokenEnd::Expired, 42001), (TokenEnd::Revoked, 40001)] {
        let token = bench.stable();
        bench.sandbox.expire_tokens(DEMO_APPID, TokenKinds::Stable, how);
        assert_eq!(bench.send_errcode(&token, &message()), code);
        assert_ne!(bench.stable(), token);
    }
}

#[test]
fn token_calls_name_what_is_wrong_with_them() {
    let bench = Bench::new();
    let classic = |query: &str| errcode(&bench.get(&format!("/cgi-bin/token?{query}")));
    assert_eq!(classic("appid=a&secret=b"), 40002);
    assert_eq!(classic("grant_type=client_credential&secret=b"), 41002);
    assert_eq!(classic("grant_type=client_credential&appid=wx0&secret=b"), 40013);
    assert_eq!(classic(&format!("grant_type=client_credential&appid={DEMO_APPID}")), 41004);
    assert_eq!(classic(&format!("grant_type=client_credential&appid={DEMO_APPID}&secret=b")), 40125);
    assert_eq!(errcode(&bench.get("/cgi-bin/stable_token")), 43002);
    assert_eq!(errcode(&bench.stable_of(DEMO_APPID, "wrong")), 40125);
    bench.sandbox.account(DEMO_APPID, AccountChange { ip_refused: Some(true), ..AccountChange::default() });
    let refused = bench.stable_of(DEMO_APPID, DEMO_SECRET);
    assert_eq!(errcode(&refused), 40164);
    assert!(errmsg(&refused).starts_with("invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist rid: "));
    bench.sandbox.account(DEMO_APPID, AccountChange { secret_frozen: Some(true), ..AccountChange::default() });
    assert_eq!(errcode(&bench.stable_of(DEMO_APPID, DEMO_SECRET)), 40243);
}
