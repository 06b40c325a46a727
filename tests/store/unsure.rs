//! Attempts of which nobody knows whether they delivered, and verdicts that come late.

use routine_template::message::Channel;
use routine_template::store::*;

use crate::post::{Post, of_job};
use crate::shop::{API, HOUR, Message, SHORT, Shop, TEMPLATE, Verdict, books, counts};

on_every_engine!(
    an_unsure_try_keeps_its_reservation_for_the_next,
    an_unsure_try_asks_the_ledger_nothing,
    an_unsure_try_whose_reservation_was_lost_goes_on_credit,
    an_unsure_try_of_what_nobody_counts_is_not_counted,
    a_lease_that_is_over_ends_it_as_unknown,
    a_lease_that_is_over_is_an_unsure_try_of_what_may_be_sent_again,
    what_may_be_sent_again_is_given_up_after_so_many_unsure_tries,
    a_late_verdict_of_the_outbox_is_better_than_none,
    a_late_verdict_while_it_waits_for_the_next_claim_closes_it,
    a_late_try_again_of_what_has_left_the_outbox_is_not_sent,
    a_late_verdict_of_a_sending_that_was_claimed_anew_only_counts_its_calls,
);

fn an_unsure_try_keeps_its_reservation_for_the_next(shop: &Shop) {
    shop.accept("user");
    shop.accept("user");
    let mut job = shop.take(&Post::keyed("user", "order 1").stubborn());
    for tries in 1..4 {
        shop.close(&job, &Verdict::unknown().again(SHORT));
        assert_eq!(shop.row_with(job.id).state, State::Queued);
        assert_eq!(counts(&shop.row("user")), books(2, 1, 1, 0, 0));
        shop.wait();
        job = shop.job();
        assert_eq!((job.grant, job.seen, job.tries, job.unsure), (Grant::Reserved, 2, tries, tries));
        assert_eq!(counts(&shop.row("user")), books(2, 1, 1, 0, 0), "the one that it had");
    }
    shop.close(&job, &Verdict::delivered());
    assert_eq!(counts(&shop.row("user")), books(2, 1, 0, 1, 0));
}

fn an_unsure_try_asks_the_ledger_nothing(shop: &Shop) {
    shop.accept("user");
    let post = Post::to("user").stubborn();
    let job = shop.take(&post);
    shop.close(&job, &Verdict::unknown().again(SHORT));
    // 43101 to another message: what was kept is lost, and new messages are refused.
    shop.send(&Message::to("user"), &Verdict::no_grant());
    assert_eq!(counts(&shop.row("user")), books(1, 0, 0, 0, 1));
    assert!(shop.row("user").refused);
    shop.wait();
    let job = shop.job();
    assert_eq!((job.grant, job.seen, job.unsure), (Grant::OnCredit, 1, 1));
    shop.close(&job, &Verdict::no_grant());
    assert_eq!(counts(&shop.row("user")), books(1, 0, 0, 0, 1));
}

fn an_unsure_try_whose_reservation_was_lost_goes_on_credit(shop: &Shop) {
    shop.accept("user");
    let job = shop.take(&Post::to("user").stubborn());
    shop.close(&job, &Verdict::unknown().again(SHORT));
    shop.send(&Message::to("user"), &Verdict::no_grant());
    shop.accept("user");
    shop.wait();
    let job = shop.job();
    assert_eq!((job.grant, job.seen), (Grant::OnCredit, 1), "the new one is not for this message");
    assert_eq!(counts(&shop.row("user")), books(2, 1, 0, 0, 1));
    shop.close(&job, &Verdict::no_grant());
    assert_eq!(counts(&shop.row("user")), books(2, 1, 0, 0, 1), "it was reported since");
    assert!(!shop.row("user").refused);
}

fn an_unsure_try_of_what_nobody_counts_is_not_counted(shop: &Shop) {
    let uncounted = shop.take(&Post::to("user").stubborn());
    shop.close(&uncounted, &Verdict::unknown().again(SHORT));
    let message = Message { channel: Channel::Template, ..Message::to("another") };
    shop.queue(&Post::of(message).stubborn());
    let template = shop.claim_of(Channel::Template, 1).jobs.into_iter().next().unwrap();
    shop.close_as(&of_job(&template, Channel::Template), &template, &Verdict::unknown().again(SHORT));
    shop.wait();
    let job = shop.job();
    assert_eq!((job.grant, job.unsure), (Grant::Uncounted, 1));
    shop.close(&job, &Verdict::delivered());
    shop.accept("another");
    let template = shop.claim_of(Channel::Template, 1).jobs.into_iter().next().unwrap();
    assert_eq!((template.grant, template.unsure), (Grant::Uncounted, 1));
    shop.close_as(&of_job(&template, Channel::Template), &template, &Verdict::delivered());
    assert_eq!(shop.row("user"), LedgerRow::default());
    assert_eq!(counts(&shop.row("another")), books(1, 1, 0, 0, 0));
    // Long-term: nothing is used up, however often it is sent.
    shop.report("long", &[(TEMPLATE, Choice::Accept)], true);
    let job = shop.take(&Post::to("long").stubborn());
    shop.close(&job, &Verdict::unknown().again(SHORT));
    shop.wait();
    shop.close(&shop.job(), &Verdict::refused());
    assert_eq!(counts(&shop.row("long")), books(0, 0, 0, 0, 0));
}

