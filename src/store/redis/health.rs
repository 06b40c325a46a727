//! Routes to WeChat, as the processes of a machine know them.

use std::time::Instant;

use redis::Value;

use super::reply::Items;
use super::script::{Call, HEALTH, PUT_HEALTH};
use super::{RedisStore, milliseconds};
use crate::store::{HEALTH_LIFETIME, Health, StoreError};

impl RedisStore {
    pub(super) fn find_health(&self, route: &str, until: Instant) -> Result<Option<Health>, StoreError> {
        read(self.run(&HEALTH, &Call::new(route), until)?)
    }

    pub(super) fn replace_health(
        &self,
        route: &str,
        seen: u64,
        health: &Health,
        until: Instant,
    ) -> Result<Option<Health>, StoreError> {
        let call =
            Call::new(route).with(seen).with(health.version).with(&health.record).with(milliseconds(HEALTH_LIFETIME));
        read(self.run(&PUT_HEALTH, &call, until)?)
    }
}

pub(super) fn read(value: Value) -> Result<Option<Health>, StoreError> {
    let mut items = Items::new(value, "health")?;
    if items.is_empty() {
        return Ok(None);
    }
    Ok(Some(Health { version: items.parse()?, record: items.text()? }))
}
