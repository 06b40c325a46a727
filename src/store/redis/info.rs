//! What a server says of itself, for `routine-template doctor`.

use std::collections::HashMap;
use std::time::Instant;

use redis::Value;

use super::RedisStore;
use super::fault;
use super::fault::unreadable;
use crate::store::StoreError;

impl RedisStore {
    /// The lines of `INFO`, of whichever server has this account.
    pub fn info(&self, account: &str, until: Instant) -> Result<HashMap<String, String>, StoreError> {
        let mut link = self.link(until)?;
        let (address, mut connection, _) = link.connect(account, until)?;
        let answer = connection.ask(&redis::cmd("INFO"), &address, until)?;
        let text = match answer.map_err(|error| fault::refused(&address, &error))? {
            Value::BulkString(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Value::VerbatimString { text, .. } => text,
            _ => return Err(unreadable("INFO")),
        };
        link.keep(address, connection);
        let pair = |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
        Ok(text.lines().filter_map(pair).collect())
    }
}
