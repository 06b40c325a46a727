//! The Lua scripts: one for each transaction of the store.

use once_cell::sync::OnceCell;

/// A script, and the hash by which a server that has run it before knows it.
pub struct Script {
    source: &'static str,
    hash: OnceCell<String>,
}

impl Script {
    const fn new(source: &'static str) -> Self {
        Self { source, hash: OnceCell::new() }
    }

    /// The call by hash, as it goes over the wire.
    pub fn by_hash(&self, call: &Call<'_>) -> Vec<u8> {
        let hash = self.hash.get_or_init(|| redis::Script::new(self.source).get_hash().to_owned());
        call.pack("EVALSHA", hash)
    }

    /// The call with the source, after which the server knows the hash.
    pub fn by_source(&self, call: &Call<'_>) -> Vec<u8> {
        call.pack("EVAL", self.source)
    }
}

/// Arguments of one call.
pub struct Call<'a> {
    /// The account: the hash tag of every key.
    pub account: &'a str,
    /// What the script reads as `ARGV[2]` and on.
    pub arguments: Vec<Vec<u8>>,
}

impl<'a> Call<'a> {
    /// A call without arguments.
    pub fn new(account: &'a str) -> Self {
        Self { account, arguments: Vec::with_capacity(32) }
    }

    /// One argument more.
    pub fn with(mut self, argument: impl ToString) -> Self {
        self.arguments.push(argument.to_string().into_bytes());
        self
    }

    /// One that need not be text.
    pub fn bytes(mut self, argument: &[u8]) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// One that may be missing: empty, or `=` and the value.
    pub fn optional(mut self, argument: Option<impl std::fmt::Display>) -> Self {
        self.arguments.push(argument.map_or_else(Vec::new, |value| format!("={value}").into_bytes()));
        self
    }

    fn pack(&self, command: &str, script: &str) -> Vec<u8> {
        let prefix = format!("rt:{{{}}}:", self.account);
        let mut command = redis::cmd(command);
        command.arg(script).arg(1).arg(format!("{prefix}v")).arg(&prefix);
        for argument in &self.arguments {
            command.arg(argument);
        }
        command.get_packed_command()
    }
}

/// The parts that several scripts share stand in front of them.
macro_rules! script {
    ($($part:literal),+) => {
        Script::new(concat!(include_str!("lua/account.lua"), $("\n", include_str!(concat!("lua/", $part, ".lua"))),+))
    };
}

/// `Store::begin`.
pub static BEGIN: Script = script!("ledger", "grant", "pause", "row", "record", "outbox", "message", "lapse", "begin");
/// `Store::finish`.
pub static FINISH: Script = script!("ledger", "row", "record", "outbox", "message", "finish");
/// `Store::refuse`.
pub static REFUSE: Script = script!("row", "record", "message", "refuse");
/// `Store::enqueue`.
pub static ENQUEUE: Script = script!("ledger", "row", "record", "outbox", "message", "lapse", "enqueue");
/// `Store::claim`.
pub static CLAIM: Script = script!("ledger", "grant", "pause", "row", "record", "outbox", "attempt", "mend", "claim");
/// `Store::queues` of one account.
pub static QUEUES: Script = script!("queues");
/// `Store::pending`.
pub static PENDING: Script = script!("pending");
/// `Store::sender`.
pub static SENDER: Script = script!("sender");
/// `Store::lead`.
pub static LEAD: Script = script!("lead");
/// Notes an account for `Store::queues` of all.
pub static REGISTER: Script = script!("register");
/// The accounts that were noted.
pub static ACCOUNTS: Script = script!("accounts");
/// Forgets one of them.
pub static FORGET_ACCOUNT: Script = script!("forget_account");
/// `Store::delivery`.
pub static DELIVERY: Script = script!("row", "delivery");
/// `Store::deliveries`.
pub static DELIVERIES: Script = script!("row", "deliveries");
/// `Store::receipt`.
pub static RECEIPT: Script = script!("receipt");
/// `Store::record_grants`.
pub static RECORD_GRANTS: Script = script!("ledger", "recent", "record_grants");
/// `Store::grants`.
pub static GRANTS: Script = script!("grants");
/// `Store::audience`.
pub static AUDIENCE: Script = script!("ledger", "audience");
/// `Store::token`.
pub static TOKEN: Script = script!("token");
/// `Store::put_token`.
pub static PUT_TOKEN: Script = script!("put_token");
/// `Store::refuse_token`.
pub static REFUSE_TOKEN: Script = script!("refuse_token");
/// `Store::release_token`.
pub static RELEASE_TOKEN: Script = script!("release_token");
/// `Store::health`.
pub static HEALTH: Script = script!("health");
/// `Store::put_health`.
pub static PUT_HEALTH: Script = script!("put_health");
/// `Store::note`.
pub static NOTE: Script = script!("shared_note", "note");
/// `Store::put_note`.
pub static PUT_NOTE: Script = script!("shared_note", "put_note");
/// `Store::usage`.
pub static USAGE: Script = script!("pause", "usage");
/// `Store::clear_quota`.
pub static CLEAR_QUOTA: Script = script!("clear_quota");
