//! WeChat's call limits: read, set back within what a month allows, and a refusal looked up by its rid.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

use std::rc::Rc;
use std::sync::Arc;

use routine_template::app::{App, TokenSupplier};
use routine_template::config::{Secret, Settings};
use routine_template::error::Error;
use routine_template::registry::Registry;
use routine_template::sandbox::{DEMO_APPID, DEMO_SECRET, FaultKind, QuotaChange, TokenEnd, TokenKinds};
use serde_json::{Value, json};

#[path = "support/herd.rs"]
mod herd;
#[path = "support/redis_server.rs"]
mod redis_server;
#[path = "support/shop.rs"]
mod support;
use herd::{gather, own_role, race, say, wait_for_the_start};
use redis_server::RedisServer;
use support::*;

const CLEAR: &str = "/cgi-bin/clear_quota";
const CLEAR_BY_SECRET: &str = "/cgi-bin/clear_quota/v2";
const CLEAR_PATH: &str = "/cgi-bin/openapi/quota/clear";
const QUOTA: &str = "/cgi-bin/openapi/quota/get";
const RID: &str = "/cgi-bin/openapi/rid/get";
/// Machines under load are slow; how fast it is does not matter here.
const PATIENT: [(&str, &str); 2] = [("timeout_ms", "30000"), ("connect_timeout_ms", "20000")];

fn limit(shop: &Shop, path: &str, daily: u64) {
    shop.wechat.quota(DEMO_APPID, path, QuotaChange { daily_limit: Some(Some(daily)), minute_limit: None });
}

fn fault(shop: &Shop, path: &str, errcode: i64) {
    shop.fault(path, Some(1), FaultKind::Errcode { errcode, errmsg: None });
}

/// `used_this_month` and `left_this_month`.
fn month(answer: &Value) -> (Value, Value) {
    (answer["local"]["used_this_month"].clone(), answer["local"]["left_this_month"].clone())
}

fn counted(used: u32, left: u32) -> (Value, Value) {
    (json!(used), json!(left))
}

/// As if another store had forgotten what was done just now: the minute is over.
fn another_minute(shop: &Shop, name: &str) -> App {
    let store = shop.path(name);
    shop.app(&[("store", store.to_str().unwrap())])
}

/// The roles. In the test program itself this does nothing.
#[test]
fn member_of_the_herd() {
    let Some((role, task)) = own_role() else { return };
    let settings: Vec<(String, String)> = serde_json::from_value(task["settings"].clone()).unwrap();
    let app = app_of(&settings, Registry::default());
    assert_eq!(role, "clear");
    say("ready");
    wait_for_the_start();
    say(match app.clear_quota(task["path"].as_str()) {
        Ok(answer) => answer,
        Err(error) => json!({ "error": error.to_string() }),
    });
}

#[test]
fn how_many_calls_a_day_is_read_at_once() {
    let shop = Shop::open_to_all();
    let app = shop.app(&[]);
    assert_eq!(send(&app).unwrap().errcode, 0);
    for path in [
        "/cgi-bin/message/subscribe/send",
        "subscribe/send",
        "https://api.weixin.qq.com/cgi-bin/message/subscribe/send?access_token=T",
    ] {
        let answer = app.quota(path).unwrap();
        assert_eq!(answer["quota"], json!({ "daily_limit": 10_000_000, "used": 1, "remain": 9_999_999 }));
        assert_eq!(
            answer["local"],
            json!({ "path": SEND, "calls_today": 1, "paused_until": null, "paused_by": null, "documented": null })
        );
        let hint = answer["hint"].as_str().unwrap();
        assert!(
            ["10,000,000 times a day", "9,999,999 are left", " 1 are used"].iter().all(|part| hint.contains(part)),
            "{hint}"
        );
    }
    assert!(matches!(app.quota("cgi-bin"), Err(Error::Value(_))));
}

