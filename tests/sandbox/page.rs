//! The page, what it reads, and who may act through it.

use std::io::{BufRead, BufReader};

use super::*;

/// The events of `/__admin/events` as they come.
struct Events(BufReader<Response>);

impl Events {
    fn open(bench: &Bench, query: &str) -> Events {
        let client = builder().timeout(Duration::from_secs(60)).build().unwrap();
        let response = client.get(bench.url(&format!("/__admin/events?{query}"))).send().unwrap();
        assert_eq!(response.status(), 200);
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
        Events(BufReader::new(response))
    }

    fn next(&mut self) -> Value {
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream has ended");
            if let Some(data) = line.strip_prefix("data: ") {
                return serde_json::from_str(data).unwrap();
            }
        }
    }

    fn until(&mut self, what: impl Fn(&Value) -> bool) -> Value {
        loop {
            let piece = self.next();
            if what(&piece) {
                return piece;
            }
        }
    }
}

fn asked(bench: &Bench, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> (u16, String) {
    let mut request = match body {
        Some(body) => bench.client.post(bench.url(path)).body(body.to_string()),
        None => bench.client.get(bench.url(path)),
    };
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().unwrap();
    (response.status().as_u16(), response.text().unwrap())
}

#[test]
fn the_page_is_one_file_that_may_load_and_run_nothing_else() {
    let bench = Bench::new();
    let response = bench.client.get(bench.url("/")).send().unwrap();
    assert_eq!(response.status(), 200);
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "text/html; charset=utf-8");
    let policy = header("content-security-policy");
    for rule in ["default-src 'none'", "script-src 'sha256-", "style-src 'sha256-", "frame-ancestors 'none'"] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    let html = response.text().unwrap();
    assert_eq!((html.matches("<script").count(), html.matches("<style").count()), (1, 1));
    for forbidden in
        ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "src=", " style=", " onclick="]
    {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    assert_eq!(html.matches("https://").count(), 0, "nothing comes from elsewhere");
    // Any other path is still WeChat's.
    assert_eq!(errcode(&bench.get("/index.html")), 40066);
    assert_eq!(errcode(&bench.post("/", &json!({}))), 40066);
}

