//! `begin_all` and `finish_all`: many messages for the price of few.

use routine_template::store::*;

use crate::post::{Post, of_job};
use crate::shop::{API, Going, Message, Shop, Verdict, books, counts, soon};

on_every_engine!(
    many_begin_as_each_would,
    many_finish_as_each_would,
    many_that_were_queued_leave_the_outbox_together,
    an_empty_batch_is_no_work,
);

fn begin_all(shop: &Shop, messages: &[Message]) -> Vec<Begun> {
    let begins: Vec<_> = messages.iter().map(Message::begin).collect();
    shop.store().begin_all(&begins, soon()).unwrap()
}

fn finish_all(shop: &Shop, ends: &[(Message, Going, Verdict)]) {
    let made: Vec<_> = ends
        .iter()
        .map(|(message, going, verdict)| (message.begin(), going.epoch, verdict.end(*going, message)))
        .collect();
    let ends: Vec<_> = made.iter().map(|(begin, epoch, end)| (begin, *epoch, end)).collect();
    shop.store().finish_all(&ends, soon()).unwrap();
}

#[track_caller]
fn going(begun: &Begun) -> Going {
    match begun {
        Begun::Go { id, epoch, grant, seen } => Going { id: *id, epoch: *epoch, grant: *grant, seen: *seen },
        other => panic!("no Go: {other:?}"),
    }
}

fn many_begin_as_each_would(shop: &Shop) {
    shop.accept("user");
    let delivered = Message::keyed("user", "order 1");
    shop.send(&delivered, &Verdict::delivered());
    shop.accept("user");
    let strict = routine_template::config::GrantPolicy::Strict;
    let messages = [
        Message::to("user"),
        Message::to("user"),
        delivered.again(),
        Message::keyed("another", "order 2"),
        Message::keyed("another", "order 2"),
        Message::to("third").with_policy(strict),
        Message { appid: "wxanother".to_owned(), ..Message::to("user") },
    ];
    let begun = begin_all(shop, &messages);
    assert_eq!(begun.len(), messages.len());
    assert_eq!((going(&begun[0]).grant, going(&begun[1]).grant), (Grant::Reserved, Grant::OnCredit));
    assert_eq!(begun[2], Begun::Known(shop.row_with(delivered.id)));
    assert_eq!(going(&begun[3]).id, messages[3].id);
    assert!(matches!(&begun[4], Begun::UnderWay(row, _) if row.id == messages[3].id), "{:?}", begun[4]);
    assert_eq!(begun[5], Begun::NoGrant { id: messages[5].id, certain: false });
    assert_eq!(going(&begun[6]).grant, Grant::Uncounted);
    assert_eq!(counts(&shop.row("user")), books(2, 0, 1, 1, 0));
    // All of it can be repeated.
    for place in [0, 1, 3, 6] {
        assert_eq!(begin_all(shop, &messages[place..=place]), begun[place..=place]);
    }
}

fn many_finish_as_each_would(shop: &Shop) {
    for _ in 0..3 {
        shop.accept("user");
    }
    let messages = [Message::to("user"), Message::keyed("user", "order 1"), Message::to("user"), Message::to("user")];
    let begun = begin_all(shop, &messages);
    let verdicts = [Verdict::delivered(), Verdict::refused(), Verdict::unknown(), Verdict::not_sent()];
    let ends: Vec<_> = messages
        .iter()
        .zip(&begun)
        .zip(&verdicts)
        .map(|((message, begun), verdict)| (message.clone(), going(begun), verdict.clone()))
        .collect();
    for _ in 0..2 {
        finish_all(shop, &ends);
        for (message, verdict) in messages.iter().zip(&verdicts) {
            assert_eq!(shop.row_with(message.id).state, verdict.state);
        }
        assert_eq!(counts(&shop.row("user")), books(3, 1, 1, 1, 0));
        assert_eq!(shop.usage(API).calls, 4);
    }
}

fn many_that_were_queued_leave_the_outbox_together(shop: &Shop) {
    for number in 0..20 {
        for _ in 0..2 {
            shop.queue(&Post::to(&format!("user {number}")));
        }
    }
    for left in [20, 0] {
        let jobs = shop.claim(256).jobs;
        assert_eq!(jobs.len(), 20);
        let ends: Vec<_> = jobs
            .iter()
            .map(|job| {
                let message = of_job(job, routine_template::message::Channel::Subscribe);
                let going = Going { id: job.id, epoch: job.epoch, grant: job.grant, seen: job.seen };
                (message, going, Verdict::delivered())
            })
            .collect();
        finish_all(shop, &ends);
        assert_eq!(shop.pending(), left);
    }
    shop.nothing_to_claim();
}

fn an_empty_batch_is_no_work(shop: &Shop) {
    assert_eq!(begin_all(shop, &[]), []);
    finish_all(shop, &[]);
}
