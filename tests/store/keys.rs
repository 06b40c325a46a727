//! Idempotency keys: one message per key, whoever sends it and how often.

use std::time::Duration;

use routine_template::config::GrantPolicy;
use routine_template::message::Channel;
use routine_template::store::*;

use crate::shop::{API, Message, SHORT, Shop, Verdict, books, counts};

on_every_engine!(
    a_message_that_has_its_verdict_is_known,
    a_message_that_is_being_sent_is_under_way,
    what_was_not_the_last_word_is_opened_again,
    a_message_that_is_opened_again_is_as_the_later_call_says,
    opening_again_can_be_repeated,
    a_lease_that_is_over_makes_it_unknown_for_ever,
    abandoned_ends_the_lease,
    abandoned_concerns_one_epoch_of_one_message,
    an_unknown_outcome_that_may_be_sent_again_keeps_its_reservation,
    keys_and_rows_expire,
    a_row_is_kept_from_when_it_was_last_written,
    a_key_is_one_message_whatever_else_differs,
    a_refusal_before_begin_leaves_its_row,
    a_refusal_before_begin_takes_the_row_that_its_key_has,
    a_refusal_before_begin_changes_no_message_that_is_under_way_or_has_its_verdict,
);

fn a_message_that_has_its_verdict_is_known(shop: &Shop) {
    for verdict in [Verdict::delivered(), Verdict::refused(), Verdict::no_grant(), Verdict::unknown()] {
        let user = format!("user {:?}", verdict.errcode);
        shop.accept(&user);
        let message = Message::keyed(&user, &format!("order {:?}", verdict.errcode));
        shop.send(&message, &verdict);
        let (row, ledger) = (shop.row_with(message.id), shop.row(&user));
        for _ in 0..2 {
            let again = message.again();
            assert_eq!(shop.known(&again), row);
            assert_eq!(shop.delivery(again.id), None, "there is one row");
        }
        assert_eq!((row.id, row.state), (message.id, verdict.state));
        assert_eq!(shop.row(&user), ledger);
    }
}

fn a_message_that_is_being_sent_is_under_way(shop: &Shop) {
    shop.accept("user");
    let owner = Owner::named("boot/ns/12/34");
    let message = Message { owner: owner.clone(), ..Message::keyed("user", "order 1") };
    let going = shop.go(&message);
    let later = Message { owner: Owner::current(), ..message.again() };
    let (row, of) = shop.under_way(&later);
    assert_eq!((row.id, row.epoch, row.state), (message.id, 1, State::Sending));
    assert_eq!(of, owner.as_str());
    assert_eq!(row, shop.row_with(message.id));
    assert_eq!(counts(&shop.row("user")), books(1, 0, 1, 0, 0));
    shop.finish(&message, going, &Verdict::delivered());
    assert_eq!(shop.known(&later).state, State::Delivered);
}

fn what_was_not_the_last_word_is_opened_again(shop: &Shop) {
    let message = Message::keyed("user", "order 1");
    shop.send(&message, &Verdict::not_sent());
    for epoch in 2..5 {
        let again = message.again();
        let going = shop.go(&again);
        assert_eq!((going.id, going.epoch), (message.id, epoch));
        assert_eq!(shop.delivery(again.id), None, "the row keeps its own id");
        shop.finish(&again, going, &Verdict::not_sent());
        assert_eq!(shop.row_with(message.id).state, State::NotSent);
    }
    let last = message.again();
    shop.send(&last, &Verdict::delivered());
    assert_eq!(shop.known(&message.again()).id, message.id);
}

fn a_message_that_is_opened_again_is_as_the_later_call_says(shop: &Shop) {
    shop.accept("user two");
    let first = Message {
        changed: Some("[1]".to_owned()),
        payload: Some("{}".to_owned()),
        owner: Owner::named("boot/ns/1/1"),
        ..Message::keyed("user", "order 1")
    };
    shop.send(&first, &Verdict { rid: Some("rid".to_owned()), ..Verdict::not_sent() });
    let second = Message {
        template: "another".to_owned(),
        channel: Channel::Bizsend,
        owner: Owner::named("boot/ns/2/2"),
        policy: GrantPolicy::Off,
        ..Message::keyed("user two", "order 1")
    };
    let going = shop.go(&second);
    let row = shop.row_with(first.id);
    let expected = Delivery {
        id: first.id,
        epoch: 2,
        openid: "user two".to_owned(),
        template_id: "another".to_owned(),
        channel: Channel::Bizsend,
        key: Some("order 1".to_owned()),
        state: State::Sending,
        errcode: None,
        errmsg: String::new(),
        from_wechat: false,
        msgid: None,
        rid: None,
        attempts: 1,
        changed: None,
        payload: None,
        begun: row.begun,
        finished: None,
        due: None,
        receipt: None,
    };
    assert_eq!(row, expected);
    assert_eq!(shop.under_way(&first.again()).1, "boot/ns/2/2");
    shop.finish(&second, going, &Verdict::delivered());
    for (openid, rows) in [("user", 0), ("user two", 1)] {
        let filter = Filter { openid: Some(openid), limit: 10, ..Filter::default() };
        assert_eq!(shop.deliveries(&filter).len(), rows, "{openid}");
    }
}

