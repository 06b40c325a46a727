//! What `routine-template doctor` asks of an account beyond what applications do.

use std::time::Duration;

use super::App;
use super::post::CallContext;
use crate::config::TokenMode;
use crate::error::Error;
use crate::network::deadline::Deadline;
use crate::process::Process;

/// How a token was come by. The token itself is nobody's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenFound {
    /// Whether WeChat was asked, so that secret and IP address have proved themselves just now.
    pub asked_wechat: bool,
    /// How long it still lives; `None` where the application supplies it.
    pub left: Option<Duration>,
}

impl App {
    /// Comes by a token; in mode `stable` WeChat is asked in any case, which changes nothing for anybody.
    pub fn find_token(&self) -> Result<TokenFound, Error> {
        self.require_account()?;
        let process = Process::current()?;
        let call = CallContext::new(self, process, Deadline::after(self.settings.timeout))?;
        let fetched = process.stats.token_fetches.get();
        let held = self.own_token(&call, self.settings.token_mode == TokenMode::Stable)?;
        let is_own = self.settings.token_mode != TokenMode::External;
        Ok(TokenFound { asked_wechat: process.stats.token_fetches.get() > fetched, left: is_own.then(|| held.left()) })
    }
}
