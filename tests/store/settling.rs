//! `finish`: every cell of its table, repeats, and messages that others have taken over.

use std::time::Duration;

use routine_template::config::GrantPolicy;
use routine_template::store::*;

use crate::shop::{API, Message, SHORT, Shop, TEMPLATE, Verdict, books, counts, now};

on_every_engine!(
    reserved_and_spent,
    reserved_and_given_back,
    reserved_and_zero,
    reserved_and_kept,
    without_a_reservation_and_spent,
    without_a_reservation_and_given_back_or_kept,
    without_a_reservation_and_zero,
    uncounted_leaves_no_trace,
    finish_can_be_repeated,
    a_repeat_does_not_touch_the_next_epoch,
    a_finish_after_the_lease_counts,
    a_late_verdict_is_better_than_none,
    an_unknown_that_was_said_is_not_one_that_was_only_late,
    attempts_add_up_over_epochs,
    the_verdict_is_whose_it_is,
    a_reservation_outlives_its_row,
    the_receiver_of_the_ledger_is_not_the_one_shown,
);

fn reserved_and_spent(shop: &Shop) {
    shop.accept("user");
    shop.accept("user");
    shop.send(&Message::to("user"), &Verdict::delivered());
    assert_eq!(counts(&shop.row("user")), books(2, 1, 0, 1, 0));
    shop.send(&Message::to("user"), &Verdict::delivered());
    assert_eq!(counts(&shop.row("user")), books(2, 0, 0, 2, 0));
}

fn reserved_and_given_back(shop: &Shop) {
    shop.accept("user");
    for verdict in [Verdict::refused(), Verdict::not_sent()] {
        shop.send(&Message::to("user"), &verdict);
        assert_eq!(counts(&shop.row("user")), books(1, 1, 0, 0, 0));
    }
}

fn reserved_and_zero(shop: &Shop) {
    for _ in 0..3 {
        shop.accept("user");
    }
    shop.send(&Message::to("user"), &Verdict::no_grant());
    assert_eq!(counts(&shop.row("user")), books(3, 0, 0, 0, 3));
    assert!(shop.row("user").refused);
    assert_eq!(shop.row("user").state, Some(Choice::Accept), "the last answer is the user's");
}

fn reserved_and_kept(shop: &Shop) {
    shop.accept("user");
    shop.accept("user");
    shop.send(&Message::to("user"), &Verdict::unknown());
    assert_eq!(counts(&shop.row("user")), books(2, 1, 1, 0, 0));
}

