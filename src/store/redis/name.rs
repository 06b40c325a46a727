//! The names by which rows keep channels, grants and policies.

use super::fault::unreadable;
use crate::config::GrantPolicy;
use crate::message::Channel;
use crate::store::{Grant, StoreError};

/// The channel of a name.
pub fn read_channel(name: &str) -> Result<Channel, StoreError> {
    Channel::from_name(name).ok_or_else(|| unreadable("channel"))
}

/// Of a grant.
pub fn grant_name(grant: Grant) -> &'static str {
    match grant {
        Grant::Reserved => "reserved",
        Grant::OnCredit => "on_credit",
        Grant::LongTerm => "long_term",
        Grant::Uncounted => "uncounted",
    }
}

/// The grant of a name.
pub fn read_grant(name: &str) -> Result<Grant, StoreError> {
    [Grant::Reserved, Grant::OnCredit, Grant::LongTerm, Grant::Uncounted]
        .into_iter()
        .find(|grant| grant_name(*grant) == name)
        .ok_or_else(|| unreadable("grant"))
}

/// Of a policy.
pub fn policy_name(policy: GrantPolicy) -> &'static str {
    match policy {
        GrantPolicy::Off => "off",
        GrantPolicy::Certain => "certain",
        GrantPolicy::Strict => "strict",
    }
}

/// The policy of a name.
pub fn read_policy(name: &str) -> Result<GrantPolicy, StoreError> {
    [GrantPolicy::Off, GrantPolicy::Certain, GrantPolicy::Strict]
        .into_iter()
        .find(|policy| policy_name(*policy) == name)
        .ok_or_else(|| unreadable("policy"))
}
