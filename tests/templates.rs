//! The account's templates: the list that processes share, what messages learn from it, and making the account hold what is wanted.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::time::Duration;

use routine_template::answer::Source;
use routine_template::app::App;
use routine_template::error::Error;
use routine_template::field::Mode;
use routine_template::grant::ReportOptions;
use routine_template::message::{Channel, Input, Message};
use routine_template::options::Options;
use routine_template::registry::Registry;
use routine_template::sandbox::{
    AccountChange, Choice, DEMO_APPID, DEMO_OPENID, DEMO_TEMPLATE, FaultKind, QuotaChange, TemplateChange, TokenEnd,
    TokenKinds,
};
use serde_json::{Value, json};

#[path = "support/herd.rs"]
mod herd;
#[path = "support/redis_server.rs"]
mod redis_server;
#[path = "support/shop.rs"]
mod support;
use herd::{own_role, race, say, wait_for_the_start};
use redis_server::RedisServer;
use support::*;

const LIST: &str = "/wxaapi/newtmpl/gettemplate";
const ADD: &str = "/wxaapi/newtmpl/addtemplate";
const DELETE: &str = "/wxaapi/newtmpl/deltemplate";
const CATEGORIES: &str = "/wxaapi/newtmpl/getcategory";
const TITLES: &str = "/wxaapi/newtmpl/getpubtemplatetitles";
const KEYWORDS: &str = "/wxaapi/newtmpl/getpubtemplatekeywords";
const STATUS: &str = "eNuM0000000000000000000000000000000000000001";

