//! `deliveries`: which rows, in which order.

use routine_template::message::Channel;
use routine_template::store::*;

use crate::shop::{Message, SHORT, Shop, TEMPLATE, Verdict, now};

on_every_engine!(
    newest_first,
    each_condition_holds,
    conditions_hold_together,
    pages_go_on_before_the_last_id,
    since_is_when_a_row_was_made,
    the_state_is_the_one_that_reads_now,
    an_unknown_id_is_no_row,
);

const ALL: Filter<'static> =
    Filter { openid: None, template_id: None, key: None, state: None, before: None, since: None, limit: 1000 };

fn ids(shop: &Shop, filter: &Filter<'_>) -> Vec<MessageId> {
    shop.deliveries(filter).iter().map(|row| row.id).collect()
}

/// Sends that many, and says their ids, newest first.
fn sent(shop: &Shop, count: usize) -> Vec<MessageId> {
    let mut ids: Vec<_> = (0..count).map(|_| shop.send(&Message::to("user"), &Verdict::delivered()).id).collect();
    ids.reverse();
    ids
}

fn newest_first(shop: &Shop) {
    // Made in one order and opened in another: ids decide.
    let mut messages: Vec<_> = (0..9).map(|_| Message::to("user")).collect();
    let mut expected: Vec<_> = messages.iter().map(|message| message.id).collect();
    expected.reverse();
    messages.rotate_left(4);
    for message in &messages {
        shop.send(message, &Verdict::delivered());
    }
    assert_eq!(ids(shop, &ALL), expected);
    assert_eq!(ids(shop, &Filter { openid: Some("user"), ..ALL }), expected);
    // Opened again, a row stays where it was.
    let keyed = Message::keyed("user", "order 1");
    shop.send(&keyed, &Verdict::not_sent());
    let newest = shop.send(&Message::to("user"), &Verdict::delivered()).id;
    shop.send(&keyed.again(), &Verdict::delivered());
    assert_eq!(ids(shop, &ALL)[..2], [newest, keyed.id]);
}

fn each_condition_holds(shop: &Shop) {
    let plain = shop.send(&Message::to("user"), &Verdict::delivered()).id;
    let other_user = shop.send(&Message::to("another"), &Verdict::delivered()).id;
    let other_template = Message { template: "another".to_owned(), ..Message::to("user") };
    let other_template = shop.send(&other_template, &Verdict::delivered()).id;
    let keyed = shop.send(&Message::keyed("user", "order 1"), &Verdict::refused()).id;
    let channel = Message { channel: Channel::Template, ..Message::to("user") };
    let channel = shop.send(&channel, &Verdict::not_sent()).id;
    for (filter, expected) in [
        (ALL, vec![channel, keyed, other_template, other_user, plain]),
        (Filter { openid: Some("user"), ..ALL }, vec![channel, keyed, other_template, plain]),
        (Filter { openid: Some("nobody"), ..ALL }, vec![]),
        (Filter { template_id: Some("another"), ..ALL }, vec![other_template]),
        (Filter { template_id: Some(TEMPLATE), ..ALL }, vec![channel, keyed, other_user, plain]),
        (Filter { key: Some("order 1"), ..ALL }, vec![keyed]),
        (Filter { key: Some("order"), ..ALL }, vec![]),
        (Filter { key: Some(""), ..ALL }, vec![]),
        (Filter { state: Some(State::Delivered), ..ALL }, vec![other_template, other_user, plain]),
        (Filter { state: Some(State::Refused), ..ALL }, vec![keyed]),
        (Filter { state: Some(State::NotSent), ..ALL }, vec![channel]),
        (Filter { state: Some(State::Sending), ..ALL }, vec![]),
    ] {
        assert_eq!(ids(shop, &filter), expected, "{filter:?}");
    }
}

fn conditions_hold_together(shop: &Shop) {
    let old = shop.send(&Message::keyed("user", "order 1"), &Verdict::delivered()).id;
    let new = shop.send(&Message::keyed("user", "order 2"), &Verdict::delivered()).id;
    shop.send(&Message::to("another"), &Verdict::delivered());
    let filter = Filter {
        openid: Some("user"),
        template_id: Some(TEMPLATE),
        state: Some(State::Delivered),
        since: Some(now() - 60_000),
        ..ALL
    };
    assert_eq!(ids(shop, &filter), [new, old]);
    assert_eq!(ids(shop, &Filter { before: Some(new), ..filter.clone() }), [old]);
    assert_eq!(ids(shop, &Filter { key: Some("order 2"), ..filter.clone() }), [new]);
    assert_eq!(ids(shop, &Filter { key: Some("order 2"), openid: Some("another"), ..filter.clone() }), []);
    assert_eq!(ids(shop, &Filter { key: Some("order 2"), before: Some(new), ..filter.clone() }), []);
    assert_eq!(ids(shop, &Filter { key: Some("order 1"), state: Some(State::Refused), ..filter }), []);
}

fn pages_go_on_before_the_last_id(shop: &Shop) {
    let expected = sent(shop, 23);
    for limit in [1, 5, 22, 23, 24, 1000] {
        for openid in [None, Some("user")] {
            let (mut seen, mut before) = (Vec::new(), None);
            while seen.len() < 100 {
                let page = ids(shop, &Filter { limit, before, openid, ..ALL });
                assert!(page.len() <= limit);
                let Some(last) = page.last() else { break };
                before = Some(*last);
                seen.extend(page);
            }
            assert_eq!(seen, expected, "by {limit}");
        }
    }
    // A page is full although rows that do not fit stand between.
    for place in 0..5 {
        shop.send(&Message::keyed("user", &place.to_string()), &Verdict::not_sent());
    }
    assert_eq!(ids(shop, &Filter { limit: 3, state: Some(State::Delivered), ..ALL }), expected[..3]);
}

fn since_is_when_a_row_was_made(shop: &Shop) {
    let old = sent(shop, 2);
    std::thread::sleep(SHORT);
    let between = now();
    std::thread::sleep(SHORT);
    let new = sent(shop, 2);
    assert_eq!(ids(shop, &Filter { since: Some(between), ..ALL }), new);
    assert_eq!(ids(shop, &Filter { since: Some(between), openid: Some("user"), ..ALL }), new);
    for since in [0, -1, Millis::MIN, 1, between - 60_000] {
        assert_eq!(ids(shop, &Filter { since: Some(since), ..ALL }), [&new[..], &old[..]].concat(), "{since}");
    }
    for since in [between + 60_000, (1 << 48) - 1, Millis::MAX] {
        assert_eq!(ids(shop, &Filter { since: Some(since), ..ALL }), [], "{since}");
    }
}

fn the_state_is_the_one_that_reads_now(shop: &Shop) {
    let quick = Message::to("user").with_lease(SHORT);
    shop.go(&quick);
    let slow = Message::to("user");
    shop.go(&slow);
    shop.wait();
    let unknown = shop.send(&Message::to("user"), &Verdict::unknown()).id;
    for openid in [None, Some("user")] {
        assert_eq!(ids(shop, &Filter { state: Some(State::Unknown), openid, ..ALL }), [unknown, quick.id]);
        assert_eq!(ids(shop, &Filter { state: Some(State::Sending), openid, ..ALL }), [slow.id]);
    }
    let states: Vec<_> = shop.deliveries(&ALL).iter().map(|row| row.state).collect();
    assert_eq!(states, [State::Unknown, State::Sending, State::Unknown]);
}

fn an_unknown_id_is_no_row(shop: &Shop) {
    sent(shop, 1);
    assert_eq!(shop.delivery(MessageId::new()), None);
}
