//! Which accounts have messages in their outbox: their keys are spread over a cluster, so that nobody could find them.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::reply::Items;
use super::script::{ACCOUNTS, Call, FORGET_ACCOUNT, REGISTER};
use super::{RedisStore, milliseconds};
use crate::store::StoreError;

/// The hash tag of the key that has them all.
const LIST: &str = "outbox";
/// How long a note is trusted by the process that made it; a server that lost its data has it again after that.
const NOTED: Duration = Duration::from_secs(60);
/// An account that nobody has noted for so long, and whose outbox is empty, is forgotten.
const OLD: Duration = Duration::from_secs(86_400);
/// Accounts that a process remembers; a shop has a handful.
const REMEMBERED: usize = 256;
/// Accounts that one script lists.
const AT_ONCE: usize = 1000;

/// When this process has noted which account.
#[derive(Default)]
pub(super) struct Notes(Mutex<HashMap<String, Instant>>);

/// An account that was noted.
pub(super) struct Account {
    pub(super) appid: String,
    /// Whether that is long ago.
    pub(super) is_old: bool,
}

impl RedisStore {
    /// Before the first message is put into an outbox, so that none is ever in one that cannot be found.
    pub(super) fn note_account(&self, appid: &str, until: Instant) -> Result<(), StoreError> {
        if self.notes.0.lock().get(appid).is_some_and(|noted| noted.elapsed() < NOTED) {
            return Ok(());
        }
        let asked = Instant::now();
        self.run(&REGISTER, &Call::new(LIST).with(appid), until)
            // Nobody's message was queued by that.
            .map_err(|error| StoreError { maybe_done: false, ..error })?;
        let mut notes = self.notes.0.lock();
        if notes.len() >= REMEMBERED {
            notes.clear();
        }
        notes.insert(appid.to_owned(), asked);
        Ok(())
    }

    pub(super) fn noted_accounts(&self, until: Instant) -> Result<Vec<Account>, StoreError> {
        let mut accounts = Vec::new();
        loop {
            let call = Call::new(LIST).with(accounts.len()).with(AT_ONCE).with(milliseconds(OLD));
            let mut items = Items::new(self.run(&ACCOUNTS, &call, until)?, "accounts")?;
            let before = accounts.len();
            while !items.is_empty() {
                let is_old = items.text()? == "1";
                accounts.push(Account { appid: items.text()?, is_old });
            }
            if accounts.len() < before + AT_ONCE {
                return Ok(accounts);
            }
        }
    }

    pub(super) fn forget_account(&self, appid: &str, until: Instant) -> Result<(), StoreError> {
        self.run(&FORGET_ACCOUNT, &Call::new(LIST).with(appid).with(milliseconds(OLD)), until).map(drop)
    }
}