fn errcode(shop: &Shop, path: &str, errcode: i64) {
    shop.fault(path, Some(1), FaultKind::Errcode { errcode, errmsg: None });
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> i64 {
    match result {
        Err(Error::Refused { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

fn input(value: Value) -> Input<'static> {
    value.into()
}

fn sync(app: &App, wanted: Value) -> Value {
    app.sync_templates(&input(wanted), &input(json!({}))).unwrap()
}

fn row<'a>(templates: &'a Value, id: &str) -> Option<&'a Value> {
    templates.as_array().unwrap().iter().find(|row| row["priTmplId"] == id)
}

fn with_id(id: &'static str, data: Input<'static>) -> Message<'static> {
    Message { template_id: id.into(), ..message(data) }
}

/// A template with an enum, long-term.
fn put_status(shop: &Shop) {
    shop.wechat.template(
        DEMO_APPID,
        TemplateChange {
            template_id: STATUS.into(),
            title: "设备状态".into(),
            content: "状态:{{enum_string2.DATA}}\n备注:{{thing1.DATA}}\n".into(),
            long_term: true,
            values: BTreeMap::from([("enum_string2".to_owned(), vec!["正常".to_owned(), "故障".to_owned()])]),
        },
    );
    shop.wechat.grant(DEMO_APPID, DEMO_OPENID, STATUS, Choice::Accept, 1);
}

#[test]
fn the_list_is_fetched_once_and_told_with_its_fields() {
    let shop = Shop::open();
    put_status(&shop);
    let app = shop.app(&[]);
    assert!(app.known_templates().is_none());
    let templates = app.templates(false).unwrap();
    let paid = row(&templates, DEMO_TEMPLATE).unwrap();
    assert_eq!(paid["fields"]["character_string1"], "订单号");
    assert_eq!((&paid["type"], &paid["keywordEnumValueList"]), (&json!(2), &json!([])));
    let status = row(&templates, STATUS).unwrap();
    assert_eq!(status["keywordEnumValueList"][0]["enumValueList"], json!(["正常", "故障"]));
    assert_eq!(app.templates(false).unwrap(), templates);
    assert_eq!(shop.requests(LIST), 1);
    app.templates(true).unwrap();
    assert_eq!(shop.requests(LIST), 2);
    assert!(app.known_templates().unwrap().is_long_term(STATUS));
}

#[test]
fn without_a_store_the_list_lives_in_the_process() {
    let shop = Shop::open();
    let app = shop.app(&[("store", "off")]);
    app.templates(false).unwrap();
    app.templates(false).unwrap();
    assert_eq!(shop.requests(LIST), 1);
    assert!(app.known_templates().unwrap().get(DEMO_TEMPLATE).is_some());
}

/// In the test program itself this does nothing.
#[test]
fn member_of_the_herd() {
    let Some((role, task)) = own_role() else { return };
    let settings: Vec<(String, String)> = serde_json::from_value(task["settings"].clone()).unwrap();
    let app = app_of(&settings, Registry::default());
    say("ready");
    wait_for_the_start();
    match role.as_str() {
        "list" => say(app
            .templates(false)
            .map_or_else(|error| json!(error.to_string()), |rows| json!(rows.as_array().unwrap().len()))),
        _ => {
            let answer = app.send(&with_id(DEMO_TEMPLATE, map(&[("thing4", "茶")]))).unwrap();
            say(json!([answer.source.name(), answer.errmsg]));
        }
    }
}

fn one_of_several_fetches(shop: &Shop, more: &[(&str, &str)]) {
    shop.fault(LIST, None, FaultKind::Latency { ms: 300 });
    let patient = [("timeout_ms", "30000"), ("connect_timeout_ms", "20000")];
    let task = json!({ "settings": shop.settings(&[&patient, more].concat()) });
    assert_eq!(race(6, "list", &task), vec![json!(12); 6]);
    assert_eq!(shop.requests(LIST), 1);
}

#[test]
fn of_several_processes_that_find_no_list_one_fetches_it() {
    one_of_several_fetches(&Shop::open(), &[]);
}

#[test]
fn of_several_processes_on_one_redis_one_fetches_it_and_changes_reach_all() {
    let (shop, redis) = (Shop::open(), RedisServer::start());
    let store = redis.url();
    one_of_several_fetches(&shop, &[("store", &store)]);
    let app = shop.app(&[("store", &store)]);
    app.delete_template(DEMO_TEMPLATE).unwrap();
    assert_eq!(race(1, "list", &json!({ "settings": shop.settings(&[("store", &store)]) })), vec![json!(11)]);
    assert_eq!(shop.requests(LIST), 1);
}

#[test]
fn another_process_knows_the_fields_without_any_call() {
    let shop = Shop::open();
    shop.app(&[]).templates(false).unwrap();
    let task = json!({ "settings": shop.settings(&[("timeout_ms", "30000"), ("connect_timeout_ms", "20000")]) });
    let told = race(1, "send", &task);
    assert_eq!(told[0], json!(["local", "argument invalid! data.character_string1.value is empty"]));
    assert_eq!(shop.requests(LIST), 1);
}

#[test]
fn a_message_is_checked_against_the_accounts_own_list() {
    let shop = Shop::open();
    put_status(&shop);
    let mut registry = Registry::default();
    // A shop's row that has got another template's content.
    registry.register("STATUS", STATUS, Some("订单号{{character_string1.DATA}}")).unwrap();
    let app = shop.app_with(&[], registry);
    app.templates(false).unwrap();
    let missing = app.send(&message(map(&[("thing4", "茶"), ("character_string1", "1")]))).unwrap();
    assert_eq!(
        (missing.source, missing.errmsg.as_str()),
        (Source::Local, "argument invalid! data.amount2.value is empty")
    );
    let names: Vec<_> = missing.violations.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(names, ["amount2", "time3"]);

    let wrong = app.send(&with_id("STATUS", map(&[("enum_string2", "损坏"), ("thing1", "x")]))).unwrap();
    assert_eq!((wrong.source, wrong.violations[0].rule), (Source::Local, "choice"));
    let violations = app.validate("STATUS", &map(&[("thing1", "x")]), Channel::Subscribe);
    assert_eq!(violations[0].field, "enum_string2");
    let surplus =
        app.send(&with_id("STATUS", map(&[("enum_string2", "故障"), ("thing1", "x"), ("remark", "y")]))).unwrap();
    assert_eq!((surplus.errcode, surplus.changed.len()), (0, 1));
    assert_eq!(shop.requests(SEND), 1);
}

#[test]
fn an_id_that_wechat_has_refused_and_the_list_lacks_is_refused_here() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    app.templates(false).unwrap();
    let unknown = "gOnE00000000000000000000000000000000000001";
    let first = app.send(&with_id(unknown, order())).unwrap();
    assert_eq!((first.errcode, first.source), (40037, Source::Wechat));
    let second = app.send(&with_id(unknown, order())).unwrap();
    assert_eq!((second.errcode, second.source, second.attempts), (40037, Source::Local, 0));
    assert!(second.hint.contains(DEMO_APPID) && second.hint.contains("templates()"), "{}", second.hint);
    let off = Options { validate: Some(Mode::Off), ..Options::default() };
    let asked = app.send(&Message { options: off, ..with_id(unknown, order()) }).unwrap();
    assert_eq!(asked.source, Source::Wechat, "mode off sends as is");
    assert!(matches!(app.queue(&with_id(unknown, order())), Err(Error::Refused { code: 40037, .. })));
    // It was there after all: a later list knows.
    shop.wechat.template(
        DEMO_APPID,
        TemplateChange {
            template_id: unknown.into(),
            title: "新".into(),
            content: "商品{{thing4.DATA}}".into(),
            ..TemplateChange::default()
        },
    );
    shop.wechat.grant(DEMO_APPID, DEMO_OPENID, unknown, Choice::Accept, 1);
    app.templates(true).unwrap();
    assert_eq!(app.send(&with_id(unknown, order())).unwrap().errcode, 0);
}

