//! `record_grants`: the front end and WeChat's push tell of the same answers, in any order, or one of them alone.

use routine_template::store::*;

use crate::shop::{APP, HOUR, Message, Shop, TEMPLATE, Verdict, books, counts, now, soon};

on_every_engine!(
    an_accept_of_which_both_sides_tell_counts_once,
    the_side_that_tells_of_more_accepts_is_right,
    a_lone_side_is_believed,
    accepts_beyond_the_limit_have_no_counterpart_any_more,
    a_push_that_is_repeated_is_no_counterpart,
    an_accept_of_the_settings_is_one_of_the_push,
    users_templates_and_accounts_have_counterparts_of_their_own,
    each_template_of_a_report_has_a_counterpart_of_its_own,
    what_lasts_has_no_counterpart,
    an_accept_told_twice_is_one_for_43101_as_well,
    an_accept_told_twice_is_sent_once_by_those_who_are_strict,
    an_older_answer_is_counted_but_is_not_the_last,
    of_one_second_the_answer_told_last_is_the_latest,
    nothing_was_answered_in_the_future,
    who_switches_a_template_off_is_refused_until_he_accepts,
    an_older_accept_does_not_undo_what_was_switched_off,
    to_switch_a_template_off_ends_what_lasts,
    an_accept_of_which_43101_knew_nothing_ends_what_43101_said,
);

const CLIENT: Source = Source::Client;
const POPUP: Source = Source::Popup;
const CHANGE: Source = Source::Change;
const ACCEPT: [(&str, Choice); 1] = [(TEMPLATE, Choice::Accept)];
const REJECT: [(&str, Choice); 1] = [(TEMPLATE, Choice::Reject)];

/// A report that was never made before.
fn report<'a>(openid: &'a str, choices: &'a [(&'a str, Choice)], source: Source, token: &'a str) -> GrantReport<'a> {
    GrantReport { appid: APP, openid, choices, long_term: false, source, at: None, token, remember: HOUR }
}

impl Shop {
    fn tell(&self, openid: &str, choices: &[(&str, Choice)], source: Source, at: Option<Millis>) -> LedgerRow {
        let token = MessageId::new().to_string();
        let report = GrantReport { at, ..report(openid, choices, source, &token) };
        let recorded = self.store().record_grants(&report, soon()).unwrap();
        assert!(!recorded.duplicate);
        recorded.rows[0].clone()
    }

    /// Accepts that sides tell of one after another, and how many there are then.
    fn accepts(&self, openid: &str, sides: &[Source]) -> u64 {
        let rows: Vec<_> = sides.iter().map(|side| self.tell(openid, &ACCEPT, *side, None)).collect();
        assert_eq!(rows.last(), Some(&self.row(openid)));
        let row = self.row(openid);
        assert_eq!((row.accepted, row.state, row.refused), (row.available, Some(Choice::Accept), false));
        row.accepted
    }
}

fn an_accept_of_which_both_sides_tell_counts_once(shop: &Shop) {
    assert_eq!(shop.accepts("client first", &[CLIENT, POPUP]), 1);
    assert_eq!(shop.accepts("push first", &[POPUP, CLIENT]), 1);
    // Again and again, one side now faster and now slower.
    assert_eq!(shop.accepts("twice", &[CLIENT, POPUP, POPUP, CLIENT]), 2);
    assert_eq!(shop.accepts("quick", &[CLIENT, CLIENT, CLIENT, POPUP, POPUP, POPUP]), 3);
    assert_eq!(shop.accepts("mixed", &[CLIENT, CLIENT, POPUP, CLIENT, POPUP, POPUP]), 3);
    assert_eq!(shop.accepts("overtaken", &[POPUP, POPUP, CLIENT, CLIENT, CLIENT, POPUP]), 3);
}

fn the_side_that_tells_of_more_accepts_is_right(shop: &Shop) {
    // Every order of six reports.
    for order in 0..64u32 {
        let sides: Vec<_> = (0..6).map(|place| if order >> place & 1 == 1 { POPUP } else { CLIENT }).collect();
        let pushed = u64::from(order.count_ones());
        assert_eq!(shop.accepts(&format!("user {order}"), &sides), pushed.max(6 - pushed), "{sides:?}");
    }
}