fn a_lease_that_is_over_ends_it_as_unknown(shop: &Shop) {
    shop.accept("user");
    let post = Post::keyed("user", "order 1").quick(SHORT);
    let job = shop.take(&post);
    shop.wait();
    assert_eq!(shop.row_with(job.id).state, State::Unknown);
    assert_eq!(shop.pending(), 1);
    shop.ends_when_claimed(job.id, State::Unknown);
    assert_eq!(shop.pending(), 0);
    assert_eq!(shop.known(&post.message.again()).state, State::Unknown, "the last word");
    assert_eq!(counts(&shop.row("user")), books(1, 0, 1, 0, 0));
    shop.send(&Message::to("user"), &Verdict::no_grant());
    assert_eq!(counts(&shop.row("user")), books(1, 0, 0, 0, 1), "kept until a 43101 says that it is gone");
}

fn a_lease_that_is_over_is_an_unsure_try_of_what_may_be_sent_again(shop: &Shop) {
    shop.accept("user");
    shop.accept("user");
    let first = shop.take(&Post::keyed("user", "order 1").quick(SHORT).stubborn());
    shop.wait();
    let second = shop.job();
    assert_eq!((second.id, second.epoch, second.tries, second.unsure), (first.id, first.epoch + 1, 1, 1));
    assert_eq!((second.grant, second.seen), (Grant::Reserved, 2));
    assert_eq!(counts(&shop.row("user")), books(2, 1, 1, 0, 0));
    shop.close(&second, &Verdict::delivered());
    assert_eq!(counts(&shop.row("user")), books(2, 1, 0, 1, 0));
    assert_eq!(shop.row_with(first.id).attempts, 1, "what nobody counted is not counted");
}

fn what_may_be_sent_again_is_given_up_after_so_many_unsure_tries(shop: &Shop) {
    let post = Post::keyed("user", "order 1").quick(SHORT).stubborn();
    shop.queue(&post);
    for unsure in 0..UNSURE_LIMIT {
        let job = shop.job();
        assert_eq!((job.tries, job.unsure), (unsure, unsure));
        shop.wait();
    }
    shop.ends_when_claimed(post.message.id, State::Unknown);
    assert_eq!(shop.known(&post.message.again()).state, State::Unknown);
    assert_eq!(shop.pending(), 0);
}

fn a_late_verdict_of_the_outbox_is_better_than_none(shop: &Shop) {
    for (user, verdict, ledger) in [
        ("delivered", Verdict::delivered(), books(1, 0, 0, 1, 0)),
        ("refused", Verdict::refused(), books(1, 1, 0, 0, 0)),
        ("zero", Verdict::no_grant(), books(1, 0, 0, 0, 1)),
    ] {
        shop.accept(user);
        let post = Post::keyed(user, user).quick(SHORT);
        let job = shop.take(&post);
        shop.wait();
        shop.ends_when_claimed(job.id, State::Unknown);
        for _ in 0..2 {
            shop.close(&job, &verdict);
            assert_eq!(shop.row_with(job.id).state, verdict.state);
            assert_eq!(counts(&shop.row(user)), ledger, "{user}");
        }
        assert_eq!(shop.known(&post.message.again()).state, verdict.state);
        assert_eq!(shop.pending(), 0);
    }
    assert_eq!(shop.usage(API).calls, 3);
}

fn a_late_verdict_while_it_waits_for_the_next_claim_closes_it(shop: &Shop) {
    shop.accept("user");
    let job = shop.take(&Post::to("user").quick(SHORT).stubborn());
    shop.wait();
    shop.close(&job, &Verdict::delivered());
    assert_eq!(shop.row_with(job.id).state, State::Delivered);
    assert_eq!(counts(&shop.row("user")), books(1, 0, 0, 1, 0));
    assert_eq!(shop.pending(), 0);
    let job = shop.take(&Post::to("user").quick(SHORT).stubborn());
    shop.wait();
    shop.close(&job, &Verdict::not_sent().again(HOUR));
    assert_eq!((shop.row_with(job.id).state, shop.pending()), (State::Queued, 1), "still in the outbox");
    shop.nothing_to_claim();
}

fn a_late_try_again_of_what_has_left_the_outbox_is_not_sent(shop: &Shop) {
    shop.accept("user");
    let post = Post::keyed("user", "order 1").quick(SHORT);
    let job = shop.take(&post);
    shop.wait();
    shop.ends_when_claimed(job.id, State::Unknown);
    let verdict = Verdict { errcode: Some(-1), ..Verdict::refused() };
    shop.close(&job, &verdict.again(SHORT));
    let row = shop.row_with(job.id);
    assert_eq!((row.state, row.errcode, row.due, row.attempts), (State::NotSent, Some(-1), None, 1));
    assert_eq!(counts(&shop.row("user")), books(1, 1, 0, 0, 0));
    assert_eq!(shop.pending(), 0);
    assert_eq!(shop.queue(&post.again()), job.id, "not the last word");
}

fn a_late_verdict_of_a_sending_that_was_claimed_anew_only_counts_its_calls(shop: &Shop) {
    shop.accept("user");
    let first = shop.take(&Post::to("user").quick(SHORT).stubborn());
    shop.wait();
    let second = shop.job();
    for _ in 0..2 {
        shop.close(&first, &Verdict::refused());
        let row = shop.row_with(first.id);
        assert_eq!((row.epoch, row.errcode, row.attempts), (second.epoch, None, 0));
        assert_eq!(counts(&shop.row("user")), books(1, 0, 1, 0, 0));
        assert_eq!((shop.usage(API).calls, shop.pending()), (1, 1));
    }
    shop.close(&second, &Verdict::delivered());
    assert_eq!((shop.row_with(first.id).state, shop.usage(API).calls), (State::Delivered, 2));
}
