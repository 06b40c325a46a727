//! Messages to one receiver go one after another.

use std::time::Duration;

use routine_template::message::Channel;
use routine_template::store::*;

use crate::post::{Post, ids, of_job};
use crate::shop::{HOUR, Message, SHORT, Shop, Verdict, now};

on_every_engine!(
    messages_to_one_receiver_go_one_after_another,
    the_receiver_is_the_real_one,
    receivers_do_not_wait_for_each_other,
    channels_share_their_receivers,
    a_delayed_message_does_not_hold_up_others,
    a_delayed_message_whose_time_has_come_goes_first,
    a_message_that_is_tried_again_stays_the_first,
    a_message_under_way_stays_the_first,
    whatever_ends_a_message_lets_the_next_one_go,
    what_cannot_go_does_not_hold_up_the_claim,
    an_unclosed_message_lets_the_next_one_go,
    a_long_lane_is_claimed_one_by_one,
);

fn messages_to_one_receiver_go_one_after_another(shop: &Shop) {
    let queued: Vec<_> = (0..4).map(|_| shop.queue(&Post::to("user"))).collect();
    let mut taken = Vec::new();
    for left in (0..4).rev() {
        let job = shop.job();
        shop.nothing_to_claim();
        shop.close(&job, &Verdict::delivered());
        taken.push(job.id);
        assert_eq!(shop.pending(), left);
    }
    assert_eq!(taken, queued);
}

fn the_receiver_is_the_real_one(shop: &Shop) {
    let shown = |real: &str, shown: &str| {
        let message = Message { shown_openid: Some(shown.to_owned()), ..Message::to(real) };
        shop.queue(&Post::of(message))
    };
    let first = shown("user", "hash 1");
    shown("user", "hash 2");
    let other = shown("another", "hash 1");
    assert_eq!(ids(&shop.claim(10).jobs), [first, other]);
}

fn receivers_do_not_wait_for_each_other(shop: &Shop) {
    let users = ["", "a", "A", "a:b", "a:", "用户"];
    for _ in 0..2 {
        for user in users {
            shop.queue(&Post::to(user));
        }
    }
    let claimed = shop.claim(256);
    let mut openids: Vec<_> = claimed.jobs.iter().map(|job| job.openid.as_str()).collect();
    openids.sort_unstable();
    let mut expected = users;
    expected.sort_unstable();
    assert_eq!(openids, expected);
    shop.nothing_to_claim();
}

fn channels_share_their_receivers(shop: &Shop) {
    let first = shop.queue(&Post::of(Message { channel: Channel::Bizsend, ..Message::to("user") }));
    let second = shop.queue(&Post::to("user"));
    shop.nothing_to_claim();
    let job = shop.claim_of(Channel::Bizsend, 10).jobs.into_iter().next().unwrap();
    assert_eq!(job.id, first);
    shop.nothing_to_claim();
    shop.close_as(&of_job(&job, Channel::Bizsend), &job, &Verdict::delivered());
    assert_eq!(shop.job().id, second);
    assert_eq!(shop.claim_of(Channel::Bizsend, 10), Claimed::default());
}

fn a_delayed_message_does_not_hold_up_others(shop: &Shop) {
    let delayed = shop.queue(&Post::to("user").delayed(HOUR));
    let later = shop.queue(&Post::to("user").delayed(2 * HOUR));
    let first = shop.queue(&Post::to("user"));
    let second = shop.queue(&Post::to("user"));
    for id in [first, second] {
        let job = shop.job();
        assert_eq!(job.id, id);
        shop.close(&job, &Verdict::delivered());
    }
    shop.nothing_to_claim();
    assert_eq!(shop.pending(), 2);
    for id in [delayed, later] {
        assert_eq!(shop.row_with(id).state, State::Queued);
    }
}

fn a_delayed_message_whose_time_has_come_goes_first(shop: &Shop) {
    let later = shop.queue(&Post::to("user").delayed(3 * SHORT));
    let sooner = shop.queue(&Post::to("user").delayed(SHORT));
    std::thread::sleep(6 * SHORT);
    let at_once = shop.queue(&Post::to("user"));
    for id in [sooner, later, at_once] {
        let job = shop.job();
        assert_eq!(job.id, id);
        shop.close(&job, &Verdict::delivered());
    }
}

