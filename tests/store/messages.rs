//! `begin`: its rules, in their order.

use routine_template::config::GrantPolicy;
use routine_template::message::Channel;
use routine_template::store::*;

use crate::shop::{API, Message, SHORT, Shop, TEMPLATE, Verdict, books, counts, now};

on_every_engine!(
    what_nobody_reported_is_sent_uncounted,
    with_a_grant_one_is_reserved,
    without_one_it_goes_on_credit_where_accepts_are_reported,
    strict_refuses_at_zero_and_leaves_a_row,
    after_43101_it_is_certain_that_there_is_none,
    an_accept_after_43101_makes_it_possible_again,
    policy_off_never_refuses,
    a_certain_refusal_needs_reports_of_that_template,
    certain_refusal_comes_before_long_term_and_count,
    a_long_term_user_is_not_counted_down,
    a_long_term_user_who_has_said_no_since_is_counted,
    a_reject_leaves_earlier_accepts,
    a_template_message_needs_no_grant,
    a_bizsend_message_is_counted,
    a_pause_comes_before_the_ledger,
    a_pause_concerns_one_api_and_ends_by_itself,
    the_row_of_what_goes_is_sending,
    begin_can_be_repeated,
    a_refused_begin_can_be_repeated,
    a_lease_that_is_over_reads_as_unknown,
    grants_that_are_under_way_are_not_given_twice,
);

fn what_nobody_reported_is_sent_uncounted(shop: &Shop) {
    for policy in [GrantPolicy::Off, GrantPolicy::Certain] {
        let message = Message::to("user").with_policy(policy);
        let going = shop.send(&message, &Verdict::delivered());
        assert_eq!((going.id, going.epoch, going.grant, going.seen), (message.id, 1, Grant::Uncounted, 0));
    }
    assert_eq!(shop.row("user"), LedgerRow::default());
}

fn with_a_grant_one_is_reserved(shop: &Shop) {
    for policy in [GrantPolicy::Off, GrantPolicy::Certain, GrantPolicy::Strict] {
        let user = policy_name(policy);
        shop.accept(user);
        shop.accept(user);
        let going = shop.go(&Message::to(user).with_policy(policy));
        assert_eq!((going.grant, going.seen), (Grant::Reserved, 2));
        assert_eq!(counts(&shop.row(user)), books(2, 1, 1, 0, 0));
    }
}

fn policy_name(policy: GrantPolicy) -> &'static str {
    match policy {
        GrantPolicy::Off => "user of off",
        GrantPolicy::Certain => "user of certain",
        GrantPolicy::Strict => "user of strict",
    }
}

fn without_one_it_goes_on_credit_where_accepts_are_reported(shop: &Shop) {
    shop.report("rejects", &[(TEMPLATE, Choice::Reject)], false);
    assert_eq!(shop.go(&Message::to("user")).grant, Grant::Uncounted, "a reject is no accept");
    shop.reported();
    for policy in [GrantPolicy::Off, GrantPolicy::Certain] {
        let going = shop.go(&Message::to("user").with_policy(policy));
        assert_eq!((going.grant, going.seen), (Grant::OnCredit, 0));
    }
    assert_eq!(counts(&shop.row("user")), books(0, 0, 0, 0, 0));
    let other = Message { template: "another template".to_owned(), ..Message::to("user") };
    assert_eq!(shop.go(&other).grant, Grant::Uncounted, "of that template nobody reported");
}

fn strict_refuses_at_zero_and_leaves_a_row(shop: &Shop) {
    for reported in [false, true] {
        if reported {
            shop.reported();
        }
        let message = Message::to("user").with_policy(GrantPolicy::Strict);
        assert_eq!(shop.no_grant(&message), (message.id, false), "reported: {reported}");
        let row = shop.row_with(message.id);
        assert_eq!((row.state, row.errcode, row.from_wechat, row.attempts), (State::Refused, Some(43101), false, 0));
    }
    let keyed = Message::keyed("user", "order 1").with_policy(GrantPolicy::Strict);
    assert_eq!(shop.no_grant(&keyed), (keyed.id, false));
    assert_eq!(shop.no_grant(&keyed.again()), (keyed.id, false), "the row keeps its id");
    shop.accept("user");
    let going = shop.go(&keyed.again());
    assert_eq!((going.id, going.grant), (keyed.id, Grant::Reserved), "the refusal was not the last word");
}

fn after_43101_it_is_certain_that_there_is_none(shop: &Shop) {
    shop.reported();
    shop.send(&Message::to("user"), &Verdict::no_grant());
    assert!(shop.row("user").refused);
    for policy in [GrantPolicy::Certain, GrantPolicy::Strict] {
        let message = Message::to("user").with_policy(policy);
        assert_eq!(shop.no_grant(&message), (message.id, true));
        let row = shop.row_with(message.id);
        assert_eq!((row.state, row.errcode, row.from_wechat), (State::Refused, Some(43101), false));
    }
    assert_eq!(shop.go(&Message::to("another")).grant, Grant::OnCredit, "that was one user's word");
}

