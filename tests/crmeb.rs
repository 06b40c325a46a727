//! The messages that CRMEB v5 builds itself, with what shops and their users put into them.

use std::borrow::Cow;

use routine_template::field::{Checked, Mode, check};
use routine_template::message::{Channel, Input};

fn map<'a>(members: &[(&'a str, Input<'a>)]) -> Input<'a> {
    Input::Map(members.iter().map(|(key, value)| (Cow::Borrowed(key.as_bytes()), value.clone())).collect())
}

fn text(value: &str) -> Input<'_> {
    Input::text(value)
}

fn fit(data: &Input<'_>) -> Checked {
    check(data, None, Mode::Fit, Channel::Subscribe)
}

fn strict(data: &Input<'_>) -> Checked {
    check(data, None, Mode::Strict, Channel::Subscribe)
}

#[test]
fn every_message_that_crmeb_builds_is_fitted() {
    let nicknames = [
        "张三",
        "🌸小花🌸",
        "",
        "🎉🎉",
        "用户410774",
        "user25",
        "一二三四五六七八九十甲",
        "Bartholomew Montgomery III",
        "a\nb",
        "...",
        "ㅋㅋ",
    ];
    let titles = [
        "苹果",
        "【开车族必囤】狂卖50万双！老北京空气棉布鞋 3D防滑鞋底 24小时透气不臭脚",
        "Apple iPhone 15 Pro Max (A3108) 256GB 原色钛金属 👍",
        "第一行\r\n第二行",
    ];
    for nickname in nicknames {
        for title in titles {
            let joined = format!("{nickname}加入您的团队");
            let failed = format!("提现失败：{title}");
            let messages = [
                map(&[
                    ("character_string1", text("wx202410211530251234")),
                    ("amount2", text("129.00")),
                    ("thing3", text(title)),
                    ("date4", text("2024-10-21 15:30:25")),
                ]),
                map(&[
                    ("character_string2", text("wx1")),
                    ("thing1", text("顺丰速运")),
                    ("time3", text("2024-10-21 15:30")),
                    ("thing5", text(title)),
                ]),
                map(&[
                    ("thing8", text(title)),
                    ("character_string1", text("wx1")),
                    ("name4", text(nickname)),
                    ("phone_number10", text("13800001234")),
                ]),
                map(&[("thing1", text("已收货")), ("thing2", text(title)), ("date5", Input::Int(1_729_495_825))]),
                map(&[
                    ("character_string1", text("wx1")),
                    ("amount3", Input::Float(1299.0)),
                    ("amount4", text("1,299.00")),
                    ("date5", text("2024年10月21日 15:30")),
                ]),
                map(&[
                    ("thing1", text(&failed)),
                    ("amount2", Input::Float(0.1 + 0.2)),
                    ("thing3", text(nickname)),
                    ("date4", text("2024-10-21T15:30:25+08:00")),
                ]),
                map(&[
                    ("thing1", text(title)),
                    ("name3", text(&joined)),
                    ("thing12", text(nickname)),
                    ("thing7", Input::Int(5)),
                ]),
                map(&[
                    ("character_string2", text("wx1")),
                    ("thing3", text(title)),
                    ("number5", Input::Int(100)),
                    ("number6", Input::Float(50.0)),
                ]),
                map(&[("amount1", text("99.9")), ("phrase3", text("砍价成功！")), ("thing2", text(title))]),
            ];
            for message in &messages {
                let checked = fit(message);
                assert!(checked.violations.is_empty(), "{:#?}", checked.violations);
                let again: Vec<(&str, Input<'_>)> =
                    checked.fields.iter().map(|(key, value)| (key.as_str(), text(value))).collect();
                assert!(strict(&map(&again)).violations.is_empty());
            }
        }
    }
}
