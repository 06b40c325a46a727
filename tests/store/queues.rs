//! `queues` and `pending`: what waits, and how long.

use std::time::Duration;

use routine_template::message::Channel;
use routine_template::store::*;

use crate::post::{MINUTE, Post, sender};
use crate::shop::{APP, HOUR, Message, SHORT, Shop, Verdict, soon};

on_every_engine!(
    an_empty_outbox_has_no_queues,
    a_queue_says_how_soon_something_is_due,
    a_queue_says_how_soon_a_lease_is_over,
    what_waits_behind_another_is_not_due,
    queues_are_by_account_and_channel,
    pending_counts_what_waits_and_what_is_under_way,
);

fn queues(shop: &Shop, appid: Option<&str>) -> Vec<Queue> {
    let mut queues = shop.store().queues(appid, soon()).unwrap();
    queues.sort_by_key(|queue| (queue.appid.clone(), queue.channel.path()));
    queues
}

#[track_caller]
fn queue(shop: &Shop) -> Queue {
    let queues = queues(shop, Some(APP));
    assert_eq!(queues.len(), 1, "{queues:?}");
    queues.into_iter().next().unwrap()
}

#[track_caller]
fn is_about(actual: Option<Duration>, expected: Duration) {
    let actual = actual.unwrap();
    assert!(actual <= expected && actual + MINUTE > expected, "{actual:?} is not {expected:?}");
}

fn an_empty_outbox_has_no_queues(shop: &Shop) {
    assert_eq!(queues(shop, None), []);
    assert_eq!(queues(shop, Some(APP)), []);
    shop.close(&shop.take(&Post::to("user")), &Verdict::delivered());
    shop.go(&Message::to("user"));
    assert_eq!(queues(shop, None), []);
    assert_eq!(queues(shop, Some(APP)), []);
}

fn a_queue_says_how_soon_something_is_due(shop: &Shop) {
    shop.queue(&Post::to("a").delayed(2 * HOUR));
    let only = queue(shop);
    assert_eq!((only.channel, only.lease_in, only.sender.as_str()), (Channel::Subscribe, None, "1"));
    is_about(only.due_in, 2 * HOUR);
    shop.queue(&Post::to("b").delayed(HOUR));
    is_about(queue(shop).due_in, HOUR);
    let job = shop.take(&Post::to("c"));
    is_about(queue(shop).due_in, HOUR);
    shop.close(&job, &Verdict::not_sent().again(HOUR / 2));
    is_about(queue(shop).due_in, HOUR / 2);
    shop.queue(&Post::to("d"));
    assert_eq!(queue(shop).due_in, Some(Duration::ZERO));
}

fn a_queue_says_how_soon_a_lease_is_over(shop: &Shop) {
    shop.take(&Post::to("a"));
    let only = queue(shop);
    assert_eq!(only.due_in, None);
    is_about(only.lease_in, HOUR);
    shop.take(&Post::to("b").quick(HOUR / 2));
    is_about(queue(shop).lease_in, HOUR / 2);
    shop.take(&Post::to("c").quick(SHORT));
    shop.wait();
    let only = queue(shop);
    assert_eq!((only.due_in, only.lease_in), (None, Some(Duration::ZERO)));
}

fn what_waits_behind_another_is_not_due(shop: &Shop) {
    let job = shop.take(&Post::to("user"));
    shop.queue(&Post::to("user"));
    let only = queue(shop);
    assert_eq!(only.due_in, None, "a claim would bring nothing");
    is_about(only.lease_in, HOUR);
    shop.close(&job, &Verdict::not_sent().again(HOUR));
    let only = queue(shop);
    is_about(only.due_in, HOUR);
    assert_eq!(only.lease_in, None);
    // Not even in another channel, though its queue is there.
    shop.queue(&Post::of(Message { channel: Channel::Bizsend, ..Message::to("user") }));
    let two = queues(shop, None);
    let bizsend = two.iter().find(|queue| queue.channel == Channel::Bizsend).unwrap();
    assert_eq!((two.len(), bizsend.due_in, bizsend.lease_in), (2, None, None));
}

fn queues_are_by_account_and_channel(shop: &Shop) {
    let accounts = ["wx1", "wx11", "wx2"];
    for appid in accounts {
        for channel in [Channel::Subscribe, Channel::Bizsend, Channel::Template] {
            let message = Message { appid: appid.to_owned(), channel, ..Message::to(channel.path()) };
            shop.queue(&Post { sender: sender(appid), ..Post::of(message) });
        }
    }
    shop.go(&Message { appid: "wx3".to_owned(), ..Message::to("user") });
    let all = queues(shop, None);
    assert_eq!(all.len(), 9, "{all:?}");
    for appid in accounts {
        let own = queues(shop, Some(appid));
        assert_eq!(own, all.iter().filter(|queue| queue.appid == appid).cloned().collect::<Vec<_>>());
        assert!(own.iter().all(|queue| queue.sender == appid && queue.due_in == Some(Duration::ZERO)), "{own:?}");
    }
    assert_eq!(queues(shop, Some("wx")), []);
    assert_eq!(queues(shop, Some("wx3")), []);
}

fn pending_counts_what_waits_and_what_is_under_way(shop: &Shop) {
    assert_eq!(shop.pending(), 0);
    let jobs: Vec<_> = ["a", "b", "c"].map(|user| shop.take(&Post::to(user))).into();
    for user in ["a", "d"] {
        shop.queue(&Post::to(user));
    }
    shop.queue(&Post::to("e").delayed(HOUR));
    assert_eq!(shop.pending(), 6);
    shop.close(&jobs[0], &Verdict::delivered());
    shop.close(&jobs[1], &Verdict::not_sent().again(HOUR));
    assert_eq!(shop.pending(), 5);
    assert_eq!(shop.store().pending("wxanother", soon()).unwrap(), 0);
}