#[test]
fn the_quota_of_a_paused_api_can_be_read_and_says_until_when() {
    let shop = Shop::open_to_all();
    limit(&shop, SEND, 0);
    let app = shop.app(&[]);
    assert_eq!(send(&app).unwrap().errcode, 45009);
    let answer = app.quota(SEND).unwrap();
    assert_eq!((&answer["errcode"], &answer["local"]["paused_by"]), (&json!(0), &json!(45009)));
    let hint = answer["hint"].as_str().unwrap();
    assert!(hint.contains("clearQuota()") && hint.contains("00:00:00"), "{hint}");
}

#[test]
fn what_the_pages_say_stands_in_for_figures_that_wechat_does_not_tell() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    fault(&shop, QUOTA, 45009);
    let answer = app.quota(SEND).unwrap();
    assert_eq!(answer["errcode"], 45009);
    let documented = json!({ "daily_limit": 10_000_000, "daily_limit_with_wechat_pay": 30_000_000 });
    assert_eq!((&answer["local"]["documented"], &answer["local"]["calls_today"]), (&documented, &json!(0)));
    let without_store = shop.app(&[("store", "off")]).quota(SEND).unwrap();
    assert_eq!((&without_store["errcode"], &without_store["local"]["calls_today"]), (&json!(0), &Value::Null));
}

#[test]
fn every_errcode_of_the_quota_calls_is_an_answer_with_its_own_hint() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    let mut hints = Vec::new();
    for errcode in [-1, 40013, 44002, 45009, 50002, 76003, 76021, 76022] {
        fault(&shop, QUOTA, errcode);
        let answer = app.quota(SEND).unwrap();
        assert_eq!(answer["errcode"], errcode);
        hints.push(answer["hint"].as_str().unwrap().to_owned());
    }
    for errcode in [-1, 44002, 45009, 50002, 76021, 76022] {
        fault(&shop, CLEAR_PATH, errcode);
        let answer = app.clear_quota(Some(SEND)).unwrap();
        assert_eq!((&answer["errcode"], month(&answer)), (&json!(errcode), counted(0, 50)), "a refusal uses none up");
    }
    for errcode in [-1, 40013, 41002, 41004] {
        fault(&shop, CLEAR, errcode);
        let answer = app.clear_quota(None).unwrap();
        assert_eq!((&answer["errcode"], month(&answer)), (&json!(errcode), counted(0, 10)));
        hints.push(answer["hint"].as_str().unwrap().to_owned());
    }
    for errcode in [76001, 76002, 76003, 76004] {
        fault(&shop, RID, errcode);
        let answer = app.rid("6a3ba761-6ef7535a-33c60a10").unwrap();
        assert_eq!(answer["errcode"], errcode);
        hints.push(answer["hint"].as_str().unwrap().to_owned());
    }
    let unlisted = routine_template::wechat::errcode::UNLISTED_HINT.1;
    assert!(hints.iter().all(|hint| !hint.is_empty() && hint != unlisted), "{hints:?}");
    assert_eq!(app.quota("/sns/jscode2session").unwrap()["errcode"], 76022);
    assert_eq!(app.quota("/cgi-bin/nothing").unwrap()["errcode"], 76021);
}

#[test]
fn a_token_that_wechat_no_longer_takes_is_renewed_on_the_way() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    assert_eq!(app.quota(SEND).unwrap()["errcode"], 0);
    for errcode in [40001, 42001] {
        shop.wechat.expire_tokens(DEMO_APPID, TokenKinds::All, TokenEnd::Revoked);
        fault(&shop, CLEAR_PATH, errcode);
        let path = if errcode == 40001 { SEND } else { STABLE_TOKEN };
        assert_eq!(app.clear_quota(Some(path)).unwrap()["errcode"], 0, "{errcode}");
    }
}

#[test]
fn clearing_the_account_ends_every_pause_and_counts_one_of_ten() {
    let shop = Shop::open_to_all();
    limit(&shop, SEND, 1);
    let app = shop.app(&[]);
    assert_eq!([send(&app).unwrap().errcode, send(&app).unwrap().errcode], [0, 45009]);
    let answer = app.clear_quota(None).unwrap();
    assert_eq!(
        (&answer["errcode"], &answer["source"], &answer["duplicate"]),
        (&json!(0), &json!("wechat"), &json!(false))
    );
    assert_eq!(answer["local"], json!({ "used_this_month": 1, "left_this_month": 9, "pauses_ended": true }));
    assert_eq!(send(&app).unwrap().errcode, 0);
}

