//! How many calls a day an API allows, how many are left, and whether it rests here.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::App;
use super::api_path;
use crate::calendar;
use crate::error::Error;
use crate::language::Text;
use crate::store::Usage;

impl App {
    /// WeChat's counters of one API (`openapi/quota/get`), and under `local` what was counted and paused here and what WeChat's
    /// pages say of it.
    pub fn quota(&self, path: &str) -> Result<Value, Error> {
        let path = api_path::read("quota", path)?;
        let mut answer = self.call("/cgi-bin/openapi/quota/get", &json!({ "cgi_path": path }))?;
        let day = calendar::day(Timestamp::now());
        let usage = self.stored(|store, until| store.usage(&self.settings.appid, &path, day, until));
        // WeChat's part of the answer stands without ours.
        let usage = usage.ok();
        let pause = usage.as_ref().and_then(|usage| usage.pause.as_ref());
        let documented = api_path::documented(&path).filter(|_| figure(&answer, "daily_limit").is_none());
        let local = json!({
            "path": path,
            "calls_today": usage.as_ref().map(|usage| usage.calls),
            "paused_until": pause.map(|pause| pause.until / 1000),
            "paused_by": pause.map(|pause| pause.errcode),
            "documented": documented
                .map(|(daily, with_pay)| json!({ "daily_limit": daily, "daily_limit_with_wechat_pay": with_pay })),
        });
        if let Some(words) = in_words(&answer, usage.as_ref()) {
            answer.insert("hint".to_owned(), Value::from(words.in_language(self.settings.hint_lang)));
        }
        answer.insert("local".to_owned(), local);
        Ok(Value::Object(answer))
    }
}

/// A number of WeChat's `quota` member.
fn figure(answer: &Map<String, Value>, name: &str) -> Option<u64> {
    answer.get("quota")?.get(name)?.as_u64()
}

/// The figures in one sentence; the errcode's own hint where WeChat gave none.
fn in_words(answer: &Map<String, Value>, usage: Option<&Usage>) -> Option<Text> {
    let (limit, used, left) = (figure(answer, "daily_limit")?, figure(answer, "used")?, figure(answer, "remain")?);
    let pause = usage.and_then(|usage| usage.pause.as_ref()).map(|pause| (pause.errcode, calendar::shown(pause.until)));
    let (zh, en) = match pause {
        None => (String::new(), String::new()),
        Some((errcode, until)) => (
            format!("本机因 {errcode} 在北京时间 {until} 之前不再调用，可用 clearQuota() 提前恢复。"),
            format!(
                " After {errcode} it is not called from here before {until} (Asia/Shanghai); clearQuota() ends that sooner."
            ),
        ),
    };
    let [limit, used, left] = [limit, used, left].map(grouped);
    Some(Text::new(
        format!("该接口每天可调用 {limit} 次，今天已用 {used} 次，还剩 {left} 次（微信的计数误差约 1%）。{zh}"),
        format!(
            "This API may be called {limit} times a day; {used} are used today and {left} are left (WeChat counts to within 1 %).{en}"
        ),
    ))
}

/// 10000000 as 10,000,000.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_read_in_groups_of_three() {
        assert_eq!([0, 999, 1000, 100_000, 10_000_000].map(grouped), ["0", "999", "1,000", "100,000", "10,000,000"]);
    }
}
