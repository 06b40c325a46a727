//! WeChat down, in part or as a whole: which host a message goes to, when nothing is tried any more, and who tries again.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

use std::net::TcpListener;
use std::time::{Duration, Instant};

use routine_template::app::App;
use routine_template::error::Error;
use routine_template::process::Process;
use routine_template::registry::Registry;
use routine_template::sandbox::FaultKind;
use serde_json::{Value, json};

#[path = "support/front.rs"]
mod front;
#[path = "support/herd.rs"]
mod herd;
#[path = "support/redis_server.rs"]
mod redis_server;
#[path = "support/shop.rs"]
mod support;
use front::{Front, Mode};
use herd::{Member, gather, own_role, say, wait_for_the_start};
use redis_server::RedisServer;
use support::*;

/// A shop whose WeChat has two hosts.
struct TwoHosts {
    shop: Shop,
    first: Front,
    second: Front,
}

impl TwoHosts {
    fn open(first: Mode, second: Mode) -> Self {
        let shop = Shop::open_to_all();
        let [first, second] = [first, second].map(|mode| Front::of(&shop.wechat.https_url(), mode));
        Self { shop, first, second }
    }

    fn settings(&self, changes: &[(&str, &str)]) -> Vec<(String, String)> {
        let (first, second) = (self.first.url(), self.second.url());
        let mut all = vec![("base_url", first.as_str()), ("fallback_urls", second.as_str())];
        all.extend(changes);
        self.shop.settings(&all)
    }

    fn app(&self, changes: &[(&str, &str)]) -> App {
        app_of(&self.settings(changes), Registry::default())
    }

    fn connections(&self) -> (usize, usize) {
        (self.first.connections(), self.second.connections())
    }

    /// Names of the events in the log that begin like this, in their order.
    fn events(&self, prefix: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.shop.path("log")).unwrap_or_default();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let names = lines.map(|line| line["event"].as_str().unwrap().to_owned());
        names.filter(|name| name.starts_with(prefix)).collect()
    }

    fn log(&self) -> String {
        self.shop.path("log").to_str().unwrap().to_owned()
    }
}

fn left_out(result: &Result<routine_template::answer::Answer, Error>) -> bool {
    matches!(result, Err(Error::Transport { text, ambiguous: false }) if text.en.contains("no connection was tried"))
}

/// Whether sends are left out. On a busy machine a rest may be over just now; then one tries again, and fails.
fn nobody_tries(app: &App) -> bool {
    (0..3).any(|_| left_out(&send(app)))
}

