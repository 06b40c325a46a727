//! `routine-template validate`: payloads checked offline.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const CONTENT: &str = "订单号{{character_string1.DATA}}\n支付金额{{amount2.DATA}}\n商品名称{{thing4.DATA}}";

/// The command with this on its standard input.
fn validate(payload: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_routine-template"));
    command.args(["validate", "-"]).args(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(payload.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn judged(payload: &Value, arguments: &[&str]) -> (Value, i32) {
    let output = validate(&payload.to_string(), &[&["--json", "--lang", "en"], arguments].concat());
    (serde_json::from_slice(&output.stdout).unwrap(), output.status.code().unwrap())
}

#[test]
fn a_body_of_subscribe_send_that_wechat_will_accept_exits_with_0() {
    let body = json!({
        "touser": "o1", "template_id": "t1", "page": "pages/a",
        "data": {"character_string1": {"value": "cp1"}, "amount2": {"value": "¥1.00"}, "thing4": {"value": "茶"}},
    });
    let (report, code) = judged(&body, &["--content", CONTENT]);
    assert_eq!((code, &report["ok"], &report["violations"]), (0, &json!(true), &json!([])));
    assert_eq!(report["fit"]["data"], body["data"]);
}

#[test]
fn every_violation_is_told_with_field_rule_value_and_what_fits() {
    let data = json!({"character_string1": "cp1", "amount2": "100万元", "thing4": "长".repeat(21)});
    let (report, code) = judged(&json!({"data": data, "content": CONTENT}), &[]);
    assert_eq!(code, 1);
    let violations = report["violations"].as_array().unwrap();
    let fields: Vec<&Value> = violations.iter().map(|violation| &violation["field"]).collect();
    assert_eq!(fields, ["amount2", "thing4"]);
    assert_eq!((&violations[1]["rule"], &violations[1]["fits"]), (&json!("too_long"), &json!("长".repeat(20))));
    assert_eq!(report["fit"]["data"], Value::Null, "an amount in 万 is never repaired");
}

#[test]
fn what_fit_mode_would_send_is_shown() {
    let data = json!({"character_string1": "cp1", "amount2": "1", "thing4": "长".repeat(21), "remark": "谢谢"});
    let (report, code) = judged(&json!({"data": data, "content": CONTENT}), &[]);
    assert_eq!((code, &report["fit"]["data"]["thing4"]["value"]), (1, &json!("长".repeat(20))));
    assert_eq!(report["fit"]["data"].get("remark"), None);
    let output = validate(&json!({"data": data, "content": CONTENT}).to_string(), &["--lang", "zh"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("fit 模式会发送") && text.contains("不发送 remark"), "{text}");
}

#[test]
fn a_missing_field_is_named_where_the_field_list_is_known() {
    let (report, code) = judged(&json!({"thing4": "茶"}), &["--content", CONTENT]);
    assert_eq!(
        (code, &report["violations"][0]["field"], &report["violations"][0]["rule"]),
        (1, &json!("character_string1"), &json!("missing"))
    );
    assert_eq!(judged(&json!({"thing4": "茶"}), &[]).1, 0);
}

#[test]
fn an_official_account_may_send_twelve_digits() {
    let data = json!({"data": {"amount2": "999999999999"}});
    assert_eq!(judged(&data, &[]).1, 1);
    assert_eq!(judged(&data, &["--channel", "bizsend"]).1, 0);
    assert_eq!(judged(&json!({"data": {"amount2": "999999999999"}, "channel": "template"}), &[]).1, 0);
}

#[test]
fn what_cannot_be_read_exits_with_2_and_says_why() {
    for (payload, arguments, word) in [
        ("{", vec![], "JSON"),
        ("[]", vec![], "JSON"),
        (r#"{"thing1":"a"}"#, vec!["--channel", "sms"], "bizsend"),
        (r#"{"thing1":"a"}"#, vec!["--content", "没有"], "DATA"),
        (r#"{"thing1":"a"}"#, vec!["--content-file", "/nowhere/content"], "/nowhere/content"),
    ] {
        let output = validate(payload, &arguments);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{payload} {arguments:?}");
        assert!(text.contains(word), "{text}");
    }
}

#[test]
fn a_file_and_a_file_of_content_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let (payload, content) = (directory.path().join("payload.json"), directory.path().join("content.txt"));
    std::fs::write(&payload, "\u{FEFF}{\"data\":\"{\\\"thing4\\\":\\\"茶\\\"}\"}").unwrap();
    std::fs::write(&content, "商品{{thing4.DATA}}").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_routine-template"));
    command.arg("validate").arg(&payload).arg("--content-file").arg(&content).args(["--lang", "en"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}
