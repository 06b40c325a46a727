//! `record_grants` and `grants`: what users answered.

use std::time::Duration;

use routine_template::store::*;

use crate::shop::{APP, HOUR, Message, Shop, TEMPLATE, Verdict, books, counts, soon};

on_every_engine!(
    each_answer_is_the_last_one,
    an_accept_is_one_message_and_a_long_term_one_lasts,
    a_report_says_what_it_left,
    the_same_token_is_the_same_report,
    a_token_is_forgotten_in_time,
    a_report_without_templates_changes_nothing,
    the_ledger_of_a_user_is_in_the_order_of_templates,
    a_refused_user_is_shown_as_refused,
);

fn each_answer_is_the_last_one(shop: &Shop) {
    for choice in [Choice::Reject, Choice::Accept, Choice::Ban, Choice::Accept, Choice::Filter] {
        shop.report("user", &[(TEMPLATE, choice)], false);
        assert_eq!(shop.row("user").state, Some(choice));
    }
    assert_eq!(counts(&shop.row("user")), books(2, 2, 0, 0, 0));
    let row = shop.row("user");
    assert!(!row.long_term && !row.refused);
}

fn an_accept_is_one_message_and_a_long_term_one_lasts(shop: &Shop) {
    shop.report("user", &[(TEMPLATE, Choice::Reject)], true);
    assert!(!shop.row("user").long_term, "only an accept lasts");
    shop.report("user", &[(TEMPLATE, Choice::Accept)], true);
    shop.report("user", &[(TEMPLATE, Choice::Accept)], true);
    let row = shop.row("user");
    assert_eq!((row.long_term, row.accepted, row.state), (true, 0, Some(Choice::Accept)));
    shop.accept("user");
    let row = shop.row("user");
    assert_eq!((row.long_term, row.accepted, row.available), (true, 1, 1), "one kind does not end the other");
}

fn a_report_says_what_it_left(shop: &Shop) {
    let choices = [("z", Choice::Accept), ("a", Choice::Reject), ("m", Choice::Accept)];
    let recorded = shop.report("user", &choices, false);
    assert!(!recorded.duplicate);
    let shown: Vec<_> = recorded.rows.iter().map(|row| (row.available, row.state)).collect();
    assert_eq!(shown, [(1, Some(Choice::Accept)), (0, Some(Choice::Reject)), (1, Some(Choice::Accept))]);
    for ((template, _), row) in choices.iter().zip(&recorded.rows) {
        assert_eq!(&shop.row_of(APP, "user", template), row);
    }
}

fn the_same_token_is_the_same_report(shop: &Shop) {
    let report = |user, choices: &[(&str, Choice)], token| shop.report_once(user, choices, false, token);
    let first = report("user", &[(TEMPLATE, Choice::Accept)], "token");
    assert!(!first.duplicate);
    let second = report("user", &[(TEMPLATE, Choice::Accept)], "token");
    assert!(second.duplicate);
    assert_eq!(second.rows, first.rows);
    // Whatever else it says.
    let other = report("user", &[(TEMPLATE, Choice::Reject), ("another", Choice::Accept)], "token");
    assert_eq!((other.duplicate, &other.rows[0]), (true, &first.rows[0]));
    assert_eq!((other.rows.len(), &other.rows[1]), (2, &LedgerRow::default()));
    assert!(report("another", &[(TEMPLATE, Choice::Accept)], "token").duplicate);
    assert_eq!(shop.row("another"), LedgerRow::default());
    assert!(!report("user", &[(TEMPLATE, Choice::Accept)], "another token").duplicate);
    assert_eq!(counts(&shop.row("user")), books(2, 2, 0, 0, 0));
    shop.send(&Message::to("user"), &Verdict::delivered());
    let later = report("user", &[(TEMPLATE, Choice::Accept)], "token");
    assert!(later.duplicate);
    assert_eq!(counts(&later.rows[0]), books(2, 1, 0, 1, 0), "the ledger as it is now");
}

fn a_token_is_forgotten_in_time(shop: &Shop) {
    let remember = Duration::from_millis(200);
    let choices = [(TEMPLATE, Choice::Accept)];
    let report = GrantReport {
        appid: APP,
        openid: "user",
        choices: &choices,
        long_term: false,
        source: Source::Client,
        at: None,
        token: "token",
        remember,
    };
    let record = || shop.store().record_grants(&report, soon()).unwrap().duplicate;
    assert!(!record());
    std::thread::sleep(2 * remember);
    assert!(!record());
    assert_eq!(shop.row("user").accepted, 2);
    let lasting = GrantReport { token: "lasting", remember: HOUR, ..report };
    assert!(!shop.store().record_grants(&lasting, soon()).unwrap().duplicate);
    assert!(shop.store().record_grants(&lasting, soon()).unwrap().duplicate);
}

fn a_report_without_templates_changes_nothing(shop: &Shop) {
    let recorded = shop.report_once("user", &[], false, "token");
    assert_eq!(recorded, Recorded { duplicate: false, rows: Vec::new() });
    assert!(shop.report_once("user", &[], false, "token").duplicate);
    assert_eq!(shop.store().grants(APP, "user", None, soon()).unwrap(), []);
}

fn the_ledger_of_a_user_is_in_the_order_of_templates(shop: &Shop) {
    let templates = ["Zeta", "alpha", "Alpha", "订单", "zeta", "10", "9"];
    for template in templates {
        shop.report("user", &[(template, Choice::Accept)], false);
        shop.report("another", &[(template, Choice::Reject)], false);
    }
    let mut sorted = templates;
    sorted.sort_unstable();
    let rows = shop.store().grants(APP, "user", None, soon()).unwrap();
    assert_eq!(rows.iter().map(|(template, _)| template.as_str()).collect::<Vec<_>>(), sorted);
    assert!(rows.iter().all(|(_, row)| row.accepted == 1 && row.state == Some(Choice::Accept)));
    let one = shop.store().grants(APP, "user", Some("zeta"), soon()).unwrap();
    assert_eq!(one.iter().map(|(template, _)| template.as_str()).collect::<Vec<_>>(), ["zeta"]);
    assert_eq!(shop.row_of(APP, "user", "none"), LedgerRow::default());
    assert_eq!(shop.row_of(APP, "nobody", "zeta"), LedgerRow::default());
}

fn a_refused_user_is_shown_as_refused(shop: &Shop) {
    shop.reported();
    shop.send(&Message::to("user"), &Verdict::no_grant());
    let row = shop.row("user");
    assert_eq!((row.refused, row.state), (true, None), "WeChat's word is not the user's");
    let recorded = shop.report("user", &[(TEMPLATE, Choice::Ban)], false);
    assert_eq!((recorded.rows[0].refused, recorded.rows[0].state), (true, Some(Choice::Ban)));
    let recorded = shop.report("user", &[(TEMPLATE, Choice::Accept)], true);
    assert_eq!((recorded.rows[0].refused, recorded.rows[0].long_term), (false, true));
}