#[test]
fn an_id_that_is_merely_missing_from_an_older_list_goes_to_wechat() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    app.templates(false).unwrap();
    put_status(&shop);
    let data = map(&[("enum_string2", "故障"), ("thing1", "x")]);
    assert_eq!(app.send(&with_id(STATUS, data)).unwrap().errcode, 0);
}

#[test]
fn an_id_that_a_later_list_lacks_is_refused_here() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    let unknown = "gOnE00000000000000000000000000000000000002";
    assert_eq!(app.send(&with_id(unknown, order())).unwrap().source, Source::Wechat);
    // Two clocks may differ by so much.
    std::thread::sleep(Duration::from_millis(2500));
    app.templates(false).unwrap();
    assert_eq!(app.send(&with_id(unknown, order())).unwrap().source, Source::Local);
    let official = Options { channel: Channel::Template, ..Options::default() };
    let other_list = app.send(&Message { options: official, ..with_id(unknown, order()) }).unwrap();
    assert_eq!(other_list.source, Source::Wechat, "template messages have another list");
}

#[test]
fn a_used_up_quota_leaves_the_old_list() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    errcode(&shop, LIST, 45009);
    assert_eq!(code(app.templates(false)), 45009);
    let templates = app.templates(false).unwrap();
    errcode(&shop, LIST, 45009);
    assert_eq!(app.templates(true).unwrap(), templates);
    assert_eq!(app.templates(false).unwrap(), templates);
    assert_eq!(shop.requests(LIST), 3);
}

#[test]
fn every_refusal_of_the_template_calls_is_an_exception_with_its_errcode_and_a_hint() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    let kids = input(json!([1, 2]));
    for refusal in
        [-1, 404, 40400, 43106, 200_001, 200_011, 200_012, 200_013, 200_014, 200_020, 200_021, 200_100, 45009, 45011]
    {
        errcode(&shop, ADD, refusal);
        let error = app.add_template("1927", &kids, "支付").unwrap_err();
        let words = error.to_string();
        assert!(words.contains(&format!("({refusal})")) && words.len() > 60, "{words}");
        assert_eq!(code::<()>(Err(error)), refusal);
    }
    for refusal in [20001, 20002, 200_001, 200_002, 200_014] {
        errcode(&shop, DELETE, refusal);
        assert_eq!(code(app.delete_template(DEMO_TEMPLATE)), refusal);
    }
    for refusal in [404, 20001, 200_100] {
        errcode(&shop, CATEGORIES, refusal);
        assert_eq!(code(app.categories()), refusal);
    }
    for refusal in [20001, 200_002, 200_014] {
        errcode(&shop, KEYWORDS, refusal);
        assert_eq!(code(app.public_keywords("1927")), refusal);
    }
    for refusal in [404, 200_001, 200_016, 200_017, 200_018, 200_019] {
        errcode(&shop, TITLES, refusal);
        assert_eq!(code(app.public_templates(&input(json!([307])), 0, 30)), refusal);
    }
    for refusal in [-1, 404, 200_100] {
        errcode(&shop, LIST, refusal);
        assert_eq!(code(app.templates(false)), refusal);
    }
    // Their real causes.
    assert_eq!(code(app.public_keywords("999999")), 200_014);
    assert_eq!(code(app.public_templates(&Input::Int(1), 0, 30)), 200_019);
    assert_eq!(code(app.add_template("1927", &input(json!([1, 99])), "支付")), 200_020);
    shop.wechat.account(DEMO_APPID, AccountChange { template_limit: Some(1), ..AccountChange::default() });
    assert_eq!(code(app.add_template("1927", &kids, "支付")), 200_012);
}