/// A user for each grant that reserves nothing.
fn users_without_a_reservation(shop: &Shop) -> [(&'static str, Grant); 2] {
    shop.report("long", &[(TEMPLATE, Choice::Accept)], true);
    [("credit", Grant::OnCredit), ("long", Grant::LongTerm)]
}

fn without_a_reservation_and_spent(shop: &Shop) {
    for (user, grant) in users_without_a_reservation(shop) {
        assert_eq!(shop.send(&Message::to(user), &Verdict::delivered()).grant, grant);
        assert_eq!(counts(&shop.row(user)), books(1, 0, 0, 1, 0), "{grant:?}");
    }
}

fn without_a_reservation_and_given_back_or_kept(shop: &Shop) {
    for (user, grant) in users_without_a_reservation(shop) {
        for verdict in [Verdict::refused(), Verdict::unknown()] {
            assert_eq!(shop.send(&Message::to(user), &verdict).grant, grant);
            assert_eq!(counts(&shop.row(user)), books(0, 0, 0, 0, 0), "{grant:?}");
        }
    }
}

fn without_a_reservation_and_zero(shop: &Shop) {
    for (user, grant) in users_without_a_reservation(shop) {
        assert_eq!(shop.send(&Message::to(user), &Verdict::no_grant()).grant, grant);
        assert_eq!(counts(&shop.row(user)), books(0, 0, 0, 0, 0), "{grant:?}");
        assert!(shop.row(user).refused, "{grant:?}");
    }
}

fn uncounted_leaves_no_trace(shop: &Shop) {
    for verdict in [Verdict::delivered(), Verdict::refused(), Verdict::no_grant(), Verdict::unknown()] {
        let message = Message::to("user");
        let going = shop.go(&message);
        assert_eq!(going.grant, Grant::Uncounted);
        shop.finish(&message, going, &verdict);
        assert_eq!(shop.row("user"), LedgerRow::default());
    }
    let message = Message::to("user");
    let going = shop.go(&message);
    shop.accept("user");
    shop.finish(&message, going, &Verdict::no_grant());
    assert_eq!(counts(&shop.row("user")), books(1, 1, 0, 0, 0), "what begin took counts, not what is known by now");
    assert!(!shop.row("user").refused);
}

fn finish_can_be_repeated(shop: &Shop) {
    for verdict in
        [Verdict::delivered(), Verdict::refused(), Verdict::no_grant(), Verdict::not_sent(), Verdict::unknown()]
    {
        let user = verdict.state.name().to_owned() + &verdict.errcode.unwrap_or(-1).to_string();
        shop.accept(&user);
        shop.accept(&user);
        for message in [Message::to(&user), Message::keyed(&user, &format!("key of {user}"))] {
            let message = message.with_policy(GrantPolicy::Off);
            let calls = shop.usage(API).calls;
            let going = shop.go(&message);
            shop.finish(&message, going, &verdict);
            let (row, ledger) = (shop.row_with(message.id), shop.row(&user));
            assert_eq!(row.attempts, 1);
            for _ in 0..2 {
                shop.finish(&message, going, &verdict);
                assert_eq!(shop.row_with(message.id), row);
                assert_eq!(shop.row(&user), ledger);
                assert_eq!(shop.usage(API).calls, calls + 1, "{:?}", verdict.state);
            }
            shop.finish(&message, going, &Verdict { attempts: 0, ..Verdict::delivered() });
            assert_eq!(shop.row_with(message.id), row, "closed is closed");
            assert_eq!(shop.row(&user), ledger);
        }
    }
}

fn a_repeat_does_not_touch_the_next_epoch(shop: &Shop) {
    shop.accept("user");
    let message = Message::keyed("user", "order 1");
    let first = shop.send(&message, &Verdict::not_sent());
    let again = message.again();
    let second = shop.go(&again);
    assert_eq!((second.id, second.epoch, second.grant), (message.id, 2, Grant::Reserved));
    let (row, ledger) = (shop.row_with(message.id), shop.row("user"));
    shop.finish(&message, first, &Verdict::not_sent());
    assert_eq!(shop.row_with(message.id), row);
    assert_eq!(shop.row("user"), ledger);
    assert_eq!(shop.usage(API).calls, 1, "a repeat is counted once, whoever sends the message by now");
    shop.finish(&again, second, &Verdict::not_sent());
    let last = message.again();
    let third = shop.go(&last);
    assert_eq!(third.epoch, 3);
    for (call, going) in [(&message, first), (&again, second)] {
        shop.finish(call, going, &Verdict::not_sent());
        assert_eq!(shop.usage(API).calls, 2, "epoch {}", going.epoch);
    }
    shop.finish(&last, third, &Verdict::delivered());
    assert_eq!(counts(&shop.row("user")), books(1, 0, 0, 1, 0));
    assert_eq!(shop.usage(API).calls, 3);
}

fn a_finish_after_the_lease_counts(shop: &Shop) {
    shop.accept("user");
    let message = Message::keyed("user", "order 1").with_lease(SHORT);
    let going = shop.go(&message);
    shop.wait();
    assert_eq!(shop.row_with(message.id).state, State::Unknown);
    shop.finish(&message, going, &Verdict::delivered());
    assert_eq!(shop.row_with(message.id).state, State::Delivered);
    assert_eq!(counts(&shop.row("user")), books(1, 0, 0, 1, 0));
    assert_eq!(shop.known(&message.again()).state, State::Delivered);
}

fn a_late_verdict_is_better_than_none(shop: &Shop) {
    for (user, verdict, ledger) in [
        ("delivered", Verdict::delivered(), books(1, 0, 0, 1, 0)),
        ("refused", Verdict::refused(), books(1, 1, 0, 0, 0)),
        ("zero", Verdict::no_grant(), books(1, 0, 0, 0, 1)),
        ("not sent", Verdict::not_sent(), books(1, 1, 0, 0, 0)),
        ("unknown", Verdict::unknown(), books(1, 0, 1, 0, 0)),
    ] {
        shop.accept(user);
        let message = Message::keyed(user, user).with_lease(SHORT);
        let going = shop.go(&message);
        shop.wait();
        assert_eq!(shop.known(&message.again()).state, State::Unknown);
        assert_eq!(counts(&shop.row(user)), books(1, 0, 1, 0, 0));
        let calls = shop.usage(API).calls;
        for late in [verdict.clone(), verdict.clone(), Verdict::delivered()] {
            shop.finish(&message, going, &Verdict { attempts: 2, ..late });
            let row = shop.row_with(message.id);
            assert_eq!((row.state, row.errcode, row.attempts), (verdict.state, verdict.errcode, 2), "once");
            assert_eq!(counts(&shop.row(user)), ledger, "{user}");
            assert_eq!(shop.usage(API).calls, calls + 2);
        }
        match verdict.last_word {
            true => assert_eq!(shop.known(&message.again()).state, verdict.state),
            false => assert_eq!(shop.go(&message.again()).epoch, 2),
        }
    }
}

fn an_unknown_that_was_said_is_not_one_that_was_only_late(shop: &Shop) {
    let message = Message::keyed("user", "order 1");
    let going = shop.send(&message, &Verdict::unknown());
    let row = shop.row_with(message.id);
    shop.finish(&message, going, &Verdict::delivered());
    assert_eq!(shop.row_with(message.id), row);
    assert_eq!(shop.usage(API).calls, 1);
}

fn attempts_add_up_over_epochs(shop: &Shop) {
    let message = Message::keyed("user", "order 1");
    for (epoch, attempts) in [(1, 0), (2, 2), (3, 3)] {
        let call = message.again();
        let going = shop.send(&call, &Verdict { attempts, ..Verdict::not_sent() });
        assert_eq!(going.epoch, epoch);
    }
    let rows = shop.deliveries(&Filter { key: Some("order 1"), limit: 10, ..Filter::default() });
    assert_eq!(rows.iter().map(|row| row.attempts).collect::<Vec<_>>(), [5]);
    assert_eq!(shop.usage(API).calls, 5);
    shop.go(&message.again());
    assert_eq!(shop.row_with(rows[0].id).attempts, 5, "kept while it is opened again");
}

fn the_verdict_is_whose_it_is(shop: &Shop) {
    for (verdict, from_wechat) in [
        (Verdict::delivered(), true),
        (Verdict::refused(), true),
        (Verdict::no_grant(), true),
        // A refusal of the token that still stood: nothing was asked.
        (Verdict { attempts: 0, ..Verdict::refused() }, false),
        (Verdict::not_sent(), false),
        (Verdict::unknown(), false),
    ] {
        let message = Message::to("user");
        let before = now();
        shop.send(&message, &verdict);
        let row = shop.row_with(message.id);
        assert_eq!((row.state, row.errcode, row.from_wechat), (verdict.state, verdict.errcode, from_wechat));
        assert_eq!((&row.errmsg, &row.msgid), (&verdict.errmsg, &verdict.msgid));
        let finished = row.finished.unwrap();
        assert!((before - 1..=now() + 1).contains(&finished) && finished >= row.begun, "{row:?}");
    }
}

fn a_reservation_outlives_its_row(shop: &Shop) {
    shop.accept("user");
    shop.accept("user");
    let short = Duration::from_millis(100);
    let message = Message { retention: short, ..Message::to("user") };
    shop.send(&message, &Verdict::unknown());
    std::thread::sleep(2 * short);
    assert_eq!(shop.delivery(message.id), None);
    assert_eq!(counts(&shop.row("user")), books(2, 1, 1, 0, 0));
    for _ in 0..5 {
        // Writing is when engines tidy up.
        shop.send(&Message { retention: short, ..Message::to("another") }, &Verdict::delivered());
    }
    assert_eq!(counts(&shop.row("user")), books(2, 1, 1, 0, 0));
    shop.send(&Message::to("user"), &Verdict::no_grant());
    assert_eq!(counts(&shop.row("user")), books(2, 0, 0, 0, 2));
}

fn the_receiver_of_the_ledger_is_not_the_one_shown(shop: &Shop) {
    shop.accept("user");
    shop.accept("user");
    let hashed = Message { shown_openid: Some("hash".to_owned()), ..Message::to("user") };
    shop.send(&hashed, &Verdict::unknown());
    assert_eq!(counts(&shop.row("user")), books(2, 1, 1, 0, 0));
    assert_eq!(shop.row("hash"), LedgerRow::default());
    shop.send(&hashed.again(), &Verdict::no_grant());
    assert_eq!(counts(&shop.row("user")), books(2, 0, 0, 0, 2));
}
