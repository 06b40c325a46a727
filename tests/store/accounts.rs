//! Two accounts of one shop have the same users, templates and keys by name, and nothing in common.

use routine_template::store::*;

use crate::shop::{API, APP, DAY, HOUR, Message, Shop, TEMPLATE, Verdict, books, counts, now, soon};

on_every_engine!(
    messages_do_not_mix,
    the_ledger_does_not_mix,
    reports_do_not_mix,
    quota_does_not_mix,
    tokens_do_not_mix,
    appids_that_begin_alike_do_not_mix,
);

const OTHER: &str = "wxfedcba9876543210";

fn of(appid: &str) -> Message {
    Message { appid: appid.to_owned(), ..Message::keyed("user", "order 1") }
}

fn report(shop: &Shop, appid: &str, token: &str) -> Recorded {
    let choices = [(TEMPLATE, Choice::Accept)];
    let report = GrantReport {
        appid,
        openid: "user",
        choices: &choices,
        long_term: false,
        source: Source::Client,
        at: None,
        token,
        remember: HOUR,
    };
    shop.store().record_grants(&report, soon()).unwrap()
}

fn messages_do_not_mix(shop: &Shop) {
    let (ours, theirs) = (of(APP), of(OTHER));
    shop.send(&ours, &Verdict::delivered());
    let going = shop.go(&theirs);
    assert_eq!((going.id, going.epoch), (theirs.id, 1), "the key is theirs, too");
    assert_eq!(shop.known(&ours.again()).id, ours.id);
    assert_eq!(shop.under_way(&theirs.again()).0.id, theirs.id);
    for (appid, message, other) in [(APP, &ours, &theirs), (OTHER, &theirs, &ours)] {
        let delivery = |id| shop.store().delivery(appid, id, soon()).unwrap().map(|row| row.id);
        assert_eq!((delivery(message.id), delivery(other.id)), (Some(message.id), None));
        for filter in [
            Filter { limit: 10, ..Filter::default() },
            Filter { openid: Some("user"), limit: 10, ..Filter::default() },
            Filter { key: Some("order 1"), limit: 10, ..Filter::default() },
            Filter { template_id: Some(TEMPLATE), limit: 10, ..Filter::default() },
        ] {
            let rows = shop.store().deliveries(appid, &filter, soon()).unwrap();
            assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [message.id], "{filter:?}");
        }
    }
    // What is abandoned in one account is not in the other.
    let heir = Message { abandoned: Some((ours.id, 1)), ..theirs.again() };
    shop.under_way(&heir);
}

fn the_ledger_does_not_mix(shop: &Shop) {
    report(shop, APP, "token");
    assert_eq!(shop.row_of(OTHER, "user", TEMPLATE), LedgerRow::default());
    assert_eq!(shop.store().grants(OTHER, "user", None, soon()).unwrap(), []);
    assert_eq!(shop.audience(OTHER, TEMPLATE, 10), []);
    assert_eq!(shop.go(&of(OTHER)).grant, Grant::Uncounted, "nobody has reported there");
    report(shop, OTHER, "token");
    let message = Message { key: None, ..of(OTHER) };
    shop.send(&message, &Verdict::no_grant());
    assert_eq!(counts(&shop.row_of(OTHER, "user", TEMPLATE)), books(1, 0, 0, 0, 1));
    let ours = shop.row("user");
    assert_eq!((counts(&ours), ours.refused), (books(1, 1, 0, 0, 0), false));
    assert_eq!(shop.audience(APP, TEMPLATE, 10), [("user".to_owned(), 1)]);
    assert_eq!(shop.audience(OTHER, TEMPLATE, 10), []);
}

fn reports_do_not_mix(shop: &Shop) {
    for duplicate in [false, true] {
        assert_eq!([APP, OTHER].map(|appid| report(shop, appid, "token").duplicate), [duplicate; 2]);
    }
}

fn quota_does_not_mix(shop: &Shop) {
    let until = now() + 3_600_000;
    shop.send(&of(APP), &Verdict::paused(until));
    let usage = |appid| shop.store().usage(appid, API, DAY, soon()).unwrap();
    assert_eq!(usage(OTHER), Usage::default());
    shop.send(&of(OTHER), &Verdict::delivered());
    shop.store().clear_quota(OTHER, None, DAY, soon()).unwrap();
    assert_eq!(usage(APP), Usage { calls: 1, pause: Some(Pause { errcode: 45009, until }) });
    assert_eq!(usage(OTHER), Usage::default());
}

fn tokens_do_not_mix(shop: &Shop) {
    let owner = Owner::current();
    let ask = |account| {
        let ask = TokenAsk {
            account,
            account_here: "here",
            owner: &owner,
            held: 0,
            refused: None,
            force: false,
            lease: HOUR,
            fresh: HOUR,
            ended: None,
        };
        shop.store().token(&ask, soon()).unwrap()
    };
    let TokenTurn::Fetch { fence, .. } = ask("a") else { panic!("a fetches") };
    assert!(matches!(ask("b"), TokenTurn::Fetch { .. }), "b is another account");
    assert!(shop.store().put_token("a", fence, "token of a", HOUR, HOUR, soon()).unwrap());
    assert!(matches!(ask("a"), TokenTurn::Token(token) if token.token.reveal() == "token of a"));
    assert!(matches!(ask("b"), TokenTurn::Busy { current: None, .. }));
    assert!(matches!(ask("{a}"), TokenTurn::Fetch { .. }));
}

fn appids_that_begin_alike_do_not_mix(shop: &Shop) {
    let appids = ["wx1", "wx11", "wx1_", "wx1-", "WX1", "wx"];
    for appid in appids {
        shop.go(&of(appid));
        report(shop, appid, appid);
    }
    for appid in appids {
        assert_eq!(shop.audience(appid, TEMPLATE, 10), [("user".to_owned(), 1)]);
        let rows = shop.store().deliveries(appid, &Filter { limit: 10, ..Filter::default() }, soon()).unwrap();
        assert_eq!(rows.len(), 1, "{appid}");
    }
}
