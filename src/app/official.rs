//! Calls of official accounts beside the channels of `send()`, and calls that WeChat has withdrawn.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::App;
use super::account::{errcode_in, members};
use crate::answer::{Answer, Source};
use crate::error::Error;
use crate::field::{self, Mode};
use crate::language::{Text, plain_text};
use crate::message::{Channel, Input};
use crate::options::{self, MiniProgramPage};
use crate::wechat::api::MiniProgram;
use crate::wechat::errcode;

/// The endpoint of the old one-time subscription.
const ONE_TIME: &str = "/cgi-bin/message/template/subscribe";
const LAST_SCENE: u32 = 10_000;
const LONGEST_TITLE: usize = 15;
const LONGEST_CONTENT: usize = 200;
/// What `uniform_send` has answered since 2023-09-20.
const UNIFORM_WITHDRAWN: &str = "This API has been unsupported. For more details, please view https://developers.weixin.qq.com/community/develop/doc/000ae8d6348af08e7030bc2546bc01?blockType=1";

/// A one-time subscription message (`message/template/subscribe`).
#[derive(Debug)]
pub struct OneTime<'a> {
    /// The receiver, as the redirect of the confirmation page named him.
    pub openid: &'a str,
    /// The account's one-time template.
    pub template_id: &'a str,
    /// 0 … 10000, as in the link that the user confirmed.
    pub scene: &'a str,
    /// 15 characters at most.
    pub title: &'a str,
    /// 200 characters at most: the text, or an array of `value` and `color`.
    pub content: &'a Input<'a>,
    /// `url`, `miniprogram`, `color`.
    pub options: &'a Input<'a>,
}

impl App {
    /// Sends a one-time subscription message, once; without a verdict it is never sent again.
    pub fn send_one_time(&self, message: &OneTime<'_>) -> Result<Value, Error> {
        self.require_account()?;
        let target = Target::read(message.options)?;
        let (touser, template_id) = (message.openid.trim(), message.template_id.trim());
        let template_id = self.registry.id(template_id).unwrap_or(template_id);
        if let Some(refusal) = self.refused_receiver(touser, template_id) {
            return Ok(in_members(&refusal));
        }
        let content = match self.one_time_content(message) {
            Ok(content) => content,
            Err(refusal) => return Ok(in_members(&refusal)),
        };
        let color = target.color.or_else(|| color_of(message.content));
        let mut content = json!({ "value": content });
        if let (Some(color), Some(members)) = (color, content.as_object_mut()) {
            members.insert("color".to_owned(), Value::from(color));
        }
        let mut body = json!({
            "touser": touser,
            "template_id": template_id,
            "scene": message.scene.trim(),
            "title": message.title.trim(),
            "data": { "content": content },
        });
        if let Some(members) = body.as_object_mut() {
            if let Some(url) = target.url {
                members.insert("url".to_owned(), Value::from(url));
            }
            if let Some(MiniProgramPage { appid, pagepath }) = &target.miniprogram {
                let miniprogram = json!(MiniProgram { appid, pagepath: pagepath.as_deref() });
                members.insert("miniprogram".to_owned(), miniprogram);
            }
        }
        let mut answer = self.call(ONE_TIME, &body).map_err(never_again)?;
        let errcode = errcode_in(&answer).unwrap_or(0);
        answer.insert("source".to_owned(), Value::from(Source::Wechat.name()));
        answer.insert("outcome".to_owned(), Value::from(errcode::outcome(errcode).name()));
        if errcode == 45103 {
            // That of a send names the option channel, which there is none of here.
            let hint = self.settings.hint_lang.choose(
                "只有公众号有一次性订阅消息，请用公众号的 appid 配置；小程序请用 send()。",
                "One-time subscriptions are for official accounts: configure the appid of one, or use send() in a mini program.",
            );
            answer.insert("hint".to_owned(), Value::from(hint));
        }
        Ok(Value::Object(answer))
    }

