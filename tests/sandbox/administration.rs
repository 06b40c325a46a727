//! `/__admin` over HTTP.

use super::*;

fn admin(bench: &Bench, operation: &str, body: Value) -> Value {
    bench.post(&format!("/__admin/{operation}"), &body)
}

#[test]
fn everything_can_be_set_up_over_http() {
    let bench = Bench::new();
    let ok = json!({"ok": true});
    let account = json!({"appid": "wx1", "secret": "s", "kind": "miniprogram", "token_expires_in": 7200, "token_overlap": 300,
        "ip_refused": false, "secret_frozen": false, "any_openid": false, "pages": null, "blacklist": []});
    assert_eq!(admin(&bench, "account", account), ok);
    let template = json!({"appid": "wx1", "template_id": "T", "title": "x", "content": "{{enum_string2.DATA}}", "type": 3,
        "values": {"enum_string2": ["a", "b"]}});
    assert_eq!(admin(&bench, "template", template), ok);
    assert_eq!(admin(&bench, "user", json!({"appid": "wx1", "openid": "o1"})), ok);
    let grant = json!({"appid": "wx1", "openid": "o1", "template_id": "T", "result": "accept", "count": 1});
    assert_eq!(admin(&bench, "grant", grant), ok);
    let grants = bench.get("/__admin/grants?appid=wx1&openid=o1");
    assert_eq!(grants, json!({"grants": {"T": {"available": 1, "state": "accept"}}}));
    let token = bench.stable_of("wx1", "s")["access_token"].as_str().unwrap().to_owned();
    let body = json!({"touser": "o1", "template_id": "T", "data": {"enum_string2": {"value": "b"}}});
    assert_eq!((bench.send_errcode(&token, &body), bench.send_errcode(&token, &body)), (0, 0));
    assert_eq!(bench.send_errcode(&token, &with(body, "/data/enum_string2/value", json!("c"))), 47003);
    let messages = bench.get("/__admin/messages?appid=wx1&openid=o1&template_id=T");
    assert_eq!(messages["messages"].as_array().unwrap().len(), 2);
    assert_eq!(messages["messages"][1]["number"], 2);
    assert_eq!(bench.get("/__admin/messages?appid=wx2")["messages"], json!([]));
    assert_eq!(admin(&bench, "expire_tokens", json!({"appid": "wx1", "kind": "all", "how": "expired"})), ok);
    assert_eq!(bench.send_errcode(&token, &json!({})), 42001);
    assert_eq!(
        admin(&bench, "quota", json!({"appid": "wx1", "path": SEND, "daily_limit": 1, "minute_limit": null})),
        ok
    );
    let settings =
        json!({"latency_ms": 0, "idle_close_ms": null, "tls_accept_delay_ms": 0, "close_after_answer": false});
    assert_eq!(admin(&bench, "settings", settings), ok);
    for fault in [
        json!({"fault": "latency", "ms": 1}),
        json!({"fault": "drop_before"}),
        json!({"fault": "drop_after"}),
        json!({"fault": "reset_before"}),
        json!({"fault": "reset_after"}),
        json!({"fault": "half_answer"}),
        json!({"fault": "http_status", "status": 500}),
        json!({"fault": "garbage"}),
        json!({"fault": "slow_bytes", "ms_per_byte": 1}),
        json!({"fault": "hang"}),
        json!({"fault": "errcode", "errcode": -1}),
        json!({"fault": "huge_answer", "bytes": 10}),
    ] {
        let mut body = fault;
        body["path"] = json!("*");
        body["times"] = json!(null);
        assert_eq!(admin(&bench, "fault", body), ok);
    }
    assert_eq!(bench.get("/__admin/counters")["faults_pending"], 12);
    assert_eq!(json_of(bench.client.delete(bench.url("/__admin/fault")).send().unwrap()), ok);
    assert_eq!(bench.get("/__admin/counters")["faults_pending"], 0);
}

