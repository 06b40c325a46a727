//! Message push: what the shop's endpoint is sent, and what WeChat makes of its answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use super::*;

const TOKEN: &str = "pushtoken";
const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

/// A request as the endpoint got it.
struct Got {
    head: String,
    body: String,
}

impl Got {
    fn query(&self, name: &str) -> Option<String> {
        let target = self.head.split(' ').nth(1)?;
        let url = reqwest::Url::parse(&format!("http://x{target}")).unwrap();
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A shop's endpoint: answers requests one after another with the given answers, the last one for ever. An empty
/// answer closes the connection without a word; `{echostr}` stands for the parameter.
struct Endpoint {
    url: String,
    requests: Receiver<Got>,
}

impl Endpoint {
    fn answering(answers: &'static [&'static str]) -> Endpoint {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/api/push?s=wechat", listener.local_addr().unwrap());
        let (sender, requests) = channel();
        std::thread::spawn(move || {
            for (at, stream) in listener.incoming().enumerate() {
                let answer = answers.get(at).or(answers.last()).copied().unwrap_or_default();
                serve(stream.unwrap(), answer, &sender);
            }
        });
        Endpoint { url, requests }
    }

    fn next(&self) -> Got {
        self.requests.recv_timeout(Duration::from_secs(30)).unwrap()
    }
}

fn serve(mut stream: TcpStream, answer: &str, sender: &Sender<Got>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap() <= 2 {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let got = Got { head, body: String::from_utf8(body).unwrap() };
    let answer = answer.replace("{echostr}", &got.query("echostr").unwrap_or_default());
    // A test that has ended listens no more.
    let _ = sender.send(got);
    if !answer.is_empty() {
        let (status, text) = answer.split_once(' ').unwrap();
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", text.len());
        stream.write_all(format!("{head}{text}").as_bytes()).unwrap();
    }
}

fn point(bench: &Bench, appid: &str, endpoint: &Endpoint, more: Value) {
    let mut body = json!({"appid": appid, "push_url": endpoint.url, "push_token": TOKEN});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    assert_eq!(bench.post("/__admin/account", &body), json!({"ok": true}));
}

fn fire(bench: &Bench, body: Value) -> Value {
    bench.post("/__admin/push", &body)["push"].clone()
}

fn settled(bench: &Bench, count: usize) -> Vec<PushRecord> {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let pushes = bench.sandbox.pushes();
        if pushes.len() >= count && pushes.iter().all(|push| push.state != PushState::Waiting) {
            return pushes;
        }
        assert!(Instant::now() < deadline, "{pushes:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn an_accepted_message_is_followed_by_its_sent_event_with_the_same_msgid() {
    let (bench, endpoint) = (Bench::new(), Endpoint::answering(&["200 success"]));
    point(&bench, DEMO_APPID, &endpoint, json!({}));
    let token = bench.stable();
    let msgid = bench.send(&token, &message())["msgid"].as_u64().unwrap();
    assert_eq!(bench.send_errcode(&token, &json!({"touser": "x"})), 40003);
    let got = endpoint.next();
    assert!(got.head.starts_with("POST /api/push?s=wechat&signature="), "{}", got.head);
    assert_eq!(got.query("openid").as_deref(), Some(DEMO_OPENID));
    assert_eq!(got.query("encrypt_type"), None);
    let event = got.json();
    assert_eq!(event["Event"], "subscribe_msg_sent_event");
    assert_eq!(event["FromUserName"], DEMO_OPENID);
    let item =
        json!({"TemplateId": DEMO_TEMPLATE, "MsgID": msgid.to_string(), "ErrorCode": "0", "ErrorStatus": "success"});
    assert_eq!(event["List"], item);
    let pushes = settled(&bench, 1);
    assert_eq!((pushes.len(), pushes[0].state, pushes[0].tries), (1, PushState::Success, 1));
}

#[test]
fn a_template_message_ends_with_its_job_finish() {
    let (bench, endpoint) = (Bench::new(), Endpoint::answering(&["200 success"]));
    point(&bench, DEMO_OFFICIAL_APPID, &endpoint, json!({"push_format": "xml"}));
    let answer = bench.post(&format!("{TEMPLATE}?access_token={}", bench.official()), &official_message());
    let got = endpoint.next();
    assert!(got.head.to_ascii_lowercase().contains("content-type: text/xml"), "{}", got.head);
    assert!(got.body.contains("<Event><![CDATA[TEMPLATESENDJOBFINISH]]></Event>"), "{}", got.body);
    assert!(got.body.contains(&format!("<MsgID>{}</MsgID>", answer["msgid"])), "{}", got.body);
}

#[test]
fn a_buyers_choice_changes_the_grants_and_is_pushed() {
    let (bench, endpoint) = (Bench::new(), Endpoint::answering(&["200 "]));
    point(&bench, DEMO_APPID, &endpoint, json!({}));
    let other = "0rdErShipped0000000000000000000000000000002";
    let choose = |templates: Value, more: Value| {
        let mut body = json!({"appid": DEMO_APPID, "openid": DEMO_OPENID, "templates": templates});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        bench.post("/__admin/choose", &body)["result"].clone()
    };
    let result = choose(json!({DEMO_TEMPLATE: "accept", other: "reject"}), json!({}));
    assert_eq!(result, json!({"errMsg": "requestSubscribeMessage:ok", DEMO_TEMPLATE: "accept", other: "reject"}));
    let event = endpoint.next().json();
    assert_eq!(event["Event"], "subscribe_msg_popup_event");
    assert_eq!(
        event["List"][0],
        json!({"TemplateId": DEMO_TEMPLATE, "SubscribeStatusString": "accept", "PopupScene": "0"})
    );
    assert_eq!(event["List"][1]["SubscribeStatusString"], "reject");
    let grants = bench.sandbox.grants(DEMO_APPID, DEMO_OPENID);
    assert_eq!((grants[DEMO_TEMPLATE].available, grants[other].available), (4, 0));

    choose(json!({DEMO_TEMPLATE: "accept"}), json!({"keep": true}));
    assert_eq!(endpoint.next().json()["List"]["SubscribeStatusString"], "accept");
    // Kept: no popup opens whatever is wished, the kept choice counts, and nothing is pushed.
    let result = choose(json!({DEMO_TEMPLATE: "reject"}), json!({}));
    assert_eq!(result[DEMO_TEMPLATE], "accept");
    assert_eq!(bench.sandbox.grants(DEMO_APPID, DEMO_OPENID)[DEMO_TEMPLATE].available, 6);
    let users = bench.get(&format!("/__admin/users?appid={DEMO_APPID}"));
    assert_eq!(
        users["users"][0]["grants"][DEMO_TEMPLATE],
        json!({"available": 6, "state": "accept", "kept": "accept"})
    );

    choose(json!({DEMO_TEMPLATE: "reject"}), json!({"place": "settings"}));
    let event = endpoint.next().json();
    assert_eq!(event["Event"], "subscribe_msg_change_event");
    assert_eq!(event["List"], json!({"TemplateId": DEMO_TEMPLATE, "SubscribeStatusString": "reject"}));
    choose(json!({DEMO_TEMPLATE: "accept"}), json!({"place": "settings"}));
    assert_eq!(bench.sandbox.grants(DEMO_APPID, DEMO_OPENID)[DEMO_TEMPLATE].available, 0);
    assert_eq!(settled(&bench, 3).len(), 3, "switching on again is not pushed");
}

#[test]
fn a_choice_that_the_mini_program_could_not_ask_for_is_refused_with_its_errcode() {
    let bench = Bench::new();
    let long_term = json!({"appid": DEMO_APPID, "template_id": "LONG", "content": "{{thing1.DATA}}", "type": 3});
    bench.post("/__admin/template", &long_term);
    let six: serde_json::Map<String, Value> =
        bench.sandbox.grants(DEMO_APPID, DEMO_OPENID).into_keys().take(6).map(|id| (id, json!("accept"))).collect();
    for (templates, errcode) in [
        (json!({}), "10001"),
        (json!({"none": "accept"}), "20001"),
        (json!({"LONG": "accept", DEMO_TEMPLATE: "accept"}), "20002"),
        (json!(six), "20003"),
        (json!({DEMO_TEMPLATE: "maybe"}), "accept nor reject"),
    ] {
        let body = json!({"appid": DEMO_APPID, "openid": DEMO_OPENID, "templates": templates});
        let response = bench.try_post("/__admin/choose", &body).unwrap();
        assert_eq!(response.status(), 400, "{body}");
        let text = response.text().unwrap();
        assert!(text.contains("templates: ") && text.contains(errcode), "{text}");
    }
    assert_eq!(bench.sandbox.grants(DEMO_APPID, DEMO_OPENID)[DEMO_TEMPLATE].available, 3);
}

#[test]
fn safe_mode_hides_the_event_and_compatible_mode_shows_both() {
    let (bench, endpoint) = (Bench::new(), Endpoint::answering(&["200 success"]));
    let event = json!({"appid": DEMO_APPID, "openid": DEMO_OPENID, "event": "subscribe_msg_popup_event",
        "templates": {DEMO_TEMPLATE: "accept"}});
    for (mode, format) in [("safe", "json"), ("safe", "xml"), ("compat", "json"), ("compat", "xml")] {
        point(&bench, DEMO_APPID, &endpoint, json!({"push_aes_key": KEY, "push_mode": mode, "push_format": format}));
        assert_eq!(fire(&bench, event.clone())["state"], "success");
        let got = endpoint.next();
        assert_eq!(got.query("encrypt_type").as_deref(), Some("aes"));
        assert_eq!(got.query("msg_signature").unwrap().len(), 40);
        assert!(got.body.contains("ToUserName") && got.body.contains("Encrypt"), "{}", got.body);
        assert_eq!(got.body.contains(DEMO_TEMPLATE), mode == "compat", "{}", got.body);
        assert_eq!(got.body.starts_with("<xml>"), format == "xml", "{}", got.body);
    }
}

#[test]
fn wechat_asks_three_times_with_the_same_body_and_then_gives_up() {
    let (bench, endpoint) =
        (Bench::new(), Endpoint::answering(&["", "500 oops", "200 success", "", "", "", "200 hello"]));
    point(&bench, DEMO_APPID, &endpoint, json!({}));
    let finish = json!({"appid": DEMO_APPID, "openid": DEMO_OPENID, "event": "TEMPLATESENDJOBFINISH", "msgid": 7,
        "status": "failed:user block"});
    let push = fire(&bench, finish.clone());
    assert_eq!((&push["state"], &push["tries"], &push["status"]), (&json!("success"), &json!(3), &json!(200)));
    let requests = [endpoint.next(), endpoint.next(), endpoint.next()];
    assert!(
        requests.iter().all(|got| got.body == requests[0].body && got.query("nonce") == requests[0].query("nonce"))
    );
    assert_eq!(requests[0].json()["Status"], "failed:user block");
    let push = fire(&bench, finish.clone());
    assert_eq!((&push["state"], &push["tries"]), (&json!("failed"), &json!(3)));
    assert!(push["error"].as_str().is_some_and(|error| !error.contains("signature")), "{push}");
    let push = fire(&bench, finish);
    assert_eq!((&push["state"], &push["answer"]), (&json!("answered"), &json!("hello")));
}

#[test]
fn an_endpoint_that_is_silent_is_given_up_after_five_seconds_a_time() {
    let (bench, listener) = (Bench::new(), TcpListener::bind("127.0.0.1:0").unwrap());
    let url = format!("http://{}/", listener.local_addr().unwrap());
    bench.post("/__admin/account", &json!({"appid": DEMO_APPID, "push_url": url, "push_token": TOKEN}));
    let token = bench.stable();
    assert_eq!(bench.send_errcode(&token, &message()), 0, "the send does not wait for its push");
    let pushes = settled(&bench, 1);
    assert_eq!((pushes[0].state, pushes[0].tries), (PushState::Failed, 3));
    assert!(pushes[0].error.as_deref().unwrap().contains("5 seconds"), "{pushes:?}");
    assert!(pushes[0].took_ms.unwrap() >= 14_000, "{pushes:?}");
}

#[test]
fn a_dead_endpoint_costs_no_memory() {
    let (bench, listener) = (Bench::new(), TcpListener::bind("127.0.0.1:0").unwrap());
    let url = format!("http://{}/", listener.local_addr().unwrap());
    bench.post(
        "/__admin/account",
        &json!({"appid": DEMO_APPID, "push_url": url, "push_token": TOKEN, "any_openid": true}),
    );
    let token = bench.stable();
    for _ in 0..300 {
        assert_eq!(bench.send_errcode(&token, &message()), 0);
    }
    let pushes = bench.sandbox.pushes();
    assert_eq!(pushes.len(), 200);
    assert_eq!(pushes.last().unwrap().state, PushState::Dropped);
    assert!(pushes.last().unwrap().error.is_some());
}

#[test]
fn the_check_of_the_address_wants_its_echostr_back_and_nothing_else() {
    let (bench, endpoint) = (Bench::new(), Endpoint::answering(&["200 {echostr}", "200 \u{feff}{echostr}"]));
    point(&bench, DEMO_APPID, &endpoint, json!({}));
    let check = json!({"appid": DEMO_APPID, "event": "url_check"});
    assert_eq!(fire(&bench, check.clone())["state"], "success");
    assert!(endpoint.next().head.starts_with("GET /api/push?s=wechat&signature="));
    assert_eq!(fire(&bench, check)["state"], "answered");
}

#[test]
fn a_push_can_be_repeated_and_dated_back() {
    let (bench, endpoint) = (Bench::new(), Endpoint::answering(&["200 success"]));
    point(&bench, DEMO_APPID, &endpoint, json!({"push_automatic": false}));
    let token = bench.stable();
    assert_eq!(bench.send_errcode(&token, &message()), 0);
    let event = json!({"appid": DEMO_APPID, "openid": "o1", "event": "subscribe_msg_change_event",
        "templates": {"T": "reject"}, "repeat": 2, "timestamp": 1_700_000_000});
    assert_eq!(fire(&bench, event)["state"], "success");
    let (first, second) = (endpoint.next(), endpoint.next());
    assert_eq!(first.query("timestamp").as_deref(), Some("1700000000"));
    assert_eq!(first.json()["Event"], "subscribe_msg_change_event", "the send has pushed nothing");
    assert_eq!((first.head, first.body), (second.head, second.body));
}

#[test]
fn bad_push_settings_and_events_are_named() {
    let bench = Bench::new();
    let url = "http://127.0.0.1:1/";
    for (operation, body, name) in [
        ("account", json!({"push_url": "http://192.0.2.1/", "push_token": TOKEN}), "push_url"),
        ("account", json!({"push_url": "shop", "push_token": TOKEN}), "push_url"),
        ("account", json!({"push_token": TOKEN}), "push_url"),
        ("account", json!({"push_url": url}), "push_token"),
        ("account", json!({"push_url": url, "push_token": "a b"}), "push_token"),
        ("account", json!({"push_url": url, "push_token": TOKEN, "push_mode": "safe"}), "push_aes_key"),
        ("account", json!({"push_url": url, "push_token": TOKEN, "push_aes_key": "x"}), "push_aes_key"),
        ("account", json!({"push_url": url, "push_token": TOKEN, "push_format": "yaml"}), "push_format"),
        ("push", json!({"event": "url_check"}), "appid"),
        ("push", json!({"event": "none", "openid": "o"}), "event"),
        ("push", json!({"event": "subscribe_msg_popup_event", "openid": "o"}), "templates"),
        ("push", json!({"event": "TEMPLATESENDJOBFINISH", "openid": "o"}), "msgid"),
        ("push", json!({"event": "url_check", "repeat": 11}), "repeat"),
    ] {
        let mut body = body;
        body["appid"] = json!(DEMO_APPID);
        let response = bench.try_post(&format!("/__admin/{operation}"), &body).unwrap();
        assert_eq!(response.status(), 400, "{operation} {body}");
        let answer: Value = serde_json::from_str(&response.text().unwrap()).unwrap();
        assert!(answer["error"].as_str().unwrap().starts_with(&format!("{name}: ")), "{answer}");
    }
}
