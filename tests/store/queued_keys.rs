//! What a key means while its message waits, and after.

use routine_template::store::*;

use crate::post::Post;
use crate::shop::{HOUR, Message, SHORT, Shop, Verdict, books, counts};

on_every_engine!(
    a_key_that_waits_is_known,
    a_key_that_waits_is_under_way_for_begin_and_has_no_owner,
    a_key_that_waits_is_not_refused,
    a_key_that_is_being_sent_is_known,
    a_key_that_has_had_its_last_word_is_known,
    what_was_not_the_last_word_is_queued_again,
    a_begun_message_that_nobody_closed_becomes_unknown,
    a_claimed_message_that_nobody_closed_stays_in_the_outbox,
    a_claimed_message_that_begin_finds_abandoned_leaves_the_outbox,
);

fn a_key_that_waits_is_known(shop: &Shop) {
    let post = Post::keyed("user", "order 1");
    shop.queue(&post);
    let row = shop.row_with(post.message.id);
    let other = Post { body: b"another".to_vec(), ..Post::keyed("another", "order 1") };
    for again in [post.again(), other] {
        assert_eq!(shop.known_to_queue(&again), row);
        assert_eq!(shop.delivery(again.message.id), None);
    }
    assert_eq!(shop.pending(), 1);
    assert_eq!(shop.job().body, post.body);
}

fn a_key_that_waits_is_under_way_for_begin_and_has_no_owner(shop: &Shop) {
    let post = Post::keyed("user", "order 1");
    shop.queue(&post);
    let row = shop.row_with(post.message.id);
    for abandoned in [None, Some((row.id, row.epoch))] {
        let message = Message { abandoned, ..post.message.again() };
        assert_eq!(shop.under_way(&message), (row.clone(), String::new()));
    }
    // A message that will be tried again waits as well.
    shop.close(&shop.job(), &Verdict::not_sent().again(HOUR));
    assert_eq!(shop.under_way(&post.message.again()), (shop.row_with(row.id), String::new()));
    assert_eq!(shop.row_with(row.id).state, State::Queued);
}

fn a_key_that_waits_is_not_refused(shop: &Shop) {
    let post = Post::keyed("user", "order 1");
    shop.queue(&post);
    let row = shop.row_with(post.message.id);
    assert_eq!(shop.refuse(&post.message.again(), 47003, "wrong"), row.id);
    assert_eq!(shop.row_with(row.id), row);
    shop.close(&shop.job(), &Verdict::delivered());
}

fn a_key_that_is_being_sent_is_known(shop: &Shop) {
    let begun = Message::keyed("user", "order 1");
    let going = shop.go(&begun);
    assert_eq!(shop.known_to_queue(&Post::of(begun.again())), shop.row_with(begun.id));
    shop.finish(&begun, going, &Verdict::delivered());
    let post = Post::keyed("user", "order 2");
    let job = shop.take(&post);
    let row = shop.row_with(post.message.id);
    assert_eq!((row.state, row.due), (State::Sending, None));
    assert_eq!(shop.known_to_queue(&post.again()), row);
    assert_eq!(shop.under_way(&post.message.again()), (row, Owner::current().as_str().to_owned()));
    assert_eq!(shop.refuse(&post.message.again(), 47003, "wrong"), job.id);
    shop.close(&job, &Verdict::delivered());
    assert_eq!(shop.pending(), 0);
}

fn a_key_that_has_had_its_last_word_is_known(shop: &Shop) {
    for verdict in [Verdict::delivered(), Verdict::refused(), Verdict::unknown()] {
        let name = verdict.state.name();
        let sent = Message::keyed("user", &format!("sent {name}"));
        shop.send(&sent, &verdict);
        let queued = Post::keyed("user", &format!("queued {name}"));
        shop.close(&shop.take(&queued), &verdict);
        for message in [&sent, &queued.message] {
            let row = shop.row_with(message.id);
            assert_eq!((row.state, row.due), (verdict.state, None));
            assert_eq!(shop.known_to_queue(&Post::of(message.again())), row);
            assert_eq!(shop.known(&message.again()), row);
        }
    }
    assert_eq!(shop.pending(), 0);
}

