//! newtmpl and quotas.

use super::*;

#[test]
fn a_template_is_added_listed_used_and_deleted() {
    let bench = Bench::new();
    let token = bench.stable();
    let path = |name: &str| format!("/wxaapi/newtmpl/{name}?access_token={token}");
    let wish = json!({"tid": "1927", "kidList": [4, 1, 2], "sceneDesc": "支付通知"});
    let added = bench.post(&path("addtemplate"), &wish);
    let id = added["priTmplId"].as_str().unwrap().to_owned();
    let again = bench.post(&path("addtemplate"), &wish);
    assert_eq!((errcode(&again), again["priTmplId"].as_str()), (200022, Some(id.as_str())));
    let listed = bench.get(&path("gettemplate"));
    let row = listed["data"].as_array().unwrap().iter().find(|row| row["priTmplId"] == id.as_str()).unwrap();
    assert_eq!(
        row["content"],
        "商品名称:{{thing4.DATA}}\n订单号:{{character_string1.DATA}}\n支付金额:{{amount2.DATA}}\n"
    );
    bench.sandbox.grant(DEMO_APPID, DEMO_OPENID, &id, Choice::Accept, 1);
    assert_eq!(bench.send_errcode(&token, &with(message(), "/template_id", json!(id))), 0);
    assert_eq!(errcode(&bench.post(&path("deltemplate"), &json!({"priTmplId": id}))), 0);
    assert_eq!(errcode(&bench.post(&path("deltemplate"), &json!({"priTmplId": id}))), 200014);
    assert_eq!(bench.send_errcode(&token, &with(message(), "/template_id", json!(id))), 40037);
    assert!(!bench.sandbox.grants(DEMO_APPID, DEMO_OPENID).contains_key(&id));
}

#[test]
fn wrong_wishes_are_named() {
    let bench = Bench::new();
    let token = bench.stable();
    let add = |wish: Value| errcode(&bench.post(&format!("/wxaapi/newtmpl/addtemplate?access_token={token}"), &wish));
    assert_eq!(add(json!({"tid": "0", "kidList": [1, 2], "sceneDesc": "x"})), 200014);
    for kids in [json!([1]), json!([1, 99]), json!([1, 1]), json!("1,2"), json!(null)] {
        assert_eq!(add(json!({"tid": "1927", "kidList": kids, "sceneDesc": "x"})), 200020);
    }
    for scene in [json!(""), json!("长".repeat(16)), json!(null)] {
        assert_eq!(add(json!({"tid": "1927", "kidList": [1, 2], "sceneDesc": scene})), 200021);
    }
    bench.sandbox.account(DEMO_APPID, AccountChange { template_limit: Some(1), ..AccountChange::default() });
    assert_eq!(add(json!({"tid": "1927", "kidList": [1, 2], "sceneDesc": "x"})), 200012);
    assert_eq!(errcode(&bench.get(&format!("/wxaapi/newtmpl/addtemplate?access_token={token}"))), 404);
}

#[test]
fn the_public_library_can_be_read() {
    let bench = Bench::new();
    let token = bench.stable();
    let get = |name: &str, query: &str| bench.get(&format!("/wxaapi/newtmpl/{name}?access_token={token}{query}"));
    let category = get("getcategory", "")["data"][0]["id"].as_u64().unwrap();
    let titles = get("getpubtemplatetitles", &format!("&ids={category}&start=1&limit=2"));
    assert_eq!(titles["data"].as_array().unwrap().len(), 2);
    assert!(titles["count"].as_u64().unwrap() > 2);
    assert_eq!(errcode(&get("getpubtemplatetitles", "&start=0&limit=1")), 200018);
    assert_eq!(errcode(&get("getpubtemplatetitles", "&ids=1&start=0&limit=1")), 200019);
    assert_eq!(errcode(&get("getpubtemplatetitles", &format!("&ids={category}&limit=1"))), 200016);
    assert_eq!(errcode(&get("getpubtemplatetitles", &format!("&ids={category}&start=0&limit=31"))), 200017);
    let keywords = get("getpubtemplatekeywords", "&tid=1927");
    assert_eq!((keywords["count"].as_u64(), keywords["data"][0]["rule"].as_str()), (Some(4), Some("character_string")));
}

#[test]
fn quotas_are_counted_told_and_cleared() {
    let bench = Bench::new();
    let token = bench.stable();
    bench.sandbox.quota(DEMO_APPID, SEND, QuotaChange { daily_limit: Some(Some(2)), ..QuotaChange::default() });
    assert_eq!((0..3).map(|_| bench.send_errcode(&token, &message())).collect::<Vec<_>>(), [0, 0, 45009]);
    let path = format!("/cgi-bin/openapi/quota/get?access_token={token}");
    let quota = bench.post(&path, &json!({"cgi_path": SEND}));
    assert_eq!(quota["quota"], json!({"daily_limit": 2, "used": 2, "remain": 0}));
    assert_eq!(errcode(&bench.post(&path, &json!({"cgi_path": "/none"}))), 76021);
    for foreign in ["/sns/jscode2session", "/cgi-bin/message/template/send"] {
        assert_eq!(errcode(&bench.post(&path, &json!({"cgi_path": foreign}))), 76022, "{foreign}");
    }
    let clear = format!("/cgi-bin/clear_quota?access_token={token}");
    assert_eq!(errcode(&bench.post(&clear, &json!({"appid": "wx0"}))), 40013);
    assert_eq!(errcode(&bench.post(&clear, &json!({"appid": DEMO_APPID}))), 0);
    assert_eq!(bench.send_errcode(&token, &message()), 0);
    let by_secret = format!("/cgi-bin/clear_quota/v2?appid={DEMO_APPID}&appsecret={DEMO_SECRET}");
    let codes: Vec<i64> = (0..10).map(|_| errcode(&bench.post(&by_secret, &json!({})))).collect();
    assert_eq!(codes, [0, 0, 0, 0, 0, 0, 0, 0, 0, 48006]);
}