#[test]
fn a_dead_token_is_renewed_and_no_answer_is_a_transport_failure() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    app.categories().unwrap();
    shop.wechat.expire_tokens(DEMO_APPID, TokenKinds::All, TokenEnd::Revoked);
    assert_eq!(app.categories().unwrap().as_array().unwrap().len(), 2);
    shop.fault(CATEGORIES, Some(1), FaultKind::DropAfter);
    assert!(
        matches!(app.categories(), Err(Error::Transport { ambiguous: false, .. })),
        "a question may be asked again"
    );
    shop.fault(ADD, Some(1), FaultKind::DropAfter);
    let added = app.add_template("1927", &input(json!([1, 2])), "支付");
    assert!(matches!(added, Err(Error::Transport { ambiguous: true, .. })), "{added:?}");
    for fault in [FaultKind::Garbage, FaultKind::HttpStatus { status: 502 }] {
        shop.fault(LIST, Some(1), fault);
        assert!(matches!(app.templates(false), Err(Error::Transport { .. })));
    }
}

#[test]
fn arguments_that_wechat_would_refuse_are_named_without_a_request() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    let add = |tid: &str, kids: Value, scene: &str| app.add_template(tid, &input(kids), scene).unwrap_err().to_string();
    assert!(add("", json!([1, 2]), "支付").contains("$tid"));
    for kids in [json!([1]), json!([1, 1]), json!([1, 2, 3, 4, 5, 6]), json!(["a", "b"])] {
        assert!(add("1927", kids, "支付").contains("$keywordIds"));
    }
    for scene in ["", "  ", "长长长长长长长长长长长长长长长长"] {
        assert!(add("1927", json!([1, 2]), scene).contains("$scene"));
    }
    let titles = |start, limit| app.public_templates(&Input::Int(307), start, limit).unwrap_err().to_string();
    assert!(titles(-1, 30).contains("$start") && titles(0, 0).contains("$limit") && titles(0, 31).contains("$limit"));
    assert!(app.public_templates(&input(json!([])), 0, 30).unwrap_err().to_string().contains("$categoryIds"));
    assert!(app.public_keywords("").unwrap_err().to_string().contains("$tid"));
    assert!(app.delete_template(" ").unwrap_err().to_string().contains("$templateId"));
    assert_eq!(shop.requests(STABLE_TOKEN), 0);
}

#[test]
fn a_template_is_added_once_and_the_list_follows() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    app.templates(false).unwrap();
    let kids = input(json!([4, "1"]));
    let id = app.add_template("1927", &kids, "支付").unwrap();
    assert_eq!(app.add_template("1927", &kids, "支付").unwrap(), id, "200022 is no error");
    let templates = app.templates(false).unwrap();
    assert_eq!(row(&templates, &id).unwrap()["fields"], json!({"thing4": "商品名称", "character_string1": "订单号"}));
    assert_eq!(shop.requests(LIST), 2);
    // Where WeChat tells no id it is found in the list.
    errcode(&shop, ADD, 200_022);
    assert_eq!(app.add_template("1927", &kids, "支付").unwrap(), id);

    app.delete_template(&id).unwrap();
    assert!(app.known_templates().unwrap().get(&id).is_none());
    let gone = app.send(&Message { template_id: id.clone().into(), ..message(order()) }).unwrap();
    assert_eq!((gone.errcode, gone.source), (40037, Source::Local));
    assert_eq!(code(app.delete_template(&id)), 200_014);
}

#[test]
fn the_library_is_told_as_wechat_has_it() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    let categories = app.categories().unwrap();
    assert_eq!(categories[0], json!({"id": 307, "name": "百货"}));
    let page = app.public_templates(&input(categories), 0, 2).unwrap();
    assert_eq!((page["count"].as_u64(), page["data"].as_array().unwrap().len()), (Some(12), 2));
    assert_eq!(page["data"][0]["categoryId"], 307);
    let keywords = app.public_keywords("1927").unwrap();
    assert_eq!(keywords[3], json!({"kid": 4, "name": "商品名称", "example": "苹果", "rule": "thing", "key": "thing4"}));
}

