//! The fake WeChat over the wire: tokens, order of checks, grants, switches, faults.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "clippy takes helpers of a test crate for product code"
)]

mod administration;
mod connections;
mod faults;
mod management;
mod official_accounts;
mod page;
mod pushes;
mod sending;
mod tokens;

use std::time::{Duration, Instant};

use reqwest::blocking::{Client, ClientBuilder, Response};
use routine_template::sandbox::*;
use serde_json::{Value, json};

const SEND: &str = "/cgi-bin/message/subscribe/send";
const BIZSEND: &str = "/cgi-bin/message/subscribe/bizsend";
const TEMPLATE: &str = "/cgi-bin/message/template/send";

struct Bench {
    sandbox: Sandbox,
    client: Client,
}

fn builder() -> ClientBuilder {
    // Fails when another test was first, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().timeout(Duration::from_secs(5))
}

impl Bench {
    fn new() -> Bench {
        Bench { sandbox: Sandbox::start(Options::default()).unwrap(), client: builder().build().unwrap() }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.http_url())
    }

    fn get(&self, path: &str) -> Value {
        json_of(self.client.get(self.url(path)).send().unwrap())
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        json_of(self.client.post(self.url(path)).body(body.to_string()).send().unwrap())
    }

    fn try_post(&self, path: &str, body: &Value) -> reqwest::Result<Response> {
        self.client.post(self.url(path)).body(body.to_string()).send()
    }

    fn classic(&self) -> String {
        let path = format!("/cgi-bin/token?grant_type=client_credential&appid={DEMO_APPID}&secret={DEMO_SECRET}");
        self.get(&path)["access_token"].as_str().unwrap().to_owned()
    }

    fn stable_of(&self, appid: &str, secret: &str) -> Value {
        let body = json!({"grant_type": "client_credential", "appid": appid, "secret": secret});
        self.post("/cgi-bin/stable_token", &body)
    }

    fn stable(&self) -> String {
        self.stable_of(DEMO_APPID, DEMO_SECRET)["access_token"].as_str().unwrap().to_owned()
    }

    fn official(&self) -> String {
        self.stable_of(DEMO_OFFICIAL_APPID, DEMO_OFFICIAL_SECRET)["access_token"].as_str().unwrap().to_owned()
    }

    fn send(&self, token: &str, message: &Value) -> Value {
        self.post(&format!("{SEND}?access_token={token}"), message)
    }

    fn send_errcode(&self, token: &str, message: &Value) -> i64 {
        errcode(&self.send(token, message))
    }

    fn fault(&self, path: &str, kind: FaultKind) {
        self.sandbox.fault(Fault { path: path.to_owned(), times: Some(1), kind });
    }

    fn accepted(&self) -> u64 {
        self.sandbox.counters().messages
    }
}

fn json_of(response: Response) -> Value {
    assert_eq!(response.status(), 200, "WeChat's errors come with status 200");
    serde_json::from_str(&response.text().unwrap()).unwrap()
}

fn errcode(answer: &Value) -> i64 {
    answer.get("errcode").and_then(Value::as_i64).unwrap_or(0)
}

fn errmsg(answer: &Value) -> String {
    answer["errmsg"].as_str().unwrap().to_owned()
}

fn message() -> Value {
    json!({
        "touser": DEMO_OPENID, "template_id": DEMO_TEMPLATE, "page": "pages/order/detail?id=1",
        "miniprogram_state": "formal", "lang": "zh_CN",
        "data": {
            "thing4": {"value": "苹果"}, "character_string1": {"value": "wx202412010001"},
            "amount2": {"value": "12.50元"}, "time3": {"value": "2024-12-01 10:00:00"},
        },
    })
}

fn official_message() -> Value {
    json!({
        "touser": DEMO_OFFICIAL_OPENID, "template_id": DEMO_OFFICIAL_TEMPLATE.0,
        "data": {
            "character_string1": {"value": "A1"}, "thing2": {"value": "苹果"}, "amount3": {"value": "123456789012"},
            "const4": {"value": "已发货"}, "time5": {"value": "10:00"},
        },
    })
}

fn with(mut message: Value, pointer: &str, value: Value) -> Value {
    *message.pointer_mut(pointer).unwrap() = value;
    message
}
