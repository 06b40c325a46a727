//! 43101 in `finish`: what it says of the past, and nothing of what was accepted since.

use routine_template::store::*;

use crate::shop::{Message, SHORT, Shop, TEMPLATE, Verdict, books, counts};

on_every_engine!(
    zero_leaves_what_was_accepted_meanwhile,
    zero_leaves_a_long_term_accept_of_meanwhile,
    a_delivery_on_credit_is_no_report,
    a_delivery_on_credit_keeps_nothing_for_later,
    zero_takes_what_was_kept,
    zero_takes_what_nobody_closed_and_leaves_what_is_under_way,
    a_delivery_after_its_reservation_was_lost_keeps_the_books,
);

fn zero_leaves_what_was_accepted_meanwhile(shop: &Shop) {
    for _ in 0..2 {
        shop.accept("user");
    }
    let message = Message::to("user");
    let going = shop.go(&message);
    assert_eq!(going.seen, 2);
    for _ in 0..3 {
        shop.accept("user");
    }
    shop.finish(&message, going, &Verdict::no_grant());
    assert_eq!(counts(&shop.row("user")), books(5, 3, 0, 0, 2));
    assert!(!shop.row("user").refused);
    assert_eq!(shop.go(&Message::to("user")).grant, Grant::Reserved);

    let (first, second) = (Message::to("two"), Message::to("two"));
    let (of_first, of_second) = (shop.go(&first), shop.go(&second));
    shop.accept("two");
    shop.finish(&first, of_first, &Verdict::no_grant());
    shop.finish(&second, of_second, &Verdict::no_grant());
    assert_eq!(counts(&shop.row("two")), books(1, 1, 0, 0, 0), "two such answers are about the same past");
}

fn zero_leaves_a_long_term_accept_of_meanwhile(shop: &Shop) {
    shop.reported();
    let message = Message::to("user");
    let going = shop.go(&message);
    shop.report("user", &[(TEMPLATE, Choice::Accept)], true);
    shop.finish(&message, going, &Verdict::no_grant());
    assert!(!shop.row("user").refused);
    assert_eq!(shop.go(&Message::to("user")).grant, Grant::LongTerm);
}

fn a_delivery_on_credit_is_no_report(shop: &Shop) {
    shop.reported();
    let (first, second) = (Message::to("user"), Message::to("user"));
    let of_first = shop.go(&first);
    shop.send(&second, &Verdict::delivered());
    shop.finish(&first, of_first, &Verdict::no_grant());
    assert_eq!(counts(&shop.row("user")), books(1, 0, 0, 1, 0));
    assert!(shop.row("user").refused, "no user has accepted anything since");
    // Nor does it hide a report that came later.
    let (first, second) = (Message::to("user two"), Message::to("user two"));
    shop.send(&first, &Verdict::delivered());
    let going = shop.go(&second);
    assert_eq!(going.seen, 0, "accepts that were reported");
    shop.accept("user two");
    shop.finish(&second, going, &Verdict::no_grant());
    assert_eq!(counts(&shop.row("user two")), books(2, 1, 0, 1, 0));
    assert!(!shop.row("user two").refused);
}

fn a_delivery_on_credit_keeps_nothing_for_later(shop: &Shop) {
    shop.accept("user");
    shop.accept("user");
    let (first, second) = (Message::to("user"), Message::to("user"));
    let (of_first, of_second) = (shop.go(&first), shop.go(&second));
    assert_eq!(shop.send(&Message::to("user"), &Verdict::delivered()).grant, Grant::OnCredit);
    shop.finish(&second, of_second, &Verdict::not_sent());
    assert_eq!(counts(&shop.row("user")), books(3, 1, 1, 1, 0));
    shop.finish(&first, of_first, &Verdict::no_grant());
    assert_eq!(
        counts(&shop.row("user")),
        books(3, 0, 0, 1, 2),
        "three accepts by now, and none of them reported since"
    );
}

fn zero_takes_what_was_kept(shop: &Shop) {
    for _ in 0..3 {
        shop.accept("user");
    }
    shop.send(&Message::to("user"), &Verdict::unknown());
    shop.send(&Message::to("user"), &Verdict::unknown());
    assert_eq!(counts(&shop.row("user")), books(3, 1, 2, 0, 0));
    shop.send(&Message::to("user"), &Verdict::no_grant());
    assert_eq!(counts(&shop.row("user")), books(3, 0, 0, 0, 3));
}

fn zero_takes_what_nobody_closed_and_leaves_what_is_under_way(shop: &Shop) {
    for _ in 0..3 {
        shop.accept("user");
    }
    shop.go(&Message::to("user").with_lease(SHORT));
    let slow = Message::to("user");
    let going = shop.go(&slow);
    shop.wait();
    shop.send(&Message::to("user"), &Verdict::no_grant());
    assert_eq!(counts(&shop.row("user")), books(3, 0, 1, 0, 2));
    shop.finish(&slow, going, &Verdict::delivered());
    assert_eq!(counts(&shop.row("user")), books(3, 0, 0, 1, 2));
}

fn a_delivery_after_its_reservation_was_lost_keeps_the_books(shop: &Shop) {
    shop.accept("user");
    let slow = Message::to("user").with_lease(SHORT);
    let going = shop.go(&slow);
    shop.wait();
    shop.send(&Message::to("user"), &Verdict::no_grant());
    assert_eq!(counts(&shop.row("user")), books(1, 0, 0, 0, 1));
    shop.finish(&slow, going, &Verdict::delivered());
    let row = shop.row("user");
    assert_eq!((row.delivered, row.available, row.reserved), (1, 0, 0), "{row:?}");
    assert_eq!(shop.row_with(slow.id).state, State::Delivered);

    shop.accept("other");
    let slow = Message::to("other").with_lease(SHORT);
    let going = shop.go(&slow);
    shop.wait();
    shop.send(&Message::to("other"), &Verdict::no_grant());
    shop.finish(&slow, going, &Verdict::not_sent());
    assert_eq!(counts(&shop.row("other")), books(1, 0, 0, 0, 1), "there is nothing to give back");
}