#[test]
fn a_second_clearing_within_a_minute_takes_the_answer_of_the_first_and_ends_a_new_pause() {
    let shop = Shop::open_to_all();
    limit(&shop, SEND, 0);
    let app = shop.app(&[]);
    assert_eq!(app.clear_quota(None).unwrap()["duplicate"], false);
    // A message that was on its way meanwhile.
    assert_eq!(send(&app).unwrap().errcode, 45009);
    for path in [None, Some(SEND)] {
        let again = app.clear_quota(path).unwrap();
        assert_eq!(
            (&again["errcode"], &again["source"], &again["duplicate"]),
            (&json!(0), &json!("local"), &json!(true))
        );
        assert_eq!(again["local"]["pauses_ended"], true);
    }
    assert_eq!(app.quota(SEND).unwrap()["local"]["paused_until"], Value::Null);
    assert_eq!((shop.requests(CLEAR), shop.requests(CLEAR_PATH)), (1, 0));
}

#[test]
fn clearing_one_api_is_counted_apart_and_leaves_the_others_paused() {
    let shop = Shop::open_to_all();
    limit(&shop, SEND, 0);
    let app = shop.app(&[]);
    assert_eq!(send(&app).unwrap().errcode, 45009);
    let other = app.clear_quota(Some("stable_token")).unwrap();
    assert_eq!((&other["errcode"], month(&other)), (&json!(0), counted(1, 49)));
    assert_eq!(app.quota(SEND).unwrap()["local"]["paused_by"], 45009);
    let own = app.clear_quota(Some(SEND)).unwrap();
    assert_eq!((&own["duplicate"], month(&own)), (&json!(false), counted(2, 48)));
    assert_eq!(app.quota(SEND).unwrap()["local"]["paused_by"], Value::Null);
    assert_eq!(month(&app.clear_quota(None).unwrap()), counted(1, 9));
}

#[test]
fn when_wechat_says_that_none_is_left_it_is_not_asked_again_this_month() {
    let shop = Shop::open();
    for month in 0..10 {
        assert_eq!(another_minute(&shop, &format!("store{month}")).clear_quota(None).unwrap()["errcode"], 0);
    }
    let app = shop.app(&[]);
    let refused = app.clear_quota(None).unwrap();
    assert_eq!(
        (&refused["errcode"], &refused["source"], month(&refused)),
        (&json!(48006), &json!("wechat"), counted(10, 0))
    );
    let asked = shop.requests(CLEAR);
    let again = app.clear_quota(None).unwrap();
    assert_eq!((&again["errcode"], &again["source"], month(&again)), (&json!(48006), &json!("local"), counted(10, 0)));
    assert_eq!(again["local"]["pauses_ended"], false);
    assert_eq!(shop.requests(CLEAR), asked);
}

#[test]
fn a_call_without_an_answer_stays_counted_and_one_that_was_not_sent_does_not() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    app.quota(SEND).unwrap();
    shop.fault(CLEAR, Some(1), FaultKind::DropAfter);
    assert!(matches!(app.clear_quota(None), Err(Error::Transport { ambiguous: true, .. })));
    shop.fault(CLEAR, Some(1), FaultKind::Garbage);
    assert!(matches!(app.clear_quota(None), Err(Error::Transport { ambiguous: true, .. })));
    let nowhere = shop.app(&[("base_url", "https://127.0.0.1:9"), ("fallback_urls", "")]);
    assert!(matches!(nowhere.clear_quota(None), Err(Error::Transport { ambiguous: false, .. })));
    assert_eq!(month(&app.clear_quota(None).unwrap()), counted(3, 7));
}

