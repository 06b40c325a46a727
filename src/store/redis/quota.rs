//! Calls and pauses.

use std::time::Instant;

use super::RedisStore;
use super::reply::Items;
use super::script::{CLEAR_QUOTA, Call, USAGE};
use crate::store::{Pause, StoreError, Usage};

impl RedisStore {
    pub(super) fn usage_of(&self, appid: &str, api: &str, day: u32, until: Instant) -> Result<Usage, StoreError> {
        let mut items = Items::new(self.run(&USAGE, &Call::new(appid).with(api).with(day), until)?, "usage")?;
        let calls = items.parse()?;
        let pause =
            if items.is_empty() { None } else { Some(Pause { errcode: items.parse()?, until: items.parse()? }) };
        Ok(Usage { calls, pause })
    }

    pub(super) fn forget_quota(
        &self,
        appid: &str,
        api: Option<&str>,
        day: u32,
        until: Instant,
    ) -> Result<(), StoreError> {
        self.run(&CLEAR_QUOTA, &Call::new(appid).optional(api).with(day), until).map(drop)
    }
}