#[test]
fn the_list_says_which_accepts_last_and_which_ids_are_the_accounts() {
    let shop = Shop::open();
    put_status(&shop);
    let app = shop.app(&[]);
    app.templates(false).unwrap();
    let foreign = "fOrEiGn000000000000000000000000000000000001";
    let posted = map(&[(STATUS, "accept"), (DEMO_TEMPLATE, "accept"), (foreign, "accept")]);
    let recorded = app.record_grants(DEMO_OPENID, &posted, &ReportOptions::default()).unwrap();
    assert_eq!(recorded["recorded"][STATUS]["long_term"], true);
    assert_eq!(recorded["recorded"][DEMO_TEMPLATE]["long_term"], false);
    assert_eq!(recorded["recorded"][DEMO_TEMPLATE]["available"], 1);
    assert_eq!(recorded["unknown"], json!({foreign: "not_a_template_of_this_account"}));
}

#[test]
fn a_sync_keeps_what_fits_adds_what_is_missing_and_removes_nothing() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    let before = app.templates(true).unwrap();
    let wanted = json!({
        "PAID": {"tid": 1927, "keywords": [4, 3, 2, 1], "scene": "支付成功"},
        "SHORT": {"tid": "1458", "kid": "5,2", "scene": "发货"},
        "SHORT_TOO": {"tid": "1458", "kidList": [2, 5], "scene": "发货"},
    });
    let dry = app.sync_templates(&input(wanted.clone()), &input(json!({"dry_run": true}))).unwrap();
    assert_eq!((&dry["kept"], &dry["added"]), (&json!(["PAID"]), &json!(["SHORT", "SHORT_TOO"])));
    assert_eq!(app.templates(true).unwrap(), before);

    let first = sync(&app, wanted.clone());
    assert_eq!(first["ids"]["PAID"], DEMO_TEMPLATE);
    assert_eq!(first["ids"]["SHORT"], first["ids"]["SHORT_TOO"]);
    assert_eq!((&first["added"], &first["failed"]), (&json!(["SHORT", "SHORT_TOO"]), &json!({})));
    assert_eq!(first["left_over"].as_array().unwrap().len(), 11);
    assert_eq!(shop.requests(ADD), 1);

    let second = sync(&app, wanted);
    assert_eq!((&second["ids"], &second["added"]), (&first["ids"], &json!([])));
    assert_eq!((shop.requests(ADD), shop.requests(DELETE)), (1, 0));
    let after = app.templates(true).unwrap();
    assert_eq!(after.as_array().unwrap().len(), before.as_array().unwrap().len() + 1);
}

#[test]
fn templates_with_the_same_fields_are_told_apart_by_their_title_or_by_the_id_that_the_shop_has() {
    let shop = Shop::open();
    let other = "sAmE00000000000000000000000000000000000001";
    let content = "订单号:{{character_string1.DATA}}\n商品名称:{{thing4.DATA}}\n";
    shop.wechat.template(
        DEMO_APPID,
        TemplateChange {
            template_id: other.into(),
            title: "别的通知".into(),
            content: content.into(),
            ..TemplateChange::default()
        },
    );
    let app = shop.app(&[]);
    let wish = json!({"tid": 1927, "keywords": [1, 4], "scene": "支付"});
    let added = sync(&app, json!({"PAID": wish}));
    assert_eq!(added["added"], json!(["PAID"]), "another title is another template");
    assert_eq!(sync(&app, json!({"PAID": wish}))["kept"], json!(["PAID"]));
    let named = json!({"PAID": {"tid": 1927, "keywords": [1, 4], "scene": "支付", "template_id": other}});
    assert_eq!(sync(&app, named)["ids"]["PAID"], other);
}

