//! `audience`: who can still be reached.

use std::collections::HashSet;

use routine_template::store::*;

use crate::shop::{APP, Message, SHORT, Shop, TEMPLATE, Verdict, soon};

on_every_engine!(
    it_has_exactly_the_users_who_can_be_reached,
    it_is_in_the_order_of_openids,
    pages_have_neither_gap_nor_repeat,
    pages_hold_while_users_come_and_go,
    other_templates_do_not_appear,
    ten_thousand_fit_on_a_page,
    nobody_is_an_empty_page,
);

fn users(shop: &Shop) -> Vec<(String, u64)> {
    shop.audience(APP, TEMPLATE, 100)
}

fn has(shop: &Shop, user: &str) -> Option<u64> {
    users(shop).into_iter().find(|(of, _)| of == user).map(|(_, count)| count)
}

fn it_has_exactly_the_users_who_can_be_reached(shop: &Shop) {
    shop.report("never", &[(TEMPLATE, Choice::Reject)], false);
    assert_eq!(users(shop), []);
    shop.accept("user");
    shop.accept("user");
    assert_eq!(has(shop, "user"), Some(2));
    let message = Message::to("user");
    let going = shop.go(&message);
    assert_eq!(has(shop, "user"), Some(1));
    shop.go(&Message::to("user").with_lease(SHORT));
    assert_eq!(has(shop, "user"), None, "both are taken");
    shop.finish(&message, going, &Verdict::not_sent());
    assert_eq!(has(shop, "user"), Some(1));
    shop.report("user", &[(TEMPLATE, Choice::Reject)], false);
    assert_eq!(has(shop, "user"), Some(1), "earlier accepts stay");
    shop.wait();
    shop.send(&Message::to("user"), &Verdict::no_grant());
    assert_eq!(has(shop, "user"), None);
    shop.accept("user");
    assert_eq!(has(shop, "user"), Some(1));
    shop.send(&Message::to("user"), &Verdict::delivered());
    assert_eq!(has(shop, "user"), None);
    shop.send(&Message::to("user"), &Verdict::delivered());
    assert_eq!(has(shop, "user"), None, "on credit");
    shop.report("long", &[(TEMPLATE, Choice::Accept)], true);
    assert_eq!(has(shop, "long"), Some(1), "who has no count counts as one");
    shop.send(&Message::to("long"), &Verdict::delivered());
    assert_eq!(has(shop, "long"), Some(1));
    for _ in 0..3 {
        shop.accept("long");
    }
    assert_eq!(has(shop, "long"), Some(3));
    assert_eq!(users(shop).len(), 1);
}

fn it_is_in_the_order_of_openids(shop: &Shop) {
    let mut openids = ["b", "a", "B", "aa", "a\u{301}", "Ａ", "商", "🎉", "_", "-", "0", "10", "9", ":", "a:", " "];
    for openid in openids {
        shop.accept(openid);
    }
    openids.sort_unstable();
    for limit in [1, 3, 16, 1000] {
        let users: Vec<_> = shop.audience(APP, TEMPLATE, limit).into_iter().map(|(openid, _)| openid).collect();
        assert_eq!(users, openids, "by {limit}");
    }
}

fn openids(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("oABCD{number:05}")).collect()
}

fn pages_have_neither_gap_nor_repeat(shop: &Shop) {
    let openids = openids(60);
    for openid in &openids {
        shop.accept(openid);
    }
    for limit in [1, 7, 59, 60, 61, 10_000] {
        let users: Vec<_> = shop.audience(APP, TEMPLATE, limit).into_iter().map(|(openid, _)| openid).collect();
        assert_eq!(users, openids, "by {limit}");
    }
}

fn pages_hold_while_users_come_and_go(shop: &Shop) {
    let openids = openids(60);
    for openid in &openids {
        shop.accept(openid);
    }
    let (mut seen, mut cursor, mut step) = (Vec::new(), None::<String>, 0);
    loop {
        let page = shop.store().audience(APP, TEMPLATE, cursor.as_deref(), 5, soon()).unwrap();
        seen.extend(page.users.into_iter().map(|(openid, _)| openid));
        let Some(next) = page.cursor else { break };
        cursor = Some(next);
        // The user at the cursor, one before and one behind it leave; others come before and behind.
        let at = seen.len();
        for gone in [at - 1, at - 3, at + 3].into_iter().filter_map(|place| openids.get(place)) {
            shop.send(&Message::to(gone), &Verdict::no_grant());
        }
        shop.accept(&format!("oABCC{step}"));
        shop.accept(&format!("oABCE{step}"));
        step += 1;
        assert!(step < 100, "the audience has no end");
    }
    let distinct: HashSet<_> = seen.iter().collect();
    assert_eq!(distinct.len(), seen.len(), "a user appears twice");
    assert!(seen.is_sorted());
    assert!(seen.iter().all(|openid| !openid.starts_with("oABCC")), "behind the cursor only");
    let now: Vec<_> = shop.audience(APP, TEMPLATE, 10_000).into_iter().map(|(openid, _)| openid).collect();
    for openid in now.iter().filter(|openid| openids.contains(openid)) {
        assert!(distinct.contains(openid), "{openid} could be reached all the time");
    }
}

fn other_templates_do_not_appear(shop: &Shop) {
    for (openid, template) in [("a", TEMPLATE), ("b", "another"), ("c", "Q7kHqqmHgF"), ("d", "q7khqqmhgf")] {
        shop.report(openid, &[(template, Choice::Accept)], false);
    }
    assert_eq!(users(shop), [("a".to_owned(), 1)]);
    assert_eq!(shop.audience(APP, "another", 10), [("b".to_owned(), 1)]);
}

fn ten_thousand_fit_on_a_page(shop: &Shop) {
    let openids = openids(10_001);
    for openid in &openids {
        shop.accept(openid);
    }
    let page = shop.store().audience(APP, TEMPLATE, None, 10_000, soon()).unwrap();
    assert_eq!(page.users.len(), 10_000);
    let rest = shop.store().audience(APP, TEMPLATE, page.cursor.as_deref(), 10_000, soon()).unwrap();
    assert_eq!(rest.users, [("oABCD10000".to_owned(), 1)]);
    assert_eq!(rest.cursor, None);
}

fn nobody_is_an_empty_page(shop: &Shop) {
    shop.accept("a");
    for (template, cursor) in [("none", None), (TEMPLATE, Some("a")), (TEMPLATE, Some("z"))] {
        let page = shop.store().audience(APP, template, cursor, 10, soon()).unwrap();
        assert_eq!(page, Page::default(), "{template} {cursor:?}");
    }
}