fn opening_again_can_be_repeated(shop: &Shop) {
    shop.accept("user");
    shop.accept("user");
    let message = Message::keyed("user", "order 1");
    shop.send(&message, &Verdict::not_sent());
    let again = message.again();
    let first = shop.begin(&again);
    let ledger = shop.row("user");
    assert!(matches!(first, Begun::Go { epoch: 2, .. }), "{first:?}");
    for _ in 0..3 {
        assert_eq!(shop.begin(&again), first, "the answer was lost, and the call is made again");
    }
    assert_eq!(shop.row("user"), ledger);
    shop.under_way(&message.again());
}

fn a_lease_that_is_over_makes_it_unknown_for_ever(shop: &Shop) {
    shop.accept("user");
    let message = Message::keyed("user", "order 1").with_lease(SHORT);
    shop.go(&message);
    shop.wait();
    for _ in 0..2 {
        let known = shop.known(&message.again());
        assert_eq!((known.id, known.state), (message.id, State::Unknown));
    }
    assert_eq!(shop.row_with(message.id).state, State::Unknown);
    assert_eq!(counts(&shop.row("user")), books(1, 0, 1, 0, 0));
}

fn abandoned_ends_the_lease(shop: &Shop) {
    shop.accept("user");
    let message = Message::keyed("user", "order 1");
    let going = shop.go(&message);
    let (row, _) = shop.under_way(&message.again());
    let heir = Message { abandoned: Some((row.id, row.epoch)), ..message.again() };
    let known = shop.known(&heir);
    assert_eq!((known.id, known.state), (message.id, State::Unknown));
    assert_eq!(shop.row_with(message.id).state, State::Unknown);
    assert_eq!(shop.known(&message.again()).state, State::Unknown);
    assert_eq!(counts(&shop.row("user")), books(1, 0, 1, 0, 0));
    // Its lease is over for the ledger, too.
    shop.accept("user");
    shop.send(&Message::to("user"), &Verdict::no_grant());
    assert_eq!(counts(&shop.row("user")), books(2, 0, 0, 0, 2));
    shop.finish(&message, going, &Verdict::refused());
    assert_eq!(shop.row_with(message.id).state, State::Refused, "who was taken for dead knows better");
    assert_eq!(counts(&shop.row("user")), books(2, 0, 0, 0, 2));
}

fn abandoned_concerns_one_epoch_of_one_message(shop: &Shop) {
    let message = Message::keyed("user", "order 1");
    shop.send(&message, &Verdict::not_sent());
    let again = message.again();
    let going = shop.go(&again);
    for abandoned in [(message.id, 1), (message.id, 3), (again.id, 2), (MessageId::new(), 2)] {
        let heir = Message { abandoned: Some(abandoned), ..message.again() };
        assert_eq!(shop.under_way(&heir).0.epoch, 2, "{abandoned:?}");
    }
    shop.finish(&again, going, &Verdict::delivered());
    let heir = Message { abandoned: Some((message.id, 2)), ..message.again() };
    assert_eq!(shop.known(&heir).state, State::Delivered, "it was closed in time");
}

fn an_unknown_outcome_that_may_be_sent_again_keeps_its_reservation(shop: &Shop) {
    for _ in 0..3 {
        shop.accept("user");
    }
    let message = Message::keyed("user", "order 1");
    let unknown = Verdict { last_word: false, ..Verdict::unknown() };
    shop.send(&message, &unknown);
    assert_eq!(counts(&shop.row("user")), books(3, 2, 1, 0, 0));
    let again = message.again();
    let going = shop.go(&again);
    assert_eq!((going.epoch, going.grant), (2, Grant::Reserved));
    assert_eq!(counts(&shop.row("user")), books(3, 1, 2, 0, 0));
    shop.finish(&again, going, &Verdict::delivered());
    assert_eq!(counts(&shop.row("user")), books(3, 1, 1, 1, 0));
    shop.send(&Message::to("user"), &Verdict::no_grant());
    assert_eq!(counts(&shop.row("user")), books(3, 0, 0, 1, 2));
}

