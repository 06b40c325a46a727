//! Calls of official accounts beside the channels of `send()`, and calls that WeChat has withdrawn.

use serde_json::Value;

use super::App;
use crate::error::Error;
use crate::message::Input;

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
    /// 200 characters at most.
    pub content: &'a Input<'a>,
    /// `url`, `miniprogram`, `color`.
    pub options: &'a Input<'a>,
}

impl App {
    /// Sends a one-time subscription message.
    pub fn send_one_time(&self, _message: &OneTime<'_>) -> Result<Value, Error> {
        Err(Error::config("尚未实现", "not there yet"))
    }

    /// `uniform_send`, which WeChat has withdrawn: says at once what replaced it.
    pub fn uniform_send(&self) -> Value {
        Value::Null
    }

    /// `wxopen/template/send`, which WeChat has withdrawn: says at once what replaced it.
    pub fn wxopen_template_send(&self) -> Value {
        Value::Null
    }
}