fn a_message_that_is_tried_again_stays_the_first(shop: &Shop) {
    let delayed = shop.queue(&Post::to("user").delayed(SHORT));
    shop.wait();
    let job = shop.job();
    assert_eq!(job.id, delayed);
    let wait = Duration::from_millis(500);
    let due = now() + 500;
    shop.close(&job, &Verdict::not_sent().again(wait));
    let next = shop.queue(&Post::to("user"));
    let claimed = shop.claim(10);
    if now() < due {
        assert_eq!(claimed, Claimed::default(), "nobody overtakes it");
        std::thread::sleep(wait + SHORT);
        let again = shop.job();
        assert_eq!(again.id, delayed);
        shop.close(&again, &Verdict::delivered());
        assert_eq!(shop.job().id, next);
    }
}

fn a_message_under_way_stays_the_first(shop: &Shop) {
    let first = shop.take(&Post::to("user"));
    // Made earlier, queued later.
    let mut early = Post::to("user");
    early.message.id = MessageId::floor(now() - 60_000);
    shop.queue(&early);
    shop.nothing_to_claim();
    shop.close(&first, &Verdict::not_sent().again(HOUR));
    shop.nothing_to_claim();
    assert_eq!(shop.pending(), 2);
}

fn whatever_ends_a_message_lets_the_next_one_go(shop: &Shop) {
    for verdict in [
        Verdict::delivered(),
        Verdict::refused(),
        Verdict::no_grant(),
        Verdict::not_sent(),
        Verdict::unknown(),
        Verdict { last_word: false, ..Verdict::unknown() },
    ] {
        let user = format!("{:?} {}", verdict.state, verdict.last_word) + &verdict.errcode.unwrap_or(1).to_string();
        let job = shop.take(&Post::to(&user));
        let next = shop.queue(&Post::to(&user));
        shop.nothing_to_claim();
        shop.close(&job, &verdict);
        let job = shop.job();
        assert_eq!(job.id, next);
        shop.close(&job, &Verdict::delivered());
    }
}

fn what_cannot_go_does_not_hold_up_the_claim(shop: &Shop) {
    let old = |user: &str| shop.queue(&Post { expires: SHORT, ..Post::to(user) });
    let expired: Vec<_> = (0..5).map(|_| old("user")).collect();
    let fresh = shop.queue(&Post::to("user"));
    shop.wait();
    let claimed = shop.claim(256);
    let ended: Vec<_> = claimed.ended.iter().map(|(id, state)| (*id, *state)).collect();
    let expected: Vec<_> = expired.into_iter().map(|id| (id, State::Expired)).collect();
    assert_eq!((ended, ids(&claimed.jobs), claimed.more), (expected, vec![fresh], false));
    // With a limit it takes several claims; each says that there is more.
    let expired: Vec<_> = (0..3).map(|_| old("another")).collect();
    let fresh = shop.queue(&Post::to("another"));
    shop.wait();
    let mut all = Vec::new();
    for _ in 0..10 {
        let claimed = shop.claim(1);
        all.extend(claimed.ended.iter().map(|(id, _)| *id));
        all.extend(ids(&claimed.jobs));
        if !claimed.more {
            break;
        }
    }
    assert_eq!(all, [expired, vec![fresh]].concat());
}

fn an_unclosed_message_lets_the_next_one_go(shop: &Shop) {
    let job = shop.take(&Post::to("user").quick(SHORT));
    let next = shop.queue(&Post::to("user"));
    shop.wait();
    let claimed = shop.claim(10);
    assert_eq!((claimed.ended, ids(&claimed.jobs)), (vec![(job.id, State::Unknown)], vec![next]));
}

fn a_long_lane_is_claimed_one_by_one(shop: &Shop) {
    let lane: Vec<_> = (0..200).map(|_| shop.queue(&Post::to("user"))).collect();
    let other = shop.queue(&Post::to("another"));
    let claimed = shop.claim(256);
    assert_eq!((ids(&claimed.jobs), claimed.more), (vec![lane[0], other], false));
    for (job, next) in lane.iter().zip(&lane[1..]) {
        let job = Job { id: *job, ..claimed.jobs[0].clone() };
        shop.close(&job, &Verdict::delivered());
        assert_eq!(shop.job().id, *next);
    }
    assert_eq!(shop.pending(), 2);
}