fn keys_and_rows_expire(shop: &Shop) {
    let retention = Duration::from_millis(300);
    let message = Message { retention, ..Message::keyed("user", "order 1") };
    shop.send(&message, &Verdict::delivered());
    let kept = Message::keyed("user", "order 2");
    shop.send(&kept, &Verdict::delivered());
    std::thread::sleep(2 * retention);
    assert_eq!(shop.delivery(message.id), None);
    let everything = Filter { limit: 10, ..Filter::default() };
    let ids = |shop: &Shop| shop.deliveries(&everything).iter().map(|row| row.id).collect::<Vec<_>>();
    assert_eq!(ids(shop), [kept.id]);
    for filter in [
        Filter { key: message.key.as_deref(), ..everything.clone() },
        Filter { openid: Some("user"), ..everything.clone() },
    ] {
        assert!(shop.deliveries(&filter).iter().all(|row| row.id == kept.id));
    }
    let again = message.again();
    let going = shop.go(&again);
    assert_eq!((going.id, going.epoch), (again.id, 1), "a new message");
    assert_eq!(shop.row_with(again.id).attempts, 0);
    assert_eq!(ids(shop), [again.id, kept.id]);
    assert_eq!(shop.known(&kept.again()).id, kept.id);
}

fn a_row_is_kept_from_when_it_was_last_written(shop: &Shop) {
    let retention = Duration::from_millis(1500);
    let message = Message { retention, ..Message::keyed("user", "order 1") };
    let started = std::time::Instant::now();
    let going = shop.go(&message);
    std::thread::sleep(retention * 2 / 3);
    shop.finish(&message, going, &Verdict::not_sent());
    let written = std::time::Instant::now();
    std::thread::sleep((retention * 4 / 3).saturating_sub(started.elapsed()));
    let row = shop.delivery(message.id);
    // A machine that stood still may have slept past the end.
    if written.elapsed() < retention {
        assert!(row.is_some(), "it was written again since");
    }
    std::thread::sleep(retention);
    assert_eq!(shop.delivery(message.id), None);
}

fn a_key_is_one_message_whatever_else_differs(shop: &Shop) {
    let message = Message::keyed("user", "order 1");
    shop.send(&message, &Verdict::delivered());
    for other in [
        Message::keyed("another", "order 1"),
        Message { template: "another".to_owned(), ..message.again() },
        Message { channel: Channel::Template, ..message.again() },
    ] {
        assert_eq!(shop.known(&other).id, message.id);
    }
    for other in ["order 11", "order", "ORDER 1", "order 1 ", ""] {
        let going = shop.go(&Message::keyed("user", other));
        assert_eq!(going.epoch, 1, "{other:?} is another key");
    }
    shop.go(&Message::to("user"));
}

fn a_refusal_before_begin_leaves_its_row(shop: &Shop) {
    for message in [Message::to("user"), Message::keyed("user", "order 1")] {
        let message = Message { shown_openid: Some("hash".to_owned()), changed: Some("[]".to_owned()), ..message };
        let id = shop.refuse(&message, 47003, "argument invalid! data.thing1.value invalid");
        assert_eq!(id, message.id);
        let row = shop.row_with(message.id);
        assert_eq!((row.state, row.errcode, row.from_wechat, row.attempts), (State::Refused, Some(47003), false, 0));
        assert_eq!(row.errmsg, "argument invalid! data.thing1.value invalid");
        assert_eq!((row.openid.as_str(), row.changed.as_deref()), ("hash", Some("[]")));
        assert_eq!((&row.key, row.msgid), (&message.key, None));
    }
    assert_eq!(shop.usage(API).calls, 0);
    assert_eq!(shop.row("user"), LedgerRow::default());
}

fn a_refusal_before_begin_takes_the_row_that_its_key_has(shop: &Shop) {
    let message = Message::keyed("user", "order 1");
    shop.send(&message, &Verdict::not_sent());
    let again = message.again();
    assert_eq!(shop.refuse(&again, 47003, "wrong"), message.id);
    let row = shop.row_with(message.id);
    assert_eq!((row.state, row.errcode, row.attempts), (State::Refused, Some(47003), 1));
    assert_eq!(shop.delivery(again.id), None);
    let rows = shop.deliveries(&Filter { key: Some("order 1"), limit: 10, ..Filter::default() });
    assert_eq!(rows, [row]);
}

fn a_refusal_before_begin_changes_no_message_that_is_under_way_or_has_its_verdict(shop: &Shop) {
    let delivered = Message::keyed("user", "order 1");
    shop.send(&delivered, &Verdict::delivered());
    let under_way = Message::keyed("user", "order 2");
    let going = shop.go(&under_way);
    for message in [&delivered, &under_way] {
        let row = shop.row_with(message.id);
        let again = message.again();
        assert_eq!(shop.refuse(&again, 47003, "wrong"), message.id, "the row that there is");
        assert_eq!(shop.row_with(message.id), row);
        assert_eq!(shop.delivery(again.id), None);
    }
    shop.finish(&under_way, going, &Verdict::delivered());
    assert_eq!(shop.row_with(under_way.id).state, State::Delivered);
}