fn an_accept_after_43101_makes_it_possible_again(shop: &Shop) {
    shop.reported();
    shop.send(&Message::to("user"), &Verdict::no_grant());
    for no in [Choice::Reject, Choice::Ban, Choice::Filter] {
        shop.report("user", &[(TEMPLATE, no)], false);
        assert!(shop.row("user").refused, "{no:?} is no accept");
    }
    shop.accept("user");
    assert!(!shop.row("user").refused);
    assert_eq!(shop.go(&Message::to("user")).grant, Grant::Reserved);
}

fn policy_off_never_refuses(shop: &Shop) {
    shop.reported();
    shop.send(&Message::to("user"), &Verdict::no_grant());
    let going = shop.go(&Message::to("user").with_policy(GrantPolicy::Off));
    assert_eq!(going.grant, Grant::OnCredit);
}

fn a_certain_refusal_needs_reports_of_that_template(shop: &Shop) {
    // Uncounted: a 43101 leaves nothing in the ledger of a template that nobody reports.
    shop.send(&Message::to("user"), &Verdict::no_grant());
    assert_eq!(shop.row("user"), LedgerRow::default());
    assert_eq!(shop.go(&Message::to("user")).grant, Grant::Uncounted);
}

fn certain_refusal_comes_before_long_term_and_count(shop: &Shop) {
    shop.accept("user");
    shop.report("user", &[(TEMPLATE, Choice::Accept)], true);
    shop.accept("counted");
    let (slow, other) = (Message::to("counted"), Message::to("counted"));
    let reserved = shop.go(&slow);
    shop.send(&other, &Verdict::no_grant());
    shop.finish(&slow, reserved, &Verdict::not_sent());
    assert_eq!(counts(&shop.row("counted")), books(1, 1, 0, 0, 0));
    shop.send(&Message::to("user"), &Verdict::no_grant());
    for user in ["user", "counted"] {
        assert!(shop.no_grant(&Message::to(user)).1, "{user}");
    }
    let going = shop.go(&Message::to("counted").with_policy(GrantPolicy::Off));
    assert_eq!(going.grant, Grant::Reserved);
}

fn a_long_term_user_is_not_counted_down(shop: &Shop) {
    shop.report("user", &[(TEMPLATE, Choice::Accept)], true);
    assert_eq!(counts(&shop.row("user")), books(0, 0, 0, 0, 0));
    assert!(shop.row("user").long_term);
    for policy in [GrantPolicy::Off, GrantPolicy::Certain, GrantPolicy::Strict] {
        assert_eq!(shop.go(&Message::to("user").with_policy(policy)).grant, Grant::LongTerm);
    }
    shop.accept("user");
    assert_eq!(shop.go(&Message::to("user")).grant, Grant::LongTerm, "long-term comes before the count");
    assert_eq!(counts(&shop.row("user")), books(1, 1, 0, 0, 0));
    assert_eq!(shop.go(&Message::to("another")).grant, Grant::OnCredit, "a long-term accept is a report, too");
}

fn a_long_term_user_who_has_said_no_since_is_counted(shop: &Shop) {
    shop.report("user", &[(TEMPLATE, Choice::Accept)], true);
    shop.report("user", &[(TEMPLATE, Choice::Reject)], false);
    assert_eq!(shop.go(&Message::to("user")).grant, Grant::OnCredit);
    let strict = Message::to("user").with_policy(GrantPolicy::Strict);
    assert_eq!(shop.no_grant(&strict), (strict.id, false));
}

fn a_reject_leaves_earlier_accepts(shop: &Shop) {
    shop.accept("user");
    shop.report("user", &[(TEMPLATE, Choice::Reject)], false);
    assert_eq!(shop.row("user").state, Some(Choice::Reject));
    assert_eq!(shop.go(&Message::to("user").with_policy(GrantPolicy::Strict)).grant, Grant::Reserved);
}

fn a_template_message_needs_no_grant(shop: &Shop) {
    shop.accept("user");
    shop.send(&Message::to("user"), &Verdict::no_grant());
    let before = shop.row("user");
    let message = Message { channel: Channel::Template, ..Message::to("user").with_policy(GrantPolicy::Strict) };
    let going = shop.send(&message, &Verdict::delivered());
    assert_eq!(going.grant, Grant::Uncounted);
    assert_eq!(shop.row("user"), before);
}

fn a_bizsend_message_is_counted(shop: &Shop) {
    shop.accept("user");
    let message = Message { channel: Channel::Bizsend, ..Message::to("user") };
    assert_eq!(shop.send(&message, &Verdict::delivered()).grant, Grant::Reserved);
    assert_eq!(counts(&shop.row("user")), books(1, 0, 0, 1, 0));
}