#[test]
fn a_message_is_shown_with_title_and_captions_in_template_order() {
    let bench = Bench::new();
    let token = bench.stable();
    assert_eq!(bench.send_errcode(&token, &message()), 0);
    let shown = &bench.get("/__admin/messages")["messages"][0];
    assert_eq!(shown["title"], "订单支付成功通知");
    let lines: Vec<(&str, &str)> = shown["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["label"].as_str().unwrap(), line["value"].as_str().unwrap()))
        .collect();
    assert_eq!(
        lines,
        [
            ("订单号", "wx202412010001"),
            ("支付金额", "12.50元"),
            ("下单时间", "2024-12-01 10:00:00"),
            ("商品名称", "苹果")
        ]
    );
    assert!(shown["time"].as_u64().unwrap() > 1_700_000_000_000);
    assert_eq!(bench.send_errcode(&token, &message()), 0);
    assert_eq!(bench.get("/__admin/messages?since=1")["messages"].as_array().unwrap().len(), 1);
    assert_eq!(bench.get("/__admin/messages?limit=1")["messages"][0]["number"], 2);
    assert_eq!(asked(&bench, "/__admin/messages?since=x", &[], None).0, 400);
}

#[test]
fn a_refused_message_is_kept_with_the_field_and_the_value_that_broke_the_rule() {
    let bench = Bench::new();
    let token = bench.stable();
    let bad = with(message(), "/data/character_string1/value", json!("订单<b>1</b>"));
    assert_eq!(bench.send_errcode(&token, &bad), 47003);
    assert_eq!(bench.send_errcode("wrong", &bad), 40014);
    let refused = bench.get("/__admin/refused")["refused"].clone();
    let first = &refused[0];
    assert_eq!((&first["number"], &first["errcode"], &first["path"]), (&json!(1), &json!(47003), &json!(SEND)));
    assert!(first["errmsg"].as_str().unwrap().starts_with("argument invalid! data.character_string1.value i rid: "));
    assert_eq!(
        (&first["field"], &first["label"], &first["value"]),
        (&json!("character_string1"), &json!("订单号"), &json!("订单<b>1</b>"))
    );
    assert_eq!((&first["openid"], &first["title"]), (&json!(DEMO_OPENID), &json!("订单支付成功通知")));
    assert_eq!((&refused[1]["errcode"], &refused[1]["appid"]), (&json!(40014), &Value::Null));
    assert_eq!(bench.get("/__admin/refused?since=1")["refused"].as_array().unwrap().len(), 1);
    assert!(!refused.to_string().contains(&token));
}

#[test]
fn accounts_tell_their_templates_and_no_secret() {
    let bench = Bench::new();
    let push = json!({"appid": DEMO_APPID, "push_url": "http://localhost:1/", "push_token": "seekrit"});
    bench.post("/__admin/account", &push);
    let accounts = bench.get("/__admin/accounts");
    let shop = accounts["accounts"].as_array().unwrap().iter().find(|account| account["appid"] == DEMO_APPID).unwrap();
    assert_eq!((&shop["kind"], shop["templates"].as_array().unwrap().len()), (&json!("miniprogram"), 12));
    assert_eq!(shop["push"]["url"], "http://localhost:1/");
    assert!(!accounts.to_string().contains("seekrit") && !accounts.to_string().contains(DEMO_SECRET));
}

#[test]
fn what_happens_is_told_as_it_happens() {
    let bench = Bench::new();
    let mut events = Events::open(&bench, &format!("appid={DEMO_APPID}"));
    let start = events.next();
    assert_eq!(start["users"]["users"][0]["openid"], DEMO_OPENID);
    assert_eq!(start["accounts"]["accounts"].as_array().unwrap().len(), 2);
    let token = bench.stable();
    let msgid = bench.send(&token, &message())["msgid"].as_u64().unwrap();
    let piece = events.until(|piece| piece.get("messages").is_some());
    assert_eq!(piece["messages"][0]["msgid"], msgid.to_string(), "as text, for JavaScript");
    assert_eq!(piece["accepted"], 1);
    assert_eq!(bench.send_errcode(&token, &json!({"touser": "x"})), 40003);
    let piece = events.until(|piece| piece.get("refused").is_some());
    assert_eq!(piece["refused"][0]["errcode"], 40003);
    bench.sandbox.grant(DEMO_APPID, "oNew", DEMO_TEMPLATE, Choice::Accept, 1);
    events.until(|piece| piece.get("users").is_some_and(|users| users["total"] == 2));
    bench.sandbox.reset();
    let piece = events.until(|piece| piece["generation"] != start["generation"]);
    assert_eq!(piece["users"]["total"], 1);
}

#[test]
fn a_flood_of_messages_reaches_the_page_in_few_bounded_pieces() {
    let bench = Bench::new();
    bench.sandbox.account(DEMO_APPID, AccountChange { any_openid: Some(true), ..AccountChange::default() });
    let mut events = Events::open(&bench, &format!("appid={DEMO_APPID}"));
    events.next();
    let token = bench.stable();
    for _ in 0..400 {
        assert_eq!(bench.send_errcode(&token, &message()), 0);
    }
    let mut newest = 0;
    while newest < 400 {
        let piece = events.until(|piece| piece.get("messages").is_some());
        let messages = piece["messages"].as_array().unwrap();
        assert!(messages.len() <= 50, "{}", messages.len());
        newest = messages.last().unwrap()["number"].as_u64().unwrap();
    }
    assert_eq!(bench.accepted(), 400);
}

#[test]
fn so_many_may_watch_and_no_more_and_a_place_is_free_again_when_one_goes() {
    let bench = Bench::new();
    let query = format!("appid={DEMO_APPID}");
    let mut open: Vec<Events> = (0..16).map(|_| Events::open(&bench, &query)).collect();
    let path = format!("/__admin/events?{query}");
    let (status, text) = asked(&bench, &path, &[], None);
    assert_eq!(status, 400, "{text}");
    assert!(text.contains("too many"), "{text}");
    open.pop();
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    loop {
        let client = builder().timeout(Duration::from_secs(60)).build().unwrap();
        if client.get(bench.url(&path)).send().unwrap().status() == 200 {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "the place is not free");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(asked(&bench, "/__admin/events", &[], None).0, 400, "an account must be named");
}

#[test]
fn a_website_in_the_developers_browser_can_neither_act_nor_read() {
    let bench = Bench::new();
    let grant = json!({"appid": DEMO_APPID, "openid": DEMO_OPENID, "template_id": DEMO_TEMPLATE, "result": "reject"});
    for headers in [
        [("origin", "https://evil.example")],
        [("origin", "null")],
        [("origin", "http://127.0.0.1:1")],
        [("sec-fetch-site", "cross-site")],
        [("sec-fetch-site", "same-site")],
        [("host", "evil.example")],
    ] {
        let (status, text) = asked(&bench, "/__admin/grant", &headers, Some(&grant));
        assert_eq!(status, 403, "{headers:?} {text}");
        let reset = asked(&bench, "/__admin/reset", &headers, Some(&json!({})));
        assert_eq!(reset.0, 403, "{headers:?}");
    }
    for path in ["/", "/__admin/messages", "/__admin/accounts", "/__admin/events?appid=x"] {
        assert_eq!(asked(&bench, path, &[("host", "evil.example:80")], None).0, 403, "{path}");
    }
    let watching =
        asked(&bench, &format!("/__admin/events?appid={DEMO_APPID}"), &[("sec-fetch-site", "cross-site")], None);
    assert_eq!(watching.0, 403, "nor take up the places of those who watch");
    assert_eq!(bench.sandbox.grants(DEMO_APPID, DEMO_OPENID)[DEMO_TEMPLATE].available, 3);
    let own = bench.sandbox.http_url();
    let page = [("origin", own.as_str()), ("sec-fetch-site", "same-origin")];
    assert_eq!(asked(&bench, "/__admin/grant", &page, Some(&grant)), (200, r#"{"ok":true}"#.to_owned()));
    assert_eq!(asked(&bench, "/", &[("host", "localhost")], None).0, 200);
}
