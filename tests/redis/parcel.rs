//! Messages for the outbox.

use std::time::Duration;

use routine_template::config::Secret;
use routine_template::message::Channel;
use routine_template::store::*;

use super::message::*;

/// The prefix of the account's keys.
pub fn key(name: &str) -> String {
    format!("rt:{{{APPID}}}:{name}")
}

/// Queues a message to this user of this account.
pub fn queue_for(store: &RedisStore, appid: &str, openid: &str, delay: Duration) -> Result<MessageId, StoreError> {
    let owner = Owner::current();
    let begin = Begin { appid, openid, shown_openid: openid, ..begin(&owner, None) };
    let sender = Sender { version: "1".to_owned(), settings: Secret::new("{}".to_owned()) };
    let parcel = Parcel {
        body: b"{\"touser\":\"somebody\"}",
        delay,
        expires: Duration::from_secs(3600),
        timeout: Duration::from_secs(60),
        resend_unknown: false,
        sender: &sender,
    };
    match store.enqueue(&begin, &parcel, soon())? {
        Enqueued::Queued(id) => Ok(id),
        other => panic!("not Queued: {other:?}"),
    }
}

/// Queues a message that is due at once.
pub fn queue(store: &RedisStore, openid: &str) -> MessageId {
    queue_for(store, APPID, openid, Duration::ZERO).unwrap()
}

/// A claim of all that the account has.
pub fn claim<'a>(appid: &'a str, owner: &'a Owner) -> Claim<'a> {
    Claim {
        id: MessageId::new(),
        owner,
        appid,
        channel: Channel::Subscribe,
        limit: 100,
        margin: Duration::from_secs(60),
        retention: Duration::from_secs(3600),
    }
}

pub fn claimed(store: &RedisStore) -> Claimed {
    store.claim(&claim(APPID, &Owner::current()), soon()).unwrap()
}

pub fn ids(claimed: &Claimed) -> Vec<MessageId> {
    claimed.jobs.iter().map(|job| job.id).collect()
}

/// What `finish` of a claimed message takes.
pub fn of_job<'a>(appid: &'a str, owner: &'a Owner, job: &'a Job) -> Begin<'a> {
    Begin {
        id: job.id,
        appid,
        openid: &job.openid,
        shown_openid: &job.shown_openid,
        template_id: &job.template_id,
        key: job.key.as_deref(),
        policy: job.policy,
        queued: true,
        ..begin(owner, None)
    }
}

/// All of them are delivered.
pub fn deliver(store: &RedisStore, appid: &str, jobs: &[Job]) -> Result<(), StoreError> {
    let owner = Owner::current();
    let begins: Vec<_> = jobs.iter().map(|job| of_job(appid, &owner, job)).collect();
    let ends: Vec<_> = jobs.iter().map(|job| delivered(job.grant)).collect();
    let all: Vec<_> = begins.iter().zip(jobs).zip(&ends).map(|((begin, job), end)| (begin, job.epoch, end)).collect();
    store.finish_all(&all, soon())
}