fn what_was_not_the_last_word_is_queued_again(shop: &Shop) {
    let sent = Message::keyed("user", "order 1");
    shop.send(&sent, &Verdict::not_sent());
    let refused = Message::keyed("user", "order 2");
    shop.refuse(&refused, 47003, "wrong");
    let queued = Post::keyed("user", "order 3");
    shop.close(&shop.take(&queued), &Verdict::not_sent());
    for (message, attempts) in [(&sent, 1), (&refused, 0), (&queued.message, 1)] {
        let epoch = shop.row_with(message.id).epoch;
        let post = Post { body: b"new".to_vec(), ..Post::of(Message { openid: "new".to_owned(), ..message.again() }) };
        assert_eq!(shop.queue(&post), message.id, "the row keeps its id");
        assert_eq!(shop.queue(&post), message.id, "the call can be repeated");
        assert_eq!(shop.delivery(post.message.id), None);
        let row = shop.row_with(message.id);
        assert_eq!((row.state, row.openid.as_str(), row.attempts), (State::Queued, "new", attempts));
        assert_eq!((row.errcode, row.finished, row.epoch), (None, None, epoch + 1));
        let job = shop.job();
        assert_eq!((job.id, job.body.as_slice(), job.openid.as_str()), (message.id, b"new".as_slice(), "new"));
        assert_eq!((job.tries, job.unsure), (0, 0));
        shop.close(&job, &Verdict::delivered());
        assert_eq!(shop.row_with(message.id).attempts, attempts + 1);
    }
    // And sent at once, it is no queued message any more.
    let post = Post::keyed("user", "order 4");
    shop.close(&shop.take(&post), &Verdict::not_sent());
    shop.send(&post.message.again(), &Verdict::delivered());
    assert_eq!(shop.known_to_queue(&post.again()).state, State::Delivered);
}

fn a_begun_message_that_nobody_closed_becomes_unknown(shop: &Shop) {
    shop.accept("user");
    let message = Message::keyed("user", "order 1").with_lease(SHORT);
    shop.go(&message);
    shop.wait();
    for _ in 0..2 {
        let known = shop.known_to_queue(&Post::of(message.again()));
        assert_eq!((known.id, known.state), (message.id, State::Unknown));
    }
    assert_eq!(shop.known(&message.again()).state, State::Unknown, "for ever");
    assert_eq!(counts(&shop.row("user")), books(1, 0, 1, 0, 0));
    assert_eq!(shop.pending(), 0);
}

fn a_claimed_message_that_nobody_closed_stays_in_the_outbox(shop: &Shop) {
    let post = Post::keyed("user", "order 1").quick(SHORT).stubborn();
    let job = shop.take(&post);
    shop.wait();
    let known = shop.known_to_queue(&post.again());
    assert_eq!((known.id, known.state, known.due), (job.id, State::Unknown, None));
    assert_eq!(shop.pending(), 1);
    assert_eq!(shop.job().id, job.id, "it goes on");
}

fn a_claimed_message_that_begin_finds_abandoned_leaves_the_outbox(shop: &Shop) {
    shop.accept("user");
    let post = Post::keyed("user", "order 1").stubborn();
    let next = Post::to("user");
    let job = shop.take(&post);
    shop.queue(&next);
    let heir = Message { abandoned: Some((job.id, job.epoch)), openid: "another".to_owned(), ..post.message.again() };
    let known = shop.known(&heir);
    assert_eq!((known.id, known.state, known.due), (job.id, State::Unknown, None));
    assert_eq!(shop.known_to_queue(&post.again()).state, State::Unknown);
    assert_eq!(shop.pending(), 1);
    assert_eq!(shop.job().id, next.message.id, "the next one of its receiver is the first");
    assert_eq!(counts(&shop.row("user")), books(1, 0, 1, 0, 0));
}