    /// The text of the message, or the refusal that WeChat would answer for scene, title or content.
    fn one_time_content(&self, message: &OneTime<'_>) -> Result<String, Box<Answer>> {
        let hints = self.settings.hint_lang;
        let refused = |errcode, errmsg: &str, zh: &str, en: &str| {
            Err(Box::new(Answer::local(errcode, errmsg, hints).with_hint(hints.choose(zh, en))))
        };
        let scene = message.scene.trim();
        if scene.parse::<u32>().ok().filter(|number| *number <= LAST_SCENE).is_none() {
            return refused(
                40097,
                "invalid args",
                "scene 应为 0 到 10000 的整数，与用户确认时链接中的 scene 相同。",
                "scene is a whole number from 0 to 10000, the one in the link that the user confirmed.",
            );
        }
        let unchecked = self.settings.validate == Mode::Off;
        let title = message.title.trim();
        if title.is_empty() || (!unchecked && title.chars().count() > LONGEST_TITLE) {
            return refused(
                40062,
                "invalid title size",
                "title 应为 1 到 15 个字，请填写或缩短。",
                "title is 1 to 15 characters, so give one or shorten it.",
            );
        }
        let checked = field::check(&as_field(message.content), None, Mode::Off, Channel::Template);
        if !checked.violations.is_empty() {
            return Err(Box::new(Answer::refused_payload(checked, hints)));
        }
        let content = checked.fields.into_iter().next().map(|(_, text)| text).unwrap_or_default();
        if content.trim().is_empty() {
            return refused(
                47003,
                "argument invalid! data.content.value is empty",
                "content 为空，请填写 1 到 200 个字。",
                "content is empty, so give it 1 to 200 characters.",
            );
        }
        let length = content.chars().count();
        if !unchecked && length > LONGEST_CONTENT {
            return refused(
                47003,
                "argument invalid! data.content.value invalid",
                &format!("content 有 {length} 个字，最多 200 个，请缩短。"),
                &format!("content has {length} characters, 200 at most, so shorten it."),
            );
        }
        Ok(content)
    }

    /// `uniform_send`, which WeChat has withdrawn: says at once what replaced it.
    pub fn uniform_send(&self) -> Value {
        let hints = self.settings.hint_lang;
        in_members(&Answer::local(45109, UNIFORM_WITHDRAWN, hints).with_hint(hints.choose(
            "统一服务消息（uniform_send）已于 2023-09-20 下线：小程序请用 send() 发订阅消息，公众号请用 send() 的 channel bizsend 或 template。",
            "uniform_send was withdrawn on 2023-09-20: for a mini program use send() with a subscribe template, for an official account send() with channel bizsend or template.",
        )))
    }

    /// `wxopen/template/send`, which WeChat has withdrawn: says at once what replaced it.
    pub fn wxopen_template_send(&self) -> Value {
        let hints = self.settings.hint_lang;
        in_members(&Answer::local(45103, "This API has been unsupported", hints).with_hint(hints.choose(
            "小程序模板消息（wxopen/template/send，form_id）已于 2020 年 1 月下线：请用订阅消息模板和 send()，由前端调用 wx.requestSubscribeMessage 请用户授权。",
            "Mini program template messages (wxopen/template/send, form_id) ended in January 2020: use a subscribe template with send(), and let the front end ask the user with wx.requestSubscribeMessage.",
        )))
    }
}

/// What a written message without a verdict calls for.
fn never_again(error: Error) -> Error {
    match error {
        Error::Transport { text, ambiguous: true } => Error::Transport {
            text: Text::new(
                format!("{}；消息可能已送达，请勿自动重发", text.zh),
                format!("{}; it may have been delivered, never resend it by itself", text.en),
            ),
            ambiguous: true,
        },
        other => other,
    }
}

/// Where a tap leads, and the colour of the text.
#[derive(Default)]
struct Target<'i> {
    url: Option<&'i str>,
    miniprogram: Option<MiniProgramPage>,
    color: Option<&'i str>,
}

impl<'i> Target<'i> {
    fn read(options: &'i Input<'_>) -> Result<Self, Error> {
        let mut target = Self::default();
        let Input::Map(members) = options else { return Ok(target) };
        for (name, value) in members.iter().filter(|(_, value)| *value != Input::Null) {
            match name.as_ref() {
                b"url" => target.url = Some(options::text("url", value)?.trim()).filter(|url| !url.is_empty()),
                b"miniprogram" => target.miniprogram = Some(options::mini_program(value)?),
                b"color" => target.color = Some(options::text("color", value)?).filter(|color| !color.is_empty()),
                other => {
                    let shown: String = plain_text(&String::from_utf8_lossy(other)).chars().take(64).collect();
                    return Err(Error::value(
                        format!("sendOneTime() 没有名为“{shown}”的选项，可用的选项：url, miniprogram, color"),
                        format!("sendOneTime() has no option \"{shown}\"; options: url, miniprogram, color"),
                    ));
                }
            }
        }
        Ok(target)
    }
}

/// The content under the one key that the endpoint knows, whichever way it was written.
fn as_field<'i>(content: &'i Input<'i>) -> Input<'i> {
    match content.get("content") {
        Some(_) => content.clone(),
        None => Input::Map(vec![(Cow::Borrowed(b"content"), content.clone())]),
    }
}

fn color_of<'i>(content: &'i Input<'_>) -> Option<&'i str> {
    match content.get("content").unwrap_or(content).get("color") {
        Some(Input::Text(color)) => std::str::from_utf8(color).ok().filter(|color| !color.is_empty()),
        _ => None,
    }
}

/// A verdict of our own with the members that WeChat's have here.
fn in_members(answer: &Answer) -> Value {
    let mut members = members(answer);
    members.insert("source".to_owned(), Value::from(answer.source.name()));
    members.insert("outcome".to_owned(), Value::from(answer.outcome.name()));
    Value::Object(members)
}