fn a_lone_side_is_believed(shop: &Shop) {
    assert_eq!(shop.accepts("client", &[CLIENT; 5]), 5);
    assert_eq!(shop.accepts("push", &[POPUP; 5]), 5);
    // Nor does an answer other than an accept have a counterpart.
    shop.tell("client", &REJECT, POPUP, None);
    assert_eq!(shop.accepts("client", &[CLIENT]), 6);
}

fn accepts_beyond_the_limit_have_no_counterpart_any_more(shop: &Shop) {
    for (openid, one, other) in [("client", CLIENT, POPUP), ("push", POPUP, CLIENT)] {
        assert_eq!(shop.accepts(openid, &[one; UNPAIRED_LIMIT + 4]), UNPAIRED_LIMIT as u64 + 4);
        assert_eq!(shop.accepts(openid, &[other; UNPAIRED_LIMIT]), UNPAIRED_LIMIT as u64 + 4);
        assert_eq!(shop.accepts(openid, &[other; 3]), UNPAIRED_LIMIT as u64 + 7);
    }
}

fn a_push_that_is_repeated_is_no_counterpart(shop: &Shop) {
    let first = report("user", &ACCEPT, POPUP, "event 1");
    for repeat in 0..3 {
        assert_eq!(shop.store().record_grants(&first, soon()).unwrap().duplicate, repeat > 0);
    }
    assert_eq!(shop.row("user").accepted, 1);
    assert_eq!(shop.accepts("user", &[CLIENT]), 1);
    // What took the counterpart away does so once.
    assert!(shop.store().record_grants(&first, soon()).unwrap().duplicate);
    let client = report("user", &ACCEPT, CLIENT, "click 2");
    assert!(!shop.store().record_grants(&client, soon()).unwrap().duplicate);
    assert!(shop.store().record_grants(&client, soon()).unwrap().duplicate);
    assert_eq!(shop.row("user").accepted, 2);
    assert_eq!(shop.accepts("user", &[POPUP, POPUP]), 3);
}

fn an_accept_of_the_settings_is_one_of_the_push(shop: &Shop) {
    assert_eq!(shop.accepts("user", &[POPUP, CHANGE, CLIENT, CLIENT]), 2);
}

fn users_templates_and_accounts_have_counterparts_of_their_own(shop: &Shop) {
    shop.tell("user", &ACCEPT, CLIENT, None);
    shop.tell("another", &ACCEPT, POPUP, None);
    shop.tell("user", &[("another template", Choice::Accept)], POPUP, None);
    let token = MessageId::new().to_string();
    let elsewhere = GrantReport { appid: "wx another", ..report("user", &ACCEPT, POPUP, &token) };
    shop.store().record_grants(&elsewhere, soon()).unwrap();
    for (appid, openid, template) in [
        (APP, "user", TEMPLATE),
        (APP, "another", TEMPLATE),
        (APP, "user", "another template"),
        ("wx another", "user", TEMPLATE),
    ] {
        assert_eq!(shop.row_of(appid, openid, template).accepted, 1, "{appid} {openid} {template}");
    }
    assert_eq!(shop.accepts("user", &[POPUP]), 1, "its own is still there");
}

fn each_template_of_a_report_has_a_counterpart_of_its_own(shop: &Shop) {
    let two = [("one", Choice::Accept), ("two", Choice::Accept)];
    shop.tell("user", &two, CLIENT, None);
    shop.tell("user", &[("two", Choice::Accept), ("three", Choice::Accept)], POPUP, None);
    let accepted = ["one", "two", "three"].map(|template| shop.row_of(APP, "user", template).accepted);
    assert_eq!(accepted, [1, 1, 1]);
    shop.tell("user", &[("one", Choice::Accept), ("two", Choice::Accept)], POPUP, None);
    let accepted = ["one", "two", "three"].map(|template| shop.row_of(APP, "user", template).accepted);
    assert_eq!(accepted, [1, 2, 1]);
}

