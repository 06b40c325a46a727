//! `enqueue`: what is accepted, and how it waits.

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
        receipt: None,
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
