//! subscribe/send.

use super::*;

#[test]
fn an_accepted_message_has_a_big_msgid_and_is_recorded_as_received() {
    let bench = Bench::new();
    let answer = bench.send(&bench.stable(), &message());
    assert_eq!((errcode(&answer), answer["errmsg"].as_str()), (0, Some("ok")));
    assert!(answer["msgid"].as_u64().unwrap() > 1 << 53);
    let recorded = bench.sandbox.messages(&MessageFilter::default());
    assert_eq!(recorded.len(), 1);
    assert_eq!((recorded[0].number, recorded[0].openid.as_str()), (1, DEMO_OPENID));
    assert_eq!(recorded[0].body, message());
    assert_eq!(recorded[0].data, message()["data"]);
    assert_eq!(recorded[0].page.as_deref(), Some("pages/order/detail?id=1"));
    assert_eq!(recorded[0].msgid, answer["msgid"].as_u64().unwrap());
}

/// Everything is wrong at first; each step repairs what was named.
#[test]
fn the_checks_come_in_the_observed_order() {
    let bench = Bench::new();
    let account = AccountChange {
        pages: Some(Some(vec!["pages/index".to_owned()])),
        blacklist: Some(vec!["加多宝".to_owned()]),
        ..AccountChange::default()
    };
    bench.sandbox.account(DEMO_APPID, account);
    bench.sandbox.template(
        DEMO_APPID,
        TemplateChange {
            template_id: "T".to_owned(),
            content: "{{thing7.DATA}}{{date4.DATA}}{{thing5.DATA}}".to_owned(),
            ..TemplateChange::default()
        },
    );
    let token = bench.stable();
    let mut wrong = json!({
        "touser": "nobody", "template_id": "none", "page": "pages/none",
        "data": {"thing5": {"value": ""}, "date4": {"value": "x"}, "thing7": {"value": "字".repeat(21)}},
    });
    let send = |token: &str, body: &Value| bench.send(token, body);
    assert_eq!(errcode(&bench.post(SEND, &wrong)), 41001);
    assert_eq!(errcode(&send("x", &wrong)), 40014);
    assert_eq!(errcode(&send(&"x".repeat(136), &wrong)), 40001);
    bench.sandbox.quota(DEMO_APPID, SEND, QuotaChange { daily_limit: Some(Some(0)), ..QuotaChange::default() });
    assert_eq!(errcode(&send(&token, &wrong)), 45009);
    bench.sandbox.quota(DEMO_APPID, SEND, QuotaChange { daily_limit: Some(None), minute_limit: Some(Some(0)) });
    assert_eq!(errcode(&send(&token, &wrong)), 45011);
    bench.sandbox.quota(DEMO_APPID, SEND, QuotaChange { minute_limit: Some(None), ..QuotaChange::default() });
    assert_eq!(errcode(&send(&token, &wrong)), 40003);
    wrong["touser"] = json!(DEMO_OPENID);
    assert_eq!(errcode(&send(&token, &wrong)), 40037);
    wrong["template_id"] = json!("T");
    assert_eq!(errcode(&send(&token, &wrong)), 43101);
    bench.sandbox.grant(DEMO_APPID, DEMO_OPENID, "T", Choice::Accept, 1);
    for (key, value, detail) in [
        ("thing7", "好", "data.thing7.value invalid"),
        ("date4", "2024-01-01", "data.date4.value invalid"),
        ("thing5", "加多宝", "data.thing5.value is empty"),
    ] {
        let refused = send(&token, &wrong);
        assert_eq!(errcode(&refused), 47003);
        assert!(errmsg(&refused).starts_with(&format!("argument invalid! {detail} rid: ")), "{refused}");
        wrong["data"][key]["value"] = json!(value);
    }
    assert_eq!(errcode(&send(&token, &wrong)), 41030);
    wrong["page"] = json!("pages/index?a=b");
    let refused = send(&token, &wrong);
    assert_eq!(errcode(&refused), 45168);
    assert!(errmsg(&refused).starts_with("keyword in blacklist rid: "));
    wrong["data"]["thing5"]["value"] = json!("凉茶");
    assert_eq!(errcode(&send(&token, &wrong)), 0);
    assert_eq!(bench.accepted(), 1);
}

