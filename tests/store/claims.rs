//! `claim`: its rules, in their order, and which messages it takes.

use std::time::Duration;

use routine_template::config::GrantPolicy;
use routine_template::message::Channel;
use routine_template::store::*;

use crate::post::{Post, claim, ids, of_job};
use crate::shop::{APP, DAY, HOUR, Message, SHORT, Shop, TEMPLATE, Verdict, books, counts, now, soon};

on_every_engine!(
    the_earliest_are_taken_first,
    what_is_due_at_once_does_not_overtake_what_was_due_before,
    a_limit_is_kept_and_more_is_said,
    nothing_is_handed_to_two_claimers,
    one_channel_is_claimed_at_a_time,
    a_paused_api_is_not_claimed,
    what_goes_is_sending_under_its_claimer,
    the_lease_is_the_messages_own_limit_and_the_margin,
    what_goes_takes_from_the_ledger_as_begin_does,
    a_template_message_of_the_outbox_needs_no_grant,
    what_the_ledger_refuses_ends_and_is_not_the_last_word,
    what_is_too_old_expires,
    what_is_too_old_reads_so_before_anybody_claims,
    what_is_too_old_after_an_unsure_attempt_is_unknown,
    rows_of_what_ends_here_are_kept_as_the_claim_says,
);

/// Messages to that many users, in the order of their queueing.
fn queued(shop: &Shop, count: usize) -> Vec<MessageId> {
    (0..count)
        .map(|number| {
            std::thread::sleep(Duration::from_millis(2));
            shop.queue(&Post::to(&format!("user {number}")))
        })
        .collect()
}

fn the_earliest_are_taken_first(shop: &Shop) {
    let expected = queued(shop, 7);
    let first = shop.claim(3);
    let rest = shop.claim(256);
    assert_eq!([ids(&first.jobs), ids(&rest.jobs)].concat(), expected);
    // Ids decide within a millisecond, and otherwise the time at which they were queued.
    let mut messages: Vec<_> = (0..3).map(|number| Post::to(&format!("another {number}"))).collect();
    messages.reverse();
    for post in &messages {
        std::thread::sleep(Duration::from_millis(2));
        shop.queue(post);
    }
    let expected: Vec<_> = messages.iter().map(|post| post.message.id).collect();
    assert_eq!(ids(&shop.claim(256).jobs), expected);
}

fn what_is_due_at_once_does_not_overtake_what_was_due_before(shop: &Shop) {
    let retried = shop.take(&Post::to("retried"));
    shop.close(&retried, &Verdict::not_sent().again(SHORT));
    let delayed = shop.queue(&Post::to("delayed").delayed(2 * SHORT));
    std::thread::sleep(4 * SHORT);
    let at_once = shop.queue(&Post::to("at once"));
    let claimed: Vec<_> = (0..3).map(|_| ids(&shop.claim(1).jobs)).collect();
    assert_eq!(claimed, [[retried.id], [delayed], [at_once]]);
}

fn a_limit_is_kept_and_more_is_said(shop: &Shop) {
    queued(shop, 5);
    shop.queue(&Post::to("later").delayed(HOUR));
    let taken: Vec<_> = [2, 2, 2].map(|limit| shop.claim(limit)).iter().map(|it| (it.jobs.len(), it.more)).collect();
    assert_eq!(taken, [(2, true), (2, true), (1, false)]);
    queued(shop, 3);
    assert_eq!(shop.claim(256), Claimed::default(), "their receivers have one under way");
}

fn nothing_is_handed_to_two_claimers(shop: &Shop) {
    let expected = queued(shop, 40);
    let owners = [Owner::named("boot/ns/1/1"), Owner::named("boot/ns/2/2")];
    let mut taken = Vec::new();
    for round in 0.. {
        let claim = claim(APP, Channel::Subscribe, 7, &owners[round % 2]);
        let claimed = shop.store().claim(&claim, soon()).unwrap();
        if claimed.jobs.is_empty() {
            break;
        }
        taken.extend(ids(&claimed.jobs));
    }
    assert_eq!(taken, expected);
    assert_eq!(shop.pending(), 40, "they leave by finish");
}

fn one_channel_is_claimed_at_a_time(shop: &Shop) {
    for channel in [Channel::Subscribe, Channel::Bizsend, Channel::Template] {
        let post = Post::of(Message { channel, ..Message::to(channel.path()) });
        shop.queue(&post);
    }
    for channel in [Channel::Template, Channel::Bizsend, Channel::Subscribe] {
        let claimed = shop.claim_of(channel, 10);
        assert_eq!(claimed.jobs.iter().map(|job| job.openid.as_str()).collect::<Vec<_>>(), [channel.path()]);
        assert_eq!(shop.row_with(claimed.jobs[0].id).channel, channel);
        assert_eq!(shop.claim_of(channel, 10), Claimed::default());
    }
}

