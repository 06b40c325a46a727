//! The machine, with time and chance as the test wants them.

use super::*;

const NOON: Millis = 1_800_000_000_000;

fn report(host: usize, now: Millis) -> Report {
    Report { host, claim: None, cause: Cause::Refused, now, chance: 255 }
}

fn mine(host: usize, claim: u64, now: Millis) -> Report {
    Report { claim: Some(claim), ..report(host, now) }
}

#[test]
fn a_host_that_cannot_be_connected_is_passed_over_until_its_rest_is_over() {
    let mut circuit = Circuit::new(2);
    circuit.unreachable(&report(0, NOON));
    assert_eq!(circuit.way(NOON), Way::Up(1));
    assert_eq!(circuit.way(NOON + 999), Way::Up(1));
    assert_eq!(circuit.way(NOON + 1000), Way::Due(0));
    circuit.claim(0, 7, NOON + 1000, 3000);
    assert_eq!(circuit.way(NOON + 1000), Way::Up(1), "the others keep to the working one");
    circuit.answered(0, Some(7), NOON + 1100);
    assert_eq!(circuit, Circuit::new(2));
}

#[test]
fn with_no_host_left_the_circuit_opens_and_one_caller_tries_them_all() {
    let mut circuit = Circuit::new(2);
    circuit.unreachable(&report(0, NOON));
    assert_eq!(circuit.position(NOON), Position::Closed);
    circuit.unreachable(&report(1, NOON + 10));
    assert_eq!(circuit.position(NOON + 10), Position::Open);
    assert_eq!(circuit.way(NOON + 10), Way::Shut);
    assert_eq!(circuit.outage(NOON + 10), Some((NOON + 10, Some(NOON + 1000), Cause::Refused)));
    assert_eq!(circuit.way(NOON + 1000), Way::Due(0));
    circuit.claim(0, 7, NOON + 1000, 3000);
    for later in [1000, 2000, 3999] {
        assert_eq!(circuit.way(NOON + later), Way::Shut, "{later}");
        assert_eq!(circuit.position(NOON + later), Position::HalfOpen);
    }
    assert!(circuit.may_follow(1, Some(7), NOON + 1500) && !circuit.may_follow(1, Some(8), NOON + 1500));
    circuit.unreachable(&mine(0, 7, NOON + 1500));
    circuit.answered(1, Some(7), NOON + 1600);
    assert_eq!((circuit.way(NOON + 1600), circuit.position(NOON + 1600)), (Way::Up(1), Position::Closed));
}

#[test]
fn rests_grow_from_one_second_to_thirty_and_only_by_the_word_of_who_tried() {
    let mut circuit = Circuit::new(1);
    circuit.unreachable(&report(0, NOON));
    let (mut now, mut rests) = (NOON, Vec::new());
    for claim in 1..8 {
        let (_, next, _) = circuit.outage(now).unwrap();
        rests.push(next.unwrap() - now);
        // Requests that were under way when it opened.
        let before = circuit.clone();
        circuit.unreachable(&report(0, now + 1));
        circuit.silent(&report(0, now + 1));
        assert_eq!(circuit, before);
        now = next.unwrap();
        assert_eq!(circuit.way(now), Way::Due(0));
        circuit.claim(0, claim, now, 3000);
        circuit.unreachable(&mine(0, claim, now));
    }
    assert_eq!(rests, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
}

#[test]
fn chance_shortens_a_rest_by_a_quarter_at_most() {
    let mut circuit = Circuit::new(1);
    circuit.unreachable(&Report { chance: 0, ..report(0, NOON) });
    assert_eq!(circuit.outage(NOON).unwrap().1, Some(NOON + 750));
}

#[test]
fn five_requests_in_a_row_without_an_answer_give_a_host_up() {
    let mut circuit = Circuit::new(1);
    let mut go_unanswered = |times: Millis, from: Millis| (0..times).for_each(|n| circuit.silent(&report(0, from + n)));
    go_unanswered(4, NOON);
    go_unanswered(1, NOON + 4 + MEMORY);
    assert_eq!(circuit.way(NOON + 70_000), Way::Up(0), "a minute apart is not in a row");
    assert!(circuit.is_news(0));
    circuit.answered(0, None, NOON + 70_000);
    let mut go_unanswered = |times: Millis, from: Millis| (0..times).for_each(|n| circuit.silent(&report(0, from + n)));
    go_unanswered(4, NOON + 70_000);
    assert_eq!(circuit.position(NOON + 70_004), Position::Closed, "an answer ends the row");
    circuit.silent(&report(0, NOON + 70_004));
    assert_eq!(circuit.position(NOON + 70_004), Position::Open);
}

#[test]
fn a_silent_host_rests_long_where_another_one_works_and_each_further_one_goes_at_once() {
    let mut circuit = Circuit::new(3);
    for _ in 0..PATIENCE {
        circuit.silent(&report(0, NOON));
    }
    assert_eq!((circuit.way(NOON), circuit.way(NOON + 29_999)), (Way::Up(1), Way::Up(1)));
    circuit.silent(&report(1, NOON));
    assert_eq!(circuit.way(NOON), Way::Up(2));
    circuit.silent(&report(2, NOON));
    assert_eq!(circuit.position(NOON), Position::Open);
    assert_eq!(circuit.way(NOON + 1000), Way::Due(2));
}

#[test]
fn who_claims_and_dies_is_followed_by_another() {
    let mut circuit = Circuit::new(1);
    circuit.unreachable(&report(0, NOON));
    circuit.claim(0, 1, NOON + 1000, 4000);
    assert_eq!(circuit.way(NOON + 4999), Way::Shut);
    assert_eq!(circuit.way(NOON + 5000), Way::Due(0));
    circuit.claim(0, 2, NOON + 5000, 4000);
    // The first one wakes late: its word no longer counts.
    let before = circuit.clone();
    circuit.unreachable(&mine(0, 1, NOON + 5001));
    assert_eq!(circuit, before);
    circuit.release(Some(2), NOON + 5002);
    assert_eq!(circuit.way(NOON + 5002), Way::Due(0));
}

#[test]
fn a_host_that_was_down_long_ago_is_still_a_way_out() {
    let mut circuit = Circuit::new(2);
    circuit.unreachable(&report(1, NOON));
    circuit.unreachable(&report(0, NOON + 3_600_000));
    assert_eq!(circuit.position(NOON + 3_600_000), Position::Closed);
    assert!(circuit.may_follow(1, None, NOON + 3_600_000));
    circuit.unreachable(&report(1, NOON + 3_600_000));
    assert_eq!(circuit.position(NOON + 3_600_000), Position::Open);
}

#[test]
fn a_clock_that_was_set_back_does_not_shut_wechat_out() {
    let mut circuit = Circuit::new(1);
    circuit.unreachable(&report(0, NOON));
    assert_eq!(circuit.way(NOON - 3_600_000), Way::Due(0));
}

#[test]
fn a_record_with_times_that_no_clock_shows_keeps_no_host_out_of_use() {
    for odd in [Millis::MIN, Millis::MAX] {
        let down = Down { cause: Cause::Closed, rest: odd, until: odd, claim: Some(u64::MAX) };
        let hosts = vec![Some(down), None];
        let mut circuit = Circuit { hosts, open: Some(odd), silent: u32::MAX, silent_at: odd };
        circuit.silent(&report(1, NOON));
        circuit.unreachable(&report(0, NOON));
        assert_ne!(circuit.way(NOON + LONGEST_REST), Way::Shut);
        circuit.answered(1, None, NOON);
        assert_eq!(circuit.position(NOON), Position::Closed);
    }
}
