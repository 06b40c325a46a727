//! How many calls a day there are and how many are left, and what rests at this moment.

use jiff::Timestamp;
use serde_json::Value;

use super::finding::{Finding, Level, subject};
use super::source;
use crate::app::App;
use crate::calendar;
use crate::config::Settings;
use crate::message::Channel;
use crate::network::deadline::Deadline;
use crate::process::Process;
use crate::store::Pause;

/// A day's calls that are left, in parts of a hundred, below which somebody should look.
const SCARCE: i64 = 5;

/// `openapi/quota/get` of the channel's API.
pub fn quota(app: &App, channel: Channel) -> Finding {
    match app.quota(channel.path()) {
        Ok(answer) => quota_of(channel.path(), &answer),
        Err(error) => {
            let text = source::of(&error);
            Finding::warn(subject::QUOTA, text.zh, text.en)
        }
    }
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
    let (all, gone, rest) = (grouped(limit), grouped(used), grouped(left));
    let (mut zh, mut en) = (
        format!("{short} 每天可调用 {all} 次，今天已用 {gone}，剩 {rest}"),
        format!("{short}: {all} calls a day, {gone} used today, {rest} left"),
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

/// Pauses of the APIs that send, and the circuit, as this host knows them.
pub fn route(app: &App, deadline: Deadline) -> Finding {
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
    let host = condition.host.unwrap_or_default();
    if let Some(Pause { errcode, until }) = pause(app.settings(), deadline) {
        let end = calendar::shown(until);
        return Finding::warn(
            subject::ROUTE,
            format!("发送暂停到 {end}（北京时间），因为 {errcode}"),
            format!("sending rests until {end} (China), because of {errcode}"),
        )
        .remedy("到时自动恢复；clearQuota() 成功后立即恢复", "it goes on by itself then, or at once after clearQuota()")
        .fact("paused_until", until / 1000)
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

/// The one that lasts longest.
fn pause(settings: &Settings, deadline: Deadline) -> Option<Pause> {
    let process = Process::current().ok()?;
    let day = calendar::day(Timestamp::now());
    let pauses = process.connections().store(settings).insist(deadline, &process.stats, |store, until| {
        let usage = |channel: Channel| store.usage(&settings.appid, channel.path(), day, until);
        Channel::ALL.into_iter().map(|channel| Ok(usage(channel)?.pause)).collect::<Result<Vec<_>, _>>()
    });
    // A store that fails has a line of its own.
    pauses.ok()?.into_iter().flatten().max_by_key(|pause| pause.until)
}

/// 10000000 as 10,000,000.
fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && digit != '-' && (digits.len() - index).is_multiple_of(3) && !shown.ends_with('-') {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_quota_that_is_nearly_used_up_is_worth_a_look_and_one_that_is_used_up_a_fault() {
        let level = |left: i64| {
            let quota = json!({"daily_limit": 1000, "used": 1000 - left, "remain": left});
            quota_of("/cgi-bin/message/subscribe/send", &json!({"errcode": 0, "quota": quota})).level
        };
        assert_eq!((level(1000), level(50), level(49), level(0)), (Level::Ok, Level::Ok, Level::Warn, Level::Fail));
        let refused = quota_of("/x", &json!({"errcode": 76022, "errmsg": "no permission", "hint": "…"}));
        assert_eq!((refused.level, &refused.facts["errcode"]), (Level::Warn, &json!(76022)));
    }

    #[test]
    fn large_numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 10_000_000, -1000].map(grouped), ["0", "999", "1,000", "10,000,000", "-1,000"]);
    }
}