#[test]
fn a_bad_member_is_named_with_status_400() {
    let bench = Bench::new();
    for (operation, body, name) in [
        ("account", json!({"appid": "wx1", "sekret": "s"}), "sekret"),
        ("account", json!({"secret": "s"}), "appid"),
        ("account", json!({"appid": "wx1", "token_expires_in": "long"}), "token_expires_in"),
        ("account", json!({"appid": "wx1", "kind": "shop"}), "kind"),
        ("template", json!({"appid": DEMO_APPID, "template_id": "T", "content": "x", "type": 4}), "type"),
        ("user", json!({"appid": "wx0", "openid": "o"}), "appid"),
        ("grant", json!({"appid": DEMO_APPID, "openid": "o", "template_id": "T", "result": "maybe"}), "result"),
        ("fault", json!({"path": "*", "fault": "flood"}), "fault"),
        ("fault", json!({"path": "*", "fault": "latency"}), "ms"),
        ("fault", json!({"path": "send", "fault": "hang"}), "path"),
        ("fault", json!({"path": "*", "fault": "http_status", "status": 99}), "status"),
        ("random_faults", json!({"faults": []}), "seed"),
        ("random_faults", json!({"seed": 1, "faults": []}), "faults"),
        ("random_faults", json!({"seed": 1, "faults": [{"fault": "hang"}]}), "faults[0]: per_thousand"),
        ("random_faults", json!({"seed": 1, "faults": [{"fault": "latency", "per_thousand": 1}]}), "faults[0]: ms"),
        (
            "random_faults",
            json!({"seed": 1, "faults": [{"fault": "hang", "per_thousand": 0}]}),
            "faults[0]: per_thousand",
        ),
        (
            "random_faults",
            json!({"seed": 1, "faults": [{"fault": "hang", "per_thousand": 1, "times": 1}]}),
            "faults[0]: times",
        ),
        ("settings", json!({"latency": 1}), "latency"),
        ("quota", json!({"appid": DEMO_APPID, "path": SEND, "daily_limit": -1}), "daily_limit"),
    ] {
        let response = bench.try_post(&format!("/__admin/{operation}"), &body).unwrap();
        assert_eq!(response.status(), 400, "{operation} {body}");
        let answer: Value = serde_json::from_str(&response.text().unwrap()).unwrap();
        assert!(answer["error"].as_str().unwrap().starts_with(&format!("{name}: ")), "{answer}");
    }
    assert_eq!(bench.try_post("/__admin/none", &json!({})).unwrap().status(), 400);
    assert_eq!(bench.client.post(bench.url("/__admin/account")).body("x").send().unwrap().status(), 400);
}

#[test]
fn counters_tell_requests_answers_and_the_last_request_without_its_token() {
    let bench = Bench::new();
    let token = bench.stable();
    bench.send(&token, &message());
    bench.send(&token, &json!({"touser": "x"}));
    let counters = bench.get("/__admin/counters");
    assert_eq!(counters["requests"], json!({"/cgi-bin/stable_token": 1, SEND: 2}));
    assert_eq!(counters["answers"], json!({"errcode": {"0": 2, "40003": 1}}));
    assert_eq!(counters["messages"], 1);
    assert_eq!(counters["tokens"][DEMO_APPID]["stable_issued"], 1);
    assert_eq!(counters["last_request"][SEND]["body"], r#"{"touser":"x"}"#);
    assert_eq!(counters["last_request"][SEND]["headers"]["content-length"], "14");
    assert!(!counters.to_string().contains(&token));
}

#[test]
fn reset_brings_the_start_state_back_and_keeps_connections() {
    let bench = Bench::new();
    let token = bench.stable();
    assert_eq!(bench.send_errcode(&token, &message()), 0);
    bench.sandbox.account("wx1", AccountChange::default());
    bench.sandbox.settings(SettingsChange { close_after_answer: Some(true), ..SettingsChange::default() });
    bench.sandbox.settings(SettingsChange { close_after_answer: Some(false), ..SettingsChange::default() });
    bench.fault("/none", FaultKind::Hang);
    assert_eq!(admin(&bench, "reset", json!({})), json!({"ok": true}));
    let counters = bench.sandbox.counters();
    assert_eq!((counters.messages, counters.faults_pending, counters.requests.len()), (0, 0, 0));
    assert_eq!((counters.connections.http, counters.connections.open), (0, 1));
    assert_eq!(bench.sandbox.grants(DEMO_APPID, DEMO_OPENID)[DEMO_TEMPLATE].available, 3);
    assert_eq!(errcode(&bench.stable_of("wx1", "")), 40013);
    assert_eq!(bench.send_errcode(&token, &message()), 40001);
    assert_eq!(bench.sandbox.counters().connections.http, 0);
}