fn what_lasts_has_no_counterpart(shop: &Shop) {
    let lasting = |source| {
        let token = MessageId::new().to_string();
        let report = GrantReport { long_term: true, ..report("user", &ACCEPT, source, &token) };
        shop.store().record_grants(&report, soon()).unwrap();
    };
    lasting(CLIENT);
    assert_eq!(shop.accepts("user", &[POPUP]), 1, "it took nothing away");
    lasting(CLIENT);
    assert_eq!(shop.accepts("user", &[CLIENT]), 1, "what was told by push is still there");
    assert!(shop.row("user").long_term);
}

fn an_accept_told_twice_is_one_for_43101_as_well(shop: &Shop) {
    for (openid, [first, second]) in [("client first", [CLIENT, POPUP]), ("push first", [POPUP, CLIENT])] {
        shop.tell(openid, &ACCEPT, first, None);
        let message = Message::to(openid);
        let going = shop.go(&message);
        assert_eq!((going.grant, going.seen), (Grant::Reserved, 1));
        // While it is under way the other side tells: that is no later accept.
        shop.tell(openid, &ACCEPT, second, None);
        shop.finish(&message, going, &Verdict::no_grant());
        let row = shop.row(openid);
        assert_eq!((counts(&row), row.refused), (books(1, 0, 0, 0, 1), true), "{openid}");
        // One that is: WeChat's "no" does not concern it.
        shop.tell(openid, &ACCEPT, first, None);
        let row = shop.row(openid);
        assert_eq!((counts(&row), row.refused), (books(2, 1, 0, 0, 1), false), "{openid}");
    }
}

fn an_accept_told_twice_is_sent_once_by_those_who_are_strict(shop: &Shop) {
    shop.accepts("user", &[CLIENT, POPUP]);
    let strict = || Message::to("user").with_policy(routine_template::config::GrantPolicy::Strict);
    shop.send(&strict(), &Verdict::delivered());
    assert!(!shop.no_grant(&strict()).1, "by our count, which proves nothing");
    for side in [POPUP, CLIENT] {
        shop.tell("user", &ACCEPT, side, None);
        assert_eq!(counts(&shop.row("user")), books(2, 1, 0, 1, 0));
    }
}

fn an_older_answer_is_counted_but_is_not_the_last(shop: &Shop) {
    let (now, minute) = (now(), 60_000);
    shop.tell("user", &REJECT, POPUP, Some(now - minute));
    let row = shop.tell("user", &ACCEPT, POPUP, Some(now - 2 * minute));
    assert_eq!((row.state, row.accepted), (Some(Choice::Reject), 1));
    let row = shop.tell("user", &[(TEMPLATE, Choice::Ban)], POPUP, Some(now - 3 * minute));
    assert_eq!(row.state, Some(Choice::Reject));
    // The latest is still the one of a minute ago.
    let row = shop.tell("user", &[(TEMPLATE, Choice::Filter)], POPUP, Some(now - minute - 2000));
    assert_eq!(row.state, Some(Choice::Reject));
    let row = shop.tell("user", &ACCEPT, POPUP, Some(now - minute / 2));
    assert_eq!((row.state, row.accepted), (Some(Choice::Accept), 2));
    // The front end does not know when: now.
    shop.tell("user", &REJECT, CLIENT, None);
    let row = shop.tell("user", &ACCEPT, POPUP, Some(now - minute / 2));
    assert_eq!((row.state, row.accepted), (Some(Choice::Reject), 3));
    // Another user and another template have a last answer of their own.
    let row = shop.tell("another", &ACCEPT, POPUP, Some(now - 9 * minute));
    assert_eq!(row.state, Some(Choice::Accept));
    let row = shop.tell("user", &[("another template", Choice::Accept)], POPUP, Some(now - 9 * minute));
    assert_eq!(row.state, Some(Choice::Accept));
}

