//! `enqueue`: what is accepted, and what a key means while it waits.

use std::time::Duration;

use routine_template::config::GrantPolicy;
use routine_template::message::Channel;
use routine_template::store::*;

use crate::post::{MINUTE, Post, claim, sender};
use crate::shop::{API, APP, DAY, HOUR, Message, SHORT, Shop, Verdict, books, counts, now, soon};

on_every_engine!(
    what_was_queued_waits_in_its_row,
    what_was_queued_is_claimed_as_it_was,
    any_body_is_read_back,
    queueing_takes_nothing_and_asks_no_pause,
    queueing_can_be_repeated,
    queueing_can_be_repeated_whatever_became_of_it,
    a_key_that_waits_is_known,
    a_key_that_waits_is_under_way_for_begin_and_has_no_owner,
    a_key_that_waits_is_not_refused,
    a_key_that_is_being_sent_is_known,
    a_key_that_has_had_its_last_word_is_known,
    what_was_not_the_last_word_is_queued_again,
    a_begun_message_that_nobody_closed_becomes_unknown,
    a_claimed_message_that_nobody_closed_stays_in_the_outbox,
    a_claimed_message_that_begin_finds_abandoned_leaves_the_outbox,
    a_row_does_not_expire_while_its_message_waits,
    a_delayed_message_waits_for_its_time,
    the_settings_of_an_account_are_those_that_came_last,
    accounts_have_outboxes_of_their_own,
);

fn what_was_queued_waits_in_its_row(shop: &Shop) {
    let message = Message {
        shown_openid: Some("hash".to_owned()),
        changed: Some("[]".to_owned()),
        payload: Some("{}".to_owned()),
        ..Message::keyed("user", "order 1")
    };
    let before = now();
    assert_eq!(shop.queue(&Post::of(message.clone())), message.id);
    let row = shop.row_with(message.id);
    let expected = Delivery {
        id: message.id,
        epoch: 1,
        openid: "hash".to_owned(),
        template_id: message.template.clone(),
        channel: Channel::Subscribe,
        key: message.key.clone(),
        state: State::Queued,
        errcode: None,
        errmsg: String::new(),
        from_wechat: false,
        msgid: None,
        rid: None,
        attempts: 0,
        changed: message.changed.clone(),
        payload: message.payload.clone(),
        begun: row.begun,
        finished: None,
        due: row.due,
    };
    assert_eq!(row, expected);
    let due = row.due.unwrap();
    assert!((before - 1..=now() + 1).contains(&due), "{before} {due}");
    let filter = Filter { state: Some(State::Queued), openid: Some("hash"), limit: 10, ..Filter::default() };
    assert_eq!(shop.deliveries(&filter), [row]);
    assert_eq!(shop.pending(), 1);
}

fn what_was_queued_is_claimed_as_it_was(shop: &Shop) {
    for (number, policy) in [GrantPolicy::Off, GrantPolicy::Certain].into_iter().enumerate() {
        let message = Message {
            shown_openid: Some("hash".to_owned()),
            ..Message::keyed("user", &format!("order {number}")).with_policy(policy)
        };
        let post = Post {
            body: br#"{"touser":"user"}"#.to_vec(),
            timeout: Duration::from_millis(3001),
            resend_unknown: number == 1,
            ..Post::of(message.clone())
        };
        let job = shop.take(&post);
        assert!(job.expires_in <= HOUR && job.expires_in > HOUR - MINUTE, "{:?}", job.expires_in);
        let expected = Job {
            id: message.id,
            epoch: 2,
            grant: Grant::Uncounted,
            seen: 0,
            openid: "user".to_owned(),
            shown_openid: "hash".to_owned(),
            template_id: message.template.clone(),
            key: message.key.clone(),
            policy,
            body: post.body.clone(),
            timeout: post.timeout,
            tries: 0,
            unsure: 0,
            resend_unknown: post.resend_unknown,
            expires_in: job.expires_in,
        };
        assert_eq!(job, expected);
        shop.close(&job, &Verdict::delivered());
    }
}

fn any_body_is_read_back(shop: &Shop) {
    for body in [Vec::new(), (0..=255).collect(), "您的订单🎉".repeat(5000).into_bytes(), b"'; --".to_vec()] {
        let post = Post { body, ..Post::to("user") };
        let job = shop.take(&post);
        assert!(job.body == post.body, "{} bytes", post.body.len());
        shop.close(&job, &Verdict::delivered());
    }
}

fn queueing_takes_nothing_and_asks_no_pause(shop: &Shop) {
    shop.accept("user");
    shop.send(&Message::to("another"), &Verdict::paused(now() + 3_600_000));
    let calls = shop.usage(API).calls;
    shop.queue(&Post::to("user"));
    assert_eq!(counts(&shop.row("user")), books(1, 1, 0, 0, 0));
    assert_eq!(shop.usage(API).calls, calls);
    shop.accept("strict");
    shop.send(&Message { channel: Channel::Bizsend, ..Message::to("strict") }, &Verdict::no_grant());
    shop.queue(&Post::of(Message::to("strict").with_policy(GrantPolicy::Strict)));
    assert_eq!(shop.pending(), 2);
}

