//! TLS, keep-alive, listening.

use super::*;

#[test]
fn https_is_verified_by_the_ca_and_counted_apart() {
    let bench = Bench::new();
    let ca = reqwest::Certificate::from_pem(bench.sandbox.ca_pem().as_bytes()).unwrap();
    let client = builder().tls_certs_only([ca]).build().unwrap();
    for url in [bench.sandbox.https_url(), bench.sandbox.https_url().replace("127.0.0.1", "localhost")] {
        assert_eq!(errcode(&json_of(client.get(format!("{url}/cgi-bin/token")).send().unwrap())), 40002);
    }
    assert!(builder().build().unwrap().get(bench.sandbox.https_url()).send().is_err());
    let connections = bench.sandbox.counters().connections;
    assert_eq!((connections.http, connections.https), (0, 3));
}

#[test]
fn a_certificate_for_another_name_or_of_another_time_is_refused() {
    for (options, reason) in [
        (Options { tls_host: Some("api.weixin.qq.com".to_owned()), ..Options::default() }, "NotValidForName"),
        (Options { tls_expired: true, ..Options::default() }, "Expired"),
    ] {
        let sandbox = Sandbox::start(options).unwrap();
        let ca = reqwest::Certificate::from_pem(sandbox.ca_pem().as_bytes()).unwrap();
        let error = builder().tls_certs_only([ca]).build().unwrap().get(sandbox.https_url()).send().unwrap_err();
        assert!(format!("{error:?}").contains(reason), "{error:?}");
    }
}

#[test]
fn one_connection_carries_many_requests_until_it_idles_too_long() {
    let bench = Bench::new();
    let count = || bench.sandbox.counters().connections;
    for _ in 0..10 {
        bench.get("/cgi-bin/token");
    }
    assert_eq!((count().http, count().open), (1, 1));
    bench.sandbox.settings(SettingsChange { idle_close_ms: Some(Some(60)), ..SettingsChange::default() });
    let deadline = Instant::now() + Duration::from_secs(3);
    while count().open > 0 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(count().open, 0);
    bench.get("/cgi-bin/token");
    assert_eq!(count().http, 2);
}

#[test]
fn a_busy_connection_is_not_idle() {
    let bench = Bench::new();
    bench.sandbox.settings(SettingsChange { idle_close_ms: Some(Some(40)), ..SettingsChange::default() });
    bench.fault("*", FaultKind::Latency { ms: 200 });
    assert_eq!(errcode(&bench.get("/cgi-bin/token")), 40002);
}

#[test]
fn connections_can_be_closed_after_each_answer_without_announcement() {
    let bench = Bench::new();
    bench.sandbox.settings(SettingsChange { close_after_answer: Some(true), ..SettingsChange::default() });
    for _ in 0..3 {
        let response = bench.client.get(bench.url("/cgi-bin/token")).send().unwrap();
        assert!(response.headers().get("connection").is_none(), "{response:?}");
        response.text().unwrap();
        std::thread::sleep(Duration::from_millis(30));
    }
    let connections = bench.sandbox.counters().connections;
    assert_eq!((connections.http, connections.open), (3, 0));
}

#[test]
fn only_loopback_is_bound_unless_permitted() {
    let refused = Sandbox::start(Options { http: "0.0.0.0:0".parse().unwrap(), ..Options::default() });
    assert!(matches!(refused, Err(StartError::NotLoopback(_))));
    let permitted = Options { http: "0.0.0.0:0".parse().unwrap(), allow_remote: true, ..Options::default() };
    assert!(Sandbox::start(permitted).is_ok());
}

#[test]
fn a_dropped_sandbox_is_gone_at_once_even_with_hanging_requests() {
    for threads in [1, 3] {
        let sandbox = Sandbox::start(Options { threads, ..Options::default() }).unwrap();
        sandbox.fault(Fault { path: "*".to_owned(), times: None, kind: FaultKind::Hang });
        let url = format!("{}/cgi-bin/token", sandbox.http_url());
        let hanging = std::thread::spawn(move || builder().build().unwrap().get(url).send().is_err());
        let deadline = Instant::now() + Duration::from_secs(3);
        while sandbox.counters().requests.is_empty() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        let start = Instant::now();
        drop(sandbox);
        assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
        assert!(hanging.join().unwrap());
    }
}

#[test]
fn faults_and_idle_close_work_beneath_tls_as_well() {
    let bench = Bench::new();
    let ca = reqwest::Certificate::from_pem(bench.sandbox.ca_pem().as_bytes()).unwrap();
    let client = builder().tls_certs_only([ca]).build().unwrap();
    let url = format!("{}/cgi-bin/token", bench.sandbox.https_url());
    for kind in [FaultKind::DropAfter, FaultKind::ResetBefore, FaultKind::HalfAnswer] {
        bench.fault("*", kind.clone());
        let answer = client.get(&url).send().and_then(Response::text);
        assert!(answer.is_err(), "{kind:?}: {answer:?}");
    }
    bench.sandbox.settings(SettingsChange { idle_close_ms: Some(Some(30)), ..SettingsChange::default() });
    for _ in 0..3 {
        assert_eq!(errcode(&json_of(client.get(&url).send().unwrap())), 40002);
        std::thread::sleep(Duration::from_millis(120));
    }
    let connections = bench.sandbox.counters().connections;
    assert_eq!((connections.https, connections.open), (6, 0));
}

#[test]
fn the_tls_handshake_can_be_kept_waiting() {
    let bench = Bench::new();
    bench.sandbox.settings(SettingsChange { tls_accept_delay_ms: Some(150), ..SettingsChange::default() });
    let ca = reqwest::Certificate::from_pem(bench.sandbox.ca_pem().as_bytes()).unwrap();
    let client = builder().tls_certs_only([ca]).build().unwrap();
    let start = Instant::now();
    client.get(bench.sandbox.https_url()).send().unwrap();
    assert!(start.elapsed() >= Duration::from_millis(150), "{:?}", start.elapsed());
}

#[test]
fn a_herd_of_clients_is_served_at_once_and_shares_one_stable_token() {
    let bench = Bench::new();
    let client = builder().pool_max_idle_per_host(0).build().unwrap();
    let start = Instant::now();
    std::thread::scope(|scope| {
        let herd: Vec<_> = (0..64)
            .map(|_| {
                scope.spawn(|| {
                    let body = json!({"grant_type": "client_credential", "appid": DEMO_APPID, "secret": DEMO_SECRET});
                    let request = client.post(bench.url("/cgi-bin/stable_token"));
                    json_of(request.body(body.to_string()).send().unwrap())["access_token"].as_str().unwrap().to_owned()
                })
            })
            .collect();
        let tokens: std::collections::BTreeSet<_> = herd.into_iter().map(|client| client.join().unwrap()).collect();
        assert_eq!(tokens.len(), 1);
    });
    assert!(start.elapsed() < Duration::from_secs(5));
    let counters = bench.sandbox.counters();
    assert_eq!((counters.connections.http, counters.tokens[DEMO_APPID].stable_issued), (64, 1));
}
