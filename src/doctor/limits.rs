//! How many calls a day there are and how many are left, and what rests at this moment.

use serde_json::Value;

use super::finding::{Finding, Level, subject};
use super::source;
use crate::app::App;
use crate::message::Channel;
use crate::quota;

/// A day's calls that are left, in parts of a hundred, below which somebody should look.
const SCARCE: i64 = 5;

/// `openapi/quota/get` of the channel's API, and the pause and circuit of this side.
pub fn check(app: &App, channel: Channel) -> Vec<Finding> {
    let path = channel.path();
    let answer = match app.quota(path) {
        Ok(answer) => answer,
        Err(error) => {
            let text = source::of(&error);
            return vec![Finding::warn(subject::QUOTA, text.zh, text.en), route(app, None)];
        }
    };
    vec![quota_of(path, &answer), route(app, answer.get("local"))]
}

fn quota_of(path: &str, answer: &Value) -> Finding {
    let number = |pointer: &str| answer.pointer(pointer).and_then(Value::as_i64);
    let errcode = number("/errcode").unwrap_or(0);
    let (Some(limit), Some(used), Some(left)) =
        (number("/quota/daily_limit"), number("/quota/used"), number("/quota/remain"))
    else {
        let words = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (errmsg, hint) = (words("errmsg"), words("hint"));
        return Finding::warn(
            subject::QUOTA,
            format!("无法查询 {path}：{errmsg}（{errcode}）"),
            format!("{path} cannot be looked up: {errmsg} ({errcode})"),
        )
        .remedy(hint.clone(), hint)
        .fact("errcode", errcode);
    };
    let level = match left {
        ..=0 => Level::Fail,
        left if left.saturating_mul(100) / limit.max(1) < SCARCE => Level::Warn,
        _ => Level::Ok,
    };
    let short = path.strip_prefix("/cgi-bin/message/").unwrap_or(path);
    let (mut zh, mut en) = (
        format!("{short} 每天可调用 {limit} 次，今天已用 {used}，剩 {left}"),
        format!("{short}: {limit} calls a day, {used} used today, {left} left"),
    );
    if let (Some(calls), Some(seconds)) = (number("/rate_limit/call_count"), number("/rate_limit/refresh_second")) {
        zh.push_str(&format!("；{seconds} 秒内还可调用 {calls} 次"));
        en.push_str(&format!("; {calls} more within {seconds} s"));
    }
    let finding = Finding::new(subject::QUOTA, level, zh, en);
    let finding = if level == Level::Ok {
        finding
    } else {
        finding.remedy(
            "等到北京时间零点，或用 clearQuota() 清零（每月 10 次）",
            "wait for midnight in China, or set it back with clearQuota() (ten times a month)",
        )
    };
    finding.fact("path", path).fact("daily_limit", limit).fact("used", used).fact("remain", left)
}

fn route(app: &App, local: Option<&Value>) -> Finding {
    let condition = app.route_condition();
    if condition.circuit != "closed" {
        return Finding::fail(
            subject::ROUTE,
            format!("熔断中（{}）：微信的主机最近都不可用", condition.circuit),
            format!("the circuit is {}: none of WeChat's hosts could be used lately", condition.circuit),
        )
        .remedy(
            "先处理上面的网络问题；恢复后自动闭合",
            "put the network right first; it closes by itself when a host answers",
        )
        .fact("circuit", condition.circuit);
    }
    let pause = |name: &str| local.and_then(|local| local.get(name)).and_then(Value::as_i64);
    let host = condition.host.unwrap_or_default();
    if let (Some(until), Some(errcode)) = (pause("paused_until"), pause("paused_by")) {
        let end = quota::shown(until.saturating_mul(1000));
        return Finding::warn(
            subject::ROUTE,
            format!("发送暂停到 {end}（北京时间），因为 {errcode}"),
            format!("sending rests until {end} (China), because of {errcode}"),
        )
        .remedy("到时自动恢复；clearQuota() 成功后立即恢复", "it goes on by itself then, or at once after clearQuota()")
        .fact("paused_until", until)
        .fact("paused_by", errcode);
    }
    Finding::ok(
        subject::ROUTE,
        format!("没有暂停，熔断未触发，使用 {host}"),
        format!("nothing rests, the circuit is closed, {host} is used"),
    )
    .fact("circuit", condition.circuit)
    .fact("host", host)
}