/// A port that nobody listens on.
fn refusing() -> String {
    format!("https://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap())
}

#[test]
fn a_message_goes_to_the_next_host_if_one_cannot_be_connected() {
    let other = Shop::open();
    let black_hole = Front::of(&other.wechat.https_url(), Mode::BlackHole);
    let closing = Front::of(&other.wechat.https_url(), Mode::Close);
    let dead_ends = [
        ("refused", refusing()),
        ("black hole", black_hole.url()),
        ("closed", closing.url()),
        ("another certificate", other.wechat.https_url()),
        ("no such name", "https://wechat.invalid".to_owned()),
    ];
    for (kind, dead) in &dead_ends {
        let shop = Shop::open_to_all();
        let alive = shop.wechat.https_url();
        let app = shop.app(&[("base_url", dead), ("fallback_urls", &alive)]);
        for _ in 0..3 {
            let answer = send(&app).unwrap_or_else(|error| panic!("{kind}: {error}"));
            assert_eq!((answer.errcode, answer.attempts), (0, 1), "{kind}");
        }
        assert_eq!(shop.delivered(), 3, "{kind}");
        assert_eq!(app.route_condition().host.unwrap(), alive.replace("https://", ""), "{kind}");
    }
    assert_eq!(black_hole.connections(), 1, "which host failed is remembered");
    assert_eq!(other.wechat.counters().requests.len(), 0);
}

#[test]
fn each_host_gets_its_share_of_the_deadline() {
    let shop = Shop::open_to_all();
    let holes: Vec<Front> = (0..3).map(|_| Front::of(&shop.wechat.https_url(), Mode::BlackHole)).collect();
    let last = shop.wechat.https_url();
    let fallbacks = format!("{}, {}, {last}", holes[1].url(), holes[2].url());
    // The setting alone would let three of them use up the whole time.
    let app = shop.app(&[
        ("base_url", &holes[0].url()),
        ("fallback_urls", &fallbacks),
        ("timeout_ms", "4000"),
        ("connect_timeout_ms", "4000"),
    ]);
    assert_eq!(send(&app).unwrap().errcode, 0);
    assert!(holes.iter().all(|hole| hole.connections() > 0));
}

#[test]
fn nothing_that_was_written_goes_to_another_host() {
    let hosts = TwoHosts::open(Mode::Forward, Mode::Forward);
    let app = hosts.app(&[("timeout_ms", "700")]);
    app.access_token(false).unwrap();
    for kind in [FaultKind::Hang, FaultKind::DropBefore, FaultKind::HttpStatus { status: 502 }] {
        hosts.shop.fault(SEND, Some(1), kind);
        assert!(ambiguous(send(&app)));
        assert_eq!(send(&app).unwrap().errcode, 0);
    }
    assert_eq!(hosts.second.connections(), 0);
    assert_eq!(hosts.shop.requests(SEND), 6);
}

#[test]
fn a_host_that_is_back_is_used_again_after_one_request_has_tried_it() {
    let hosts = TwoHosts::open(Mode::Forward, Mode::Forward);
    let app = hosts.app(&[("log_file", &hosts.log())]);
    assert_eq!(send(&app).unwrap().errcode, 0);
    hosts.first.set(Mode::Close);
    // The token is the account's, not the host's.
    assert_eq!(send(&app).unwrap().errcode, 0);
    assert_eq!(app.route_condition().host, Some(hosts.second.host()));
    hosts.first.set(Mode::Forward);
    wait_until("the first host to be tried again", || {
        assert_eq!(send(&app).unwrap().errcode, 0);
        app.route_condition().host == Some(hosts.first.host())
    });
    assert_eq!(hosts.shop.requests(STABLE_TOKEN), 1);
    assert_eq!(hosts.events(""), ["failover", "failover"]);
    // The pool of the second one keeps its connection, the first one's is new.
    assert_eq!(hosts.second.connections(), 1);
}

#[test]
fn with_every_host_down_nothing_is_tried_until_one_attempt_finds_wechat_back() {
    let hosts = TwoHosts::open(Mode::Close, Mode::Close);
    let app = hosts.app(&[("log_file", &hosts.log())]);
    assert!(!ambiguous(send(&app)));
    let before = hosts.connections();
    assert_eq!(app.route_condition().circuit, "open");
    let mut refused = 0;
    while app.route_condition().circuit == "open" {
        let result = send(&app);
        if hosts.connections() != before {
            break;
        }
        assert!(left_out(&result), "{result:?}");
        let Err(Error::Transport { text, .. }) = result else { panic!("{text}", text = "not a transport error") };
        for words in [hosts.first.host(), hosts.second.host(), "since 20".to_owned(), "next try".to_owned()] {
            assert!(text.en.contains(&words), "{text}");
        }
        refused += 1;
    }
    assert!(refused > 10, "{refused}");
    assert_eq!(hosts.events("circuit"), ["circuit_open"]);
    hosts.second.set(Mode::Forward);
    wait_until("WeChat to be found", || send(&app).is_ok());
    assert_eq!(app.route_condition().circuit, "closed");
    assert_eq!(hosts.events("circuit"), ["circuit_open", "circuit_closed"]);
    assert_eq!(hosts.shop.delivered(), 1);
}

#[test]
fn a_message_that_was_left_out_keeps_its_grant_and_its_key() {
    let hosts = TwoHosts::open(Mode::Forward, Mode::Close);
    let app = hosts.app(&[]);
    let first = send_with_key(&app, "order-1-paid").unwrap();
    hosts.first.set(Mode::Close);
    assert!(send(&app).is_err());
    assert!((0..3).any(|_| left_out(&send_with_key(&app, "order-2-paid"))));
    let rows = app.deliveries(&map(&[("key", "order-2-paid")])).unwrap();
    assert_eq!(rows[0]["state"], "not_sent");
    let again = send_with_key(&app, "order-1-paid").unwrap();
    assert!(again.duplicate && again.msgid == first.msgid, "an answer that is known needs no WeChat");
    hosts.first.set(Mode::Forward);
    wait_until("WeChat to be found", || send(&app).is_ok());
    assert!(!send_with_key(&app, "order-2-paid").unwrap().duplicate);
}

#[test]
fn five_requests_in_a_row_without_an_answer_open_the_circuit_and_one_answer_closes_it() {
    for kind in [
        FaultKind::Hang,
        FaultKind::DropBefore,
        FaultKind::ResetAfter,
        FaultKind::Garbage,
        FaultKind::HttpStatus { status: 503 },
        FaultKind::HttpStatus { status: 302 },
    ] {
        let shop = Shop::open_to_all();
        let app = shop.app(&[("timeout_ms", "700")]);
        app.access_token(false).unwrap();
        shop.fault(SEND, None, kind.clone());
        for _ in 0..5 {
            assert!(ambiguous(send(&app)), "{kind:?}");
        }
        assert!(nobody_tries(&app), "{kind:?}");
        let tried = shop.requests(SEND);
        assert!(tried <= 6, "{kind:?}: {tried}");
        shop.wechat.clear_faults();
        wait_until("WeChat to be found", || send(&app).is_ok());
        assert_eq!(shop.requests(SEND), tried + 1, "{kind:?}");
        assert_eq!(app.route_condition().circuit, "closed", "{kind:?}");
    }
}

#[test]
fn no_answer_of_wechats_and_no_refusal_of_one_message_opens_the_circuit() {
    let shop = Shop::open_to_all();
    let app = shop.app(&[("store", "off")]);
    app.access_token(false).unwrap();
    let mut sent = 0;
    for kind in [
        FaultKind::Errcode { errcode: -1, errmsg: None },
        FaultKind::Errcode { errcode: 45009, errmsg: None },
        FaultKind::Errcode { errcode: 48001, errmsg: None },
        FaultKind::HttpStatus { status: 403 },
        FaultKind::HttpStatus { status: 413 },
    ] {
        shop.fault(SEND, Some(6), kind);
        for _ in 0..6 {
            // Whatever it comes to, it has reached WeChat.
            let _ = send(&app);
            sent += 1;
        }
    }
    assert_eq!(shop.requests(SEND), sent);
    // Nor do callers who wait for less than WeChat may need.
    shop.fault(SEND, Some(6), FaultKind::Hang);
    let hasty = shop.app(&[("store", "off"), ("timeout_ms", "200")]);
    for _ in 0..6 {
        assert!(send(&hasty).is_err());
    }
    shop.wechat.clear_faults();
    assert_eq!(send(&app).unwrap().errcode, 0);
}

#[test]
fn an_outage_of_one_shops_own_making_is_no_other_shops() {
    let shop = Shop::open_to_all();
    let stranger = Shop::open();
    let wrong = shop.app(&[("ca_file", &stranger.ca_file)]);
    assert!(!ambiguous(send(&wrong)));
    assert!(nobody_tries(&wrong));
    assert_eq!(send(&shop.app(&[])).unwrap().errcode, 0);
}

#[test]
fn without_a_store_each_process_decides_for_itself() {
    let hosts = TwoHosts::open(Mode::Close, Mode::Close);
    let app = hosts.app(&[("store", "off")]);
    assert!(!ambiguous(send(&app)));
    assert!(nobody_tries(&app));
    hosts.first.set(Mode::Forward);
    wait_until("WeChat to be found", || send(&app).is_ok());
}

/// The roles. In the test program itself this does nothing.
#[test]
fn member_of_the_herd() {
    let Some((role, task)) = own_role() else { return };
    let settings: Vec<(String, String)> = serde_json::from_value(task["settings"].clone()).unwrap();
    let app = app_of(&settings, Registry::default());
    if role == "warm" {
        send(&app).unwrap();
    }
    say("ready");
    loop {
        wait_for_the_start();
        let results: Vec<_> = (0..task["times"].as_u64().unwrap()).map(|_| send(&app)).collect();
        let count = |wanted: fn(&Result<_, Error>) -> bool| results.iter().filter(|result| wanted(result)).count();
        say(json!({
            "delivered": count(|result| result.is_ok()),
            "left_out": count(left_out),
            "ambiguous": count(|result| matches!(result, Err(Error::Transport { ambiguous: true, .. }))),
            "requests": Process::current().unwrap().stats.requests.get(),
        }));
    }
}

fn sum(words: &[Value], member: &str) -> u64 {
    words.iter().map(|word| word[member].as_u64().unwrap()).sum()
}

fn round(herd: &mut [Member]) -> Vec<Value> {
    herd.iter_mut().for_each(Member::go);
    herd.iter_mut().map(Member::hear).collect()
}

/// Eight processes meet a WeChat that is dead: what each of them finds out, all know, and one tries again for all.
fn one_finds_out_for_all(store: Option<&RedisServer>, role: &str) {
    const PROCESSES: usize = 8;
    let hosts = TwoHosts::open(Mode::Forward, Mode::Forward);
    let mut settings = hosts.settings(&[("log_file", &hosts.log()), ("timeout_ms", "2000")]);
    settings.extend(store.map(|redis| ("store".to_owned(), redis.url())));
    let mut herd = gather(PROCESSES, role, &json!({ "settings": settings, "times": 100 }));
    let delivered = hosts.shop.delivered();
    let before = hosts.connections();
    hosts.first.set(Mode::Close);
    hosts.second.set(Mode::Close);
    let words = round(&mut herd);
    let after = hosts.connections();
    let attempts = after.0 - before.0 + after.1 - before.1;
    println!("{role}, 8 processes x 100 sends to dead hosts: {attempts} connections, {words:?}");
    assert_eq!(sum(&words, "delivered") + sum(&words, "ambiguous"), 0);
    if role == "cold" {
        // Only who fetches the token connects: one for each host, and as much again for each try after a rest.
        assert!(attempts <= 8, "{attempts}");
    }
    // Each process may have one request under way when the first one fails, on each host; beside tries after a rest.
    assert!(attempts <= 2 * PROCESSES + 8, "{attempts}");

    // A rest later all come again, to hosts that accept and say nothing: one tries, and nobody waits with him.
    hosts.first.set(Mode::BlackHole);
    hosts.second.set(Mode::BlackHole);
    let held = hosts.connections();
    let app = app_of(&settings, Registry::default());
    wait_until("the rest to be over", || app.route_condition().circuit == "half_open");
    let words = round(&mut herd);
    let tried = hosts.connections();
    println!("tries of 8 processes at the end of a rest: {} and {}", tried.0 - held.0, tried.1 - held.1);
    assert_eq!(sum(&words, "ambiguous"), 0);
    assert!(tried.0 - held.0 <= 1 && tried.1 - held.1 <= 1, "{held:?} {tried:?}");
    assert!(sum(&words, "left_out") >= (PROCESSES * 100 - 1) as u64);

    // WeChat returns.
    hosts.first.set(Mode::Forward);
    hosts.second.set(Mode::Forward);
    wait_until("WeChat to be found", || send(&app).is_ok());
    std::thread::sleep(Duration::from_millis(1100));
    let words = round(&mut herd);
    assert_eq!(sum(&words, "delivered"), (PROCESSES * 100) as u64, "{words:?}");
    assert_eq!(hosts.shop.delivered(), delivered + 1 + PROCESSES * 100);
    assert_eq!(hosts.events("circuit"), ["circuit_open", "circuit_closed"]);
}

#[test]
fn one_process_finds_out_for_all_on_sqlite() {
    for role in ["cold", "warm"] {
        one_finds_out_for_all(None, role);
    }
}

#[test]
fn one_process_finds_out_for_all_on_redis() {
    for role in ["cold", "warm"] {
        one_finds_out_for_all(Some(&RedisServer::start()), role);
    }
}

#[test]
fn while_wechat_answers_a_message_costs_its_two_transactions_and_no_more() {
    let redis = RedisServer::start();
    let shop = Shop::open_to_all();
    let app = shop.app(&[("store", &redis.url())]);
    let transactions = || {
        let stats = redis.cli(&["info", "commandstats"]);
        let line = stats.lines().find(|line| line.starts_with("cmdstat_evalsha:")).unwrap_or("calls=0,");
        let (_, calls) = line.split_once("calls=").unwrap();
        calls.split_once(',').unwrap().0.parse::<u64>().unwrap()
    };
    send(&app).unwrap();
    let before = transactions();
    let start = Instant::now();
    (0..100).for_each(|_| assert_eq!(send(&app).unwrap().errcode, 0));
    // One look where a message came more than a second after the one before, on a machine as busy as that.
    let looks = start.elapsed().as_secs();
    assert!((200..=200 + looks).contains(&(transactions() - before)), "{} in {looks} s", transactions() - before);
}

#[test]
fn another_machine_on_the_same_redis_decides_for_itself() {
    let redis = RedisServer::start();
    let hosts = TwoHosts::open(Mode::Close, Mode::Close);
    let mut settings = hosts.settings(&[]);
    settings.push(("store".to_owned(), redis.url()));
    let task = json!({ "settings": settings, "times": 1 });
    let Some(mut elsewhere) = Member::start_elsewhere("cold", &task) else {
        println!("this user cannot make namespaces: left out");
        return;
    };
    assert_eq!(elsewhere.hear(), "ready");
    let here = app_of(&settings, Registry::default());
    assert!(send(&here).is_err() && nobody_tries(&here));
    // What cannot be reached from here may well be reached from there.
    hosts.first.set(Mode::Forward);
    elsewhere.go();
    assert_eq!(elsewhere.hear()["delivered"], 1);
}

#[test]
fn who_dies_while_he_tries_is_followed_by_another() {
    let hosts = TwoHosts::open(Mode::Close, Mode::Close);
    let settings = hosts.settings(&[("timeout_ms", "1500")]);
    let app = app_of(&settings, Registry::default());
    assert!(send(&app).is_err());
    hosts.first.set(Mode::BlackHole);
    wait_until("the rest to be over", || app.route_condition().circuit == "half_open");
    let before = hosts.first.connections();
    let mut trying = gather(1, "cold", &json!({ "settings": settings, "times": 1 })).remove(0);
    trying.go();
    wait_until("the try", || hosts.first.connections() > before);
    trying.kill();
    assert!(left_out(&send(&app)), "it is believed to be trying still");
    hosts.first.set(Mode::Forward);
    let start = Instant::now();
    wait_until("another one to try", || send(&app).is_ok());
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}