#[test]
fn a_failure_of_one_template_stops_no_other_but_that_of_the_account_does() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    let wanted = json!({
        "A": {"tid": 999_999, "keywords": [1, 2], "scene": "甲"},
        "B": {"tid": 1927, "keywords": [1, 99], "scene": "乙"},
        "C": {"tid": 1927, "keywords": [1, 2], "scene": ""},
        "D": {"tid": 1927, "keywords": [1, 3], "scene": "丁"},
        "E": {"tid": 1927, "keywords": [1, 4], "scene": "戊"},
        "F": {"keywords": [1, 4]},
    });
    errcode(&shop, ADD, 200_012);
    let synced = sync(&app, wanted.clone());
    let codes: Vec<_> = ["A", "B", "C", "D", "F"].map(|key| synced["failed"][key]["errcode"].as_i64().unwrap()).into();
    assert_eq!(codes, [200_014, 200_020, 200_021, 200_012, 200_014]);
    assert!(synced["failed"]["B"]["hint"].as_str().unwrap().contains("4 商品名称"));
    assert!(synced["failed"]["D"]["hint"].as_str().unwrap().contains("limit of templates"));
    assert_eq!(synced["added"], json!(["E"]));

    errcode(&shop, ADD, 200_011);
    let more = json!({
        "D": wanted["D"], "G": {"tid": 1927, "keywords": [2, 3], "scene": "庚"}, "E": wanted["E"],
        "P": {"tid": 1927, "kid": "1,2,3,4", "template_id": DEMO_TEMPLATE, "content": "订单号{{character_string1.DATA}}\n支付金额{{amount2.DATA}}\n下单时间{{time3.DATA}}\n商品名称{{thing4.DATA}}"},
    });
    let before = shop.requests(ADD);
    let stopped = sync(&app, more);
    assert_eq!(shop.requests(ADD), before + 1);
    assert_eq!(stopped["failed"]["D"]["errcode"], 200_011);
    assert_eq!(stopped["failed"]["G"]["errcode"], 200_011);
    assert!(stopped["failed"]["G"]["hint"].as_str().unwrap().starts_with("A call before it failed"));
    assert_eq!(
        stopped["kept"].as_array().unwrap().last(),
        Some(&json!("P")),
        "what needs no call is kept all the same"
    );
}

#[test]
fn the_template_of_a_row_that_is_switched_off_is_not_left_over() {
    let shop = Shop::open();
    let synced = sync(&shop.app(&[]), json!([{"mark": "paid", "is_routine": "2", "routine_tempid": DEMO_TEMPLATE}]));
    assert_eq!(synced["skipped"], json!(["paid"]));
    let left_over = synced["left_over"].as_array().unwrap();
    assert!(!left_over.is_empty() && !left_over.contains(&json!(DEMO_TEMPLATE)), "{synced}");
}

#[test]
fn a_row_whose_keywords_changed_gets_a_new_template_and_what_it_has_is_not_left_over_before() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    let row = json!({"PAID": {
        "tid": 1927, "kid": "1,2,4", "scene": "支付", "template_id": DEMO_TEMPLATE,
        "content": "订单号{{character_string1.DATA}}\n支付金额{{amount2.DATA}}\n商品名称{{thing4.DATA}}",
    }});
    errcode(&shop, ADD, 200_013);
    let refused = sync(&app, row.clone());
    assert_eq!(refused["failed"]["PAID"]["errcode"], 200_013);
    assert!(!refused["left_over"].as_array().unwrap().contains(&json!(DEMO_TEMPLATE)));
    let added = sync(&app, row);
    assert_eq!(added["added"], json!(["PAID"]));
    assert!(added["left_over"].as_array().unwrap().contains(&json!(DEMO_TEMPLATE)));
    // Content of before the change of keywords, as an upgrade leaves it.
    let stale =
        json!({"PAID": {"tid": 1927, "kid": "1,2,3,4", "template_id": DEMO_TEMPLATE, "content": "{{thing1.DATA}}"}});
    assert_eq!(sync(&app, stale)["ids"]["PAID"], DEMO_TEMPLATE);
}

#[test]
fn a_sync_that_lost_an_answer_adds_nothing_twice() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    let wanted = json!({"SHORT": {"tid": 1458, "keywords": [5, 2], "scene": "发货"}});
    shop.fault(ADD, Some(1), FaultKind::DropAfter);
    let lost = sync(&app, wanted.clone());
    assert_eq!((&lost["failed"]["SHORT"]["errcode"], &lost["ids"]), (&Value::Null, &json!({})));
    let again = sync(&app, wanted);
    assert_eq!((&again["kept"], &again["added"]), (&json!(["SHORT"]), &json!([])));
}

#[test]
fn a_sync_with_a_used_up_quota_goes_by_the_list_that_there_is() {
    let shop = Shop::open();
    let app = shop.app(&[]);
    app.templates(false).unwrap();
    shop.wechat.quota(DEMO_APPID, LIST, QuotaChange { daily_limit: Some(Some(1)), ..QuotaChange::default() });
    let synced = sync(&app, json!({"PAID": {"tid": 1927, "keywords": [1, 2, 3, 4], "scene": "支付"}}));
    assert_eq!(synced["ids"]["PAID"], DEMO_TEMPLATE);
    let wrong = app.sync_templates(&input(json!({})), &input(json!({"dryrun": true}))).unwrap_err();
    assert!(wrong.to_string().contains("dry_run"));
}