#[test]
fn where_the_token_endpoint_itself_is_used_up_the_secret_clears_it() {
    let shop = Shop::open_to_all();
    limit(&shop, STABLE_TOKEN, 0);
    let app = shop.app(&[]);
    assert_eq!(send(&app).unwrap().errcode, 45009);
    // The sandbox's limit stays at none, so a fresh fetch is refused anew; WeChat's begins to count from nothing.
    let answer = app.clear_quota(None).unwrap();
    assert_eq!((&answer["errcode"], month(&answer)), (&json!(0), counted(1, 9)));
    assert_eq!((shop.requests(CLEAR), shop.requests(CLEAR_BY_SECRET)), (0, 1));
    limit(&shop, STABLE_TOKEN, 100);
    assert_eq!(send(&app).unwrap().errcode, 0, "the refusal that was remembered is over");
}

#[test]
fn the_secret_goes_in_the_body_and_in_the_query_only_where_it_is_missed_there() {
    let shop = Shop::open();
    for (missing, requests) in [(41002, 2), (41004, 4)] {
        fault(&shop, STABLE_TOKEN, 50004);
        fault(&shop, CLEAR_BY_SECRET, missing);
        assert_eq!(another_minute(&shop, &format!("store{missing}")).clear_quota(None).unwrap()["errcode"], 0);
        assert_eq!(shop.requests(CLEAR_BY_SECRET), requests);
    }
    let request = &shop.wechat.counters().last_request[CLEAR_BY_SECRET];
    assert!(request.body.contains(DEMO_SECRET));
}

#[test]
fn no_word_of_a_failed_clearing_shows_the_secret() {
    let shop = Shop::open();
    for kind in [FaultKind::DropAfter, FaultKind::Garbage, FaultKind::HttpStatus { status: 502 }] {
        shop.fault(STABLE_TOKEN, Some(1), FaultKind::Errcode { errcode: 50004, errmsg: None });
        fault(&shop, CLEAR_BY_SECRET, 41004);
        let app = another_minute(&shop, &format!("store{kind:?}").replace(' ', ""));
        shop.fault(CLEAR_BY_SECRET, Some(1), kind);
        let said = format!("{0} {0:?}", app.clear_quota(None).unwrap_err());
        assert!(!said.contains(DEMO_SECRET) && said.contains(CLEAR_BY_SECRET), "{said}");
    }
}

#[test]
fn a_wrong_secret_is_no_reason_to_try_it_a_second_time() {
    let shop = Shop::open();
    let app = shop.app(&[("secret", "wrong")]);
    assert!(matches!(app.clear_quota(None), Err(Error::Config { code: 40125, .. })));
    assert_eq!(shop.requests(CLEAR_BY_SECRET), 0);
}

struct Silent;

impl TokenSupplier for Silent {
    fn token(&self, _: bool) -> Result<Secret, Error> {
        Err(Error::config("没有 token", "there is no token"))
    }
}

#[test]
fn an_application_that_supplies_the_token_itself_clears_with_the_secret_while_it_has_none() {
    let shop = Shop::open();
    let external = shop.app(&[("token_mode", "external")]);
    assert_eq!(external.clear_quota(None).unwrap()["errcode"], 0);
    let settings = shop.settings(&[("token_mode", "external"), ("store", shop.path("other").to_str().unwrap())]);
    let pairs = settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let app = App::new(Arc::new(Settings::from_pairs(pairs).unwrap()), Arc::new(Registry::default()));
    assert_eq!(app.with_supplier(Rc::new(Silent)).clear_quota(None).unwrap()["errcode"], 0);
    assert_eq!((shop.requests(CLEAR), shop.requests(CLEAR_BY_SECRET)), (0, 2));
    let bare = shop.app(&[("token_mode", "external"), ("secret", "")]);
    assert!(matches!(bare.clear_quota(None), Err(Error::Config { .. })));
}

#[test]
fn without_a_store_nobody_counts_and_it_is_done_all_the_same() {
    let shop = Shop::open();
    let app = shop.app(&[("store", "off")]);
    for _ in 0..2 {
        let answer = app.clear_quota(None).unwrap();
        assert_eq!((&answer["errcode"], &answer["source"]), (&json!(0), &json!("wechat")));
        assert_eq!(answer["local"], json!({ "used_this_month": null, "left_this_month": null, "pauses_ended": false }));
    }
    assert_eq!(shop.requests(CLEAR), 2);
}