fn of_one_second_the_answer_told_last_is_the_latest(shop: &Shop) {
    let second = now() / 1000 * 1000 - 5000;
    shop.tell("user", &ACCEPT, POPUP, Some(second + 900));
    assert!(shop.tell("user", &REJECT, CHANGE, Some(second)).refused);
    assert!(shop.tell("user", &ACCEPT, POPUP, Some(second - 1)).refused, "of the second before");
    assert!(!shop.tell("user", &ACCEPT, POPUP, Some(second + 100)).refused);
}

fn nothing_was_answered_in_the_future(shop: &Shop) {
    shop.tell("user", &REJECT, CHANGE, Some(now() + 3_600_000));
    // WeChat's clock is ahead of ours, or somebody's is wrong: what comes later is later.
    let row = shop.tell("user", &ACCEPT, CLIENT, None);
    assert_eq!((row.state, row.refused), (Some(Choice::Accept), false));
}

fn who_switches_a_template_off_is_refused_until_he_accepts(shop: &Shop) {
    shop.accepts("user", &[CLIENT, CLIENT]);
    shop.tell("user", &REJECT, POPUP, None);
    assert!(!shop.row("user").refused, "not this time: what he accepted before stays");
    shop.go(&Message::to("user"));
    for choice in [Choice::Reject, Choice::Ban, Choice::Filter] {
        shop.tell("user", &[(TEMPLATE, choice)], CHANGE, None);
        let row = shop.row("user");
        assert_eq!((row.state, row.refused, row.available), (Some(choice), true, 1));
        assert!(shop.no_grant(&Message::to("user")).1, "by WeChat's own word");
    }
    shop.tell("user", &REJECT, POPUP, None);
    assert!(shop.row("user").refused, "that is no accept");
    // The counterpart of an accept that was told: whatever it is, it is one, and the latest answer.
    shop.tell("user", &ACCEPT, POPUP, None);
    let row = shop.row("user");
    assert_eq!((row.accepted, row.refused), (2, false));
    shop.go(&Message::to("user"));
}

fn an_older_accept_does_not_undo_what_was_switched_off(shop: &Shop) {
    let off = now() - 60_000;
    shop.tell("user", &REJECT, CHANGE, Some(off));
    let row = shop.tell("user", &ACCEPT, POPUP, Some(off - 30_000));
    assert_eq!((row.accepted, row.state, row.refused), (1, Some(Choice::Reject), true));
    // Nor is it switched off by what happened before the last accept.
    shop.tell("user", &ACCEPT, POPUP, Some(off + 30_000));
    let row = shop.tell("user", &REJECT, CHANGE, Some(off));
    assert_eq!((row.accepted, row.state, row.refused), (2, Some(Choice::Accept), false));
}

fn to_switch_a_template_off_ends_what_lasts(shop: &Shop) {
    shop.report("user", &ACCEPT, true);
    assert_eq!(shop.audience(APP, TEMPLATE, 10), [("user".to_owned(), 1)]);
    shop.tell("user", &REJECT, CHANGE, None);
    assert_eq!(shop.audience(APP, TEMPLATE, 10), []);
    assert!(shop.no_grant(&Message::to("user")).1);
    shop.report("user", &ACCEPT, true);
    assert_eq!(shop.audience(APP, TEMPLATE, 10), [("user".to_owned(), 1)]);
}

fn an_accept_of_which_43101_knew_nothing_ends_what_43101_said(shop: &Shop) {
    let first = now() - 60_000;
    shop.tell("user", &ACCEPT, CLIENT, None);
    let message = Message::to("user");
    let going = shop.go(&message);
    // The push of a later accept overtakes that of the first, and is taken for it.
    shop.tell("user", &ACCEPT, POPUP, Some(first + 30_000));
    shop.finish(&message, going, &Verdict::no_grant());
    assert!(shop.row("user").refused);
    let row = shop.tell("user", &ACCEPT, POPUP, Some(first));
    assert_eq!((counts(&row), row.refused), (books(2, 1, 0, 0, 1), false));
}
