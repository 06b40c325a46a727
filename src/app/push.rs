//! WeChat's message push.

use serde_json::Value;

use super::App;
use crate::error::Error;
use crate::message::Input;

impl App {
    /// Takes a request that WeChat's message push made, and says what to answer and what it was.
    pub fn handle_push(&self, _query: &Input<'_>, _body: &[u8]) -> Result<Value, Error> {
        Err(Error::config("尚未实现", "not there yet"))
    }

    /// Takes a message that the application has decrypted already; answers whether it concerned grants or deliveries.
    pub fn record_event(&self, _message: &Input<'_>) -> Result<bool, Error> {
        Err(Error::config("尚未实现", "not there yet"))
    }
}