fn queueing_can_be_repeated(shop: &Shop) {
    for post in [Post::to("user"), Post::keyed("another", "order 1")] {
        shop.queue(&post);
        let (row, pending) = (shop.row_with(post.message.id), shop.pending());
        let altered = Post { body: b"another".to_vec(), delay: HOUR, ..post.clone() };
        for again in [&post, &altered] {
            assert_eq!(shop.queue(again), post.message.id);
            assert_eq!(shop.row_with(post.message.id), row);
            assert_eq!(shop.pending(), pending);
        }
    }
    let claimed = shop.claim(256);
    assert_eq!(claimed.jobs.iter().map(|job| job.body.as_slice()).collect::<Vec<_>>(), [b"{}", b"{}"]);
}

fn queueing_can_be_repeated_whatever_became_of_it(shop: &Shop) {
    for post in [Post::to("user"), Post::keyed("another", "order 1"), Post::keyed("third", "order 2")] {
        let verdict = if post.message.openid == "third" { Verdict::not_sent() } else { Verdict::delivered() };
        let job = shop.take(&post);
        let row = shop.row_with(post.message.id);
        assert_eq!(shop.queue(&post), post.message.id);
        assert_eq!(shop.row_with(post.message.id), row);
        shop.close(&job, &verdict);
        let row = shop.row_with(post.message.id);
        assert_eq!(shop.queue(&post), post.message.id);
        assert_eq!(shop.row_with(post.message.id), row);
        assert_eq!(shop.pending(), 0);
        shop.nothing_to_claim();
    }
}

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

fn a_row_does_not_expire_while_its_message_waits(shop: &Shop) {
    let retention = Duration::from_millis(200);
    let brief = |key: &str| Post::of(Message { retention, ..Message::keyed("user", key) });
    let (first, second) = (brief("order 1"), brief("order 2"));
    shop.queue(&first);
    shop.queue(&second);
    std::thread::sleep(2 * retention);
    for post in [&first, &second] {
        assert_eq!(shop.row_with(post.message.id).state, State::Queued);
        assert_eq!(shop.known_to_queue(&post.again()).id, post.message.id);
    }
    let job = shop.job();
    std::thread::sleep(2 * retention);
    // Writing is when engines tidy up.
    for _ in 0..5 {
        shop.send(&Message { retention: SHORT, ..Message::to("another") }, &Verdict::delivered());
        shop.wait();
    }
    assert_eq!(shop.row_with(first.message.id).state, State::Sending);
    shop.close_as(&Message { retention, queued: true, ..first.message.clone() }, &job, &Verdict::delivered());
    std::thread::sleep(2 * retention);
    assert_eq!(shop.delivery(first.message.id), None, "from its end on it does");
    let again = first.again();
    assert_eq!(shop.queue(&again), again.message.id, "so does its key");
    assert_eq!(shop.row_with(second.message.id).state, State::Queued);
}

fn a_delayed_message_waits_for_its_time(shop: &Shop) {
    let delay = Duration::from_millis(400);
    let before = now();
    let post = Post::keyed("user", "order 1").delayed(delay);
    shop.queue(&post);
    let due = shop.row_with(post.message.id).due.unwrap();
    assert!((before + 400 - 1..=now() + 400 + 1).contains(&due), "{before} {due}");
    let claimed = shop.claim(10);
    // A machine that stood still for so long claims it at once.
    if now() < due {
        assert_eq!(claimed, Claimed::default());
        std::thread::sleep(delay + SHORT);
        let job = shop.job();
        assert_eq!(job.id, post.message.id);
        assert!(job.expires_in > HOUR - MINUTE, "it counts from when it is due: {:?}", job.expires_in);
    }
}

fn the_settings_of_an_account_are_those_that_came_last(shop: &Shop) {
    let stored = || shop.store().sender(APP, soon()).unwrap();
    assert_eq!(stored(), None);
    shop.go(&Message::to("user"));
    assert_eq!(stored(), None);
    for version in ["1", "2", "2", "1"] {
        let post = Post { sender: sender(version), ..Post::to("user") };
        shop.queue(&post);
        assert_eq!(stored(), Some(sender(version)));
        assert_eq!(shop.store().queues(Some(APP), soon()).unwrap()[0].sender, version);
    }
    assert_eq!(shop.store().sender("wxanother", soon()).unwrap(), None);
    let secret = sender("1");
    assert!(!format!("{secret:?}").contains("secret"), "{secret:?}");
}

fn accounts_have_outboxes_of_their_own(shop: &Shop) {
    let other = "wxfedcba9876543210";
    let ours = Post::keyed("user", "order 1");
    let theirs = Post::of(Message { appid: other.to_owned(), ..Message::keyed("user", "order 1") });
    let theirs = Post { sender: sender("theirs"), ..theirs };
    shop.queue(&ours);
    assert_eq!(shop.queue(&theirs), theirs.message.id, "the key is theirs, too");
    let pending = |appid| shop.store().pending(appid, soon()).unwrap();
    assert_eq!((pending(APP), pending(other), pending("wxthird")), (1, 1, 0));
    assert_eq!(shop.store().sender(APP, soon()).unwrap(), Some(sender("1")));
    assert_eq!(shop.store().sender(other, soon()).unwrap(), Some(sender("theirs")));
    shop.send(&Message::to("user"), &Verdict::paused(now() + 3_600_000));
    let owner = Owner::current();
    let claimed = shop.store().claim(&claim(other, Channel::Subscribe, 10, &owner), soon()).unwrap();
    assert_eq!(crate::post::ids(&claimed.jobs), [theirs.message.id], "neither pause nor receiver is theirs");
    assert!(shop.claim(10).pause.is_some());
    shop.store().clear_quota(APP, None, DAY, soon()).unwrap();
    assert_eq!(shop.job().id, ours.message.id);
    assert_eq!((pending(APP), pending(other)), (1, 1));
}