/// Twelve workers that have all met 45009.
fn herd_clears_once(shop: &Shop, redis: Option<&RedisServer>, path: Option<&str>) {
    let mut settings = shop.settings(&PATIENT);
    if let Some(redis) = redis {
        settings.push(("store".to_owned(), redis.url()));
    }
    let endpoint = if path.is_some() { CLEAR_PATH } else { CLEAR };
    // So long that those who come later find it under way.
    shop.fault(endpoint, None, FaultKind::Latency { ms: 300 });
    let answers = race(12, "clear", &json!({ "settings": settings, "path": path }));
    assert!(answers.iter().all(|answer| answer["errcode"] == 0), "{answers:?}");
    assert_eq!(answers.iter().filter(|answer| answer["duplicate"] == false).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|answer| answer["local"]["used_this_month"] == 1), "{answers:?}");
    assert_eq!(shop.requests(endpoint), 1);
}

#[test]
fn of_many_workers_that_clear_at_once_one_asks_wechat() {
    herd_clears_once(&Shop::open(), None, None);
    herd_clears_once(&Shop::open(), None, Some(SEND));
}

#[test]
fn of_many_hosts_that_clear_at_once_one_asks_wechat() {
    herd_clears_once(&Shop::open(), Some(&RedisServer::start()), None);
}

#[test]
fn whoever_waits_takes_the_refusal_too_and_the_next_one_asks_anew() {
    let shop = Shop::open();
    let settings = shop.settings(&PATIENT);
    shop.fault(CLEAR_PATH, Some(1), FaultKind::Latency { ms: 5000 });
    let nothing = "/cgi-bin/nothing";
    let mut herd = gather(2, "clear", &json!({ "settings": settings, "path": nothing }));
    herd[0].go();
    wait_until("the first call", || shop.requests(CLEAR_PATH) == 1);
    herd[1].go();
    let [first, second] = [herd[0].hear(), herd[1].hear()];
    assert_eq!((&first["errcode"], &first["duplicate"]), (&json!(76021), &json!(false)));
    assert_eq!((&second["errcode"], &second["duplicate"]), (&json!(76021), &json!(true)));
    assert_eq!(app_of(&settings, Registry::default()).clear_quota(Some(nothing)).unwrap()["duplicate"], false);
    assert_eq!(shop.requests(CLEAR_PATH), 2);
}

#[test]
fn whoever_is_killed_at_it_holds_up_nobody_and_stays_counted() {
    let shop = Shop::open();
    let settings = shop.settings(&PATIENT);
    shop.fault(CLEAR, Some(1), FaultKind::Hang);
    let mut herd = gather(1, "clear", &json!({ "settings": settings }));
    herd[0].go();
    wait_until("the first call", || shop.requests(CLEAR) == 1);
    herd[0].kill();
    let app = app_of(&settings, Registry::default());
    let answer = app.clear_quota(None).unwrap();
    assert_eq!((&answer["errcode"], month(&answer)), (&json!(0), counted(2, 8)));
}

#[test]
fn a_refused_message_can_be_looked_up_by_its_errmsg_and_the_token_is_masked() {
    let shop = Shop::open_to_all();
    let app = shop.app(&[]);
    fault(&shop, SEND, 47003);
    let refused = send(&app).unwrap();
    let token = app.access_token(false).unwrap();
    for given in [refused.errmsg.as_str(), refused.rid.as_deref().unwrap()] {
        let answer = app.rid(given).unwrap();
        assert_eq!((&answer["errcode"], &answer["errmsg"]), (&json!(0), &json!("ok")));
        let request = &answer["request"];
        assert_eq!(request["request_url"], format!("https://api.weixin.qq.com{SEND}?access_token=***"));
        assert!(request["response_body"].as_str().unwrap().contains("47003"));
        assert!(answer["hint"].as_str().unwrap().contains("response_body"), "{answer}");
        assert!(["invoke_time", "cost_in_ms", "request_body", "client_ip"].iter().all(|name| !request[name].is_null()));
        assert!(!answer.to_string().contains(&token));
    }
    assert!(matches!(app.rid("43101"), Err(Error::Value(_))));
}
