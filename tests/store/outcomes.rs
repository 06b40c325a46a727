//! What becomes of a claimed message: it ends, or is tried again.

use routine_template::store::*;

use crate::post::Post;
use crate::shop::{API, HOUR, SHORT, Shop, Verdict, books, counts, now};

on_every_engine!(
    an_end_takes_it_out_of_the_outbox,
    an_end_of_the_outbox_can_be_repeated,
    a_message_is_tried_again_when_it_is_due,
    a_try_keeps_its_verdict_and_gives_back_what_it_took,
    a_try_can_be_repeated_and_the_next_one_is_another,
    a_deliverer_may_say_that_it_expired,
);

fn an_end_takes_it_out_of_the_outbox(shop: &Shop) {
    for verdict in [Verdict::delivered(), Verdict::refused(), Verdict::no_grant(), Verdict::unknown()] {
        let post = Post::to("user");
        let job = shop.take(&post);
        shop.close(&job, &verdict);
        let row = shop.row_with(job.id);
        assert_eq!((row.state, row.errcode, row.attempts, row.due), (verdict.state, verdict.errcode, 1, None));
        assert!(row.finished.is_some());
        assert_eq!(shop.pending(), 0);
        shop.nothing_to_claim();
    }
    assert_eq!(shop.usage(API).calls, 4);
}

fn an_end_of_the_outbox_can_be_repeated(shop: &Shop) {
    shop.accept("user");
    let job = shop.take(&Post::keyed("user", "order 1"));
    for _ in 0..3 {
        shop.close(&job, &Verdict::delivered());
    }
    let row = shop.row_with(job.id);
    assert_eq!((row.state, row.attempts), (State::Delivered, 1));
    shop.close(&job, &Verdict::not_sent().again(SHORT));
    assert_eq!(shop.row_with(job.id), row, "closed is closed");
    assert_eq!(counts(&shop.row("user")), books(1, 0, 0, 1, 0));
    assert_eq!((shop.usage(API).calls, shop.pending()), (1, 0));
}

fn a_message_is_tried_again_when_it_is_due(shop: &Shop) {
    let job = shop.take(&Post::keyed("user", "order 1"));
    let before = now();
    shop.close(&job, &Verdict::not_sent().again(HOUR));
    let row = shop.row_with(job.id);
    assert_eq!((row.state, row.epoch), (State::Queued, 2));
    let due = row.due.unwrap() - 3_600_000;
    assert!((before - 1..=now() + 1).contains(&due), "{before} {due}");
    shop.nothing_to_claim();
    assert_eq!(shop.pending(), 1);
    let mut job = shop.take(&Post::to("another"));
    for tries in 1..4 {
        shop.close(&job, &Verdict::not_sent().again(SHORT));
        shop.wait();
        let next = shop.job();
        assert_eq!((next.id, next.tries, next.unsure, next.epoch), (job.id, tries, 0, tries + 2));
        job = next;
    }
    shop.close(&job, &Verdict::delivered());
    assert_eq!(shop.row_with(job.id).attempts, 4);
    assert_eq!(shop.usage(API).calls, 5);
}

fn a_try_keeps_its_verdict_and_gives_back_what_it_took(shop: &Shop) {
    shop.accept("user");
    let job = shop.take(&Post::keyed("user", "order 1"));
    assert_eq!(counts(&shop.row("user")), books(1, 0, 1, 0, 0));
    let verdict = Verdict {
        errcode: Some(-1),
        errmsg: "system error".to_owned(),
        rid: Some("rid".to_owned()),
        attempts: 2,
        ..Verdict::refused()
    };
    shop.close(&job, &verdict.again(SHORT));
    assert_eq!(counts(&shop.row("user")), books(1, 1, 0, 0, 0));
    let row = shop.row_with(job.id);
    assert_eq!((row.state, row.errcode, row.from_wechat, row.attempts), (State::Queued, Some(-1), true, 2));
    assert_eq!((row.errmsg.as_str(), row.rid.as_deref()), ("system error", Some("rid")));
    shop.wait();
    let job = shop.job();
    assert_eq!((job.grant, job.tries, job.unsure), (Grant::Reserved, 1, 0));
    assert_eq!(counts(&shop.row("user")), books(1, 0, 1, 0, 0));
    shop.close(&job, &Verdict::delivered());
    let row = shop.row_with(job.id);
    assert_eq!((row.state, row.errcode, row.attempts, row.rid), (State::Delivered, Some(0), 3, None));
    assert_eq!(shop.usage(API).calls, 3);
}

fn a_try_can_be_repeated_and_the_next_one_is_another(shop: &Shop) {
    shop.accept("user");
    let first = shop.take(&Post::to("user"));
    let verdict = Verdict::not_sent().again(SHORT);
    shop.close(&first, &verdict);
    let row = shop.row_with(first.id);
    for late in [verdict.clone(), Verdict::delivered()] {
        shop.close(&first, &late);
        assert_eq!(shop.row_with(first.id), row, "due as before");
        assert_eq!(counts(&shop.row("user")), books(1, 1, 0, 0, 0));
    }
    shop.wait();
    let second = shop.job();
    assert_eq!((second.tries, second.epoch), (1, first.epoch + 1));
    let row = shop.row_with(first.id);
    for late in [verdict, Verdict::delivered()] {
        shop.close(&first, &late);
        assert_eq!(shop.row_with(first.id), row);
        assert_eq!(counts(&shop.row("user")), books(1, 0, 1, 0, 0));
    }
    assert_eq!(shop.usage(API).calls, 1);
    shop.close(&second, &Verdict::delivered());
    assert_eq!((shop.usage(API).calls, shop.pending()), (2, 0));
}

fn a_deliverer_may_say_that_it_expired(shop: &Shop) {
    let post = Post::keyed("user", "order 1");
    let job = shop.take(&post);
    let expired = Verdict { state: State::Expired, errcode: None, attempts: 0, ..Verdict::refused() };
    shop.close(&job, &Verdict { errmsg: String::new(), ..expired });
    assert_eq!(shop.known(&post.message.again()).state, State::Expired);
    assert_eq!(shop.pending(), 0);
}