fn a_pause_comes_before_the_ledger(shop: &Shop) {
    shop.accept("user");
    let until = now() + 3_600_000;
    shop.send(&Message::to("user"), &Verdict::paused(until));
    let pause = Pause { errcode: 45009, until };
    let message = Message::keyed("user", "order 1").with_policy(GrantPolicy::Strict);
    assert_eq!(shop.begin(&message), Begun::Paused { id: message.id, pause: pause.clone() });
    let again = message.again();
    assert_eq!(shop.begin(&again), Begun::Paused { id: message.id, pause: pause.clone() }, "the row keeps its id");
    let row = shop.row_with(message.id);
    assert_eq!((row.state, row.errcode, row.from_wechat, row.attempts), (State::Refused, Some(45009), false, 0));
    assert_eq!(counts(&shop.row("user")), books(1, 1, 0, 0, 0));
    let nobody = Message::to("nobody").with_policy(GrantPolicy::Strict);
    assert_eq!(shop.begin(&nobody), Begun::Paused { id: nobody.id, pause }, "the pause is asked first");
    shop.store().clear_quota(&message.appid, None, crate::shop::DAY, crate::shop::soon()).unwrap();
    assert_eq!(shop.go(&message.again()).id, message.id, "the pause was not the last word");
}

fn a_pause_concerns_one_api_and_ends_by_itself(shop: &Shop) {
    let until = now() + 400;
    shop.send(&Message::to("user"), &Verdict::paused(until));
    let message = Message::to("user");
    let begun = shop.begin(&message);
    // A machine that stood still for so long has nothing to say about the pause.
    if now() < until {
        assert_eq!(begun, Begun::Paused { id: message.id, pause: Pause { errcode: 45009, until } });
    }
    for channel in [Channel::Bizsend, Channel::Template] {
        shop.go(&Message { channel, ..Message::to("user") });
    }
    shop.go(&Message { appid: "wxanother".to_owned(), ..Message::to("user") });
    std::thread::sleep(std::time::Duration::from_millis(u64::try_from(until - now()).unwrap_or(0) + 20));
    shop.go(&Message::to("user"));
    assert_eq!(shop.usage(API).pause, None);
}

fn the_row_of_what_goes_is_sending(shop: &Shop) {
    let message = Message { shown_openid: Some("hash".to_owned()), ..Message::keyed("user", "order 1") };
    let before = now();
    shop.go(&message);
    let row = shop.row_with(message.id);
    assert!((before - 1..=now() + 1).contains(&row.begun), "{} {}", before, row.begun);
    let expected = Delivery {
        id: message.id,
        epoch: 1,
        openid: "hash".to_owned(),
        template_id: TEMPLATE.to_owned(),
        channel: Channel::Subscribe,
        key: Some("order 1".to_owned()),
        state: State::Sending,
        errcode: None,
        errmsg: String::new(),
        from_wechat: false,
        msgid: None,
        rid: None,
        attempts: 0,
        changed: None,
        payload: None,
        begun: row.begun,
        finished: None,
        due: None,
        receipt: None,
    };
    assert_eq!(row, expected);
}

fn begin_can_be_repeated(shop: &Shop) {
    shop.accept("user");
    shop.accept("user");
    for message in [Message::to("user"), Message::keyed("user", "order 1")] {
        let first = shop.begin(&message);
        let ledger = shop.row("user");
        shop.accept("meanwhile");
        for _ in 0..3 {
            assert_eq!(shop.begin(&message), first);
        }
        assert_eq!(shop.row("user"), ledger);
    }
    assert_eq!(counts(&shop.row("user")), books(2, 0, 2, 0, 0));
}

fn a_refused_begin_can_be_repeated(shop: &Shop) {
    for message in [Message::to("user"), Message::keyed("user", "order 1")] {
        let message = message.with_policy(GrantPolicy::Strict);
        for _ in 0..3 {
            assert_eq!(shop.no_grant(&message), (message.id, false));
        }
        assert_eq!(shop.row_with(message.id).state, State::Refused);
    }
    assert_eq!(shop.deliveries(&Filter { limit: 1000, ..Filter::default() }).len(), 2);
}

fn a_lease_that_is_over_reads_as_unknown(shop: &Shop) {
    shop.accept("user");
    let message = Message::to("user").with_lease(SHORT);
    shop.go(&message);
    shop.wait();
    assert_eq!(shop.row_with(message.id).state, State::Unknown);
    assert_eq!(counts(&shop.row("user")), books(1, 0, 1, 0, 0), "nobody knows whether the grant is spent");
}

fn grants_that_are_under_way_are_not_given_twice(shop: &Shop) {
    for _ in 0..3 {
        shop.accept("user");
    }
    let grants: Vec<_> = (0..5).map(|_| shop.go(&Message::to("user")).grant).collect();
    use Grant::{OnCredit, Reserved};
    assert_eq!(grants, [Reserved, Reserved, Reserved, OnCredit, OnCredit]);
    assert_eq!(counts(&shop.row("user")), books(3, 0, 3, 0, 0));
}
