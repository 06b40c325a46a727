//! What the front end should ask a user for now.

use serde_json::Value;

use super::App;
use crate::error::Error;
use crate::message::Input;

impl App {
    /// Which template ids to hand to `wx.requestSubscribeMessage` for this user: a list of ids.
    pub fn request_templates(&self, _openid: &str, _keys: &Input<'_>, _options: &Input<'_>) -> Result<Value, Error> {
        Err(Error::config("尚未实现", "not there yet"))
    }
}