fn a_paused_api_is_not_claimed(shop: &Shop) {
    let expired = shop.queue(&Post { expires: SHORT, ..Post::to("old") });
    let fresh = shop.queue(&Post::to("user"));
    shop.wait();
    let until = now() + 3_600_000;
    shop.send(&Message::to("another"), &Verdict::paused(until));
    let pause = Some(Pause { errcode: 45009, until });
    for _ in 0..2 {
        assert_eq!(shop.claim(10), Claimed { pause: pause.clone(), ..Claimed::default() });
    }
    assert_eq!(shop.pending(), 2, "nothing else is done");
    assert_eq!(shop.row_with(fresh).state, State::Queued);
    let other = Post::of(Message { channel: Channel::Bizsend, ..Message::to("third") });
    shop.queue(&other);
    assert_eq!(ids(&shop.claim_of(Channel::Bizsend, 10).jobs), [other.message.id], "another API");
    shop.store().clear_quota(APP, None, DAY, soon()).unwrap();
    let claimed = shop.claim(10);
    assert_eq!((ids(&claimed.jobs), claimed.ended), (vec![fresh], vec![(expired, State::Expired)]));
    // The pause of a message that is tried again is one as well.
    let job = claimed.jobs.into_iter().next().unwrap();
    shop.close(&job, &Verdict::paused(until).again(Duration::ZERO));
    assert_eq!(shop.claim(10), Claimed { pause, ..Claimed::default() });
}

fn what_goes_is_sending_under_its_claimer(shop: &Shop) {
    let post = Post::keyed("user", "order 1");
    shop.queue(&post);
    let owner = Owner::named("boot/ns/12/34");
    let before = now();
    let claimed = shop.store().claim(&claim(APP, Channel::Subscribe, 1, &owner), soon()).unwrap();
    assert_eq!(claimed.jobs[0].epoch, 2, "it was opened by enqueue, and once more");
    let (row, of) = shop.under_way(&post.message.again());
    assert_eq!((row.state, row.epoch, row.due, row.attempts), (State::Sending, 2, None, 0));
    assert_eq!(of, owner.as_str());
    assert!((before - 1..=now() + 1).contains(&row.begun), "{before} {}", row.begun);
    assert_eq!(shop.row_with(post.message.id), row);
}

fn the_lease_is_the_messages_own_limit_and_the_margin(shop: &Shop) {
    let (quick, slow, brief) = (Post::to("quick").quick(SHORT), Post::to("slow"), Post::to("brief").quick(SHORT));
    shop.queue(&quick);
    shop.queue(&slow);
    assert_eq!(shop.claim(10).jobs.len(), 2);
    shop.queue(&brief);
    let owner = Owner::current();
    let with_margin = Claim { margin: HOUR, ..claim(APP, Channel::Subscribe, 1, &owner) };
    let claimed = shop.store().claim(&with_margin, soon()).unwrap();
    shop.wait();
    let state = |post: &Post| shop.row_with(post.message.id).state;
    assert_eq!((state(&quick), state(&slow)), (State::Unknown, State::Sending));
    if ids(&claimed.jobs) == [brief.message.id] {
        assert_eq!(state(&brief), State::Sending);
    }
}

fn what_goes_takes_from_the_ledger_as_begin_does(shop: &Shop) {
    let job = shop.take(&Post::to("user"));
    assert_eq!((job.grant, job.seen), (Grant::Uncounted, 0), "nobody has reported");
    shop.close(&job, &Verdict::delivered());
    shop.accept("user");
    shop.accept("user");
    let job = shop.take(&Post::to("user"));
    assert_eq!((job.grant, job.seen), (Grant::Reserved, 2));
    assert_eq!(counts(&shop.row("user")), books(2, 1, 1, 0, 0));
    shop.close(&job, &Verdict::delivered());
    assert_eq!(counts(&shop.row("user")), books(2, 1, 0, 1, 0));
    let job = shop.take(&Post::to("user"));
    shop.close(&job, &Verdict::refused());
    assert_eq!(counts(&shop.row("user")), books(2, 1, 0, 1, 0));
    let job = shop.take(&Post::to("user"));
    shop.close(&job, &Verdict::no_grant());
    assert_eq!(counts(&shop.row("user")), books(2, 0, 0, 1, 1));
    assert!(shop.row("user").refused);
    let job = shop.take(&Post::to("credit"));
    assert_eq!((job.grant, job.seen), (Grant::OnCredit, 0));
    shop.close(&job, &Verdict::delivered());
    assert_eq!(counts(&shop.row("credit")), books(1, 0, 0, 1, 0));
    shop.report("long", &[(TEMPLATE, Choice::Accept)], true);
    let job = shop.take(&Post::of(Message::to("long").with_policy(GrantPolicy::Strict)));
    assert_eq!(job.grant, Grant::LongTerm);
}

fn a_template_message_of_the_outbox_needs_no_grant(shop: &Shop) {
    shop.accept("user");
    shop.send(&Message::to("user"), &Verdict::no_grant());
    let before = shop.row("user");
    let message = Message { channel: Channel::Template, ..Message::to("user").with_policy(GrantPolicy::Strict) };
    shop.queue(&Post::of(message));
    let job = shop.claim_of(Channel::Template, 10).jobs.into_iter().next().unwrap();
    assert_eq!((job.grant, job.seen), (Grant::Uncounted, 0));
    shop.close_as(&of_job(&job, Channel::Template), &job, &Verdict::delivered());
    assert_eq!(shop.row("user"), before);
    assert_eq!(shop.usage(Channel::Template.path()).calls, 1);
}

