//! Every kind of fault.

use super::*;

fn post(bench: &Bench, token: &str) -> reqwest::Result<String> {
    bench.try_post(&format!("{SEND}?access_token={token}"), &message())?.text()
}

#[test]
fn dropped_and_reset_connections_give_no_answer_and_process_as_they_say() {
    for (kind, processed) in [
        (FaultKind::DropBefore, 0),
        (FaultKind::DropAfter, 1),
        (FaultKind::ResetBefore, 0),
        (FaultKind::ResetAfter, 1),
        (FaultKind::HalfAnswer, 1),
    ] {
        let bench = Bench::new();
        let token = bench.stable();
        bench.fault(SEND, kind.clone());
        assert!(post(&bench, &token).is_err(), "{kind:?}");
        assert_eq!(bench.accepted(), processed, "{kind:?}");
        assert!(post(&bench, &token).is_ok(), "{kind:?}");
        assert_eq!(bench.sandbox.counters().faults_pending, 0);
    }
}

#[test]
fn drop_ends_with_fin_and_reset_with_rst() {
    use std::io::{Read, Write};
    for (kind, reset) in [(FaultKind::DropBefore, false), (FaultKind::ResetBefore, true)] {
        let bench = Bench::new();
        bench.fault("*", kind);
        let address = bench.sandbox.http_url().trim_start_matches("http://").to_owned();
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.write_all(b"GET /cgi-bin/token HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
        let end = stream.read(&mut [0; 16]);
        assert_eq!(
            end.as_ref().err().map(std::io::Error::kind),
            reset.then_some(std::io::ErrorKind::ConnectionReset),
            "{end:?}"
        );
        assert!(reset || end.unwrap() == 0);
    }
}

#[test]
fn a_half_answer_is_head_and_half_the_body() {
    use std::io::{Read, Write};
    let bench = Bench::new();
    bench.fault("*", FaultKind::HalfAnswer);
    let address = bench.sandbox.http_url().trim_start_matches("http://").to_owned();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream.write_all(b"GET /cgi-bin/token HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let length: usize =
        head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap();
    assert_eq!(body.len(), length / 2);
    assert!(body.starts_with("{\"errcode\":40002"), "{body}");
}

#[test]
fn faults_of_http_and_of_content_answer_what_was_asked() {
    let bench = Bench::new();
    let token = bench.stable();
    let url = format!("{}{SEND}?access_token={token}", bench.sandbox.http_url());
    let send = || bench.client.post(&url).body(message().to_string()).send().unwrap();
    bench.fault(SEND, FaultKind::HttpStatus { status: 502 });
    assert_eq!(send().status(), 502);
    assert_eq!(bench.accepted(), 0);
    bench.fault(SEND, FaultKind::Errcode { errcode: -1, errmsg: None });
    let busy = json_of(send());
    assert_eq!(errcode(&busy), -1);
    assert!(errmsg(&busy).starts_with("system error rid: "));
    bench.fault(SEND, FaultKind::Errcode { errcode: 45009, errmsg: Some("mine".to_owned()) });
    assert!(errmsg(&json_of(send())).starts_with("mine rid: "));
    assert_eq!(bench.accepted(), 0);
    bench.fault(SEND, FaultKind::Garbage);
    let garbage = send();
    assert_eq!(garbage.status(), 200);
    assert!(serde_json::from_str::<Value>(&garbage.text().unwrap()).is_err());
    assert_eq!(bench.accepted(), 1);
    bench.fault(SEND, FaultKind::HugeAnswer { bytes: 3_000_000 });
    let huge = send().text().unwrap();
    assert_eq!(huge.len(), 3_000_000);
    assert!(
        huge.starts_with("{\"errcode\":0,\"errmsg\":\"aaa")
            && huge.ends_with('a')
            && !huge.get(1..).unwrap().contains('{')
    );
    assert_eq!(bench.accepted(), 2);
}

#[test]
fn slow_answers_take_their_time_and_hanging_ones_never_come() {
    let bench = Bench::new();
    let token = bench.stable();
    bench.fault(SEND, FaultKind::SlowBytes { ms_per_byte: 3 });
    let start = Instant::now();
    let text = post(&bench, &token).unwrap();
    assert!(start.elapsed() >= Duration::from_millis(3 * text.len() as u64), "{:?}", start.elapsed());
    assert_eq!(bench.accepted(), 1);
    bench.fault(SEND, FaultKind::Latency { ms: 150 });
    let start = Instant::now();
    post(&bench, &token).unwrap();
    assert!(start.elapsed() >= Duration::from_millis(150));
    bench.fault(SEND, FaultKind::Hang);
    let impatient = builder().timeout(Duration::from_millis(200)).build().unwrap();
    let url = format!("{}{SEND}?access_token={token}", bench.sandbox.http_url());
    assert!(impatient.post(&url).body(message().to_string()).send().unwrap_err().is_timeout());
    assert_eq!(bench.accepted(), 2);
}

#[test]
fn a_message_whose_sender_gave_up_waiting_is_still_delivered() {
    let bench = Bench::new();
    let token = bench.stable();
    bench.sandbox.settings(SettingsChange { latency_ms: Some(500), ..SettingsChange::default() });
    let impatient = builder().timeout(Duration::from_millis(100)).build().unwrap();
    let url = format!("{}{SEND}?access_token={token}", bench.sandbox.http_url());
    assert!(impatient.post(&url).body(message().to_string()).send().unwrap_err().is_timeout());
    assert_eq!(bench.accepted(), 1);
}

/// What 300 requests to two paths meet by chance, by the errcode or `dropped`.
fn met_by_chance(bench: &Bench) -> Vec<i64> {
    let errcode_of = |path: &str| match bench.try_post(path, &json!({})) {
        Ok(answer) => errcode(&json_of(answer)),
        Err(_) => 0,
    };
    (0..300).map(|number| errcode_of(if number % 2 == 0 { SEND } else { "/cgi-bin/clear_quota" })).collect()
}

#[test]
fn faults_by_chance_are_the_same_for_the_same_seed_and_are_counted() {
    let bench = Bench::new();
    let table = |seed: u64| {
        json!({"seed": seed, "faults": [
            {"fault": "errcode", "errcode": -1, "per_thousand": 200},
            {"fault": "drop_before", "path": SEND, "per_thousand": 200},
        ]})
    };
    let of_seed = |seed: u64| {
        assert_eq!(bench.post("/__admin/random_faults", &table(seed)), json!({"ok": true}));
        met_by_chance(&bench)
    };
    let (first, other, again) = (of_seed(1), of_seed(2), of_seed(1));
    assert_eq!(first, again);
    assert_ne!(first, other);
    assert!(first.iter().skip(1).step_by(2).all(|errcode| *errcode != 0), "dropped on a path that has no such chance");
    let count = |wanted: i64| [&first, &other, &again].into_iter().flatten().filter(|met| **met == wanted).count();
    assert!(count(-1) > 0 && count(0) > 0 && count(41001) > 0, "{first:?}");
    let counters = bench.get("/__admin/counters");
    assert_eq!(counters["faults_met"], json!({"errcode": count(-1), "drop_before": count(0)}));
    assert_eq!(counters["faults_pending"], 0);
    json_of(bench.client.delete(bench.url("/__admin/fault")).send().unwrap());
    assert_eq!(met_by_chance(&bench), [41001; 300]);
}
