//! `usage` and `clear_quota`: calls of an API on a day, and pauses.

use routine_template::message::Channel;
use routine_template::store::*;

use crate::shop::{API, APP, DAY, Message, Shop, Verdict, now, soon};

on_every_engine!(
    calls_are_counted_per_api_and_day,
    what_was_never_posted_is_not_counted,
    a_pause_is_shown_while_it_holds,
    clearing_concerns_one_api_or_all,
    clearing_forgets_the_counts_of_that_day_only,
    a_later_answer_without_a_pause_does_not_end_it,
);

fn calls(shop: &Shop, api: &str, day: u32) -> u64 {
    shop.store().usage(APP, api, day, soon()).unwrap().calls
}

fn send_on(shop: &Shop, day: u32, channel: Channel, attempts: u32) {
    let message = Message { channel, ..Message::to("user") };
    let going = shop.go(&message);
    let verdict = Verdict { attempts, ..Verdict::delivered() };
    let end = End { day, ..verdict.end(going, &message) };
    shop.store().finish(&message.begin(), going.epoch, &end, soon()).unwrap();
}

fn calls_are_counted_per_api_and_day(shop: &Shop) {
    send_on(shop, DAY, Channel::Subscribe, 1);
    send_on(shop, DAY, Channel::Subscribe, 3);
    send_on(shop, DAY + 1, Channel::Subscribe, 2);
    send_on(shop, DAY, Channel::Bizsend, 5);
    let biz = Channel::Bizsend.path();
    let counted = [calls(shop, API, DAY), calls(shop, API, DAY + 1), calls(shop, biz, DAY), calls(shop, biz, DAY + 1)];
    assert_eq!(counted, [4, 2, 5, 0]);
    assert_eq!(calls(shop, "/cgi-bin/message", DAY), 0);
}

fn what_was_never_posted_is_not_counted(shop: &Shop) {
    send_on(shop, DAY, Channel::Subscribe, 0);
    shop.go(&Message::to("user"));
    shop.refuse(&Message::to("user"), 47003, "wrong");
    assert_eq!(shop.usage(API), Usage::default());
}

fn pause(shop: &Shop, channel: Channel, until: Millis) {
    shop.send(&Message { channel, ..Message::to("user") }, &Verdict::paused(until));
}

fn a_pause_is_shown_while_it_holds(shop: &Shop) {
    assert_eq!(shop.usage(API), Usage::default());
    pause(shop, Channel::Subscribe, now() - 1);
    assert_eq!(shop.usage(API), Usage { calls: 1, pause: None }, "it has ended already");
    let until = now() + 3_600_000;
    pause(shop, Channel::Subscribe, until);
    assert_eq!(shop.usage(API), Usage { calls: 2, pause: Some(Pause { errcode: 45009, until }) });
    let other_day = shop.store().usage(APP, API, DAY + 1, soon()).unwrap();
    assert_eq!(other_day, Usage { calls: 0, pause: Some(Pause { errcode: 45009, until }) }, "a pause has no day");
    assert_eq!(shop.usage(Channel::Bizsend.path()), Usage::default());
}

fn clearing_concerns_one_api_or_all(shop: &Shop) {
    let until = now() + 3_600_000;
    let channels = [Channel::Subscribe, Channel::Bizsend, Channel::Template];
    for channel in channels {
        pause(shop, channel, until);
    }
    let clear = |api| shop.store().clear_quota(APP, api, DAY, soon()).unwrap();
    let usage =
        || channels.map(|channel| (shop.usage(channel.path()).calls, shop.usage(channel.path()).pause.is_some()));
    clear(Some("/none"));
    assert_eq!(usage(), [(1, true); 3]);
    clear(Some(API));
    assert_eq!(usage(), [(0, false), (1, true), (1, true)]);
    shop.go(&Message::to("user"));
    clear(None);
    assert_eq!(usage(), [(0, false); 3]);
    clear(None);
}

fn clearing_forgets_the_counts_of_that_day_only(shop: &Shop) {
    for day in [DAY - 1, DAY, DAY + 1] {
        send_on(shop, day, Channel::Subscribe, 1);
    }
    shop.store().clear_quota(APP, Some(API), DAY, soon()).unwrap();
    assert_eq!([DAY - 1, DAY, DAY + 1].map(|day| calls(shop, API, day)), [1, 0, 1]);
    shop.store().clear_quota(APP, None, DAY + 1, soon()).unwrap();
    assert_eq!([DAY - 1, DAY, DAY + 1].map(|day| calls(shop, API, day)), [1, 0, 0]);
}

fn a_later_answer_without_a_pause_does_not_end_it(shop: &Shop) {
    let message = Message::to("user");
    let going = shop.go(&message);
    let until = now() + 3_600_000;
    pause(shop, Channel::Subscribe, until);
    shop.finish(&message, going, &Verdict::delivered());
    assert_eq!(shop.usage(API), Usage { calls: 2, pause: Some(Pause { errcode: 45009, until }) });
}