fn what_the_ledger_refuses_ends_and_is_not_the_last_word(shop: &Shop) {
    shop.accept("certain");
    shop.send(&Message::to("certain"), &Verdict::no_grant());
    let certain = Post::keyed("certain", "order 1");
    let strict = Post::of(Message::keyed("strict", "order 2").with_policy(GrantPolicy::Strict));
    for post in [&certain, &strict] {
        shop.queue(post);
        shop.ends_when_claimed(post.message.id, State::Refused);
        let row = shop.row_with(post.message.id);
        assert_eq!((row.state, row.errcode, row.from_wechat), (State::Refused, Some(43101), false));
        assert_eq!((row.attempts, row.due, row.finished.is_some()), (0, None, true));
        assert_eq!(shop.pending(), 0);
        shop.accept(&post.message.openid);
        assert_eq!(shop.queue(&post.again()), post.message.id, "it is opened again");
        let job = shop.job();
        assert_eq!(job.grant, Grant::Reserved);
        shop.close(&job, &Verdict::no_grant());
    }
    let off = shop.take(&Post::of(Message::to("certain").with_policy(GrantPolicy::Off)));
    assert_eq!(off.grant, Grant::OnCredit, "this policy never refuses");
}

fn what_is_too_old_expires(shop: &Shop) {
    shop.accept("user");
    let post = Post { expires: SHORT, ..Post::keyed("user", "order 1") };
    let late = Post { expires: SHORT, ..Post::to("another") }.delayed(SHORT);
    shop.queue(&post);
    shop.queue(&late);
    shop.wait();
    let mut ended = shop.claim(10).ended;
    ended.sort_by_key(|(id, _)| *id);
    assert_eq!(ended, [(post.message.id, State::Expired), (late.message.id, State::Expired)]);
    let row = shop.row_with(post.message.id);
    assert_eq!((row.state, row.errcode, row.attempts, row.due), (State::Expired, None, 0, None));
    assert!(row.finished.is_some());
    assert_eq!(shop.pending(), 0);
    assert_eq!(counts(&shop.row("user")), books(1, 1, 0, 0, 0));
    assert_eq!(shop.known(&post.message.again()), row, "the last word");
    assert_eq!(shop.known_to_queue(&post.again()), row);
}

fn what_is_too_old_reads_so_before_anybody_claims(shop: &Shop) {
    let post = Post { expires: SHORT, ..Post::keyed("user", "order 1") };
    let retried = Post { expires: Duration::from_secs(2), ..Post::keyed("another", "order 2") };
    shop.close(&shop.take(&retried), &Verdict::not_sent().again(HOUR));
    shop.queue(&post);
    shop.wait();
    std::thread::sleep(Duration::from_secs(2));
    for post in [&post, &retried] {
        let row = shop.row_with(post.message.id);
        assert_eq!((row.state, row.due), (State::Expired, None));
        let by_state = |state| {
            let filter = Filter { state: Some(state), limit: 10, ..Filter::default() };
            shop.deliveries(&filter).iter().any(|row| row.id == post.message.id)
        };
        assert!(by_state(State::Expired) && !by_state(State::Queued));
        assert_eq!(shop.known_to_queue(&post.again()), row);
        assert_eq!(shop.known(&post.message.again()), row);
    }
    assert_eq!(shop.pending(), 2);
    shop.ends_when_claimed(post.message.id, State::Expired);
    assert_eq!(shop.pending(), 1, "the other is marked when it would have been tried again");
}

fn what_is_too_old_after_an_unsure_attempt_is_unknown(shop: &Shop) {
    shop.accept("user");
    let expires = Duration::from_secs(2);
    let post = Post { expires, ..Post::keyed("user", "order 1").stubborn() };
    let job = shop.take(&post);
    shop.close(&job, &Verdict::unknown().again(SHORT));
    std::thread::sleep(expires);
    assert_eq!(shop.row_with(job.id).state, State::Unknown, "before anybody marks it");
    shop.ends_when_claimed(job.id, State::Unknown);
    assert_eq!(shop.known(&post.message.again()).state, State::Unknown);
    assert_eq!(counts(&shop.row("user")), books(1, 0, 1, 0, 0));
    assert_eq!(shop.pending(), 0);
}

fn rows_of_what_ends_here_are_kept_as_the_claim_says(shop: &Shop) {
    let retention = Duration::from_millis(200);
    let post = Post { expires: SHORT, ..Post::keyed("user", "order 1") };
    shop.queue(&post);
    shop.wait();
    let owner = Owner::current();
    let claim = Claim { retention, ..claim(APP, Channel::Subscribe, 1, &owner) };
    assert_eq!(shop.store().claim(&claim, soon()).unwrap().ended, [(post.message.id, State::Expired)]);
    std::thread::sleep(2 * retention);
    assert_eq!(shop.delivery(post.message.id), None);
    let again = post.again();
    assert_eq!(shop.queue(&again), again.message.id);
}