#[test]
fn every_refusal_ends_with_a_rid_that_can_be_looked_up() {
    let bench = Bench::new();
    let token = bench.stable();
    let refused = errmsg(&bench.send(&token, &with(message(), "/touser", json!("nobody"))));
    let (text, rid) = refused.split_once(" rid: ").unwrap();
    assert_eq!(text, "invalid openid");
    assert!(rid.split('-').all(|part| part.len() == 8 && part.bytes().all(|byte| byte.is_ascii_hexdigit())), "{rid}");
    let look_up =
        |rid: &str| bench.post(&format!("/cgi-bin/openapi/rid/get?access_token={token}"), &json!({"rid": rid}));
    let found = look_up(rid);
    assert!(found["request"]["response_body"].as_str().unwrap().contains("40003"), "{found}");
    assert_eq!(errcode(&look_up("00000000-00000000-00000000")), 76001);
    assert_eq!(errcode(&look_up("x")), 76002);
    bench.sandbox.advance_clock(Duration::from_secs(7 * 86_400 + 1));
    let token = bench.stable();
    let path = format!("/cgi-bin/openapi/rid/get?access_token={token}");
    assert_eq!(errcode(&bench.post(&path, &json!({"rid": rid}))), 76004);
}

#[test]
fn structural_faults_read_as_empty_and_color_and_surplus_keys_are_tolerated() {
    let bench = Bench::new();
    let token = bench.stable();
    let data = message()["data"].clone();
    let dotted: serde_json::Map<String, Value> =
        data.as_object().unwrap().iter().map(|(key, value)| (format!("{key}.DATA"), value.clone())).collect();
    for broken in [json!(data.to_string()), json!(null), json!([]), json!(dotted)] {
        let refused = bench.send(&token, &with(message(), "/data", broken));
        assert!(errmsg(&refused).starts_with("argument invalid! data.character_string1.value i rid: "), "{refused}");
    }
    for broken in [json!("苹果"), json!({}), json!({"value": null}), json!(r#"{"value":"x"}"#), json!({"value": "  "})]
    {
        let refused = bench.send(&token, &with(message(), "/data/thing4", broken));
        assert!(errmsg(&refused).starts_with("argument invalid! data.thing4.value is empty rid: "), "{refused}");
    }
    assert_eq!(bench.accepted(), 0);
    let mut tolerated = with(message(), "/data/thing4", json!({"value": "苹果", "color": "#173177"}));
    tolerated["data"]["remark"] = json!({"value": "surplus"});
    assert_eq!(bench.send_errcode(&token, &tolerated), 0);
}

#[test]
fn numbers_are_judged_by_their_decimal_text() {
    let bench = Bench::new();
    let token = bench.stable();
    let url = format!("{}{SEND}?access_token={token}", bench.sandbox.http_url());
    let send = |amount: &str| {
        let body = message().to_string().replace("\"12.50元\"", amount);
        errcode(&json_of(bench.client.post(&url).body(body).send().unwrap()))
    };
    assert_eq!(send("656887888.00"), 47003); // wx-00044acf
    assert_eq!(send("-1"), 47003);
    assert_eq!(send("true"), 47003);
    assert_eq!(send("0.0"), 0);
}

#[test]
fn bodies_that_are_no_json_object_are_47001_and_missing_ones_44002() {
    let bench = Bench::new();
    let url = format!("{}{SEND}?access_token={}", bench.sandbox.http_url(), bench.stable());
    let send = |body: Vec<u8>| errcode(&json_of(bench.client.post(&url).body(body).send().unwrap()));
    assert_eq!(send(Vec::new()), 44002);
    for broken in ["touser=x&data=y", "[]", "{", "\"{}\"", "null"] {
        assert_eq!(send(broken.into()), 47001, "{broken}");
    }
    assert_eq!(errcode(&json_of(bench.client.get(&url).send().unwrap())), 43002);
}

#[test]
fn text_in_gbk_passes_as_thing_and_fails_as_phrase() {
    let bench = Bench::new();
    bench.sandbox.template(
        DEMO_APPID,
        TemplateChange {
            template_id: "T".to_owned(),
            content: "{{thing1.DATA}}{{phrase2.DATA}}".to_owned(),
            ..TemplateChange::default()
        },
    );
    bench.sandbox.grant(DEMO_APPID, DEMO_OPENID, "T", Choice::Accept, 1);
    let url = format!("{}{SEND}?access_token={}", bench.sandbox.http_url(), bench.stable());
    let body = format!(
        r#"{{"touser":"{DEMO_OPENID}","template_id":"T","data":{{"thing1":{{"value":"订单"}},"phrase2":{{"value":"订单"}}}}}}"#
    );
    let (gbk, ..) = encoding_rs::GBK.encode(&body);
    let refused = json_of(bench.client.post(&url).body(gbk.into_owned()).send().unwrap());
    assert!(errmsg(&refused).starts_with("argument invalid! data.phrase2.value invalid rid: "), "{refused}");
    assert_eq!(errcode(&json_of(bench.client.post(&url).body(body).send().unwrap())), 0);
}

#[test]
fn a_delivered_message_takes_one_grant_and_a_refused_one_none() {
    let bench = Bench::new();
    let token = bench.stable();
    let available = || bench.sandbox.grants(DEMO_APPID, DEMO_OPENID)[DEMO_TEMPLATE].available;
    assert_eq!(bench.send_errcode(&token, &with(message(), "/data/amount2/value", json!("x"))), 47003);
    assert_eq!(available(), 3);
    for left in [2, 1, 0] {
        assert_eq!(bench.send_errcode(&token, &message()), 0);
        assert_eq!(available(), left);
    }
    let refused = bench.send(&token, &message());
    assert_eq!(errcode(&refused), 43101);
    assert!(errmsg(&refused).starts_with("user refuse to accept the msg rid: "));
    bench.sandbox.grant(DEMO_APPID, DEMO_OPENID, DEMO_TEMPLATE, Choice::Accept, 1);
    assert_eq!(bench.send_errcode(&token, &message()), 0);
    bench.sandbox.grant(DEMO_APPID, DEMO_OPENID, DEMO_TEMPLATE, Choice::Accept, 5);
    bench.sandbox.grant(DEMO_APPID, DEMO_OPENID, DEMO_TEMPLATE, Choice::Reject, 1);
    assert_eq!(bench.send_errcode(&token, &message()), 43101);
}

#[test]
fn concurrent_sends_to_one_openid_are_43108_and_others_go_through() {
    let bench = Bench::new();
    let token = bench.stable();
    bench.sandbox.grant(DEMO_APPID, "oOther", DEMO_TEMPLATE, Choice::Accept, 1);
    bench.fault(SEND, FaultKind::Latency { ms: 600 });
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| bench.send_errcode(&token, &message()));
        let deadline = Instant::now() + Duration::from_secs(3);
        while bench.accepted() == 0 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        let refused = bench.send(&token, &message());
        assert_eq!(errcode(&refused), 43108);
        assert!(
            errmsg(&refused).starts_with("Cannot make concurrent calls to the same OpenID, please try again rid: ")
        );
        assert_eq!(bench.send_errcode(&token, &with(message(), "/touser", json!("oOther"))), 0);
        assert_eq!(slow.join().unwrap(), 0);
    });
    assert_eq!(bench.send_errcode(&token, &message()), 0);
}

#[test]
fn an_account_for_benches_knows_everybody_without_counting() {
    let bench = Bench::new();
    bench.sandbox.account(DEMO_APPID, AccountChange { any_openid: Some(true), ..AccountChange::default() });
    let token = bench.stable();
    for turn in 0..5 {
        assert_eq!(bench.send_errcode(&token, &with(message(), "/touser", json!(format!("o{turn}")))), 0);
    }
    assert_eq!(bench.send_errcode(&token, &with(message(), "/touser", json!(""))), 40003);
}
