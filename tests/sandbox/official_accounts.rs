//! The calls of official accounts, and the withdrawn ones.

use super::*;

#[test]
fn bizsend_takes_a_grant_and_answers_no_msgid() {
    let bench = Bench::new();
    let path = format!("{BIZSEND}?access_token={}", bench.official());
    for _ in 0..3 {
        assert_eq!(bench.post(&path, &official_message()), json!({"errcode": 0, "errmsg": "ok"}));
    }
    assert_eq!(errcode(&bench.post(&path, &official_message())), 43101);
}

#[test]
fn template_send_needs_no_grant_answers_a_msgid_and_does_not_cut_its_detail() {
    let bench = Bench::new();
    let path = format!("{TEMPLATE}?access_token={}", bench.official());
    for _ in 0..5 {
        assert!(bench.post(&path, &official_message())["msgid"].is_u64());
    }
    let refused = bench.post(&path, &with(official_message(), "/data/character_string1/value", json!("汉字")));
    assert!(errmsg(&refused).starts_with("argument invalid! data.character_string1.value invalid rid: "), "{refused}");
    let refused = bench.post(&path, &with(official_message(), "/data/const4/value", json!("严重")));
    assert!(errmsg(&refused).starts_with("argument invalid! data.const4.value invalid rid: "), "{refused}");
    assert_eq!(errcode(&bench.post(&path, &with(official_message(), "/data/const4/value", json!("")))), 0);
}

#[test]
fn one_client_msg_id_is_one_message() {
    let bench = Bench::new();
    let path = format!("{TEMPLATE}?access_token={}", bench.official());
    let mut message = official_message();
    message["client_msg_id"] = json!("order-1");
    let (first, second) = (bench.post(&path, &message), bench.post(&path, &message));
    assert_eq!(first, second);
    assert_eq!(bench.accepted(), 1);
    bench.sandbox.advance_clock(Duration::from_secs(601));
    assert_eq!(errcode(&bench.post(&path, &message)), 0);
    assert_eq!(bench.accepted(), 2);
}

#[test]
fn the_wrong_kind_of_account_and_withdrawn_calls_are_told_so() {
    let bench = Bench::new();
    let (shop, official) = (bench.stable(), bench.official());
    assert_eq!(errcode(&bench.post(&format!("{BIZSEND}?access_token={shop}"), &message())), 45103);
    assert_eq!(bench.send_errcode(&official, &message()), 48001);
    let uniform = format!("/cgi-bin/message/wxopen/template/uniform_send?access_token={shop}");
    assert_eq!(errcode(&bench.post(&uniform, &json!({}))), 45109);
    let withdrawn = format!("/cgi-bin/message/wxopen/template/send?access_token={shop}");
    assert_eq!(errcode(&bench.post(&withdrawn, &json!({}))), 45103);
    assert_eq!(errcode(&bench.get("/cgi-bin/none")), 40066);
}

#[test]
fn the_old_one_time_message_checks_title_scene_and_content() {
    let bench = Bench::new();
    let path = format!("/cgi-bin/message/template/subscribe?access_token={}", bench.official());
    let good = json!({
        "touser": DEMO_OFFICIAL_OPENID, "template_id": DEMO_OFFICIAL_TEMPLATE.0, "title": "标题", "scene": "1",
        "data": {"content": {"value": "x".repeat(200), "color": "#000"}},
    });
    assert_eq!(errcode(&bench.post(&path, &with(good.clone(), "/title", json!("长".repeat(16))))), 40062);
    for scene in ["", "10001", "-1", "a"] {
        assert_eq!(errcode(&bench.post(&path, &with(good.clone(), "/scene", json!(scene)))), 40097, "{scene}");
    }
    assert_eq!(errcode(&bench.post(&path, &with(good.clone(), "/data/content/value", json!("x".repeat(201))))), 47003);
    assert_eq!(errcode(&bench.post(&path, &good)), 0);
}

#[test]
fn a_mini_program_that_a_message_opens_needs_its_appid() {
    let bench = Bench::new();
    let path = format!("{TEMPLATE}?access_token={}", bench.official());
    let opening = |target: Value| {
        let mut message = official_message();
        message["miniprogram"] = target;
        message
    };
    assert_eq!(errcode(&bench.post(&path, &opening(json!({"pagepath": "pages/a"})))), 40013);
    assert_eq!(errcode(&bench.post(&path, &opening(json!("wx1")))), 47001);
    assert_eq!(errcode(&bench.post(&path, &opening(json!({"appid": "wx1", "pagepath": "pages/a"})))), 0);
    assert_eq!(errcode(&bench.post(&path, &opening(json!("")))), 0, "as EasyWeChat 3 writes it where there is none");
    let mut far = official_message();
    far["url"] = json!(format!("https://shop.test/{}", "a".repeat(2048)));
    assert_eq!(errcode(&bench.post(&path, &far)), 40039);
}
